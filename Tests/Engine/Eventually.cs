using System.Diagnostics;

namespace WasmJit.Tests;

/// <summary>
/// Waits for what happens in its own time: on another thread, in another process, in the collector. Tests wait for the condition and never for a
/// duration. The bound is for what never happens; it says nothing about how fast a machine is.
/// </summary>
internal static class Eventually
{
    /// <summary>How long to wait for what takes some milliseconds on a machine that does nothing else.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>Waits until a condition holds, and says whether it does.</summary>
    internal static bool Holds(Func<bool> condition)
    {
        for (var clock = Stopwatch.StartNew(); !condition(); Thread.Sleep(1))
            if (clock.Elapsed > Patience) return false;
        return true;
    }

    /// <summary>
    /// Collects garbage until a condition holds, and says whether it does. One collection is not always enough: finalizers bring things back, and code
    /// goes only when no thread is in it any more.
    /// </summary>
    internal static bool Collected(Func<bool> condition)
    {
        var clock = Stopwatch.StartNew();
        for (int i = 0; ; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            if (condition()) return true;
            if (clock.Elapsed > Patience) return false;
            if (i >= 10) Thread.Sleep(20);
        }
    }

    /// <summary>Collects garbage until all that was referred to is gone, and says whether it is.</summary>
    internal static bool Collected(params WeakReference[] references) => Collected(() => references.All(r => !r.IsAlive));
}
