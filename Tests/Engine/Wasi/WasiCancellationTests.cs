using System.Diagnostics;
using System.IO.Pipes;
using System.Net;
using System.Net.Sockets;
using WasmJit.Wasi;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Each function that can wait, while it waits for what never comes: cancellation ends it, by either token.</summary>
public sealed class WasiCancellationTests : IDisposable
{
    private const int List = 128, Data = 1024, Size = 60_000, Result = 64, Connection = 4, Listener = 5, Datagrams = 6;

    private readonly string folder = Directory.CreateTempSubdirectory("wasi-cancel-").FullName;
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Socket connection = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Socket datagrams = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly AnonymousPipeServerStream silent = new(PipeDirection.Out), unread = new(PipeDirection.Out), unreadToo = new(PipeDirection.Out);
    private readonly Stream input;
    private readonly Socket peer;

    public WasiCancellationTests()
    {
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        connection.Connect(listener.LocalEndPoint!);
        peer = listener.Accept();
        datagrams.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        input = new AnonymousPipeClientStream(PipeDirection.In, silent.ClientSafePipeHandle);
    }

    public static TheoryData<string, bool> Waits
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (string name in Calls.Keys)
            {
                data.Add(name, false);
                data.Add(name, true);
            }
            return data;
        }
    }

    /// <summary>What waits: each is called until it does.</summary>
    private static readonly Dictionary<string, Func<WasiGuest, Errno>> Calls = new()
    {
        ["fd_read of a stream"] = g => g.Invoke("fd_read", 0, List, 1, Result),
        ["fd_write to a stream"] = g => g.Invoke("fd_write", 1, List, 1, Result),
        ["fd_write to a stream that is flushed"] = g => g.Invoke("fd_write", 2, List, 1, Result),
        ["fd_read of a socket"] = g => g.Invoke("fd_read", Connection, List, 1, Result),
        ["fd_write to a socket"] = g => g.Invoke("fd_write", Connection, List, 1, Result),
        ["sock_recv"] = g => g.Invoke("sock_recv", Connection, List, 1, 0, Result, Result + 4),
        ["sock_recv of all"] = g => g.Invoke("sock_recv", Connection, List, 1, 2, Result, Result + 4),
        ["sock_recv of a message"] = g => g.Invoke("sock_recv", Datagrams, List, 1, 0, Result, Result + 4),
        ["sock_send"] = g => g.Invoke("sock_send", Connection, List, 1, 0, Result),
        ["sock_accept"] = g => g.Invoke("sock_accept", Listener, 0, Result),
        ["fd_read of a pipe"] = g => g.Invoke("fd_read", 7, List, 1, Result),
        ["fd_write to a pipe"] = g => g.Invoke("fd_write", 8, List, 1, Result),
        ["poll_oneoff of a clock"] = g => Poll(g, 0, 0),
        ["poll_oneoff of a stream"] = g => Poll(g, 1, 0),
        ["poll_oneoff of a socket"] = g => Poll(g, 1, Connection),
        ["poll_oneoff of a pipe"] = g => Poll(g, 1, 7),
    };

    public void Dispose()
    {
        foreach (IDisposable item in new IDisposable[] { listener, connection, datagrams, peer, silent, unread, unreadToo, input }) item.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [MemberData(nameof(Waits))]
    public void EndsWithCancellation(string name, bool byCall)
    {
        if (!LinuxCalls.IsSupported && name.Contains("pipe", StringComparison.Ordinal)) return;
        using var source = new CancellationTokenSource();
        WasiGuest guest = MakeGuest(byCall ? CancellationToken.None : source.Token);
        guest.WriteList(List, (Data, Size));
        long start = Stopwatch.GetTimestamp();
        using var timer = new Timer(_ => source.Cancel(), null, 150, Timeout.Infinite);
        Assert.ThrowsAny<OperationCanceledException>(() => Under(byCall ? source.Token : null, () =>
        {
            // Buffers of the system take some before a write waits.
            for (int i = 0; i < 100_000; i++) Assert.Equal(Errno.Success, Calls[name](guest));
        }));
        Assert.True(Stopwatch.GetElapsedTime(start).TotalSeconds > 0.1, "it did not wait");
        guest.Host.Dispose();
        // Sockets that were given are as they were.
        Assert.True(connection.Blocking);
    }

    private static void Under(CancellationToken? call, Action action)
    {
        if (call is { } token) Guest.Run(action, token);
        else action();
    }

    private WasiGuest MakeGuest(CancellationToken token)
    {
        var guest = new WasiGuest(new WasiOptions
        {
            Input = input,
            Output = unread,
            Error = unreadToo,
            Directories = [new WasiDirectory(folder, "/")],
            Sockets = [connection, listener, datagrams],
            Cancellation = token,
        });
        if (LinuxCalls.IsSupported)
        {
            string pipe = Path.Combine(folder, "pipe");
            using (Process make = Process.Start("mkfifo", pipe)) make.WaitForExit();
            foreach (Rights rights in new[] { Rights.FdRead, Rights.FdWrite })
                Assert.Equal(Errno.Success, guest.Invoke("path_open", 3, 0, "pipe", 0, (long)(rights | Rights.PollFdReadwrite), 0L, 0, Result));
        }
        return guest;
    }

    /// <summary>A clock in an hour, or something to read.</summary>
    private static Errno Poll(WasiGuest guest, byte type, int fd)
    {
        guest.Memory.Span[..48].Clear();
        guest.Memory.Write(8, type);
        guest.Memory.Write(16, type == 0 ? 1 : fd);
        guest.Memory.Write(24, 3_600_000_000_000L);
        return guest.Invoke("poll_oneoff", 0, Data, 1, Result);
    }

    /// <summary>What moves gigabytes looks at the token on its way; without that all of these would succeed.</summary>
    [Theory]
    [InlineData("random_get")]
    [InlineData("fd_write")]
    [InlineData("fd_pwrite")]
    [InlineData("fd_read")]
    [InlineData("fd_pread")]
    public void WhatMovesGigabytesEndsToo(string name)
    {
        foreach (bool byCall in new[] { false, true })
        {
            // When the timer's thread gets its turn is the system's business: on a busy machine all may have been moved before.
            Exception? stopped = null;
            for (int attempt = 0; stopped is null && attempt < 20; attempt++) stopped = MoveGigabytes(name, byCall);
            Assert.IsAssignableFrom<OperationCanceledException>(stopped);
        }
    }

    /// <summary>What a call of two gigabytes throws that is cancelled a moment after its begin; null if it ended first.</summary>
    private Exception? MoveGigabytes(string name, bool byCall)
    {
        const int Gigabytes = 2_000_000_000;
        using (FileStream file = File.Create(Path.Combine(folder, "file")))
            if (name is "fd_read" or "fd_pread") file.SetLength(Gigabytes);
        using var source = new CancellationTokenSource();
        WasiGuest guest = MakeLargeGuest(byCall ? CancellationToken.None : source.Token);
        Assert.Equal(Errno.Success, guest.Invoke("path_open", 3, 0, "file", 0, (long)(Rights.FdRead | Rights.FdWrite | Rights.FdSeek), 0L, 0, Result));
        int fd = guest.Memory.Read<int>(Result);
        guest.WriteList(List, (Data, Gigabytes));
        using var timer = new Timer(_ => source.Cancel(), null, 10, Timeout.Infinite);
        Exception? thrown = Record.Exception(() => Under(byCall ? source.Token : null, () => _ = name switch
        {
            "random_get" => guest.Invoke(name, Data, Gigabytes),
            "fd_pwrite" or "fd_pread" => guest.Invoke(name, fd, List, 1, 0L, Result),
            _ => guest.Invoke(name, fd, List, 1, Result),
        }));
        guest.Host.Dispose();
        return thrown;
    }

    private WasiGuest MakeLargeGuest(CancellationToken token)
    {
        var guest = new WasiGuest(new WasiOptions { Directories = [new WasiDirectory(folder, "/")], Cancellation = token });
        Assert.NotEqual(-1, guest.Memory.Grow(31_000));
        return guest;
    }

    /// <summary>A stream whose owner never takes what it has.</summary>
    private sealed class StuckStream : MemoryStream
    {
        internal ManualResetEventSlim Released { get; } = new();

        public override bool CanSeek => false;

        public override void Flush() => Released.Wait();
    }

    [Theory]
    [InlineData("fd_sync")]
    [InlineData("fd_datasync")]
    [InlineData("fd_close")]
    [InlineData("fd_renumber")]
    public void FlushingEndsToo(string name)
    {
        foreach (bool byCall in new[] { false, true })
        {
            using var stuck = new StuckStream();
            using var source = new CancellationTokenSource();
            var guest = new WasiGuest(new WasiOptions { Output = stuck, Directories = [new WasiDirectory(folder, "/")], Cancellation = byCall ? CancellationToken.None : source.Token });
            using var timer = new Timer(_ => source.Cancel(), null, 50, Timeout.Infinite);
            Assert.ThrowsAny<OperationCanceledException>(() => Under(byCall ? source.Token : null, () => _ = name == "fd_renumber"
                ? guest.Invoke(name, 3, 1) : guest.Invoke(name, 1)));
            stuck.Released.Set();
            guest.Host.Dispose();
        }
    }
}
