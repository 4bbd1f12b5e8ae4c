using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using WasmJit.Jit.Calls;
using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>A component function lowered to a core function: what a guest calls.</summary>
/// <remarks>Unsafe: slots are as many as the core types have.</remarks>
internal sealed unsafe class LoweredFunction : CoreImport
{
    private readonly ComponentFunc callee;
    private readonly LiftedFunction? lifted;
    private readonly FunctionShape shape;
    private readonly InstanceState[] entered;

    /// <summary>The only instance that a call enters, if there is only one.</summary>
    private readonly InstanceState? single;
    internal readonly Transfer? ForArguments, ForResult;

    /// <summary>The same for fused calls, which are made by code of guests alone.</summary>
    internal FusedTransfer? ForFusedArguments, ForFusedResult;

    /// <summary>
    /// The handles that a fused call lends. One object serves all calls, since they do not overlap: while one is in the callee, no other can enter it; and after a call that trapped none
    /// begins any more.
    /// </summary>
    internal CallScope? FusedScope;
    internal readonly FuncRef? CoreFunction, PostReturn;
    private readonly InstanceState? calleeInstance;
    private readonly int coreArguments;
    private readonly bool isWithin;
    private TransferCode? arguments, flatResult, memoryResult;

    internal LoweredFunction(ComponentFunc callee, GuestSide side, bool isAsync)
    {
        this.callee = callee;
        Side = side;
        Instance = side.Instance;
        IsAsync = isAsync;
        lifted = callee as LiftedFunction;
        shape = callee.Type.Shape;
        int flatLimit = isAsync ? TypeLimits.FlatAsyncParameters : TypeLimits.FlatParameters;
        ParameterForm = shape.FlatParameters <= flatLimit ? ValueForm.Flat : ValueForm.Memory;
        coreArguments = ParameterForm == ValueForm.Flat ? shape.FlatParameters : 1;
        HasResultPointer = shape.FlatResults > (isAsync ? 0 : TypeLimits.FlatResults);
        ResultPointer = coreArguments;
        if (HasResultPointer) coreArguments++;
        if (lifted is null)
        {
            entered = [];
            return;
        }
        entered = lifted.Instance.EnteredFrom(side.Instance);
        single = entered.Length == 1 ? entered[0] : null;
        CoreFunction = lifted.Core;
        PostReturn = lifted.PostReturn;
        calleeInstance = lifted.Instance;
        isWithin = lifted.Instance.IsAround(side.Instance) || side.Instance.IsAround(lifted.Instance);
        InstanceState instance = lifted.Instance;
        ForArguments = new Transfer(
            side, lifted.Side, Transfer.Resolve(shape.ParameterShape, instance), Transfer.ResolvePayloads(shape.ParameterShape, instance));
        ForResult = new Transfer(
            lifted.Side, side, Transfer.Resolve(shape.ResultShape, instance), Transfer.ResolvePayloads(shape.ResultShape, instance));
    }

    internal GuestSide Side { get; }

    internal LiftedFunction Lifted => lifted!;

    /// <summary>The instance that calls.</summary>
    internal InstanceState Instance { get; }

    internal bool IsAsync { get; }

    internal bool HasBorrows => shape.HasBorrows;

    internal ValueForm ParameterForm { get; }

    /// <summary>Whether the last argument says where the result goes.</summary>
    internal bool HasResultPointer { get; }

    internal int ResultPointer { get; }

    // ---- copies ----

    /// <summary>Copies the arguments of a call to the callee.</summary>
    internal void Arguments(CallScope? scope, ulong* from, ulong* to)
    {
        if (shape.Parameters.Length == 0) return;
        arguments ??= TransferCode.Of(shape.Parameters, shape.ParameterShape, ParameterForm,
            shape.FlatParameters <= TypeLimits.FlatParameters ? ValueForm.Flat : ValueForm.Allocated, Side.Is64, lifted!.Side.Is64);
        arguments.Method(ForArguments!, scope, from, to);
    }

    /// <summary>Copies the result of a call to the caller.</summary>
    /// <param name="from">What the callee has returned.</param>
    /// <param name="isFlat">Whether that is the values.</param>
    /// <param name="to">The address where it goes, or where the value goes.</param>
    internal void Result(ulong* from, bool isFlat, ulong* to)
    {
        if (shape.Results.Length == 0) return;
        ref TransferCode? code = ref isFlat ? ref flatResult : ref memoryResult;
        code ??= TransferCode.Of(shape.Results, shape.ResultShape, isFlat ? ValueForm.Flat : ValueForm.Memory,
            HasResultPointer ? ValueForm.Memory : ValueForm.Flat, lifted!.Side.Is64, Side.Is64);
        code.Method(ForResult!, null, from, to);
    }

