using WasmJit.Jit.Calls;
using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>The built-ins of the canonical ABI: core functions that act on an instance's tables, tasks and threads.</summary>
/// <remarks>Unsafe: slots are as many as the core types have.</remarks>
internal sealed class CanonBuiltin
{
    private const int Blocked = -1;

    private readonly InstanceState instance;
    private readonly BuiltinDefinition definition;
    private readonly GuestSide side;
    private readonly RuntimeResource resource = null!;
    private readonly PayloadType payload = null!;
    private readonly bool isFuture;
    private readonly Table? table;
    private readonly TypeShape? returnShape;

    internal CanonBuiltin(InstanceState instance, BuiltinDefinition definition, GuestSide side, DefinedType? type, ComponentValType? result, Table? table)
    {
        this.instance = instance;
        this.definition = definition;
        this.side = side;
        this.table = table;
        if (type is ResourceType declared) resource = instance.Resolve(declared);
        if (type is StreamType stream)
        {
            payload = PayloadType.Of(stream, instance);
            isFuture = stream.IsFuture;
        }
        if (definition.Op == CanonOp.TaskReturn) returnShape = new TypeShape(result is null ? [] : [result]);
    }

    private Scheduler Scheduler => instance.Scheduler;

    private GuestThread Thread => Scheduler.Current ?? throw new InvalidOperationException("No thread of a guest runs.");

    private GuestTask Task => Thread.Task;

    private bool IsAsync => definition.IsAsync || definition.Options.IsAsync;

    /// <summary>The core function.</summary>
    /// <param name="type">Its type.</param>
    internal FuncRef Make(DefType type)
    {
        if (definition.Op == CanonOp.TaskReturn) return CoreCall.Of(type).Import(new ReturnImport(this), type);
        return HostAdapter.MakeFunc(Delegate(type.AsFunc!), type);
    }

