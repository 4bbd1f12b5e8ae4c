using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace WasmJit.Runtime;

/// <summary>
/// Array operators that are more than one access (spec 4.6.9). The element types of guests' arrays differ, their layout does not: an array is seen as
/// one of <see cref="byte"/>, <see cref="ushort"/>, ..., or of <see cref="Slot"/> for references. That is safe because the cast changes neither the
/// element's size nor where references lie.
/// </summary>
internal static class GcArrays
{
    /// <summary>The layout of an element that is a reference.</summary>
    internal struct Slot
    {
        internal object? Value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int CheckLength(int length, int maximum)
    {
        if ((uint)length > (uint)maximum) TooLong();
        return length;
    }

    private static void TooLong() => throw Trap.Make(TrapKind.OutOfMemory, "the array is too long");

    /// <summary>The null check of array accesses in functions whose implicit checks stand for structs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static object NonNull(object? array)
    {
        if (array is null) Trap.Throw(TrapKind.NullArrayReference);
        return array;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Span<T> Range<T>(object? array, uint at, uint count)
    {
        T[] items = Unsafe.As<T[]>(NonNull(array));
        if ((ulong)at + count > (uint)items.Length) throw Trap.Make(TrapKind.OutOfBoundsArrayAccess);
        return MemoryMarshal.CreateSpan(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(items), at), (int)count);
    }

    private static object Filled<T>(T value, object array)
    {
        T[] items = Unsafe.As<T[]>(array);
        LongWork.Fill(MemoryMarshal.CreateSpan(ref MemoryMarshal.GetArrayDataReference(items), items.Length), value);
        return array;
    }

    // array.new: the value, then the new array

    internal static object New8(int value, object array) => Filled((byte)value, array);

    internal static object New16(int value, object array) => Filled((ushort)value, array);

    internal static object NewI32(int value, object array) => Filled(value, array);

    internal static object NewI64(long value, object array) => Filled(value, array);

    internal static object NewF32(float value, object array) => Filled(value, array);

    internal static object NewF64(double value, object array) => Filled(value, array);

    internal static object NewV128(Vector128<byte> value, object array) => Filled(value, array);

    internal static object NewRef(object? value, object array) => Filled(new Slot { Value = value }, array);

    // array.fill

    internal static void Fill8(object? array, uint at, int value, uint count) => LongWork.Fill(Range<byte>(array, at, count), (byte)value);

    internal static void Fill16(object? array, uint at, int value, uint count) => LongWork.Fill(Range<ushort>(array, at, count), (ushort)value);

    internal static void FillI32(object? array, uint at, int value, uint count) => LongWork.Fill(Range<int>(array, at, count), value);

    internal static void FillI64(object? array, uint at, long value, uint count) => LongWork.Fill(Range<long>(array, at, count), value);

    internal static void FillF32(object? array, uint at, float value, uint count) => LongWork.Fill(Range<float>(array, at, count), value);

    internal static void FillF64(object? array, uint at, double value, uint count) => LongWork.Fill(Range<double>(array, at, count), value);

    internal static void FillV128(object? array, uint at, Vector128<byte> value, uint count) =>
        LongWork.Fill(Range<Vector128<byte>>(array, at, count), value);

    internal static void FillRef(object? array, uint at, object? value, uint count) =>
        LongWork.Fill(Range<Slot>(array, at, count), new Slot { Value = value });

    // array.copy

    private static void Copy<T>(object? to, uint toAt, object? from, uint fromAt, uint count)
    {
        Span<T> target = Range<T>(to, toAt, count);
        LongWork.Copy(Range<T>(from, fromAt, count), target);
    }

    internal static void Copy8(object? to, uint toAt, object? from, uint fromAt, uint count) => Copy<byte>(to, toAt, from, fromAt, count);

    internal static void Copy16(object? to, uint toAt, object? from, uint fromAt, uint count) => Copy<ushort>(to, toAt, from, fromAt, count);

    internal static void Copy32(object? to, uint toAt, object? from, uint fromAt, uint count) => Copy<int>(to, toAt, from, fromAt, count);

