namespace WasmJit.Runtime;

/// <summary>
/// The place of linear memories whose accesses are not compared with their length. Each has a slot of 8 GiB and a guard in an arena of many. Index
/// and offset are each below 4 GiB, so every address of generated code lies in the slot, and uncommitted pages there fault. The fault handler knows
/// the arenas. All other memories are in <see cref="Reservations"/>.
/// </summary>
/// <remarks>Unsafe: a slot belongs to one Memory from Take to Give. Only the memory's finalizer gives it back.</remarks>
internal static unsafe class AddressSpace
{
    /// <summary>
    /// Index and offset below 4 GiB each, and 64 KiB for the widest access beyond. The three pages more keep memories from lying a power of two apart:
    /// processors take a load for one that must wait for a store if only the upper halves of their addresses differ, and a copy from memory to memory,
    /// with offsets that differ by a multiple of 64 KiB, takes twice as long.
    /// </summary>
    internal static readonly ulong SlotSize = (8UL << 30) + 65536 + (3 * (ulong)Environment.SystemPageSize);

    /// <summary>
    /// The first arena is small and each next one as large as all before, up to this: a system that keeps a record of each page, as emulators do,
    /// takes seconds for a large one.
    /// </summary>
    private const int MostInArena = 128;

    private static readonly int LeastInArena = AddressLimit.IsDear ? 1 : 8;

    /// <summary>From this number of slots on, young garbage is collected before more are reserved.</summary>
    private static readonly int SlotsBeforeCollection = AddressLimit.IsDear ? 16 : 256;

    /// <summary>Beyond so many, all garbage is.</summary>
    private static readonly int SlotsBeforeFullCollection = AddressLimit.IsDear ? 32 : 2048;

    /// <summary>64 TiB: half of the address space stays for stacks, the heap and 64-bit memories.</summary>
    private const int MaxSlots = 8192;

    /// <summary>Slots given back with up to this many bytes keep them committed, cleared: faster than new pages.</summary>
    private const ulong KeptResident = 1 << 20;

    /// <summary>How many bytes all such slots together keep.</summary>
    private const ulong KeptResidentInAll = 32 << 20;

    private static readonly Lock Gate = new();
    private static readonly Stack<Slot> Free = new(4);
    private static readonly Stack<Slot> Clean = new(4);
    private static ulong kept;
    private static int slots;

    /// <summary>A free slot; its first <c>Committed</c> bytes can be accessed and are zero.</summary>
    private readonly record struct Slot(nint Base, ulong Committed);

    /// <summary>Guard pages are not used if the process may take less address space than this.</summary>
    private const ulong LeastForGuards = 4UL << 40;

    /// <summary>
    /// The base for null: a slot in which nothing is ever committed, so that an access through a null reference faults there and needs no check. 0 if
    /// faults cannot be traps; code checks then.
    /// </summary>
    internal static readonly nint NullBase = ReserveNull();

    /// <summary>
    /// The same for a memory without guard pages, in code that leaves the check to guard pages: engines of both kinds can pass each other references.
    /// Accesses through such a reference trap.
    /// </summary>
    internal static readonly nint UnguardedBase = NullBase == 0 ? 0 : (nint)((ulong)NullBase + SlotSize);

    private static nint ReserveNull()
    {
        if (!FaultHandler.IsSupported || AddressLimit.Left < LeastForGuards) return 0;
        byte* at = Pages.Reserve(2 * SlotSize);
        return at is not null && FaultHandler.AddRange((nint)at, (nint)(at + (2 * SlotSize))) ? (nint)at : 0;
    }

    /// <summary>Whether guard pages can check accesses: faults can be traps, and there is address space.</summary>
    internal static bool HasGuards => NullBase != 0;

    /// <summary>Whether a fault was an access through a null reference to a memory.</summary>
    internal static bool IsNull(ulong address) => address - (ulong)NullBase < SlotSize;

    /// <summary>Whether a fault was an access to a memory without guard pages.</summary>
    internal static bool IsUnguarded(ulong address) => address - (ulong)UnguardedBase < SlotSize;

