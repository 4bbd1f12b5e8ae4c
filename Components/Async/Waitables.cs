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
    private Func<GuestEvent>? pending;

    /// <summary>Makes the event when it is delivered; null if there is none.</summary>
    internal Func<GuestEvent>? Pending
    {
        get => pending;
        set
        {
            bool had = pending is not null;
            pending = value;
            if (had == value is not null) return;
            if (had) Set?.Withdraw(this);
            else Set?.Announce(this);
        }
    }

    internal WaitableSet? Set { get; private set; }

    /// <summary>Its neighbours among those of its set that have an event.</summary>
    internal Waitable? Before, After;

    internal bool HasSyncWaiter { get; private set; }

    internal bool HasPending => pending is not null;

    internal void WaitForPending(GuestThread thread)
    {
        HasSyncWaiter = true;
        thread.WaitUntil(() => HasPending);
        HasSyncWaiter = false;
    }

    internal GuestEvent Deliver()
    {
        Func<GuestEvent> made = pending!;
        Pending = null;
        return made();
    }

    internal void Join(WaitableSet? set)
    {
        Set?.Remove(this);
        Set = set;
        set?.Add(this);
    }

    internal virtual void Drop() => Join(null);
}

/// <summary>
/// Things that a guest waits for together. Those that have an event are in a list of their own, oldest event first, so that neither their number nor
/// that of the others makes waiting slower.
/// </summary>
internal sealed class WaitableSet
{
    private Waitable? first, last;

    /// <summary>How many there are.</summary>
    internal int Count { get; private set; }

    internal int Waiters;

    internal bool HasPending => first is not null;

    internal void Add(Waitable item)
    {
        Count++;
        if (item.HasPending) Announce(item);
    }

    internal void Remove(Waitable item)
    {
        Count--;
        if (item.HasPending) Withdraw(item);
    }

    /// <summary>One of them has an event now.</summary>
    internal void Announce(Waitable item)
    {
        (item.Before, item.After) = (last, null);
        if (last is null) first = item;
        else last.After = item;
        last = item;
    }

    /// <summary>One of them has no event any more.</summary>
    internal void Withdraw(Waitable item)
    {
        if (item.Before is { } before) before.After = item.After;
        else first = item.After;
        if (item.After is { } after) after.Before = item.Before;
        else last = item.Before;
        (item.Before, item.After) = (null, null);
    }

    internal GuestEvent Deliver() => (first ?? throw new InvalidOperationException("There is no event.")).Deliver();

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
        ComponentTrap.If(Count > 0, "cannot drop waitable set with waitables in it");
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

/// <summary>The caller: it gives the arguments when the callee starts, and takes the result.</summary>
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
    private System.Runtime.ExceptionServices.ExceptionDispatchInfo? error;

    /// <param name="site">The function that is called.</param>
    /// <param name="arguments">The arguments, in slots of the caller.</param>
    /// <param name="count">How many.</param>
    /// <param name="keep">Whether they are needed when the caller's slots are gone.</param>
    internal Subtask(LoweredFunction site, ulong* arguments, int count, bool keep)
        : this(site)
    {
        if (keep) saved = new ReadOnlySpan<ulong>(arguments, count).ToArray();
        else this.arguments = arguments;
    }

    /// <summary>The task that has made the call; null if no task did.</summary>
    internal GuestTask? Creator { get; } = site.Instance.Scheduler.Current?.Task;

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
        if (saved is null) site.Arguments(scope, arguments, slots);
        else fixed (ulong* kept = saved) site.Arguments(scope, kept, slots);
    }

    /// <summary>A function of the host starts.</summary>
    internal CallScope StartHost(CallScope? own = null)
    {
        State = SubtaskState.Started;
        return scope = own ?? new CallScope(null);
    }

    internal override void Return(GuestTask callee, ulong* slots, bool isFlat)
    {
        Progress();
        if (site.Instance.Tree.IsFreed)
        {
            // No thread waits for it, and there is no memory that it could go to. The callee is not to blame.
            State = SubtaskState.Returned;
            return;
        }
        ulong target = ResultPointer;
        site.Result(slots, isFlat, &target);
        FlatResult = target;
        State = SubtaskState.Returned;
    }

    private ulong ResultPointer => !site.HasResultPointer ? 0 : saved is null ? arguments[site.ResultPointer] : saved[site.ResultPointer];

    /// <summary>A function of the host returns; its result is lowered to where the caller wants it.</summary>
    internal void ReturnHost(Action<nint> lower)
    {
        if (site.Instance.Tree.IsFreed) return;
        scope?.End();
        ulong target = ResultPointer;
        lower((nint)(&target));
        Progress();
        FlatResult = target;
        State = SubtaskState.Returned;
    }

    /// <summary>A function of the host that was waited for has failed: its exception is thrown into the guest when that sees the end of the call.</summary>
    internal void FailHost(Exception exception)
    {
        scope?.End();
        error = System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(exception);
        Progress();
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
        error?.Throw();
    }

    internal override void Drop()
    {
        ComponentTrap.If(!isDelivered, "cannot drop a subtask which has not yet resolved");
        base.Drop();
    }
}
