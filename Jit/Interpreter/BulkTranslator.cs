using WasmJit.Jit.Binary;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Interpreter;

/// <summary>Operators on the module's own memories, tables and segments, and wide arithmetic.</summary>
/// <param name="general">What translates all other operators.</param>
/// <param name="module">The function's module.</param>
/// <param name="stack">The operands.</param>
/// <param name="code">The code.</param>
/// <param name="countsFuel">Whether memory that grows is charged.</param>
internal sealed class BulkTranslator(RegisterTranslator general, ModuleInfo module, RegisterStack stack, RegisterBuffer code, bool countsFuel)
{
    internal bool Translate(in Instr instr)
    {
        if (instr.Op.Cost.Unit is CostUnit.Bytes or CostUnit.Items) general.ChargeTop(instr, IsCount64(instr));
        switch (instr.Id)
        {
            case OpId.MemorySize: stack.PushResult(false, RegisterOp.MemorySize, imm: instr.A); return true;
            case OpId.MemoryGrow: stack.PushResult(false, RegisterOp.MemoryGrow, stack.PopSlot(), countsFuel ? 1 : 0, instr.A); return true;
            case OpId.MemoryFill: Three(RegisterOp.MemoryFill, RegisterBuffer.Pair((int)instr.A, 0)); return true;
            case OpId.MemoryCopy: Three(RegisterOp.MemoryCopy, RegisterBuffer.Pair((int)instr.A, (int)instr.B)); return true;
            case OpId.MemoryInit: Three(RegisterOp.MemoryInit, RegisterBuffer.Pair((int)instr.B, (int)instr.A)); return true;
            case OpId.DataDrop: code.Emit(RegisterOp.DataDrop, imm: instr.A); return true;
            case OpId.TableGet: stack.PushResult(true, RegisterOp.TableGet, stack.PopSlot(), imm: instr.A); return true;
            case OpId.TableSet:
                {
                    RegisterOperand value = stack.Pop(), index = stack.Pop();
                    code.Emit(RegisterOp.TableSet, stack.SlotOf(index), stack.SlotOf(value), 0, instr.A);
                    return true;
                }
            case OpId.TableSize: stack.PushResult(false, RegisterOp.TableSize, imm: instr.A); return true;
            case OpId.TableGrow:
                {
                    RegisterOperand count = stack.Pop(), value = stack.Pop();
                    stack.PushResult(false, RegisterOp.TableGrow, stack.SlotOf(count), stack.SlotOf(value), instr.A);
                    return true;
                }
            case OpId.TableFill: Three(RegisterOp.TableFill, RegisterBuffer.Pair((int)instr.A, 0)); return true;
            case OpId.TableCopy: Three(RegisterOp.TableCopy, RegisterBuffer.Pair((int)instr.A, (int)instr.B)); return true;
            case OpId.TableInit: Three(RegisterOp.TableInit, RegisterBuffer.Pair((int)instr.B, (int)instr.A)); return true;
            case OpId.ElemDrop: code.Emit(RegisterOp.ElemDrop, imm: instr.A); return true;
            default: return false;
        }
    }

    internal bool WideArithmetic(in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.I64Add128: Wide(RegisterOp.I64Add128, 4); return true;
            case OpId.I64Sub128: Wide(RegisterOp.I64Sub128, 4); return true;
            case OpId.I64MulWideS: Wide(RegisterOp.I64MulWideS, 2); return true;
            case OpId.I64MulWideU: Wide(RegisterOp.I64MulWideU, 2); return true;
            default: return false;
        }
    }

    /// <summary>Whether the topmost operand of a bulk operator, its length, has 64 bits.</summary>
    private bool IsCount64(in Instr instr) => instr.Id switch
    {
        OpId.MemoryFill => module.Memories[(int)instr.A].Is64,
        OpId.MemoryCopy => module.Memories[(int)instr.A].Is64 && module.Memories[(int)instr.B].Is64,
        OpId.TableFill or OpId.TableGrow => module.Tables[(int)instr.A].Type.Is64,
        OpId.TableCopy => module.Tables[(int)instr.A].Type.Is64 && module.Tables[(int)instr.B].Type.Is64,
        // Segments have 32 bits.
        OpId.MemoryInit or OpId.TableInit => false,
        _ => throw new InvalidOperationException($"It is not known whether the length of {instr.Op.Mnemonic} has 64 bits."),
    };

    private void Three(RegisterOp op, long imm)
    {
        RegisterOperand third = stack.Pop(), second = stack.Pop(), first = stack.Pop();
        code.Emit(op, stack.SlotOf(first), stack.SlotOf(second), stack.SlotOf(third), imm);
    }

    /// <summary>Operands in a row, two results in place of the first two.</summary>
    private void Wide(RegisterOp op, int operands)
    {
        stack.ToHomes(operands);
        int first = stack.Top(operands - 1).Home;
        for (int i = 0; i < operands; i++) stack.Pop();
        code.Emit(op, first);
        stack.ForgetProducer();
        stack.PushHome(ValType.I64);
        stack.PushHome(ValType.I64);
    }
}
