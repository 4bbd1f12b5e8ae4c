namespace WasmJit.Components;

/// <summary>A call that borrowed handles were passed to.</summary>
internal class BorrowScope
{
    /// <summary>How many of them are not dropped yet.</summary>
    internal int Borrows;
}

/// <summary>
/// What one call's copies need to know: whose handles are lent until it has ended, and to whom.
/// </summary>
internal sealed class CallScope(BorrowScope? callee)
{
    /// <summary>More places are not kept for a further call.</summary>
    private const int MostKept = 64;

    private ResourceHandle?[] lenders = [];
    private int lends;
    private List<(uint Handle, ComponentResource? Given)>? lowered;

    /// <summary>The call that gets borrowed handles; null if the host is called.</summary>
    internal BorrowScope? Callee { get; } = callee;

    /// <summary>Whether the call has ended: what the host has borrowed for it is good no more.</summary>
    internal bool HasEnded { get; private set; }

    /// <summary>A call lends a handle, which may be one that it lends already: so many times at most as an instance may have handles.</summary>
    internal void Lend(ResourceHandle handle)
    {
        if (lends == lenders.Length) Grow();
        handle.Lends++;
        lenders[lends++] = handle;
    }

    private void Grow()
    {
        if (lends == HandleSpace.Most) ComponentTrap.Throw(ComponentTrap.TooManyHandles);
        Array.Resize(ref lenders, Math.Clamp(2 * lends, 4, HandleSpace.Most));
    }

    /// <summary>Traps if the callee, which has returned, still has handles that it got for the call.</summary>
    internal void CheckDropped()
    {
        if (Callee!.Borrows > 0) ComponentTrap.Throw(ComponentTrap.BorrowsRemain);
    }

    /// <summary>The call has ended: what it lent is free.</summary>
    internal void EndLends()
    {
        for (int i = 0; i < lends; i++)
        {
            lenders[i]!.Lends--;
            lenders[i] = null;
        }
        lends = 0;
        if (lenders.Length > MostKept) lenders = [];
    }

    /// <summary>An argument of the host has become a handle of the callee.</summary>
    internal void Lowered(uint handle, ComponentResource? given) => (lowered ??= []).Add((handle, given));

    /// <summary>
    /// A later argument was the host's mistake, and so the call does not take place: the callee has none of the handles, and the host has again what it
    /// gave away.
    /// </summary>
    internal void Undo(InstanceState callee)
    {
        if (lowered is not null)
        {
            for (int i = lowered.Count - 1; i >= 0; i--)
            {
                callee.Handles.Remove(lowered[i].Handle);
                lowered[i].Given?.TakeBack();
            }
            lowered = null;
        }
        if (Callee is not null) Callee.Borrows = 0;
    }

    private List<ComponentResource>? lent;

    /// <summary>An object of the host has a handle for this call alone.</summary>
    internal void Forget(ComponentResource resource) => (lent ??= []).Add(resource);

    /// <summary>A function of the host has ended.</summary>
    internal void End() => HasEnded = true;

    /// <summary>The call has ended.</summary>
    internal void Return()
    {
        HasEnded = true;
        foreach (ComponentResource resource in lent ?? []) resource.Forget();
        lent = null;
        EndLends();
    }
}
