namespace WasmJit.Components;

/// <summary>What a thread of a guest does at the moment.</summary>
internal enum ThreadState
{
    /// <summary>It goes on only when a thread of the guest resumes it.</summary>
    Suspended,

    /// <summary>It goes on as soon as its condition holds.</summary>
    Waiting,
    Running,
    Ended,
}

/// <summary>
/// A thread of a component (Concurrency.md): cooperative, one of a task's. It is a machine of steps; where core code waits in the middle of
/// a step, that step runs on a <see cref="Fiber"/>.
/// </summary>
internal abstract class GuestThread(GuestTask task)
{
    private Fiber? fiber;

    internal GuestTask Task { get; } = task;

    internal InstanceState Instance => Task.Instance;

    internal Scheduler Scheduler => Task.Instance.Scheduler;

    internal ThreadState State { get; private set; } = ThreadState.Suspended;

    /// <summary>When a waiting thread goes on.</summary>
    internal Func<bool>? Condition { get; private set; }

    internal bool IsCancellable { get; private set; }

    /// <summary>Its number among the threads of its instance; 0 if it has none.</summary>
    internal uint Index { get; set; }

    /// <summary>What <c>context.get</c> gives.</summary>
    internal readonly long[] Storage = new long[2];

    private GuestThread? switchTo;

    internal bool IsReady => State == ThreadState.Waiting && Condition!();

    /// <summary>Whether its steps need a stack of their own.</summary>
    private protected virtual bool NeedsFiber => Instance.MayBlock;

    /// <summary>Runs to its end or to where it waits; <see cref="WaitForStep"/> says for what.</summary>
    private protected abstract void Step(bool cancelled);

    /// <summary>The end of a step: the next begins when the condition holds.</summary>
    private protected void WaitForStep(Func<bool> condition, bool cancellable)
    {
        IsCancellable = cancellable;
        BeginWaiting(condition);
    }

    internal void BeginWaiting(Func<bool> condition)
    {
        Condition = condition;
        State = ThreadState.Waiting;
        Scheduler.Waiting.Add(this);
    }

    internal void StopWaiting()
    {
        Condition = null;
        State = ThreadState.Suspended;
        Scheduler.Waiting.Remove(this);
    }

    /// <summary>Whether nothing will resume it any more; its stack is free then.</summary>
    internal void Abandon()
    {
        if (State == ThreadState.Waiting) StopWaiting();
        State = ThreadState.Ended;
        if (fiber is not { } suspended) return;
        fiber = null;
        Scheduler.Fibers--;
        suspended.Abandon();
    }

    /// <summary>Lets a thread go on, and the threads that it switches to, until one waits or ends.</summary>
    internal void Resume(bool cancelled = false)
    {
        if (State == ThreadState.Waiting) StopWaiting();
        Scheduler scheduler = Scheduler;
        GuestThread? next = this;
        GuestThread? outer = scheduler.Current;
        try
        {
            while (next is not null)
            {
                scheduler.Current = next;
                next = next.Run(cancelled);
                cancelled = false;
            }
        }
        catch (Exception e) when (next is not null && e is not Fiber.AbandonedException)
        {
            if (next.Task is not { Function: not null, Caller: HostTaskCaller { IsMistaken: true } }) next.Instance.Tree.Fail(e);
            // The call that waits for the thread's task gets it, not the one that lets the thread go on.
            if (next.Task.Root is { IsResolved: false } call)
            {
                call.Fail(e);
                scheduler.Told = e;
            }
            throw;
        }
        finally
        {
            scheduler.Current = outer;
        }
    }

    private GuestThread? Run(bool cancelled)
    {
        State = ThreadState.Running;
        if (fiber is null && !NeedsFiber)
        {
            Step(cancelled);
        }
        else
        {
            Scheduler scheduler = Scheduler;
            int owner = scheduler.HandOver(0);
            bool ended = true;
            try
            {
                if (fiber is not null)
                {
                    scheduler.HandOver(fiber.ThreadId);
                    ended = fiber.Resume(cancelled);
                }
                else
                {
                    if (scheduler.Fibers >= Scheduler.MostFibers) ComponentTrap.Throw(ComponentTrap.TooManyTasks);
                    fiber = Fiber.Take();
                    scheduler.Fibers++;
                    scheduler.HandOver(fiber.ThreadId);
                    ended = fiber.Start(() => Step(cancelled));
                }
            }
            finally
            {
                scheduler.HandOver(owner);
                if (ended && fiber is not null)
                {
                    fiber = null;
                    scheduler.Fibers--;
                }
            }
        }
        if (State == ThreadState.Running) State = ThreadState.Ended;
        GuestThread? other = switchTo;
        switchTo = null;
        return other;
    }

