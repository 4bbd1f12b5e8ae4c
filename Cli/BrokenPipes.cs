using System.Runtime.InteropServices;

namespace WasmJit.Cli;

/// <summary>
/// What happens when the output is not read any more (<c>wasmjit wasm2wat FILE | head</c>): the process ends at once and says nothing, as
/// programs do that know nothing of the matter. .NET ignores the signal and the failed write, and would go on to the end.
/// </summary>
internal static partial class BrokenPipes
{
    private const int SigPipe = 13;

    /// <summary>Gives the signal back its default action. No memory is passed to the system.</summary>
    internal static void EndProcess()
    {
        if (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS()) _ = Signal(SigPipe, 0);
    }

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint Signal(int signal, nint handler);
}
