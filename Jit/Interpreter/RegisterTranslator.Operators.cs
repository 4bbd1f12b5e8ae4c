using WasmJit.Jit.Binary;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Interpreter;

internal sealed unsafe partial class RegisterTranslator
{
    private void Translate(ref CodeReader reader, in Instr instr)
    {
        Operator op = instr.Op;
        if (op.Id == OpId.Plain)
        {
            Plain(instr);
            return;
        }
        switch (op.Id)
        {
            case OpId.Nop: break;
            case OpId.Unreachable:
                Emit(RegisterOp.Trap, imm: (int)TrapKind.Unreachable);
                SetUnreachable();
                break;
            case OpId.Block or OpId.Loop or OpId.If: BeginBlock(op.Id, ref reader, instr); break;
            case OpId.Else: Else(); break;
            case OpId.End: End(); break;
            case OpId.Br: Br(instr.A); break;
            case OpId.BrIf: BrIf(instr.A); break;
            case OpId.BrTable: BrTable(ref reader, instr); break;
            case OpId.BrOnNull or OpId.BrOnNonNull: BrOnNull(instr.A, op.Id == OpId.BrOnNonNull); break;
            case OpId.Return:
                Return();
                SetUnreachable();
                break;
            case OpId.Call: Call((int)instr.A); break;
            case OpId.CallIndirect: CallIndirect(instr.A, instr.B); break;
            case OpId.CallRef: CallRef(instr.A); break;
            case OpId.ReturnCall: TailCall((int)instr.A); break;
            case OpId.ReturnCallIndirect: TailCallIndirect(instr.A, instr.B); break;
            case OpId.ReturnCallRef: TailCallRef(instr.A); break;
            case OpId.Drop: Pop(); break;
            case OpId.Select or OpId.SelectT: Select(); break;
            case OpId.LocalGet: LocalGet((int)instr.A); break;
            case OpId.LocalSet: LocalSet((int)instr.A); break;
            case OpId.LocalTee: LocalTee((int)instr.A); break;
            case OpId.GlobalGet: GlobalGet((int)instr.A); break;
            case OpId.GlobalSet: GlobalSet((int)instr.A); break;
            case OpId.I32Const: PushConst((int)instr.Bits); break;
            case OpId.I64Const or OpId.F32Const or OpId.F64Const: PushConst((long)instr.Bits); break;
            case OpId.RefNull: Push(new Item { Kind = Kind.Const, IsRef = true }); break;
            case OpId.RefFunc: PushResult(true, RegisterOp.RefFunc, imm: instr.A); break;
            case OpId.RefIsNull: PushResult(false, RegisterOp.RefIsNull, SlotOf(Pop())); break;
            case OpId.RefAsNonNull: PushResult(true, RegisterOp.RefAsNonNull, SlotOf(Pop())); break;
            case OpId.RefEq:
                {
                    Item second = Pop(), first = Pop();
                    PushResult(false, RegisterOp.RefEq, SlotOf(first), SlotOf(second));
                    break;
                }
            default: Bulk(instr); break;
        }
    }

    private void PushConst(long bits) => Push(new Item { Kind = Kind.Const, Bits = bits });

    // ---- plain operators ----

    private void Plain(in Instr instr)
    {
        Operator op = instr.Op;
        if (op.Prefix == 0xfc && op.Code < 8)
        {
            PushResult(false, RegisterOp.I32TruncSatF32S + (ushort)op.Code, SlotOf(Pop()));
            return;
        }
        // Register operators have the codes of WebAssembly's, from the first load to the last sign extension.
        if (op.Prefix != 0 || op.Code is < FirstCode or > LastCode) throw new UncoveredException();
        var register = (RegisterOp)(op.Code - FirstCode);
        if (op.MemArg is not null)
        {
            Access(instr, register);
        }
        else if (op.Params.Length == 1)
        {
            PushResult(false, register, SlotOf(Pop()));
        }
        else
        {
            Item second = Pop(), first = Pop();
            if (first.Kind == Kind.Const && second.Kind != Kind.Const && IsCommutative(register)) (first, second) = (second, first);
            if (second.Kind == Kind.Const && ConstForm(register) is { } form) PushResult(false, form, SlotOf(first), imm: second.Bits);
            else PushResult(false, register, SlotOf(first), SlotOf(second));
        }
    }

