using System.Runtime.CompilerServices;
using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>Slots of a call, on the stack of the thread that makes it: sixteen for arguments and one for the result.</summary>
[InlineArray(TypeLimits.FlatParameters + 1)]
internal struct CallSlots
{
    private ulong first;

    /// <summary>Where they are.</summary>
    /// <param name="slots">A local, which does not move.</param>
    /// <remarks>Unsafe: the address is used while the method runs whose local it is.</remarks>
    internal static unsafe nint AddressOf(ref CallSlots slots) => (nint)Unsafe.AsPointer(ref slots);
}

/// <summary>
/// Calls of an exported function by a delegate over .NET types. What is around lowering, the core function and lifting is here; those are compiled
/// (<see cref="DelegateBinder"/>). One call at a time: nothing else enters the instance until it has ended.
/// </summary>
internal sealed class TypedCall
{
    private readonly ComponentInstance owner;
    private readonly ComponentTree tree;
    private readonly LiftedFunction function;
    private readonly InstanceState[] entered;
    private readonly bool hasHandles, hasPostReturn;

    /// <summary>The core function.</summary>
    internal readonly FuncRef Core;

    /// <summary>The callee's side; for code that enters the guest itself, if it may.</summary>
    internal readonly GuestSide Side;

    /// <summary>Whether nothing but the one instance is entered, and no handles are passed.</summary>
    private readonly bool isSimple;
    private readonly InstanceState single;
    private Scheduler scheduler;
    private BorrowScope? borrows;

    internal TypedCall(ComponentInstance owner, LiftedFunction function, ResourceFaces? faces)
    {
        this.owner = owner;
        this.function = function;
        tree = owner.Tree;
        scheduler = tree.Scheduler;
        entered = function.Instance.FromHost;
        hasHandles = function.Shape.ParameterShape.HasHandles;
        hasPostReturn = function.PostReturn is not null;
        single = entered[0];
        isSimple = entered.Length == 1 && !hasHandles;
        Context = new TypedContext(function.Side, function.Instance) { Faces = faces };
        Core = function.Core;
        Side = MayEnterDirectly(function) ? function.Side.ForGuests() : function.Side;
    }

    /// <summary>
    /// Whether code can enter the guest itself, once for all that it calls in it: if there is a function of a guest, and no engine has a limit of its own for the stack.
    /// </summary>
    internal static bool MayEnterDirectly(LiftedFunction function) => MayEnter(function.Core) && (function.Side.Realloc is not { } realloc || MayEnter(realloc));

    private static bool MayEnter(FuncRef function) => function.Context is InstanceCore { Services.MaximumStack: 0 };

    internal TypedContext Context { get; }

    /// <summary>Begins a call that needs no task: no other thread of the host, and no other call, is in the instance until it has ended.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Begin()
    {
        Scheduler current = scheduler;
        current.Enter();
        if (isSimple && single.MayEnter && !tree.IsDisposed && current.Merged is null) single.MayEnter = false;
        else BeginSlow(current);
    }

    private void BeginSlow(Scheduler current)
    {
        if (current.Merged is not null)
        {
            current.Leave();
            scheduler = current = tree.Enter();
        }
        try
        {
            ObjectDisposedException.ThrowIf(tree.IsDisposed, owner);
            InstanceState.Enter(entered);
            if (hasHandles) BeginHandles();
        }
        catch
        {
            current.Leave();
            throw;
        }
    }

    private void BeginHandles()
    {
        borrows = function.Shape.HasBorrows ? new BorrowScope() : null;
        Context.Scope = new CallScope(borrows);
    }

    /// <summary>Other threads and calls may enter again.</summary>
    internal void Exit() => scheduler.Leave();

    /// <summary>Whether an exception while arguments are lowered is the host's: the guest has done nothing wrong.</summary>
    internal static bool IsMistake(Exception e) => e is not (TrapException or GuestCanceledException);

