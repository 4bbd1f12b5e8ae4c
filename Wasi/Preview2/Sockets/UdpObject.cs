using System.Net;
using System.Net.Sockets;
using WasmJit.Components;

namespace WasmJit.Wasi.Preview2;

/// <summary>
/// What <c>wasi:sockets/udp</c> calls a udp-socket. One that is connected to a remote address is so here alone: datagrams of others are dropped, and none is sent to others.
/// </summary>
internal sealed class UdpObject : GuestObject
{
    private const int LargestDatagram = 65535;

    private readonly WasiState wasi;
    private readonly Socket socket;
    private byte[]? buffer;
    private Task<SocketReceiveFromResult>? receiving;
    private bool isBinding, isBound;

    internal UdpObject(WasiState wasi, IpAddressFamily family)
    {
        this.wasi = wasi;
        socket = Networks.New(wasi, family, SocketType.Dgram);
        socket.Blocking = false;
    }

    internal Socket Socket => socket;

    internal IPEndPoint? Remote { get; private set; }

    internal IpAddressFamily Family => SocketAddresses.FamilyOf(socket);

    internal void StartBind(IpSocketAddress local)
    {
        if (isBinding) throw new NetworkFault(NetworkError.ConcurrencyConflict);
        if (isBound) throw new NetworkFault(NetworkError.InvalidState);
        socket.Bind(SocketAddresses.ToLocal(local, socket.AddressFamily, Networks.Granted(wasi)));
        isBinding = true;
    }

    internal void FinishBind()
    {
        if (!isBinding) throw new NetworkFault(NetworkError.NotInProgress);
        isBinding = false;
        isBound = true;
    }

    /// <exception cref="TrapException">The streams of an earlier call have not been dropped.</exception>
    internal void Connect(IpSocketAddress? remote)
    {
        if (!isBound) throw new NetworkFault(NetworkError.InvalidState);
        if (HasChildren) throw ComponentTrap.Make("the streams of a udp-socket must be dropped before it has others");
        Remote = remote is null ? null : SocketAddresses.ToRemote(remote, socket.AddressFamily, Networks.Granted(wasi));
    }

    internal IpSocketAddress LocalAddress() => isBound ? SocketAddresses.Of(socket.LocalEndPoint) : throw new NetworkFault(NetworkError.InvalidState);

    internal IpSocketAddress RemoteAddress() => SocketAddresses.Of(Remote);

    // ---- datagrams ----

    /// <summary>The next datagram, which is waited for in the background: a socket cannot tell that there is one without a thread.</summary>
    internal Task<SocketReceiveFromResult> Receiving => receiving ??= socket.ReceiveFromAsync(
        buffer ??= new byte[LargestDatagram], SocketFlags.None,
        new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0));

    /// <summary>A datagram that has come; null if there is none yet.</summary>
    internal IncomingDatagram? Receive()
    {
        while (Receiving.IsCompleted)
        {
            Task<SocketReceiveFromResult> task = Receiving;
            receiving = null;
            SocketReceiveFromResult result = task.GetAwaiter().GetResult();
            if (Remote is null || Remote.Equals(result.RemoteEndPoint))
                return new IncomingDatagram(buffer.AsSpan(0, result.ReceivedBytes).ToArray(), SocketAddresses.Of(result.RemoteEndPoint));
        }
        return null;
    }

    /// <returns>Whether the system has taken it.</returns>
    internal bool Send(OutgoingDatagram datagram)
    {
        IPEndPoint to;
        if (Remote is null)
        {
            to = SocketAddresses.ToRemote(datagram.RemoteAddress ?? throw new NetworkFault(NetworkError.InvalidArgument), socket.AddressFamily, Networks.Granted(wasi));
        }
        else
        {
            to = Remote;
            if (datagram.RemoteAddress is { } other && !SocketAddresses.ToEndPoint(other, socket.AddressFamily).Equals(to)) throw new NetworkFault(NetworkError.InvalidArgument);
        }
        if (datagram.Data.Length > LargestDatagram) throw new NetworkFault(NetworkError.DatagramTooLarge);
        try
        {
            socket.SendTo(datagram.Data, SocketFlags.None, to);
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.WouldBlock)
        {
            return false;
        }
    }

    private protected override void Close()
    {
        socket.Dispose();
        if (receiving is not null) LeftTasks.Leave(receiving);
        wasi.CountClosed();
    }
}

/// <summary>What <c>wasi:sockets/udp</c> calls an incoming-datagram-stream.</summary>
internal sealed class IncomingDatagrams(UdpObject socket) : GuestObject, IReadySource
{
    /// <summary>The most that one call gives.</summary>
    private const int Most = 32, MostBytes = 256 * 1024;

    internal IncomingDatagram[] Receive(ulong most)
    {
        var datagrams = new List<IncomingDatagram>();
        for (int bytes = 0; (ulong)datagrams.Count < Math.Min(most, Most) && bytes < MostBytes;)
        {
            IncomingDatagram? next;
            try
            {
                next = socket.Receive();
            }
            catch (SocketException) when (datagrams.Count > 0)
            {
                // Those before it are there.
                break;
            }
            if (next is null) break;
            datagrams.Add(next);
            bytes += next.Data.Length;
        }
        return [.. datagrams];
    }

    public bool IsReady => socket.Receiving.IsCompleted;

    public Task? Pending => socket.Receiving;
}

/// <summary>What <c>wasi:sockets/udp</c> calls an outgoing-datagram-stream.</summary>
internal sealed class OutgoingDatagrams(UdpObject socket) : GuestObject, IReadySource
{
    private const int Most = 32;

    private int permit;

    internal ulong CheckSend() => (ulong)(permit = IsReady ? Most : 0);

    /// <exception cref="TrapException">They are more than the guest was told it may send.</exception>
    internal ulong Send(OutgoingDatagram[] datagrams)
    {
        if (datagrams.Length > permit) throw ComponentTrap.Make("send of more than check-send has permitted");
        permit = 0;
        ulong sent = 0;
        foreach (OutgoingDatagram each in datagrams)
        {
            try
            {
                if (!socket.Send(each)) break;
            }
            catch (Exception e) when (sent > 0 && Networks.Of(e) is not null)
            {
                // The next call says what is wrong with it.
                break;
            }
            sent++;
        }
        return sent;
    }

    public bool IsReady => socket.Socket.Poll(0, SelectMode.SelectWrite);
}
