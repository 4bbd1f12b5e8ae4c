using System.Net.Sockets;

namespace WasmJit.Wasi;

/// <summary>Error numbers for failures of the host.</summary>
internal static class SystemErrors
{
    /// <summary>The numbers of Linux from 1 to 40.</summary>
    private static readonly Errno[] First =
    [
        Errno.Perm, Errno.Noent, Errno.Srch, Errno.Intr, Errno.Io, Errno.Nxio, Errno.TooBig, Errno.Noexec, Errno.Badf, Errno.Child,
        Errno.Again, Errno.Nomem, Errno.Acces, Errno.Fault, Errno.Notsup, Errno.Busy, Errno.Exist, Errno.Xdev, Errno.Nodev,
        Errno.Notdir, Errno.Isdir, Errno.Inval, Errno.Nfile, Errno.Mfile, Errno.Notty, Errno.Txtbsy, Errno.Fbig, Errno.Nospc,
        Errno.Spipe, Errno.Rofs, Errno.Mlink, Errno.Pipe, Errno.Dom, Errno.Range, Errno.Deadlk, Errno.Nametoolong, Errno.Nolck,
        Errno.Nosys, Errno.Notempty, Errno.Loop,
    ];

    internal static Errno FromLinux(int number) => number switch
    {
        > 0 and <= 40 => First[number - 1],
        71 => Errno.Proto,
        74 => Errno.Badmsg,
        75 => Errno.Overflow,
        84 => Errno.Ilseq,
        95 => Errno.Notsup,
        116 => Errno.Stale,
        122 => Errno.Dquot,
        125 => Errno.Canceled,
        _ => Errno.Io,
    };

    /// <summary>The number for an exception; null for exceptions that are mistakes of the host's own code.</summary>
    internal static Errno? Of(Exception exception) => exception switch
    {
        WasiError error => error.Errno,
        WasiFileException error => error.Errno,
        FileNotFoundException or DirectoryNotFoundException => Errno.Noent,
        PathTooLongException => Errno.Nametoolong,
        UnauthorizedAccessException => Errno.Acces,
        IOException { InnerException: SocketException socket } => OfSocket(socket.SocketErrorCode),
        IOException io => OfIo(io.HResult),
        SocketException socket => OfSocket(socket.SocketErrorCode),
        ObjectDisposedException => Errno.Badf,
        NotSupportedException or PlatformNotSupportedException => Errno.Notsup,
        InsufficientMemoryException or OutOfMemoryException => Errno.Nomem,
        _ => null,
    };

    /// <summary>The code of an IOException is the system's own number, except on Windows.</summary>
    private static Errno OfIo(int code)
    {
        if (OperatingSystem.IsLinux() && code > 0) return FromLinux(code);
        // Other systems share the numbers up to 34, but for 11.
        if (LinuxCalls.IsUnix) return code is > 0 and <= 34 and not 11 ? First[code - 1] : Errno.Io;
        return OfWindows(code & 0xffff);
    }

    /// <summary>The number for an error number of Windows.</summary>
    internal static Errno OfWindows(int code) => code switch
    {
        0x02 or 0x03 or 0x12f => Errno.Noent,
        0x04 => Errno.Mfile,
        0x05 => Errno.Acces,
        0x06 => Errno.Badf,
        0x08 or 0x0e => Errno.Nomem,
        0x11 => Errno.Xdev,
        0x13 => Errno.Rofs,
        0x20 or 0x21 => Errno.Busy,
        0x50 or 0xb7 => Errno.Exist,
        0x01 or 0x32 => Errno.Notsup,
        0x57 or 0x7b => Errno.Inval,
        0x70 or 0x27 => Errno.Nospc,
        0x6d or 0xe8 => Errno.Pipe,
        0x91 => Errno.Notempty,
        0xce => Errno.Nametoolong,
        0xdf => Errno.Fbig,
        0x10b => Errno.Notdir,
        0x476 => Errno.Mlink,
        0x522 => Errno.Perm,
        _ => Errno.Io,
    };

    /// <summary>The number for a status of Windows' kernel. Some statuses have no error number of their own.</summary>
    internal static Errno FromWindows(uint status) => status switch
    {
        0xc0000056 => Errno.Noent,
        0xc00000ba => Errno.Isdir,
        WindowsCalls.NotADirectory => Errno.Notdir,
        WindowsCalls.NotImplemented or WindowsCalls.UnknownClass => Errno.Notsup,
        _ => OfWindows(WindowsCalls.RtlNtStatusToDosError(status)),
    };

    private static Errno OfSocket(SocketError error) => error switch
    {
        SocketError.WouldBlock => Errno.Again,
        SocketError.ConnectionReset => Errno.Connreset,
        SocketError.ConnectionAborted => Errno.Connaborted,
        SocketError.ConnectionRefused => Errno.Connrefused,
        SocketError.NotConnected => Errno.Notconn,
        SocketError.Shutdown => Errno.Pipe,
        SocketError.IsConnected => Errno.Isconn,
        SocketError.MessageSize => Errno.Msgsize,
        SocketError.TimedOut => Errno.Timedout,
        SocketError.NetworkDown => Errno.Netdown,
        SocketError.NetworkReset => Errno.Netreset,
        SocketError.NetworkUnreachable => Errno.Netunreach,
        SocketError.HostUnreachable => Errno.Hostunreach,
        SocketError.NoBufferSpaceAvailable => Errno.Nobufs,
        SocketError.TooManyOpenSockets => Errno.Mfile,
        SocketError.OperationNotSupported => Errno.Notsup,
        SocketError.NotSocket => Errno.Notsock,
        SocketError.InvalidArgument => Errno.Inval,
        SocketError.AccessDenied => Errno.Acces,
        SocketError.Interrupted or SocketError.OperationAborted => Errno.Intr,
        _ => Errno.Io,
    };
}
