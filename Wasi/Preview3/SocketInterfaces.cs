using System.Net;
using System.Net.Sockets;
using WasmJit.Components;
using WasmJit.Wasi.Preview2;

namespace WasmJit.Wasi.Preview3;

/// <summary><c>wasi:sockets/types</c>.</summary>
internal static class SocketsTypesInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        ResourceTypes types = state.Types;
        to.Add("tcp-socket", types.TcpSocketLater);
        to.Add("udp-socket", types.UdpSocketLater);
        to.Add("[static]tcp-socket.create", (IpAddressFamily family) => Try(() => types.TcpSocketLater.New(new TcpSocketObject(state, family))));
        to.Add("[static]udp-socket.create", (IpAddressFamily family) => Try(() => types.UdpSocketLater.New(new UdpSocketObject(state, family))));
        AddTcp(to);
        AddTcpOptions(to);
        AddUdp(to);
    }

    private static ComponentResult<T, NetworkError> Try<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (NetworkError.Code(e, out NetworkError? error))
        {
            return ComponentResult<T, NetworkError>.Fail(error);
        }
    }

    private static ComponentResult<NoValue, NetworkError> Try(Action action) => Try(() =>
    {
        action();
        return default(NoValue);
    });

    private static async Task<ComponentResult<T, NetworkError>> TryAsync<T>(Func<Task<T>> action)
    {
        try
        {
            return await action().ConfigureAwait(false);
        }
        catch (Exception e) when (NetworkError.Code(e, out NetworkError? error))
        {
            return ComponentResult<T, NetworkError>.Fail(error);
        }
    }

    private static Task<ComponentResult<NoValue, NetworkError>> TryAsync(Func<Task> action) => TryAsync(async () =>
    {
        await action().ConfigureAwait(false);
        return default(NoValue);
    });

    private static TcpSocketObject Tcp(ComponentResource self) => self.Get<TcpSocketObject>();

    private static UdpSocketObject Udp(ComponentResource self) => self.Get<UdpSocketObject>();

    private static void AddTcp(InterfaceWriter to)
    {
        void Add(string name, Delegate function) => to.Add($"[method]tcp-socket.{name}", function);
        Add("bind", (ComponentResource self, IpSocketAddress local) => Try(() => Tcp(self).Bind(local)));
        Add("connect", (ComponentResource self, IpSocketAddress remote) => Connect(Tcp(self), remote));
        Add("listen", (ComponentResource self) => Try(() => Tcp(self).Listen()));
        Add("send", (ComponentResource self, Stream data) => Tcp(self).SendAsync(data));
        Add("receive", (ComponentResource self) => Tcp(self).Receive());
        Add("get-local-address", (ComponentResource self) => Try(() => Tcp(self).LocalAddress()));
        Add("get-remote-address", (ComponentResource self) => Try(() => Tcp(self).RemoteAddress()));
        Add("get-is-listening", (ComponentResource self) => Tcp(self).IsListening);
        Add("get-address-family", (ComponentResource self) => Tcp(self).Family);
        Add("set-listen-backlog-size", (ComponentResource self, ulong value) => Try(() => Tcp(self).SetBacklog(value)));
    }

    /// <summary>The socket is borrowed for the call, and may be dropped when that has ended.</summary>
    private static Task<ComponentResult<NoValue, NetworkError>> Connect(TcpSocketObject socket, IpSocketAddress remote) => TryAsync(() => socket.ConnectAsync(remote));

    private static void AddTcpOptions(InterfaceWriter to)
    {
        void Add(string name, Delegate getter, Delegate setter)
        {
            to.Add($"[method]tcp-socket.get-{name}", getter);
            to.Add($"[method]tcp-socket.set-{name}", setter);
        }

        static Socket Of(ComponentResource self) => Tcp(self).Socket;
        Add("keep-alive-enabled", (ComponentResource self) => Try(() => SocketOptions.IsKeptAlive(Of(self))), (ComponentResource self, bool value) => Try(() => SocketOptions.KeepAlive(Of(self), value)));
        Add("keep-alive-idle-time", (ComponentResource self) => Try(() => SocketOptions.IdleTime(Of(self))), (ComponentResource self, ulong value) => Try(() => SocketOptions.SetIdleTime(Of(self), value)));
        Add("keep-alive-interval", (ComponentResource self) => Try(() => SocketOptions.Interval(Of(self))), (ComponentResource self, ulong value) => Try(() => SocketOptions.SetInterval(Of(self), value)));
        Add("keep-alive-count", (ComponentResource self) => Try(() => SocketOptions.Retries(Of(self))), (ComponentResource self, uint value) => Try(() => SocketOptions.SetRetries(Of(self), value)));
        Add("hop-limit", (ComponentResource self) => Try(() => SocketOptions.HopLimit(Of(self))), (ComponentResource self, byte value) => Try(() => SocketOptions.SetHopLimit(Of(self), value)));
        Add("receive-buffer-size", (ComponentResource self) => Try(() => SocketOptions.ReceiveBuffer(Of(self))), (ComponentResource self, ulong value) => Try(() => SocketOptions.SetReceiveBuffer(Of(self), value)));
        Add("send-buffer-size", (ComponentResource self) => Try(() => SocketOptions.SendBuffer(Of(self))), (ComponentResource self, ulong value) => Try(() => SocketOptions.SetSendBuffer(Of(self), value)));
    }

    private static void AddUdp(InterfaceWriter to)
    {
        void Add(string name, Delegate function) => to.Add($"[method]udp-socket.{name}", function);
        static Socket Of(ComponentResource self) => Udp(self).Socket;
        Add("bind", (ComponentResource self, IpSocketAddress local) => Try(() => Udp(self).Bind(local)));
        Add("connect", (ComponentResource self, IpSocketAddress remote) => Try(() => Udp(self).Connect(remote)));
        Add("disconnect", (ComponentResource self) => Try(() => Udp(self).Disconnect()));
        Add("send", (ComponentResource self, byte[] data, IpSocketAddress? remote) => Send(Udp(self), data, remote));
        Add("receive", (ComponentResource self) => Receive(Udp(self)));
        Add("get-local-address", (ComponentResource self) => Try(() => Udp(self).LocalAddress()));
        Add("get-remote-address", (ComponentResource self) => Try(() => Udp(self).RemoteAddress()));
        Add("get-address-family", (ComponentResource self) => Udp(self).Family);
        Add("get-unicast-hop-limit", (ComponentResource self) => Try(() => SocketOptions.HopLimit(Of(self))));
        Add("set-unicast-hop-limit", (ComponentResource self, byte value) => Try(() => SocketOptions.SetHopLimit(Of(self), value)));
        Add("get-receive-buffer-size", (ComponentResource self) => Try(() => SocketOptions.ReceiveBuffer(Of(self))));
        Add("set-receive-buffer-size", (ComponentResource self, ulong value) => Try(() => SocketOptions.SetReceiveBuffer(Of(self), value)));
        Add("get-send-buffer-size", (ComponentResource self) => Try(() => SocketOptions.SendBuffer(Of(self))));
        Add("set-send-buffer-size", (ComponentResource self, ulong value) => Try(() => SocketOptions.SetSendBuffer(Of(self), value)));
    }

    private static Task<ComponentResult<NoValue, NetworkError>> Send(UdpSocketObject socket, byte[] data, IpSocketAddress? remote) => TryAsync(() => socket.SendAsync(data, remote));

    private static Task<ComponentResult<(byte[], IpSocketAddress), NetworkError>> Receive(UdpSocketObject socket) => TryAsync(socket.ReceiveAsync);
}

/// <summary><c>wasi:sockets/ip-name-lookup</c>.</summary>
internal static class SocketsLookupInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state) => to.Add("resolve-addresses", (string name) => ResolveAsync(state, name));

    private static async Task<ComponentResult<IpAddress[], LookupError>> ResolveAsync(WasiState state, string name)
    {
        try
        {
            if (Networks.CheckName(state, name) is { } address) return new[] { IpAddress.Of(address) };
            // Each holds a thread of the process while the system is asked.
            state.CountOpened();
            try
            {
                return (await Dns.GetHostAddressesAsync(name, state.Options.Cancellation).ConfigureAwait(false)).Select(IpAddress.Of).ToArray();
            }
            finally
            {
                state.CountClosed();
            }
        }
        catch (Exception e) when (Networks.Of(e) is { } error)
        {
            return ComponentResult<IpAddress[], LookupError>.Fail(LookupError.Of(error));
        }
    }
}
