using System.Net;
using System.Net.Sockets;
using WasmJit.Components;
using WasmJit.Wasi.Preview2;
using Xunit;
using LookupError = WasmJit.Wasi.Preview3.LookupError;
using NetworkError = WasmJit.Wasi.Preview3.NetworkError;

namespace WasmJit.Tests;

/// <summary>Sockets and names of WASI 0.3, called from a component.</summary>
public sealed class WasiLaterNetworkTests : IDisposable
{
    private readonly WasiMirror mirror = new(new WasiOptions { Network = WasiNetwork.Everything }, isLater: true);

    public void Dispose() => mirror.Dispose();

    private T F<T>(string function)
        where T : Delegate => mirror.Function<T>("wasi:sockets/" + function);

    private T Tcp<T>(string method)
        where T : Delegate => F<T>($"types#[method]tcp-socket.{method}");

    private T Udp<T>(string method)
        where T : Delegate => F<T>($"types#[method]udp-socket.{method}");

    private static IpSocketAddress Local(ushort port) => new IpSocketAddress.Ipv4(new Ipv4SocketAddress(port, (127, 0, 0, 1)));

    private static ushort Port(IpSocketAddress address) => ((IpSocketAddress.Ipv4)address).Value.Port;

    private ComponentResource NewTcp() => F<Func<IpAddressFamily, ComponentResult<ComponentResource, NetworkError>>>("types#[static]tcp-socket.create")(IpAddressFamily.Ipv4).Value;

    private ComponentResource NewUdp() => F<Func<IpAddressFamily, ComponentResult<ComponentResource, NetworkError>>>("types#[static]udp-socket.create")(IpAddressFamily.Ipv4).Value;

    private ComponentResult<IpSocketAddress, NetworkError> LocalOf(ComponentResource tcp) => Tcp<Func<ComponentResource, ComponentResult<IpSocketAddress, NetworkError>>>("get-local-address")(tcp);

    [Fact]
    public async Task ConnectionsCarryBytesBothWays()
    {
        using ComponentResource listener = NewTcp(), client = NewTcp();
        Assert.IsType<NetworkError.InvalidState>(LocalOf(listener).Error);
        Assert.True(Tcp<Func<ComponentResource, ulong, ComponentResult<NoValue, NetworkError>>>("set-listen-backlog-size")(listener, 4).IsOk);
        Assert.True(Tcp<Func<ComponentResource, IpSocketAddress, ComponentResult<NoValue, NetworkError>>>("bind")(listener, Local(0)).IsOk);
        IAsyncEnumerable<ComponentResource> accepts = Tcp<Func<ComponentResource, ComponentResult<IAsyncEnumerable<ComponentResource>, NetworkError>>>("listen")(listener).Value;
        Assert.True(Tcp<Func<ComponentResource, bool>>("get-is-listening")(listener));
        Assert.Equal(IpAddressFamily.Ipv4, Tcp<Func<ComponentResource, IpAddressFamily>>("get-address-family")(listener));
        IpSocketAddress address = LocalOf(listener).Value;
        Assert.True((await Tcp<Func<ComponentResource, IpSocketAddress, Task<ComponentResult<NoValue, NetworkError>>>>("connect")(client, address)).IsOk);
        Assert.Equal(Port(address), Port(Tcp<Func<ComponentResource, ComponentResult<IpSocketAddress, NetworkError>>>("get-remote-address")(client).Value));
        await using IAsyncEnumerator<ComponentResource> accepted = accepts.GetAsyncEnumerator();
        Assert.True(await accepted.MoveNextAsync());
        using ComponentResource server = accepted.Current;
        var send = Tcp<Func<ComponentResource, Stream, Task<ComponentResult<NoValue, NetworkError>>>>("send");
        var receive = Tcp<Func<ComponentResource, (Stream, Task<ComponentResult<NoValue, NetworkError>>)>>("receive");
        Assert.True((await send(client, new MemoryStream("there"u8.ToArray()))).IsOk);
        (Stream got, Task<ComponentResult<NoValue, NetworkError>> outcome) = receive(server);
        Assert.Equal("there", await new StreamReader(got).ReadToEndAsync());
        Assert.True((await outcome).IsOk);
        Assert.IsType<NetworkError.InvalidState>((await receive(server).Item2).Error);
        Assert.True((await send(server, new MemoryStream("back"u8.ToArray()))).IsOk);
        Assert.Equal("back", await new StreamReader(receive(client).Item1).ReadToEndAsync());
        Assert.IsType<NetworkError.InvalidState>((await send(server, Stream.Null)).Error);
    }

