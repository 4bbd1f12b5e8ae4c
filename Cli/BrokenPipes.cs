using System.Runtime.InteropServices;

namespace WasmJit.Cli;

/// <summary>
/// What happens when the output is not read any more (<c>wasmjit wasm2wat FILE | head</c>): the process ends at once and says nothing, as
/// programs do that know nothing of the matter. .NET ignores the signal and the failed write, and would go on to the end. Where there are sockets the signal has to be
/// ignored: a client that closes a connection would end the process.
/// </summary>
internal static partial class BrokenPipes
{
    private const int SigPipe = 13, Default = 0, Ignored = 1;

    /// <summary>Gives the signal back its default action.</summary>
    internal static void EndProcess() => Set(Default);

    /// <summary>Ignores the signal again: there are going to be sockets.</summary>
    internal static void AreIgnored() => Set(Ignored);

    /// <summary>No memory is passed to the system.</summary>
    private static void Set(nint action)
    {
        if (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS()) _ = Signal(SigPipe, action);
    }

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint Signal(int signal, nint handler);
}
