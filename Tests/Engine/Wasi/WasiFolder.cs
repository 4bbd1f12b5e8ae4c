using System.Text;
using WasmJit.Wasi;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// A folder for a test, deleted with it, with a guest that has its subfolder <c>inside</c> as descriptor 3. What lies beside
/// that subfolder is what the guest must not reach.
/// </summary>
internal sealed class WasiFolder : IDisposable
{
    /// <summary>The descriptor of the given directory.</summary>
    internal const int Root = 3;

    /// <summary>Where results go, where the scatter/gather list is, and where data is.</summary>
    internal const int Result = 64, List = 128, Data = 1024;

    private readonly string folder = Path.Combine(Path.GetTempPath(), "wasi-" + Guid.NewGuid().ToString("N"));

    /// <param name="portable">Whether files are used as on systems without calls relative to directories.</param>
    /// <param name="options">What else the guest is given.</param>
    /// <param name="readOnly">Whether the directory can only be read.</param>
    /// <param name="module">The version of WASI.</param>
    internal WasiFolder(
        bool portable = false, WasiOptions? options = null, bool readOnly = false, string module = "wasi_snapshot_preview1")
    {
        Directory.CreateDirectory(Inside);
        Guest = new WasiGuest((options ?? WasiGuest.Quiet) with { Directories = [new WasiDirectory(Inside, "/", readOnly)] }, module, portable);
    }

    internal string Inside => Path.Combine(folder, "inside");

    internal WasiGuest Guest { get; }

    internal Memory Memory => Guest.Memory;

    /// <summary>A path of the host below the given directory.</summary>
    internal string Host(string path) => Path.Combine(Inside, path);

    /// <summary>Writes a file as the host.</summary>
    internal string Put(string path, string content = "")
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Host(path))!);
        File.WriteAllText(Host(path), content);
        return path;
    }

    /// <summary>Reads a file as the host. The guest may have it open.</summary>
    internal string Read(string path) => ReadShared(Host(path));

    /// <summary>Writes to the end of a file as the host. The guest may have it open.</summary>
    internal void Append(string path, string text)
    {
        using var writer = new StreamWriter(Share(Host(path), FileMode.Append, FileAccess.Write));
        writer.Write(text);
    }

    /// <summary>Reads a file that others may have open: Windows wants that said.</summary>
    internal static string ReadShared(string path)
    {
        using var reader = new StreamReader(Share(path, FileMode.Open, FileAccess.Read));
        return reader.ReadToEnd();
    }

    private static FileStream Share(string path, FileMode mode, FileAccess access) => new(path, mode, access, FileShare.ReadWrite | FileShare.Delete);

    internal Errno Call(string name, params object[] arguments) => Guest.Invoke(name, arguments);

    /// <summary>Calls a function that must succeed.</summary>
    internal void Do(string name, params object[] arguments) => Assert.Equal(Errno.Success, Call(name, arguments));

    internal Errno TryOpen(
        string path, out int fd, OpenFlags flags = 0, Rights rights = Rights.File | Rights.Directory, FdFlags fdFlags = 0,
        int from = Root, Rights inheriting = Rights.All, bool follow = true)
    {
        Errno error = Call(
            "path_open", from, follow ? 1 : 0, path, (int)flags, (long)rights, (long)inheriting, (int)fdFlags, Result);
        fd = error == Errno.Success ? Memory.Read<int>(Result) : -1;
        return error;
    }

    internal int Open(string path, OpenFlags flags = 0, Rights rights = Rights.File, FdFlags fdFlags = 0, int from = Root)
    {
        Assert.Equal(Errno.Success, TryOpen(path, out int fd, flags, rights, fdFlags, from));
        return fd;
    }

    internal int OpenDirectory(string path, int from = Root) => Open(path, OpenFlags.Directory, Rights.Directory, from: from);

    /// <summary>Writes text through a descriptor in two pieces.</summary>
    internal void Write(int fd, string text, long? at = null)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Memory.WriteBytes(Data, bytes);
        int half = bytes.Length / 2;
        Guest.WriteList(List, (Data, half), (Data + half, bytes.Length - half));
        if (at is { } offset) Do("fd_pwrite", fd, List, 2, offset, Result);
        else Do("fd_write", fd, List, 2, Result);
        Assert.Equal(bytes.Length, Memory.Read<int>(Result));
    }

    /// <summary>Reads text through a descriptor into two pieces.</summary>
    internal string Read(int fd, int count = 1000, long? at = null)
    {
        int half = count / 2;
        Guest.WriteList(List, (Data, half), (Data + half, count - half));
        if (at is { } offset) Do("fd_pread", fd, List, 2, offset, Result);
        else Do("fd_read", fd, List, 2, Result);
        return Memory.ReadString(Data, Memory.Read<int>(Result));
    }

    internal long Seek(int fd, long offset, Whence whence)
    {
        Do("fd_seek", fd, offset, (int)whence, Result);
        return Memory.Read<long>(Result);
    }

    /// <summary>The status of a path, as preview 1 lays it out.</summary>
    internal FileStatus Status(string path, bool follow = false)
    {
        Do("path_filestat_get", Root, follow ? 1 : 0, path, Result);
        return ReadStatus();
    }

    internal FileStatus Status(int fd)
    {
        Do("fd_filestat_get", fd, Result);
        return ReadStatus();
    }

    internal FileStatus ReadStatus() => new(
        Memory.Read<ulong>(Result), Memory.Read<ulong>(Result + 8), (FileType)Memory.Read<byte>(Result + 16), Memory.Read<ulong>(Result + 24),
        Memory.Read<ulong>(Result + 32), Memory.Read<ulong>(Result + 40), Memory.Read<ulong>(Result + 48), Memory.Read<ulong>(Result + 56));

    /// <summary>Deletes a folder in which a guest has been, with whatever names it gave to its files.</summary>
    internal static void Delete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (IOException) when (OperatingSystem.IsLinux())
        {
            // .NET cannot delete files whose names are not UTF-8.
            using var remove = System.Diagnostics.Process.Start("rm", ["-rf", folder]);
            remove.WaitForExit();
        }
    }

    public void Dispose()
    {
        Guest.Host.Dispose();
        Delete(folder);
    }
}
