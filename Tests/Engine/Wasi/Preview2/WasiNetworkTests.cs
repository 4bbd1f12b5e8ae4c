using System.Net;
using System.Net.Sockets;
using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests;

/// <summary><c>wasi:sockets</c>: only what is granted, and no function but those of pollables and streams waits.</summary>
public sealed class WasiNetworkTests
{
    private const string Tcp = "sockets/tcp#[method]tcp-socket.", Udp = "sockets/udp#[method]udp-socket.", Block = "io/poll#[method]pollable.block";

    private static readonly WasiNetwork Loopback = new() { Connect = p => IPAddress.IsLoopback(p.Address), Bind = p => IPAddress.IsLoopback(p.Address), LookUp = n => n == "localhost" };

    private static WasiComponentGuest Guest(WasiNetwork? network, int most = 1024) => new(new WasiOptions { Network = network, MaximumDescriptors = most, Input = Stream.Null });

    private static ComponentValue Address(IPEndPoint point)
    {
        byte[] b = point.Address.GetAddressBytes();
        if (b.Length == 4)
        {
            return ComponentValue.Variant("ipv4", ComponentValue.Record(
                ("port", ComponentValue.From((ushort)point.Port)), ("address", ComponentValue.Tuple(b.Select(ComponentValue.From)))));
        }
        return ComponentValue.Variant("ipv6", ComponentValue.Record(
            ("port", ComponentValue.From((ushort)point.Port)), ("flow-info", ComponentValue.From(0u)),
            ("address", ComponentValue.Tuple(Enumerable.Range(0, 8).Select(i => ComponentValue.From((ushort)((b[i * 2] << 8) | b[(i * 2) + 1]))))), ("scope-id", ComponentValue.From(0u))));
    }

    private static ComponentValue Local(bool v6 = false) => Address(new IPEndPoint(v6 ? IPAddress.IPv6Loopback : IPAddress.Loopback, 0));

    private static int Port(ComponentValue address) => address.Payload["port"].AsU16();

    private static ComponentResource NewTcp(WasiComponentGuest guest, bool v6 = false) =>
        guest.Ok("sockets/tcp-create-socket#create-tcp-socket", ComponentValue.Enum(v6 ? "ipv6" : "ipv4")).AsResource();

    private static ComponentResource NewUdp(WasiComponentGuest guest) => guest.Ok("sockets/udp-create-socket#create-udp-socket", ComponentValue.Enum("ipv4")).AsResource();

    private static ComponentResource Network(WasiComponentGuest guest) => guest.Resource("sockets/instance-network#instance-network");

    private static void Wait(WasiComponentGuest guest, string subscribe, ComponentResource source)
    {
        using ComponentResource pollable = guest.Resource(subscribe, source);
        guest.Call(Block, pollable);
    }

