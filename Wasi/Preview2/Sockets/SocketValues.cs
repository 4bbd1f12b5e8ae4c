using System.Net;
using System.Net.Sockets;

namespace WasmJit.Wasi.Preview2;

/// <summary><c>ip-address-family</c>.</summary>
internal enum IpAddressFamily
{
    Ipv4,
    Ipv6,
}

/// <summary><c>ip-address</c>.</summary>
internal abstract record IpAddress
{
    internal sealed record Ipv4((byte A, byte B, byte C, byte D) Value) : IpAddress;

    internal sealed record Ipv6((ushort A, ushort B, ushort C, ushort D, ushort E, ushort F, ushort G, ushort H) Value) : IpAddress;

    internal static IpAddress Of(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork
        ? new Ipv4(SocketAddresses.Parts4(address)) : new Ipv6(SocketAddresses.Parts6(address));
}

/// <summary><c>ipv4-socket-address</c>.</summary>
internal sealed record Ipv4SocketAddress(ushort Port, (byte A, byte B, byte C, byte D) Address);

/// <summary><c>ipv6-socket-address</c>.</summary>
internal sealed record Ipv6SocketAddress(ushort Port, uint FlowInfo, (ushort A, ushort B, ushort C, ushort D, ushort E, ushort F, ushort G, ushort H) Address, uint ScopeId);

/// <summary><c>ip-socket-address</c>.</summary>
internal abstract record IpSocketAddress
{
    internal sealed record Ipv4(Ipv4SocketAddress Value) : IpSocketAddress;

    internal sealed record Ipv6(Ipv6SocketAddress Value) : IpSocketAddress;
}

/// <summary><c>shutdown-type</c>.</summary>
internal enum ShutdownType
{
    Receive,
    Send,
    Both,
}

/// <summary><c>incoming-datagram</c>.</summary>
internal sealed record IncomingDatagram(byte[] Data, IpSocketAddress RemoteAddress);

/// <summary><c>outgoing-datagram</c>.</summary>
internal sealed record OutgoingDatagram(byte[] Data, IpSocketAddress? RemoteAddress);

/// <summary>Addresses as guests and as .NET have them.</summary>
internal static class SocketAddresses
{
    internal static IpAddressFamily FamilyOf(Socket socket) => socket.AddressFamily == AddressFamily.InterNetwork ? IpAddressFamily.Ipv4 : IpAddressFamily.Ipv6;

    internal static (byte, byte, byte, byte) Parts4(IPAddress address)
    {
        byte[] bytes = address.GetAddressBytes();
        return (bytes[0], bytes[1], bytes[2], bytes[3]);
    }

    internal static (ushort, ushort, ushort, ushort, ushort, ushort, ushort, ushort) Parts6(IPAddress address)
    {
        byte[] bytes = address.GetAddressBytes();
        ushort At(int index) => (ushort)((bytes[index * 2] << 8) | bytes[(index * 2) + 1]);
        return (At(0), At(1), At(2), At(3), At(4), At(5), At(6), At(7));
    }

    internal static IpSocketAddress Of(EndPoint? point)
    {
        var address = (IPEndPoint)(point ?? throw new NetworkFault(NetworkError.InvalidState));
        return address.AddressFamily == AddressFamily.InterNetwork
            ? new IpSocketAddress.Ipv4(new Ipv4SocketAddress((ushort)address.Port, Parts4(address.Address)))
            : new IpSocketAddress.Ipv6(new Ipv6SocketAddress((ushort)address.Port, 0, Parts6(address.Address), (uint)address.Address.ScopeId));
    }

    /// <summary>An address that a guest gives for a socket.</summary>
    /// <exception cref="NetworkFault">It is of another family, or for more than one receiver.</exception>
    internal static IPEndPoint ToEndPoint(IpSocketAddress given, AddressFamily family)
    {
        IPEndPoint point = given switch
        {
            IpSocketAddress.Ipv4 { Value: var v } => new IPEndPoint(new IPAddress([v.Address.A, v.Address.B, v.Address.C, v.Address.D]), v.Port),
            IpSocketAddress.Ipv6 { Value: var v } => new IPEndPoint(new IPAddress(Bytes(v.Address), v.ScopeId), v.Port),
            _ => throw new NetworkFault(NetworkError.InvalidArgument),
        };
        bool isOne = !point.Address.IsIPv6Multicast && !point.Address.IsIPv4MappedToIPv6 && !point.Address.Equals(IPAddress.Broadcast)
            && !(point.AddressFamily == AddressFamily.InterNetwork && (point.Address.GetAddressBytes()[0] & 0xf0) == 0xe0);
        return isOne && point.AddressFamily == family ? point : throw new NetworkFault(NetworkError.InvalidArgument);
    }

    /// <summary>An address of the host's own that a socket gets.</summary>
    /// <exception cref="NetworkFault">The address is not one of the family, or the guest may not use it.</exception>
    internal static IPEndPoint ToLocal(IpSocketAddress given, AddressFamily family, WasiNetwork granted)
    {
        IPEndPoint point = ToEndPoint(given, family);
        return granted.Bind(point) ? point : throw new NetworkFault(NetworkError.AccessDenied);
    }

    /// <summary>An address to which something is sent.</summary>
    /// <exception cref="NetworkFault">The address is not one of the family, or the guest may not use it.</exception>
    internal static IPEndPoint ToRemote(IpSocketAddress given, AddressFamily family, WasiNetwork granted)
    {
        IPEndPoint point = ToEndPoint(given, family);
        if (point.Port == 0 || point.Address.Equals(IPAddress.Any) || point.Address.Equals(IPAddress.IPv6Any)) throw new NetworkFault(NetworkError.InvalidArgument);
        return granted.Connect(point) ? point : throw new NetworkFault(NetworkError.AccessDenied);
    }

    private static byte[] Bytes((ushort A, ushort B, ushort C, ushort D, ushort E, ushort F, ushort G, ushort H) parts)
    {
        ushort[] all = [parts.A, parts.B, parts.C, parts.D, parts.E, parts.F, parts.G, parts.H];
        return [.. all.SelectMany(p => new[] { (byte)(p >> 8), (byte)p })];
    }
}
