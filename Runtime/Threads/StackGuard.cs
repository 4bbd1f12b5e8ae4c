using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace WasmJit.Runtime;

/// <summary>
/// Tells generated code that the stack ends, without passing anything to it: a map with one byte for each 16 KiB of the address space, non-zero where
/// a thread's stack has its red zone. Functions that call others look up the address of a local. So the limit is that of the running thread, whatever
/// instance is called, and crossing instances costs nothing.
/// </summary>
/// <remarks>
/// Unsafe: the map covers every address that a local can have; it is never released. On Windows only the parts for the stacks of known threads are there,
/// and only known threads run guests.
/// </remarks>
internal static unsafe class StackGuard
{
    internal const int GranuleLog2 = 14;

    private const ulong Granule = 1UL << GranuleLog2;

    /// <summary>How many bits the address of a local has: half of x64's 48 belong to the kernel, those of ARM64 are all the program's.</summary>
    private static readonly int AddressBits = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 48 : 47;

    /// <summary>The map's mark for frames of a thread whose guests are to stop; 1 stands for a stack's end.</summary>
    internal const byte Stopped = 2;

    /// <summary>The part of a stack for host functions, the collector and exception handling.</summary>
    private const ulong RedZone = 256 * 1024;

    /// <summary>
    /// Small stacks leave half, up to this. An exception takes more than 32 KiB, and the .NET JIT, for host code that runs for the first time, as
    /// much again.
    /// </summary>
    private const ulong SmallestRedZone = 128 * 1024;

    /// <summary>Whether the map's pages can be accessed before they are needed, and take memory only then. Windows counts all that can be accessed.</summary>
    private static readonly bool IsWhole = OperatingSystem.IsLinux();

    private static readonly Lock Gate = new();
    private static readonly List<Zone> Zones = [];

    /// <summary>The map, null where generated code calls <see cref="Check"/> instead.</summary>
    internal static readonly byte* Map = MakeMap();

    /// <summary>A thread's stack, in bytes, and how much at its low end is red.</summary>
    internal sealed class Zone(ulong low, ulong high, ulong size)
    {
        internal readonly ulong Low = low;
        internal readonly ulong High = high;

        /// <summary>Differs from <see cref="Low"/> while guests have a limit of their own.</summary>
        internal ulong Size = size;

        /// <summary>Rounded up: the granule that <see cref="Low"/> shares may hold the top of another thread's stack.</summary>
        internal ulong FirstGranule => (Low + Granule - 1) >> GranuleLog2;

        internal ulong EndGranule => (Low + Size + Granule - 1) >> GranuleLog2;
    }

    /// <summary>The map takes 8 or 16 GiB of address space. Where that is scarce, memories need it more.</summary>
    private static byte* MakeMap()
    {
        if (IntPtr.Size != 8 || !(OperatingSystem.IsLinux() || OperatingSystem.IsWindows())) return null;
        ulong size = 1UL << (AddressBits - GranuleLog2);
        if (AddressLimit.Left / 8 < size) return null;
        return IsWhole ? Pages.ReserveZeroed(size) : Pages.Reserve(size);
    }

    /// <summary>Makes the map's bytes for a stack accessible. They stay it.</summary>
    private static void Cover(ulong low, ulong high)
    {
        if (IsWhole) return;
        const ulong page = Memory.OsPage;
        ulong first = (low >> GranuleLog2) & ~(page - 1), end = Memory.Align((high >> GranuleLog2) + 1);
        if (!Pages.Commit(Map + first, end - first)) throw new InsufficientMemoryException("No memory is left to mark the stack of a thread.");
    }

    internal static ulong RedZoneOf(ulong stack) =>
        Math.Min(RedZone, Math.Max(stack / 4, Math.Min(SmallestRedZone, stack / 2)));

    /// <summary>Marks the red zone of a stack. Stacks of threads that are gone may have been there.</summary>
    internal static Zone? Mark(ulong low, ulong high, ulong? red = null)
    {
        if (Map is null) return null;
        Cover(low, high);
        var zone = new Zone(low, high, red ?? RedZoneOf(high - low));
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

    /// <summary>
    /// Marks the granules of a thread's frames, from <paramref name="top"/> down to the stack's end, so that guests in them stop; or takes the mark
    /// away.
    /// </summary>
    internal static void Mark(Zone? zone, ulong low, ulong top, bool stop)
    {
        if (Map is null) return;
        // Where a stack may grow without limit, frames further down go on until they return.
        const ulong most = 1UL << 30;
        ulong bottom = low == 0 || top - low > most ? top - Math.Min(most, top) : low;
        lock (Gate)
        {
            for (ulong g = (bottom + Granule - 1) >> GranuleLog2; g <= top >> GranuleLog2; g++)
                Volatile.Write(ref Map[g], stop ? Stopped : (byte)0);
            if (!stop && zone is not null) Fill(zone, 1);
        }
    }

    /// <summary>Makes another part of a stack's low end red.</summary>
    internal static void Resize(Zone? zone, ulong size)
    {
        if (zone is null) return;
        lock (Gate)
        {
            ulong old = zone.EndGranule;
            zone.Size = size;
            ulong end = zone.EndGranule;
            var changed = new Span<byte>(Map + Math.Min(old, end), (int)(Math.Max(old, end) - Math.Min(old, end)));
            byte value = (byte)(end > old ? 1 : 0);
            // Marks of a thread whose guests are to stop stay. They go when that ends, and the zone is marked again.
            if (!changed.Contains(Stopped)) changed.Fill(value);
            else changed.Replace((byte)(1 - value), value);
        }
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
        for (ulong g = zone.FirstGranule; g < zone.EndGranule; g++) Volatile.Write(ref Map[g], value);
    }

    /// <summary>The check where there is no map.</summary>
    internal static void Check()
    {
        byte local;
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack() || (ulong)&local < WasmThread.Current.StackLimit || WasmThread.IsStopped)
            CancellationScope.Stop();
    }

    /// <summary>The check before a function whose frame may be larger than the red zone.</summary>
    internal static void EnsureSpace(long bytes)
    {
        byte local;
        ulong here = (ulong)&local;
        ulong limit = WasmThread.Current.StackLimit;
        if (limit == 0) limit = here - (512 * 1024);
        if (here < limit || here - limit < (ulong)bytes) throw Trap.Make(TrapKind.CallStackExhausted);
    }
}
