using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using WasmJit.Jit.Saved;
using WasmJit.Wasi;

namespace WasmJit.Cli;

/// <summary>
/// Saved modules of programs that ran for long, for their next run. What is in it is code of the host: the directory is this user's
/// and no other user may enter it, and a file counts only if this user owns it and it is read-only, which no file can be that a guest
/// has made. It can be deleted at any time. Linux only: elsewhere nothing is kept.
/// </summary>
internal sealed class CodeCache
{
    /// <summary>
    /// A saved module's functions are compiled at their first call, where the others are interpreted at first: programs that end
    /// sooner than this would become slower.
    /// </summary>
    internal static readonly TimeSpan LongRun = TimeSpan.FromSeconds(0.3);

    /// <summary>The most time that saving takes, behind the program's end: its module is the guest's, and may be made to take long.</summary>
    internal static readonly TimeSpan MostToSave = TimeSpan.FromSeconds(5);

    /// <summary>What the process has used so far; a program that waits does not run for long.</summary>
    internal static TimeSpan ProcessorTime => Environment.CpuUsage.TotalTime;

    /// <summary>The most bytes of all files; those used longest ago go first.</summary>
    private const long MostBytes = 256 << 20;

    /// <summary>Larger modules take too long to save.</summary>
    private const int LargestModule = 8 << 20;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private const string Extension = ".dll";

    private readonly SafeFileHandle folder;

    private CodeCache(SafeFileHandle folder) => this.folder = folder;

    /// <summary>Where it is: what WASMJIT_CACHE says, or below the user's caches.</summary>
    private static string DefaultPath
    {
        get
        {
            if (Environment.GetEnvironmentVariable("WASMJIT_CACHE") is { Length: > 0 } given) return Path.GetFullPath(given);
            string? caches = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
            if (!Path.IsPathRooted(caches)) caches = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
            return Path.Combine(caches, "wasmjit");
        }
    }

