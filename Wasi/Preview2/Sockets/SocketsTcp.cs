using WasmJit.Components;

namespace WasmJit.Wasi.Preview2;

/// <summary><c>wasi:sockets/tcp</c>.</summary>
internal static class SocketsTcpInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        ResourceTypes types = state.Types;
        to.Add("input-stream", types.InputStream);
        to.Add("output-stream", types.OutputStream);
        to.Add("pollable", types.Pollable);
        to.Add("network", types.Network);
        to.Add("tcp-socket", types.TcpSocket);
        Add(to, "start-bind", (ComponentResource self, ComponentResource network, IpSocketAddress local) => Networks.Try(() => Tcp(self).StartBind(local)));
        Add(to, "finish-bind", (ComponentResource self) => Networks.Try(() => Tcp(self).FinishBind()));
        Add(to, "start-connect", (ComponentResource self, ComponentResource network, IpSocketAddress remote) => Networks.Try(() => Tcp(self).StartConnect(remote)));
        Add(to, "finish-connect", (ComponentResource self) => Networks.Try(() =>
        {
            Tcp(self).FinishConnect(out InputStream from, out OutputStream into);
            return (types.InputStream.New(from), types.OutputStream.New(into));
        }));
        Add(to, "start-listen", (ComponentResource self) => Networks.Try(() => Tcp(self).StartListen()));
        Add(to, "finish-listen", (ComponentResource self) => Networks.Try(() => Tcp(self).FinishListen()));
        Add(to, "accept", (ComponentResource self) => Networks.Try(() =>
        {
            TcpObject accepted = Tcp(self).Accept(out InputStream from, out OutputStream into);
            return (types.TcpSocket.New(accepted), types.InputStream.New(from), types.OutputStream.New(into));
        }));
        Add(to, "local-address", (ComponentResource self) => Networks.Try(() => Tcp(self).LocalAddress()));
        Add(to, "remote-address", (ComponentResource self) => Networks.Try(() => Tcp(self).RemoteAddress()));
        Add(to, "is-listening", (ComponentResource self) => Tcp(self).IsListening);
        Add(to, "address-family", (ComponentResource self) => Tcp(self).Family);
        Add(to, "set-listen-backlog-size", (ComponentResource self, ulong value) => Networks.Try(() => Tcp(self).SetBacklog(value)));
        Add(to, "subscribe", (ComponentResource self) => IoPollInterface.New(state, Tcp(self), Tcp(self)));
        Add(to, "shutdown", (ComponentResource self, ShutdownType type) => Networks.Try(() => Tcp(self).Shutdown(type)));
        AddOptions(to);
    }

    private static void Add(InterfaceWriter to, string name, Delegate function) => to.Add($"[method]tcp-socket.{name}", function);

    private static TcpObject Tcp(ComponentResource self) => self.Get<TcpObject>();

    private static void AddOptions(InterfaceWriter to)
    {
        Add(to, "keep-alive-enabled", (ComponentResource self) => Networks.Try(() => SocketOptions.IsKeptAlive(Tcp(self).Socket)));
        Add(to, "set-keep-alive-enabled", (ComponentResource self, bool value) => Networks.Try(() => SocketOptions.KeepAlive(Tcp(self).Socket, value)));
        Add(to, "keep-alive-idle-time", (ComponentResource self) => Networks.Try(() => SocketOptions.IdleTime(Tcp(self).Socket)));
        Add(to, "set-keep-alive-idle-time", (ComponentResource self, ulong value) => Networks.Try(() => SocketOptions.SetIdleTime(Tcp(self).Socket, value)));
        Add(to, "keep-alive-interval", (ComponentResource self) => Networks.Try(() => SocketOptions.Interval(Tcp(self).Socket)));
        Add(to, "set-keep-alive-interval", (ComponentResource self, ulong value) => Networks.Try(() => SocketOptions.SetInterval(Tcp(self).Socket, value)));
        Add(to, "keep-alive-count", (ComponentResource self) => Networks.Try(() => SocketOptions.Retries(Tcp(self).Socket)));
        Add(to, "set-keep-alive-count", (ComponentResource self, uint value) => Networks.Try(() => SocketOptions.SetRetries(Tcp(self).Socket, value)));
        Add(to, "hop-limit", (ComponentResource self) => Networks.Try(() => SocketOptions.HopLimit(Tcp(self).Socket)));
        Add(to, "set-hop-limit", (ComponentResource self, byte value) => Networks.Try(() => SocketOptions.SetHopLimit(Tcp(self).Socket, value)));
        Add(to, "receive-buffer-size", (ComponentResource self) => Networks.Try(() => SocketOptions.ReceiveBuffer(Tcp(self).Socket)));
        Add(to, "set-receive-buffer-size", (ComponentResource self, ulong value) => Networks.Try(() => SocketOptions.SetReceiveBuffer(Tcp(self).Socket, value)));
        Add(to, "send-buffer-size", (ComponentResource self) => Networks.Try(() => SocketOptions.SendBuffer(Tcp(self).Socket)));
        Add(to, "set-send-buffer-size", (ComponentResource self, ulong value) => Networks.Try(() => SocketOptions.SetSendBuffer(Tcp(self).Socket, value)));
    }
}

/// <summary><c>wasi:sockets/tcp-create-socket</c>.</summary>
internal static class SocketsTcpCreateInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        to.Add("network", state.Types.Network);
        to.Add("tcp-socket", state.Types.TcpSocket);
        to.Add("create-tcp-socket", (IpAddressFamily family) => Networks.Try(() => state.Types.TcpSocket.New(new TcpObject(state, family))));
    }
}
