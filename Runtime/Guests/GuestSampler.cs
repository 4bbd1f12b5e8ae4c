using System.Diagnostics;

namespace WasmJit.Runtime;

/// <summary>
/// Takes samples of what a guest does: after so many units of fuel, the functions on the stack of the thread. The guest is asked where fuel is charged, at the
/// beginning of functions and of iterations; so the stacks of a run are always the same, and only their times differ.
/// </summary>
internal sealed class GuestSampler
{
    /// <summary>Only the innermost frames of a deeper stack are kept.</summary>
    private const int MostFrames = 500;

    private readonly long interval;
    private readonly int most;
    private long last = Stopwatch.GetTimestamp();

    /// <summary>Makes a sampler.</summary>
    /// <param name="interval">The units between two samples.</param>
    /// <param name="most">How many samples are kept; when there are more, every other one is dropped and the interval doubles.</param>
    internal GuestSampler(long interval, int most)
    {
        this.interval = interval;
        this.most = most;
        Interval = interval;
    }

    /// <summary>A stack, innermost function first, and what has passed since the sample before.</summary>
    internal readonly record struct Sample(string[] Stack, long Units, long Ticks);

    internal List<Sample> Samples { get; } = [];

    /// <summary>The units between two samples now.</summary>
    internal long Interval { get; private set; }

    /// <summary>The fuel of a guest that is sampled.</summary>
    internal Fuel MakeFuel() => new(interval) { Sampler = this };

    /// <summary>Called when the fuel is below zero.</summary>
    /// <exception cref="GuestCanceledException">The guest is to stop.</exception>
    internal void Take(Fuel fuel)
    {
        long units = Interval - fuel.Left, now = Stopwatch.GetTimestamp();
        var trace = new StackTrace(false);
        var stack = new List<string>();
        foreach (StackFrame frame in trace.GetFrames())
            if (stack.Count < MostFrames && frame.GetMethod()?.Name is { } name && WasmStackTrace.Parse(name) is { } found) stack.Add(found.ToString());
        lock (Samples)
        {
            Samples.Add(new Sample([.. stack], units, now - last));
            if (Samples.Count >= most) Thin();
        }
        fuel.Left = Interval;
        last = Stopwatch.GetTimestamp();
        // Who stops the run with Ctrl-C wants the profile of what has run so far. Loops look at a token only where the engine is interruptible.
        CancellationScope.ThrowIfStopped();
    }

    /// <summary>Each second sample stands for the one before it, too.</summary>
    private void Thin()
    {
        int kept = 0;
        for (int i = 1; i < Samples.Count; i += 2)
            Samples[kept++] = Samples[i] with { Units = Samples[i].Units + Samples[i - 1].Units, Ticks = Samples[i].Ticks + Samples[i - 1].Ticks };
        Samples.RemoveRange(kept, Samples.Count - kept);
        Interval *= 2;
    }
}
