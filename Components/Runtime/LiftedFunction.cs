using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>A function of a component instance or of the host.</summary>
internal abstract class ComponentFunc(FunctionType type)
{
    internal FunctionType Type { get; } = type;
}

/// <summary>How the values of a function type are passed.</summary>
internal sealed class FunctionShape
{
    internal FunctionShape(FunctionType type)
    {
        Parameters = [.. type.Parameters.Select(p => p.Type)];
        Results = type.Result is null ? [] : [type.Result];
        FlatParameters = (int)Math.Min(Parameters.Sum(p => (long)p.FlatCount), TypeLimits.FlatParameters + 1);
        FlatResults = type.Result?.FlatCount ?? 0;
        ParameterShape = new TypeShape(Parameters);
        ResultShape = new TypeShape(Results);
        HasBorrows = Parameters.Any(p => (p.Traits & TypeTraits.HasBorrow) != 0);
    }

    internal ComponentValType[] Parameters { get; }

    internal ComponentValType[] Results { get; }

    internal int FlatParameters { get; }

    internal int FlatResults { get; }

    internal TypeShape ParameterShape { get; }

    internal TypeShape ResultShape { get; }

    internal bool HasBorrows { get; }
}

/// <summary>A core function lifted to a component function.</summary>
/// <remarks>Unsafe: slots are as many as the core types have.</remarks>
internal sealed unsafe class LiftedFunction : ComponentFunc
{
    private readonly CoreCall call;
    private readonly FuncRef? postReturn;
    private readonly CoreCall? postReturnCall, callbackCall;

    internal LiftedFunction(
        FunctionType type, GuestSide side, FuncRef core, FuncRef? postReturn, FuncRef? callback, bool isAsync)
        : base(type)
    {
        Side = side;
        Core = core;
        this.postReturn = postReturn;
        Callback = callback;
        IsAsync = isAsync;
        Shape = type.Shape;
        call = CoreCall.Of(core.Type);
        if (postReturn is not null) postReturnCall = CoreCall.Of(postReturn.Type);
        if (callback is not null) callbackCall = CoreCall.Of(callback.Type);
    }

    internal GuestSide Side { get; }

    internal InstanceState Instance => Side.Instance;

    internal FuncRef Core { get; }

    internal FuncRef? Callback { get; }

    internal FuncRef? PostReturn => postReturn;

    /// <summary>Whether it is lifted with <c>async</c>.</summary>
    internal bool IsAsync { get; }

    internal FunctionShape Shape { get; }

    internal bool IsResultFlat => Shape.FlatResults <= TypeLimits.FlatResults;

    /// <summary>Whether a call needs no task: it cannot wait, and nothing that it calls asks for one.</summary>
    internal bool IsPlain => !Type.IsAsync && !Instance.UsesTasks;

    internal void Call(ulong* arguments, ulong* result) => call.Invoke(Core, arguments, result);

    internal void CallCallback(ulong* arguments, ulong* result) => callbackCall!.Invoke(Callback!, arguments, result);

    /// <summary>Calls <c>post-return</c> with what the function has returned.</summary>
    internal void AfterReturn(ulong* result)
    {
        if (postReturn is null) return;
        Instance.MayLeave = false;
        ulong none;
        postReturnCall!.Invoke(postReturn, result, &none);
        Instance.MayLeave = true;
    }

    /// <summary>Calls it as a task, up to where it waits or ends.</summary>
    internal GuestTask Begin(TaskCaller caller, InstanceState[] entered)
    {
        InstanceState.Enter(entered);
        var task = new GuestTask(this, Instance, caller);
        var thread = new ImplicitThread(task);
        task.Implicit = thread;
        // A thread that has the instance for itself and can go on does so first: a call need not wait for it then.
        while (task.NeedsExclusive && Instance.Exclusive is { IsReady: true } holder) holder.Resume();
        thread.Resume();
        if (!Type.IsAsync)
        {
            // Only threads of the same instance may run before it returns.
            while (task.State != TaskState.Resolved)
            {
                if (Instance.Threads.FindReady() is not { } other)
                    throw ComponentTrap.Make(Instance.Scheduler.Waiting.Exists(t => t.Task != task) ? ComponentTrap.Deadlock : ComponentTrap.CannotBlock);
                other.Resume();
            }
        }
        InstanceState.Leave(entered);
        return task;
    }
}
