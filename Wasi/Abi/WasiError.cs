namespace WasmJit.Wasi;

/// <summary>
/// Ends a function with an error number. <see cref="FunctionTable"/> catches it: no guest and no user ever sees one.
/// </summary>
internal sealed class WasiError(Errno errno) : Exception(errno.ToString())
{
    internal Errno Errno { get; } = errno;
}