    private void CheckOption<T>(ComponentResource socket, string get, string set, T value, T wrong)
        where T : IEquatable<T>
    {
        var change = Tcp<Func<ComponentResource, T, ComponentResult<NoValue, NetworkError>>>(set);
        Assert.IsType<NetworkError.InvalidArgument>(change(socket, wrong).Error);
        Assert.True(change(socket, value).IsOk);
        Assert.Equal(value, Tcp<Func<ComponentResource, ComponentResult<T, NetworkError>>>(get)(socket).Value);
    }

    [Fact]
    public void OptionsOfConnections()
    {
        using ComponentResource socket = NewTcp();
        CheckOption(socket, "get-keep-alive-idle-time", "set-keep-alive-idle-time", 42_000_000_000UL, 0UL);
        CheckOption(socket, "get-keep-alive-interval", "set-keep-alive-interval", 42_000_000_000UL, 0UL);
        CheckOption(socket, "get-hop-limit", "set-hop-limit", (byte)42, (byte)0);
        CheckOption(socket, "get-receive-buffer-size", "set-receive-buffer-size", 0x10000UL, 0UL);
        CheckOption(socket, "get-send-buffer-size", "set-send-buffer-size", 0x10000UL, 0UL);
        Assert.True(Tcp<Func<ComponentResource, bool, ComponentResult<NoValue, NetworkError>>>("set-keep-alive-enabled")(socket, true).IsOk);
        Assert.True(Tcp<Func<ComponentResource, ComponentResult<bool, NetworkError>>>("get-keep-alive-enabled")(socket).Value);
    }

    [Fact]
    public void KeepAliveCountOfConnections()
    {
        using ComponentResource socket = NewTcp();
        CheckOption(socket, "get-keep-alive-count", "set-keep-alive-count", 42u, 0u);
    }

    [Fact]
    public async Task DatagramsAreSentAndReceived()
    {
        using ComponentResource server = NewUdp(), client = NewUdp();
        var receive = Udp<Func<ComponentResource, Task<ComponentResult<(byte[], IpSocketAddress), NetworkError>>>>("receive");
        Assert.IsType<NetworkError.InvalidState>((await receive(server)).Error);
        Assert.True(Udp<Func<ComponentResource, IpSocketAddress, ComponentResult<NoValue, NetworkError>>>("bind")(server, Local(0)).IsOk);
        var local = Udp<Func<ComponentResource, ComponentResult<IpSocketAddress, NetworkError>>>("get-local-address");
        var send = Udp<Func<ComponentResource, byte[], IpSocketAddress?, Task<ComponentResult<NoValue, NetworkError>>>>("send");
        Assert.IsType<NetworkError.InvalidArgument>((await send(client, [1], null)).Error);
        Assert.True(Udp<Func<ComponentResource, IpSocketAddress, ComponentResult<NoValue, NetworkError>>>("connect")(client, local(server).Value).IsOk);
        Assert.Equal(Port(local(server).Value), Port(Udp<Func<ComponentResource, ComponentResult<IpSocketAddress, NetworkError>>>("get-remote-address")(client).Value));
        Assert.True((await send(client, [1, 2, 3], null)).IsOk);
        (byte[] data, IpSocketAddress from) = (await receive(server)).Value;
        Assert.Equal([1, 2, 3], data);
        Assert.Equal(Port(local(client).Value), Port(from));
        Assert.IsType<NetworkError.DatagramTooLarge>((await send(client, new byte[70_000], null)).Error);
        var disconnect = Udp<Func<ComponentResource, ComponentResult<NoValue, NetworkError>>>("disconnect");
        Assert.True(disconnect(client).IsOk);
        Assert.IsType<NetworkError.InvalidState>(disconnect(client).Error);
        Assert.Equal(IpAddressFamily.Ipv4, Udp<Func<ComponentResource, IpAddressFamily>>("get-address-family")(client));
        Assert.True(Udp<Func<ComponentResource, byte, ComponentResult<NoValue, NetworkError>>>("set-unicast-hop-limit")(client, 9).IsOk);
        Assert.Equal(9, Udp<Func<ComponentResource, ComponentResult<byte, NetworkError>>>("get-unicast-hop-limit")(client).Value);
        Assert.True(Udp<Func<ComponentResource, ulong, ComponentResult<NoValue, NetworkError>>>("set-receive-buffer-size")(client, 0x10000).IsOk);
        Assert.Equal(0x10000u, Udp<Func<ComponentResource, ComponentResult<ulong, NetworkError>>>("get-receive-buffer-size")(client).Value);
        Assert.True(Udp<Func<ComponentResource, ulong, ComponentResult<NoValue, NetworkError>>>("set-send-buffer-size")(client, 0x10000).IsOk);
        Assert.Equal(0x10000u, Udp<Func<ComponentResource, ComponentResult<ulong, NetworkError>>>("get-send-buffer-size")(client).Value);
    }

