namespace WasmJit.Text;

/// <summary>What a canonical built-in takes, in the order of text and bytes.</summary>
internal enum CanonOperand : byte { Type, CoreType, CoreTable, Memory, Options, Async, Cancellable, Shared, Result, CoreValueType, Number }

/// <summary>A canonical built-in.</summary>
internal sealed record CanonBuiltin(byte Code, string Name, params CanonOperand[] Operands);

/// <summary>The canonical built-ins that are not lift and lower.</summary>
internal static class CanonBuiltins
{
    internal const byte Lift = 0x00, Lower = 0x01;

    internal static readonly IReadOnlyList<CanonBuiltin> All =
    [
        new(0x02, "resource.new", CanonOperand.Type),
        new(0x03, "resource.drop", CanonOperand.Type),
        new(0x04, "resource.rep", CanonOperand.Type),
        new(0x05, "task.cancel"),
        new(0x06, "subtask.cancel", CanonOperand.Async),
        new(0x09, "task.return", CanonOperand.Result, CanonOperand.Options),
        new(0x0a, "context.get", CanonOperand.CoreValueType, CanonOperand.Number),
        new(0x0b, "context.set", CanonOperand.CoreValueType, CanonOperand.Number),
        new(0x0c, "thread.yield", CanonOperand.Cancellable),
        new(0x0d, "subtask.drop"),
        new(0x0e, "stream.new", CanonOperand.Type),
        new(0x0f, "stream.read", CanonOperand.Type, CanonOperand.Options),
        new(0x10, "stream.write", CanonOperand.Type, CanonOperand.Options),
        new(0x11, "stream.cancel-read", CanonOperand.Type, CanonOperand.Async),
        new(0x12, "stream.cancel-write", CanonOperand.Type, CanonOperand.Async),
        new(0x13, "stream.drop-readable", CanonOperand.Type),
        new(0x14, "stream.drop-writable", CanonOperand.Type),
        new(0x15, "future.new", CanonOperand.Type),
        new(0x16, "future.read", CanonOperand.Type, CanonOperand.Options),
        new(0x17, "future.write", CanonOperand.Type, CanonOperand.Options),
        new(0x18, "future.cancel-read", CanonOperand.Type, CanonOperand.Async),
        new(0x19, "future.cancel-write", CanonOperand.Type, CanonOperand.Async),
        new(0x1a, "future.drop-readable", CanonOperand.Type),
        new(0x1b, "future.drop-writable", CanonOperand.Type),
        new(0x1c, "error-context.new", CanonOperand.Options),
        new(0x1d, "error-context.debug-message", CanonOperand.Options),
        new(0x1e, "error-context.drop"),
        new(0x1f, "waitable-set.new"),
        new(0x20, "waitable-set.wait", CanonOperand.Cancellable, CanonOperand.Memory),
        new(0x21, "waitable-set.poll", CanonOperand.Cancellable, CanonOperand.Memory),
        new(0x22, "waitable-set.drop"),
        new(0x23, "waitable.join"),
        new(0x24, "backpressure.inc"),
        new(0x25, "backpressure.dec"),
        new(0x26, "thread.index"),
        new(0x27, "thread.new-indirect", CanonOperand.CoreType, CanonOperand.CoreTable),
        new(0x28, "thread.resume-later"),
        new(0x29, "thread.suspend", CanonOperand.Cancellable),
        new(0x2a, "thread.suspend-then-resume", CanonOperand.Cancellable),
        new(0x2b, "thread.yield-then-resume", CanonOperand.Cancellable),
        new(0x2c, "thread.suspend-then-promote", CanonOperand.Cancellable),
        new(0x2d, "thread.yield-then-promote", CanonOperand.Cancellable),
        new(0x40, "thread.spawn-ref", CanonOperand.Shared, CanonOperand.CoreType),
        new(0x41, "thread.spawn-indirect", CanonOperand.Shared, CanonOperand.CoreType, CanonOperand.CoreTable),
        new(0x42, "thread.available-parallelism", CanonOperand.Shared),
    ];

    private static readonly Dictionary<string, CanonBuiltin> ByName = All.ToDictionary(b => b.Name);

    internal static CanonBuiltin? Find(string name) => ByName.GetValueOrDefault(name);
}