    internal void HostResult(ComponentValue result, ulong* to)
    {
        if (shape.Results.Length == 0) return;
        try
        {
            new ValueLowerer(Side, null, ((HostFunction)callee).Types).Lower([result], shape.Results, HasResultPointer ? ValueForm.Memory : ValueForm.Flat, to);
        }
        catch
        {
            LeftValues.Discard(result);
            throw;
        }
    }

    // ---- calls ----

    internal override void Invoke(ulong* arguments, ulong* result)
    {
        Instance.CheckLeave();
        // For now no calls between an instance and those in it: the official tests have it so.
        if (isWithin) ComponentTrap.Throw(ComponentTrap.CannotEnter);
        if (!IsAsync && callee.Type.IsAsync && Instance.Scheduler.Current is { Task: { IsSync: true, State: not TaskState.Resolved } } && Instance.Threads.FindReady() is null)
            ComponentTrap.Throw(ComponentTrap.CannotBlock);
        if (lifted is null) CallCounted(arguments, result);
        else if (!IsAsync && lifted.IsPlain) CallPlain(arguments, result);
        else CallTask(arguments, result);
    }

    // ---- fused calls ----

    private FusedCall? fused;
    private int calls;

    private void Fuse()
    {
        // Code of a guest looks at the stack; a lowered function that is lifted again does not, and there may be many behind one another.
        if (CoreFunction!.Context is not InstanceCore || !FusedCall.Fits(shape)) return;
        ForFusedArguments = new FusedTransfer(ForArguments!);
        ForFusedResult = new FusedTransfer(ForResult!);
        if (HasBorrows) FusedScope = new CallScope(new BorrowScope());
        fused = FusedCall.Of(this, Signature.Of(Type!), Signature.Of(lifted!.Core.Type), shape, ParameterForm);
        Volatile.Write(ref Fast, fused.Code);
        // Callers need not come here any more: the first argument is the same.
        Function?.Compiled(fused.Code);
    }

    /// <summary>What fused calls copy by.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal FusedTransfer FusedTransfer(bool isResult) => (isResult ? ForFusedResult : ForFusedArguments)!;

    /// <summary>Whether a call enters one instance.</summary>
    internal bool EntersOne => single is not null;

    /// <summary>Begins a call that enters one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void BeginOne()
    {
        InstanceState entering = single!;
        if (!(Instance.MayLeave & entering.MayEnter)) CannotBegin();
        entering.MayEnter = false;
    }

    [DoesNotReturn]
    private void CannotBegin()
    {
        Instance.CheckLeave();
        throw ComponentTrap.Make(ComponentTrap.CannotEnter);
    }

