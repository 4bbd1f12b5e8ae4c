namespace WasmJit.Components;

/// <summary>How far a task is.</summary>
internal enum TaskState
{
    Initial,
    Started,
    PendingCancel,
    CancelDelivered,
    Resolved,
}

/// <summary>A call of a component function that may have threads and wait (Concurrency.md).</summary>
internal sealed class GuestTask(LiftedFunction? function, InstanceState instance, TaskCaller? caller) : BorrowScope
{
    private readonly List<GuestThread> threads = [];

    /// <summary>Stands for code that is not called as a component function.</summary>
    internal static GuestTask Plain(InstanceState instance) => new(null, instance, null) { State = TaskState.Started };

    /// <summary>The function; null for a start function and the like.</summary>
    internal LiftedFunction? Function { get; } = function;

    internal InstanceState Instance { get; } = instance;

    private readonly TaskCaller? caller = caller;

    internal TaskCaller Caller => caller!;

    /// <summary>The call of the host that this task is a part of; null if none is.</summary>
    internal HostTaskCaller? Root
    {
        get
        {
            GuestTask? task = this;
            while (task?.caller is Subtask call) task = call.Creator;
            return task?.caller as HostTaskCaller;
        }
    }

    internal TaskState State { get; private set; } = TaskState.Initial;

    internal GuestThread Implicit { get; set; } = null!;

    /// <summary>Whether only one of such tasks may run core code at a time.</summary>
    internal bool NeedsExclusive => Function is { Type.IsAsync: true } f && (!f.IsAsync || f.Callback is not null);

    /// <summary>Whether the task may not wait, because its caller may not.</summary>
    internal bool IsSync => Function is null || !Function.Type.IsAsync;

    internal bool HasBackpressure => Instance.Backpressure > 0 || (NeedsExclusive && Instance.Exclusive is not null);

    internal void Register(GuestThread thread)
    {
        threads.Add(thread);
        Instance.Threads.Add(thread);
        Instance.Tree.ThreadBegun();
    }

    internal void Unregister(GuestThread thread)
    {
        threads.Remove(thread);
        if (threads.Count == 0) ComponentTrap.If(State != TaskState.Resolved, ComponentTrap.NotResolved);
        Instance.Threads.Remove(thread);
        Instance.Tree.ThreadEnded();
    }

    /// <summary>Forgets a thread of a task that has not begun.</summary>
    internal void Withdraw(GuestThread thread)
    {
        threads.Remove(thread);
        Instance.Threads.Remove(thread);
        Instance.Tree.ThreadEnded();
    }

    internal void RequestCancel(InstanceState? from)
    {
        if (State == TaskState.Initial)
        {
            State = TaskState.CancelDelivered;
            Implicit.Resume(true);
            return;
        }
        bool implicitMay = !NeedsExclusive || Instance.Exclusive is null || Instance.Exclusive == Implicit;
        GuestThread? candidate = threads.Find(t =>
            t.IsCancellable && t.State is ThreadState.Waiting or ThreadState.Suspended && (t != Implicit || implicitMay));
        InstanceState[] entered = Instance.EnteredFrom(from);
        if (candidate is null || !InstanceState.CanEnter(entered))
        {
            State = TaskState.PendingCancel;
            return;
        }
        State = TaskState.CancelDelivered;
        InstanceState.Enter(entered);
        candidate.Resume(true);
        InstanceState.Leave(entered);
    }

    internal bool DeliverCancel(bool cancellable)
    {
        if (!cancellable || State != TaskState.PendingCancel) return false;
        State = TaskState.CancelDelivered;
        return true;
    }

    internal unsafe void Start(ulong* slots)
    {
        State = TaskState.Started;
        caller!.Start(this, slots);
    }

    internal unsafe void Return(ulong* slots, bool isFlat)
    {
        ComponentTrap.If(State == TaskState.Resolved, ComponentTrap.AlreadyReturned);
        ComponentTrap.If(Borrows > 0, ComponentTrap.BorrowsRemain);
        caller!.Return(this, slots, isFlat);
        State = TaskState.Resolved;
    }

