using System.Reflection;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>
/// Vectors. Most operators are one method of <see cref="System.Runtime.Intrinsics.Vector128"/>, called as it is: the JIT has an
/// instruction in place of the call, so that nothing is inlined and a function may have any number of them. A value on the IL
/// stack has the lanes that the last method gave it; the JIT knows vectors only by their size.
/// </summary>
internal sealed class VectorEmitter(EmitterContext context, MemoryEmitter memory, LoadedValues loadedValues, FloatFolding floats)
{
    private readonly IlBuffer il = context.Il;
    private readonly OperandStack stack = context.Stack;

    /// <summary>Emits a plain operator on vectors.</summary>
    internal void Emit(in Instr instr, Emission emission)
    {
        Operator op = instr.Op;
        switch (emission.Kind)
        {
            case Emission.EmissionKind.Load: memory.Load(instr, emission); return;
            case Emission.EmissionKind.Store when op.Params[1] == ValType.V128 && emission.Width == 16: memory.Store(instr, emission); return;
            case Emission.EmissionKind.Store: StoreLane(instr, emission); return;
            case Emission.EmissionKind.Call when op.MemArg is not null:
                if (op.Params.Length == 1) memory.Load(instr, emission);
                else LoadLane(instr, emission);
                return;
        }
        if (FoldVector(instr)) return;
        HideConstants(op);
        bool mayBeKnown = floats.MayBeKnown(op) || CancelsItself(op, emission);
        KeepWhole(instr);
        if (op.Operation == Operation.ReplaceLane)
        {
            ReplaceLane(instr, emission, mayBeKnown);
            return;
        }
        bool isConstantShift = op is { Operation: Operation.ShrS, Lanes: LaneShape.I8x16 } && stack[0].Kind == OperandKind.Const;
        int start = stack.Take(op.Params.Length, out int treeDepth, out bool hasLoad);
        // The JIT takes a float out of a constant vector as a constant of its own.
        if (op.Results[0].Kind is ValKind.F32 or ValKind.F64) stack.HideAt(il.Tail, ValType.V128);
        if (op.HasLane) il.LdcI4((int)instr.A);
        if (isConstantShift) il.Call(Members.Vector(nameof(Simd.I8x16ShrSConstant)));
        else CallVector(emission);
        stack.PushStack(op.Results[0], start, treeDepth, hasLoad, mayBeKnown: mayBeKnown);
    }

    /// <summary>Whether both operands are the same local, and the JIT knows what such an operator makes of a value and itself: all ones may be a NaN.</summary>
    private bool CancelsItself(Operator op, Emission emission)
    {
        if (op.Params.Length != 2 || stack[0].Kind != OperandKind.Local || stack[1].Kind != OperandKind.Local || stack[0].Index != stack[1].Index) return false;
        foreach (MethodInfo method in emission.Methods)
            if (PureMethod.Of(method) is { } pure && pure.Has(PureTraits.CancelsItself)) return true;
        return false;
    }

    private void CallVector(Emission emission)
    {
        if (emission.Kind == Emission.EmissionKind.Call) il.Call(emission.Method!);
        foreach (MethodInfo method in emission.Methods) il.Call(method);
    }

    /// <summary>The lane becomes an argument between the vector and the value.</summary>
    private void ReplaceLane(in Instr instr, Emission emission, bool mayBeKnown)
    {
        int start = stack.TakePair(out int between, out int treeDepth, out bool hasLoad);
        il.LdcI4At(between, (int)instr.A);
        CallVector(emission);
        stack.PushStack(ValType.V128, start, treeDepth, hasLoad, mayBeKnown: mayBeKnown);
    }

    private void LoadLane(in Instr instr, Emission emission)
    {
        int treeDepth = Math.Max(stack[1].Depth, stack[0].Depth) + 1;
        KeepWhole(instr);
        int start = memory.TakeAccess(instr, emission.Width, out MemoryAccess access);
        il.LdcI4((int)instr.A);
        il.Call(emission.Method!);
        memory.NoteLoad(access, emission.Width);
        memory.EndAccess(access);
        stack.PushStack(ValType.V128, start, treeDepth, hasLoad: true);
    }

    /// <summary>Takes the lane out, and stores it as a number.</summary>
    private void StoreLane(in Instr instr, Emission emission)
    {
        string shape = emission.Width switch
        {
            1 => "i8x16.extract_lane_u",
            2 => "i16x8.extract_lane_u",
            4 => "i32x4.extract_lane",
            _ => "i64x2.extract_lane",
        };
        Operator extract = OperatorTable.Find(shape)!;
        Emit(new Instr { Op = extract, A = instr.A }, Emission.Of(extract));
        memory.Store(instr, emission);
    }

