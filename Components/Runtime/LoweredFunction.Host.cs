namespace WasmJit.Components;

/// <summary>Calls of functions of the host.</summary>
internal sealed unsafe partial class LoweredFunction
{
    /// <summary>Writes the result of a function of the host for the caller.</summary>
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