    private static bool IsCommutative(RegisterOp op) => op is RegisterOp.I32Eq or RegisterOp.I32Ne or RegisterOp.I64Eq or RegisterOp.I64Ne
        or RegisterOp.I32Add or RegisterOp.I32Mul or RegisterOp.I32And or RegisterOp.I32Or or RegisterOp.I32Xor
        or RegisterOp.I64Add or RegisterOp.I64Mul or RegisterOp.I64And or RegisterOp.I64Or or RegisterOp.I64Xor;

    /// <summary>The form of an operation that takes a constant, if there is one.</summary>
    private static RegisterOp? ConstForm(RegisterOp op) => op switch
    {
        >= RegisterOp.I32Eq and <= RegisterOp.I32GeU => op - RegisterOp.I32Eq + RegisterOp.I32EqConst,
        >= RegisterOp.I32Add and <= RegisterOp.I32Rotr => op - RegisterOp.I32Add + RegisterOp.I32AddConst,
        >= RegisterOp.I64Eq and <= RegisterOp.I64GeU => op - RegisterOp.I64Eq + RegisterOp.I64EqConst,
        >= RegisterOp.I64Add and <= RegisterOp.I64Rotr => op - RegisterOp.I64Add + RegisterOp.I64AddConst,
        _ => null,
    };

    // ---- memory ----

    /// <summary>Memory 0 without checks is addressed by the operation itself; otherwise an instruction before makes the address.</summary>
    private void Access(in Instr instr, RegisterOp register)
    {
        if (instr.HasMemoryRef) throw new UncoveredException();
        MemoryType memory = module.Memories[(int)instr.Memory];
        bool checks = target.NeedsChecks(memory);
        bool isDirect = instr.Memory == 0 && !checks && !memory.Is64;
        bool isStore = instr.Op.Results.Length == 0;
        Item value = isStore ? Pop() : default;
        Item index = Pop();
        int address = SlotOf(index);
        int stored = isStore ? SlotOf(value) : 0;
        if (!isDirect)
        {
            if (instr.Memory > ushort.MaxValue) throw new UncoveredException();
            // The index has been used up, so that its home is free.
            Emit(RegisterOp.Address, index.Home, address, (int)instr.Memory, (long)instr.Bits);
            code.Add(new Instruction { A = (ushort)(1 << instr.Op.MemArg!.Value.Number), B = (ushort)(checks ? 1 : 0) });
            address = index.Home;
            register += RegisterOp.RawI32Load - RegisterOp.I32Load;
        }
        long offset = isDirect ? (long)instr.Bits : 0;
        if (isStore) Emit(register, address, stored, 0, offset);
        else PushResult(false, register, address, imm: offset);
    }

    // ---- globals ----

    private void GlobalGet(int global)
    {
        ValType type = module.Globals[global].Type.Type;
        Cover(type);
        if (type.IsRef) PushResult(true, RegisterOp.GlobalGetRef, imm: global);
        else if (global >= module.ImportedGlobals) PushResult(false, RegisterOp.GlobalGet, imm: (global - module.ImportedGlobals) * 16L);
        else PushResult(false, RegisterOp.GlobalGetFar, imm: global);
    }

    private void GlobalSet(int global)
    {
        ValType type = module.Globals[global].Type.Type;
        Cover(type);
        int from = SlotOf(Pop());
        if (type.IsRef) Emit(RegisterOp.GlobalSetRef, from, imm: global);
        else if (global < module.ImportedGlobals) Emit(RegisterOp.GlobalSetFar, from, imm: global);
        else Emit(type.ByteSize == 4 ? RegisterOp.GlobalSet32 : RegisterOp.GlobalSet64, from, imm: (global - module.ImportedGlobals) * 16L);
    }