    // ---- what core code of the thread asks for ----

    private bool Block(bool cancellable, GuestThread? other)
    {
        IsCancellable = cancellable;
        if (fiber is null)
        {
            // A start function, or one that may not wait: no other thread can run in between.
            if (State == ThreadState.Waiting)
            {
                bool ready = Condition!();
                StopWaiting();
                State = ThreadState.Running;
                if (ready && other is null) return false;
            }
            ComponentTrap.Throw(ComponentTrap.CannotBlock);
        }
        switchTo = other;
        if (State == ThreadState.Running) State = ThreadState.Suspended;
        return fiber!.Yield();
    }

    /// <summary>Waits until it is resumed.</summary>
    /// <returns>Whether the task has been cancelled.</returns>
    internal bool Suspend(bool cancellable) => Task.DeliverCancel(cancellable) || Block(cancellable, null);

    internal bool WaitUntil(Func<bool> condition, bool cancellable = false)
    {
        if (Task.DeliverCancel(cancellable)) return true;
        if (condition()) return false;
        BeginWaiting(condition);
        return Block(cancellable, null);
    }

    internal bool YieldNow(bool cancellable)
    {
        if (Task.DeliverCancel(cancellable)) return true;
        BeginWaiting(static () => true);
        return Block(cancellable, null);
    }

    internal bool SuspendThenResume(bool cancellable, GuestThread other) => Task.DeliverCancel(cancellable) || Block(cancellable, other);

    internal bool YieldThenResume(bool cancellable, GuestThread other)
    {
        if (Task.DeliverCancel(cancellable)) return true;
        BeginWaiting(static () => true);
        return Block(cancellable, other);
    }

    internal bool SuspendThenPromote(bool cancellable, GuestThread other)
    {
        if (Task.DeliverCancel(cancellable)) return true;
        if (!other.IsReady) return Suspend(cancellable);
        other.StopWaiting();
        return SuspendThenResume(cancellable, other);
    }

    internal bool YieldThenPromote(bool cancellable, GuestThread other)
    {
        if (Task.DeliverCancel(cancellable)) return true;
        if (!other.IsReady) return YieldNow(cancellable);
        other.StopWaiting();
        return YieldThenResume(cancellable, other);
    }
}

/// <summary>A thread that a guest has made (<c>thread.new-indirect</c>).</summary>
internal sealed class SpawnedThread(GuestTask task, Action body) : GuestThread(task)
{
    private protected override void Step(bool cancelled)
    {
        try
        {
            body();
        }
        catch (WasmException)
        {
            ComponentTrap.Throw(ComponentTrap.UncaughtException);
        }
        Task.Unregister(this);
    }
}

/// <summary>Stands for the thread of code that is not in a task of its own: start functions, <c>realloc</c>, <c>post-return</c>.</summary>
internal sealed class PlainThread(GuestTask task) : GuestThread(task)
{
    private protected override void Step(bool cancelled) => throw new InvalidOperationException("The thread has no steps.");
}

/// <summary>The threads of a component instance by number.</summary>
internal sealed class ThreadSpace(GuestResources? limits)
{
    private readonly HandleSpace numbers = new(limits);

    internal void Add(GuestThread thread) => thread.Index = numbers.Add(thread);

    internal void Remove(GuestThread thread)
    {
        numbers.Remove(thread.Index);
        thread.Index = 0;
    }

    internal GuestThread Get(uint index) => numbers.Find(index) as GuestThread ?? throw ComponentTrap.Make($"unknown thread index {index}");

    internal IEnumerable<GuestThread> Items => numbers.Items.OfType<GuestThread>();

    internal void Free() => numbers.Free();

    /// <summary>A thread that can go on while a function runs that may not wait. Threads that need the instance for themselves cannot.</summary>
    internal GuestThread? FindReady()
    {
        for (uint i = 1; i <= numbers.Highest; i++)
            if (numbers.Find(i) is GuestThread { IsReady: true } thread && !(thread.Task.NeedsExclusive && thread == thread.Task.Implicit)) return thread;
        return null;
    }
}
