using System.Net;
using System.Net.Sockets;
using WasmJit.Components;

namespace WasmJit.Wasi.Preview2;

/// <summary><c>error-code</c> of <c>wasi:sockets</c>.</summary>
internal enum NetworkError
{
    Unknown,
    AccessDenied,
    NotSupported,
    InvalidArgument,
    OutOfMemory,
    Timeout,
    ConcurrencyConflict,
    NotInProgress,
    WouldBlock,
    InvalidState,
    NewSocketLimit,
    AddressNotBindable,
    AddressInUse,
    RemoteUnreachable,
    ConnectionRefused,
    ConnectionReset,
    ConnectionAborted,
    DatagramTooLarge,
    NameUnresolvable,
    TemporaryResolverFailure,
    PermanentResolverFailure,
}

/// <summary>Ends a function of sockets with an error.</summary>
internal sealed class NetworkFault(NetworkError error) : Exception(error.ToString())
{
    internal NetworkError Error => error;
}

/// <summary>The right to use the network, as far as it was granted.</summary>
internal sealed class NetworkHandle : GuestObject;

/// <summary>What functions of sockets have in common.</summary>
internal static class Networks
{
    /// <summary>The longest name, as text.</summary>
    private const int LongestName = 255;

    /// <summary>The network that is granted.</summary>
    /// <exception cref="NetworkFault">None is.</exception>
    internal static WasiNetwork Granted(WasiState state) => state.Options.Network ?? throw new NetworkFault(NetworkError.AccessDenied);

    internal static ComponentResult<T, NetworkError> Try<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (Of(e) is { } error)
        {
            return ComponentResult<T, NetworkError>.Fail(error);
        }
    }

    internal static ComponentResult<NoValue, NetworkError> Try(Action action) => Try(() =>
    {
        action();
        return default(NoValue);
    });

    /// <summary>The code for an exception; null for those that are not the network's.</summary>
    internal static NetworkError? Of(Exception exception) => exception switch
    {
        NetworkFault fault => fault.Error,
        WasiError { Errno: Errno.Mfile } => NetworkError.NewSocketLimit,
        SocketException socket => Of(socket.SocketErrorCode),
        IOException { InnerException: SocketException socket } => Of(socket.SocketErrorCode),
        ObjectDisposedException => NetworkError.InvalidState,
        OperationCanceledException => null,
        NotSupportedException => NetworkError.NotSupported,
        _ => null,
    };

    private static NetworkError Of(SocketError error) => error switch
    {
        SocketError.AccessDenied => NetworkError.AccessDenied,
        SocketError.OperationNotSupported or SocketError.AddressFamilyNotSupported or SocketError.ProtocolNotSupported or SocketError.ProtocolOption => NetworkError.NotSupported,
        SocketError.InvalidArgument or SocketError.Fault => NetworkError.InvalidArgument,
        SocketError.NoBufferSpaceAvailable => NetworkError.OutOfMemory,
        SocketError.TimedOut => NetworkError.Timeout,
        SocketError.AlreadyInProgress or SocketError.InProgress => NetworkError.ConcurrencyConflict,
        SocketError.WouldBlock => NetworkError.WouldBlock,
        SocketError.NotConnected or SocketError.IsConnected or SocketError.Shutdown => NetworkError.InvalidState,
        SocketError.TooManyOpenSockets => NetworkError.NewSocketLimit,
        SocketError.AddressNotAvailable => NetworkError.AddressNotBindable,
        SocketError.AddressAlreadyInUse => NetworkError.AddressInUse,
        SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.HostDown or SocketError.NetworkDown => NetworkError.RemoteUnreachable,
        SocketError.ConnectionRefused => NetworkError.ConnectionRefused,
        SocketError.ConnectionReset => NetworkError.ConnectionReset,
        SocketError.ConnectionAborted or SocketError.OperationAborted => NetworkError.ConnectionAborted,
        SocketError.MessageSize => NetworkError.DatagramTooLarge,
        SocketError.HostNotFound or SocketError.NoData => NetworkError.NameUnresolvable,
        SocketError.TryAgain => NetworkError.TemporaryResolverFailure,
        SocketError.NoRecovery => NetworkError.PermanentResolverFailure,
        _ => NetworkError.Unknown,
    };

    /// <summary>Makes a socket of the system, which counts.</summary>
    internal static Socket New(WasiState state, IpAddressFamily family, SocketType type)
    {
        Granted(state);
        if (family == IpAddressFamily.Ipv6 && !Socket.OSSupportsIPv6) throw new NetworkFault(NetworkError.NotSupported);
        state.CountOpened();
        try
        {
            var socket = new Socket(
                family == IpAddressFamily.Ipv4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6, type, type == SocketType.Stream ? ProtocolType.Tcp : ProtocolType.Udp);
            if (family == IpAddressFamily.Ipv6) socket.DualMode = false;
            return socket;
        }
        catch
        {
            state.CountClosed();
            throw;
        }
    }

    /// <summary>Whether a guest may look up a name.</summary>
    /// <returns>The address if the name is one, so that no server is asked; null for other names.</returns>
    /// <exception cref="NetworkFault">It may not, or the text is not a name.</exception>
    internal static IPAddress? CheckName(WasiState state, string name)
    {
        WasiNetwork granted = Granted(state);
        if (name.Length is 0 or > LongestName || Uri.CheckHostName(name) == UriHostNameType.Unknown) throw new NetworkFault(NetworkError.InvalidArgument);
        if (IPAddress.TryParse(name, out IPAddress? address)) return address;
        return granted.LookUp(name) ? null : throw new NetworkFault(NetworkError.AccessDenied);
    }

    /// <summary>A value that must not be zero, and that is as large as the system can have it at most.</summary>
    internal static int Positive(ulong value) => value == 0 ? throw new NetworkFault(NetworkError.InvalidArgument) : (int)Math.Min(value, int.MaxValue);
}

/// <summary><c>wasi:sockets/network</c>.</summary>
internal static class SocketsNetworkInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        to.Add("error", state.Types.Error);
        to.Add("network", state.Types.Network);
        to.Add("network-error-code", NetworkError? (ComponentResource error) => Networks.Of(error.Get<IoError>().Reason));
    }
}

/// <summary><c>wasi:sockets/instance-network</c>.</summary>
internal static class SocketsInstanceNetworkInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        to.Add("network", state.Types.Network);
        to.Add("instance-network", () => state.Types.Network.New(new NetworkHandle()));
    }
}
