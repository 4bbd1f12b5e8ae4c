using WasmJit.Runtime;

namespace WasmJit;

/// <summary>
/// What one guest has of the things that <see cref="ResourceLimits"/> limits. An instance that the host makes gets one from its engine's options, or
/// is given one. Instances that are given the same object count together. Any number of threads may use it.
/// </summary>
/// <param name="limits">The limits.</param>
public sealed class GuestResources(ResourceLimits limits)
{
    /// <summary>So many objects of a kind may have been dropped and be there still, however few the guest may have.</summary>
    private const int FewDropped = 64;

    private readonly long[] used = new long[(int)ResourceKind.Threads + 1];

    /// <summary>
    /// What the guest has dropped and what is not garbage yet: it counts in no limit, but takes memory and addresses. There may be as many of it as the guest may
    /// have of the kind.
    /// </summary>
    private readonly long[] dropped = new long[(int)ResourceKind.Threads + 1];
    private readonly PacedCollection collection = new();

    /// <summary>The limits.</summary>
    public ResourceLimits Limits { get; } = limits ?? throw new ArgumentNullException(nameof(limits));

    /// <summary>How many the guest has. Objects that it no longer uses count until the garbage collector has found them.</summary>
    /// <param name="kind">The kind of resource.</param>
    public long InUse(ResourceKind kind) => Volatile.Read(ref used[(int)kind]);

    /// <summary>Counts something that is about to be made.</summary>
    /// <param name="one">The kind that it counts in by number.</param>
    /// <param name="of">The kind that it counts in by amount; null for an instance.</param>
    /// <param name="amount">The amount.</param>
    /// <exception cref="ResourceLimitException">It may not be made.</exception>
    internal ResourceLease Take(ResourceKind one, ResourceKind? of = null, ulong amount = 0)
    {
        Demand(one, 1);
        try
        {
            if (of is { } kind) Demand(kind, amount > long.MaxValue ? long.MaxValue : (long)amount);
        }
        catch
        {
            Give(one, 1);
            throw;
        }
        return new ResourceLease(this, one, of ?? one, (long)amount);
    }

    private void Demand(ResourceKind kind, long amount)
    {
        if (TryTake(kind, amount, mayCollect: true)) return;
        long inUse = InUse(kind), most = Limits.Maximum(kind);
        throw new ResourceLimitException(kind, inUse > most - amount ? $"{inUse} in use, {amount} more asked for, {most} are allowed"
            : HasDroppedTooMany(kind) ? $"{Volatile.Read(ref dropped[(int)kind])} were dropped and are still referred to"
            : $"the host refuses {amount} beside {inUse} in use");
    }

    private bool HasDroppedTooMany(ResourceKind kind) => Volatile.Read(ref dropped[(int)kind]) >= Math.Max(Limits.Maximum(kind), FewDropped);

    /// <summary>
    /// Counts more of something. At the limit garbage is collected, if the caller says that there may be any. The next such collection waits, so a
    /// guest at its limit cannot keep a processor busy.
    /// </summary>
    internal bool TryTake(ResourceKind kind, long amount, bool mayCollect)
    {
        bool isTaken = IsTaken(kind, amount, mayCollect);
        if (!isTaken) WasmJitMetrics.Refused(kind);
        return isTaken;
    }

    private bool IsTaken(ResourceKind kind, long amount, bool mayCollect)
    {
        if (!TryAdd(kind, amount))
        {
            // An amount that is beyond the limit by itself is refused at once: no garbage makes a difference.
            if (!mayCollect || amount > Limits.Maximum(kind)) return false;
            collection.Run();
            if (!TryAdd(kind, amount)) return false;
        }
        bool isAllowed = false;
        try
        {
            isAllowed = Limits.Allow?.Invoke(new ResourceRequest(kind, InUse(kind) - amount, amount)) ?? true;
        }
        finally
        {
            if (!isAllowed) Give(kind, amount);
        }
        return isAllowed;
    }

    private bool TryAdd(ResourceKind kind, long amount)
    {
        if (HasDroppedTooMany(kind)) return false;
        ref long count = ref used[(int)kind];
        long most = Limits.Maximum(kind);
        while (true)
        {
            long now = Volatile.Read(ref count);
            if (amount > most - now) return false;
            if (Interlocked.CompareExchange(ref count, now + amount, now) == now) return true;
        }
    }

    internal void Give(ResourceKind kind, long amount) => Interlocked.Add(ref used[(int)kind], -amount);

    /// <summary>The guest has dropped an object.</summary>
    internal void NoteDropped(ResourceKind kind) => Interlocked.Increment(ref dropped[(int)kind]);

    /// <summary>An object that the guest has dropped is garbage.</summary>
    internal void ForgetDropped(ResourceKind kind) => Interlocked.Decrement(ref dropped[(int)kind]);
}
