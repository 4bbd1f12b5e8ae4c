using WasmJit.Components;

namespace WasmJit.Wasi.Preview2;

/// <summary><c>wasi:sockets/udp</c>.</summary>
internal static class SocketsUdpInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        ResourceTypes types = state.Types;
        to.Add("pollable", types.Pollable);
        to.Add("network", types.Network);
        to.Add("udp-socket", types.UdpSocket);
        to.Add("incoming-datagram-stream", types.IncomingDatagramStream);
        to.Add("outgoing-datagram-stream", types.OutgoingDatagramStream);
        Add(to, "start-bind", (ComponentResource self, ComponentResource network, IpSocketAddress local) => Networks.Try(() => Udp(self).StartBind(local)));
        Add(to, "finish-bind", (ComponentResource self) => Networks.Try(() => Udp(self).FinishBind()));
        Add(to, "stream", (ComponentResource self, IpSocketAddress? remote) => Networks.Try(() =>
        {
            UdpObject socket = Udp(self);
            socket.Connect(remote);
            return (types.IncomingDatagramStream.New(socket.Adopt(new IncomingDatagrams(socket))), types.OutgoingDatagramStream.New(socket.Adopt(new OutgoingDatagrams(socket))));
        }));
        Add(to, "local-address", (ComponentResource self) => Networks.Try(() => Udp(self).LocalAddress()));
        Add(to, "remote-address", (ComponentResource self) => Networks.Try(() => Udp(self).RemoteAddress()));
        Add(to, "address-family", (ComponentResource self) => Udp(self).Family);
        Add(to, "unicast-hop-limit", (ComponentResource self) => Networks.Try(() => SocketOptions.HopLimit(Udp(self).Socket)));
        Add(to, "set-unicast-hop-limit", (ComponentResource self, byte value) => Networks.Try(() => SocketOptions.SetHopLimit(Udp(self).Socket, value)));
        Add(to, "receive-buffer-size", (ComponentResource self) => Networks.Try(() => SocketOptions.ReceiveBuffer(Udp(self).Socket)));
        Add(to, "set-receive-buffer-size", (ComponentResource self, ulong value) => Networks.Try(() => SocketOptions.SetReceiveBuffer(Udp(self).Socket, value)));
        Add(to, "send-buffer-size", (ComponentResource self) => Networks.Try(() => SocketOptions.SendBuffer(Udp(self).Socket)));
        Add(to, "set-send-buffer-size", (ComponentResource self, ulong value) => Networks.Try(() => SocketOptions.SetSendBuffer(Udp(self).Socket, value)));
        // Binding is done at once.
        Add(to, "subscribe", (ComponentResource self) => IoPollInterface.New(state, new TaskSource(Task.CompletedTask), Udp(self)));
        to.Add("[method]incoming-datagram-stream.receive", (ComponentResource self, ulong most) => Networks.Try(() => self.Get<IncomingDatagrams>().Receive(most)));
        to.Add("[method]incoming-datagram-stream.subscribe", (ComponentResource self) => IoPollInterface.New(state, self.Get<IncomingDatagrams>(), self.Get<IncomingDatagrams>()));
        to.Add("[method]outgoing-datagram-stream.check-send", (ComponentResource self) => Networks.Try(() => self.Get<OutgoingDatagrams>().CheckSend()));
        to.Add("[method]outgoing-datagram-stream.send", (ComponentResource self, OutgoingDatagram[] datagrams) => Networks.Try(() => self.Get<OutgoingDatagrams>().Send(datagrams)));
        to.Add("[method]outgoing-datagram-stream.subscribe", (ComponentResource self) => IoPollInterface.New(state, self.Get<OutgoingDatagrams>(), self.Get<OutgoingDatagrams>()));
    }

    private static void Add(InterfaceWriter to, string name, Delegate function) => to.Add($"[method]udp-socket.{name}", function);

    private static UdpObject Udp(ComponentResource self) => self.Get<UdpObject>();
}

/// <summary><c>wasi:sockets/udp-create-socket</c>.</summary>
internal static class SocketsUdpCreateInterface
{
    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        to.Add("network", state.Types.Network);
        to.Add("udp-socket", state.Types.UdpSocket);
        to.Add("create-udp-socket", (IpAddressFamily family) => Networks.Try(() => state.Types.UdpSocket.New(new UdpObject(state, family))));
    }
}
