using System.Runtime.CompilerServices;
using WasmJit.Gc;

namespace WasmJit.Runtime;

/// <summary>
/// Type tests of references that the CLR does not do in one check: abstract types, functions, array types with subtypes, types of the runtime-linking
/// extension. All give false for null.
/// </summary>
internal static class Casts
{
    /// <summary>A member of the type index space.</summary>
    internal static bool IsType(object? value, InstanceCore instance, int type) =>
        value is not null && RefTypes.Matches(value, instance.Types[type]);

    /// <summary><c>(exact $t)</c>.</summary>
    internal static bool IsExactly(object? value, InstanceCore instance, int type) =>
        value is not null && ReferenceEquals(RefTypes.TypeOf(value), instance.Types[type]);

    /// <summary><c>(exact $M)</c> of a module: an instance of this very closure.</summary>
    internal static bool IsMadeOf(object? value, InstanceCore instance, int module) =>
        value is InstanceCore made && ReferenceEquals(made.OwnModule, instance.Modules[module]);

    /// <summary>An abstract heap type, by its binary code.</summary>
    internal static bool IsAbstract(object? value, int code) => value is not null && RefTypes.Matches(value, HeapType.FromCode(code)!);

    /// <summary>A function of a final type.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsFunc(FuncRef? value, int typeId) => value is not null && value.TypeId == typeId;

    internal static bool IsArray(object? value) => (value is Array && GcClass.OfObject(value) is not null) || value is PlainArray;

    internal static bool IsEq(object? value) => value is WasmStruct or I31 || IsArray(value);

    /// <summary>Ends a cast: traps if its test, pushed last, is false.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Check(bool matches)
    {
        if (!matches) Trap.Throw(TrapKind.CastFailure);
    }

    /// <summary>The null check of a cast to a type without null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static object NonNull(object? value)
    {
        if (value is null) Trap.Throw(TrapKind.CastFailure);
        return value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static object NonNullDescriptor(object? value)
    {
        if (value is null) Trap.Throw(TrapKind.NullDescriptorReference);
        return value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void CheckDescriptor(bool matches)
    {
        if (!matches) Trap.Throw(TrapKind.DescriptorCastFailure);
    }
}
