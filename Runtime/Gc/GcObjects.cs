using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace WasmJit.Runtime;

/// <summary>
/// Structs and arrays made and changed one value at a time: the host's view, and constant expressions. Values are boxed and in
/// the form of generated code: packed ones are int, functions FuncRef.
/// </summary>
internal static class GcObjects
{
    /// <summary>A value of the host in the form of generated code.</summary>
    /// <exception cref="ArgumentException">Not of the type.</exception>
    internal static object? FromHost(object? value, ValType type)
    {
        bool fits = type.Kind switch
        {
            ValKind.I8 or ValKind.I16 or ValKind.I32 => value is int,
            ValKind.I64 => value is long,
            ValKind.F32 => value is float,
            ValKind.F64 => value is double,
            ValKind.V128 => value is Vector128<byte>,
            _ => true,
        };
        if (!fits) throw new ArgumentException($"A value of type {type} was expected, not {value ?? "null"}.", nameof(value));
        return type.IsRef ? HostValues.ToGuest(value, type) : value;
    }

    internal static void SetField(GcClass type, object target, int field, object? value)
    {
        switch (type.StorageOf(field).Kind)
        {
            case ValKind.I8: type.Field<byte>(target, field) = (byte)(int)value!; break;
            case ValKind.I16: type.Field<ushort>(target, field) = (ushort)(int)value!; break;
            case ValKind.I32: type.Field<int>(target, field) = (int)value!; break;
            case ValKind.I64: type.Field<long>(target, field) = (long)value!; break;
            case ValKind.F32: type.Field<float>(target, field) = (float)value!; break;
            case ValKind.F64: type.Field<double>(target, field) = (double)value!; break;
            case ValKind.V128: type.Field<Vector128<byte>>(target, field) = (Vector128<byte>)value!; break;
            default: type.Field<object?>(target, field) = value; break;
        }
    }

    internal static void SetElement(GcClass type, Array array, int index, object? value)
    {
        switch (type.StorageOf(0).Kind)
        {
            case ValKind.I8: Unsafe.As<byte[]>(array)[index] = (byte)(int)value!; break;
            case ValKind.I16: Unsafe.As<ushort[]>(array)[index] = (ushort)(int)value!; break;
            case ValKind.I32: Unsafe.As<int[]>(array)[index] = (int)value!; break;
            case ValKind.I64: Unsafe.As<long[]>(array)[index] = (long)value!; break;
            case ValKind.F32: Unsafe.As<float[]>(array)[index] = (float)value!; break;
            case ValKind.F64: Unsafe.As<double[]>(array)[index] = (double)value!; break;
            case ValKind.V128: Unsafe.As<Vector128<byte>[]>(array)[index] = (Vector128<byte>)value!; break;
            default: Unsafe.As<GcArrays.Slot[]>(array)[index].Value = value; break;
        }
    }

    /// <summary>Sets all elements of an array.</summary>
    internal static void Fill(GcClass type, Array array, object? value)
    {
        switch (type.StorageOf(0).Kind)
        {
            case ValKind.I8: LongWork.Fill(Unsafe.As<byte[]>(array).AsSpan(), (byte)(int)value!); break;
            case ValKind.I16: LongWork.Fill(Unsafe.As<ushort[]>(array).AsSpan(), (ushort)(int)value!); break;
            case ValKind.I32: LongWork.Fill(Unsafe.As<int[]>(array).AsSpan(), (int)value!); break;
            case ValKind.I64: LongWork.Fill(Unsafe.As<long[]>(array).AsSpan(), (long)value!); break;
            case ValKind.F32: LongWork.Fill(Unsafe.As<float[]>(array).AsSpan(), (float)value!); break;
            case ValKind.F64: LongWork.Fill(Unsafe.As<double[]>(array).AsSpan(), (double)value!); break;
            case ValKind.V128: LongWork.Fill(Unsafe.As<Vector128<byte>[]>(array).AsSpan(), (Vector128<byte>)value!); break;
            default: FillReferences(array, value); break;
        }
    }

    /// <summary>Arrays of guests have element types of their own, of which a span cannot be made as of another.</summary>
    private static void FillReferences(Array array, object? value)
    {
        GcArrays.Slot[] items = Unsafe.As<GcArrays.Slot[]>(array);
        for (int i = 0; i < items.Length; i++)
        {
            if ((i & 0xfffff) == 0xfffff) CancellationScope.ThrowIfStopped();
            items[i].Value = value;
        }
    }

    internal static object? GetElement(GcClass type, Array array, int index) => type.StorageOf(0).Kind switch
    {
        ValKind.I8 => (int)Unsafe.As<byte[]>(array)[index],
        ValKind.I16 => (int)Unsafe.As<ushort[]>(array)[index],
        ValKind.I32 => Unsafe.As<int[]>(array)[index],
        ValKind.I64 => Unsafe.As<long[]>(array)[index],
        ValKind.F32 => Unsafe.As<float[]>(array)[index],
        ValKind.F64 => Unsafe.As<double[]>(array)[index],
        ValKind.V128 => Unsafe.As<Vector128<byte>[]>(array)[index],
        _ => Unsafe.As<GcArrays.Slot[]>(array)[index].Value,
    };
}
