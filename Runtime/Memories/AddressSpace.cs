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

    /// <summary>From so many slots on, garbage is collected before more are reserved.</summary>
    private const int SlotsBeforeCollection = 256;

    /// <summary>64 TiB: half of the address space stays for stacks, the heap and 64-bit memories.</summary>
    private const int MaxSlots = 8192;

    /// <summary>Slots given back with up to this many bytes keep them committed, cleared: faster than new pages.</summary>
    private const ulong KeptResident = 1 << 20;

    /// <summary>How many bytes all such slots together keep.</summary>
    private const ulong KeptResidentInAll = 32 << 20;

    private static readonly Lock Gate = new();
    private static readonly Stack<Slot> Free = new();
    private static readonly Stack<Slot> Clean = new();
    private static ulong kept;
    private static int slots;

    /// <summary>A slot that nobody uses; its first <c>Committed</c> bytes can be accessed and are zero.</summary>
    private readonly record struct Slot(nint Base, ulong Committed);

    /// <summary>
    /// What stands for the base of no memory: a slot in which nothing is ever committed, so that an access through a null
    /// reference faults there, and needs no check. 0 where faults are no traps; there code checks.
    /// </summary>
    internal static readonly nint NullBase = ReserveNull();

    private static nint ReserveNull()
    {
        if (!FaultHandler.IsSupported) return 0;
        byte* at = Pages.Reserve(SlotSize);
        if (at is null || !FaultHandler.AddRange((nint)at, (nint)(at + SlotSize)))
            throw new InsufficientMemoryException("No address space is left for linear memories.");
        return (nint)at;
    }

    /// <summary>Whether a fault was an access through a null reference to a memory.</summary>
    internal static bool IsNull(ulong address) => address - (ulong)NullBase < SlotSize;

    /// <summary>Slots ever reserved, used or not.</summary>
    internal static int Slots => Volatile.Read(ref slots);

    /// <summary>Takes a slot with exactly <paramref name="committed"/> zeroed bytes.</summary>
    /// <exception cref="InsufficientMemoryException">No address space or no memory is left.</exception>
    internal static byte* Take(ulong committed)
    {
        for (int attempt = 0; ; attempt++)
        {
            if (TryTake(committed, mayReserve: attempt > 0) is var slot && slot is not null) return slot;
            if (attempt == 3) throw new InsufficientMemoryException($"No address space or memory is left for {committed} bytes.");
            // Dropped memories wait for their finalizers: the collector does not know how large the reservations are.
            GC.Collect();
            GC.WaitForPendingFinalizers();
            lock (Gate)
            {
                // Where most are in use, the next collection must not come soon.
                if (Free.Count + Clean.Count < slots / 4) AddArena(slots / 2);
            }
        }
    }

    private static byte* TryTake(ulong committed, bool mayReserve)
    {
        Slot slot;
        lock (Gate)
        {
            if (!(committed != 0 && TryPopFree(out slot)) && !Clean.TryPop(out slot) && !TryPopFree(out slot))
            {
                if (!(mayReserve || slots < SlotsBeforeCollection) || !AddArena(SlotsPerArena)) return null;
                slot = Clean.Pop();
            }
        }
        var at = (byte*)slot.Base;
        bool fits = slot.Committed > committed
            ? Pages.Decommit(at + committed, slot.Committed - committed)
            : Pages.Commit(at + slot.Committed, committed - slot.Committed);
        if (fits) return at;
        // The slot is put back as it was; a guest must not get bytes beyond its memory that it can access.
        lock (Gate) PushFree(slot);
        return null;
    }

    private static bool TryPopFree(out Slot slot)
    {
        if (!Free.TryPop(out slot)) return false;
        kept -= slot.Committed;
        return true;
    }

    private static void PushFree(Slot slot)
    {
        kept += slot.Committed;
        (slot.Committed == 0 ? Clean : Free).Push(slot);
    }

    private static bool AddArena(int wanted)
    {
        for (int count = Math.Min(wanted, MaxSlots - slots); count >= 1; count /= 2)
        {
            ulong size = SlotSize * (ulong)count;
            byte* arena = Pages.Reserve(size);
            if (arena is null) continue;
            bool known = false;
            try
            {
                known = FaultHandler.AddRange((nint)arena, (nint)(arena + size));
            }
            finally
            {
                if (!known) Pages.Release(arena, size);
            }
            if (!known) return false;
            for (int i = count - 1; i >= 0; i--) Clean.Push(new Slot((nint)(arena + ((ulong)i * SlotSize)), 0));
            slots += count;
            return true;
        }
        return false;
    }

    /// <summary>Gives a slot back; called by finalizers.</summary>
    internal static void Give(byte* at, ulong committed)
    {
        if (committed != 0 && (committed > KeptResident || Volatile.Read(ref kept) + committed > KeptResidentInAll))
        {
            if (Pages.Decommit(at, committed)) committed = 0;
        }
        for (ulong cleared = 0; cleared < committed;)
        {
            int part = (int)Math.Min(committed - cleared, 1 << 30);
            new Span<byte>(at + cleared, part).Clear();
            cleared += (ulong)part;
        }
        lock (Gate) PushFree(new Slot((nint)at, committed));
    }

    /// <summary>The address within its memory of an address in an arena; null for others.</summary>
    internal static ulong? OffsetInMemory(ulong address) => FaultHandler.OffsetInRange(address) % SlotSize;
}
