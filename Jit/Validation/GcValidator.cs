using System.Collections.Immutable;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Validation;

/// <summary>Structs, arrays and i31, tests and casts (spec 3.4.3 to 3.4.6), and custom descriptors.</summary>
internal sealed class GcValidator(ModuleInfo module, IndexSpaces spaces, TypeStack stack, CodePosition position)
{
    private FieldType Field(in Instr instr)
    {
        ImmutableArray<FieldType> fields = spaces.StructTypeOf(instr.A).Fields;
        return instr.B < (uint)fields.Length ? fields[(int)instr.B] : throw position.Error($"unknown field {instr.B}");
    }

    private ValType Exact(uint type, bool nullable = false) => ValType.Ref(new ExactType(spaces.Type(type)), nullable);

    private void CheckPacked(FieldType field, Operator op)
    {
        if (field.Type.IsPacked != op.Has(OpTraits.Signed | OpTraits.Unsigned)) throw position.Error("type mismatch: packed fields are read with _s or _u, others without");
    }

    /// <summary>Validates an operator on objects, or a test or cast.</summary>
    internal bool TryValidate(Operator op, in Instr instr)
    {
        switch (op.Id)
        {
            case OpId.StructNew or OpId.StructNewDefault or OpId.StructNewDesc or OpId.StructNewDefaultDesc:
                {
                    StructType type = spaces.StructTypeOf(instr.A);
                    DefType def = spaces.Type(instr.A);
                    bool withDescriptor = op.Id is OpId.StructNewDesc or OpId.StructNewDefaultDesc;
                    if (withDescriptor && def.Descriptor is null) throw position.Error("type without descriptor requires non-descriptor allocation");
                    if (!withDescriptor && def.Descriptor is not null) throw position.Error("type with descriptor requires descriptor allocation");
                    if (withDescriptor) stack.Pop(ValType.Ref(new ExactType(def.Descriptor!), true));
                    if (op.Id is OpId.StructNew or OpId.StructNewDesc)
                    {
                        for (int i = type.Fields.Length - 1; i >= 0; i--) stack.Pop(type.Fields[i].Type.Unpacked);
                    }
                    else if (type.Fields.Any(f => !f.Type.IsDefaultable))
                    {
                        throw position.Error("type mismatch: field type is not defaultable");
                    }
                    stack.Push(Exact(instr.A));
                    return true;
                }
            case OpId.StructGet or OpId.StructGetS or OpId.StructGetU:
                {
                    FieldType field = Field(instr);
                    CheckPacked(field, op);
                    stack.Pop(ValType.Ref(spaces.Type(instr.A), true));
                    stack.Push(field.Type.Unpacked);
                    return true;
                }
            case OpId.StructSet:
                {
                    FieldType field = Field(instr);
                    if (!field.IsMutable) throw position.Error("immutable field");
                    stack.Pop(field.Type.Unpacked);
                    stack.Pop(ValType.Ref(spaces.Type(instr.A), true));
                    return true;
                }
            case OpId.ArrayNew:
                stack.Pop(ValType.I32);
                stack.Pop(spaces.ArrayTypeOf(instr.A).Element.Type.Unpacked);
                stack.Push(Exact(instr.A));
                return true;
            case OpId.ArrayNewDefault:
                if (!spaces.ArrayTypeOf(instr.A).Element.Type.IsDefaultable) throw position.Error("type mismatch: array type is not defaultable");
                stack.Pop(ValType.I32);
                stack.Push(Exact(instr.A));
                return true;
            case OpId.ArrayNewFixed:
                {
                    ValType element = spaces.ArrayTypeOf(instr.A).Element.Type.Unpacked;
                    if (instr.B > 10_000) throw position.Error("array.new_fixed of more than 10000 elements");
                    for (uint i = 0; i < instr.B; i++) stack.Pop(element);
                    stack.Push(Exact(instr.A));
                    return true;
                }
            case OpId.ArrayNewData:
                CheckNumericArray(instr.A);
                spaces.CheckData(instr.B);
                stack.Pop(ValType.I32);
                stack.Pop(ValType.I32);
                stack.Push(Exact(instr.A));
                return true;
            case OpId.ArrayNewElem:
                CheckElemArray(instr.A, instr.B);
                stack.Pop(ValType.I32);
                stack.Pop(ValType.I32);
                stack.Push(Exact(instr.A));
                return true;
            case OpId.ArrayGet or OpId.ArrayGetS or OpId.ArrayGetU:
                {
                    FieldType element = spaces.ArrayTypeOf(instr.A).Element;
                    CheckPacked(element, op);
                    stack.Pop(ValType.I32);
                    stack.Pop(ValType.Ref(spaces.Type(instr.A), true));
                    stack.Push(element.Type.Unpacked);
                    return true;
                }
            case OpId.ArraySet:
                {
                    ValType element = MutableArray(instr.A);
                    stack.Pop(element.Unpacked);
                    stack.Pop(ValType.I32);
                    stack.Pop(ValType.Ref(spaces.Type(instr.A), true));
                    return true;
                }
            case OpId.ArrayFill:
                {
                    ValType element = MutableArray(instr.A);
                    stack.Pop(ValType.I32);
                    stack.Pop(element.Unpacked);
                    stack.Pop(ValType.I32);
                    stack.Pop(ValType.Ref(spaces.Type(instr.A), true));
                    return true;
                }
            case OpId.ArrayCopy:
                {
                    ValType to = MutableArray(instr.A);
                    ValType from = spaces.ArrayTypeOf(instr.B).Element.Type;
                    if (to.IsPacked || from.IsPacked ? to != from : !Subtyping.IsSubtype(from, to)) throw position.Error("array types do not match");
                    stack.Pop(ValType.I32);
                    stack.Pop(ValType.I32);
                    stack.Pop(ValType.Ref(spaces.Type(instr.B), true));
                    stack.Pop(ValType.I32);
                    stack.Pop(ValType.Ref(spaces.Type(instr.A), true));
                    return true;
                }
            case OpId.ArrayInitData or OpId.ArrayInitElem:
                MutableArray(instr.A);
                if (op.Id == OpId.ArrayInitData)
                {
                    CheckNumericArray(instr.A);
                    spaces.CheckData(instr.B);
                }
                else
                {
                    CheckElemArray(instr.A, instr.B);
                }
                stack.Pop(ValType.I32);
                stack.Pop(ValType.I32);
                stack.Pop(ValType.I32);
                stack.Pop(ValType.Ref(spaces.Type(instr.A), true));
                return true;
            case OpId.RefTest or OpId.RefTestNull or OpId.RefCast or OpId.RefCastNull:
                {
                    var type = ValType.Ref(spaces.Heap(instr.Heap1), instr.Nullable1);
                    stack.Pop(ValType.Ref(Subtyping.TopOf(type.Heap!), true));
                    stack.Push(op.Id is OpId.RefTest or OpId.RefTestNull ? ValType.I32 : type);
                    return true;
                }
            case OpId.BrOnCast or OpId.BrOnCastFail:
                {
                    var from = ValType.Ref(spaces.Heap(instr.Heap1), instr.Nullable1);
                    var to = ValType.Ref(spaces.Heap(instr.Heap2), instr.Nullable2);
                    bool related = (module.Features & Features.CustomDescriptors) != 0
                        ? ReferenceEquals(Subtyping.TopOf(to.Heap!), Subtyping.TopOf(from.Heap!)) : Subtyping.IsSubtype(to, from);
                    if (!related) throw position.Error("type mismatch: the target is not a subtype of the source");
                    BranchOnCast(instr.A, from, to, op.Id == OpId.BrOnCastFail);
                    return true;
                }
            case OpId.AnyConvertExtern: Convert(HeapType.Extern, HeapType.Any); return true;
            case OpId.ExternConvertAny: Convert(HeapType.Any, HeapType.Extern); return true;
            case OpId.RefI31:
                stack.Pop(ValType.I32);
                stack.Push(ValType.Ref(HeapType.I31, false));
                return true;
            case OpId.RefGetDesc:
                {
                    DefType type = spaces.Type(instr.A);
                    if (type.Descriptor is not { } descriptor) throw position.Error($"type without descriptor: type {instr.A} has none");
                    ValType operand = stack.Pop(ValType.Ref(type, true));
                    // Only objects of exactly this type have exactly its descriptor's.
                    bool exact = operand.Kind == ValKind.Bottom || Subtyping.IsSubtype(operand.Heap!, new ExactType(type));
                    stack.Push(ValType.Ref(exact ? new ExactType(descriptor) : descriptor, false));
                    return true;
                }
            case OpId.RefCastDescEq or OpId.RefCastDescEqNull:
                {
                    HeapType target = spaces.Heap(instr.Heap1);
                    PopDescriptor(target);
                    stack.Pop(ValType.Ref(Subtyping.TopOf(target), true));
                    stack.Push(ValType.Ref(target, instr.Nullable1));
                    return true;
                }
            case OpId.BrOnCastDescEq or OpId.BrOnCastDescEqFail:
                {
                    var from = ValType.Ref(spaces.Heap(instr.Heap1), instr.Nullable1);
                    var to = ValType.Ref(spaces.Heap(instr.Heap2), instr.Nullable2);
                    if (!Subtyping.IsSubtype(to, ValType.Ref(Subtyping.TopOf(from.Heap!), true)))
                        throw position.Error("type mismatch: the target is not a subtype of the source");
                    PopDescriptor(to.Heap!);
                    BranchOnCast(instr.A, from, to, op.Id == OpId.BrOnCastDescEqFail);
                    return true;
                }
            default: return false;
        }
    }

