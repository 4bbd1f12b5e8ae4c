using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace WasmJit.Runtime;

/// <summary>
/// The interpreted operators on structs and arrays, and casts. Operands lie in a row: numbers from A on, references from B on; results take the place of the first. Target is
/// a type, Value a field, a length or a segment.
/// </summary>
/// <remarks>
/// Unsafe: slots are those that the translator gave out. An object is of its operand's type or of a subtype, as the validator has proved, so that its fields are at the places
/// of the type and its elements of the type's size.
/// </remarks>
internal static unsafe class GcOperations
{
    /// <summary>What a cast asks for, in A of the word behind; its Value is the index of a type or module, or the code of an abstract type.</summary>
    internal enum CastKind : ushort { Type, Exactly, MadeOf, Abstract }

    /// <summary>Executes an operation. Gives the next instruction.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static Instruction* Execute(InterpreterThread thread, InstanceCore instance, Instruction* ip, ulong* fp, int rp)
    {
        ulong* numbers = fp + ip->A;
        Span<object?> refs = thread.Refs.AsSpan(rp + ip->B);
        ref Instruction word = ref ip[1];
        switch (ip->Op)
        {
            case RegisterOp.StructNew: refs[0] = NewStruct(GcClass.At(instance, ip->Target), numbers, refs, hasFields: true, word.A != 0); break;
            case RegisterOp.StructNewDefault: refs[0] = NewStruct(GcClass.At(instance, ip->Target), numbers, refs, hasFields: false, word.A != 0); break;
            case RegisterOp.StructGet: GetField(GcClass.At(instance, ip->Target), ip->Value, numbers, refs, word.A != 0); break;
            case RegisterOp.StructSet: SetField(GcClass.At(instance, ip->Target), NonNullStruct(refs[0]), ip->Value, numbers, refs[1..]); break;
            case RegisterOp.StructGetDescriptor:
                GcClass described = GcClass.At(instance, ip->Target);
                refs[0] = described.Field<object?>(CodeHelpers.NonNull(refs[0]), described.FieldCount);
                break;
            case RegisterOp.ArrayNew: refs[0] = NewArray(GcClass.At(instance, ip->Target), numbers, refs); break;
            case RegisterOp.ArrayNewDefault: refs[0] = GcClass.At(instance, ip->Target).NewArray((int)*numbers); break;
            case RegisterOp.ArrayNewFixed: refs[0] = NewFixed(GcClass.At(instance, ip->Target), ip->Value, numbers, refs); break;
            case RegisterOp.ArrayNewData: refs[0] = GcArrays.NewData((uint)numbers[0], (uint)numbers[1], instance, ip->Value, ip->Target); break;
            case RegisterOp.ArrayNewElem: refs[0] = GcArrays.NewElem((uint)numbers[0], (uint)numbers[1], instance, ip->Value, ip->Target); break;
            case RegisterOp.ArrayGet: GetElement(GcClass.At(instance, ip->Target), numbers, refs, word.A != 0); break;
            case RegisterOp.ArraySet:
                Array items = ItemsOf(refs[0]);
                SetElement(GcClass.At(instance, ip->Target), items, CheckIndex(items, (uint)*numbers), numbers + 1, refs[1..]);
                break;
            case RegisterOp.ArrayLen: *numbers = (uint)ItemsOf(refs[0]).Length; break;
            case RegisterOp.ArrayFill: Fill(GcClass.At(instance, ip->Target).StorageOf(0), numbers, refs); break;
            case RegisterOp.ArrayCopy: Copy(GcClass.At(instance, ip->Target).StorageOf(0), numbers, refs); break;
            case RegisterOp.ArrayInitData:
                GcArrays.InitData(ItemsOf(refs[0]), (uint)numbers[0], (uint)numbers[1], (uint)numbers[2], instance, ip->Value, ip->Target);
                break;
            case RegisterOp.ArrayInitElem:
                GcArrays.InitElem(ItemsOf(refs[0]), (uint)numbers[0], (uint)numbers[1], (uint)numbers[2], instance, ip->Value);
                break;
            case RegisterOp.RefTest: *numbers = Matches(refs[0], instance, word) ? 1UL : 0UL; break;
            case RegisterOp.RefCast: Casts.Check(Matches(refs[0], instance, word)); break;
            case RegisterOp.RefTestDescriptor: *numbers = HasDescriptor(refs[0], thread.Refs[rp + word.C], word) ? 1UL : 0UL; break;
            case RegisterOp.RefCastDescriptor: Casts.CheckDescriptor(HasDescriptor(refs[0], thread.Refs[rp + word.C], word)); break;
            default: throw new InvalidOperationException($"The interpreter has no case for {ip->Op}.");
        }
        return ip + 2;
    }

