using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace WasmJit.Wasi;

/// <summary>The clocks: real time, one that only goes forward, and the processor time of the process and of the thread.</summary>
internal static class Clocks
{
    internal const uint Realtime = 0, Monotonic = 1, Process = 2, Thread = 3;

    private const int LinuxThreadClock = 3;

    private const long NanosecondsASecond = 1_000_000_000;

    /// <summary>Nanoseconds.</summary>
    internal static ulong Time(uint clock) => clock switch
    {
        Realtime => (ulong)Math.Max(0, DateTime.UtcNow.Ticks - DateTime.UnixEpoch.Ticks) * 100,
        // Where the ticks are not nanoseconds. Code with numbers of 128 bits is never made ahead.
        Monotonic => Stopwatch.Frequency == NanosecondsASecond ? (ulong)Stopwatch.GetTimestamp() : Scaled(Stopwatch.GetTimestamp()),
        Process => ProcessTime(),
        Thread => ThreadTime(),
        _ => throw new WasiError(Errno.Inval),
    };

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong Scaled(long ticks) => (ulong)((UInt128)ticks * (ulong)NanosecondsASecond / (ulong)Stopwatch.Frequency);

    /// <summary>Nanoseconds: the real time comes in ticks of 100.</summary>
    internal static ulong Resolution(uint clock) => clock switch
    {
        Realtime or Process => 100,
        Monotonic => (ulong)Math.Max(1, 1_000_000_000 / Stopwatch.Frequency),
        Thread => LinuxCalls.IsSupported ? 1u : 100u,
        _ => throw new WasiError(Errno.Inval),
    };

    private static ulong ProcessTime() => (ulong)Environment.CpuUsage.TotalTime.Ticks * 100;

    /// <summary>The thread's time where the system tells it; otherwise the process's, which never goes back either.</summary>
    private static ulong ThreadTime() => LinuxCalls.IsSupported && LinuxCalls.ClockTime(LinuxThreadClock, out LinuxCalls.TimeSpec time) == 0
        ? ((ulong)time.Seconds * 1_000_000_000) + (ulong)time.Nanoseconds
        : ProcessTime();
}

/// <summary>The functions of the clocks.</summary>
internal sealed class ClockFunctions(WasiContext context)
{
    internal void AddTo(FunctionTable table)
    {
        table.Add<int, int>("clock_res_get", (memory, clock, result) => memory.Write(result, context.Waiter.Clock.Resolution((uint)clock)));
        table.Add<int, long, int>("clock_time_get", (memory, clock, _, result) => memory.Write(result, context.Waiter.Clock.Time((uint)clock)));
    }
}
