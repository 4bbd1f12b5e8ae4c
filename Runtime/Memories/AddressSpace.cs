namespace WasmJit.Runtime;

/// <summary>
/// Where linear memories live. A 32-bit memory takes a slot of 8 GiB and a guard in an arena of many: index and offset are
/// each below 4 GiB, so whatever generated code addresses lies in the slot, and what is not committed faults there. The
/// fault handler knows the arenas. A 64-bit memory has a reservation of its own and is always checked.
/// </summary>
/// <remarks>Unsafe: a slot belongs to one Memory from Take to Give; only its finalizer gives it back.</remarks>
internal static unsafe class AddressSpace
{
    /// <summary>Index and offset below 4 GiB each, and 64 KiB for the widest access beyond.</summary>
    internal const ulong SlotSize = (8UL << 30) + 65536;

    private const int SlotsPerArena = 128;

    /// <summary>Slots given back with up to this many bytes keep them committed, cleared.</summary>
    private const ulong KeptResident = 256 * 1024;

    private static readonly Lock Gate = new();
    private static readonly Stack<Slot> Free = new();
    private static readonly Stack<Slot> Clean = new();

    internal readonly record struct Slot(nint Base, ulong Committed);

    /// <summary>Takes a slot with at least <paramref name="committed"/> zeroed bytes.</summary>
    /// <exception cref="InsufficientMemoryException">No address space or no memory is left.</exception>
    internal static byte* Take(ulong committed)
    {
        for (int attempt = 0; ; attempt++)
        {
            if (TryTake(committed) is var slot && slot is not null) return slot;
            if (attempt == 2) throw new InsufficientMemoryException("No address space is left for a linear memory.");
            // Dropped memories wait for their finalizers.
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    private static byte* TryTake(ulong committed)
    {
        Slot slot;
        lock (Gate)
        {
            if (!(committed != 0 && Free.TryPop(out slot)) && !Clean.TryPop(out slot) && !Free.TryPop(out slot))
            {
                if (!AddArena()) return null;
                slot = Clean.Pop();
            }
        }
        var at = (byte*)slot.Base;
        if (slot.Committed > committed) Pages.Decommit(at + committed, slot.Committed - committed);
        else if (!Pages.Commit(at + slot.Committed, committed - slot.Committed))
        {
            lock (Gate) Clean.Push(slot);
            throw new InsufficientMemoryException($"The system has no {committed} bytes for a linear memory.");
        }
        return at;
    }

    private static bool AddArena()
    {
        for (int slots = SlotsPerArena; slots >= 1; slots /= 8)
        {
            ulong size = SlotSize * (ulong)slots;
            byte* arena = Pages.Reserve(size);
            if (arena is null) continue;
            if (!FaultHandler.AddRange((nint)arena, (nint)(arena + size)))
            {
                Pages.Release(arena, size);
                return false;
            }
            for (int i = slots - 1; i >= 0; i--) Clean.Push(new Slot((nint)(arena + ((ulong)i * SlotSize)), 0));
            return true;
        }
        return false;
    }

    /// <summary>Gives a slot back; called by finalizers.</summary>
    internal static void Give(byte* at, ulong committed)
    {
        if (committed == 0)
        {
            lock (Gate) Clean.Push(new Slot((nint)at, 0));
            return;
        }
        if (committed <= KeptResident)
        {
            new Span<byte>(at, (int)committed).Clear();
            lock (Gate)
            {
                if (Free.Count < 64)
                {
                    Free.Push(new Slot((nint)at, committed));
                    return;
                }
            }
        }
        Pages.Decommit(at, committed);
        lock (Gate) Clean.Push(new Slot((nint)at, 0));
    }
}
