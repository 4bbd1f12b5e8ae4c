namespace WasmJit.Linking;

/// <summary>
/// The modules and functions that one instance has had compiled while it ran, as far as they are there. Only instances whose code can ask have one.
/// </summary>
internal sealed class CodeLedger
{
    private long count, bytes;

    internal (long Count, long Bytes) Total => (Volatile.Read(ref count), Volatile.Read(ref bytes));

    /// <summary>That of an instance; null if its code never asks.</summary>
    internal static CodeLedger? Of(Instance owner) => !owner.Module.Info.MayManageCode ? null
        : owner.Ledger ?? Interlocked.CompareExchange(ref owner.Ledger, new CodeLedger(), null) ?? owner.Ledger;

    internal void Add(int sign, long size)
    {
        Interlocked.Add(ref count, sign);
        Interlocked.Add(ref bytes, sign * size);
    }
}

/// <summary>
/// A module or function that a guest has had compiled: it counts in the guest's quota, and among what its owner has, until it is dropped or garbage.
/// The module keeps this; this keeps nothing of the module alive.
/// </summary>
internal sealed class CodeShare
{
    private readonly LinkingQuota? quota;
    private readonly long size;
    private int released;

    /// <summary>Whether its owner has dropped it, while it counted.</summary>
    private bool isKept;

    /// <summary>The instances of a module that has an owner, which may drop it. Most have one.</summary>
    private WeakReference<Instance>? first;
    private List<WeakReference<Instance>>? others;
    private bool isDropped;

    private CodeShare(LinkingQuota? quota, CodeLedger? owner, long size)
    {
        this.quota = quota;
        this.size = size;
        Owner = owner;
        owner?.Add(1, size);
    }

    ~CodeShare()
    {
        Release();
        if (isKept) quota?.ForgetDropped();
    }

    /// <summary>The ledger of the instance that may drop it; null if no instance may.</summary>
    internal CodeLedger? Owner { get; }

    /// <summary>Counts a module or function that is about to be compiled.</summary>
    /// <returns>What the module must keep; null if nothing counts.</returns>
    /// <exception cref="QuotaExceededException">The quota does not allow it.</exception>
    internal static CodeShare? Take(LinkingQuota? quota, CodeLedger? owner, long size)
    {
        if (quota is null && owner is null) return null;
        quota?.Charge(size);
        return new CodeShare(quota, owner, size);
    }

    /// <summary>It counts no longer: it is garbage, or was not a module.</summary>
    internal void Release() => TryRelease();

    private bool TryRelease()
    {
        if (Interlocked.Exchange(ref released, 1) != 0) return false;
        quota?.EndLive();
        Owner?.Add(-1, size);
        return true;
    }

    /// <summary>The same of what its owner has dropped, and may still refer to: it takes memory until it is garbage.</summary>
    private void Keep()
    {
        if (!TryRelease()) return;
        isKept = true;
        quota?.NoteDropped();
    }

    /// <summary>Notes an instance of the module.</summary>
    /// <exception cref="LinkException">The module has been dropped.</exception>
    internal void Add(Instance instance)
    {
        if (Owner is null) return;
        lock (this)
        {
            if (isDropped) throw new LinkException("the module has been dropped");
            var noted = new WeakReference<Instance>(instance);
            if (first is null)
            {
                first = noted;
                return;
            }
            others ??= [];
            // The collected ones go when the list would grow.
            if (others.Count == others.Capacity) others.RemoveAll(known => !known.TryGetTarget(out _));
            others.Add(noted);
        }
    }

    /// <summary>Withdraws it: functions of its instances trap from now on, and their memories are freed.</summary>
    /// <param name="payer">Pays for the work; null where nothing counts.</param>
    /// <param name="made">The only instance, of a function that was made at run time.</param>
    internal void Drop(Fuel? payer, Instance? made)
    {
        List<WeakReference<Instance>> all = [];
        lock (this)
        {
            if (isDropped) return;
            isDropped = true;
            if (first is not null) all = [first, .. others ?? []];
            (first, others) = (null, null);
        }
        Keep();
        made?.Drop();
        foreach (WeakReference<Instance> known in all)
            if (known.TryGetTarget(out Instance? instance)) instance.Drop();
        // Behind the work: nothing may be left half dropped.
        Fuel.Pay(payer, (ulong)all.Count * 16);
    }
}