    private void PopDescriptor(HeapType target)
    {
        if (target is AbstractHeapType abs) throw position.Error($"type {abs} does not have a descriptor");
        DefType def = target is ExactType exact ? exact.Type : (DefType)target;
        if (def.Descriptor is not { } descriptor) throw position.Error($"type {module.Types.IndexOf(def)} does not have a descriptor");
        stack.Pop(ValType.Ref(target is ExactType ? new ExactType(descriptor) : descriptor, true));
    }

    private void BranchOnCast(uint label, ValType from, ValType to, bool onFail)
    {
        ImmutableArray<ValType> types = stack.Label(label).Label;
        if (types.IsEmpty || !types[^1].IsRef) throw position.Error("type mismatch: the label takes no reference");
        stack.Pop(from);
        ValType rest = ValType.Ref(from.Heap!, from.IsNullable && !to.IsNullable);
        ValType branch = onFail ? rest : to, stay = onFail ? to : rest;
        if (!Subtyping.IsSubtype(branch, types[^1])) throw position.Error($"type mismatch: the label takes {types[^1]}, not {branch}");
        stack.PopPush(types[..^1]);
        stack.Push(stay);
    }

    private void Convert(AbstractHeapType from, AbstractHeapType to)
    {
        ValType type = stack.Pop(ValType.Ref(from, true));
        stack.Push(ValType.Ref(to, type.Kind != ValKind.Bottom && type.IsNullable));
    }

    private ValType MutableArray(uint type)
    {
        FieldType element = spaces.ArrayTypeOf(type).Element;
        return element.IsMutable ? element.Type : throw position.Error("immutable array");
    }

    private void CheckNumericArray(uint type)
    {
        if (spaces.ArrayTypeOf(type).Element.Type.IsRef) throw position.Error("array type is not numeric or vector");
    }

    private void CheckElemArray(uint type, uint elem)
    {
        ValType element = spaces.ArrayTypeOf(type).Element.Type;
        if (!Subtyping.IsSubtype(spaces.Elem(elem).Type, element)) throw position.Error("type mismatch: the segment does not fit the array");
    }
}
