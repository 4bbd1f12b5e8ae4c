using Microsoft.Win32.SafeHandles;
using WasmJit.Jit.Binary;
using WasmJit.Runtime;

namespace WasmJit.Cli;

/// <summary>
/// The module that a command line runs, read and validated by a thread of its own while the main one still makes the command line's objects and the program's imports:
/// .NET loads their types one by one, so that takes as long as reading a module of 20 MB. Who wants the module takes it from here if it is the one that was guessed.
/// </summary>
internal sealed class EarlyModule
{
    /// <summary>For smaller files a thread takes longer than it saves.</summary>
    private const long Least = 4 << 20;

    /// <summary>How long another thread waits before it looks whether it is to stop, in milliseconds.</summary>
    private const int WaitAtATime = 20;

    /// <summary>The one that has not been asked for yet.</summary>
    private static EarlyModule? begun;

    private readonly string path;
    private byte[]? bytes;
    private ModuleInfo? info;
    private bool isRead, isDone;

    private EarlyModule(string path) => this.path = path;

    /// <summary>Begins to read the module that a command line will probably run; nothing happens if there is none, or a small one.</summary>
    internal static void Begin(string[] args)
    {
        if (FileOf(args) is not { } path) return;
        var early = new EarlyModule(path);
        Volatile.Write(ref begun, early);
        new Thread(early.Work) { IsBackground = true, Name = "wasm early module" }.Start();
    }

    /// <summary>The first argument that names a file, if it is of the size of a large module. What stands behind it is the guest's.</summary>
    internal static string? FileOf(string[] args)
    {
        if (args.Length > 0 && args[0] != RunCommand.Name && Array.IndexOf(Tool.Commands, args[0]) >= 0) return null;
        foreach (string arg in args)
        {
            if (arg.Length == 0 || arg[0] == '-' || arg == RunCommand.Name) continue;
            // What "compile" saves is mapped, and not read.
            if (Path.GetExtension(arg) is ".dll" or ".saved") return null;
            if (new FileInfo(arg) is { Exists: true } file) return file.Length >= Least ? arg : null;
        }
        return null;
    }

    private void Work()
    {
        try
        {
            byte[]? read = IsModule(path) ? FileBytes.Read(path, threads: 1) : null;
            lock (this)
            {
                (bytes, isRead) = (read, true);
                Monitor.PulseAll(this);
            }
            if (read is not null) info = new Engine().Load(read);
        }
        catch (Exception)
        {
            // Who wants it comes to the same end, and reports it.
        }
        finally
        {
            lock (this)
            {
                isRead = isDone = true;
                Monitor.PulseAll(this);
            }
        }
    }

    /// <summary>Whether a file begins as a module of the binary format does, and not as a component.</summary>
    private static bool IsModule(string path)
    {
        using SafeFileHandle file = File.OpenHandle(path);
        Span<byte> first = stackalloc byte[8];
        return RandomAccess.Read(file, first, 0) == first.Length && first.SequenceEqual("\0asm\x01\0\0\0"u8);
    }

    /// <summary>Whether a file has been read, or is being read, and has not been asked for yet.</summary>
    internal static bool IsOf(string path) => Volatile.Read(ref begun)?.path == path;

    /// <summary>The content of a file if it has been read, or is being read; null otherwise. It is given away once.</summary>
    internal static byte[]? BytesOf(string path)
    {
        if (Volatile.Read(ref begun) is not { } early || early.path != path) return null;
        lock (early)
        {
            while (!early.isRead) early.Wait();
            if (early.bytes is null) _ = Interlocked.CompareExchange(ref begun, null, early);
            return early.bytes;
        }
    }

    /// <summary>The module that bytes of <see cref="BytesOf"/> are, decoded and validated for an engine without options; null if it is not valid for that.</summary>
    internal static ModuleInfo? InfoOf(byte[] content)
    {
        if (Volatile.Read(ref begun) is not { } early || !ReferenceEquals(early.bytes, content) || Interlocked.CompareExchange(ref begun, null, early) != early) return null;
        lock (early)
        {
            while (!early.isDone) early.Wait();
            return early.info;
        }
    }

    private void Wait()
    {
        Monitor.Wait(this, WaitAtATime);
        CancellationScope.ThrowIfStopped();
    }
}
