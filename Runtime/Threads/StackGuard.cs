using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>
/// Tells generated code that the stack ends, without passing anything to it: a map with one byte for each 64 KiB of the
/// address space, non-zero where a thread's stack has its red zone. Functions that call others look up the address of a
/// local. So the limit is that of the thread that runs, whatever instance is called, and crossing instances costs nothing.
/// </summary>
/// <remarks>Unsafe: the map covers every address a local can have (47 bits); it is never released.</remarks>
internal static unsafe class StackGuard
{
    internal const int GranuleLog2 = 16;

    /// <summary>What is left below the red zone's start for host functions, the collector and exception handling.</summary>
    private const ulong RedZone = 256 * 1024;

    private static readonly Lock Gate = new();
    private static readonly List<Zone> Zones = [];

    /// <summary>The map, null where generated code calls <see cref="Check"/> instead.</summary>
    internal static readonly byte* Map = MakeMap();

    internal sealed record Zone(ulong Low, ulong End, ulong High);

    private static byte* MakeMap() => OperatingSystem.IsLinux() && IntPtr.Size == 8 ? Pages.ReserveZeroed(1UL << (47 - GranuleLog2)) : null;

    /// <summary>Marks the red zone of a stack; stacks of threads that are gone may have stood there.</summary>
    internal static Zone? Mark(ulong low, ulong high)
    {
        if (Map is null) return null;
        ulong size = Math.Min(RedZone, (high - low) / 4);
        var zone = new Zone(low >> GranuleLog2, (low + size + (1UL << GranuleLog2) - 1) >> GranuleLog2, high >> GranuleLog2);
        lock (Gate)
        {
            for (int i = Zones.Count - 1; i >= 0; i--)
            {
                Zone other = Zones[i];
                if (other.High <= zone.Low || zone.High <= other.Low) continue;
                Fill(other, 0);
                Zones.RemoveAt(i);
            }
            Zones.Add(zone);
            Fill(zone, 1);
        }
        return zone;
    }

    internal static void Unmark(Zone? zone)
    {
        if (zone is null) return;
        lock (Gate)
        {
            int index = Zones.FindIndex(z => ReferenceEquals(z, zone));
            if (index < 0) return;
            Fill(zone, 0);
            Zones.RemoveAt(index);
        }
    }

    private static void Fill(Zone zone, byte value)
    {
        for (ulong g = zone.Low; g < zone.End; g++) Volatile.Write(ref Map[g], value);
    }

    /// <summary>The check where there is no map.</summary>
    internal static void Check()
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw Trap.Make(TrapKind.CallStackExhausted);
    }

    /// <summary>The check before a function whose frame may be larger than the red zone.</summary>
    internal static void EnsureSpace(long bytes)
    {
        byte local;
        ulong here = (ulong)&local;
        WasmThread state = WasmThread.Current;
        ulong limit = state.StackLow == 0 ? here - (512 * 1024) : state.StackLow + RedZone;
        if (here < limit || here - limit < (ulong)bytes) throw Trap.Make(TrapKind.CallStackExhausted);
    }
}