    internal void BeginFused()
    {
        Instance.CheckLeave();
        InstanceState.Enter(entered);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void BeginPostReturn() => calleeInstance!.MayLeave = false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void EndPostReturn() => calleeInstance!.MayLeave = true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void EndOne() => single!.MayEnter = true;

    internal void EndFused() => InstanceState.Leave(entered);

    /// <summary>A call that cannot wait, of an instance that does not ask for its task.</summary>
    private void CallPlain(ulong* arguments, ulong* result)
    {
        if (++calls == FusedCall.Threshold) Fuse();
        InstanceState.Enter(entered);
        CallScope? scope = HasBorrows ? new CallScope(new BorrowScope()) : null;
        ulong* slots = stackalloc ulong[TypeLimits.FlatParameters];
        Arguments(scope, arguments, slots);
        ulong returned = 0;
        lifted!.Call(slots, &returned);
        scope?.CheckDropped();
        *result = HasResultPointer ? arguments[ResultPointer] : 0;
        Result(&returned, lifted.IsResultFlat, result);
        lifted.AfterReturn(&returned);
        scope?.Return();
        InstanceState.Leave(entered);
    }

    private void CallTask(ulong* arguments, ulong* result)
    {
        var subtask = new Subtask(this, arguments, coreArguments, IsAsync);
        GuestTask task = lifted!.Begin(subtask, entered);
        subtask.Cancel = task.RequestCancel;
        Finish(subtask, result);
    }

    private void Finish(Subtask subtask, ulong* result)
    {
        if (!IsAsync)
        {
            if (!subtask.IsResolved) Instance.Scheduler.Current!.WaitUntil(() => subtask.IsResolved);
            subtask.DeliverResolve();
            *result = subtask.FlatResult;
            return;
        }
        if (subtask.IsResolved)
        {
            subtask.DeliverResolve();
            *result = (uint)SubtaskState.Returned;
            return;
        }
        subtask.GetHandle();
        *result = (uint)subtask.State | subtask.Handle << 4;
    }

    private void CallCounted(ulong* arguments, ulong* result)
    {
        Scheduler scheduler = Instance.Scheduler;
        long before = scheduler.BeginHostCall();
        CallHost(arguments, result);
        scheduler.EndHostCall(before);
    }

    private void CallHost(ulong* arguments, ulong* result)
    {
        var function = (HostFunction)callee;
        if (function.Target is { } target)
        {
            CallTyped(function, target, arguments, result);
            return;
        }
        var subtask = new Subtask(this, arguments, coreArguments, IsAsync);
        CallScope scope = subtask.StartHost();
        ComponentValue[] values = new ValueLifter(Side, scope, function.Types).Lift(shape.Parameters, ParameterForm == ValueForm.Flat, arguments);
        ValueTask<ComponentValue> called;
        try
        {
            called = function.Function!(values);
        }
        catch
        {
            scope.End();
            throw;
        }
        if (called.IsCompleted)
        {
            ComponentValue value = called.Result;
            subtask.ReturnHost(to => HostResult(value, (ulong*)to));
        }
        else
        {
            Task<ComponentValue> task = called.AsTask();
            Await(subtask, task, to => HostResult(task.GetAwaiter().GetResult(), (ulong*)to), () => LeftValues.DiscardResult(task));
        }
        Finish(subtask, result);
    }

    private HostCode? hostCode;
    private TypedContext? typedContext;

    private void CallTyped(HostFunction function, Delegate target, ulong* arguments, ulong* result)
    {
        HostCode code = hostCode ??= function.CodeFor(ParameterForm, HasResultPointer, Side.Is64);
        TypedContext context = typedContext ??= new TypedContext(Side, function.Types);
        CallScope? scope = null;
        if (HasBorrows)
        {
            scope = new CallScope(null);
            context = new TypedContext(Side, function.Types) { Scope = scope };
        }
        ulong to = HasResultPointer ? arguments[ResultPointer] : 0;
        Task? called;
        try
        {
            called = code.Invoke(context, target, (nint)arguments, (nint)(&to));
        }
        catch
        {
            scope?.End();
            throw;
        }
        if (called is null)
        {
            scope?.Return();
            *result = IsAsync ? (uint)SubtaskState.Returned : to;
            return;
        }
        var subtask = new Subtask(this, arguments, coreArguments, IsAsync);
        subtask.StartHost(scope);
        Action<nint> lower = at => code.Result!(context, called, at);
        if (called.IsCompleted) subtask.ReturnHost(lower);
        else Await(subtask, called, lower, () => DelegateBinder.DiscardOf(callee.Type, target.GetType())(called));
        Finish(subtask, result);
    }

    /// <summary>The host goes on by itself. When the result is there, the thread that then runs guests lowers it; if the guest does not want it any more, it is discarded.</summary>
    private void Await(Subtask subtask, Task called, Action<nint> lower, Action discard)
    {
        if (!callee.Type.IsAsync)
        {
            // A function that may not wait holds the thread if the host's does.
            ((IAsyncResult)called).AsyncWaitHandle.WaitOne();
            subtask.ReturnHost(lower);
            return;
        }
        bool isLeft = false;
        ComponentTree tree = Instance.Tree;
        LateAction late = null!;
        late = new LateAction(
            Instance.Scheduler, called,
            () =>
            {
                tree.Ended(late);
                if (Volatile.Read(ref isLeft) || tree.IsFreed)
                {
                    discard();
                    return;
                }
                try
                {
                    subtask.ReturnHost(lower);
                }
                catch (Exception e)
                {
                    // The failure belongs to the guest that called, not to the call that is running now.
                    subtask.FailHost(e);
                }
            },
            () => Volatile.Read(ref isLeft) || tree.IsFreed);
        subtask.Cancel = _ =>
        {
            // A function of the host that is to end early says so by its own token; for the guest it has ended now.
            Volatile.Write(ref isLeft, true);
            subtask.Cancelled();
            late.RunLeft();
        };
        tree.Begun(late);
        late.Start();
    }
}
