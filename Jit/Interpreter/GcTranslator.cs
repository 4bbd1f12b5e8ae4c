using WasmJit.Jit.Binary;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Interpreter;

/// <summary>Structs, arrays and casts. Operands lie in a row, as those of the runtime-linking extension do.</summary>
/// <param name="general">What translates all other operators.</param>
/// <param name="module">The function's module.</param>
/// <param name="stack">The operands.</param>
/// <param name="code">The code.</param>
internal sealed class GcTranslator(RegisterTranslator general, ModuleInfo module, RegisterStack stack, RegisterBuffer code)
{
    /// <summary>The class of a type; the operation finds it at the type.</summary>
    private GcClass ClassOf(uint type) => GcClass.Of(module.Types[(int)type], module.State.GcBatch);

    /// <summary>An operation on values of some types, and others.</summary>
    private bool InRow(RegisterOp op, ReadOnlySpan<ValType> types, int numbers, int references, uint type, uint value, in Instruction word = default, ValType? result = null)
    {
        foreach (ValType each in types)
        {
            stack.Cover(each);
            numbers += each.Words;
            if (each.IsRef) references++;
        }
        return general.Linking.InRow(op, numbers, references, (int)type, (int)value, word, result);
    }

    /// <summary>Translates an operator on structs or arrays.</summary>
    internal bool Translate(in Instr instr)
    {
        if (instr.Op.Cost.Unit == CostUnit.Items) general.ChargeTop(instr, is64: false);
        uint type = instr.A;
        switch (instr.Id)
        {
            case OpId.StructNew or OpId.StructNewDesc:
                {
                    ClassOf(type);
                    ValType[] fields = [.. ((StructType)module.Types[(int)type].Composite).Fields.Select(f => f.Type)];
                    bool isDescribed = instr.Id == OpId.StructNewDesc;
                    return InRow(RegisterOp.StructNew, fields, 0, isDescribed ? 1 : 0, type, 0, LinkingTranslator.Flags(isDescribed), ValType.ExternRef);
                }
            case OpId.StructNewDefault or OpId.StructNewDefaultDesc:
                {
                    ClassOf(type);
                    bool isDescribed = instr.Id == OpId.StructNewDefaultDesc;
                    return InRow(RegisterOp.StructNewDefault, [], 0, isDescribed ? 1 : 0, type, 0, LinkingTranslator.Flags(isDescribed), ValType.ExternRef);
                }
            case OpId.StructGet or OpId.StructGetS or OpId.StructGetU:
                {
                    ValType field = ClassOf(type).StorageOf((int)instr.B).Unpacked;
                    stack.Cover(field);
                    return InRow(RegisterOp.StructGet, [], 0, 1, type, instr.B, LinkingTranslator.Flags(instr.Op.Has(OpTraits.Signed)), field);
                }
            case OpId.StructSet: return InRow(RegisterOp.StructSet, [ClassOf(type).StorageOf((int)instr.B)], 0, 1, type, instr.B);
            case OpId.RefGetDesc:
                ClassOf(type);
                return InRow(RegisterOp.StructGetDescriptor, [], 0, 1, type, 0, result: ValType.ExternRef);
            default: return Arrays(instr, ElementOf(instr));
        }
    }

    /// <summary>The type of an array's elements; <c>array.len</c> names none.</summary>
    private ValType ElementOf(in Instr instr) => instr.Id == OpId.ArrayLen ? ValType.I32 : ClassOf(instr.A).StorageOf(0);