    /// <summary>The same as a filter of generated code.</summary>
    internal static bool IsMistakeInside(object e) => IsMistake((Exception)e);

    /// <summary>The same in code that enters the guest itself, where faults of the guest are not traps yet.</summary>
    internal static bool IsMistakeOutside(object e) => !IsOfGuest(e) && IsMistake((Exception)e);

    /// <summary>Whether an exception is the guest's: a fault of its code, or an exception that it does not catch.</summary>
    internal static bool IsOfGuest(object e) => TrapFilter.IsTrap(e) || e is WasmException;

    /// <summary>What it is for the host.</summary>
    internal static Exception ToTrap(object e) => e is WasmException ? ComponentTrap.Make(ComponentTrap.UncaughtException) : TrapFilter.ToTrap(e);

    /// <summary>The call does not take place.</summary>
    internal void Undo()
    {
        Context.Scope?.Undo(function.Instance);
        InstanceState.Leave(entered);
    }

    /// <summary>The core function has returned.</summary>
    internal void Returned()
    {
        if (borrows is { Borrows: > 0 }) ComponentTrap.Throw(ComponentTrap.BorrowsRemain);
    }

    /// <summary>Ends a call.</summary>
    /// <param name="result">What the core function has returned, in a slot.</param>
    internal unsafe void Finish(nint result)
    {
        if (hasPostReturn) function.AfterReturn((ulong*)result);
        if (hasHandles) Context.Scope!.Return();
        InstanceState.Leave(entered);
    }

    /// <summary>Calls <c>post-return</c>.</summary>
    internal unsafe void AfterReturn(ulong returned) => function.AfterReturn(&returned);

    /// <summary>Ends a call without handles; <c>post-return</c> has been called.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void FinishDirect()
    {
        if (isSimple) single.MayEnter = true;
        else InstanceState.Leave(entered);
    }

    // ---- calls that are tasks ----

    internal T RunTask<T>(Action<TypedContext, nint> lower, Func<TypedContext, nint, T> liftFlat, Func<TypedContext, nint, T> liftMemory)
    {
        TypedTask<T> call = new(function, Context.Faces, lower, liftFlat, liftMemory);
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
        TypedTask<T> call = new(function, Context.Faces, lower, liftFlat, liftMemory);
        await Scheduler.RunAsync(owner.Tree, call, () => call.Begin(entered), default).ConfigureAwait(false);
        return call.Value;
    }

    private sealed class TypedTask<T>(
        LiftedFunction function, ResourceFaces? faces, Action<TypedContext, nint> lower, Func<TypedContext, nint, T> liftFlat, Func<TypedContext, nint, T> liftMemory) : HostTaskCaller
    {
        private readonly TypedContext context = new(function.Side, function.Instance) { Faces = faces };
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
            try
            {
                lower(context, (nint)slots);
            }
            catch (Exception e) when (IsMistake(e))
            {
                IsMistaken = true;
                context.Scope.Undo(function.Instance);
                InstanceState.Leave(function.Instance.FromHost);
                throw;
            }
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
    private System.Runtime.ExceptionServices.ExceptionDispatchInfo? error;

    /// <summary>Whether the host's arguments were wrong: then the call has never been.</summary>
    internal bool IsMistaken { get; private protected set; }

    internal bool IsResolved { get; private set; }

    internal GuestTask? Task { get; private protected set; }

    internal override InstanceState? Instance => null;

    private protected void Resolve()
    {
        IsResolved = true;
        // Another thread of the host may wait for it.
        Task?.Instance.Scheduler.Signal();
    }

    /// <summary>The call ends with an exception: one of the guest that does it, or of a function of the host that the guest has called.</summary>
    internal void Fail(Exception exception)
    {
        if (IsResolved) return;
        error = System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(exception);
        Resolve();
    }

    private protected void ThrowIfCancelled()
    {
        error?.Throw();
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