    internal static void Copy64(object? to, uint toAt, object? from, uint fromAt, uint count) => Copy<long>(to, toAt, from, fromAt, count);

    internal static void Copy128(object? to, uint toAt, object? from, uint fromAt, uint count) =>
        Copy<Vector128<byte>>(to, toAt, from, fromAt, count);

    internal static void CopyRef(object? to, uint toAt, object? from, uint fromAt, uint count) => Copy<Slot>(to, toAt, from, fromAt, count);

    // segments

    /// <summary>The bytes of a data segment for elements of <paramref name="size"/> bytes.</summary>
    private static ReadOnlySpan<byte> Data(InstanceCore instance, int segment, uint from, uint count, int size)
    {
        ReadOnlySpan<byte> bytes = instance.Datas[segment].Span;
        ulong length = (ulong)count * (uint)size;
        if (from > (uint)bytes.Length || length > (uint)bytes.Length - from) throw Trap.Make(TrapKind.OutOfBoundsMemoryAccess);
        return bytes.Slice((int)from, (int)length);
    }

    private static ReadOnlySpan<object?> Elements(InstanceCore instance, int segment, uint from, uint count)
    {
        object?[] items = instance.Elems[segment];
        if ((ulong)from + count > (uint)items.Length) throw Trap.Make(TrapKind.OutOfBoundsTableAccess);
        return items.AsSpan((int)from, (int)count);
    }

    private static unsafe void CopyData(ReadOnlySpan<byte> data, object? array, uint at, uint count, int size)
    {
        Span<byte> target = size switch
        {
            1 => Range<byte>(array, at, count),
            2 => MemoryMarshal.AsBytes(Range<ushort>(array, at, count)),
            4 => MemoryMarshal.AsBytes(Range<int>(array, at, count)),
            8 => MemoryMarshal.AsBytes(Range<long>(array, at, count)),
            _ => MemoryMarshal.AsBytes(Range<Vector128<byte>>(array, at, count)),
        };
        fixed (byte* from = data, to = target) LongWork.Copy(from, to, (ulong)data.Length);
    }

    private static void CopyElements(ReadOnlySpan<object?> items, Span<Slot> target)
    {
        for (int i = 0; i < items.Length; i++)
        {
            if ((i & 0xfffff) == 0xfffff) CancellationScope.ThrowIfStopped();
            target[i].Value = items[i];
        }
    }

    internal static object NewData(uint from, uint count, InstanceCore instance, int segment, int type)
    {
        GcClass gc = GcClass.At(instance, type);
        int size = gc.StorageOf(0).ByteSize;
        ReadOnlySpan<byte> data = Data(instance, segment, from, count, size);
        object array = gc.NewArray((int)count);
        CopyData(data, GcClass.ItemsOf(array), 0, count, size);
        return array;
    }

    internal static object NewElem(uint from, uint count, InstanceCore instance, int segment, int type)
    {
        ReadOnlySpan<object?> items = Elements(instance, segment, from, count);
        object array = GcClass.At(instance, type).NewArray((int)count);
        CopyElements(items, Range<Slot>(GcClass.ItemsOf(array), 0, count));
        return array;
    }

    internal static void InitData(object? array, uint at, uint from, uint count, InstanceCore instance, int segment, int type)
    {
        int size = GcClass.At(instance, type).StorageOf(0).ByteSize;
        // The array's own bounds come first (spec 4.6.9), and a null array before them.
        CheckRange(array, at, count);
        CopyData(Data(instance, segment, from, count, size), array, at, count, size);
    }

    internal static void InitElem(object? array, uint at, uint from, uint count, InstanceCore instance, int segment)
    {
        Span<Slot> target = Range<Slot>(array, at, count);
        CopyElements(Elements(instance, segment, from, count), target);
    }

    private static void CheckRange(object? array, uint at, uint count)
    {
        if ((ulong)at + count > (uint)Unsafe.As<Array>(NonNull(array)).Length) throw Trap.Make(TrapKind.OutOfBoundsArrayAccess);
    }
}
