using System.Diagnostics;
using System.IO.Pipes;
using WasmJit.Wasi;
using Xunit;

namespace WasmJit.Tests;

/// <summary><c>poll_oneoff</c>, streams that have nothing yet, and what ends a wait.</summary>
public sealed class WasiPollTests
{
    private const int Subscriptions = 1024, Events = 4096, Count = 64;

    private const long Millisecond = 1_000_000, Hour = 3_600_000 * Millisecond;

    [Fact]
    public void RelativeClocksWaitAsLongAsAsked()
    {
        var guest = new WasiGuest();
        Clock(guest, 0, 7, clock: 1, Hour);
        Clock(guest, 1, 8, clock: 0, 30 * Millisecond);
        long start = Stopwatch.GetTimestamp();
        Assert.Equal([(8UL, EventType.Clock, Errno.Success)], Poll(guest, 2));
        Assert.True(Stopwatch.GetElapsedTime(start).TotalMilliseconds >= 29);
    }

    [Fact]
    public void AbsoluteClocksWaitUntilTheTime()
    {
        var guest = new WasiGuest();
        foreach (int clock in new[] { 0, 1 })
        {
            Assert.Equal(Errno.Success, guest.Invoke("clock_time_get", clock, 1L, 0));
            long now = guest.Memory.Read<long>(0);
            Clock(guest, 0, 1, clock, now + (20 * Millisecond), absolute: true);
            Assert.Equal([(1UL, EventType.Clock, Errno.Success)], Poll(guest, 1));
            // By the guest's own clock: between reading it and waiting any time may pass.
            Assert.Equal(Errno.Success, guest.Invoke("clock_time_get", clock, 1L, 0));
            Assert.True(guest.Memory.Read<long>(0) >= now + (19 * Millisecond));
            Clock(guest, 0, 1, clock, now - (20 * Millisecond), absolute: true);
            Assert.Equal([(1UL, EventType.Clock, Errno.Success)], Poll(guest, 1));
        }
    }

    [Fact]
    public void MistakesOfOneSubscriptionAreItsEvent()
    {
        using var files = new WasiFolder();
        WasiGuest guest = files.Guest;
        int blind = files.Open(files.Put("a"), rights: Rights.FdRead);
        Clock(guest, 0, 1, clock: 2, 0);
        Clock(guest, 1, 2, clock: 9, 0);
        Stream(guest, 2, 3, EventType.Read, 99);
        Stream(guest, 3, 4, EventType.Read, blind);
        Stream(guest, 4, 5, EventType.Write, 0);
        Assert.Equal(
            [
                (1UL, EventType.Clock, Errno.Notsup), (2UL, EventType.Clock, Errno.Inval), (3UL, EventType.Read, Errno.Badf),
                (4UL, EventType.Read, Errno.Notcapable), (5UL, EventType.Write, Errno.Badf),
            ],
            Poll(guest, 5));
        Assert.Equal(Errno.Inval, guest.Invoke("poll_oneoff", Subscriptions, Events, 0, Count));
        Assert.Equal(Errno.Fault, guest.Invoke("poll_oneoff", 65_500, Events, 1, Count));
        Assert.Equal(Errno.Fault, guest.Invoke("poll_oneoff", Subscriptions, 65_510, 1, Count));
        Assert.Equal(Errno.Nomem, guest.Invoke("poll_oneoff", Subscriptions, Events, -1, Count));
        guest.Memory.Write(Subscriptions + 8, (byte)3);
        Assert.Equal(Errno.Inval, guest.Invoke("poll_oneoff", Subscriptions, Events, 1, Count));
    }

    [Fact]
    public void FilesAndBuffersAreAlwaysReady()
    {
        using var input = new MemoryStream(new byte[12]);
        using var files = new WasiFolder(options: new WasiOptions { Input = input, Output = System.IO.Stream.Null, Error = System.IO.Stream.Null });
        int fd = files.Open(files.Put("a", "0123456789"));
        files.Seek(fd, 3, Whence.Set);
        Stream(files.Guest, 0, 1, EventType.Read, fd);
        Stream(files.Guest, 1, 2, EventType.Write, fd);
        Stream(files.Guest, 2, 3, EventType.Read, 0);
        Stream(files.Guest, 3, 4, EventType.Write, 1);
        Assert.Equal([1UL, 2, 3, 4], Poll(files.Guest, 4).Select(e => e.UserData));
        Assert.Equal(7UL, files.Memory.Read<ulong>(Events + 16));
        Assert.Equal(12UL, files.Memory.Read<ulong>(Events + 64 + 16));
    }

