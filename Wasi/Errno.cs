namespace WasmJit.Wasi;

/// <summary>The error numbers of WASI preview 1 that this host gives.</summary>
internal enum Errno
{
    Success = 0,
    Badf = 8,
    Fault = 21,
    Inval = 28,
    Io = 29,
    Nosys = 52,
    Notsup = 58,
    Spipe = 70,
}
