namespace WasmJit.Components;

/// <summary>Canonical definitions, with their opcodes.</summary>
internal enum CanonOp : byte
{
    Lift = 0x00,
    Lower = 0x01,
    ResourceNew = 0x02,
    ResourceDrop = 0x03,
    ResourceRep = 0x04,
    TaskCancel = 0x05,
    SubtaskCancel = 0x06,
    TaskReturn = 0x09,
    ContextGet = 0x0a,
    ContextSet = 0x0b,
    ThreadYield = 0x0c,
    SubtaskDrop = 0x0d,
    StreamNew = 0x0e,
    StreamRead = 0x0f,
    StreamWrite = 0x10,
    StreamCancelRead = 0x11,
    StreamCancelWrite = 0x12,
    StreamDropReadable = 0x13,
    StreamDropWritable = 0x14,
    FutureNew = 0x15,
    FutureRead = 0x16,
    FutureWrite = 0x17,
    FutureCancelRead = 0x18,
    FutureCancelWrite = 0x19,
    FutureDropReadable = 0x1a,
    FutureDropWritable = 0x1b,
    ErrorContextNew = 0x1c,
    ErrorContextDebugMessage = 0x1d,
    ErrorContextDrop = 0x1e,
    WaitableSetNew = 0x1f,
    WaitableSetWait = 0x20,
    WaitableSetPoll = 0x21,
    WaitableSetDrop = 0x22,
    WaitableJoin = 0x23,
    BackpressureInc = 0x24,
    BackpressureDec = 0x25,
    ThreadIndex = 0x26,
    ThreadNewIndirect = 0x27,
    ThreadResumeLater = 0x28,
    ThreadSuspend = 0x29,
    ThreadSuspendThenResume = 0x2a,
    ThreadYieldThenResume = 0x2b,
    ThreadSuspendThenPromote = 0x2c,
    ThreadYieldThenPromote = 0x2d,
    ThreadSpawnRef = 0x40,
    ThreadSpawnIndirect = 0x41,
    ThreadAvailableParallelism = 0x42,
}

/// <summary>What stands behind the opcode of a built-in, in this order.</summary>
[Flags]
internal enum CanonImmediates
{
    None = 0,

    /// <summary>A type index: of a resource, stream or future.</summary>
    Type = 1 << 0,

    /// <summary>A result list, in the place of a type.</summary>
    Result = 1 << 1,

    /// <summary>A core value type and a number.</summary>
    Slot = 1 << 2,

    /// <summary>A flag: <c>async</c>.</summary>
    Async = 1 << 3,

    /// <summary>A flag: <c>cancellable</c>.</summary>
    Cancellable = 1 << 4,

    /// <summary>A flag: <c>shared</c>.</summary>
    Shared = 1 << 5,

    /// <summary>A core type index.</summary>
    CoreType = 1 << 6,

    /// <summary>A core table index.</summary>
    Table = 1 << 7,

    /// <summary>A core memory index.</summary>
    Memory = 1 << 8,

    /// <summary>Options.</summary>
    Options = 1 << 9,
}