    /// <summary>What a built-in does. Each has a line here: the compiler finds one that is forgotten.</summary>
    private Delegate Delegate(FuncType type)
    {
        bool cancellable = definition.IsCancellable;
        bool is64 = type.Params.Length > 0 && type.Params[^1] == ValType.I64;
        return definition.Op switch
        {
            CanonOp.ResourceNew => resource.Is64 ? (Func<long, int>)(rep => ResourceNew((ulong)rep)) : (Func<int, int>)(rep => ResourceNew((uint)rep)),
            CanonOp.ResourceRep => resource.Is64 ? (Func<int, long>)(i => (long)ResourceRep(i)) : (Func<int, int>)(i => (int)ResourceRep(i)),
            CanonOp.ResourceDrop => (Action<int>)ResourceDrop,
            CanonOp.TaskCancel => (Action)TaskCancel,
            CanonOp.ContextGet => type.Results[0] == ValType.I64 ? (Func<long>)ContextGet : (Func<int>)(() => (int)ContextGet()),
            CanonOp.ContextSet => is64 ? (Action<long>)ContextSet : (Action<int>)(v => ContextSet((uint)v)),
            CanonOp.BackpressureInc => (Action)BackpressureInc,
            CanonOp.BackpressureDec => (Action)BackpressureDec,
            CanonOp.WaitableSetNew => (Func<int>)WaitableSetNew,
            CanonOp.WaitableSetWait => is64 ? (Func<int, long, int>)((s, p) => Wait(s, (ulong)p, cancellable)) : (Func<int, int, int>)((s, p) => Wait(s, (uint)p, cancellable)),
            CanonOp.WaitableSetPoll => is64 ? (Func<int, long, int>)((s, p) => Poll(s, (ulong)p, cancellable)) : (Func<int, int, int>)((s, p) => Poll(s, (uint)p, cancellable)),
            CanonOp.WaitableSetDrop => (Action<int>)WaitableSetDrop,
            CanonOp.WaitableJoin => (Action<int, int>)WaitableJoin,
            CanonOp.SubtaskCancel => (Func<int, int>)SubtaskCancel,
            CanonOp.SubtaskDrop => (Action<int>)SubtaskDrop,
            CanonOp.StreamNew or CanonOp.FutureNew => (Func<long>)NewEnds,
            CanonOp.StreamRead or CanonOp.StreamWrite => type.Params[1] == ValType.I64
                ? (Func<int, long, long, int>)((i, p, n) => Copy(i, (ulong)p, n is < 0 or > uint.MaxValue ? uint.MaxValue : (uint)n))
                : (Func<int, int, int, int>)((i, p, n) => Copy(i, (uint)p, (uint)n)),
            CanonOp.FutureRead or CanonOp.FutureWrite =>
                is64 ? (Func<int, long, int>)((i, p) => Copy(i, (ulong)p, 1)) : (Func<int, int, int>)((i, p) => Copy(i, (uint)p, 1)),
            CanonOp.StreamCancelRead or CanonOp.StreamCancelWrite or CanonOp.FutureCancelRead or CanonOp.FutureCancelWrite => (Func<int, int>)CancelCopy,
            CanonOp.StreamDropReadable or CanonOp.StreamDropWritable or CanonOp.FutureDropReadable or CanonOp.FutureDropWritable => (Action<int>)DropEnd,
            CanonOp.ErrorContextNew =>
                is64 ? (Func<long, long, int>)((p, n) => ErrorContextNew((ulong)p, (ulong)n)) : (Func<int, int, int>)((p, n) => ErrorContextNew((uint)p, (uint)n)),
            CanonOp.ErrorContextDebugMessage =>
                is64 ? (Action<int, long>)((i, p) => ErrorContextDebugMessage(i, (ulong)p)) : (Action<int, int>)((i, p) => ErrorContextDebugMessage(i, (uint)p)),
            CanonOp.ErrorContextDrop => (Action<int>)ErrorContextDrop,
            CanonOp.ThreadYield => (Func<int>)(() => Number(Leaving().YieldNow(cancellable))),
            CanonOp.ThreadIndex => (Func<int>)(() => (int)Leaving().Index),
            CanonOp.ThreadNewIndirect => is64 ? (Func<int, long, int>)ThreadNew64 : (Func<int, int, int>)ThreadNew,
            CanonOp.ThreadResumeLater => (Action<int>)ThreadResumeLater,
            CanonOp.ThreadSuspend => (Func<int>)(() => Number(Leaving().Suspend(cancellable))),
            CanonOp.ThreadSuspendThenResume => (Func<int, int>)(i => Number(Leaving().SuspendThenResume(cancellable, Suspended(i)))),
            CanonOp.ThreadYieldThenResume => (Func<int, int>)(i => Number(Leaving().YieldThenResume(cancellable, Suspended(i)))),
            CanonOp.ThreadSuspendThenPromote => (Func<int, int>)(i => Number(Leaving().SuspendThenPromote(cancellable, Other(i)))),
            CanonOp.ThreadYieldThenPromote => (Func<int, int>)(i => Number(Leaving().YieldThenPromote(cancellable, Other(i)))),
            CanonOp.ThreadAvailableParallelism => (Func<int>)(static () => 1),
            CanonOp.ThreadSpawnRef or CanonOp.ThreadSpawnIndirect =>
                throw new UnsupportedModuleException($"{CanonBuiltins.Name(definition.Op)}: threads that share memory"),
            CanonOp.Lift or CanonOp.Lower or CanonOp.TaskReturn => throw new InvalidOperationException($"{definition.Op} is not made of a delegate."),
        };
    }

    private static int Number(bool cancelled) => cancelled ? 1 : 0;

    /// <summary>The thread, in a built-in that may not be called where the instance may not be left.</summary>
    private GuestThread Leaving()
    {
        instance.CheckLeave();
        return Thread;
    }

    // ---- resources ----

    private int ResourceNew(ulong representation)
    {
        instance.CheckLeave();
        return TransferHelpers.LowerOwn(instance, representation, resource);
    }

    private ulong ResourceRep(int index) => instance.Handles.Resource((uint)index, resource).Representation;

