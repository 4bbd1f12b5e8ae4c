using System.Runtime.CompilerServices;

namespace WasmJit.Components;

/// <summary>
/// Calls of an exported function by a delegate over .NET types. What is between lowering and lifting is here; those two are compiled
/// (<see cref="DelegateBinder"/>).
/// </summary>
/// <remarks>
/// Unsafe: slots are pinned, and as many as a function can have. They are used by one call at a time: between their being written and read
/// nothing else enters the instance.
/// </remarks>
internal sealed class TypedCall
{
    private readonly ComponentInstance owner;
    private readonly LiftedFunction function;
    private Scheduler scheduler;
    private readonly InstanceState[] entered;
    private readonly ulong[] slots = GC.AllocateArray<ulong>(TypeLimits.FlatParameters + 1, pinned: true);
    private BorrowScope? borrows;

    internal TypedCall(ComponentInstance owner, LiftedFunction function)
    {
        this.owner = owner;
        this.function = function;
        scheduler = owner.Tree.Scheduler;
        entered = function.Instance.FromHost;
        Context = new TypedContext(function.Side, function.Instance);
        CoreDelegate = function.Core.Delegate;
    }

    internal TypedContext Context { get; }

    /// <summary>The core function.</summary>
    internal Delegate CoreDelegate { get; }

    private unsafe ulong* First => (ulong*)Unsafe.AsPointer(ref slots[0]);

    /// <summary>Where the arguments go.</summary>
    internal unsafe nint Arguments => (nint)First;

    /// <summary>Where the result is.</summary>
    internal unsafe nint Result => (nint)(First + TypeLimits.FlatParameters);

    internal void Enter()
    {
        ObjectDisposedException.ThrowIf(owner.IsDisposed, owner);
        Scheduler current = scheduler;
        current.Enter();
        if (ReferenceEquals(current, owner.Tree.Scheduler)) return;
        current.Leave();
        scheduler = owner.Tree.Enter();
    }

    internal void Exit() => scheduler.Leave();

    /// <summary>Begins a call that needs no task.</summary>
    internal void Begin()
    {
        ObjectDisposedException.ThrowIf(owner.IsDisposed, owner);
        InstanceState.Enter(entered);
        if (!function.Shape.HasBorrows) return;
        borrows = new BorrowScope();
        Context.Scope = new CallScope(borrows);
    }

    /// <summary>Whether an exception while arguments are lowered is the host's: the guest has done nothing wrong.</summary>
    internal static bool IsMistake(Exception e) => e is not TrapException;

    /// <summary>The call does not take place.</summary>
    internal void Undo() => InstanceState.Leave(entered);

    internal unsafe void Run()
    {
        function.Call((ulong*)Arguments, (ulong*)Result);
        if (borrows is { Borrows: > 0 }) ComponentTrap.Throw(ComponentTrap.BorrowsRemain);
    }

    internal unsafe void Finish()
    {
        function.AfterReturn((ulong*)Result);
        Context.Scope?.Return();
        InstanceState.Leave(entered);
    }

    // ---- calls that are tasks ----

    internal T RunTask<T>(Action<TypedContext, nint> lower, Func<TypedContext, nint, T> liftFlat, Func<TypedContext, nint, T> liftMemory)
    {
        TypedTask<T> call = new(function, lower, liftFlat, liftMemory);
        Scheduler current = owner.Tree.Enter();
        try
        {
            call.Begin(entered);
            if (!call.IsResolved) current.RunUntil(() => call.IsResolved);
            return call.Value;
        }
        finally
        {
            current.Leave();
        }
    }

    internal async Task<T> RunTaskAsync<T>(Action<TypedContext, nint> lower, Func<TypedContext, nint, T> liftFlat, Func<TypedContext, nint, T> liftMemory)
    {
        ObjectDisposedException.ThrowIf(owner.IsDisposed, owner);
        TypedTask<T> call = new(function, lower, liftFlat, liftMemory);
        await Scheduler.RunAsync(owner.Tree, call, () => call.Begin(entered), default).ConfigureAwait(false);
        return call.Value;
    }

    private sealed class TypedTask<T>(
        LiftedFunction function, Action<TypedContext, nint> lower, Func<TypedContext, nint, T> liftFlat, Func<TypedContext, nint, T> liftMemory) : HostTaskCaller
    {
        private readonly TypedContext context = new(function.Side, function.Instance);
        private T value = default!;

        internal T Value
        {
            get
            {
                ThrowIfCancelled();
                return value;
            }
        }

        internal void Begin(InstanceState[] entered) => Task = function.Begin(this, entered);

        internal override unsafe void Start(GuestTask callee, ulong* slots)
        {
            context.Scope = new CallScope(callee);
            lower(context, (nint)slots);
        }

        internal override unsafe void Return(GuestTask callee, ulong* slots, bool isFlat)
        {
            value = (isFlat ? liftFlat : liftMemory)(context, (nint)slots);
            context.Scope?.Return();
            Resolve();
        }
    }
}

/// <summary>A call by the host that is a task.</summary>
internal abstract class HostTaskCaller : TaskCaller
{
    private bool isCancelled;

    internal bool IsResolved { get; private set; }

    internal GuestTask? Task { get; private protected set; }

    internal override InstanceState? Instance => null;

    private protected void Resolve()
    {
        IsResolved = true;
        // Another thread of the host may wait for it.
        Task?.Instance.Scheduler.Signal();
    }

    private protected void ThrowIfCancelled()
    {
        if (isCancelled) throw new OperationCanceledException("The guest has ended the call early.");
    }

    internal override void Cancelled()
    {
        isCancelled = true;
        Resolve();
    }

    internal void RequestCancel()
    {
        if (!IsResolved && Task is { State: TaskState.Initial or TaskState.Started } task) task.RequestCancel(null);
    }
}
