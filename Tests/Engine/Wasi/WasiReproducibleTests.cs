using WasmJit.Wasi;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Clocks and random numbers that the host gives.</summary>
public sealed class WasiReproducibleTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static ulong Time(WasiGuest guest, int clock)
    {
        Assert.Equal(Errno.Success, guest.Invoke("clock_time_get", clock, 0L, WasiFolder.Result));
        return guest.Memory.Read<ulong>(WasiFolder.Result);
    }

    private static byte[] Random(WasiGuest guest, int count)
    {
        Assert.Equal(Errno.Success, guest.Invoke("random_get", WasiFolder.Data, count));
        return guest.Memory.ReadBytes(WasiFolder.Data, count);
    }

    [Fact]
    public void VirtualTimeGoesOnByReadingAndSleeping()
    {
        ulong[] Run()
        {
            var guest = new WasiGuest(WasiGuest.Quiet with { Time = new VirtualTime(Start) });
            var times = new List<ulong>();
            for (int clock = 0; clock < 4; clock++) times.Add(Time(guest, clock));
            // An hour's sleep, relative, on the monotonic clock.
            guest.Memory.Slice(WasiFolder.Data, 48).Clear();
            guest.Memory.Write(WasiFolder.Data + 16, 1);
            guest.Memory.Write(WasiFolder.Data + 24, 3_600_000_000_000L);
            Assert.Equal(Errno.Success, guest.Invoke("poll_oneoff", WasiFolder.Data, 8192, 1, WasiFolder.Result));
            Assert.Equal(1, guest.Memory.Read<int>(WasiFolder.Result));
            for (int clock = 0; clock < 4; clock++) times.Add(Time(guest, clock));
            return [.. times];
        }

        ulong[] first = Run();
        Assert.Equal(first, Run());
        Assert.InRange(first[0], (ulong)Start.ToUnixTimeMilliseconds() * 1_000_000, ((ulong)Start.ToUnixTimeMilliseconds() + 1) * 1_000_000);
        for (int clock = 0; clock < 4; clock++) Assert.InRange(first[4 + clock] - first[clock], 3_600_000_000_000UL, 3_601_000_000_000UL);
    }

    /// <summary>A clock that the host moves: the guest sleeps until it has been moved far enough.</summary>
    private sealed class ManualTime : TimeProvider
    {
        private readonly List<(TimerCallback Callback, object? State)> timers = [];

        internal SemaphoreSlim Made { get; } = new(0);

        internal long Now { get; set; }

        public override long TimestampFrequency => 1_000_000_000;

        public override long GetTimestamp() => Now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            lock (timers) timers.Add((callback, state));
            Made.Release();
            return new NoTimer();
        }

        internal void Fire()
        {
            (TimerCallback Callback, object? State)[] due;
            lock (timers)
            {
                due = [.. timers];
                timers.Clear();
            }
            foreach ((TimerCallback callback, object? state) in due) callback(state);
        }

        private sealed class NoTimer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }

    [Fact]
    public async Task SleepingWaitsForTheGivenClock()
    {
        var time = new ManualTime { Now = 5 };
        var guest = new WasiGuest(WasiGuest.Quiet with { Time = time });
        guest.Memory.Slice(WasiFolder.Data, 48).Clear();
        guest.Memory.Write(WasiFolder.Data + 16, 1);
        guest.Memory.Write(WasiFolder.Data + 24, 1000L);
        Task<Errno> sleep = Task.Run(() => guest.Invoke("poll_oneoff", WasiFolder.Data, 8192, 1, WasiFolder.Result));
        Assert.True(await time.Made.WaitAsync(Eventually.Patience));
        time.Now = 1004;
        time.Fire();
        // One nanosecond is missing: it asks for another timer.
        Assert.True(await time.Made.WaitAsync(Eventually.Patience));
        Assert.False(sleep.IsCompleted);
        time.Now = 1005;
        time.Fire();
        Assert.Equal(Errno.Success, await sleep.WaitAsync(Eventually.Patience));
    }

    [Fact]
    public void ASeedDeterminesRandomNumbers()
    {
        byte[] Of(ulong? seed, params int[] sizes)
        {
            var guest = new WasiGuest(WasiGuest.Quiet with { RandomSeed = seed });
            return [.. sizes.SelectMany(size => Random(guest, size))];
        }

        byte[] first = Of(7, 100);
        Assert.Equal(first, Of(7, 100));
        Assert.Equal(first, Of(7, 1, 31, 33, 35));
        Assert.NotEqual(first, Of(8, 100));
        Assert.NotEqual(Of(null, 100), Of(null, 100));
        // They stay what they are: programs may have been recorded with them.
        Assert.Equal("374708FF", Convert.ToHexString(Of(0, 4)), ignoreCase: true);
    }

    [Fact]
    public void TheHostGivesRandomNumbers()
    {
        var guest = new WasiGuest(WasiGuest.Quiet with { Random = static bytes => bytes.Fill(9), RandomSeed = 1 });
        Assert.Equal(Enumerable.Repeat((byte)9, 50), Random(guest, 50));
    }
}
