using System.Diagnostics;
using System.Runtime.InteropServices;

namespace WasmJit.Perf;

/// <summary>The time that processors have spent on the calling thread. What others do on the machine disturbs it less than the time that goes by.</summary>
internal static unsafe partial class ThreadClock
{
    /// <summary>Milliseconds since some moment; where the system does not tell, those that went by.</summary>
    internal static double Milliseconds()
    {
        const int ofThread = 3;
        long* time = stackalloc long[2];
        return OperatingSystem.IsLinux() && clock_gettime(ofThread, time) == 0 ? (time[0] * 1e3) + (time[1] / 1e6) : Stopwatch.GetTimestamp() * 1e3 / Stopwatch.Frequency;
    }

    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, long* time);
}