    private static ComponentResource Listen(WasiComponentGuest guest, bool v6, out IPEndPoint at)
    {
        ComponentResource listener = NewTcp(guest, v6);
        using ComponentResource network = Network(guest);
        guest.Ok(Tcp + "start-bind", listener, network, Local(v6));
        guest.Ok(Tcp + "finish-bind", listener);
        guest.Ok(Tcp + "start-listen", listener);
        guest.Ok(Tcp + "finish-listen", listener);
        at = new IPEndPoint(v6 ? IPAddress.IPv6Loopback : IPAddress.Loopback, Port(guest.Ok(Tcp + "local-address", listener)));
        return listener;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AGuestListens(bool v6)
    {
        if (v6 && !Socket.OSSupportsIPv6) return;
        using WasiComponentGuest guest = Guest(Loopback);
        ComponentResource listener = Listen(guest, v6, out IPEndPoint at);
        Assert.True(guest.Call(Tcp + "is-listening", listener).AsBool());
        Assert.Equal(v6 ? "ipv6" : "ipv4", guest.Call(Tcp + "address-family", listener).CaseName);
        Assert.Equal("would-block", guest.Fails(Tcp + "accept", listener));
        using var client = new TcpClient(at.AddressFamily);
        client.Connect(at);
        Wait(guest, Tcp + "subscribe", listener);
        ComponentValue accepted = guest.Ok(Tcp + "accept", listener);
        ComponentResource socket = accepted.Items[0].AsResource(), from = accepted.Items[1].AsResource(), to = accepted.Items[2].AsResource();
        Assert.Equal(((IPEndPoint)client.Client.LocalEndPoint!).Port, Port(guest.Ok(Tcp + "remote-address", socket)));
        client.GetStream().Write("ping"u8);
        Assert.Equal("ping", WasiComponentGuest.Text(guest.Ok("io/streams#[method]input-stream.blocking-read", from, 100)));
        guest.Ok("io/streams#[method]output-stream.blocking-write-and-flush", to, "pong"u8.ToArray());
        byte[] answer = new byte[4];
        client.GetStream().ReadExactly(answer);
        Assert.Equal("pong"u8, answer);
        guest.Ok(Tcp + "shutdown", socket, ComponentValue.Enum("send"));
        Assert.Equal(0, client.GetStream().Read(answer));
        client.Client.Shutdown(SocketShutdown.Send);
        Assert.Equal("closed", guest.Fails("io/streams#[method]input-stream.blocking-read", from, 100));
        from.Dispose();
        to.Dispose();
        socket.Dispose();
        listener.Dispose();
    }

    [Fact]
    public async Task AGuestConnects()
    {
        using WasiComponentGuest guest = Guest(Loopback);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        ComponentResource socket = NewTcp(guest), network = Network(guest);
        Assert.Equal("not-in-progress", guest.Fails(Tcp + "finish-connect", socket));
        guest.Ok(Tcp + "start-connect", socket, network, Address((IPEndPoint)listener.LocalEndpoint));
        Assert.Equal("concurrency-conflict", guest.Fails(Tcp + "start-connect", socket, network, Address((IPEndPoint)listener.LocalEndpoint)));
        Wait(guest, Tcp + "subscribe", socket);
        ComponentValue streams = guest.Ok(Tcp + "finish-connect", socket);
        using Socket server = listener.AcceptSocket();
        Assert.Equal(((IPEndPoint)server.RemoteEndPoint!).Port, Port(guest.Ok(Tcp + "local-address", socket)));
        byte[] piece = new byte[4096];
        Task<long> reading = Task.Run(() =>
        {
            using var stream = new NetworkStream(server);
            using var all = new MemoryStream();
            stream.CopyTo(all);
            return all.Length;
        });
        for (int i = 0; i < 200; i++) guest.Ok("io/streams#[method]output-stream.blocking-write-and-flush", streams.Items[1].AsResource(), piece);
        // What was written is sent although everything is dropped at once.
        guest.Ok("io/streams#[method]output-stream.check-write", streams.Items[1].AsResource());
        guest.Ok("io/streams#[method]output-stream.write", streams.Items[1].AsResource(), new byte[60_000]);
        streams.Items[0].AsResource().Dispose();
        streams.Items[1].AsResource().Dispose();
        socket.Dispose();
        Assert.Equal((200L * 4096) + 60_000, await reading.WaitAsync(Eventually.Patience));
    }

    [LinuxFact]
    public void ARefusedConnectionSaysSo()
    {
        using WasiComponentGuest guest = Guest(Loopback);
        using var deaf = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        deaf.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        ComponentResource socket = NewTcp(guest), network = Network(guest);
        guest.Ok(Tcp + "start-connect", socket, network, Address((IPEndPoint)deaf.LocalEndPoint!));
        Wait(guest, Tcp + "subscribe", socket);
        Assert.Equal("connection-refused", guest.Fails(Tcp + "finish-connect", socket));
        Assert.Equal("invalid-state", guest.Fails(Tcp + "start-connect", socket, network, Address((IPEndPoint)deaf.LocalEndPoint!)));
    }

    [Fact]
    public void NothingIsThereThatIsNotGranted()
    {
        using (WasiComponentGuest guest = Guest(null))
        {
            using ComponentResource network = Network(guest);
            Assert.Equal("access-denied", guest.Fails("sockets/tcp-create-socket#create-tcp-socket", ComponentValue.Enum("ipv4")));
            Assert.Equal("access-denied", guest.Fails("sockets/udp-create-socket#create-udp-socket", ComponentValue.Enum("ipv4")));
            Assert.Equal("access-denied", guest.Fails("sockets/ip-name-lookup#resolve-addresses", network, "localhost"));
        }
        using (WasiComponentGuest guest = Guest(new WasiNetwork { Connect = p => p.Port == 1 }))
        {
            using ComponentResource network = Network(guest), tcp = NewTcp(guest), udp = NewUdp(guest);
            Assert.Equal("access-denied", guest.Fails(Tcp + "start-bind", tcp, network, Local()));
            Assert.Equal("access-denied", guest.Fails(Udp + "start-bind", udp, network, Local()));
            Assert.Equal("access-denied", guest.Fails(Tcp + "start-connect", tcp, network, Address(new IPEndPoint(IPAddress.Loopback, 2))));
            Assert.Equal("access-denied", guest.Fails("sockets/ip-name-lookup#resolve-addresses", network, "example.org"));
        }
    }

    [Fact]
    public void AddressesThatMeanNoOtherEndAreInvalid()
    {
        using WasiComponentGuest guest = Guest(WasiNetwork.Everything);
        using ComponentResource network = Network(guest), tcp = NewTcp(guest);
        foreach (IPEndPoint point in new[]
        {
            new IPEndPoint(IPAddress.Any, 80), new IPEndPoint(IPAddress.Loopback, 0), new IPEndPoint(IPAddress.Broadcast, 80), new IPEndPoint(IPAddress.Parse("224.0.0.1"), 80),
            new IPEndPoint(IPAddress.IPv6Loopback, 80), new IPEndPoint(IPAddress.Loopback.MapToIPv6(), 80),
        })
            Assert.Equal("invalid-argument", guest.Fails(Tcp + "start-connect", tcp, network, Address(point)));
        Assert.Equal("invalid-argument", guest.Fails(Tcp + "start-bind", tcp, network, Local(v6: true)));
    }

    [Fact]
    public void FunctionsOfOtherStatesFail()
    {
        using WasiComponentGuest guest = Guest(Loopback);
        using ComponentResource network = Network(guest), tcp = NewTcp(guest);
        Assert.Equal("not-in-progress", guest.Fails(Tcp + "finish-bind", tcp));
        Assert.Equal("not-in-progress", guest.Fails(Tcp + "finish-listen", tcp));
        foreach (string function in new[] { "start-listen", "accept", "local-address", "remote-address" }) Assert.Equal("invalid-state", guest.Fails(Tcp + function, tcp));
        Assert.Equal("invalid-state", guest.Fails(Tcp + "shutdown", tcp, ComponentValue.Enum("both")));
        guest.Ok(Tcp + "start-bind", tcp, network, Local());
        Assert.Equal("concurrency-conflict", guest.Fails(Tcp + "start-listen", tcp));
        guest.Ok(Tcp + "finish-bind", tcp);
        Assert.Equal("invalid-state", guest.Fails(Tcp + "start-bind", tcp, network, Local()));
        using ComponentResource second = NewTcp(guest);
        ComponentResource listener = Listen(guest, false, out IPEndPoint at);
        Assert.Equal("address-in-use", guest.Fails(Tcp + "start-bind", second, network, Address(at)));
        listener.Dispose();
    }

    [Fact]
    public void OptionsAreSet()
    {
        using WasiComponentGuest guest = Guest(Loopback);
        using ComponentResource tcp = NewTcp(guest);
        Assert.False(guest.Ok(Tcp + "keep-alive-enabled", tcp).AsBool());
        guest.Ok(Tcp + "set-keep-alive-enabled", tcp, true);
        Assert.True(guest.Ok(Tcp + "keep-alive-enabled", tcp).AsBool());
        guest.Ok(Tcp + "set-keep-alive-idle-time", tcp, 2_500_000_000UL);
        Assert.Equal(3_000_000_000u, guest.Ok(Tcp + "keep-alive-idle-time", tcp).AsU64());
        guest.Ok(Tcp + "set-keep-alive-interval", tcp, 1);
        Assert.Equal(1_000_000_000u, guest.Ok(Tcp + "keep-alive-interval", tcp).AsU64());
        guest.Ok(Tcp + "set-keep-alive-idle-time", tcp, ulong.MaxValue);
        guest.Ok(Tcp + "set-hop-limit", tcp, (byte)42);
        Assert.Equal(42, guest.Ok(Tcp + "hop-limit", tcp).AsU8());
        guest.Ok(Tcp + "set-receive-buffer-size", tcp, 32768);
        Assert.True(guest.Ok(Tcp + "receive-buffer-size", tcp).AsU64() >= 32768);
        guest.Ok(Tcp + "set-send-buffer-size", tcp, 32768);
        Assert.True(guest.Ok(Tcp + "send-buffer-size", tcp).AsU64() >= 32768);
        guest.Ok(Tcp + "set-listen-backlog-size", tcp, 5);
        foreach (string function in new[] { "set-keep-alive-idle-time", "set-keep-alive-interval", "set-receive-buffer-size", "set-send-buffer-size", "set-listen-backlog-size" })
            Assert.Equal("invalid-argument", guest.Fails(Tcp + function, tcp, 0));
        Assert.Equal("invalid-argument", guest.Fails(Tcp + "set-hop-limit", tcp, (byte)0));
    }

    [Fact]
    public void KeepAliveCountIsSet()
    {
        using WasiComponentGuest guest = Guest(Loopback);
        using ComponentResource tcp = NewTcp(guest);
        Assert.Equal("invalid-argument", guest.Fails(Tcp + "set-keep-alive-count", tcp, 0u));
        guest.Ok(Tcp + "set-keep-alive-count", tcp, 5u);
        Assert.Equal(5u, guest.Ok(Tcp + "keep-alive-count", tcp).AsU32());
    }

    [Fact]
    public void DatagramsGoBothWays()
    {
        using WasiComponentGuest guest = Guest(Loopback);
        using var other = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        var there = (IPEndPoint)other.Client.LocalEndPoint!;
        ComponentResource socket = NewUdp(guest), network = Network(guest);
        Assert.Equal("ipv4", guest.Call(Udp + "address-family", socket).CaseName);
        Assert.Equal("invalid-state", guest.Fails(Udp + "stream", socket, ComponentValue.Nothing));
        Assert.Equal("not-in-progress", guest.Fails(Udp + "finish-bind", socket));
        guest.Ok(Udp + "start-bind", socket, network, Local());
        Wait(guest, Udp + "subscribe", socket);
        guest.Ok(Udp + "finish-bind", socket);
        Assert.Equal("invalid-state", guest.Fails(Udp + "remote-address", socket));
        int port = Port(guest.Ok(Udp + "local-address", socket));
        ComponentValue streams = guest.Ok(Udp + "stream", socket, ComponentValue.Nothing);
        ComponentResource incoming = streams.Items[0].AsResource(), outgoing = streams.Items[1].AsResource();
        Assert.Empty(guest.Ok("sockets/udp#[method]incoming-datagram-stream.receive", incoming, 10).Items);
        other.Send("ping"u8, new IPEndPoint(IPAddress.Loopback, port));
        Wait(guest, "sockets/udp#[method]incoming-datagram-stream.subscribe", incoming);
        ComponentValue datagram = Assert.Single(guest.Ok("sockets/udp#[method]incoming-datagram-stream.receive", incoming, 10).Items);
        Assert.Equal("ping", WasiComponentGuest.Text(datagram["data"]));
        Assert.Equal(there.Port, Port(datagram["remote-address"]));
        Wait(guest, "sockets/udp#[method]outgoing-datagram-stream.subscribe", outgoing);
        Assert.True(guest.Ok("sockets/udp#[method]outgoing-datagram-stream.check-send", outgoing).AsU64() > 0);
        ComponentValue answer = ComponentValue.Record(("data", WasiComponentGuest.Of("pong"u8.ToArray())), ("remote-address", ComponentValue.Some(datagram["remote-address"])));
        Assert.Equal(1u, guest.Ok("sockets/udp#[method]outgoing-datagram-stream.send", outgoing, ComponentValue.List(answer)).AsU64());
        IPEndPoint? sender = null;
        Assert.Equal("pong"u8, other.Receive(ref sender));
        guest.Ok("sockets/udp#[method]outgoing-datagram-stream.check-send", outgoing);
        ComponentValue nowhere = ComponentValue.Record(("data", WasiComponentGuest.Of("x"u8.ToArray())), ("remote-address", ComponentValue.Nothing));
        Assert.Equal("invalid-argument", guest.Fails("sockets/udp#[method]outgoing-datagram-stream.send", outgoing, ComponentValue.List(nowhere)));
        incoming.Dispose();
        outgoing.Dispose();
        // With a remote address datagrams from other addresses are dropped.
        streams = guest.Ok(Udp + "stream", socket, ComponentValue.Some(Address(there)));
        incoming = streams.Items[0].AsResource();
        outgoing = streams.Items[1].AsResource();
        Assert.Equal(there.Port, Port(guest.Ok(Udp + "remote-address", socket)));
        using (var stranger = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0))) stranger.Send("no"u8, new IPEndPoint(IPAddress.Loopback, port));
        other.Send("yes"u8, new IPEndPoint(IPAddress.Loopback, port));
        ComponentValue[] got = [];
        while (got.Length == 0)
        {
            Wait(guest, "sockets/udp#[method]incoming-datagram-stream.subscribe", incoming);
            got = [.. guest.Ok("sockets/udp#[method]incoming-datagram-stream.receive", incoming, 10).Items];
        }
        Assert.Equal("yes", WasiComponentGuest.Text(Assert.Single(got)["data"]));
        guest.Ok("sockets/udp#[method]outgoing-datagram-stream.check-send", outgoing);
        Assert.Equal(1u, guest.Ok("sockets/udp#[method]outgoing-datagram-stream.send", outgoing, ComponentValue.List(nowhere)).AsU64());
        Assert.Equal("x"u8, other.Receive(ref sender));
        Assert.Contains("check-send", guest.Traps("sockets/udp#[method]outgoing-datagram-stream.send", outgoing, ComponentValue.List(nowhere)), StringComparison.Ordinal);
    }

    [Fact]
    public void OptionsOfDatagramsAreSet()
    {
        using WasiComponentGuest guest = Guest(Loopback);
        using ComponentResource udp = NewUdp(guest);
        guest.Ok(Udp + "set-unicast-hop-limit", udp, (byte)42);
        Assert.Equal(42, guest.Ok(Udp + "unicast-hop-limit", udp).AsU8());
        guest.Ok(Udp + "set-receive-buffer-size", udp, 32768);
        Assert.True(guest.Ok(Udp + "receive-buffer-size", udp).AsU64() >= 32768);
        guest.Ok(Udp + "set-send-buffer-size", udp, 32768);
        Assert.True(guest.Ok(Udp + "send-buffer-size", udp).AsU64() >= 32768);
        Assert.Equal("invalid-argument", guest.Fails(Udp + "set-unicast-hop-limit", udp, (byte)0));
        Assert.Equal("invalid-argument", guest.Fails(Udp + "set-receive-buffer-size", udp, 0));
    }

    [Fact]
    public void NamesAreLookedUp()
    {
        using WasiComponentGuest guest = Guest(Loopback);
        using ComponentResource network = Network(guest);
        using (ComponentResource found = guest.Ok("sockets/ip-name-lookup#resolve-addresses", network, "127.0.0.1").AsResource())
        {
            Wait(guest, "sockets/ip-name-lookup#[method]resolve-address-stream.subscribe", found);
            Assert.Equal("some(ipv4((127, 0, 0, 1)))", guest.Ok("sockets/ip-name-lookup#[method]resolve-address-stream.resolve-next-address", found).ToString());
            Assert.Equal("none", guest.Ok("sockets/ip-name-lookup#[method]resolve-address-stream.resolve-next-address", found).ToString());
        }
        using (ComponentResource found = guest.Ok("sockets/ip-name-lookup#resolve-addresses", network, "::1").AsResource())
            Assert.Equal("some(ipv6((0, 0, 0, 0, 0, 0, 0, 1)))", guest.Ok("sockets/ip-name-lookup#[method]resolve-address-stream.resolve-next-address", found).ToString());
        // Machines may not know the name; what they know of it is this machine.
        using (ComponentResource found = guest.Ok("sockets/ip-name-lookup#resolve-addresses", network, "localhost").AsResource())
        {
            Wait(guest, "sockets/ip-name-lookup#[method]resolve-address-stream.subscribe", found);
            ComponentValue first = guest.Call("sockets/ip-name-lookup#[method]resolve-address-stream.resolve-next-address", found);
            Assert.Contains(first.ToString(), new[] { "ok(some(ipv4((127, 0, 0, 1))))", "ok(some(ipv6((0, 0, 0, 0, 0, 0, 0, 1))))", "error(name-unresolvable)", "error(temporary-resolver-failure)" });
        }
        foreach (string name in new[] { "", "a b", new string('x', 300) }) Assert.Equal("invalid-argument", guest.Fails("sockets/ip-name-lookup#resolve-addresses", network, name));
    }

    [Fact]
    public void SocketsCountAndAreClosedWithTheirGuest()
    {
        using WasiComponentGuest guest = Guest(Loopback, most: 3);
        ComponentResource first = NewTcp(guest), second = NewUdp(guest);
        Assert.Equal("new-socket-limit", guest.Fails("sockets/tcp-create-socket#create-tcp-socket", ComponentValue.Enum("ipv4")));
        first.Dispose();
        NewTcp(guest).Dispose();
        second.Dispose();
    }

    [Fact]
    public void ErrorsOfStreamsAreThoseOfTheNetwork()
    {
        using WasiComponentGuest guest = Guest(Loopback);
        ComponentResource listener = Listen(guest, false, out IPEndPoint at);
        var client = new TcpClient();
        client.Connect(at);
        Wait(guest, Tcp + "subscribe", listener);
        ComponentValue accepted = guest.Ok(Tcp + "accept", listener);
        // A connection that is reset.
        client.Client.LingerState = new LingerOption(true, 0);
        client.Client.Dispose();
        ComponentValue error = guest.Call("io/streams#[method]input-stream.blocking-read", accepted.Items[1].AsResource(), 10).Payload;
        Assert.Equal("last-operation-failed", error.CaseName);
        using ComponentResource reason = error.Payload.AsResource();
        Assert.Equal("some(connection-reset)", guest.Call("sockets/network#network-error-code", reason).ToString());
        foreach (ComponentValue each in accepted.Items.Reverse()) each.AsResource().Dispose();
        listener.Dispose();
    }
}
