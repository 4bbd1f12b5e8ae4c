using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>
/// Hides from RyuJIT what it must not know about floats. It keeps every float constant as a double, in which a signalling NaN of 32 bits does not
/// survive. It gives the other operand back if one is a neutral element (x * 1, x - 0), though the specification wants a NaN quiet (4.3.3). And it
/// drops a promotion that is demoted again. So a float constant is visible to it only beside the operator that takes it, where <see
/// cref="TryEmitNeutral"/> sees it too. Everywhere else it is hidden: in locals and temporaries, and where it is made from integers or by operators
/// on constants.
/// </summary>
internal sealed class FloatFolding(IlBuffer il, OperandStack stack)
{
    /// <summary>Whether values of a type are floats.</summary>
    internal static bool IsFloat(ValType type) => type.Kind is ValKind.F32 or ValKind.F64;

    /// <summary>Whether values of a type are floats, or vectors that may be of floats.</summary>
    internal static bool MayBeFloat(ValType type) => type.Kind is ValKind.F32 or ValKind.F64 or ValKind.V128;

    /// <summary>Turns the integer on the IL stack into the float of these bits.</summary>
    internal void EmitFloatOfBits(bool is64)
    {
        il.LdargAt(il.Tail, 0);
        il.Call(Members.Float(is64 ? nameof(Floats.HiddenOfBits64) : nameof(Floats.HiddenOfBits32)));
    }

    /// <summary>
    /// Float arithmetic with a neutral element on the right, or with 1 or -1: RyuJIT gives the operand back as it is, and a
    /// signalling NaN would stay one.
    /// </summary>
    internal bool TryEmitNeutral(Operator op)
    {
        if (!IsFloatArithmetic(op)) return false;
        bool is64 = op.Params[0].Kind == ValKind.F64;
        // Either side of a sum or product may be the neutral element, and both may be constants.
        int side = IsNeutral(op.Operation, is64, stack[0], out bool negates) ? 0
            : op.Operation is Operation.Add or Operation.Mul && IsNeutral(op.Operation, is64, stack[1], out negates) ? 1 : -1;
        if (side < 0) return false;
        if (side == 0) stack.Remove();
        int start = stack.Take(1, out int treeDepth, out bool hasLoad);
        if (side == 1) stack.Remove();
        if (negates) il.Call(Members.Float(is64 ? "Neg64" : "Neg32"));
        il.Call(Members.Float(is64 ? "Quiet64" : "Quiet32"));
        stack.PushStack(op.Results[0], start, treeDepth, hasLoad);
        return true;
    }

    private static bool IsFloatArithmetic(Operator op) => op.Operation is >= Operation.Add and <= Operation.Div && IsFloat(op.Params[0]);

    private static bool IsNeutral(Operation kind, bool is64, in Operand operand, out bool negates)
    {
        negates = false;
        if (operand.Kind != OperandKind.Const) return false;
        double constant = is64 ? BitConverter.UInt64BitsToDouble(operand.Bits) : BitConverter.UInt32BitsToSingle((uint)operand.Bits);
        negates = kind is Operation.Mul or Operation.Div && constant == -1;
        return kind switch
        {
            Operation.Add => constant == 0 && double.IsNegative(constant),
            Operation.Sub => constant == 0 && !double.IsNegative(constant),
            _ => constant is 1 or -1,
        };
    }

    /// <summary>
    /// Before a plain operator: hides operands from the JIT with which it would leave the operator out. Tells whether the JIT may know
    /// the result, and whether the result is a float that cannot be a signalling NaN.
    /// </summary>
    internal bool HideFromFolding(Operator op, out bool isQuiet)
    {
        isQuiet = false;
        if (op.Results.Length != 1 || !IsFloat(op.Results[0])) return false;
        int count = op.Params.Length;
        if (op.Operation == Operation.Reinterpret) return false;
        isQuiet = op.Operation != Operation.Sign;
        if (IsFloatArithmetic(op))
        {
            // Where the JIT may know both it folds the operator, which gives a number; it does not know signalling NaNs.
            if (stack[0].MayBeKnown && !MustBeQuiet(stack[1])) stack.Hide(0);
            if (stack[1].MayBeKnown && !MustBeQuiet(stack[0])) stack.Hide(1);
        }
        bool mayBeKnown = true;
        for (int i = 0; i < count; i++)
            mayBeKnown &= IsFloat(op.Params[i]) ? stack[i].Kind == OperandKind.Const || stack[i].MayBeKnown : stack[i].LoadWidth == 0;
        return mayBeKnown;
    }

    /// <summary>Whether the JIT may know the result of an operator on vectors: it computes the integer ones on constants.</summary>
    internal bool MayBeKnown(Operator op)
    {
        for (int i = 0; i < op.Params.Length; i++)
        {
            ref readonly Operand operand = ref stack[i];
            bool isKnown = operand.Kind == OperandKind.Const || operand.MayBeKnown
                || (op.Params[i].Kind is ValKind.I32 or ValKind.I64 && operand.LoadWidth == 0);
            if (!isKnown) return false;
        }
        return op.Results[0].Kind is ValKind.V128 or ValKind.F32 or ValKind.F64;
    }

    private static bool MustBeQuiet(in Operand operand) => operand.Kind switch
    {
        OperandKind.Const => !OperandStack.IsSignalling(operand),
        OperandKind.Stack => operand.IsQuiet,
        _ => false,
    };
}
