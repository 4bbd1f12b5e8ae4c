namespace WasmJit.Components;

/// <summary>The kinds of events that guests are told of.</summary>
internal static class EventCode
{
    internal const int None = 0, Subtask = 1, StreamRead = 2, StreamWrite = 3, FutureRead = 4, FutureWrite = 5, TaskCancelled = 6;
}

/// <summary>An event: its kind, and two numbers.</summary>
internal readonly record struct GuestEvent(int Code, uint First, uint Second);

/// <summary>What a guest can wait for.</summary>
internal abstract class Waitable
{
    /// <summary>Makes the event when it is delivered; null if there is none.</summary>
    internal Func<GuestEvent>? Pending { get; set; }

    internal WaitableSet? Set { get; private set; }

    internal bool HasSyncWaiter { get; private set; }

    internal bool HasPending => Pending is not null;

    internal void WaitForPending(GuestThread thread)
    {
        HasSyncWaiter = true;
        thread.WaitUntil(() => HasPending);
        HasSyncWaiter = false;
    }

    internal GuestEvent Deliver()
    {
        Func<GuestEvent> pending = Pending!;
        Pending = null;
        return pending();
    }

    internal void Join(WaitableSet? set)
    {
        Set?.Items.Remove(this);
        Set = set;
        set?.Items.Add(this);
    }

    internal virtual void Drop() => Join(null);
}

/// <summary>Things that a guest waits for together.</summary>
internal sealed class WaitableSet
{
    internal List<Waitable> Items { get; } = [];

    internal int Waiters;

    internal bool HasPending
    {
        get
        {
            foreach (Waitable item in Items)
                if (item.HasPending) return true;
            return false;
        }
    }

    internal GuestEvent Deliver()
    {
        for (int i = 0; i < Items.Count; i++)
        {
            Waitable item = Items[i];
            if (!item.HasPending) continue;
            // Those that have waited longer come first the next time.
            Items.RemoveAt(i);
            Items.Add(item);
            return item.Deliver();
        }
        throw new InvalidOperationException("There is no event.");
    }

    internal GuestEvent Wait(GuestThread thread, bool cancellable)
    {
        Waiters++;
        bool cancelled = thread.WaitUntil(() => HasPending, cancellable);
        Waiters--;
        return cancelled ? new(EventCode.TaskCancelled, 0, 0) : Deliver();
    }

    internal GuestEvent Poll(GuestTask task, bool cancellable)
    {
        if (task.DeliverCancel(cancellable)) return new(EventCode.TaskCancelled, 0, 0);
        return HasPending ? Deliver() : new(EventCode.None, 0, 0);
    }

    internal void Drop()
    {
        ComponentTrap.If(Items.Count > 0, "cannot drop waitable set with waitables in it");
        ComponentTrap.If(Waiters > 0, "cannot drop waitable set with waiters");
    }
}

/// <summary>The states of a call as its caller sees it.</summary>
internal enum SubtaskState
{
    Starting,
    Started,
    Returned,
    CancelledBeforeStarted,
    CancelledBeforeReturned,
}

/// <summary>Who has called: gives arguments when the callee starts, and takes the result.</summary>
/// <remarks>Unsafe: slots are as many as the function's core types have.</remarks>
internal abstract unsafe class TaskCaller : Waitable
{
    /// <summary>The caller; null if the host calls.</summary>
    internal abstract InstanceState? Instance { get; }

    /// <summary>The callee starts: its arguments go into the slots.</summary>
    internal abstract void Start(GuestTask callee, ulong* slots);

    /// <summary>The callee returns.</summary>
    /// <param name="callee">The callee.</param>
    /// <param name="slots">The result.</param>
    /// <param name="isFlat">Whether the slots have the result, or the address where it is.</param>
    internal abstract void Return(GuestTask callee, ulong* slots, bool isFlat);

    /// <summary>The callee was cancelled.</summary>
    internal abstract void Cancelled();
}

/// <summary>A call by a guest.</summary>
internal sealed unsafe class Subtask(LoweredFunction site) : TaskCaller
{
    private readonly ulong* arguments;
    private readonly ulong[]? saved;
    private CallScope? scope;
    private bool isDelivered;

    internal Subtask(LoweredFunction site, ulong* arguments, int count, bool keep)
        : this(site)
    {
        if (!keep)
        {
            this.arguments = arguments;
            return;
        }
        saved = GC.AllocateUninitializedArray<ulong>(Math.Max(count, 1), pinned: true);
        new ReadOnlySpan<ulong>(arguments, count).CopyTo(saved);
        this.arguments = (ulong*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref saved[0]);
    }

    internal SubtaskState State { get; private set; }

    internal bool IsResolved => State >= SubtaskState.Returned;

    internal bool IsResolveDelivered => isDelivered;

    internal bool CancellationRequested { get; set; }

    /// <summary>What asks the callee to end.</summary>
    internal Action<InstanceState?>? Cancel { get; set; }

    /// <summary>Its handle, once it has one.</summary>
    internal uint Handle { get; private set; }

    internal ulong FlatResult { get; private set; }

    internal override InstanceState? Instance => site.Instance;

    internal CallScope? Scope => scope;

    internal void GetHandle()
    {
        Handle = site.Instance.Handles.Add(this);
    }

    private void Progress()
    {
        if (Handle == 0) return;
        Pending = () =>
        {
            if (IsResolved) DeliverResolve();
            return new(EventCode.Subtask, Handle, (uint)State);
        };
    }

    internal override void Start(GuestTask callee, ulong* slots)
    {
        scope = site.HasBorrows ? new CallScope(callee) : null;
        Progress();
        State = SubtaskState.Started;
        site.Arguments(scope, arguments, slots);
    }

    /// <summary>A function of the host starts.</summary>
    internal CallScope StartHost(CallScope? own = null)
    {
        State = SubtaskState.Started;
        return scope = own ?? new CallScope(null);
    }

    internal ulong* Slots => arguments;

    internal override void Return(GuestTask callee, ulong* slots, bool isFlat)
    {
        Progress();
        if (site.Instance.Tree.IsFreed)
        {
            // Nobody waits for it, and there is no memory that it could go to. The callee is not to blame.
            State = SubtaskState.Returned;
            return;
        }
        ulong target = site.HasResultPointer ? arguments[site.ResultPointer] : 0;
        site.Result(slots, isFlat, &target);
        FlatResult = target;
        State = SubtaskState.Returned;
    }

    /// <summary>A function of the host returns; its result is lowered to where the caller wants it.</summary>
    internal void ReturnHost(Action<nint> lower)
    {
        if (site.Instance.Tree.IsFreed) return;
        Progress();
        ulong target = site.HasResultPointer ? arguments[site.ResultPointer] : 0;
        lower((nint)(&target));
        FlatResult = target;
        State = SubtaskState.Returned;
    }

    internal override void Cancelled()
    {
        Progress();
        State = State == SubtaskState.Starting ? SubtaskState.CancelledBeforeStarted : SubtaskState.CancelledBeforeReturned;
    }

    internal void DeliverResolve()
    {
        isDelivered = true;
        scope?.Return();
        GC.KeepAlive(saved);
    }

    internal override void Drop()
    {
        ComponentTrap.If(!isDelivered, "cannot drop a subtask which has not yet resolved");
        base.Drop();
    }
}
