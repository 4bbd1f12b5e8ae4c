using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Interpreter;

internal sealed unsafe partial class RegisterTranslator
{
    private void Translate(ref CodeReader reader, in Instr instr)
    {
        if (takesAll ? !InterpretedOperators.HasWithoutCode(instr.Op) : !InterpretedOperators.Has(instr.Op)) throw new UncoveredException($"the operator {instr.Op.Mnemonic}");
        if (!TranslateGroup(ref reader, instr)) throw new InvalidOperationException($"The translator has no case for {instr.Op.Mnemonic}.");
    }

    private bool TranslateGroup(ref CodeReader reader, in Instr instr) => instr.Op.Group switch
    {
        OpGroup.Plain => Plain(instr),
        OpGroup.Control => Control(ref reader, instr),
        OpGroup.Calls => Calls(instr),
        OpGroup.Variables => Variables(instr),
        OpGroup.Constants => Constants(instr),
        OpGroup.References or OpGroup.Gc => References(instr),
        OpGroup.Bulk => Bulk.Translate(instr),
        OpGroup.WideArithmetic => Bulk.WideArithmetic(instr),
        OpGroup.Linking => Linking.Linking(instr),
        OpGroup.Modules => Linking.Modules(instr),
        OpGroup.MemoryReferences => Linking.MemoryReferences(instr),
        OpGroup.TableReferences => Linking.TableReferences(instr),
        OpGroup.GlobalReferences => Linking.GlobalReferences(instr),
        OpGroup.Slices => Linking.SlicesOf(instr),
        OpGroup.Shuffle => Vectors.Shuffle(instr),
        OpGroup.Exceptions => Handlers.Translate(ref reader, instr),
        OpGroup.Waits => Linking.Waits(instr),
        OpGroup.Casts => Objects.Casts(instr),
    };

