using System.Net.Sockets;
using WasmJit.Builtins;

namespace WasmJit;

/// <summary>
/// The resources of a WASI guest. By default it has nothing but the standard streams of the process: no directory, no socket, no variable of the
/// environment.
/// </summary>
public sealed record WasiOptions
{
    /// <summary>The arguments. By custom the first is the program's name.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = ["guest"];

    /// <summary>The environment.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>The guest's standard input, for instance a <see cref="MemoryStream"/>; the process's own if null.</summary>
    public Stream? Input { get; init; }

    /// <summary>The guest's standard output; the process's own if null.</summary>
    public Stream? Output { get; init; }

    /// <summary>The guest's standard error; the process's own if null.</summary>
    public Stream? Error { get; init; }

    /// <summary>The directories that the guest can use, with their contents. They get the descriptors from 3 on.</summary>
    public IReadOnlyList<WasiDirectory> Directories { get; init; } = [];

    /// <summary>
    /// Other file systems that the guest can use: files in memory, archives, changes over a directory. They get the descriptors behind the directories'.
    /// </summary>
    public IReadOnlyList<WasiMount> FileSystems { get; init; } = [];

    /// <summary>
    /// Sockets that the guest can use: connected ones, or listening ones whose connections it can accept. They get the descriptors behind the
    /// directories', and are not closed with the guest. Until the host is disposed of, or the guest closes them, they do not block (<see
    /// cref="Socket.Blocking"/>): waits must be cancellable.
    /// </summary>
    public IReadOnlyList<Socket> Sockets
    {
        get => sockets ?? [];
        init => sockets = value;
    }

    /// <summary>Null without any: so programs that are given no sockets do not load .NET's assemblies for them.</summary>
    private readonly IReadOnlyList<Socket>? sockets;

    internal bool HasSockets => sockets is not null;

    /// <summary>
    /// What the guest may do through <c>wasm:linking</c>. If null, there is no such module. If these options name no others, descriptors are the
    /// guest's own, and modules that it instantiates can import what it imports itself.
    /// </summary>
    public LinkingOptions? Linking { get; init; }

    /// <summary>What components may do with the network (<c>wasi:sockets</c>); nothing if null.</summary>
    public WasiNetwork? Network { get; init; }

    /// <summary>What components may request by HTTP (<c>wasi:http</c>); nothing if null.</summary>
    public WasiHttp? Http { get; init; }

    /// <summary>The most descriptors that the guest can have open at once; of components also sockets and listings of directories.</summary>
    public int MaximumDescriptors { get; init; } = 1024;

    /// <summary>
    /// How many threads a program may have at once beside its first one, if it imports <c>thread-spawn</c> (the proposal wasi-threads, which clang and Rust build
    /// for); 0 does not give it the function. Its engine must have <c>EngineOptions.Interruptible</c>: the first thread that traps or calls <c>proc_exit</c> ends
    /// the others. <see cref="WasiHost.Run(Module, Fuel?, GuestResources?)"/> runs such programs. It makes the shared memories that they import, and waits
    /// until all threads have ended.
    /// </summary>
    public int MaximumThreads { get; init; }

    /// <summary>
    /// The most bytes that the guest can write in all, to files, devices and streams. A new file, directory or link counts as 4,096, and so does what makes a file
    /// longer. A write beyond fails with <c>nospc</c>.
    /// </summary>
    public long MaximumWrittenBytes { get; init; } = long.MaxValue;

    /// <summary>
    /// The guest's clocks, and what sleeping means: the system's, or another, for runs that can be repeated (<see cref="VirtualTime"/>). With another one, clocks of
    /// processor time show it as well.
    /// </summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>
    /// If it is given, the guest's random numbers are the same in each run, and different for each seed. They are not secret then.
    /// </summary>
    public ulong? RandomSeed { get; init; }

    /// <summary>Gives the guest its random numbers; null for those of <see cref="RandomSeed"/>, or of the system.</summary>
    public WasiRandomSource? Random { get; init; }

    /// <summary>
    /// Ends functions that wait: reading, polling, sleeping, accepting. The guest's call ends with an <see cref="OperationCanceledException"/>. <see
    /// cref="WasiHost.Run(Module, Fuel?, GuestResources?)"/> stops the guest's own code too, as <see cref="Guest"/> does. Functions that are called
    /// under a token of <see cref="Guest"/> obey that one as well.
    /// </summary>
    public CancellationToken Cancellation { get; init; }
}

/// <summary>
/// A directory of the host that a guest can use. No path leads the guest out of it: not <c>..</c>, not an absolute path, and not a symbolic link,
/// no matter who made it.
/// </summary>
/// <param name="HostPath">The directory on the host.</param>
/// <param name="GuestPath">The guest's name for it: <c>/</c>, <c>.</c> or any name.</param>
/// <param name="ReadOnly">Whether the guest can change nothing in it. It then sees a read-only file system.</param>
public sealed record WasiDirectory(string HostPath, string GuestPath, bool ReadOnly = false);
