using System.Buffers;
using System.Net;
using System.Net.Sockets;
using WasmJit.Wasi.Preview2;

namespace WasmJit.Wasi.Preview3;

/// <summary>
/// What <c>wasi:sockets/types</c> calls a udp-socket. One that is connected to a remote address is so here alone: datagrams of others are dropped, and none is sent to others.
/// </summary>
internal sealed class UdpSocketObject : GuestObject
{
    private const int LargestDatagram = 65535;

    private readonly WasiState wasi;

    /// <summary>One at a time has a buffer of a datagram's size; a guest may begin a hundred thousand.</summary>
    private readonly SemaphoreSlim receiving = new(1);
    private bool isBound;

    /// <summary>Whether the guest has been given the address that the socket has. Otherwise the system has chosen one for what the guest sends, and only those whom it may send to can answer.</summary>
    private bool isAddressGiven;
    private IPEndPoint? remote;

    internal UdpSocketObject(WasiState wasi, IpAddressFamily family)
    {
        this.wasi = wasi;
        Socket = Networks.New(wasi, family, SocketType.Dgram);
    }

    internal Socket Socket { get; }

    internal IpAddressFamily Family => SocketAddresses.FamilyOf(Socket);

    internal void Bind(IpSocketAddress local)
    {
        if (isBound) throw new NetworkFault(Preview2.NetworkError.InvalidState);
        Socket.Bind(SocketAddresses.ToLocal(local, Socket.AddressFamily, Networks.Granted(wasi)));
        isBound = isAddressGiven = true;
    }

    internal void Connect(IpSocketAddress to)
    {
        IPEndPoint point = SocketAddresses.ToRemote(to, Socket.AddressFamily, Networks.Granted(wasi));
        if (!isBound)
        {
            // The address from which the system would send.
            using var probe = new Socket(Socket.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            probe.Connect(point);
            Socket.Bind(new IPEndPoint(((IPEndPoint)probe.LocalEndPoint!).Address, 0));
            isBound = true;
        }
        remote = point;
    }

    internal void Disconnect()
    {
        if (remote is null) throw new NetworkFault(Preview2.NetworkError.InvalidState);
        remote = null;
    }

    internal async Task SendAsync(byte[] data, IpSocketAddress? to)
    {
        IPEndPoint point;
        if (remote is null)
        {
            point = SocketAddresses.ToRemote(to ?? throw new NetworkFault(Preview2.NetworkError.InvalidArgument), Socket.AddressFamily, Networks.Granted(wasi));
        }
        else
        {
            point = remote;
            if (to is not null && !SocketAddresses.ToEndPoint(to, Socket.AddressFamily).Equals(point)) throw new NetworkFault(Preview2.NetworkError.InvalidArgument);
        }
        if (data.Length > LargestDatagram) throw new NetworkFault(Preview2.NetworkError.DatagramTooLarge);
        isBound = true;
        await Socket.SendToAsync(data, SocketFlags.None, point).ConfigureAwait(false);
    }

    internal async Task<(byte[], IpSocketAddress)> ReceiveAsync()
    {
        if (!isBound) throw new NetworkFault(Preview2.NetworkError.InvalidState);
        await receiving.WaitAsync().ConfigureAwait(false);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(LargestDatagram);
        try
        {
            var any = new IPEndPoint(Socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
            while (true)
            {
                SocketReceiveFromResult received = await Socket.ReceiveFromAsync(buffer, SocketFlags.None, any).ConfigureAwait(false);
                if (MayReceive((IPEndPoint)received.RemoteEndPoint)) return (buffer.AsSpan(0, received.ReceivedBytes).ToArray(), SocketAddresses.Of(received.RemoteEndPoint));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            receiving.Release();
        }
    }

    private bool MayReceive(IPEndPoint from) => remote is not null ? remote.Equals(from) : isAddressGiven || Networks.Granted(wasi).Connect(from);

    internal IpSocketAddress LocalAddress() => isBound ? SocketAddresses.Of(Socket.LocalEndPoint) : throw new NetworkFault(Preview2.NetworkError.InvalidState);

    internal IpSocketAddress RemoteAddress() => SocketAddresses.Of(remote);

    private protected override void Close()
    {
        Socket.Dispose();
        wasi.CountClosed();
    }
}
