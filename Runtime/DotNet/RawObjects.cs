using System.Reflection;
using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>
/// Access to structs and arrays without code made for their class: fields by offset, classes by method table. Hosts use it, and saved code, which was
/// written before the classes of this process existed.
/// </summary>
/// <remarks>
/// Unsafe: an offset is used only with objects of the class it was asked for, or of classes derived from it. The validator proves that for guests,
/// <see cref="GcClass"/> checks it for hosts. The runtime itself gives layouts and offsets, through internal members. A saved assembly is bound to
/// the version that it was saved under.
/// </remarks>
internal static unsafe class RawObjects
{
    /// <summary>The view of an object that begins at its first field. There are no objects of this class.</summary>
    internal sealed class Start
    {
#pragma warning disable CS0649 // Only addresses of it are taken.
        internal byte Data;
#pragma warning restore CS0649
    }

    /// <summary>A field's distance from the first one's place.</summary>
    internal static nint OffsetOf(FieldInfo field) => InstanceFieldOffset(default, field);

    internal static nint MethodTableOf(Type type) => type.TypeHandle.Value;

    /// <summary>A field of a struct; T is the CLR type that it is stored in.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ref T Field<T>(object target, nint offset) =>
        ref Unsafe.As<byte, T>(ref Unsafe.AddByteOffset(ref Unsafe.As<Start>(target).Data, offset));

    /// <summary>The object if it is of this class and no other, otherwise null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static object? IsExactly(object? value, nint methodTable) =>
        value is not null && Field<nint>(value, -sizeof(nint)) == methodTable ? value : null;

    /// <summary>The object if it is null or of this class and no other.</summary>
    /// <exception cref="InvalidCastException">It is of another.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static object? CastExactly(object? value, nint methodTable)
    {
        if (value is not null && Field<nint>(value, -sizeof(nint)) != methodTable) throw new InvalidCastException();
        return value;
    }

    /// <summary>A new struct, all fields zero. Its class has been made ready by <see cref="GcClass.MakeReady"/>.</summary>
    internal static object New(nint methodTable) => AllocateNoChecks(default, (void*)methodTable);

    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = "GetInstanceFieldOffset")]
    private static extern int InstanceFieldOffset(RuntimeFieldHandle _, [UnsafeAccessorType("System.Reflection.RtFieldInfo")] object field);

    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = "InternalAllocNoChecks")]
    private static extern object AllocateNoChecks(
        RuntimeTypeHandle _, [UnsafeAccessorType("System.Runtime.CompilerServices.MethodTable*")] void* methodTable);
}
