using System.Collections.Immutable;

namespace WasmJit.Jit;

internal sealed partial class FunctionValidator
{
    private FieldType Field(in Instr instr)
    {
        ImmutableArray<FieldType> fields = StructTypeAt(instr.A).Fields;
        return instr.B < (uint)fields.Length ? fields[(int)instr.B] : throw Error($"unknown field {instr.B}");
    }

    private ValType Exact(uint type, bool nullable = false) => ValType.Ref(new ExactType(Type(type)), nullable);

    private void CheckPacked(FieldType field, Operator op)
    {
        if (field.Type.IsPacked != op.Has(OpTraits.Signed | OpTraits.Unsigned)) throw Error("type mismatch: packed fields are read with _s or _u, others without");
    }

    private bool ValidateGc(Operator op, in Instr instr)
    {
        switch (op.Id)
        {
            case OpId.StructNew or OpId.StructNewDefault or OpId.StructNewDesc or OpId.StructNewDefaultDesc:
                {
                    StructType type = StructTypeAt(instr.A);
                    DefType def = Type(instr.A);
                    bool withDescriptor = op.Id is OpId.StructNewDesc or OpId.StructNewDefaultDesc;
                    if (withDescriptor && def.Descriptor is null) throw Error("type without descriptor requires non-descriptor allocation");
                    if (!withDescriptor && def.Descriptor is not null) throw Error("type with descriptor requires descriptor allocation");
                    if (withDescriptor) Pop(ValType.Ref(new ExactType(def.Descriptor!), true));
                    if (op.Id is OpId.StructNew or OpId.StructNewDesc)
                    {
                        for (int i = type.Fields.Length - 1; i >= 0; i--) Pop(type.Fields[i].Type.Unpacked);
                    }
                    else if (type.Fields.Any(f => !f.Type.IsDefaultable))
                    {
                        throw Error("type mismatch: field type is not defaultable");
                    }
                    Push(Exact(instr.A));
                    return true;
                }
            case OpId.StructGet or OpId.StructGetS or OpId.StructGetU:
                {
                    FieldType field = Field(instr);
                    CheckPacked(field, op);
                    Pop(ValType.Ref(Type(instr.A), true));
                    Push(field.Type.Unpacked);
                    return true;
                }
            case OpId.StructSet:
                {
                    FieldType field = Field(instr);
                    if (!field.IsMutable) throw Error("immutable field");
                    Pop(field.Type.Unpacked);
                    Pop(ValType.Ref(Type(instr.A), true));
                    return true;
                }
            case OpId.ArrayNew:
                Pop(ValType.I32);
                Pop(ArrayTypeAt(instr.A).Element.Type.Unpacked);
                Push(Exact(instr.A));
                return true;
            case OpId.ArrayNewDefault:
                if (!ArrayTypeAt(instr.A).Element.Type.IsDefaultable) throw Error("type mismatch: array type is not defaultable");
                Pop(ValType.I32);
                Push(Exact(instr.A));
                return true;
            case OpId.ArrayNewFixed:
                {
                    ValType element = ArrayTypeAt(instr.A).Element.Type.Unpacked;
                    if (instr.B > 10_000) throw Error("array.new_fixed of more than 10000 elements");
                    for (uint i = 0; i < instr.B; i++) Pop(element);
                    Push(Exact(instr.A));
                    return true;
                }
            case OpId.ArrayNewData:
                CheckNumericArray(instr.A);
                Data(instr.B);
                Pop(ValType.I32);
                Pop(ValType.I32);
                Push(Exact(instr.A));
                return true;
            case OpId.ArrayNewElem:
                CheckElemArray(instr.A, instr.B);
                Pop(ValType.I32);
                Pop(ValType.I32);
                Push(Exact(instr.A));
                return true;
            case OpId.ArrayGet or OpId.ArrayGetS or OpId.ArrayGetU:
                {
                    FieldType element = ArrayTypeAt(instr.A).Element;
                    CheckPacked(element, op);
                    Pop(ValType.I32);
                    Pop(ValType.Ref(Type(instr.A), true));
                    Push(element.Type.Unpacked);
                    return true;
                }
            case OpId.ArraySet:
                {
                    ValType element = MutableArray(instr.A);
                    Pop(element.Unpacked);
                    Pop(ValType.I32);
                    Pop(ValType.Ref(Type(instr.A), true));
                    return true;
                }
            case OpId.ArrayFill:
                {
                    ValType element = MutableArray(instr.A);
                    Pop(ValType.I32);
                    Pop(element.Unpacked);
                    Pop(ValType.I32);
                    Pop(ValType.Ref(Type(instr.A), true));
                    return true;
                }
            case OpId.ArrayCopy:
                {
                    ValType to = MutableArray(instr.A);
                    ValType from = ArrayTypeAt(instr.B).Element.Type;
                    if (to.IsPacked || from.IsPacked ? to != from : !Subtyping.IsSubtype(from, to)) throw Error("array types do not match");
                    Pop(ValType.I32);
                    Pop(ValType.I32);
                    Pop(ValType.Ref(Type(instr.B), true));
                    Pop(ValType.I32);
                    Pop(ValType.Ref(Type(instr.A), true));
                    return true;
                }
            case OpId.ArrayInitData or OpId.ArrayInitElem:
                MutableArray(instr.A);
                if (op.Id == OpId.ArrayInitData)
                {
                    CheckNumericArray(instr.A);
                    Data(instr.B);
                }
                else
                {
                    CheckElemArray(instr.A, instr.B);
                }
                Pop(ValType.I32);
                Pop(ValType.I32);
                Pop(ValType.I32);
                Pop(ValType.Ref(Type(instr.A), true));
                return true;
            case OpId.RefTest or OpId.RefTestNull or OpId.RefCast or OpId.RefCastNull:
                {
                    var type = ValType.Ref(Heap(instr.Heap1), instr.Nullable1);
                    Pop(ValType.Ref(Subtyping.TopOf(type.Heap!), true));
                    Push(op.Id is OpId.RefTest or OpId.RefTestNull ? ValType.I32 : type);
                    return true;
                }
            case OpId.BrOnCast or OpId.BrOnCastFail:
                {
                    var from = ValType.Ref(Heap(instr.Heap1), instr.Nullable1);
                    var to = ValType.Ref(Heap(instr.Heap2), instr.Nullable2);
                    bool related = (module.Features & Features.CustomDescriptors) != 0
                        ? ReferenceEquals(Subtyping.TopOf(to.Heap!), Subtyping.TopOf(from.Heap!)) : Subtyping.IsSubtype(to, from);
                    if (!related) throw Error("type mismatch: the target is no subtype of the source");
                    BranchOnCast(instr.A, from, to, op.Id == OpId.BrOnCastFail);
                    return true;
                }
            case OpId.AnyConvertExtern: Convert(HeapType.Extern, HeapType.Any); return true;
            case OpId.ExternConvertAny: Convert(HeapType.Any, HeapType.Extern); return true;
            case OpId.RefI31:
                Pop(ValType.I32);
                Push(ValType.Ref(HeapType.I31, false));
                return true;
            case OpId.RefGetDesc:
                {
                    DefType type = Type(instr.A);
                    if (type.Descriptor is not { } descriptor) throw Error($"type without descriptor: type {instr.A} has none");
                    ValType operand = Pop(ValType.Ref(type, true));
                    // Only objects of exactly this type have exactly its descriptor's.
                    bool exact = operand.Kind == ValKind.Bottom || Subtyping.IsSubtype(operand.Heap!, new ExactType(type));
                    Push(ValType.Ref(exact ? new ExactType(descriptor) : descriptor, false));
                    return true;
                }
            case OpId.RefCastDescEq or OpId.RefCastDescEqNull:
                {
                    HeapType target = Heap(instr.Heap1);
                    PopDescriptor(target);
                    Pop(ValType.Ref(Subtyping.TopOf(target), true));
                    Push(ValType.Ref(target, instr.Nullable1));
                    return true;
                }
            case OpId.BrOnCastDescEq or OpId.BrOnCastDescEqFail:
                {
                    var from = ValType.Ref(Heap(instr.Heap1), instr.Nullable1);
                    var to = ValType.Ref(Heap(instr.Heap2), instr.Nullable2);
                    if (!Subtyping.IsSubtype(to, ValType.Ref(Subtyping.TopOf(from.Heap!), true)))
                        throw Error("type mismatch: the target is no subtype of the source");
                    PopDescriptor(to.Heap!);
                    BranchOnCast(instr.A, from, to, op.Id == OpId.BrOnCastDescEqFail);
                    return true;
                }
            default: return false;
        }
    }