    private static object NonNullStruct(object? value)
    {
        if (value is null) Trap.Throw(TrapKind.NullStructureReference);
        return value;
    }

    private static Array ItemsOf(object? array) => GcClass.ItemsOf(GcArrays.NonNull(array));

    private static int CheckIndex(Array items, uint index)
    {
        if (index >= (uint)items.Length) Trap.Throw(TrapKind.OutOfBoundsArrayAccess);
        return (int)index;
    }

    private static bool Matches(object? value, InstanceCore instance, in Instruction word) => value is null ? word.B != 0 : (CastKind)word.A switch
    {
        CastKind.Type => Casts.IsType(value, instance, word.Value),
        CastKind.Exactly => Casts.IsExactly(value, instance, word.Value),
        CastKind.MadeOf => Casts.IsMadeOf(value, instance, word.Value),
        _ => Casts.IsAbstract(value, word.Value),
    };

    /// <summary>Whether an object has a descriptor, which no object of another type has. C of the word is its slot.</summary>
    private static bool HasDescriptor(object? value, object? descriptor, in Instruction word)
    {
        Casts.NonNullDescriptor(descriptor);
        if (value is null) return word.B != 0;
        return GcClass.OfObject(value) is { HasDescriptor: true } type && ReferenceEquals(type.Field<object?>(value, type.FieldCount), descriptor);
    }

    // ---- structs ----

    private static object NewStruct(GcClass type, ulong* numbers, Span<object?> refs, bool hasFields, bool hasDescriptor)
    {
        int count = type.FieldCount, reference = 0;
        if (hasDescriptor)
        {
            if (hasFields)
                for (int i = 0; i < count; i++) reference += type.StorageOf(i).IsRef ? 1 : 0;
            Casts.NonNullDescriptor(refs[reference]);
        }
        object made = type.NewStruct();
        if (hasDescriptor) type.Field<object?>(made, count) = refs[reference];
        reference = 0;
        for (int i = 0; hasFields && i < count; i++)
        {
            SetField(type, made, i, numbers, refs[reference..]);
            ValType storage = type.StorageOf(i);
            numbers += storage.Words;
            if (storage.IsRef) reference++;
        }
        return made;
    }

    private static void SetField(GcClass type, object target, int field, ulong* number, Span<object?> refs)
    {
        switch (type.StorageOf(field).Kind)
        {
            case ValKind.I8: type.Field<byte>(target, field) = (byte)*number; break;
            case ValKind.I16: type.Field<ushort>(target, field) = (ushort)*number; break;
            case ValKind.I32 or ValKind.F32: type.Field<int>(target, field) = (int)*number; break;
            case ValKind.I64 or ValKind.F64: type.Field<ulong>(target, field) = *number; break;
            case ValKind.V128: type.Field<Vector128<byte>>(target, field) = Unsafe.ReadUnaligned<Vector128<byte>>(number); break;
            default: type.Field<object?>(target, field) = refs[0]; break;
        }
    }

    private static void GetField(GcClass type, int field, ulong* number, Span<object?> refs, bool isSigned)
    {
        object target = NonNullStruct(refs[0]);
        switch (type.StorageOf(field).Kind)
        {
            case ValKind.I8: *number = Extend8(type.Field<byte>(target, field), isSigned); break;
            case ValKind.I16: *number = Extend16(type.Field<ushort>(target, field), isSigned); break;
            case ValKind.I32 or ValKind.F32: *number = (uint)type.Field<int>(target, field); break;
            case ValKind.I64 or ValKind.F64: *number = type.Field<ulong>(target, field); break;
            case ValKind.V128: Unsafe.WriteUnaligned(number, type.Field<Vector128<byte>>(target, field)); break;
            default: refs[0] = type.Field<object?>(target, field); break;
        }
    }

    private static ulong Extend8(byte value, bool isSigned) => isSigned ? (uint)(sbyte)value : value;

    private static ulong Extend16(ushort value, bool isSigned) => isSigned ? (uint)(short)value : value;

    // ---- arrays ----

    private static object NewArray(GcClass type, ulong* numbers, Span<object?> refs)
    {
        ValType storage = type.StorageOf(0);
        int length = (int)numbers[storage.Words];
        object made = type.NewArray(length);
        Array items = GcClass.ItemsOf(made);
        switch (storage.Kind)
        {
            case ValKind.I8: GcArrays.New8((int)*numbers, items); break;
            case ValKind.I16: GcArrays.New16((int)*numbers, items); break;
            case ValKind.I32 or ValKind.F32: GcArrays.NewI32((int)*numbers, items); break;
            case ValKind.I64 or ValKind.F64: GcArrays.NewI64((long)*numbers, items); break;
            case ValKind.V128: GcArrays.NewV128(Unsafe.ReadUnaligned<Vector128<byte>>(numbers), items); break;
            default: GcArrays.NewRef(refs[0], items); break;
        }
        return made;
    }

