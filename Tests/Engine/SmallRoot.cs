using System.Diagnostics;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// A root of a file system that has what a program's libraries need and nothing else, as images without a distribution (chiselled ones) have it: no shell, no users, no certificates, no time
/// zones. Programs run in it in namespaces of their own. Linux.
/// </summary>
internal sealed class SmallRoot
{
    /// <summary>Any user who is not root and whom nobody knows; images of .NET have this number.</summary>
    private const string User = "1654";

    private readonly List<(string From, string To, bool IsWritable)> mounts = [];

    /// <param name="folder">Where it is made.</param>
    internal SmallRoot(string folder) => Folder = folder;

    internal string Folder { get; }

    /// <summary>Whether users may have namespaces of their own, one in the other.</summary>
    internal static bool IsPossible { get; } = OperatingSystem.IsLinux() && Works();

    private static bool Works()
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo("unshare", ["--map-root-user", "--mount", "unshare", $"--map-user={User}", $"--map-group={User}", "true"]) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    /// <summary>Copies the libraries that files are linked with, and OpenSSL, which .NET loads where a program needs hashes.</summary>
    internal async Task AddLibraries(params string[] files)
    {
        (int code, string libraries, string error) = await ChildProcess.Run(new ProcessStartInfo("ldd", files));
        Assert.Equal((0, ""), (code, error));
        string[] needed =
        [
            .. libraries.Split('\n').Where(line => line.StartsWith('\t')).Select(line => line.Trim().Split(' ')).Select(words => words is [_, "=>", var path, ..] ? path : words[0])
                .Where(path => path.StartsWith('/') && !files.Contains(path)).Distinct(),
        ];
        Assert.Contains(needed, path => Path.GetFileName(path) == "libc.so.6");
        Assert.InRange(needed.Length, 2, 12);
        string system = Path.GetDirectoryName(needed.Single(path => Path.GetFileName(path) == "libc.so.6"))!;
        foreach (string library in needed.Concat(Directory.GetFiles(system, "libssl.so.*")).Concat(Directory.GetFiles(system, "libcrypto.so.*")))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Folder + library)!);
            File.Copy(library, Folder + library, overwrite: true);
        }
    }

    /// <summary>Shows a folder of the machine below the root.</summary>
    internal void Show(string from, string to, bool isWritable = false)
    {
        Directory.CreateDirectory(Folder + to);
        mounts.Add((from, to, isWritable));
    }

    /// <summary>How a program is started in it, which finds an environment without any variable but those given, and can write nowhere.</summary>
    /// <param name="variables">Variables, as NAME=VALUE.</param>
    /// <param name="command">The program and its arguments.</param>
    internal ProcessStartInfo Start(string[] variables, params string[] command)
    {
        foreach (string folder in new[] { "/proc", "/dev" }) Directory.CreateDirectory(Folder + folder);
        // A mount of the machine keeps the limits that it has.
        string script = "root=$1; shift\nseal() { mount -o remount,bind,ro \"$1\" 2>/dev/null || mount -o remount,bind,ro,nosuid,nodev \"$1\"; }\nmount --bind \"$root\" \"$root\"\nmount --rbind /proc \"$root/proc\"\nmount --rbind /dev \"$root/dev\"\n"
            + string.Concat(mounts.Select(m => $"mount --bind '{m.From}' \"$root{m.To}\"\n{(m.IsWritable ? "" : $"seal \"$root{m.To}\"\n")}"))
            + $"seal \"$root\"\nunshare=$(command -v unshare)\nexec env -i {string.Concat(variables.Select(v => $"'{v}' "))}\"$unshare\" --map-user={User} --map-group={User} --root=\"$root\" --wd=/ -- \"$@\"";
        return new ProcessStartInfo("unshare", ["--map-root-user", "--mount", "sh", "-ec", script, "sh", Folder, .. command]) { RedirectStandardOutput = true, RedirectStandardError = true };
    }
}

/// <summary>A test in a root of its own.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SmallRootFactAttribute : FactAttribute
{
    public SmallRootFactAttribute()
    {
        if (!SmallRoot.IsPossible) Skip = "not run: needs Linux, unshare, and namespaces for users";
    }
}