    private void ResourceDrop(int index)
    {
        instance.CheckLeave();
        ResourceHandle handle = instance.Handles.Resource((uint)index, resource);
        ComponentTrap.If(handle.Lends != 0, ComponentTrap.OwnedWhileLent);
        instance.Handles.Remove((uint)index);
        if (handle.Scope is { } scope) scope.Borrows--;
        else Destructors.Run(resource, handle.Representation, instance);
    }

    // ---- context, backpressure, tasks ----

    private long ContextGet() => Thread.Storage[definition.Slot];

    private void ContextSet(long value) => Thread.Storage[definition.Slot] = value;

    private void BackpressureInc()
    {
        instance.Backpressure++;
        ComponentTrap.If(instance.Backpressure == 1 << 16, "backpressure counter overflow");
    }

    private void BackpressureDec()
    {
        instance.Backpressure--;
        ComponentTrap.If(instance.Backpressure < 0, "backpressure counter underflow");
    }

    private void TaskCancel()
    {
        instance.CheckLeave();
        ComponentTrap.If(Task.Function is not { IsAsync: true }, ComponentTrap.NoAsyncReturn);
        Task.Cancel();
    }

    private sealed unsafe class ReturnImport(CanonBuiltin builtin) : CoreImport
    {
        internal override void Invoke(ulong* arguments, ulong* result) => builtin.TaskReturn(arguments);
    }

    private unsafe void TaskReturn(ulong* arguments)
    {
        instance.CheckLeave();
        GuestTask task = Task;
        if (task.Function is not { IsAsync: true } function) throw ComponentTrap.Make(ComponentTrap.NoAsyncReturn);
        ComponentTrap.If(!IsResultOf(function) || !SameOptions(function), ComponentTrap.WrongReturn);
        task.Return(arguments, function.Shape.FlatResults <= TypeLimits.FlatParameters);
    }

    private bool IsResultOf(LiftedFunction function)
    {
        TypeShape other = function.Shape.ResultShape;
        if (returnShape!.Key != other.Key) return false;
        for (int i = 0; i < other.Resources.Count; i++)
            if (!ReferenceEquals(instance.Resolve(returnShape.Resources[i]), instance.Resolve(other.Resources[i]))) return false;
        for (int i = 0; i < other.Streams.Count; i++)
            if (!PayloadType.Of(returnShape.Streams[i], instance).Matches(PayloadType.Of(other.Streams[i], instance))) return false;
        return true;
    }

    /// <summary>A memory that the result does not need may be left out.</summary>
    private bool SameOptions(LiftedFunction function) =>
        side.Encoding == function.Side.Encoding && (side.Memory is null || ReferenceEquals(side.Memory, function.Side.Memory));

    // ---- waiting ----

    private int WaitableSetNew()
    {
        instance.CheckLeave();
        return (int)instance.Handles.Add(new WaitableSet());
    }

    private int Wait(int set, ulong address, bool cancellable)
    {
        GuestThread thread = Leaving();
        return Store(address, instance.Handles.Get<WaitableSet>((uint)set).Wait(thread, cancellable));
    }

    private int Poll(int set, ulong address, bool cancellable)
    {
        GuestThread thread = Leaving();
        return Store(address, instance.Handles.Get<WaitableSet>((uint)set).Poll(thread.Task, cancellable));
    }

    private unsafe int Store(ulong address, GuestEvent happened)
    {
        var at = (uint*)side.Check(address, 8, 4, ComponentTrap.ResultOutOfBounds);
        at[0] = happened.First;
        at[1] = happened.Second;
        GC.KeepAlive(side);
        return happened.Code;
    }

    private void WaitableSetDrop(int index)
    {
        instance.CheckLeave();
        WaitableSet set = instance.Handles.Get<WaitableSet>((uint)index);
        set.Drop();
        instance.Handles.Remove((uint)index);
    }

    private void WaitableJoin(int waitable, int set)
    {
        instance.CheckLeave();
        Waitable item = instance.Handles.Get<Waitable>((uint)waitable);
        ComponentTrap.If(item.HasSyncWaiter, ComponentTrap.JoinedSynchronously);
        item.Join(set == 0 ? null : instance.Handles.Get<WaitableSet>((uint)set));
    }

