using System.Diagnostics;

namespace WasmJit.Perf;

/// <summary>Measures in turn, so that all have the same machine; the best of each counts.</summary>
internal static class ByTurns
{
    /// <summary>The nanoseconds of one of the many times that each does its work.</summary>
    /// <param name="rounds">How often each has its turn.</param>
    /// <param name="all">What does the work as often as it is told, and how often that is in a turn.</param>
    internal static double[] Nanoseconds(int rounds, params (Action<int> Work, int Count)[] all) =>
        Nanoseconds(rounds, static () => Stopwatch.GetTimestamp() * 1e3 / Stopwatch.Frequency, all);

    /// <summary>The same by another clock.</summary>
    /// <param name="rounds">How often each has its turn.</param>
    /// <param name="clock">Tells the time in milliseconds.</param>
    /// <param name="all">What does the work as often as it is told, and how often that is in a turn.</param>
    internal static double[] Nanoseconds(int rounds, Func<double> clock, params (Action<int> Work, int Count)[] all)
    {
        double[] best = [.. all.Select(_ => double.MaxValue)];
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < all.Length; i++)
            {
                double start = clock();
                all[i].Work(all[i].Count);
                best[i] = Math.Min(best[i], (clock() - start) * 1e6 / all[i].Count);
            }
        }
        return best;
    }
}
