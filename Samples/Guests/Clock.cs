using System.Diagnostics;

namespace WasmJit.Guests;

/// <summary>The time that is shown: on the wall, or of the processor, with all threads of the process, which other processes change less.</summary>
internal static class Clock
{
    /// <summary>The option that asks for the processor's time.</summary>
    internal const string Option = "--processor-time";

    internal static bool IsProcessors { get; set; }

    internal static TimeSpan Now => IsProcessors ? Environment.CpuUsage.TotalTime : Stopwatch.GetElapsedTime(0);

    /// <summary>The same for a script: its function <c>now</c>, in milliseconds.</summary>
    internal static string Script => IsProcessors
        ? "const now = () => { const time = process.cpuUsage(); return (time.user + time.system) / 1e3; };\n"
        : "const now = () => performance.now();\n";
}