    private bool Arrays(in Instr instr, ValType element)
    {
        uint type = instr.A;
        switch (instr.Id)
        {
            case OpId.ArrayNew: return InRow(RegisterOp.ArrayNew, [element], 1, 0, type, 0, result: ValType.ExternRef);
            case OpId.ArrayNewDefault: return InRow(RegisterOp.ArrayNewDefault, [], 1, 0, type, 0, result: ValType.ExternRef);
            case OpId.ArrayNewFixed:
                stack.Cover(element);
                int count = (int)instr.B;
                return InRow(RegisterOp.ArrayNewFixed, [], count * element.Words, element.IsRef ? count : 0, type, instr.B, result: ValType.ExternRef);
            case OpId.ArrayNewData: return InRow(RegisterOp.ArrayNewData, [], 2, 0, type, instr.B, result: ValType.ExternRef);
            case OpId.ArrayNewElem: return InRow(RegisterOp.ArrayNewElem, [], 2, 0, type, instr.B, result: ValType.ExternRef);
            case OpId.ArrayGet or OpId.ArrayGetS or OpId.ArrayGetU:
                stack.Cover(element);
                return InRow(RegisterOp.ArrayGet, [], 1, 1, type, 0, LinkingTranslator.Flags(instr.Op.Has(OpTraits.Signed)), element.Unpacked);
            case OpId.ArraySet: return InRow(RegisterOp.ArraySet, [element], 1, 1, type, 0);
            case OpId.ArrayLen: return InRow(RegisterOp.ArrayLen, [], 0, 1, 0, 0, result: ValType.I32);
            case OpId.ArrayFill: return InRow(RegisterOp.ArrayFill, [element], 2, 1, type, 0);
            case OpId.ArrayCopy: return InRow(RegisterOp.ArrayCopy, [], 3, 2, type, 0);
            case OpId.ArrayInitData: return InRow(RegisterOp.ArrayInitData, [], 3, 1, type, instr.B);
            case OpId.ArrayInitElem: return InRow(RegisterOp.ArrayInitElem, [], 3, 1, type, instr.B);
            default: return false;
        }
    }

    // ---- casts ----

    internal bool Casts(in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.RefTest or OpId.RefTestNull:
                {
                    int reference = stack.PopSlot();
                    stack.PushResult(false, RegisterOp.RefTest, reference);
                    code.EmitWord(TargetOf(instr.Heap1, instr.Nullable1, instr.Offset));
                    return true;
                }
            case OpId.RefCast or OpId.RefCastNull:
                // The operand stays where it is.
                code.Emit(RegisterOp.RefCast, 0, stack.SlotOf(stack.Top()));
                code.EmitWord(TargetOf(instr.Heap1, instr.Nullable1, instr.Offset));
                stack.ForgetProducer();
                return true;
            case OpId.BrOnCast or OpId.BrOnCastFail:
                general.BranchIf(instr.A, RegisterOp.RefTest, TargetOf(instr.Heap2, instr.Nullable2, instr.Offset), instr.Id == OpId.BrOnCast);
                return true;
            case OpId.RefCastDescEq or OpId.RefCastDescEqNull:
                var word = new Instruction { B = (ushort)(instr.Nullable1 ? 1 : 0), C = (ushort)stack.PopSlot() };
                code.Emit(RegisterOp.RefCastDescriptor, 0, stack.SlotOf(stack.Top()));
                code.EmitWord(word);
                stack.ForgetProducer();
                return true;
            case OpId.BrOnCastDescEq or OpId.BrOnCastDescEqFail:
                general.BranchIf(instr.A, RegisterOp.RefTestDescriptor, new Instruction { B = (ushort)(instr.Nullable2 ? 1 : 0) }, instr.Id == OpId.BrOnCastDescEq);
                return true;
            default: return false;
        }
    }

    /// <summary>The word behind a test: what is asked for.</summary>
    private Instruction TargetOf(HeapTypeCode target, bool isNullable, int offset)
    {
        HeapType heap = new TypeDecoder(module).HeapTypeOf(target, offset);
        (GcOperations.CastKind kind, int value) = heap switch
        {
            ExactModuleType made => (GcOperations.CastKind.MadeOf, made.Index),
            AbstractHeapType known => (GcOperations.CastKind.Abstract, known.Code),
            ExactType => (GcOperations.CastKind.Exactly, (int)target.Code),
            _ => (GcOperations.CastKind.Type, (int)target.Code),
        };
        return new Instruction { A = (ushort)kind, B = (ushort)(isNullable ? 1 : 0), Value = value };
    }
}