/// <summary>The built-ins among the canonical definitions, each with its name in the text format and its immediates.</summary>
internal static class CanonBuiltins
{
    private static readonly (CanonOp Op, string Name, CanonImmediates Immediates)[] Rows =
    [
        (CanonOp.ResourceNew, "resource.new", CanonImmediates.Type),
        (CanonOp.ResourceDrop, "resource.drop", CanonImmediates.Type),
        (CanonOp.ResourceRep, "resource.rep", CanonImmediates.Type),
        (CanonOp.TaskCancel, "task.cancel", CanonImmediates.None),
        (CanonOp.SubtaskCancel, "subtask.cancel", CanonImmediates.Async),
        (CanonOp.TaskReturn, "task.return", CanonImmediates.Result | CanonImmediates.Options),
        (CanonOp.ContextGet, "context.get", CanonImmediates.Slot),
        (CanonOp.ContextSet, "context.set", CanonImmediates.Slot),
        (CanonOp.ThreadYield, "thread.yield", CanonImmediates.Cancellable),
        (CanonOp.SubtaskDrop, "subtask.drop", CanonImmediates.None),
        (CanonOp.StreamNew, "stream.new", CanonImmediates.Type),
        (CanonOp.StreamRead, "stream.read", CanonImmediates.Type | CanonImmediates.Options),
        (CanonOp.StreamWrite, "stream.write", CanonImmediates.Type | CanonImmediates.Options),
        (CanonOp.StreamCancelRead, "stream.cancel-read", CanonImmediates.Type | CanonImmediates.Async),
        (CanonOp.StreamCancelWrite, "stream.cancel-write", CanonImmediates.Type | CanonImmediates.Async),
        (CanonOp.StreamDropReadable, "stream.drop-readable", CanonImmediates.Type),
        (CanonOp.StreamDropWritable, "stream.drop-writable", CanonImmediates.Type),
        (CanonOp.FutureNew, "future.new", CanonImmediates.Type),
        (CanonOp.FutureRead, "future.read", CanonImmediates.Type | CanonImmediates.Options),
        (CanonOp.FutureWrite, "future.write", CanonImmediates.Type | CanonImmediates.Options),
        (CanonOp.FutureCancelRead, "future.cancel-read", CanonImmediates.Type | CanonImmediates.Async),
        (CanonOp.FutureCancelWrite, "future.cancel-write", CanonImmediates.Type | CanonImmediates.Async),
        (CanonOp.FutureDropReadable, "future.drop-readable", CanonImmediates.Type),
        (CanonOp.FutureDropWritable, "future.drop-writable", CanonImmediates.Type),
        (CanonOp.ErrorContextNew, "error-context.new", CanonImmediates.Options),
        (CanonOp.ErrorContextDebugMessage, "error-context.debug-message", CanonImmediates.Options),
        (CanonOp.ErrorContextDrop, "error-context.drop", CanonImmediates.None),
        (CanonOp.WaitableSetNew, "waitable-set.new", CanonImmediates.None),
        (CanonOp.WaitableSetWait, "waitable-set.wait", CanonImmediates.Cancellable | CanonImmediates.Memory),
        (CanonOp.WaitableSetPoll, "waitable-set.poll", CanonImmediates.Cancellable | CanonImmediates.Memory),
        (CanonOp.WaitableSetDrop, "waitable-set.drop", CanonImmediates.None),
        (CanonOp.WaitableJoin, "waitable.join", CanonImmediates.None),
        (CanonOp.BackpressureInc, "backpressure.inc", CanonImmediates.None),
        (CanonOp.BackpressureDec, "backpressure.dec", CanonImmediates.None),
        (CanonOp.ThreadIndex, "thread.index", CanonImmediates.None),
        (CanonOp.ThreadNewIndirect, "thread.new-indirect", CanonImmediates.CoreType | CanonImmediates.Table),
        (CanonOp.ThreadResumeLater, "thread.resume-later", CanonImmediates.None),
        (CanonOp.ThreadSuspend, "thread.suspend", CanonImmediates.Cancellable),
        (CanonOp.ThreadSuspendThenResume, "thread.suspend-then-resume", CanonImmediates.Cancellable),
        (CanonOp.ThreadYieldThenResume, "thread.yield-then-resume", CanonImmediates.Cancellable),
        (CanonOp.ThreadSuspendThenPromote, "thread.suspend-then-promote", CanonImmediates.Cancellable),
        (CanonOp.ThreadYieldThenPromote, "thread.yield-then-promote", CanonImmediates.Cancellable),
        (CanonOp.ThreadSpawnRef, "thread.spawn-ref", CanonImmediates.Shared | CanonImmediates.CoreType),
        (CanonOp.ThreadSpawnIndirect, "thread.spawn-indirect", CanonImmediates.Shared | CanonImmediates.CoreType | CanonImmediates.Table),
        (CanonOp.ThreadAvailableParallelism, "thread.available-parallelism", CanonImmediates.Shared),
    ];

    private static readonly Dictionary<CanonOp, (string Name, CanonImmediates Immediates)> ByOp = Rows.ToDictionary(r => r.Op, r => (r.Name, r.Immediates));

    private static readonly Dictionary<string, CanonOp> ByName = Rows.ToDictionary(r => r.Name, r => r.Op);

    /// <summary>Whether it is a built-in, and what stands behind its opcode.</summary>
    internal static bool TryGet(CanonOp op, out CanonImmediates immediates)
    {
        bool found = ByOp.TryGetValue(op, out (string Name, CanonImmediates Immediates) row);
        immediates = row.Immediates;
        return found;
    }

    /// <summary>The name of a built-in in the text format.</summary>
    internal static string Name(CanonOp op) => ByOp[op].Name;

    /// <summary>The built-in of a name, or null.</summary>
    internal static CanonOp? Find(string name) => ByName.TryGetValue(name, out CanonOp op) ? op : null;
}
