namespace WasmJit.Runtime;

/// <summary>
/// The shares of a <see cref="Fuel"/>, on which instances of several threads run. Code subtracts from its thread's share without a barrier, and comes here when that
/// is used up. A share is a <see cref="Fuel"/>, too.
/// </summary>
/// <param name="whole">What the host has given.</param>
internal sealed class FuelShares(Fuel whole)
{
    /// <summary>What a share takes at once at most. So much that the lock costs little beside it, even if an iteration costs hundreds of units.</summary>
    private const long MostAtOnce = 1 << 16;

    /// <summary>What may be spent twice in all, where threads run at the same time.</summary>
    private const long MostSpentTwice = 1 << 17;

    /// <summary>What a share takes at once at least, if there is so much.</summary>
    private const long LeastAtOnce = 64;

    /// <summary>A share takes an eighth of what is left (this is the power of two), so that others find something.</summary>
    private const int PartLog2 = 3;

    /// <summary>Each time that so many more shares have something, those that are not in use give it back.</summary>
    private const int ManyShares = 64;

    private readonly Lock gate = new();

    /// <summary>The shares that have taken something.</summary>
    private readonly List<Fuel> holders = [];

    /// <summary>How much was taken from shares that may have been in use.</summary>
    private long spentTwice;

    internal Fuel Whole { get; } = whole;

    /// <summary>What no share has, and what the shares have.</summary>
    internal long Remaining
    {
        get
        {
            lock (gate)
            {
                long all = Math.Max(0, Whole.Left);
                foreach (Fuel share in holders) all += Math.Clamp(Volatile.Read(ref share.Left), 0, long.MaxValue - all);
                return all;
            }
        }
    }

    /// <summary>Adds units.</summary>
    /// <returns>How many: there are never more than <see cref="long.MaxValue"/>.</returns>
    internal long Add(long amount)
    {
        lock (gate)
        {
            long added = Math.Min(amount, long.MaxValue - Remaining);
            Put(added);
            return added;
        }
    }

    /// <summary>A share below zero has taken what it could not pay. That is paid here, and it gets more.</summary>
    /// <exception cref="TrapException">There is not so much.</exception>
    internal void Give(Fuel share)
    {
        long needed = -share.Left;
        share.Left = 0;
        lock (gate)
        {
            int thread = Environment.CurrentManagedThreadId;
            Take((ulong)needed, thread);
            long more = Math.Min(Whole.Left, Math.Clamp(Whole.Left >> PartLog2, LeastAtOnce, MostAtOnce));
            Whole.Left -= more;
            share.Left = more;
            share.LastThread = thread;
            if (share.IsHolder) return;
            share.IsHolder = true;
            holders.Add(share);
            if (holders.Count % ManyShares == 0) Collect(thread, long.MaxValue, mayBeInUse: false, share);
        }
    }

    /// <summary>What one operator, or the host, takes. It is taken from the whole if the share has too little.</summary>
    /// <param name="fuel">The share, or the whole.</param>
    /// <param name="units">How much.</param>
    /// <exception cref="TrapException">There is not so much.</exception>
    internal void Pay(Fuel fuel, ulong units)
    {
        if (!ReferenceEquals(fuel, Whole))
        {
            long left = fuel.Left;
            if (left >= 0 && (ulong)left >= units)
            {
                fuel.Left = left - (long)units;
                return;
            }
        }
        lock (gate) Take(units, Environment.CurrentManagedThreadId);
    }

    /// <summary>Takes all that a share has: its thread does not run any more, or not now.</summary>
    internal void TakeBack(Fuel share)
    {
        lock (gate)
        {
            if (!share.IsHolder) return;
            share.IsHolder = false;
            holders.Remove(share);
            Put(Math.Max(0, Interlocked.Exchange(ref share.Left, 0)));
        }
    }

    /// <summary>Adds to the whole.</summary>
    private void Put(long units)
    {
        long left = Math.Max(0, Whole.Left);
        Whole.Left = units > long.MaxValue - left ? long.MaxValue : left + units;
    }

    /// <summary>Takes from the whole. If that has too little, shares give back what they have.</summary>
    /// <exception cref="TrapException">There is not so much.</exception>
    private void Take(ulong units, int thread)
    {
        if (!Has(units)) Collect(thread, units, mayBeInUse: true);
        if (!Has(units))
        {
            Whole.Left = 0;
            Fuel.Exhausted();
        }
        Whole.Left -= (long)units;
    }

    /// <summary>Whether the whole has so much.</summary>
    private bool Has(ulong units) => Whole.Left >= 0 && (ulong)Whole.Left >= units;

    /// <summary>
    /// Takes back what shares have, until the whole has enough. A share that the calling thread was the last to fill is not in use: its guest does not run, or waits for this thread. The guest
    /// of another share may be running, and then spends once more what is taken back here.
    /// </summary>
    /// <param name="thread">The calling thread.</param>
    /// <param name="needed">What the whole is to have.</param>
    /// <param name="mayBeInUse">Whether shares are taken from that may be in use. That is done for <see cref="MostSpentTwice"/> in all.</param>
    /// <param name="except">A share that keeps what it has.</param>
    private void Collect(int thread, ulong needed, bool mayBeInUse, Fuel? except = null)
    {
        foreach (Fuel share in holders)
        {
            if (Has(needed)) break;
            if (ReferenceEquals(share, except)) continue;
            long has = Volatile.Read(ref share.Left);
            if (has > 0)
            {
                if (share.LastThread != thread)
                {
                    if (!mayBeInUse || has > MostSpentTwice - spentTwice) continue;
                    spentTwice += has;
                }
                Put(Math.Max(0, Interlocked.Exchange(ref share.Left, 0)));
            }
            share.IsHolder = false;
        }
        holders.RemoveAll(static share => !share.IsHolder);
    }
}
