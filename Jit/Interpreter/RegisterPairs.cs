using WasmJit.Runtime;

namespace WasmJit.Jit.Interpreter;

/// <summary>
/// Pairs of instructions, and some threes, that are executed as one: a quarter of an interpreter's time goes to finding the code of the next instruction. The first
/// gets an operation that does all and goes on behind the last; the others stay, for branches to them.
/// </summary>
/// <remarks>The pairs are the most frequent ones in CPython, compiled without optimisation, and in the kernels of Perf (RATIONALE.md).</remarks>
internal static class RegisterPairs
{
    /// <summary>For each operation whether nothing is to be done for an instruction of it: it is in one place, and begins no pair.</summary>
    private static readonly bool[] IsAlone = FindAlone();

    private static bool[] FindAlone()
    {
        var alone = new bool[RegisterOps.Count];
        for (int op = 0; op < alone.Length; op++) alone[op] = !HasWords((RegisterOp)op) && !BeginsPairs((RegisterOp)op);
        return alone;
    }

    private static bool HasWords(RegisterOp op) => op is RegisterOp.BrTable or RegisterOp.CallImport or RegisterOp.CallIndirect or RegisterOp.CallRef
        or RegisterOp.TailCallImport or RegisterOp.TailCallIndirect or RegisterOp.TailCallRef or RegisterOp.Address
        or RegisterOp.CallExport or RegisterOp.CallIndirectRef or RegisterOp.TailCallExport or RegisterOp.AddressThrough or RegisterOp.AddressInSlice
        or RegisterOp.Shuffle
        or (>= RegisterOp.Compile and <= RegisterOp.AtomicWait64) or >= RegisterOp.StructNew;

    private static bool BeginsPairs(RegisterOp op) => op is RegisterOp.I32Load or RegisterOp.I32Store or RegisterOp.I32Add or RegisterOp.I32AddConst
        or RegisterOp.I32SubConst or RegisterOp.I32ShlConst or RegisterOp.I32RotlConst or RegisterOp.I32ShrUConst or RegisterOp.GlobalGet or RegisterOp.GlobalSet32
        or RegisterOp.F64Const or RegisterOp.BrIfI32Eqz or RegisterOp.BrIfI32NeConst or RegisterOp.Move;

    /// <summary>Joins what can be in finished code.</summary>
    internal static void Join(Span<Instruction> code)
    {
        bool[] isAlone = IsAlone;
        for (int at = 0; at < code.Length;)
        {
            RegisterOp op = code[at].Op;
            if (isAlone[(int)op])
            {
                at++;
                continue;
            }
            int next = at + LengthOf(code[at]);
            if (next == at + 1 && next < code.Length && Joined(op, code[next].Op) is var both && both != op && !HidesFaults(code[at], code[next]))
            {
                next++;
                if (next < code.Length && WithThird(both, code[next].Op) is var all && all != both && !HidesFaults(code.Slice(at, 3)))
                {
                    both = all;
                    next++;
                }
                code[at].Op = both;
            }
            at = next;
        }
    }

    /// <summary>
    /// Whether it could not be told which of two accesses has faulted, see <see cref="InterpreterFault"/>: the first loads its own address, and the second is
    /// one at the same distance from what was loaded.
    /// </summary>
    private static bool HidesFaults(in Instruction first, in Instruction second) =>
        first.Op == RegisterOp.I32Load && first.A == first.B && Math.Abs(first.Imm - second.Imm) < sizeof(int)
        && (second.Op == RegisterOp.I32Load ? second.B : second.Op == RegisterOp.I32Store ? second.A : -1) == first.A;

    /// <summary>
    /// The same for three. Up to the last one nothing is written to where an access has found its address, so that all of these are known when one has faulted.
    /// </summary>
    private static bool HidesFaults(ReadOnlySpan<Instruction> three)
    {
        for (int access = 0; access < 2; access++)
        {
            if (AddressOf(three[access]) is not { } address) continue;
            for (int writer = access; writer < 2; writer++)
                if (three[writer].Op != RegisterOp.I32Store && three[writer].A == address) return true;
        }
        return false;
    }

    /// <summary>Where an access finds its address; null if an instruction is none.</summary>
    private static int? AddressOf(in Instruction instruction) => instruction.Op switch
    {
        RegisterOp.I32Load => instruction.B,
        RegisterOp.I32Store => instruction.A,
        _ => null,
    };

    /// <summary>How many places an instruction takes, with what belongs to it.</summary>
    private static int LengthOf(in Instruction instruction) => instruction.Op switch
    {
        RegisterOp.BrTable => 1 + TableLength(instruction.Target + 1),
        _ => HasWords(instruction.Op) ? 2 : 1,
    };

    /// <summary>How many places the words of a branch table take.</summary>
    internal static int TableLength(int words) => (words + 3) / 4;

