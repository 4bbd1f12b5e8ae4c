using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace WasmJit.Runtime;

/// <summary>Methods that generated code calls for globals behind a reference (runtime linking, section 4).</summary>
/// <remarks>Unsafe: the global keeps its storage, and is alive until the access is done.</remarks>
internal static unsafe class GlobalReferences
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Global Of(object? global)
    {
        if (global is null) Trap.Throw(TrapKind.NullGlobalReference);
        return Unsafe.As<Global>(global);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Read<T>(object? global)
        where T : unmanaged
    {
        Global of = Of(global);
        T value = *(T*)of.Address;
        GC.KeepAlive(of);
        return value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Write<T>(object? global, T value)
        where T : unmanaged
    {
        Global of = Of(global);
        *(T*)of.Address = value;
        GC.KeepAlive(of);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int GetI32(object? global) => Read<int>(global);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long GetI64(object? global) => Read<long>(global);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float GetF32(object? global) => Read<float>(global);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static double GetF64(object? global) => Read<double>(global);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> GetV128(object? global) => Read<Vector128<byte>>(global);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static object? GetRef(object? global) => Of(global).Ref;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static FuncRef? GetFunc(object? global) => Of(global).Func;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void SetI32(object? global, int value) => Write(global, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void SetI64(object? global, long value) => Write(global, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void SetF32(object? global, float value) => Write(global, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void SetF64(object? global, double value) => Write(global, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void SetV128(object? global, Vector128<byte> value) => Write(global, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void SetRef(object? global, object? value) => Of(global).Ref = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void SetFunc(object? global, FuncRef? value) => Of(global).Func = value;

    // ---- global.new ----

    private static Global Make(InstanceCore instance, int type) => new(((EntityType)instance.Types[type].Composite).Entity.Global);

    internal static object NewI32(int value, InstanceCore instance, int type) => Store(Make(instance, type), value);

    internal static object NewI64(long value, InstanceCore instance, int type) => Store(Make(instance, type), value);

    internal static object NewF32(float value, InstanceCore instance, int type) => Store(Make(instance, type), value);

    internal static object NewF64(double value, InstanceCore instance, int type) => Store(Make(instance, type), value);

    internal static object NewV128(Vector128<byte> value, InstanceCore instance, int type) => Store(Make(instance, type), value);

    internal static object NewRef(object? value, InstanceCore instance, int type)
    {
        Global made = Make(instance, type);
        made.Ref = value;
        return made;
    }

    internal static object NewFunc(FuncRef? value, InstanceCore instance, int type)
    {
        Global made = Make(instance, type);
        made.Func = value;
        return made;
    }

    private static Global Store<T>(Global global, T value)
        where T : unmanaged
    {
        *(T*)global.Address = value;
        return global;
    }
}
