namespace WasmJit.Runtime;

/// <summary>
/// Cancels a source when its time is over. Timers of .NET wait for a thread of the pool, and guests may hold all of those: what is to stop them would come late. So a
/// thread of its own looks at the clock. It never cancels itself, since callbacks may take long: worker threads do.
/// </summary>
internal sealed class Deadline : IDisposable
{
    private const int ClockStack = 256 << 10;

    /// <summary>How long the clock's thread stays with nothing to wait for.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Those whose time is not over, the next one first. It is the lock, too.</summary>
    private static readonly SortedSet<Deadline> Waiting = new(Comparer<Deadline>.Create(static (a, b) => a.due != b.due ? a.due.CompareTo(b.due) : a.number.CompareTo(b.number)));

    private static long numbers;
    private static bool hasClock;

    /// <summary>When the clock's thread looks again by itself. What is due later need not wake it, which costs more than a short request.</summary>
    private static long wakes;

    private readonly CancellationTokenSource source;
    private readonly long due;
    private long number;

    private Deadline(CancellationTokenSource source, long due)
    {
        this.source = source;
        this.due = due;
    }

    /// <summary>Begins to count. The source is cancelled unless this is disposed of before.</summary>
    /// <param name="time">The time; <see cref="Timeout.InfiniteTimeSpan"/> for no end.</param>
    /// <param name="source">The source. It may be disposed of when this is.</param>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative, or longer than a timer may take.</exception>
    internal static Deadline After(TimeSpan time, CancellationTokenSource source)
    {
        var made = new Deadline(source, Environment.TickCount64 + (long)Math.Ceiling(time.TotalMilliseconds));
        if (time == Timeout.InfiniteTimeSpan) return made;
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(time, TimeSpan.FromMilliseconds(int.MaxValue));
        lock (Waiting)
        {
            made.number = ++numbers;
            Waiting.Add(made);
            if (!hasClock) StartClock(made, time);
            else if (made.due < wakes) Monitor.Pulse(Waiting);
        }
        return made;
    }

    private static void StartClock(Deadline first, TimeSpan time)
    {
        try
        {
            new Thread(Watch, ClockStack) { IsBackground = true, Name = "wasm clock" }.UnsafeStart();
            hasClock = true;
        }
        catch (OutOfMemoryException)
        {
            // The process has no thread left.
            Waiting.Remove(first);
            first.source.CancelAfter(time);
        }
    }

    private static void Watch()
    {
        lock (Waiting)
        {
            while (true)
            {
                if (Waiting.Min is not { } next)
                {
                    if (WaitFor((long)Patience.TotalMilliseconds) || Waiting.Count > 0) continue;
                    hasClock = false;
                    return;
                }
                long left = next.due - Environment.TickCount64;
                if (left > 0)
                {
                    WaitFor(left);
                    continue;
                }
                Waiting.Remove(next);
                next.Elapse();
            }
        }
    }

    private static bool WaitFor(long milliseconds)
    {
        wakes = Environment.TickCount64 + milliseconds;
        return Monitor.Wait(Waiting, (int)milliseconds);
    }

    private void Elapse()
    {
        try
        {
            // What goes wrong in callbacks is in the task, to which nothing looks.
            _ = WorkerThreads.Guests.Start(() =>
            {
                Cancel();
                return true;
            });
        }
        catch (InsufficientMemoryException)
        {
            source.CancelAfter(TimeSpan.Zero);
        }
    }

    private void Cancel()
    {
        try
        {
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // What it was for ended at the same time.
        }
    }

    /// <summary>Ends the count. A cancellation that has begun goes on.</summary>
    public void Dispose()
    {
        lock (Waiting) Waiting.Remove(this);
    }
}