    /// <summary>
    /// Constants that the JIT would fold in its own way: it keeps floats as doubles, where a signalling NaN does not survive.
    /// </summary>
    private bool FoldVector(in Instr instr)
    {
        Operator op = instr.Op;
        int bits = op.LaneBits;
        switch (op.Operation)
        {
            case Operation.Splat when stack[0].Kind == OperandKind.Const:
                {
                    ulong lane = stack[0].Bits, all = 0;
                    if (bits < 64) lane &= (1UL << bits) - 1;
                    for (int i = 0; i < 64; i += bits) all |= lane << i;
                    stack.Remove();
                    stack.PushVector(all, all);
                    return true;
                }
            case Operation.ExtractLane when stack[0].Kind == OperandKind.Const:
                {
                    int bit = (int)instr.A * bits;
                    ulong lane = (bit < 64 ? stack[0].Bits : stack[0].High) >> (bit & 63);
                    if (bits < 64) lane &= (1UL << bits) - 1;
                    if (op.Has(OpTraits.Signed)) lane = (uint)((int)(lane << (32 - bits)) >> (32 - bits));
                    stack.Remove();
                    stack.PushConst(op.Results[0], lane);
                    return true;
                }
            case Operation.ReplaceLane when stack[0].Kind == OperandKind.Const && stack[1].Kind == OperandKind.Const:
                {
                    ulong mask = bits < 64 ? (1UL << bits) - 1 : ulong.MaxValue, lane = stack[0].Bits & mask;
                    ulong low = stack[1].Bits, high = stack[1].High;
                    int bit = (int)instr.A * bits;
                    if (bit < 64) low = (low & ~(mask << bit)) | (lane << bit);
                    else high = (high & ~(mask << (bit - 64))) | (lane << (bit - 64));
                    stack.Remove();
                    stack.Remove();
                    stack.PushVector(low, high);
                    return true;
                }
            case Operation.Shl or Operation.ShrS or Operation.ShrU when stack[0].Kind == OperandKind.Const:
                stack[0].Bits &= (ulong)(bits - 1);
                return false;
            default: return false;
        }
    }

    /// <summary>
    /// Float operators with a constant: where the JIT would give back the other operand (x + -0) or the constant itself, a
    /// signalling NaN would stay one. With a NaN it knows the result, and would narrow the load of the other operand. Such constants are rare, and come from a call.
    /// </summary>
    private void HideConstants(Operator op)
    {
        bool is32 = op.Lanes == LaneShape.F32x4;
        if ((!is32 && op.Lanes != LaneShape.F64x2) || op.HasLane) return;
        stack.HideKnown(op.Params.Length);
        for (int i = 0; i < op.Params.Length; i++)
        {
            ref Operand operand = ref stack[i];
            if (operand.Kind != OperandKind.Const || operand.Type != ValType.V128) continue;
            operand.IsOpaque = OperandStack.HasNaN(operand.Bits, is32) || OperandStack.HasNaN(operand.High, is32)
                || (operand.Bits == operand.High && IsNeutral(op, operand.Bits, is32, isRight: i == 0));
        }
    }

    /// <summary>Whether an operator with this number in all lanes of one operand changes the other in its sign at most.</summary>
    private static bool IsNeutral(Operator op, ulong half, bool is32, bool isRight)
    {
        if (is32 && (uint)half != half >> 32) return false;
        double number = is32 ? BitConverter.UInt32BitsToSingle((uint)half) : BitConverter.UInt64BitsToDouble(half);
        return op.Operation switch
        {
            Operation.Add or Operation.Sub => number == 0,
            Operation.Mul => number is 1 or -1,
            Operation.Div => isRight && number is 1 or -1,
            _ => false,
        };
    }

    /// <summary>
    /// The JIT narrows the load of a vector to the lanes that are read; without the last byte an access that straddles
    /// the end of memory would no longer fault. Such an operand is stored first.
    /// </summary>
    private void KeepWhole(in Instr instr)
    {
        Operator op = instr.Op;
        if (op.HasLane)
        {
            bool isLast = (int)instr.A == op.Immediates[^1].Number - 1;
            bool isReplaced = op.Operation == Operation.ReplaceLane;
            if (isLast == (isReplaced || op.Has(OpTraits.ReadsMemory))) loadedValues.KeepVectorWhole(isReplaced ? 1 : 0);
        }
        else if (op.Has(OpTraits.ReadsLow))
        {
            for (int i = 0; i < op.Params.Length; i++) loadedValues.KeepVectorWhole(i);
        }
        else if (op.Has(OpTraits.Absorbs))
        {
            // With a constant of equal bits alone the result may be known.
            bool isTrivial = false;
            for (int i = 0; i < op.Params.Length; i++)
                isTrivial |= stack[i].Kind == OperandKind.Const && stack[i].Bits == stack[i].High && stack[i].Bits + 1 <= 1;
            for (int i = 0; isTrivial && i < op.Params.Length; i++) loadedValues.KeepVectorWhole(i);
        }
    }
}