    private void PopDescriptor(HeapType target)
    {
        if (target is AbstractHeapType abs) throw Error($"type {abs} does not have a descriptor");
        DefType def = target is ExactType exact ? exact.Type : (DefType)target;
        if (def.Descriptor is not { } descriptor) throw Error($"type {module.Types.IndexOf(def)} does not have a descriptor");
        Pop(ValType.Ref(target is ExactType ? new ExactType(descriptor) : descriptor, true));
    }

    private void BranchOnCast(uint label, ValType from, ValType to, bool onFail)
    {
        ImmutableArray<ValType> types = Label(label).Label;
        if (types.IsEmpty || !types[^1].IsRef) throw Error("type mismatch: the label takes no reference");
        Pop(from);
        ValType rest = ValType.Ref(from.Heap!, from.IsNullable && !to.IsNullable);
        ValType branch = onFail ? rest : to, stay = onFail ? to : rest;
        if (!Subtyping.IsSubtype(branch, types[^1])) throw Error($"type mismatch: the label takes {types[^1]}, not {branch}");
        PopPush(types[..^1]);
        Push(stay);
    }

    private void Convert(AbstractHeapType from, AbstractHeapType to)
    {
        ValType type = Pop(ValType.Ref(from, true));
        Push(ValType.Ref(to, type.Kind != ValKind.Bottom && type.IsNullable));
    }

    private ValType MutableArray(uint type)
    {
        FieldType element = ArrayTypeAt(type).Element;
        return element.IsMutable ? element.Type : throw Error("immutable array");
    }

    private void CheckNumericArray(uint type)
    {
        if (ArrayTypeAt(type).Element.Type.IsRef) throw Error("array type is not numeric or vector");
    }

    private void CheckElemArray(uint type, uint elem)
    {
        ValType element = ArrayTypeAt(type).Element.Type;
        if (!Subtyping.IsSubtype(Elem(elem).Type, element)) throw Error("type mismatch: the segment does not fit the array");
    }
}
