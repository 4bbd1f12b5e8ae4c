namespace WasmJit.Wasi;

/// <summary>
/// Ends a function with an error number. <see cref="FunctionTable"/> catches it: no guest and no user ever sees one.
/// </summary>
internal sealed class WasiError(Errno errno) : Exception
{
    internal Errno Errno { get; } = errno;

    /// <summary>Guests ask for what is not there all the time, and nobody reads it.</summary>
    public override string Message => Errno.ToString();
}
