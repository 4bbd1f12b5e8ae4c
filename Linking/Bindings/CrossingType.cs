using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace WasmJit.Linking;

/// <summary>How a .NET type crosses.</summary>
internal enum Crossing : byte
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>As one value: a number, a reference.</summary>
    Value,

    /// <summary>Text in memory.</summary>
    Text,

    /// <summary>An array or a span of numbers or structs, in memory.</summary>
    Array, Span, ReadOnlySpan,

    /// <summary>A struct of numbers, behind a pointer.</summary>
    Struct,

    /// <summary>A delegate, for a reference to a function.</summary>
    Function,

    /// <summary>Any object, for an externref and the like.</summary>
    Object,
}

/// <summary>A .NET type in a signature that is bound, and what it can be in WebAssembly.</summary>
internal sealed class CrossingType
{
    private CrossingType(Type type, Crossing kind, Type? item)
    {
        Type = type;
        Kind = kind;
        Item = item;
    }

    internal Type Type { get; }

    internal Crossing Kind { get; }

    /// <summary>The element of an array or span.</summary>
    internal Type? Item { get; }

    internal static CrossingType Of(Type type)
    {
        if (NumberOf(type) is not null) return new CrossingType(type, Crossing.Value, null);
        if (type == typeof(string)) return new CrossingType(type, Crossing.Text, null);
        if (type.IsArray && type.GetElementType() is { } element) return new CrossingType(type, IsPlain(element) ? Crossing.Array : Crossing.None, element);
        if (type.IsGenericType && type.GetGenericTypeDefinition() is var open && (open == typeof(Span<>) || open == typeof(ReadOnlySpan<>)))
        {
            Type item = type.GetGenericArguments()[0];
            return new CrossingType(type, !IsPlain(item) ? Crossing.None : open == typeof(Span<>) ? Crossing.Span : Crossing.ReadOnlySpan, item);
        }
        if (typeof(Delegate).IsAssignableFrom(type)) return new CrossingType(type, Crossing.Function, null);
        if (type.IsValueType) return new CrossingType(type, IsPlain(type) && !IsTuple(type) ? Crossing.Struct : Crossing.None, null);
        return new CrossingType(type, type.IsByRef || type.IsPointer ? Crossing.None : Crossing.Object, null);
    }

    /// <summary>The kind of a type that is one number; null of other types. <c>nint</c> is an address of either size.</summary>
    internal static ValKind? NumberOf(Type type)
    {
        if (type.IsEnum) type = type.GetEnumUnderlyingType();
        if (type == typeof(int) || type == typeof(uint) || type == typeof(bool) || type == typeof(byte) || type == typeof(sbyte) || type == typeof(short)
            || type == typeof(ushort) || type == typeof(char)) return ValKind.I32;
        if (type == typeof(long) || type == typeof(ulong)) return ValKind.I64;
        if (type == typeof(float)) return ValKind.F32;
        if (type == typeof(double)) return ValKind.F64;
        if (type == typeof(Vector128<byte>)) return ValKind.V128;
        return null;
    }

    /// <summary>Whether it is a tuple, which stands for several values.</summary>
    internal static bool IsTuple(Type type) => type.IsValueType && typeof(ITuple).IsAssignableFrom(type);

    /// <summary>Whether values of the type are nothing but numbers, so that their bytes can be copied.</summary>
    private static bool IsPlain(Type type, int depth = 0)
    {
        if (type.IsEnum || type.IsPrimitive) return type != typeof(nint) && type != typeof(nuint) && type != typeof(bool) && type != typeof(char);
        // Structs of .NET itself have a layout that is nobody's business.
        if (!type.IsValueType || type.Assembly == typeof(object).Assembly || type.ContainsGenericParameters || depth > 8) return false;
        FieldInfo[] fields = type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);
        return fields.Length > 0 && type.IsLayoutSequential && Array.TrueForAll(fields, f => IsPlain(f.FieldType, depth + 1));
    }

    /// <summary>Whether one WebAssembly value of a type can be the .NET value.</summary>
    internal bool IsValueOf(ValType type) => Kind switch
    {
        Crossing.Value => NumberOf(Type) == type.Kind,
        Crossing.Function => type.IsRef && ReferenceEquals(Subtyping.TopOf(type.Heap!), HeapType.Func),
        Crossing.Object => type.IsRef && !ReferenceEquals(Subtyping.TopOf(type.Heap!), HeapType.Func),
        Crossing.Text => type == ValType.ExternRef,
        _ => false,
    };
}
