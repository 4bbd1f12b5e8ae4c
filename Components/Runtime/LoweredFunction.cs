using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>A component function lowered to a core function: what a guest calls.</summary>
/// <remarks>Unsafe: slots are as many as the core types have.</remarks>
internal sealed unsafe partial class LoweredFunction : CoreImport
{
    private readonly ComponentFunc callee;
    private readonly LiftedFunction? lifted;
    private readonly FunctionShape shape;

    /// <summary>The instances that a call enters.</summary>
    private readonly InstanceState[] entered;

    /// <summary>What copies of arguments and of results work on, if a guest is called.</summary>
    internal readonly Transfer? ForArguments, ForResult;

    internal readonly FuncRef? CoreFunction, PostReturn;
    private readonly InstanceState? calleeInstance;
    private readonly int coreArguments;

    /// <summary>Whether one of the two instances is in the other.</summary>
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
}
