namespace WasmJit.Runtime;

/// <summary>Keeps something counted in a guest's resources. The counted object holds it, so that both live equally long.</summary>
internal sealed class ResourceLease(GuestResources owner, ResourceKind one, ResourceKind of, long amount)
{
    private long amount = amount;
    private bool hasEnded, isDropped;

    ~ResourceLease()
    {
        End();
        if (isDropped) owner.ForgetDropped(one);
    }

    /// <summary>The counted object is no longer used: it has been disposed of, or is gone.</summary>
    internal void End()
    {
        if (!Interlocked.Exchange(ref hasEnded, true)) owner.Give(one, 1);
        GiveAmount();
    }

    /// <summary>
    /// A guest has dropped the counted object, which counts no longer. The guest may still refer to it, and it takes memory until it is garbage, so the
    /// owner knows how many of these there are.
    /// </summary>
    internal void Drop()
    {
        if (!Interlocked.Exchange(ref hasEnded, true))
        {
            isDropped = true;
            owner.NoteDropped(one);
            owner.Give(one, 1);
        }
        GiveAmount();
    }

    /// <summary>A table that others have still may grow again after the first end: the finalizer gives that back.</summary>
    private void GiveAmount()
    {
        if (of != one) owner.Give(of, Interlocked.Exchange(ref amount, 0));
    }

    /// <summary>Counts growth.</summary>
    internal bool TryGrow(ulong more)
    {
        // If this object is the only user, there is no garbage of others to collect.
        if (!owner.TryTake(of, more > long.MaxValue ? long.MaxValue : (long)more, mayCollect: owner.InUse(one) > 1)) return false;
        Interlocked.Add(ref amount, (long)more);
        return true;
    }

    /// <summary>It has not grown, or has become smaller.</summary>
    internal void Shrink(ulong less)
    {
        // What the end has given back is not given back again.
        for (long seen = Volatile.Read(ref amount); seen >= (long)less;)
        {
            long before = Interlocked.CompareExchange(ref amount, seen - (long)less, seen);
            if (before == seen)
            {
                owner.Give(of, (long)less);
                return;
            }
            seen = before;
        }
    }
}

/// <summary>Something may not be made for a guest.</summary>
internal sealed class ResourceLimitException(ResourceKind kind, string reason)
    : Exception($"{NameOf(kind)}: {reason}")
{
    internal ResourceKind Kind => kind;

    private static string NameOf(ResourceKind kind) => kind switch
    {
        ResourceKind.Instances => "instances",
        ResourceKind.Memories => "memories",
        ResourceKind.MemoryBytes => "bytes of memories",
        ResourceKind.Tables => "tables",
        ResourceKind.TableElements => "elements of tables",
        ResourceKind.Handles => "handles",
        ResourceKind.Threads => "threads",
    };
}
