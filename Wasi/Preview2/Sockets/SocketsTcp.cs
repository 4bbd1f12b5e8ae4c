using System.Net.Sockets;
using WasmJit.Components;

namespace WasmJit.Wasi.Preview2;

/// <summary><c>wasi:sockets/tcp</c>.</summary>
internal static class SocketsTcpInterface
{
    private const ulong Second = 1_000_000_000;

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

    private static int Option(ComponentResource self, SocketOptionLevel level, SocketOptionName name) => (int)Tcp(self).Socket.GetSocketOption(level, name)!;

    private static void AddOptions(InterfaceWriter to)
    {
        Add(to, "keep-alive-enabled", (ComponentResource self) => Networks.Try(() => Option(self, SocketOptionLevel.Socket, SocketOptionName.KeepAlive) != 0));
        Add(to, "set-keep-alive-enabled", (ComponentResource self, bool value) =>
            Networks.Try(() => Tcp(self).Socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, value)));
        Add(to, "keep-alive-idle-time", (ComponentResource self) => Networks.Try(() => Time(self, SocketOptionName.TcpKeepAliveTime)));
        Add(to, "set-keep-alive-idle-time", (ComponentResource self, ulong value) => Networks.Try(() => SetTime(self, SocketOptionName.TcpKeepAliveTime, value)));
        Add(to, "keep-alive-interval", (ComponentResource self) => Networks.Try(() => Time(self, SocketOptionName.TcpKeepAliveInterval)));
        Add(to, "set-keep-alive-interval", (ComponentResource self, ulong value) => Networks.Try(() => SetTime(self, SocketOptionName.TcpKeepAliveInterval, value)));
        Add(to, "keep-alive-count", (ComponentResource self) => Networks.Try(() => (uint)Option(self, SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount)));
        Add(to, "set-keep-alive-count", (ComponentResource self, uint value) => Networks.Try(() =>
            Tcp(self).Socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Math.Min(Networks.Positive(value), MostRetries))));
        Add(to, "hop-limit", (ComponentResource self) => Networks.Try(() => (byte)Tcp(self).Socket.Ttl));
        Add(to, "set-hop-limit", (ComponentResource self, byte value) => Networks.Try(() => { Tcp(self).Socket.Ttl = (short)Networks.Positive(value); }));
        Add(to, "receive-buffer-size", (ComponentResource self) => Networks.Try(() => (ulong)Tcp(self).Socket.ReceiveBufferSize));
        Add(to, "set-receive-buffer-size", (ComponentResource self, ulong value) => Networks.Try(() => { Tcp(self).Socket.ReceiveBufferSize = Networks.Positive(value); }));
        Add(to, "send-buffer-size", (ComponentResource self) => Networks.Try(() => (ulong)Tcp(self).Socket.SendBufferSize));
        Add(to, "set-send-buffer-size", (ComponentResource self, ulong value) => Networks.Try(() => { Tcp(self).Socket.SendBufferSize = Networks.Positive(value); }));
    }

    /// <summary>What Linux takes at most: tries, and seconds.</summary>
    private const int MostRetries = 127, MostSeconds = 32767;

    private static ulong Time(ComponentResource self, SocketOptionName name) => (ulong)Option(self, SocketOptionLevel.Tcp, name) * Second;

    /// <summary>Times are whole seconds, one at least.</summary>
    private static void SetTime(ComponentResource self, SocketOptionName name, ulong value)
    {
        Networks.Positive(value);
        Tcp(self).Socket.SetSocketOption(SocketOptionLevel.Tcp, name, (int)Math.Clamp(((value - 1) / Second) + 1, 1, MostSeconds));
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