    // ---- bulk operators, tables, wide arithmetic ----

    private void Bulk(in Instr instr)
    {
        if (instr.Op.Cost.Unit is CostUnit.Bytes or CostUnit.Items) ChargeTop(instr, IsCount64(instr));
        switch (instr.Id)
        {
            case OpId.MemorySize: PushResult(false, RegisterOp.MemorySize, imm: instr.A); break;
            case OpId.MemoryGrow: PushResult(false, RegisterOp.MemoryGrow, SlotOf(Pop()), target.CountsFuel ? 1 : 0, instr.A); break;
            case OpId.MemoryFill: Three(RegisterOp.MemoryFill, Pair((int)instr.A, 0)); break;
            case OpId.MemoryCopy: Three(RegisterOp.MemoryCopy, Pair((int)instr.A, (int)instr.B)); break;
            case OpId.MemoryInit: Three(RegisterOp.MemoryInit, Pair((int)instr.B, (int)instr.A)); break;
            case OpId.DataDrop: Emit(RegisterOp.DataDrop, imm: instr.A); break;
            case OpId.TableGet: PushResult(true, RegisterOp.TableGet, SlotOf(Pop()), imm: instr.A); break;
            case OpId.TableSet:
                {
                    Item value = Pop(), index = Pop();
                    Emit(RegisterOp.TableSet, SlotOf(index), SlotOf(value), 0, instr.A);
                    break;
                }
            case OpId.TableSize: PushResult(false, RegisterOp.TableSize, imm: instr.A); break;
            case OpId.TableGrow:
                {
                    Item count = Pop(), value = Pop();
                    PushResult(false, RegisterOp.TableGrow, SlotOf(count), SlotOf(value), instr.A);
                    break;
                }
            case OpId.TableFill: Three(RegisterOp.TableFill, Pair((int)instr.A, 0)); break;
            case OpId.TableCopy: Three(RegisterOp.TableCopy, Pair((int)instr.A, (int)instr.B)); break;
            case OpId.TableInit: Three(RegisterOp.TableInit, Pair((int)instr.B, (int)instr.A)); break;
            case OpId.ElemDrop: Emit(RegisterOp.ElemDrop, imm: instr.A); break;
            case OpId.I64Add128: Wide(RegisterOp.I64Add128, 4); break;
            case OpId.I64Sub128: Wide(RegisterOp.I64Sub128, 4); break;
            case OpId.I64MulWideS: Wide(RegisterOp.I64MulWideS, 2); break;
            case OpId.I64MulWideU: Wide(RegisterOp.I64MulWideU, 2); break;
            default: throw new UncoveredException();
        }
    }

    /// <summary>Whether the topmost operand of a bulk operator, its length, has 64 bits.</summary>
    private bool IsCount64(in Instr instr) => instr.Id switch
    {
        OpId.MemoryFill => module.Memories[(int)instr.A].Is64,
        OpId.MemoryCopy => module.Memories[(int)instr.A].Is64 && module.Memories[(int)instr.B].Is64,
        OpId.TableFill or OpId.TableGrow => module.Tables[(int)instr.A].Type.Is64,
        OpId.TableCopy => module.Tables[(int)instr.A].Type.Is64 && module.Tables[(int)instr.B].Type.Is64,
        _ => false,
    };

    private void Three(RegisterOp op, long imm)
    {
        Item third = Pop(), second = Pop(), first = Pop();
        Emit(op, SlotOf(first), SlotOf(second), SlotOf(third), imm);
    }

    /// <summary>Operands in a row, two results in place of the first two.</summary>
    private void Wide(RegisterOp op, int operands)
    {
        ToHomes(operands);
        int first = Top(operands - 1).Home;
        for (int i = 0; i < operands; i++) Pop();
        Emit(op, first);
        producer = -1;
        PushHome(ValType.I64);
        PushHome(ValType.I64);
    }

    // ---- calls ----

