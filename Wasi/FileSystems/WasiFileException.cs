namespace WasmJit;

/// <summary>Why an operation of an <see cref="IWasiFileSystem"/> failed: what the guest is told.</summary>
public enum WasiFileError
{
    /// <summary><c>noent</c></summary>
    NotFound,

    /// <summary><c>exist</c></summary>
    Exists,

    /// <summary><c>notdir</c></summary>
    NotDirectory,

    /// <summary><c>isdir</c></summary>
    IsDirectory,

    /// <summary><c>notempty</c></summary>
    NotEmpty,

    /// <summary><c>nospc</c></summary>
    NoSpace,

    /// <summary><c>rofs</c></summary>
    ReadOnly,

    /// <summary><c>acces</c></summary>
    AccessDenied,

    /// <summary><c>fbig</c></summary>
    TooLarge,

    /// <summary><c>inval</c></summary>
    Invalid,

    /// <summary><c>notsup</c></summary>
    NotSupported,

    /// <summary><c>io</c></summary>
    Failed,
}

/// <summary>An operation of an <see cref="IWasiFileSystem"/> failed, for a reason that the guest is told.</summary>
/// <param name="error">The reason.</param>
public sealed class WasiFileException(WasiFileError error)
    : WasmJitException($"The operation on a guest's file failed: {error}.")
{
    /// <summary>The reason.</summary>
    public WasiFileError Error { get; } = error;

    internal Wasi.Errno Errno => Error switch
    {
        WasiFileError.NotFound => Wasi.Errno.Noent,
        WasiFileError.Exists => Wasi.Errno.Exist,
        WasiFileError.NotDirectory => Wasi.Errno.Notdir,
        WasiFileError.IsDirectory => Wasi.Errno.Isdir,
        WasiFileError.NotEmpty => Wasi.Errno.Notempty,
        WasiFileError.NoSpace => Wasi.Errno.Nospc,
        WasiFileError.ReadOnly => Wasi.Errno.Rofs,
        WasiFileError.AccessDenied => Wasi.Errno.Acces,
        WasiFileError.TooLarge => Wasi.Errno.Fbig,
        WasiFileError.Invalid => Wasi.Errno.Inval,
        WasiFileError.NotSupported => Wasi.Errno.Notsup,
        _ => Wasi.Errno.Io,
    };
}
