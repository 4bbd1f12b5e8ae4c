using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace WasmJit.Runtime;

/// <summary>
/// Methods that generated code calls to make exceptions, tell them apart and take them apart. They are never inlined, to keep hot paths small.
/// </summary>
internal static class ExceptionHelpers
{
    /// <summary>The exception of <c>throw</c>, its values still to be stored.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    internal static WasmException Make(InstanceCore instance, int tag) => new(instance.Tags[tag]);

    /// <summary>The operand of <c>throw_ref</c>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static WasmException NonNull(object? exception) =>
        exception is null ? throw Trap.Make(TrapKind.NullExceptionReference) : Unsafe.As<WasmException>(exception);

    /// <summary>For exception filters: whether it is an exception of a tag, 0 or 1. Must not throw.</summary>
    internal static int HasTag(object exception, InstanceCore instance, int tag) =>
        exception is WasmException wasm && ReferenceEquals(wasm.TagField, instance.Tags[tag]) ? 1 : 0;

    /// <summary>For exception filters: whether it is an exception of WebAssembly, 0 or 1.</summary>
    internal static int IsWasm(object exception) => exception is WasmException ? 1 : 0;

    internal static Vector128<byte> Vector(long low, long high) => Vector128.Create(low, high).AsByte();

    internal static long Low(Vector128<byte> vector) => vector.AsInt64().GetElement(0);

    internal static long High(Vector128<byte> vector) => vector.AsInt64().GetElement(1);
}