    /// <summary>A guest that may send to an address gets the answers; it has not been given an address at which others reach it.</summary>
    [Fact]
    public async Task OnlyThoseAnswerToWhomAGuestMaySend()
    {
        using var peer = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        peer.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        stranger.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var granted = (IPEndPoint)peer.LocalEndPoint!;
        using var other = new WasiMirror(new WasiOptions { Network = new WasiNetwork { Connect = granted.Equals } }, isLater: true);
        T Of<T>(string method)
            where T : Delegate => other.Function<T>("wasi:sockets/types#" + method);

        using ComponentResource socket = Of<Func<IpAddressFamily, ComponentResult<ComponentResource, NetworkError>>>("[static]udp-socket.create")(IpAddressFamily.Ipv4).Value;
        Assert.True((await Of<Func<ComponentResource, byte[], IpSocketAddress?, Task<ComponentResult<NoValue, NetworkError>>>>("[method]udp-socket.send")(socket, [1], Local((ushort)granted.Port))).IsOk);
        byte[] buffer = new byte[10];
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        Assert.Equal(1, peer.ReceiveFrom(buffer, ref from));
        stranger.SendTo([6, 6, 6], new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)from).Port));
        peer.SendTo([7], new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)from).Port));
        var receive = Of<Func<ComponentResource, Task<ComponentResult<(byte[], IpSocketAddress), NetworkError>>>>("[method]udp-socket.receive");
        Assert.Equal([7], (await receive(socket)).Value.Item1);
    }

    [Fact]
    public async Task NamesAreLookedUp()
    {
        var resolve = F<Func<string, Task<ComponentResult<IpAddress[], LookupError>>>>("ip-name-lookup#resolve-addresses");
        Assert.Equal(IpAddress.Of(IPAddress.Loopback), Assert.Single((await resolve("127.0.0.1")).Value));
        Assert.NotEmpty((await resolve("localhost")).Value);
        Assert.IsType<LookupError.InvalidArgument>((await resolve("")).Error);
        // They count, since each holds a thread of the process.
        using var none = new WasiMirror(new WasiOptions { Network = WasiNetwork.Everything, MaximumDescriptors = 0 }, isLater: true);
        Assert.IsType<LookupError.Other>((await none.Function<Func<string, Task<ComponentResult<IpAddress[], LookupError>>>>("wasi:sockets/ip-name-lookup#resolve-addresses")("localhost")).Error);
    }

    /// <summary>Nothing is there that was not granted.</summary>
    [Fact]
    public async Task WhatIsNotGrantedIsDenied()
    {
        using var other = new WasiMirror(new WasiOptions(), isLater: true);
        Assert.IsType<NetworkError.AccessDenied>(
            other.Function<Func<IpAddressFamily, ComponentResult<ComponentResource, NetworkError>>>("wasi:sockets/types#[static]tcp-socket.create")(IpAddressFamily.Ipv4).Error);
        Assert.IsType<LookupError.AccessDenied>((await other.Function<Func<string, Task<ComponentResult<IpAddress[], LookupError>>>>("wasi:sockets/ip-name-lookup#resolve-addresses")("localhost")).Error);
    }
}