    /// <summary>Takes the arguments, which are in their homes; gives where they begin.</summary>
    private (int Slots, int Refs) TakeArguments(FuncType type)
    {
        ToHomes(type.Params.Length);
        for (int i = type.Params.Length; i > 0; i--) Pop();
        return (slots, refs);
    }

    private void PushResults(FuncType type)
    {
        producer = -1;
        foreach (ValType result in type.Results) PushHome(result);
    }

    private static void CoverCall(FuncType type)
    {
        foreach (ValType value in type.Params) Cover(value);
        foreach (ValType value in type.Results) Cover(value);
    }

    private void Call(int index)
    {
        FuncInfo callee = module.Funcs[index];
        CoverCall(callee.Func);
        (int a, int b) = TakeArguments(callee.Func);
        if (callee.IsImported)
        {
            Emit(RegisterOp.CallImport, a, b, 0, (long)target.ShapeOf(callee.Type));
            code.Add(new Instruction { Target = index });
        }
        else
        {
            Emit(RegisterOp.Call, a, b, 0, (long)target.StateOf(index));
        }
        PushResults(callee.Func);
    }

    private void CallIndirect(uint typeIndex, uint table)
    {
        DefType type = module.Types[(int)typeIndex];
        FuncType callee = type.AsFunc!;
        CoverCall(callee);
        int index = SlotOf(Pop());
        (int a, int b) = TakeArguments(callee);
        Emit(RegisterOp.CallIndirect, a, b, index, (long)target.ShapeOf(type));
        AddTable(typeIndex, table);
        PushResults(callee);
    }

    /// <summary>The word behind an indirect call: which table, its address type, and the type asked for.</summary>
    private void AddTable(uint typeIndex, uint table) => code.Add(new Instruction
    {
        A = (ushort)(module.Tables[(int)table].Type.Is64 ? 1 : 0),
        B = (ushort)table,
        C = (ushort)(table >> 16),
        Target = (int)typeIndex,
        Value = module.Types[(int)typeIndex].Id,
    });

    private void CallRef(uint typeIndex)
    {
        DefType type = module.Types[(int)typeIndex];
        FuncType callee = type.AsFunc!;
        CoverCall(callee);
        int reference = SlotOf(Pop());
        (int a, int b) = TakeArguments(callee);
        Emit(RegisterOp.CallRef, a, b, reference, (long)target.ShapeOf(type));
        code.Add(default);
        PushResults(callee);
    }

    // ---- tail calls: arguments go to the frame's first slots ----

    private void TailCall(int index)
    {
        FuncInfo callee = module.Funcs[index];
        CoverCall(callee.Func);
        int references = MoveDown(callee.Func.Params.Length);
        if (callee.IsImported)
        {
            Emit(RegisterOp.TailCallImport, imm: (long)target.TailShapeOf(callee.Type));
            code.Add(new Instruction { Target = index });
        }
        else
        {
            target.TailShapeOf(callee.Type);
            Emit(RegisterOp.TailCall, c: references, imm: (long)target.StateOf(index));
        }
        SetUnreachable();
    }

    private void TailCallIndirect(uint typeIndex, uint table)
    {
        DefType type = module.Types[(int)typeIndex];
        CoverCall(type.AsFunc!);
        // Arguments may overwrite a local with the index.
        ToHomes(1);
        int index = Pop().Home;
        MoveDown(type.AsFunc!.Params.Length);
        Emit(RegisterOp.TailCallIndirect, 0, 0, index, (long)target.TailShapeOf(type));
        AddTable(typeIndex, table);
        SetUnreachable();
    }

    private void TailCallRef(uint typeIndex)
    {
        DefType type = module.Types[(int)typeIndex];
        CoverCall(type.AsFunc!);
        ToHomes(1);
        int reference = Pop().Home;
        MoveDown(type.AsFunc!.Params.Length);
        Emit(RegisterOp.TailCallRef, 0, 0, reference, (long)target.TailShapeOf(type));
        code.Add(default);
        SetUnreachable();
    }
}