    private bool Control(ref CodeReader reader, in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.Nop: return true;
            case OpId.Unreachable:
                code.Emit(RegisterOp.Trap, imm: (int)TrapKind.Unreachable);
                SetUnreachable();
                return true;
            case OpId.Block or OpId.Loop or OpId.If: BeginBlock(instr.Id, ref reader, instr); return true;
            case OpId.Else: Else(); return true;
            case OpId.End: End(); return true;
            case OpId.Br: Br(instr.A); return true;
            case OpId.BrIf: BrIf(instr.A); return true;
            case OpId.BrTable: BrTable(ref reader, instr); return true;
            case OpId.BrOnNull or OpId.BrOnNonNull: BrOnNull(instr.A, instr.Id == OpId.BrOnNonNull); return true;
            case OpId.Return:
                Return();
                SetUnreachable();
                return true;
            case OpId.Drop:
                // Two halves are dropped.
                if (stack.Pop().IsHalf) stack.Pop();
                return true;
            case OpId.Select or OpId.SelectT: Select(); return true;
            default: return false;
        }
    }

    private bool Calls(in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.Call: Call((int)instr.A); return true;
            case OpId.CallIndirect: CallIndirect(instr.A, instr.B); return true;
            case OpId.CallRef: CallRef(instr.A); return true;
            case OpId.ReturnCall: TailCall((int)instr.A); return true;
            case OpId.ReturnCallIndirect: TailCallIndirect(instr.A, instr.B); return true;
            case OpId.ReturnCallRef: TailCallRef(instr.A); return true;
            default: return false;
        }
    }

    private bool Variables(in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.LocalGet: stack.GetLocal((int)instr.A); return true;
            case OpId.LocalSet: stack.SetLocal((int)instr.A); return true;
            case OpId.LocalTee: stack.TeeLocal((int)instr.A); return true;
            case OpId.GlobalGet: GlobalGet((int)instr.A); return true;
            case OpId.GlobalSet: GlobalSet((int)instr.A); return true;
            default: return false;
        }
    }

    private bool Constants(in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.I32Const: stack.PushConst((int)instr.Bits); return true;
            case OpId.I64Const or OpId.F32Const or OpId.F64Const: stack.PushConst((long)instr.Bits); return true;
            case OpId.V128Const:
                stack.Cover(ValType.V128);
                stack.PushVector(instr.Bits, instr.High);
                return true;
            default: return false;
        }
    }

    private bool References(in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.RefNull: stack.PushNull(); return true;
            case OpId.RefFunc: stack.PushResult(true, RegisterOp.RefFunc, imm: instr.A); return true;
            case OpId.RefIsNull: stack.PushResult(false, RegisterOp.RefIsNull, stack.PopSlot()); return true;
            case OpId.RefAsNonNull: stack.PushResult(true, RegisterOp.RefAsNonNull, stack.PopSlot()); return true;
            case OpId.RefEq:
                RegisterOperand second = stack.Pop(), first = stack.Pop();
                stack.PushResult(false, RegisterOp.RefEq, stack.SlotOf(first), stack.SlotOf(second));
                return true;
            case OpId.RefI31: stack.PushResult(true, RegisterOp.RefI31, stack.PopSlot()); return true;
            case OpId.I31GetS: stack.PushResult(false, RegisterOp.I31GetS, stack.PopSlot()); return true;
            case OpId.I31GetU: stack.PushResult(false, RegisterOp.I31GetU, stack.PopSlot()); return true;
            // Both have the same objects.
            case OpId.AnyConvertExtern or OpId.ExternConvertAny: return true;
            default: return instr.Op.Group == OpGroup.Gc && Objects.Translate(instr);
        }
    }

    internal void Select()
    {
        if (stack.Top(1).IsHalf)
        {
            Vectors.Select();
            return;
        }
        RegisterOperand condition = stack.Pop(), second = stack.Pop(), first = stack.Pop();
        int test = stack.SlotOf(condition), b = stack.SlotOf(first), c = stack.SlotOf(second);
        stack.PushResult(first.IsRef, first.IsRef ? RegisterOp.SelectRef : RegisterOp.Select, b, c, RegisterBuffer.Pair(test, 0));
    }

    // ---- plain operators ----

    private bool Plain(in Instr instr)
    {
        if (InterpretedOperators.PlainOf(instr.Op) is not { } register) return instr.Op.Prefix == OperatorPrefix.Vector ? Vectors.Plain(instr) : Vectors.Atomic(instr);
        if (instr.Op.MemArg is not null)
        {
            Access(instr, register);
        }
        else if (instr.Op.Params.Length == 1)
        {
            stack.PushResult(false, register, stack.PopSlot());
        }
        else
        {
            Binary(register);
        }
        return true;
    }

    internal void Binary(RegisterOp operation)
    {
        ref RegisterOperand second = ref stack.Pop(), first = ref stack.Pop();
        if (first.Kind == OperandKind.Const && second.Kind != OperandKind.Const && IsCommutative(operation))
        {
            ref RegisterOperand constant = ref first;
            first = ref second;
            second = ref constant;
        }
        if (second.Kind == OperandKind.Const && ConstForm(operation) is { } form) stack.PushResult(false, form, stack.SlotOf(first), imm: second.Bits);
        else stack.PushResult(false, operation, stack.SlotOf(first), stack.SlotOf(second));
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
        bool isStore = instr.Op.Results.Length == 0;
        bool isDirect = !instr.HasMemoryRef && instr.Memory == 0 && !checksFirstMemory && !module.Memories[0].Is64;
        RegisterOperand value = isStore ? stack.Pop() : default;
        int address, stored;
        if (isDirect)
        {
            address = stack.PopSlot();
            stored = isStore ? stack.SlotOf(value) : 0;
        }
        else
        {
            stored = isStore ? stack.SlotOf(value) : 0;
            address = PopAddress(instr, !instr.HasMemoryRef && target.NeedsChecks(module.Memories[(int)instr.Memory]));
            register += RegisterOp.RawI32Load - RegisterOp.I32Load;
        }
        long offset = isDirect ? (long)instr.Bits : 0;
        if (isStore) code.Emit(register, address, stored, 0, offset);
        else stack.PushResult(false, register, address, imm: offset);
    }

    /// <summary>Takes the index of an access, and the reference below it if there is one; the slot with the address in the process.</summary>
    /// <param name="instr">The access.</param>
    /// <param name="checks">Whether the index is compared with the length of an own memory.</param>
    /// <param name="checksAlignment">Whether the address must be a multiple of the width.</param>
    internal int PopAddress(in Instr instr, bool checks, bool checksAlignment = false)
    {
        if (instr.HasMemoryRef) return Linking.PopAddress(instr, checksAlignment);
        if (instr.Memory > ushort.MaxValue) throw new UncoveredException("more memories than an instruction can name");
        RegisterOperand index = stack.Pop();
        int address = stack.SlotOf(index);
        // The index has been used up, so that its home is free.
        int made = stack.FreeSlotOf(index);
        code.Emit(RegisterOp.Address, made, address, (int)instr.Memory, (long)instr.Bits);
        code.EmitWord(new Instruction { A = (ushort)(1 << instr.Op.MemArg!.Value.Number), B = (ushort)(checks ? 1 : 0), Value = checksAlignment ? 1 : 0 });
        return made;
    }

    // ---- globals ----

    internal void GlobalGet(int global)
    {
        ValType type = module.Globals[global].Type.Type;
        if (type.Kind == ValKind.V128) Vectors.GlobalGet(global);
        else if (type.IsRef) stack.PushResult(true, RegisterOp.GlobalGetRef, imm: global);
        else if (global >= module.ImportedGlobals) stack.PushResult(false, RegisterOp.GlobalGet, imm: (global - module.ImportedGlobals) * 16L);
        else stack.PushResult(false, RegisterOp.GlobalGetFar, imm: global);
    }

    internal void GlobalSet(int global)
    {
        ValType type = module.Globals[global].Type.Type;
        if (type.Kind == ValKind.V128)
        {
            Vectors.GlobalSet(global);
            return;
        }
        int from = stack.PopSlot();
        if (type.IsRef) code.Emit(RegisterOp.GlobalSetRef, from, imm: global);
        else if (global < module.ImportedGlobals) code.Emit(RegisterOp.GlobalSetFar, from, imm: global);
        else code.Emit(type.ByteSize == 4 ? RegisterOp.GlobalSet32 : RegisterOp.GlobalSet64, from, imm: (global - module.ImportedGlobals) * 16L);
    }

    // ---- calls ----

    /// <summary>Takes the arguments, which are in their homes; gives where they begin.</summary>
    internal (int Slots, int Refs) TakeArguments(FuncType type)
    {
        int count = stack.Operands(type.Params).Length;
        stack.ToHomes(count);
        for (int i = count; i > 0; i--) stack.Pop();
        return stack.NextHomes;
    }

    /// <summary>Puts the arguments into a row with the operand above them that says what is called, where that is not so anyway.</summary>
    internal void GatherWith(FuncType type)
    {
        if (stack.Spills) stack.ToHomes(stack.Operands(type.Params).Length + 1);
    }

    /// <summary>Moves the arguments of a tail call to the frame's first slots.</summary>
    /// <returns>How many of them are references.</returns>
    internal int MoveArguments(FuncType type) => stack.MoveDown(stack.Operands(type.Params).Length);

    internal void PushResults(FuncType type)
    {
        stack.ForgetProducer();
        foreach (ValType result in stack.Operands(type.Results)) stack.PushHome(result);
    }

    /// <summary>Before a call: functions with some types are compiled.</summary>
    internal void CoverCall(FuncType type)
    {
        stack.Operands(type.Params);
        stack.Operands(type.Results);
    }

    internal void Call(int index)
    {
        if (index != lastCallee) FindCallee(index);
        if (calleeResults >= 0)
        {
            (int first, int firstRef) = stack.TakeNumbers(calleeParams);
            code.Emit(RegisterOp.Call, first, firstRef, 0, (long)calleeState);
            if (calleeResults > 0) stack.PushHome(ValType.I64);
            return;
        }
        FuncType type = calleeType!;
        (int a, int b) = TakeArguments(type);
        if (index < module.ImportedFuncs)
        {
            code.Emit(RegisterOp.CallImport, a, b, 0, (long)target.ShapeOf(module.Funcs[index].Type));
            code.EmitWord(new Instruction { Target = index });
        }
        else
        {
            code.Emit(RegisterOp.Call, a, b, 0, (long)calleeState);
        }
        PushResults(type);
    }

    private void FindCallee(int index)
    {
        calleeType = module.Funcs[index].Func;
        CoverCall(calleeType);
        lastCallee = index;
        calleeResults = -1;
        if (index < module.ImportedFuncs) return;
        calleeState = target.StateOf(index);
        if (!stack.Spills && !stack.HasVectors && calleeType.Results.Length <= 1 && RegisterStack.AreNumbers(calleeType.Params) && RegisterStack.AreNumbers(calleeType.Results))
        {
            calleeParams = calleeType.Params.Length;
            calleeResults = calleeType.Results.Length;
        }
        if (calleeState is not null && calleeState->Code is null) room.AddCallee(index);
    }

    private void CallIndirect(uint typeIndex, uint table)
    {
        DefType type = module.Types[(int)typeIndex];
        FuncType callee = type.AsFunc!;
        CoverCall(callee);
        GatherWith(callee);
        int index = stack.PopSlot();
        (int a, int b) = TakeArguments(callee);
        code.Emit(RegisterOp.CallIndirect, a, b, index, (long)target.ShapeOf(type));
        AddTable(typeIndex, table);
        PushResults(callee);
    }

    /// <summary>The word behind an indirect call: which table, its address type, and the type asked for.</summary>
    private void AddTable(uint typeIndex, uint table) => code.EmitWord(new Instruction
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
        GatherWith(callee);
        int reference = stack.PopSlot();
        (int a, int b) = TakeArguments(callee);
        code.Emit(RegisterOp.CallRef, a, b, reference, (long)target.ShapeOf(type));
        code.EmitWord(default);
        PushResults(callee);
    }

    // ---- tail calls: arguments go to the frame's first slots ----

    private void TailCall(int index)
    {
        FuncInfo callee = module.Funcs[index];
        CoverCall(callee.Func);
        int references = MoveArguments(callee.Func);
        LeaveSpills();
        if (callee.IsImported)
        {
            code.Emit(RegisterOp.TailCallImport, imm: (long)target.TailShapeOf(callee.Type));
            code.EmitWord(new Instruction { Target = index });
        }
        else
        {
            target.TailShapeOf(callee.Type);
            code.Emit(RegisterOp.TailCall, c: references, imm: (long)target.StateOf(index));
        }
        SetUnreachable();
    }

    private void TailCallIndirect(uint typeIndex, uint table)
    {
        DefType type = module.Types[(int)typeIndex];
        CoverCall(type.AsFunc!);
        // Arguments may overwrite a local with the index.
        stack.ToHomes(1);
        GatherWith(type.AsFunc!);
        int index = stack.Pop().Home;
        MoveArguments(type.AsFunc!);
        LeaveSpills();
        code.Emit(RegisterOp.TailCallIndirect, 0, 0, index, (long)target.TailShapeOf(type));
        AddTable(typeIndex, table);
        SetUnreachable();
    }

    private void TailCallRef(uint typeIndex)
    {
        DefType type = module.Types[(int)typeIndex];
        CoverCall(type.AsFunc!);
        stack.ToHomes(1);
        GatherWith(type.AsFunc!);
        int reference = stack.Pop().Home;
        MoveArguments(type.AsFunc!);
        LeaveSpills();
        code.Emit(RegisterOp.TailCallRef, 0, 0, reference, (long)target.TailShapeOf(type));
        code.EmitWord(default);
        SetUnreachable();
    }
}
