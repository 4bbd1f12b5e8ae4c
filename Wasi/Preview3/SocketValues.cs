using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using WasmJit.Wasi.Preview2;

namespace WasmJit.Wasi.Preview3;

/// <summary><c>error-code</c> of <c>wasi:sockets/types</c>.</summary>
internal abstract record NetworkError
{
    internal sealed record AccessDenied : NetworkError;

    internal sealed record NotSupported : NetworkError;

    internal sealed record InvalidArgument : NetworkError;

    internal sealed record OutOfMemory : NetworkError;

    internal sealed record Timeout : NetworkError;

    internal sealed record InvalidState : NetworkError;

    internal sealed record AddressNotBindable : NetworkError;

    internal sealed record AddressInUse : NetworkError;

    internal sealed record RemoteUnreachable : NetworkError;

    internal sealed record ConnectionRefused : NetworkError;

    internal sealed record ConnectionBroken : NetworkError;

    internal sealed record ConnectionReset : NetworkError;

    internal sealed record ConnectionAborted : NetworkError;

    internal sealed record DatagramTooLarge : NetworkError;

    internal sealed record Other(string? Value) : NetworkError;

    internal static NetworkError Of(Preview2.NetworkError error) => error switch
    {
        Preview2.NetworkError.AccessDenied => new AccessDenied(),
        Preview2.NetworkError.NotSupported => new NotSupported(),
        Preview2.NetworkError.InvalidArgument => new InvalidArgument(),
        Preview2.NetworkError.OutOfMemory => new OutOfMemory(),
        Preview2.NetworkError.Timeout => new Timeout(),
        Preview2.NetworkError.InvalidState => new InvalidState(),
        Preview2.NetworkError.AddressNotBindable => new AddressNotBindable(),
        Preview2.NetworkError.AddressInUse => new AddressInUse(),
        Preview2.NetworkError.RemoteUnreachable => new RemoteUnreachable(),
        Preview2.NetworkError.ConnectionRefused => new ConnectionRefused(),
        Preview2.NetworkError.ConnectionReset => new ConnectionReset(),
        Preview2.NetworkError.ConnectionAborted => new ConnectionAborted(),
        Preview2.NetworkError.DatagramTooLarge => new DatagramTooLarge(),
        Preview2.NetworkError.NewSocketLimit => new OutOfMemory(),
        Preview2.NetworkError.ConcurrencyConflict or Preview2.NetworkError.NotInProgress => new InvalidState(),
        _ => new Other(null),
    };

    internal static bool Code(Exception exception, [MaybeNullWhen(false)] out NetworkError code)
    {
        code = exception switch
        {
            SocketException { SocketErrorCode: SocketError.Shutdown } or IOException { InnerException: SocketException { SocketErrorCode: SocketError.Shutdown } } => new ConnectionBroken(),
            _ => Networks.Of(exception) is { } error ? Of(error) : null,
        };
        return code is not null;
    }
}

/// <summary><c>error-code</c> of <c>wasi:sockets/ip-name-lookup</c>.</summary>
internal abstract record LookupError
{
    internal sealed record AccessDenied : LookupError;

    internal sealed record InvalidArgument : LookupError;

    internal sealed record NameUnresolvable : LookupError;

    internal sealed record TemporaryResolverFailure : LookupError;

    internal sealed record PermanentResolverFailure : LookupError;

    internal sealed record Other(string? Value) : LookupError;

    internal static LookupError Of(Preview2.NetworkError error) => error switch
    {
        Preview2.NetworkError.AccessDenied => new AccessDenied(),
        Preview2.NetworkError.InvalidArgument => new InvalidArgument(),
        Preview2.NetworkError.NameUnresolvable => new NameUnresolvable(),
        Preview2.NetworkError.TemporaryResolverFailure => new TemporaryResolverFailure(),
        Preview2.NetworkError.PermanentResolverFailure => new PermanentResolverFailure(),
        _ => new Other(null),
    };
}
