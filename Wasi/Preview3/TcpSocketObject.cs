using System.Net;
using System.Net.Sockets;
using WasmJit.Components;
using WasmJit.Wasi.Preview2;

namespace WasmJit.Wasi.Preview3;

/// <summary>What <c>wasi:sockets/types</c> calls a tcp-socket.</summary>
internal sealed class TcpSocketObject : GuestObject
{
    private enum State
    {
        Unbound,
        Bound,
        Connecting,
        Connected,
        Listening,
        Closed,
    }

    private readonly WasiState wasi;
    private State state;
    private int backlog = 128;
    private bool isSending, isReceiving;

    internal TcpSocketObject(WasiState wasi, IpAddressFamily family)
        : this(wasi, Networks.New(wasi, family, SocketType.Stream), State.Unbound)
    {
    }

    private TcpSocketObject(WasiState wasi, Socket socket, State state)
    {
        this.wasi = wasi;
        Socket = socket;
        this.state = state;
    }

    internal Socket Socket { get; }

    internal bool IsListening => state == State.Listening;

    internal IpAddressFamily Family => SocketAddresses.FamilyOf(Socket);

    private void Require(params ReadOnlySpan<State> allowed)
    {
        if (!allowed.Contains(state)) throw new NetworkFault(Preview2.NetworkError.InvalidState);
    }

    internal void Bind(IpSocketAddress local)
    {
        Require(State.Unbound);
        Bind(SocketAddresses.ToEndPoint(local, Socket.AddressFamily));
    }

    private void Bind(IPEndPoint point)
    {
        if (!Networks.Granted(wasi).Bind(point)) throw new NetworkFault(Preview2.NetworkError.AccessDenied);
        Socket.Bind(point);
        state = State.Bound;
    }

    internal async Task ConnectAsync(IpSocketAddress remote)
    {
        Require(State.Unbound, State.Bound);
        IPEndPoint point = SocketAddresses.ToRemote(remote, Socket.AddressFamily, Networks.Granted(wasi));
        state = State.Connecting;
        try
        {
            await Socket.ConnectAsync(point).ConfigureAwait(false);
            state = State.Connected;
        }
        catch
        {
            state = State.Closed;
            throw;
        }
    }

    /// <summary>Begins to listen; the connections come one after the other.</summary>
    internal IAsyncEnumerable<ComponentResource> Listen()
    {
        Require(State.Unbound, State.Bound);
        if (state == State.Unbound) Bind(new IPEndPoint(Socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0));
        Socket.Listen(backlog);
        state = State.Listening;
        return AcceptAsync();
    }

    private async IAsyncEnumerable<ComponentResource> AcceptAsync()
    {
        while (true)
        {
            Socket accepted;
            try
            {
                accepted = await Socket.AcceptAsync().ConfigureAwait(false);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                yield break;
            }
            try
            {
                wasi.CountOpened();
            }
            catch (WasiError)
            {
                // The guest may have no more: this one is not for it.
                accepted.Dispose();
                continue;
            }
            yield return wasi.Types.TcpSocketLater.New(new TcpSocketObject(wasi, accepted, State.Connected));
        }
    }

    internal void SetBacklog(ulong size)
    {
        backlog = Networks.Positive(size);
        if (state == State.Listening) Socket.Listen(backlog);
        else Require(State.Unbound, State.Bound);
    }

    /// <summary>Sends a stream; its end is the end of what is sent.</summary>
    internal async Task<ComponentResult<NoValue, NetworkError>> SendAsync(Stream data)
    {
        await using (data.ConfigureAwait(false))
        {
            try
            {
                Require(State.Connected);
                if (isSending) throw new NetworkFault(Preview2.NetworkError.InvalidState);
                isSending = true;
                byte[] buffer = new byte[16 * 1024];
                while (await data.ReadAsync(buffer).ConfigureAwait(false) is > 0 and var count)
                    for (int at = 0; at < count;) at += await Socket.SendAsync(buffer.AsMemory(at, count - at)).ConfigureAwait(false);
                Socket.Shutdown(SocketShutdown.Send);
                return default(NoValue);
            }
            catch (Exception e) when (NetworkError.Code(e, out NetworkError? error))
            {
                return ComponentResult<NoValue, NetworkError>.Fail(error);
            }
        }
    }

    internal (Stream, Task<ComponentResult<NoValue, NetworkError>>) Receive()
    {
        if (state != State.Connected || isReceiving)
            return (Stream.Null, Task.FromResult(ComponentResult<NoValue, NetworkError>.Fail(new NetworkError.InvalidState())));
        isReceiving = true;
        var stream = new ReceivedStream(Socket);
        return (stream, stream.Outcome);
    }

    internal IpSocketAddress LocalAddress()
    {
        Require(State.Bound, State.Connecting, State.Connected, State.Listening);
        return SocketAddresses.Of(Socket.LocalEndPoint);
    }

    internal IpSocketAddress RemoteAddress()
    {
        Require(State.Connected);
        return SocketAddresses.Of(Socket.RemoteEndPoint);
    }

    private protected override void Close()
    {
        Socket.Dispose();
        wasi.CountClosed();
    }

    /// <summary>What a connection receives. The system is told when no more is wanted.</summary>
    private sealed class ReceivedStream(Socket socket) : AsyncReadStream
    {
        private readonly TaskCompletionSource<ComponentResult<NoValue, NetworkError>> outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task<ComponentResult<NoValue, NetworkError>> Outcome => outcome.Task;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (outcome.Task.IsCompleted) return 0;
            try
            {
                int count = await socket.ReceiveAsync(buffer, cancellationToken).ConfigureAwait(false);
                if (count == 0) outcome.TrySetResult(default(NoValue));
                return count;
            }
            catch (Exception e) when (NetworkError.Code(e, out NetworkError? error))
            {
                outcome.TrySetResult(ComponentResult<NoValue, NetworkError>.Fail(error));
                return 0;
            }
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing && outcome.TrySetResult(default(NoValue)))
            {
                try
                {
                    socket.Shutdown(SocketShutdown.Receive);
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException)
                {
                    // The connection has ended.
                }
            }
            base.Dispose(disposing);
        }
    }
}
