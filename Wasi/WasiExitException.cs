namespace WasmJit;

/// <summary>A guest has ended itself with <c>proc_exit</c>. The exception crosses the guest unchanged.</summary>
public sealed class WasiExitException : WasmJitException
{
    internal WasiExitException(int code)
        : base($"The guest has ended with exit code {code}.") => ExitCode = code;

    /// <summary>The exit code that the guest gave.</summary>
    public int ExitCode { get; }
}