    // ---- calls ----

    /// <summary>
    /// A built-in that waits was called where nothing may wait: whatever its handle is, the call could not have ended well.
    /// </summary>
    private void CheckMayWait(int index)
    {
        if (!IsAsync && Task.IsSync && Task.State != TaskState.Resolved && instance.Handles.Find((uint)index) is null)
            ComponentTrap.Throw(ComponentTrap.CannotBlock);
    }

    private int SubtaskCancel(int index)
    {
        GuestThread thread = Leaving();
        CheckMayWait(index);
        Subtask subtask = instance.Handles.Get<Subtask>((uint)index);
        ComponentTrap.If(subtask.IsResolveDelivered, "`subtask.cancel` called after terminal status delivered");
        ComponentTrap.If(subtask.CancellationRequested, "`subtask.cancel` called after it was called before");
        ComponentTrap.If(subtask.Set is not null && !IsAsync, ComponentTrap.JoinedSynchronously);
        if (!subtask.IsResolved)
        {
            subtask.CancellationRequested = true;
            subtask.Cancel!(instance);
            if (!subtask.IsResolved)
            {
                if (IsAsync) return Blocked;
                subtask.WaitForPending(thread);
            }
        }
        subtask.Deliver();
        return (int)subtask.State;
    }

    private void SubtaskDrop(int index)
    {
        instance.CheckLeave();
        instance.Handles.Get<Subtask>((uint)index).Drop();
        instance.Handles.Remove((uint)index);
    }

    // ---- streams and futures ----

    private long NewEnds()
    {
        instance.CheckLeave();
        var shared = new SharedCopy(payload, isFuture);
        uint readable = instance.Handles.Add(new CopyEnd(shared, true)), writable = instance.Handles.Add(new CopyEnd(shared, false));
        return (long)(readable | (ulong)writable << 32);
    }

    private bool IsRead => definition.Op is CanonOp.StreamRead or CanonOp.FutureRead or CanonOp.StreamCancelRead or CanonOp.FutureCancelRead
        or CanonOp.StreamDropReadable or CanonOp.FutureDropReadable;

    private CopyEnd End(int index) => StreamHandles.Get(instance, (uint)index, isFuture, IsRead, payload);

    private int Copy(int index, ulong address, uint count)
    {
        GuestThread thread = Leaving();
        CheckMayWait(index);
        CopyEnd end = End(index);
        ComponentTrap.If(end.IsCopying, "cannot have concurrent operations active on a future/stream");
        if (end.State == CopyState.Done) ComponentTrap.Throw(WhyDone(end));
        ComponentTrap.If(end.Set is not null && !IsAsync, ComponentTrap.JoinedSynchronously);
        var buffer = new GuestBuffer(side, payload, address, count);
        int code = isFuture ? IsRead ? EventCode.FutureRead : EventCode.FutureWrite : IsRead ? EventCode.StreamRead : EventCode.StreamWrite;
        GuestEvent Happened(CopyResult result, Action? reclaim)
        {
            reclaim?.Invoke();
            end.State = result == CopyResult.Dropped || (isFuture && result == CopyResult.Completed) ? CopyState.Done : CopyState.Idle;
            end.WasDropped = result == CopyResult.Dropped;
            return new(code, (uint)index, isFuture ? (uint)result : (uint)result | buffer.Progress << 4);
        }
        end.State = CopyState.Copying;
        end.Shared.Copy(instance, buffer, IsRead,
            reclaim => end.Pending = () => Happened(CopyResult.Completed, reclaim),
            result => end.Pending = () => Happened(result, null));
        return Ended(end, thread);
    }

    private string WhyDone(CopyEnd end) => (isFuture, IsRead) switch
    {
        (true, true) => "cannot read from future after previous read succeeded",
        (true, false) => end.WasDropped ? "cannot write to future after previous write succeeded or readable end dropped" : "cannot write to future after previous write succeeded",
        (false, true) => "cannot read from stream after being notified that the writable end dropped",
        _ => "cannot write to stream after being notified that the readable end dropped",
    };

