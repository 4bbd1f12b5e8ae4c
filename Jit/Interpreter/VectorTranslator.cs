using WasmJit.Jit.Binary;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Interpreter;

/// <summary>Vectors and atomic operators: one register operation each, which names the operator by its code.</summary>
/// <param name="general">What translates all other operators.</param>
/// <param name="module">The function's module.</param>
/// <param name="stack">The operands.</param>
/// <param name="code">The code.</param>
internal sealed class VectorTranslator(RegisterTranslator general, ModuleInfo module, RegisterStack stack, RegisterBuffer code)
{
    /// <summary>The bytes of a global's value that one instruction moves.</summary>
    private const int Half = 8;

    internal bool Plain(in Instr instr)
    {
        Operator op = instr.Op;
        stack.Cover(ValType.V128);
        int slots = 0;
        foreach (ValType type in op.Params) slots += type.Words;
        stack.BeforeVectors(slots + (instr.IsAccessThroughReference ? 1 : 0));
        int last = op.HasLane ? (int)instr.A : 0;
        if (op.MemArg is not null)
        {
            int value = op.Params.Length > 1 ? stack.PopVector() : 0;
            Push(op, general.PopAddress(instr, checks: true), value, last);
            return true;
        }
        if (op.Params.Length == 3) last = stack.PopVector();
        int second = op.Params.Length == 1 ? 0 : op.Params[1].Kind == ValKind.V128 ? stack.PopVector() : stack.PopSlot();
        Push(op, op.Params[0].Kind == ValKind.V128 ? stack.PopVector() : stack.PopSlot(), second, last);
        return true;
    }

    private void Push(Operator op, int b, int c, int value)
    {
        long imm = RegisterBuffer.Pair((int)op.Code, value);
        if (op.Results.IsEmpty) code.Emit(RegisterOp.Vector, 0, b, c, imm);
        else if (op.Results[0].Kind == ValKind.V128) stack.PushVectorResult(RegisterOp.Vector, b, c, imm);
        else stack.PushResult(false, RegisterOp.Vector, b, c, imm);
    }

    internal bool Shuffle(in Instr instr)
    {
        stack.Cover(ValType.V128);
        stack.BeforeVectors(4);
        int second = stack.PopVector(), first = stack.PopVector();
        stack.PushVectorResult(RegisterOp.Shuffle, first, second, 0);
        code.EmitWord(new Instruction { Head = instr.Bits, Imm = (long)instr.High });
        return true;
    }

    internal void Select()
    {
        stack.BeforeVectors(5);
        int test = stack.PopSlot(), second = stack.PopVector(), first = stack.PopVector();
        stack.PushVectorResult(RegisterOp.Select, first, second, RegisterBuffer.Pair(test, 0));
        code.Emit(RegisterOp.Select, stack.Top().Home, first + 1, second + 1, RegisterBuffer.Pair(test, 0));
    }

    internal void GlobalGet(int global)
    {
        stack.Cover(ValType.V128);
        if (global < module.ImportedGlobals)
        {
            stack.PushVectorResult(RegisterOp.GlobalGetFar, 0, 0, RegisterBuffer.Pair(global, 0));
            code.Emit(RegisterOp.GlobalGetFar, stack.Top().Home, imm: RegisterBuffer.Pair(global, 1));
            return;
        }
        long place = (global - module.ImportedGlobals) * 16L;
        stack.PushVectorResult(RegisterOp.GlobalGet, 0, 0, place);
        code.Emit(RegisterOp.GlobalGet, stack.Top().Home, imm: place + Half);
    }

    internal void GlobalSet(int global)
    {
        stack.Cover(ValType.V128);
        stack.BeforeVectors(2);
        int from = stack.PopVector();
        for (int half = 0; half < 2; half++)
        {
            if (global < module.ImportedGlobals) code.Emit(RegisterOp.GlobalSetFar, from + half, imm: RegisterBuffer.Pair(global, half));
            else code.Emit(RegisterOp.GlobalSet64, from + half, imm: ((global - module.ImportedGlobals) * 16L) + (half * Half));
        }
    }

    /// <summary>An atomic access. The result takes the place of the index, or of the reference below it.</summary>
    internal bool Atomic(in Instr instr)
    {
        Operator op = instr.Op;
        int third = op.Params.Length > 2 ? stack.PopSlot() : 0, second = op.Params.Length > 1 ? stack.PopSlot() : 0;
        int address = general.PopAddress(instr, checks: true, checksAlignment: true);
        long imm = RegisterBuffer.Pair((int)op.Code, third);
        if (op.Results.IsEmpty) code.Emit(RegisterOp.Atomic, 0, address, second, imm);
        else stack.PushResult(false, RegisterOp.Atomic, address, second, imm);
        return true;
    }
}