    /// <summary>Slots ever reserved, used or not.</summary>
    internal static int Slots => Volatile.Read(ref slots);

    /// <summary>Takes a slot with exactly <paramref name="committed"/> zeroed bytes.</summary>
    /// <exception cref="InsufficientMemoryException">No address space or no memory is left.</exception>
    internal static byte* Take(ulong committed)
    {
        for (int attempt = 0; ; attempt++)
        {
            if (TryTake(committed, mayReserve: attempt > 0) is var slot && slot is not null) return slot;
            if (attempt == 2) throw new InsufficientMemoryException($"No address space or memory is left for {committed} bytes.{AddressLimit.Hint}");
            // Dropped memories wait for their finalizers: the collector does not know how large the reservations are.
            if (attempt != 0 || Slots >= MaxSlots)
            {
                PacedCollection.OfProcess.Run();
            }
            else if (!YoungCollection.Run(HasEnoughFree) && Slots >= SlotsBeforeFullCollection)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
            lock (Gate)
            {
                // Where most are in use, the next collection must not come soon.
                if (!HasEnoughFree()) AddArena(slots / 2);
            }
        }
    }

    private static bool HasEnoughFree()
    {
        lock (Gate) return Free.Count + Clean.Count >= slots / 4;
    }

    private static byte* TryTake(ulong committed, bool mayReserve)
    {
        Slot slot;
        lock (Gate)
        {
            if (!(committed != 0 && TryPopFree(out slot)) && !Clean.TryPop(out slot) && !TryPopFree(out slot))
            {
                if (!(mayReserve || slots < SlotsBeforeCollection) || !AddArena(Math.Clamp(slots, LeastInArena, MostInArena))) return null;
                slot = Clean.Pop();
            }
        }
        if (SetCommitted((byte*)slot.Base, slot.Committed, committed)) return (byte*)slot.Base;
        // The slot is made inaccessible again: a guest must not get bytes beyond its memory that it can access.
        lock (Gate) PushFree(slot);
        return null;
    }

    /// <summary>Changes how much of a slot can be accessed. A slot without accessible pages costs no mapping.</summary>
    /// <returns>False if the system has no room for the change: then nothing has changed.</returns>
    internal static bool SetCommitted(byte* at, ulong from, ulong to)
    {
        if (from > to)
        {
            if (!Pages.Decommit(at + to, from - to)) return false;
            if (to == 0) Mappings.Give(Mappings.OfMemory);
            return true;
        }
        bool isFirst = from == 0 && to != 0;
        if (isFirst && !Mappings.TryTakeNow(Mappings.OfMemory)) return false;
        if (Pages.Commit(at + from, to - from)) return true;
        if (isFirst) Mappings.Give(Mappings.OfMemory);
        return false;
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
    /// <param name="at">Its first byte.</param>
    /// <param name="committed">How many bytes can be accessed.</param>
    /// <param name="isEmpty">Whether its pages have been given back, so that few of them hold memory.</param>
    internal static void Give(byte* at, ulong committed, bool isEmpty)
    {
        if (committed != 0 && (committed > KeptResident || Volatile.Read(ref kept) + committed > KeptResidentInAll))
        {
            if (SetCommitted(at, committed, 0)) committed = 0;
        }
        if (!isEmpty || !Pages.Discard(at, committed)) Clear(at, committed);
        lock (Gate) PushFree(new Slot((nint)at, committed));
    }

    internal static void Clear(byte* at, ulong bytes)
    {
        for (ulong cleared = 0; cleared < bytes;)
        {
            int part = (int)Math.Min(bytes - cleared, 1 << 30);
            new Span<byte>(at + cleared, part).Clear();
            cleared += (ulong)part;
        }
    }

    /// <summary>The address within its memory of an address in an arena; null for others.</summary>
    internal static ulong? OffsetInMemory(ulong address) => FaultHandler.OffsetInRange(address) % SlotSize;
}
