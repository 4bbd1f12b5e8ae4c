using System.Net.Sockets;
using WasmJit.Builtins;

namespace WasmJit;

/// <summary>
/// What a WASI guest is given. Nothing is given by default but the standard streams of the process: no directory, no socket,
/// no variable of the environment.
/// </summary>
public sealed record WasiOptions
{
    /// <summary>The arguments; the first is by custom the program's name.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = ["guest"];

    /// <summary>The environment.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>What the guest reads as standard input, a <see cref="MemoryStream"/> for instance; the process's own if null.</summary>
    public Stream? Input { get; init; }

    /// <summary>Where the guest's standard output goes; the process's own if null.</summary>
    public Stream? Output { get; init; }

    /// <summary>Where the guest's standard error goes; the process's own if null.</summary>
    public Stream? Error { get; init; }

    /// <summary>The directories that the guest can use, with what is in them; they get the descriptors from 3 on.</summary>
    public IReadOnlyList<WasiDirectory> Directories { get; init; } = [];

    /// <summary>
    /// Sockets that the guest can use: connected ones, or listening ones whose connections it can accept. They get the
    /// descriptors behind the directories', and are not closed with the guest. Until the host is disposed of, or the guest closes
    /// them, they do not block (<see cref="Socket.Blocking"/>): waiting is done where it can be cancelled.
    /// </summary>
    public IReadOnlyList<Socket> Sockets { get; init; } = [];

    /// <summary>
    /// What the guest may do through <c>wasm:linking</c>; nothing, and there is no such module, if null. Where these options name no
    /// others, descriptors are the guest's own, and modules that it instantiates are offered what it imports itself.
    /// </summary>
    public LinkingOptions? Linking { get; init; }

    /// <summary>The most descriptors that the guest can have open at once.</summary>
    public int MaximumDescriptors { get; init; } = 1024;

    /// <summary>
    /// Ends functions that wait: reading, polling, sleeping, accepting; the guest's call ends with an
    /// <see cref="OperationCanceledException"/>. <see cref="WasiHost.Run(Module, Fuel?, GuestResources?)"/> stops the guest's own code too, as
    /// <see cref="Guest"/> does. Functions that are called under a token of <see cref="Guest"/> obey that one as well.
    /// </summary>
    public CancellationToken Cancellation { get; init; }
}

/// <summary>
/// A directory of the host that a guest can use. No path leads the guest out of it: not <c>..</c>, not an absolute path, and
/// not a symbolic link, whoever made it.
/// </summary>
/// <param name="HostPath">Where it is.</param>
/// <param name="GuestPath">What the guest calls it: <c>/</c>, <c>.</c> or any name.</param>
/// <param name="ReadOnly">Whether the guest can change nothing in it: it finds a file system that can only be read.</param>
public sealed record WasiDirectory(string HostPath, string GuestPath, bool ReadOnly = false);
