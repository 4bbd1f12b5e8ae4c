namespace WasmJit.Runtime;

/// <summary>
/// Address space for memories whose accesses are always compared with their length. Each reserves as much as it may grow to, within limits that leave
/// room for others. A memory never moves, so it cannot grow further.
/// </summary>
/// <remarks>Unsafe: a reservation belongs to one Memory from Take to Give. Only the memory's finalizer gives it back.</remarks>
internal static unsafe class Reservations
{
    /// <summary>Together they reserve about this much for growth, as long as each can have <see cref="LeastReach"/>.</summary>
    private static readonly ulong ReachInAll = !Pages.AreLent ? 1UL << 30 : AddressLimit.IsDear ? 32UL << 30 : 32UL << 40;

    /// <summary>The divisor of the rest: the share that each may take from the beginning.</summary>
    private const int Parts = 64;

    /// <summary>Each memory may grow to this, if its type allows it and there is address space. Where a reservation takes memory at once it is little.</summary>
    private static readonly ulong LeastReach = Pages.AreLent ? 1UL << 30 : 32UL << 20;

    /// <summary>The same divisor if the process's address space is limited.</summary>
    private const int PartsOfLimit = 2;

    /// <summary>How many free reservations are kept, and up to how many bytes of each stay committed.</summary>
    private const int MaxFree = 64;
    private const ulong KeptResident = 256 << 10;

    private static readonly Lock Gate = new();
    private static readonly Dictionary<ulong, Stack<(nint Base, ulong Committed)>> Free = [];
    private static int free;
    private static ulong reserved;

    /// <summary>From this number of reservations on, young garbage is collected.</summary>
    private static readonly int LeastBeforeCollection = AddressLimit.IsDear ? 64 : 512;
    private static int inUse;
    private static int nextCollection = LeastBeforeCollection;

    /// <summary>Reserves address space, of which the first bytes are zero and can be accessed.</summary>
    /// <param name="committed">How many; a multiple of the page size.</param>
    /// <param name="reach">How far the memory may grow; less afterwards where there is no room, but not less than <paramref name="committed"/>.</param>
    /// <exception cref="InsufficientMemoryException">No address space, no memory or no mapping is left.</exception>
    internal static byte* Take(ulong committed, ref ulong reach)
    {
        if (Volatile.Read(ref inUse) >= Volatile.Read(ref nextCollection)) CollectYoung();
        for (bool collected = false; ; collected = true)
        {
            ulong most = MostFor(committed, reach);
            byte* at = most == 0 ? null : TryTake(committed, ref most);
            if (at is not null)
            {
                Interlocked.Increment(ref inUse);
                reach = most;
                return at;
            }
            if (collected) throw new InsufficientMemoryException($"No address space or memory is left for {committed} bytes.{AddressLimit.Hint}");
            DropFree();
            PacedCollection.OfProcess.Run();
        }
    }

    private static void CollectYoung()
    {
        int most = Volatile.Read(ref nextCollection) / 2;
        YoungCollection.Run(() => Volatile.Read(ref inUse) <= most);
        // Where most are in use, the next collection must not come soon.
        Volatile.Write(ref nextCollection, Math.Max(LeastBeforeCollection, Volatile.Read(ref inUse) * 2));
    }

    private static ulong MostFor(ulong committed, ulong reach)
    {
        ulong left = AddressLimit.Left, least = Math.Max(committed, Memory.OsPage);
        if (left != ulong.MaxValue) return least > left ? 0 : Math.Max(least, Math.Min(reach, Memory.Align(left / PartsOfLimit)));
        ulong taken = Volatile.Read(ref reserved);
        ulong part = taken < ReachInAll ? Memory.Align((ReachInAll - taken) / Parts) : 0;
        return Math.Max(committed, Math.Min(reach, Math.Max(part, LeastReach)));
    }

    private static byte* TryTake(ulong committed, ref ulong bytes)
    {
        if (TryReuse(committed, bytes) is var kept && kept is not null) return kept;
        if (!Mappings.TryTakeNow(Mappings.OfMemory)) return null;
        for (; ; bytes = Math.Max(Memory.Align(bytes / 4), Math.Max(committed, Memory.OsPage)))
        {
            byte* at = Pages.Reserve(bytes);
            if (at is not null)
            {
                if (Pages.Commit(at, committed))
                {
                    Interlocked.Add(ref reserved, bytes);
                    return at;
                }
                Pages.Release(at, bytes);
                break;
            }
            if (bytes <= Math.Max(committed, Memory.OsPage)) break;
        }
        Mappings.Give(Mappings.OfMemory);
        return null;
    }

    private static byte* TryReuse(ulong committed, ulong bytes)
    {
        (nint Base, ulong Committed) item;
        lock (Gate)
        {
            if (!Free.TryGetValue(bytes, out Stack<(nint, ulong)>? of) || !of.TryPop(out item)) return null;
            free--;
            if (of.Count == 0) Free.Remove(bytes);
        }
        var at = (byte*)item.Base;
        bool fits = item.Committed > committed
            ? Pages.Decommit(at + committed, item.Committed - committed)
            : Pages.Commit(at + item.Committed, committed - item.Committed);
        if (fits) return at;
        Release(at, bytes);
        return null;
    }

    /// <summary>Gives a reservation back; called by finalizers.</summary>
    /// <param name="at">Its first byte.</param>
    /// <param name="committed">How many bytes can be accessed.</param>
    /// <param name="reach">Its size.</param>
    /// <param name="isEmpty">Whether its pages have been given back, so that few of them hold memory.</param>
    internal static void Give(byte* at, ulong committed, ulong reach, bool isEmpty)
    {
        Interlocked.Decrement(ref inUse);
        if (committed <= KeptResident && Volatile.Read(ref free) < MaxFree && AddressLimit.Bytes == ulong.MaxValue)
        {
            if (!isEmpty || !Pages.Discard(at, committed)) AddressSpace.Clear(at, committed);
            lock (Gate)
            {
                if (!Free.TryGetValue(reach, out Stack<(nint, ulong)>? of)) Free[reach] = of = [];
                of.Push(((nint)at, committed));
                free++;
                return;
            }
        }
        Release(at, reach);
    }

    private static void Release(byte* at, ulong reach)
    {
        Pages.Release(at, reach);
        Interlocked.Add(ref reserved, 0 - reach);
        Mappings.Give(Mappings.OfMemory);
    }

    private static void DropFree()
    {
        lock (Gate)
        {
            foreach ((ulong reach, Stack<(nint Base, ulong Committed)> of) in Free)
                foreach ((nint at, _) in of) Release((byte*)at, reach);
            Free.Clear();
            free = 0;
        }
    }
}