    private static object NewFixed(GcClass type, int length, ulong* numbers, Span<object?> refs)
    {
        object made = type.NewArray(length);
        Array items = GcClass.ItemsOf(made);
        ValType storage = type.StorageOf(0);
        for (int i = 0; i < length; i++)
            SetElement(type, items, i, numbers + (i * storage.Words), storage.IsRef ? refs[i..] : refs);
        return made;
    }

    private static void SetElement(GcClass type, Array items, int index, ulong* number, Span<object?> refs)
    {
        switch (type.StorageOf(0).Kind)
        {
            case ValKind.I8: Unsafe.As<byte[]>(items)[index] = (byte)*number; break;
            case ValKind.I16: Unsafe.As<ushort[]>(items)[index] = (ushort)*number; break;
            case ValKind.I32 or ValKind.F32: Unsafe.As<int[]>(items)[index] = (int)*number; break;
            case ValKind.I64 or ValKind.F64: Unsafe.As<ulong[]>(items)[index] = *number; break;
            case ValKind.V128: Unsafe.As<Vector128<byte>[]>(items)[index] = Unsafe.ReadUnaligned<Vector128<byte>>(number); break;
            default: Unsafe.As<GcArrays.Slot[]>(items)[index].Value = refs[0]; break;
        }
    }

    private static void GetElement(GcClass type, ulong* number, Span<object?> refs, bool isSigned)
    {
        Array items = ItemsOf(refs[0]);
        int index = CheckIndex(items, (uint)*number);
        switch (type.StorageOf(0).Kind)
        {
            case ValKind.I8: *number = Extend8(Unsafe.As<byte[]>(items)[index], isSigned); break;
            case ValKind.I16: *number = Extend16(Unsafe.As<ushort[]>(items)[index], isSigned); break;
            case ValKind.I32 or ValKind.F32: *number = (uint)Unsafe.As<int[]>(items)[index]; break;
            case ValKind.I64 or ValKind.F64: *number = Unsafe.As<ulong[]>(items)[index]; break;
            case ValKind.V128: Unsafe.WriteUnaligned(number, Unsafe.As<Vector128<byte>[]>(items)[index]); break;
            default: refs[0] = Unsafe.As<GcArrays.Slot[]>(items)[index].Value; break;
        }
    }

    /// <summary>Where to begin, the value, and how many.</summary>
    private static void Fill(ValType storage, ulong* numbers, Span<object?> refs)
    {
        Array items = ItemsOf(refs[0]);
        var at = (uint)numbers[0];
        var count = (uint)numbers[1 + storage.Words];
        switch (storage.Kind)
        {
            case ValKind.I8: GcArrays.Fill8(items, at, (int)numbers[1], count); break;
            case ValKind.I16: GcArrays.Fill16(items, at, (int)numbers[1], count); break;
            case ValKind.I32 or ValKind.F32: GcArrays.FillI32(items, at, (int)numbers[1], count); break;
            case ValKind.I64 or ValKind.F64: GcArrays.FillI64(items, at, (long)numbers[1], count); break;
            case ValKind.V128: GcArrays.FillV128(items, at, Unsafe.ReadUnaligned<Vector128<byte>>(numbers + 1), count); break;
            default: GcArrays.FillRef(items, at, refs[1], count); break;
        }
    }

    private static void Copy(ValType storage, ulong* numbers, Span<object?> refs)
    {
        Array to = ItemsOf(refs[0]), from = ItemsOf(refs[1]);
        uint toAt = (uint)numbers[0], fromAt = (uint)numbers[1], count = (uint)numbers[2];
        switch (storage.Kind)
        {
            case ValKind.I8: GcArrays.Copy8(to, toAt, from, fromAt, count); break;
            case ValKind.I16: GcArrays.Copy16(to, toAt, from, fromAt, count); break;
            case ValKind.I32 or ValKind.F32: GcArrays.Copy32(to, toAt, from, fromAt, count); break;
            case ValKind.I64 or ValKind.F64: GcArrays.Copy64(to, toAt, from, fromAt, count); break;
            case ValKind.V128: GcArrays.Copy128(to, toAt, from, fromAt, count); break;
            default: GcArrays.CopyRef(to, toAt, from, fromAt, count); break;
        }
    }
}