    /// <summary>The operation that does what a pair and a third do; the pair if there is none.</summary>
    private static RegisterOp WithThird(RegisterOp pair, RegisterOp third) => (pair, third) switch
    {
        (RegisterOp.I32LoadThenI32AddConst, RegisterOp.I32Store) => RegisterOp.I32LoadThenI32AddConstThenI32Store,
        (RegisterOp.I32StoreThenI32Load, RegisterOp.I32Load) => RegisterOp.I32StoreThenI32LoadThenI32Load,
        (RegisterOp.I32AddConstThenGlobalSet32, RegisterOp.ReturnValue) => RegisterOp.I32AddConstThenGlobalSet32ThenReturnValue,
        (RegisterOp.GlobalGetThenI32SubConst, RegisterOp.GlobalSet32) => RegisterOp.GlobalGetThenI32SubConstThenGlobalSet32,
        _ => pair,
    };

    /// <summary>The operation that does what two do; the first if there is none.</summary>
    private static RegisterOp Joined(RegisterOp first, RegisterOp second) => first switch
    {
        RegisterOp.I32Load => second switch
        {
            RegisterOp.I32Load => RegisterOp.I32LoadThenI32Load,
            RegisterOp.I32Store => RegisterOp.I32LoadThenI32Store,
            RegisterOp.I32Add => RegisterOp.I32LoadThenI32Add,
            RegisterOp.I32AddConst => RegisterOp.I32LoadThenI32AddConst,
            RegisterOp.BrIfI32Eqz => RegisterOp.I32LoadThenBrIfI32Eqz,
            RegisterOp.BrIfI32NeConst => RegisterOp.I32LoadThenBrIfI32NeConst,
            RegisterOp.Call => RegisterOp.I32LoadThenCall,
            _ => first,
        },
        RegisterOp.I32Store => second switch
        {
            RegisterOp.I32Load => RegisterOp.I32StoreThenI32Load,
            RegisterOp.I32Store => RegisterOp.I32StoreThenI32Store,
            RegisterOp.I32AddConst => RegisterOp.I32StoreThenI32AddConst,
            RegisterOp.Br => RegisterOp.I32StoreThenBr,
            RegisterOp.BrLoop => RegisterOp.I32StoreThenBrLoop,
            _ => first,
        },
        RegisterOp.I32Add => second switch
        {
            RegisterOp.I32Load => RegisterOp.I32AddThenI32Load,
            RegisterOp.I32Add => RegisterOp.I32AddThenI32Add,
            RegisterOp.I32AddConst => RegisterOp.I32AddThenI32AddConst,
            _ => first,
        },
        RegisterOp.I32AddConst => second switch
        {
            RegisterOp.I32Load => RegisterOp.I32AddConstThenI32Load,
            RegisterOp.I32Load8U => RegisterOp.I32AddConstThenI32Load8U,
            RegisterOp.I32Store => RegisterOp.I32AddConstThenI32Store,
            RegisterOp.I32AddConst => RegisterOp.I32AddConstThenI32AddConst,
            RegisterOp.BrIfI32Ne => RegisterOp.I32AddConstThenBrIfI32Ne,
            RegisterOp.BrIfI32NeConst => RegisterOp.I32AddConstThenBrIfI32NeConst,
            RegisterOp.GlobalSet32 => RegisterOp.I32AddConstThenGlobalSet32,
            _ => first,
        },
        RegisterOp.I32SubConst => second switch
        {
            RegisterOp.GlobalSet32 => RegisterOp.I32SubConstThenGlobalSet32,
            RegisterOp.I32Store => RegisterOp.I32SubConstThenI32Store,
            _ => first,
        },
        RegisterOp.I32ShlConst => second switch
        {
            RegisterOp.I32Add => RegisterOp.I32ShlConstThenI32Add,
            _ => first,
        },
        RegisterOp.I32RotlConst => second switch
        {
            RegisterOp.I32Xor => RegisterOp.I32RotlConstThenI32Xor,
            _ => first,
        },
        RegisterOp.I32ShrUConst => second switch
        {
            RegisterOp.I32Xor => RegisterOp.I32ShrUConstThenI32Xor,
            _ => first,
        },
        RegisterOp.GlobalGet => second switch
        {
            RegisterOp.I32SubConst => RegisterOp.GlobalGetThenI32SubConst,
            _ => first,
        },
        RegisterOp.GlobalSet32 => second switch
        {
            RegisterOp.I32Store => RegisterOp.GlobalSet32ThenI32Store,
            RegisterOp.ReturnValue => RegisterOp.GlobalSet32ThenReturnValue,
            _ => first,
        },
        RegisterOp.F64Const => second switch
        {
            RegisterOp.I32Store => RegisterOp.F64ConstThenI32Store,
            RegisterOp.Call => RegisterOp.F64ConstThenCall,
            _ => first,
        },
        RegisterOp.BrIfI32Eqz => second switch
        {
            RegisterOp.I32Load => RegisterOp.BrIfI32EqzThenI32Load,
            _ => first,
        },
        RegisterOp.BrIfI32NeConst => second switch
        {
            RegisterOp.I32Load => RegisterOp.BrIfI32NeConstThenI32Load,
            _ => first,
        },
        RegisterOp.Move => second switch
        {
            RegisterOp.Move => RegisterOp.MoveThenMove,
            _ => first,
        },
        _ => first,
    };
}