    /// <summary>The end that a poll has met is what the next read gets, also from a stream that would have it wait once more, as pipes of Windows may.</summary>
    [Fact]
    public void TheEndThatWasPolledIsRead()
    {
        using var stream = new OnceEnded();
        var guest = new WasiGuest(new WasiOptions { Input = stream, Output = System.IO.Stream.Null, Error = System.IO.Stream.Null });
        Assert.Equal(Errno.Success, guest.Invoke("fd_fdstat_set_flags", 0, (int)FdFlags.Nonblock));
        guest.WriteList(128, (2048, 3));
        for (int i = 0; i < 2; i++)
        {
            Stream(guest, 0, 1, EventType.Read, 0);
            Assert.Equal([(1UL, EventType.Read, Errno.Success)], Poll(guest, 1));
            Assert.Equal(1, guest.Memory.Read<ushort>(Events + 24));
        }
        guest.Memory.Write(Count, 7);
        Assert.Equal(Errno.Success, guest.Invoke("fd_read", 0, 128, 1, Count));
        Assert.Equal(0, guest.Memory.Read<int>(Count));
        Assert.Equal(Errno.Again, guest.Invoke("fd_read", 0, 128, 1, Count));
    }

    /// <summary>A stream that ends, and whose reads then wait for ever.</summary>
    private sealed class OnceEnded : MemoryStream
    {
        private bool hasEnded;

        public override bool CanSeek => false;

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        {
            Task<int> read = hasEnded ? new TaskCompletionSource<int>().Task : Task.FromResult(0);
            hasEnded = true;
            return read;
        }
    }

    [Fact]
    public void StreamsAreReadyWhenSomethingComes()
    {
        using var server = new AnonymousPipeServerStream(PipeDirection.Out);
        using var client = new AnonymousPipeClientStream(PipeDirection.In, server.ClientSafePipeHandle);
        var guest = new WasiGuest(new WasiOptions { Input = client, Output = System.IO.Stream.Null, Error = System.IO.Stream.Null });
        Stream(guest, 0, 1, EventType.Read, 0);
        Clock(guest, 1, 2, clock: 1, 5 * Millisecond);
        Assert.Equal([(2UL, EventType.Clock, Errno.Success)], Poll(guest, 2));
        Assert.Equal(Errno.Success, guest.Invoke("fd_fdstat_set_flags", 0, (int)FdFlags.Nonblock));
        guest.WriteList(128, (2048, 3), (2060, 100));
        Assert.Equal(Errno.Again, guest.Invoke("fd_read", 0, 128, 2, Count));
        server.Write("hello"u8);
        Clock(guest, 1, 2, clock: 1, Hour);
        Assert.Equal([(1UL, EventType.Read, Errno.Success)], Poll(guest, 2));
        Assert.Equal(5UL, guest.Memory.Read<ulong>(Events + 16));
        Assert.Equal(Errno.Success, guest.Invoke("fd_read", 0, 128, 2, Count));
        Assert.Equal(5, guest.Memory.Read<int>(Count));
        Assert.Equal("hel", guest.Memory.ReadString(2048, 3));
        Assert.Equal("lo", guest.Memory.ReadString(2060, 2));
        server.Dispose();
        Assert.Equal([(1UL, EventType.Read, Errno.Success)], Poll(guest, 2));
        Assert.Equal(1, guest.Memory.Read<ushort>(Events + 24));
        Assert.Equal(Errno.Success, guest.Invoke("fd_read", 0, 128, 2, Count));
        Assert.Equal(0, guest.Memory.Read<int>(Count));
    }

    [Fact]
    public void PipesInDirectoriesWaitForTheirOtherEnd()
    {
        if (!LinuxCalls.IsSupported) return;
        using var files = new WasiFolder();
        using (Process make = Process.Start("mkfifo", files.Host("pipe"))) make.WaitForExit();
        Assert.Equal(Errno.Nxio, files.TryOpen("pipe", out _, rights: Rights.FdWrite | Rights.PollFdReadwrite));
        int reader = files.Open("pipe", rights: Rights.FdRead | Rights.PollFdReadwrite | Rights.FdFdstatSetFlags);
        int writer = files.Open("pipe", rights: Rights.FdWrite | Rights.PollFdReadwrite);
        files.Do("fd_fdstat_set_flags", reader, (int)FdFlags.Nonblock);
        files.Guest.WriteList(WasiFolder.List, (WasiFolder.Data, 4));
        Assert.Equal(Errno.Again, files.Call("fd_read", reader, WasiFolder.List, 1, WasiFolder.Result));
        files.Do("fd_fdstat_set_flags", reader, 0);
        Stream(files.Guest, 0, 1, EventType.Read, reader);
        Stream(files.Guest, 1, 2, EventType.Write, writer);
        Assert.Equal([(2UL, EventType.Write, Errno.Success)], Poll(files.Guest, 2));
        var later = new Thread(() =>
        {
            Thread.Sleep(50);
            File.AppendAllText(files.Host("pipe"), "late");
        });
        later.Start();
        Assert.Equal("late", files.Read(reader, 4));
        later.Join();
    }

