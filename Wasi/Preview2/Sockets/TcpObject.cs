using System.Net;
using System.Net.Sockets;
using WasmJit.Components;

namespace WasmJit.Wasi.Preview2;

/// <summary>What <c>wasi:sockets/tcp</c> calls a tcp-socket. Nothing waits: what takes time is a task, and a second call fetches its result.</summary>
internal sealed class TcpObject : GuestObject, IReadySource
{
    /// <summary>How long a connection that the guest has dropped may take to send what was written.</summary>
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(10);

    private enum State
    {
        Unbound,
        Binding,
        Bound,
        Connecting,
        StartingToListen,
        Listening,
        Connected,
        Closed,
    }

    private readonly WasiState wasi;
    private readonly Socket socket;
    private State state;
    private int backlog = 128;
    private Task? connecting;
    private Task<Socket>? accepting;
    private OutputDescriptor? output;
    private DescriptorInput? input;

    internal TcpObject(WasiState wasi, IpAddressFamily family)
        : this(wasi, Networks.New(wasi, family, SocketType.Stream), State.Unbound)
    {
    }

    private TcpObject(WasiState wasi, Socket socket, State state)
    {
        this.wasi = wasi;
        this.socket = socket;
        this.state = state;
    }

    internal Socket Socket => socket;

    internal bool IsListening => state == State.Listening;

    internal IpAddressFamily Family => SocketAddresses.FamilyOf(socket);

    private void Require(params ReadOnlySpan<State> allowed)
    {
        if (allowed.Contains(state)) return;
        throw new NetworkFault(state is State.Binding or State.Connecting or State.StartingToListen ? NetworkError.ConcurrencyConflict : NetworkError.InvalidState);
    }

    private void Finish(State before, State after)
    {
        if (state != before) throw new NetworkFault(NetworkError.NotInProgress);
        state = after;
    }

    // ---- binding, listening ----

    internal void StartBind(IpSocketAddress local)
    {
        Require(State.Unbound);
        socket.Bind(SocketAddresses.ToLocal(local, socket.AddressFamily, Networks.Granted(wasi)));
        state = State.Binding;
    }

    internal void FinishBind() => Finish(State.Binding, State.Bound);

    internal void StartListen()
    {
        Require(State.Bound);
        socket.Listen(backlog);
        state = State.StartingToListen;
    }

    internal void FinishListen() => Finish(State.StartingToListen, State.Listening);

    internal void SetBacklog(ulong size)
    {
        backlog = Networks.Positive(size);
        if (state == State.Listening) socket.Listen(backlog);
        else Require(State.Unbound, State.Bound);
    }

    internal TcpObject Accept(out InputStream from, out OutputStream to)
    {
        Require(State.Listening);
        Task<Socket> task = accepting ??= socket.AcceptAsync();
        if (!task.IsCompleted) throw new NetworkFault(NetworkError.WouldBlock);
        wasi.CountOpened();
        try
        {
            accepting = null;
            var accepted = new TcpObject(wasi, task.GetAwaiter().GetResult(), State.Connected);
            accepted.MakeStreams(out from, out to);
            return accepted;
        }
        catch
        {
            wasi.CountClosed();
            throw;
        }
    }

    // ---- connecting ----

    internal void StartConnect(IpSocketAddress remote)
    {
        Require(State.Unbound, State.Bound);
        IPEndPoint point = SocketAddresses.ToRemote(remote, socket.AddressFamily, Networks.Granted(wasi));
        connecting = socket.ConnectAsync(point);
        state = State.Connecting;
    }

    internal void FinishConnect(out InputStream from, out OutputStream to)
    {
        if (state != State.Connecting) throw new NetworkFault(NetworkError.NotInProgress);
        if (!connecting!.IsCompleted) throw new NetworkFault(NetworkError.WouldBlock);
        state = State.Closed;
        connecting.GetAwaiter().GetResult();
        state = State.Connected;
        MakeStreams(out from, out to);
    }

    private void MakeStreams(out InputStream from, out OutputStream to)
    {
        var reader = new InputDescriptor(new NetworkStream(socket, ownsSocket: false));
        reader.SetFlags(FdFlags.Nonblock);
        output = new OutputDescriptor(new NetworkStream(socket, ownsSocket: false), flushes: false);
        output.SetFlags(FdFlags.Nonblock);
        from = input = Adopt(new DescriptorInput(reader, wasi.Waiter, null));
        to = Adopt(new DescriptorOutput(new OutputSink(output, wasi.Waiter), null));
    }

    internal void Shutdown(ShutdownType type)
    {
        Require(State.Connected);
        if (type != ShutdownType.Send) input!.IsClosed = true;
        SocketShutdown how = type switch { ShutdownType.Receive => SocketShutdown.Receive, ShutdownType.Send => SocketShutdown.Send, _ => SocketShutdown.Both };
        if (type == ShutdownType.Receive || output!.Pending is not { } pending)
        {
            socket.Shutdown(how);
            return;
        }
        // What was written is sent first.
        _ = pending.ContinueWith(
            _ =>
            {
                try
                {
                    socket.Shutdown(how);
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException)
                {
                    // The connection has ended meanwhile.
                }
            },
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    // ---- what is asked ----

    internal IpSocketAddress LocalAddress()
    {
        Require(State.Bound, State.Listening, State.Connected, State.Connecting, State.StartingToListen);
        return SocketAddresses.Of(socket.LocalEndPoint);
    }

    internal IpSocketAddress RemoteAddress()
    {
        Require(State.Connected);
        return SocketAddresses.Of(socket.RemoteEndPoint);
    }

    public bool IsReady => Pending is not { IsCompleted: false };

    public Task? Pending => state switch
    {
        State.Connecting => connecting,
        State.Listening => accepting ??= socket.AcceptAsync(),
        _ => null,
    };

    private protected override void Close()
    {
        if (output?.Pending is { } pending) _ = EndAsync(pending);
        else End();
    }

    private async Task EndAsync(Task pending)
    {
        await Task.WhenAny(pending, Task.Delay(Linger)).ConfigureAwait(false);
        End();
    }

    private void End()
    {
        socket.Dispose();
        // Connections that have not been accepted.
        if (accepting is not null) LeftValues.DiscardResult(accepting);
        if (connecting is not null) LeftTasks.Leave(connecting);
        wasi.CountClosed();
    }
}
