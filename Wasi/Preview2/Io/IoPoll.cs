using WasmJit.Components;

namespace WasmJit.Wasi.Preview2;

/// <summary>Something that a guest can wait for.</summary>
internal interface IReadySource
{
    /// <summary>Whether it is ready: asking does not wait.</summary>
    bool IsReady { get; }

    /// <summary>A task that ends when it may be ready; null if it must be asked again, or has a time.</summary>
    Task? Pending => null;

    /// <summary>When it will be ready, on the monotonic clock in nanoseconds; null if it has no time.</summary>
    ulong? Time => null;

    /// <summary>Waits in the system, for a time at most.</summary>
    /// <returns>Whether it can.</returns>
    bool WaitInSystem(int milliseconds) => false;
}

/// <summary>A time on the monotonic clock, in nanoseconds.</summary>
internal sealed class TimeSource(GuestClock clock, ulong time) : IReadySource
{
    public bool IsReady => clock.Time(Clocks.Monotonic) >= time;

    public ulong? Time => time;
}

/// <summary>A task: ready when it has ended, in whatever way.</summary>
internal sealed class TaskSource(Task task) : IReadySource
{
    public bool IsReady => task.IsCompleted;

    public Task? Pending => task;
}

/// <summary>What <c>wasi:io/poll</c> calls a pollable.</summary>
internal sealed class Pollable(IReadySource source) : GuestObject
{
    internal IReadySource Source => source;
}

/// <summary><c>wasi:io/poll</c>.</summary>
internal static class IoPollInterface
{
    /// <summary>The most pollables of one call.</summary>
    internal const int MostPollables = 16 * 1024;

    /// <summary>How long the system may wait before cancellation is looked at, in milliseconds.</summary>
    private const int Slice = 50;

    internal static void AddTo(InterfaceWriter to, WasiState state)
    {
        to.Add("pollable", state.Types.Pollable);
        to.Add("[method]pollable.ready", (ComponentResource self) => self.Get<Pollable>().Source.IsReady);
        to.Add("[method]pollable.block", (ComponentResource self) => Wait(state.Waiter, self.Get<Pollable>().Source));
        to.Add("poll", (ComponentResource[] all) =>
        {
            if (all.Length == 0) throw ComponentTrap.Make("poll of an empty list");
            if (all.Length > MostPollables) throw ComponentTrap.Make("poll of too many pollables");
            return Wait(state.Waiter, [.. all.Select(p => p.Get<Pollable>().Source)]);
        });
    }

    /// <summary>Makes the pollable of a source.</summary>
    internal static ComponentResource New(WasiState state, IReadySource source, GuestObject? parent)
    {
        var pollable = new Pollable(source);
        parent?.Adopt(pollable);
        return state.Types.Pollable.New(pollable);
    }

    internal static void Wait(Waiter waiter, IReadySource source) => Wait(waiter, [source]);

    /// <summary>Waits until at least one is ready.</summary>
    /// <returns>The indices of those that are.</returns>
    /// <exception cref="OperationCanceledException">The guest is to stop.</exception>
    internal static uint[] Wait(Waiter waiter, IReadySource[] sources)
    {
        if (sources.Length == 1 && sources[0].IsReady)
        {
            waiter.Check();
            return [0];
        }
        var ready = new List<uint>();
        var pending = new List<Task>();
        while (true)
        {
            waiter.Check();
            for (int i = 0; i < sources.Length; i++)
                if (sources[i].IsReady) ready.Add((uint)i);
            if (ready.Count > 0) return [.. ready];
            Waiter.BeforeWait?.Invoke();
            pending.Clear();
            bool mustAsk = false;
            ulong? first = null;
            foreach (IReadySource source in sources)
            {
                if (source.Pending is { } task) pending.Add(task);
                else if (source.Time is { } time) first = Math.Min(first ?? time, time);
                else mustAsk = true;
            }
            ulong left = ulong.MaxValue;
            if (first is { } nearest)
            {
                ulong now = waiter.Clock.Time(Clocks.Monotonic);
                left = nearest > now ? nearest - now : 0;
            }
            if (sources.Length == 1 && mustAsk && sources[0].WaitInSystem(Slice)) continue;
            waiter.Sleep(left, pending, mustAsk);
        }
    }
}