    private int Ended(CopyEnd end, GuestThread thread)
    {
        if (!end.HasPending)
        {
            if (IsAsync) return Blocked;
            end.WaitForPending(thread);
        }
        return (int)end.Deliver().Second;
    }

    private int CancelCopy(int index)
    {
        GuestThread thread = Leaving();
        CheckMayWait(index);
        CopyEnd end = End(index);
        ComponentTrap.If(end.State != CopyState.Copying || end.HasSyncWaiter, "no operation to cancel on a future/stream");
        ComponentTrap.If(end.Set is not null && !IsAsync, ComponentTrap.JoinedSynchronously);
        end.State = CopyState.Cancelling;
        bool wasDone = end.HasPending;
        if (!wasDone) end.Shared.Cancel();
        int result = Ended(end, thread);
        // What was copied before is told together with the cancellation, as the official tests have it.
        return wasDone && !isFuture && (result & 0xf) == (int)CopyResult.Completed ? result | (int)CopyResult.Cancelled : result;
    }

    private void DropEnd(int index)
    {
        instance.CheckLeave();
        End(index).Drop();
        instance.Handles.Remove((uint)index);
    }

    // ---- error contexts ----

    private int ErrorContextNew(ulong address, ulong units)
    {
        instance.CheckLeave();
        return (int)instance.Handles.Add(ErrorContext.Of(GuestStrings.Lift(side, address, units)));
    }

    private unsafe void ErrorContextDebugMessage(int index, ulong address)
    {
        instance.CheckLeave();
        ErrorContext context = instance.Handles.Get<ErrorContext>((uint)index);
        PrimitiveType type = PrimitiveType.Of(PrimitiveKind.String);
        ValueLayout layout = type.Layout(side.Is64);
        byte* at = side.Check(address, (ulong)layout.Size, (uint)layout.Alignment, ComponentTrap.ResultOutOfBounds);
        new ValueLowerer(side, null, instance).Store(ComponentValue.From(context.Message), type, at);
    }

    private void ErrorContextDrop(int index)
    {
        instance.CheckLeave();
        instance.Handles.Get<ErrorContext>((uint)index);
        instance.Handles.Remove((uint)index);
    }

    // ---- threads ----

    private GuestThread Other(int index) => instance.Threads.Get((uint)index);

    private GuestThread Suspended(int index)
    {
        GuestThread other = Other(index);
        ComponentTrap.If(other.State != ThreadState.Suspended, ComponentTrap.WrongThread);
        return other;
    }

    private FuncRef ThreadFunction(uint index, ValType argument)
    {
        object? found = index < (uint)table!.Size ? table.Get(index) : null;
        if (found is not FuncRef function) throw WasmJit.Runtime.Trap.Make(index < (uint)table.Size ? TrapKind.UninitializedElement : TrapKind.UndefinedElement);
        FuncType type = function.Type.AsFunc!;
        if (type.Params.Length != 1 || type.Params[0] != argument || type.Results.Length != 0) throw WasmJit.Runtime.Trap.Make(TrapKind.IndirectCallTypeMismatch);
        return function;
    }

    private int ThreadNew(int index, int argument)
    {
        GuestTask task = Leaving().Task;
        var function = (Action<int>)ThreadFunction((uint)index, ValType.I32).Delegate;
        return Spawn(task, () => function(argument));
    }

    private int ThreadNew64(int index, long argument)
    {
        GuestTask task = Leaving().Task;
        var function = (Action<long>)ThreadFunction((uint)index, ValType.I64).Delegate;
        return Spawn(task, () => function(argument));
    }

    private static int Spawn(GuestTask task, Action body)
    {
        var thread = new SpawnedThread(task, body);
        task.Register(thread);
        return (int)thread.Index;
    }

    private void ThreadResumeLater(int index)
    {
        instance.CheckLeave();
        Suspended(index).BeginWaiting(static () => true);
    }
}
