namespace WasmJit.Wasi;

/// <summary>
/// Ends a function with an error number. <see cref="FunctionTable"/> catches it: no guest and no user ever sees one.
/// </summary>
internal sealed class WasiError(Errno errno) : Exception
{
    internal Errno Errno { get; } = errno;

    /// <summary>Made when it is asked for, which happens in tests alone: guests meet errors all the time.</summary>
    public override string Message => Errno.ToString();
}
