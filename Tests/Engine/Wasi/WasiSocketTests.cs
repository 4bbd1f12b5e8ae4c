using System.Net;
using System.Net.Sockets;
using System.Text;
using WasmJit.Wasi;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Sockets that a WASI guest is given.</summary>
public sealed class WasiSocketTests : IDisposable
{
    private const int List = 128, Data = 1024, Result = 64, Listener = 3;

    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Socket peer = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 120_000 };
    private readonly CancellationTokenSource source = new();
    private readonly WasiGuest guest;

    public WasiSocketTests()
    {
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        guest = new WasiGuest(new WasiOptions
        {
            Input = Stream.Null,
            Output = Stream.Null,
            Error = Stream.Null,
            Sockets = [listener],
            Cancellation = source.Token,
        });
    }

    public void Dispose()
    {
        guest.Host.Dispose();
        listener.Dispose();
        peer.Dispose();
        source.Dispose();
    }

    [Fact]
    public void AcceptedConnectionsSendAndReceive()
    {
        Assert.Equal(Errno.Success, guest.Invoke("fd_fdstat_set_flags", Listener, (int)FdFlags.Nonblock));
        Assert.Equal(Errno.Again, guest.Invoke("sock_accept", Listener, 0, Result));
        Assert.Equal(Errno.Success, guest.Invoke("fd_fdstat_set_flags", Listener, 0));
        int fd = Accept();
        Assert.Equal(Errno.Success, guest.Invoke("fd_fdstat_get", fd, 0));
        Assert.Equal((byte)FileType.SocketStream, guest.Memory.Read<byte>(0));
        Assert.Equal(Rights.Connection, (Rights)guest.Memory.Read<long>(8));

        peer.Send("hello world"u8);
        Assert.Equal("hello", Receive(fd, 5, flags: 1));
        Assert.Equal("hello", Receive(fd, 5, flags: 0));
        Assert.Equal(" world", Receive(fd, 6, flags: 2));
        peer.Send("again"u8);
        guest.WriteList(List, (Data, 5));
        Assert.Equal(Errno.Success, guest.Invoke("fd_read", fd, List, 1, Result));
        Assert.Equal("again", guest.Memory.ReadString(Data, guest.Memory.Read<int>(Result)));

        guest.Memory.WriteString(Data, "answer");
        guest.WriteList(List, (Data, 3), (Data + 3, 3));
        Assert.Equal(Errno.Success, guest.Invoke("sock_send", fd, List, 2, 0, Result));
        Assert.Equal(6, guest.Memory.Read<int>(Result));
        Assert.Equal(Errno.Success, guest.Invoke("fd_write", fd, List, 2, Result));
        Assert.Equal("answeranswer", FromGuest(12));

        Assert.Equal(Errno.Success, guest.Invoke("sock_shutdown", fd, 2));
        Assert.Equal("", FromGuest(1));
        Assert.Equal(Errno.Pipe, guest.Invoke("sock_send", fd, List, 2, 0, Result));
        peer.Shutdown(SocketShutdown.Send);
        Assert.Equal("", Receive(fd, 5, flags: 0));
        Assert.Equal(Errno.Success, guest.Invoke("fd_close", fd));
        Assert.Equal(Errno.Badf, guest.Invoke("sock_shutdown", fd, 1));
    }

    [Fact]
    public void MistakesHaveTheirNumbers()
    {
        int fd = Accept();
        Assert.Equal(Errno.Badf, guest.Invoke("sock_accept", 99, 0, Result));
        Assert.Equal(Errno.Notsock, guest.Invoke("sock_accept", 1, 0, Result));
        Assert.Equal(Errno.Notcapable, guest.Invoke("sock_accept", fd, 0, Result));
        Assert.Equal(Errno.Inval, guest.Invoke("sock_accept", Listener, 1, Result));
        Assert.Equal(Errno.Fault, guest.Invoke("sock_accept", Listener, 0, 65_533));
        Assert.Equal(Errno.Notcapable, guest.Invoke("sock_recv", Listener, List, 0, 0, Result, Result + 4));
        Assert.Equal(Errno.Notsock, guest.Invoke("sock_recv", 0, List, 0, 0, Result, Result + 4));
        Assert.Equal(Errno.Inval, guest.Invoke("sock_recv", fd, List, 0, 4, Result, Result + 4));
        Assert.Equal(Errno.Fault, guest.Invoke("sock_recv", fd, List, 0, 0, Result, 65_535));
        Assert.Equal(Errno.Inval, guest.Invoke("sock_send", fd, List, 0, 1, Result));
        Assert.Equal(Errno.Notsock, guest.Invoke("sock_send", 1, List, 0, 0, Result));
        Assert.Equal(Errno.Inval, guest.Invoke("sock_shutdown", fd, 0));
        Assert.Equal(Errno.Notsock, guest.Invoke("sock_shutdown", 1, 1));
        Assert.Equal(Errno.Notcapable, guest.Invoke("sock_shutdown", Listener, 1));
    }

    [Fact]
    public void MessagesThatDoNotFitAreCutOff()
    {
        using var receiver = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        receiver.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using var sender = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        sender.Connect(receiver.LocalEndPoint!);
        var other = new WasiGuest(new WasiOptions { Input = Stream.Null, Output = Stream.Null, Error = Stream.Null, Sockets = [receiver] });
        sender.Send("message"u8);
        other.WriteList(List, (Data, 1), (Data + 1, 3));
        Assert.Equal(Errno.Success, other.Invoke("sock_recv", 3, List, 2, 0, Result, Result + 4));
        Assert.Equal("mess", other.Memory.ReadString(Data, other.Memory.Read<int>(Result)));
        Assert.Equal(1, other.Memory.Read<ushort>(Result + 4));
        sender.Send("next"u8);
        Assert.Equal(Errno.Success, other.Invoke("sock_recv", 3, List, 2, 0, Result, Result + 4));
        Assert.Equal("next", other.Memory.ReadString(Data, other.Memory.Read<int>(Result)));
        Assert.Equal(0, other.Memory.Read<ushort>(Result + 4));
    }

    [Fact]
    public void PollingTellsConnectionsAndData()
    {
        Assert.Equal(TimeOver, PollFor(Listener, Soon));
        peer.Connect(listener.LocalEndPoint!);
        Assert.Equal(Ready, PollFor(Listener, InAnHour));
        Assert.Equal(Errno.Success, guest.Invoke("sock_accept", Listener, (int)FdFlags.Nonblock, Result));
        int fd = guest.Memory.Read<int>(Result);
        Assert.Equal(TimeOver, PollFor(fd, Soon));
        guest.WriteList(List, (Data, 4));
        Assert.Equal(Errno.Again, guest.Invoke("fd_read", fd, List, 1, Result));
        peer.Send("abc"u8);
        Assert.Equal(Ready, PollFor(fd, InAnHour));
        Assert.Equal(3UL, guest.Memory.Read<ulong>(4096 + 16));
    }

    [Fact]
    public void AcceptingEndsWithCancellation()
    {
        source.CancelAfter(30);
        Assert.ThrowsAny<OperationCanceledException>(() => guest.Invoke("sock_accept", Listener, 0, Result));
    }

    private int Accept()
    {
        peer.Connect(listener.LocalEndPoint!);
        Assert.Equal(Errno.Success, guest.Invoke("sock_accept", Listener, 0, Result));
        return guest.Memory.Read<int>(Result);
    }

    private string Receive(int fd, int count, int flags)
    {
        guest.WriteList(List, (Data, 2), (Data + 2, count - 2));
        // A look at what is there shows no more than the first buffer holds.
        if (flags == 1) guest.WriteList(List, (Data, count), (0, 0));
        Assert.Equal(Errno.Success, guest.Invoke("sock_recv", fd, List, 2, flags, Result, Result + 4));
        return guest.Memory.ReadString(Data, guest.Memory.Read<int>(Result));
    }

    private string FromGuest(int count)
    {
        byte[] bytes = new byte[count];
        int total = 0;
        while (total < count && peer.Receive(bytes.AsSpan(total)) is > 0 and int got) total += got;
        return Encoding.UTF8.GetString(bytes, 0, total);
    }

    /// <summary>What <see cref="PollFor"/> gives: the socket was ready, or the time was over first.</summary>
    private const ulong Ready = 1, TimeOver = 2;

    /// <summary>Times in nanoseconds. What comes is waited for so long that it cannot come too late.</summary>
    private const long Soon = 50_000_000, InAnHour = 3_600_000_000_000;

    /// <summary>Waits for a socket or a time.</summary>
    private ulong PollFor(int fd, long nanoseconds)
    {
        guest.Memory.Slice(2048, 96).Clear();
        guest.Memory.Write(2048, Ready);
        guest.Memory.Write(2048 + 8, (byte)EventType.Read);
        guest.Memory.Write(2048 + 16, fd);
        guest.Memory.Write(2096, TimeOver);
        guest.Memory.Write(2096 + 16, 1);
        guest.Memory.Write(2096 + 24, nanoseconds);
        Assert.Equal(Errno.Success, guest.Invoke("poll_oneoff", 2048, 4096, 2, Result));
        return guest.Memory.Read<ulong>(4096);
    }
}