    internal void Cancel()
    {
        ComponentTrap.If(State != TaskState.CancelDelivered, State == TaskState.Resolved ? ComponentTrap.AlreadyReturned : ComponentTrap.NotCancelled);
        ComponentTrap.If(Borrows > 0, ComponentTrap.BorrowsRemain);
        caller!.Cancelled();
        State = TaskState.Resolved;
    }
}

/// <summary>The thread in which a task's function is called, with its callbacks.</summary>
/// <remarks>Unsafe: slots are as many as the function's core types have.</remarks>
internal sealed unsafe class ImplicitThread(GuestTask task) : GuestThread(task)
{
    private enum Phase { Begin, Entering, Yielding, Waiting }

    private Phase phase;
    private WaitableSet? waitsFor;

    private protected override void Step(bool cancelled)
    {
        LiftedFunction function = Task.Function!;
        switch (phase)
        {
            case Phase.Begin:
                if (function.Type.IsAsync && (Task.HasBackpressure || Instance.WaitingToEnter > 0))
                {
                    Instance.WaitingToEnter++;
                    phase = Phase.Entering;
                    WaitForStep(() => !Task.HasBackpressure, true);
                    return;
                }
                break;
            case Phase.Entering:
                Instance.WaitingToEnter--;
                if (cancelled)
                {
                    Task.Cancel();
                    return;
                }
                break;
            default:
                GuestEvent happened = cancelled ? new(EventCode.TaskCancelled, 0, 0)
                    : phase == Phase.Yielding ? new(EventCode.None, 0, 0) : waitsFor!.Deliver();
                if (phase == Phase.Waiting) waitsFor!.Waiters--;
                Continue(CallBack(happened));
                return;
        }
        if (Task.NeedsExclusive) Instance.Exclusive = this;
        Task.Register(this);
        ulong* slots = stackalloc ulong[TypeLimits.FlatParameters];
        try
        {
            Task.Start(slots);
        }
        catch (Exception) when (Task.Caller is HostTaskCaller { IsMistaken: true })
        {
            // The host's arguments are wrong: the task has never been.
            Task.Withdraw(this);
            if (Task.NeedsExclusive) Instance.Exclusive = null;
            throw;
        }
        ulong* result = stackalloc ulong[1];
        *result = 0;
        function.Call(slots, result);
        if (!function.IsAsync)
        {
            Task.Return(result, function.IsResultFlat);
            function.AfterReturn(result);
            Exit();
            return;
        }
        if (function.Callback is null)
        {
            Exit();
            return;
        }
        Continue((int)*result);
    }

    /// <summary>Continues as the returned value of a call or callback says.</summary>
    private void Continue(int packed)
    {
        while (true)
        {
            int code = packed & 0xf;
            uint index = (uint)packed >> 4;
            if (code == 0)
            {
                Exit();
                return;
            }
            if (code > 2) ComponentTrap.Throw(ComponentTrap.BadCallbackCode);
            WaitableSet? set = code == 2 ? Instance.Handles.Get<WaitableSet>(index) : null;
            Instance.Exclusive = null;
            if (Task.DeliverCancel(true))
            {
                packed = CallBack(new(EventCode.TaskCancelled, 0, 0));
                continue;
            }
            if (set is null)
            {
                phase = Phase.Yielding;
                WaitForStep(() => Instance.Exclusive is null, true);
                return;
            }
            waitsFor = set;
            set.Waiters++;
            phase = Phase.Waiting;
            WaitForStep(() => Instance.Exclusive is null && set.HasPending, true);
            return;
        }
    }

    private int CallBack(GuestEvent happened)
    {
        Instance.Exclusive = this;
        ulong* slots = stackalloc ulong[3];
        slots[0] = (uint)happened.Code;
        slots[1] = happened.First;
        slots[2] = happened.Second;
        ulong result = 0;
        Task.Function!.CallCallback(slots, &result);
        return (int)result;
    }

    private void Exit()
    {
        Task.Unregister(this);
        if (Task.NeedsExclusive) Instance.Exclusive = null;
    }
}