    /// <summary>Opens the cache, and makes it if there is none.</summary>
    /// <returns>Null if it cannot be used safely: it is another user's, others may enter it, or the system is not known well enough.</returns>
    internal static CodeCache? Open()
    {
        if (!LinuxCalls.IsSupported || OperatingSystem.IsWindows()) return null;
        string path = DefaultPath;
        try
        {
            if (!Path.IsPathRooted(path)) return null;
            Directory.CreateDirectory(path, OwnerOnly);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
        int descriptor = LinuxCalls.OpenHost(path, LinuxCalls.ReadOnly | LinuxCalls.OnlyDirectory | LinuxCalls.NoFollow | LinuxCalls.CloseOnExec, 0);
        if (descriptor < 0) return null;
        var folder = new SafeFileHandle(descriptor, ownsHandle: true);
        return IsOwn(folder, kind: 4, OwnerOnly) ? new CodeCache(folder) : null;
    }

    /// <summary>Whether the cache lies in a directory that guests may write to, or the other way round.</summary>
    internal static bool IsWithin(string directory) => GuestReach.Overlap(DefaultPath, directory);

    /// <summary>Deletes what is in it: a guest that may write there could have changed it.</summary>
    internal static void Clear()
    {
        try
        {
            string path = DefaultPath;
            var folder = new DirectoryInfo(path);
            // Without a home there is no cache: Open makes none in the current directory either.
            if (!Path.IsPathRooted(path) || !folder.Exists) return;
            foreach (FileSystemInfo item in folder.EnumerateFileSystemInfos())
            {
                if (item is DirectoryInfo { LinkTarget: null } inner) inner.Delete(recursive: true);
                else item.Delete();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"the code cache {DefaultPath} cannot be emptied: {e.Message}", "a directory that is given to the guest holds it; give it with ::ro");
        }
    }

    /// <summary>Whether an open file is of a kind, this process's user's, and has exactly these permissions.</summary>
    private static bool IsOwn(SafeFileHandle file, int kind, UnixFileMode mode)
    {
        const uint basic = 0x7ff;
        return LinuxCalls.StatX(file, "", LinuxCalls.EmptyPath, basic, out LinuxCalls.StatXBuffer status) >= 0
            && status.Mode >> 12 == kind && (status.Mode & 0xfff) == (int)mode && status.Owner == LinuxCalls.EffectiveUser();
    }

    /// <summary>The place of a module's code.</summary>
    /// <param name="module">The module's bytes.</param>
    /// <param name="options">How it is compiled.</param>
    internal CachedModule? Of(byte[] module, EngineOptions options) => module.Length > LargestModule ? null : new CachedModule(this, module, options);

    /// <summary>The key: everything that what is saved depends on.</summary>
    internal static string KeyOf(byte[] module, EngineOptions options)
    {
        string settings = $"{SavedHeader.Build} {Environment.Version} {options.MemoryChecks} {options.Interruptible} {options.CountFuel} {options.Inlining} {options.Features} {options.RuntimeLinking} {options.RuntimeCompile}";
        return Convert.ToHexStringLower(SHA256.HashData([.. SHA256.HashData(module), .. Encoding.UTF8.GetBytes(settings)]));
    }

    /// <summary>A file's path by the open directory, so that nothing that happens to names around it matters.</summary>
    private string PathOf(string name) => $"/proc/self/fd/{folder.DangerousGetHandle()}/{name}";

    /// <summary>Reads a file.</summary>
    /// <returns>Null if there is none that can be trusted.</returns>
    internal byte[]? Read(string key)
    {
        int descriptor = LinuxCalls.OpenAt(folder, key + Extension, LinuxCalls.ReadOnly | LinuxCalls.NoFollow | LinuxCalls.NonBlocking | LinuxCalls.CloseOnExec, 0);
        if (descriptor < 0) return null;
        using var file = new SafeFileHandle(descriptor, ownsHandle: true);
        if (!IsOwn(file, kind: 8, UnixFileMode.UserRead)) return null;
        byte[] content = new byte[RandomAccess.GetLength(file)];
        int done = 0;
        while (done < content.Length && RandomAccess.Read(file, content.AsSpan(done), done) is > 0 and int read) done += read;
        // The time says when it was used last.
        _ = LinuxCalls.SetTimes(file, [0, LinuxCalls.TimeNow, 0, LinuxCalls.TimeNow]);
        return content;
    }

    /// <summary>Writes a file, whole or not at all, and makes room for it.</summary>
    internal void Write(string key, byte[] content)
    {
        if (OperatingSystem.IsWindows()) return;
        string temporary = PathOf($"{key}.{Environment.ProcessId}.tmp");
        try
        {
            using (var file = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead }))
                file.Write(content);
            File.Move(temporary, PathOf(key + Extension), overwrite: true);
            Shrink();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The disk is full, or the directory has been deleted: the next run compiles.
        }
    }

    /// <summary>Deletes what was used longest ago, and what processes that ended too early have left.</summary>
    private void Shrink()
    {
        FileInfo[] files = [.. new DirectoryInfo(PathOf("")).GetFiles().OrderByDescending(f => f.LastWriteTimeUtc)];
        long sum = 0;
        foreach (FileInfo file in files)
        {
            sum += file.Length;
            bool isLeft = file.Extension != Extension && file.LastWriteTimeUtc < DateTime.UtcNow.AddHours(-1);
            if (sum > MostBytes || isLeft) file.Delete();
        }
    }
}

/// <summary>The place of one module's code in the cache.</summary>
internal sealed class CachedModule(CodeCache cache, byte[] module, EngineOptions options)
{
    private readonly string key = CodeCache.KeyOf(module, options);

    /// <summary>Loads the code.</summary>
    /// <returns>Null if it is not there, or does not fit any more.</returns>
    internal Module? Load()
    {
        if (cache.Read(key) is not { } file) return null;
        try
        {
            Module kept = new Engine(options).LoadSaved(new MemoryStream(file));
            return kept.Info.Bytes.Span.SequenceEqual(module) ? kept : null;
        }
        catch (SavedModuleException)
        {
            return null;
        }
    }

    /// <summary>Saves the code, unless that takes too long.</summary>
    internal void Save(Module compiled, TimeSpan most)
    {
        var content = new MemoryStream();
        using var time = new CancellationTokenSource(most);
        try
        {
            Guest.Run(() => compiled.Save(content), time.Token);
        }
        catch (Exception e) when (e is UnsupportedModuleException or OperationCanceledException)
        {
            return;
        }
        cache.Write(key, content.ToArray());
    }
}
