namespace WasmJit.Runtime;

/// <summary>
/// Tells the garbage collector how many bytes the memories hold. The collector counts what it is told in favour of a collection of everything, and
/// does not deduct what is taken back. So it is told of changes of the total alone, not of each memory that comes and goes.
/// </summary>
internal static class MemoryPressure
{
    /// <summary>The collector does not hear of changes by less than this.</summary>
    private const long Step = 32 << 20;

    private static readonly Lock Gate = new();
    private static long held;
    private static long told;

    /// <summary>How many bytes the collector believes that there are.</summary>
    internal static long Told => Volatile.Read(ref told);

    /// <summary>Memories hold more bytes, or fewer if it is negative.</summary>
    internal static void Change(long bytes)
    {
        long now = Interlocked.Add(ref held, bytes);
        if (IsFar(now, Volatile.Read(ref told))) Tell();
    }

    /// <summary>More than an eighth and a step above, or less than half and a step below.</summary>
    private static bool IsFar(long now, long before) => now > before + (before / 8) + Step || now < (before / 2) - Step || (now == 0 && before != 0);

    private static void Tell()
    {
        lock (Gate)
        {
            long now = Math.Max(0, Volatile.Read(ref held));
            long change = now - told;
            if (!IsFar(now, told)) return;
            if (change > 0) GC.AddMemoryPressure(change);
            else if (change < 0) GC.RemoveMemoryPressure(-change);
            Volatile.Write(ref told, now);
        }
    }
}