    [Fact]
    public void SleepingEndsWithCancellation()
    {
        using var source = new CancellationTokenSource();
        var guest = new WasiGuest(Quiet(source.Token, System.IO.Stream.Null));
        Clock(guest, 0, 7, clock: 1, Hour);
        source.CancelAfter(30);
        Assert.ThrowsAny<OperationCanceledException>(() => guest.Invoke("poll_oneoff", Subscriptions, Events, 1, Count));
        Assert.ThrowsAny<OperationCanceledException>(() => guest.Invoke("sched_yield"));
    }

    [Fact]
    public void ReadingEndsWithCancellationAndLosesNothing()
    {
        using var server = new AnonymousPipeServerStream(PipeDirection.Out);
        using var client = new AnonymousPipeClientStream(PipeDirection.In, server.ClientSafePipeHandle);
        using var source = new CancellationTokenSource();
        var guest = new WasiGuest(Quiet(source.Token, client));
        guest.WriteList(128, (2048, 100));
        source.CancelAfter(30);
        Assert.ThrowsAny<OperationCanceledException>(() => guest.Invoke("fd_read", 0, 128, 1, Count));
        Assert.ThrowsAny<OperationCanceledException>(() => guest.Invoke("fd_read", 0, 128, 1, Count));
    }

    [Fact]
    public void ACommandThatWaitsIsCancelled()
    {
        const string text = """
            (module
              (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
              (memory (export "memory") 1)
              (data (i32.const 24) "\ff\ff\ff\ff\ff\ff\ff\7f")
              (func (export "_start") (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))))
            """;
        using var source = new CancellationTokenSource(30);
        using var host = new WasiHost(Quiet(source.Token, System.IO.Stream.Null));
        Assert.ThrowsAny<OperationCanceledException>(() => host.Run(new Engine().CompileText(text)));
    }

    [Fact]
    public void TheTokenOfTheCallEndsWaitsToo()
    {
        using var source = new CancellationTokenSource();
        using var call = new CancellationTokenSource();
        var guest = new WasiGuest(Quiet(source.Token, System.IO.Stream.Null));
        Clock(guest, 0, 7, clock: 1, Hour);
        call.CancelAfter(30);
        Assert.ThrowsAny<OperationCanceledException>(
            () => Guest.Run(() => { guest.Invoke("poll_oneoff", Subscriptions, Events, 1, Count); }, call.Token));
        Clock(guest, 0, 7, clock: 1, Millisecond);
        Assert.Equal([(7UL, EventType.Clock, Errno.Success)], Poll(guest, 1));
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => Poll(guest, 1));
    }

    [Fact]
    public void ACommandThatNeverEndsIsStopped()
    {
        const string text = """(module (memory (export "memory") 1) (func (export "_start") (loop $for_ever (br $for_ever))))""";
        using var source = new CancellationTokenSource(30);
        using var host = new WasiHost(Quiet(source.Token, System.IO.Stream.Null));
        Module module = new Engine(new EngineOptions { Interruptible = true }).CompileText(text);
        Assert.ThrowsAny<OperationCanceledException>(() => host.Run(module));
    }

    private static WasiOptions Quiet(CancellationToken cancellation, Stream input) => new()
    {
        Input = input,
        Output = System.IO.Stream.Null,
        Error = System.IO.Stream.Null,
        Cancellation = cancellation,
    };

    private static void Clock(WasiGuest guest, int index, ulong userData, int clock, long timeout, bool absolute = false)
    {
        ulong at = (ulong)(Subscriptions + (48 * index));
        guest.Memory.Slice(at, 48).Clear();
        guest.Memory.Write(at, userData);
        guest.Memory.Write(at + 16, clock);
        guest.Memory.Write(at + 24, timeout);
        guest.Memory.Write(at + 40, absolute ? (ushort)1 : (ushort)0);
    }

    private static void Stream(WasiGuest guest, int index, ulong userData, EventType type, int fd)
    {
        ulong at = (ulong)(Subscriptions + (48 * index));
        guest.Memory.Slice(at, 48).Clear();
        guest.Memory.Write(at, userData);
        guest.Memory.Write(at + 8, (byte)type);
        guest.Memory.Write(at + 16, fd);
    }

    private static List<(ulong UserData, EventType Type, Errno Error)> Poll(WasiGuest guest, int count)
    {
        Assert.Equal(Errno.Success, guest.Invoke("poll_oneoff", Subscriptions, Events, count, Count));
        var events = new List<(ulong, EventType, Errno)>();
        for (int i = 0; i < guest.Memory.Read<int>(Count); i++)
        {
            ulong at = (ulong)(Events + (32 * i));
            events.Add((guest.Memory.Read<ulong>(at), (EventType)guest.Memory.Read<byte>(at + 10), (Errno)guest.Memory.Read<ushort>(at + 8)));
        }
        return events;
    }
}
