namespace WasmJit;

/// <summary>
/// What WasmJit throws for modules, guests and their programs: everything that <c>catch (WasmJitException)</c> is meant for. Mistakes of the
/// host itself are .NET's exceptions (<see cref="ArgumentException"/>, <see cref="InvalidOperationException"/>,
/// <see cref="ObjectDisposedException"/>), and a cancelled guest is an <see cref="OperationCanceledException"/>,
/// <see cref="GuestCanceledException"/>.
/// </summary>
public abstract class WasmJitException : Exception
{
    private protected WasmJitException() { }

    private protected WasmJitException(string? message)
        : base(message)
    {
    }

    private protected WasmJitException(string? message, Exception? inner)
        : base(message, inner)
    {
    }
}
