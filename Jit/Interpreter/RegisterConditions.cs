using WasmJit.Runtime;

namespace WasmJit.Jit.Interpreter;

/// <summary>Comparisons and the branches that compare.</summary>
internal static class RegisterConditions
{
    private const int BranchDistance = RegisterOp.BrIfI32Eqz - RegisterOp.I32Eqz;

    private static bool IsCompare(RegisterOp op) => op is >= RegisterOp.I32Eqz and <= RegisterOp.F64Ge;

    private static bool IsConstCompare(RegisterOp op) => op is (>= RegisterOp.I32EqConst and <= RegisterOp.I32GeUConst) or (>= RegisterOp.I64EqConst and <= RegisterOp.I64GeUConst);

    /// <summary>
    /// Takes the topmost operand as a condition and gives the branch for it, without target. If the last instruction is the comparison
    /// that made the operand, the branch compares in its place.
    /// </summary>
    internal static Instruction Take(RegisterStack stack, RegisterBuffer code, bool negate)
    {
        bool isFresh = stack.IsTopFresh;
        RegisterOperand condition = stack.Pop();
        if (isFresh)
        {
            Instruction made = code[code.Count - 1];
            if (IsCompare(made.Op))
            {
                code.RemoveLast();
                RegisterOp op = made.Op + BranchDistance;
                if (negate) op = Opposite(op);
                return new Instruction { Op = op, A = made.B, B = made.C };
            }
            if (IsConstCompare(made.Op) && made.Imm == (int)made.Imm)
            {
                code.RemoveLast();
                RegisterOp op = made.Op >= RegisterOp.I64EqConst
                    ? made.Op - RegisterOp.I64EqConst + RegisterOp.BrIfI64EqConst
                    : made.Op - RegisterOp.I32EqConst + RegisterOp.BrIfI32EqConst;
                if (negate) op = Opposite(op);
                return new Instruction { Op = op, A = made.B, Value = (int)made.Imm };
            }
        }
        int slot = stack.SlotOf(condition);
        return negate
            ? new Instruction { Op = RegisterOp.BrIfI32Eqz, A = (ushort)slot }
            : new Instruction { Op = RegisterOp.BrIfI32NeConst, A = (ushort)slot };
    }

    /// <summary>The branch that is taken when another is not.</summary>
    private static RegisterOp Opposite(RegisterOp op) => op switch
    {
        RegisterOp.BrIfI32Eqz => RegisterOp.BrIfI32NeConst,
        RegisterOp.BrIfI64Eqz => RegisterOp.BrIfI64NeConst,
        >= RegisterOp.BrIfI32Eq and <= RegisterOp.BrIfI32GeU => RegisterOp.BrIfI32Eq + Opposite(op - RegisterOp.BrIfI32Eq),
        >= RegisterOp.BrIfI64Eq and <= RegisterOp.BrIfI64GeU => RegisterOp.BrIfI64Eq + Opposite(op - RegisterOp.BrIfI64Eq),
        >= RegisterOp.BrIfI32EqConst and <= RegisterOp.BrIfI32GeUConst => RegisterOp.BrIfI32EqConst + Opposite(op - RegisterOp.BrIfI32EqConst),
        >= RegisterOp.BrIfI64EqConst and <= RegisterOp.BrIfI64GeUConst => RegisterOp.BrIfI64EqConst + Opposite(op - RegisterOp.BrIfI64EqConst),
        >= RegisterOp.BrIfF32Eq and <= RegisterOp.BrIfF64Ge => op - RegisterOp.BrIfF32Eq + RegisterOp.BrIfNotF32Eq,
        _ => op - RegisterOp.BrIfNotF32Eq + RegisterOp.BrIfF32Eq,
    };

    /// <summary>Of the ten comparisons of integers in their order: eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u.</summary>
    private static ushort Opposite(int comparison) => (ushort)((comparison & ~1) switch
    {
        0 => 1 - comparison,
        2 => 8 + (comparison & 1),
        4 => 6 + (comparison & 1),
        6 => 4 + (comparison & 1),
        _ => 2 + (comparison & 1),
    });
}
