using System.Collections.Immutable;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Interpreter;

internal sealed unsafe partial class RegisterTranslator
{
    private void PushFrame(OpId kind, ImmutableArray<ValType> start, ImmutableArray<ValType> end)
    {
        if (depth == frames.Length)
        {
            Array.Resize(ref room.Frames, depth * 2);
            frames = room.Frames;
        }
        (int slots, int refs) = stack.HomesOf(start.Length);
        frames[depth++] = new Frame
        {
            Kind = kind,
            Start = start,
            End = end,
            Label = code.DefineLabel(),
            ElseLabel = -1,
            Height = stack.Height - start.Length,
            Slots = slots,
            Refs = refs,
            Written = stack.Zeros.Written,
        };
        room.UsedFrames = Math.Max(room.UsedFrames, depth);
    }

    private void BlockType(ref CodeReader reader, in Instr instr, out ImmutableArray<ValType> start, out ImmutableArray<ValType> end)
    {
        start = end = ValTypes.None;
        if (instr.BlockForm == BlockTypeForm.Value)
        {
            ByteReader types = reader.Types(instr);
            end = [new TypeDecoder(module).ReadValType(ref types)];
        }
        else if (instr.BlockForm == BlockTypeForm.Index)
        {
            var type = (FuncType)module.Types[(int)instr.BlockIndex].Composite;
            start = type.Params;
            end = type.Results;
        }
        start = stack.Operands(start);
        end = stack.Operands(end);
    }

    internal void BeginBlock(OpId kind, ref CodeReader reader, in Instr instr)
    {
        BlockType(ref reader, instr, out ImmutableArray<ValType> start, out ImmutableArray<ValType> end);
        BeginBlock(kind, start, end, instr.Offset);
    }

    internal void BeginBlock(OpId kind, ImmutableArray<ValType> start, ImmutableArray<ValType> end, int offset)
    {
        Instruction condition = default;
        if (stack.Spills && start.Length > 0) stack.ToHomes(start.Length + (kind == OpId.If ? 1 : 0));
        if (kind == OpId.If) condition = RegisterConditions.Take(stack, code, negate: true);
        // Machine code that goes on at a loop's head finds all operands in place, too.
        stack.BeforeBlock(start.Length);
        PushFrame(kind, start, end);
        switch (kind)
        {
            case OpId.Loop:
                code.Mark(frames[depth - 1].Label);
                // Spilled operands are not where that machine code would look.
                code.Emit(RegisterOp.Loop, imm: stack.Spills ? -1 : offset);
                if (target.IsInterruptible) code.Emit(RegisterOp.Poll);
                if (countsFuel) charges.Add((code.Emit(RegisterOp.Charge), 1));
                break;
            case OpId.If:
                int label = frames[depth - 1].ElseLabel = code.DefineLabel();
                code.Branch(condition, label);
                break;
        }
        stack.ForgetProducer();
    }

    // ---- labels ----

    internal ref Frame Label(uint label) => ref frames[depth - 1 - (int)label];
    internal ref Frame Innermost => ref frames[depth - 1];
    internal ref Frame FrameAt(int at) => ref frames[at];

    /// <summary>How many blocks are open.</summary>
    internal int Depth { get => depth; set => depth = value; }

    private static ImmutableArray<ValType> LabelTypes(in Frame frame) => frame.Kind == OpId.Loop ? frame.Start : frame.End;

    /// <summary>Whether operands are where a label wants them; others may lie above.</summary>
    private bool IsInPlace(in Frame frame, int above = 0) => stack.IsInPlace(frame.Slots, frame.Refs, LabelTypes(frame).Length, above);

    private bool IsFunction(uint label) => label == depth - 1;

    /// <summary>Goes to a label with the topmost operands, which stay operands.</summary>
    internal void Jump(uint label)
    {
        if (IsFunction(label))
        {
            Return();
            return;
        }
        ref Frame frame = ref Label(label);
        frame.IsTargeted = true;
        stack.MoveTo(frame.Slots, frame.Refs, LabelTypes(frame).Length);
        code.Branch(frame.Kind == OpId.Loop ? RegisterOp.BrLoop : RegisterOp.Br, frame.Label);
    }

    internal void SetUnreachable()
    {
        ref Frame frame = ref frames[depth - 1];
        frame.Unreachable = true;
        stack.CutTo(frame.Height, frame.Slots, frame.Refs);
        stack.ForgetProducer();
    }

    internal void Br(uint label)
    {
        Jump(label);
        SetUnreachable();
    }

    internal void BrIf(uint label)
    {
        ref Frame frame = ref Label(label);
        if (!IsFunction(label) && IsInPlace(frame, above: 1))
        {
            frame.IsTargeted = true;
            code.Branch(RegisterConditions.Take(stack, code, negate: false), frame.Label);
        }
        else
        {
            int skip = code.DefineLabel();
            stack.BeforeBranch(LabelTypes(frame).Length, above: 1);
            code.Branch(RegisterConditions.Take(stack, code, negate: true), skip);
            Jump(label);
            code.Mark(skip);
        }
        stack.ForgetProducer();
    }

    private void BrTable(ref CodeReader reader, in Instr instr)
    {
        ByteReader list = reader.List(instr);
        int count = instr.ListCount;
        ByteReader first = list;
        stack.BeforeBranch(LabelTypes(Label(first.U32())).Length, above: 1);
        int at = code.BranchTable(stack.PopSlot(), count);
        var pads = new Dictionary<uint, int>();
        for (int i = 0; i <= count; i++)
        {
            uint label = list.U32();
            if (!pads.TryGetValue(label, out int pad))
            {
                ref Frame frame = ref Label(label);
                pad = !IsFunction(label) && IsInPlace(frame) ? frame.Label : code.DefineLabel();
                if (pad == frame.Label) frame.IsTargeted = true;
                pads[label] = pad;
            }
            code.SetTableEntry(at, i, pad);
        }
        foreach ((uint label, int pad) in pads)
        {
            if (pad == Label(label).Label) continue;
            code.Mark(pad);
            Jump(label);
        }
        SetUnreachable();
    }

    private void BrOnNull(uint label, bool branchIfNot)
    {
        stack.BeforeBranch(LabelTypes(Label(label)).Length - (branchIfNot ? 1 : 0), above: 1);
        RegisterOperand item = stack.Pop();
        int from = stack.SlotOf(item);
        // A slot that no operand has: those of the label are not moved before the branch.
        int test = stack.Spare();
        code.Emit(RegisterOp.RefIsNull, test, from);
        int skip = code.DefineLabel();
        if (branchIfNot)
        {
            code.Branch(new Instruction { Op = RegisterOp.BrIfI32NeConst, A = (ushort)test }, skip);
            stack.Push(item);
            Jump(label);
            code.Mark(skip);
            stack.Pop();
            return;
        }
        code.Branch(new Instruction { Op = RegisterOp.BrIfI32Eqz, A = (ushort)test }, skip);
        Jump(label);
        code.Mark(skip);
        // A null constant has been put into its home.
        if (item.Kind == OperandKind.Const) item.Kind = OperandKind.Home;
        stack.Push(item);
    }

    /// <summary>
    /// Goes to a label with the topmost operand, a reference, and those below it, if a test of it has an outcome. The reference stays an operand. A descriptor that
    /// lies above it does not.
    /// </summary>
    internal void BranchIf(uint label, RegisterOp test, Instruction word, bool outcome)
    {
        bool hasDescriptor = test == RegisterOp.RefTestDescriptor;
        stack.BeforeBranch(LabelTypes(Label(label)).Length - 1, above: hasDescriptor ? 2 : 1);
        if (hasDescriptor) word.C = (ushort)stack.PopSlot();
        RegisterOperand item = stack.Pop();
        int from = stack.SlotOf(item), result = stack.Spare();
        code.Emit(test, result, from);
        code.EmitWord(word);
        int skip = code.DefineLabel();
        code.Branch(new Instruction { Op = outcome ? RegisterOp.BrIfI32Eqz : RegisterOp.BrIfI32NeConst, A = (ushort)result }, skip);
        // A null constant has been put into its home.
        if (item.Kind == OperandKind.Const) item.Kind = OperandKind.Home;
        stack.Push(item);
        Jump(label);
        code.Mark(skip);
        stack.ForgetProducer();
    }

    internal void Return()
    {
        stack.ForgetProducer();
        if (results.Length == 0)
        {
            LeaveSpills();
            code.Emit(RegisterOp.Return);
            return;
        }
        if (results.Length == 1)
        {
            ref RegisterOperand item = ref stack.Top();
            if (item.IsRef)
            {
                stack.Load(item, 0);
                LeaveSpills();
                code.Emit(RegisterOp.Return, c: 1);
            }
            else
            {
                int slot = stack.SlotOf(item);
                LeaveSpills();
                code.Emit(RegisterOp.ReturnValue, slot);
            }
            return;
        }
        int references = stack.MoveDown(results.Length);
        LeaveSpills();
        code.Emit(RegisterOp.Return, c: references);
    }

    internal void LeaveSpills()
    {
        if (stack.Spills) code.Emit(RegisterOp.LeaveSpills);
    }

    // ---- ends ----

    /// <summary>A part of a block ends, and its end can be reached: its results go to the label's homes, and control to the label.</summary>
    internal void LeavePart(ref Frame frame)
    {
        stack.MoveTo(frame.Slots, frame.Refs, frame.End.Length);
        code.Branch(RegisterOp.Br, frame.Label);
        frame.IsTargeted = true;
    }

    internal void Else()
    {
        ref Frame frame = ref frames[depth - 1];
        if (!frame.Unreachable)
        {
            LeavePart(ref frame);
            stack.CutTo(frame.Height, frame.Slots, frame.Refs);
        }
        stack.Zeros.Forget(frame.Written);
        code.Mark(frame.ElseLabel);
        frame.ElseLabel = -1;
        frame.Kind = OpId.Else;
        frame.Unreachable = false;
        foreach (ValType type in frame.Start) stack.PushHome(type);
    }

    internal void End()
    {
        // An if without else passes its parameters on.
        if (frames[depth - 1].ElseLabel >= 0) Else();
        ref Frame frame = ref frames[depth - 1];
        if (depth == 1)
        {
            if (!frame.Unreachable) Return();
            depth--;
            if (countsFuel) EndCharge(FuelCosts.OfEntry(func, stack.Locals));
            return;
        }
        stack.Zeros.Forget(frame.Written);
        if (frame.Try is not null) Handlers.EndTry(ref frame);
        if (frame.Kind == OpId.Loop && countsFuel) EndCharge(0);
        if (frame.IsTargeted && frame.Kind != OpId.Loop)
        {
            if (!frame.Unreachable) stack.MoveTo(frame.Slots, frame.Refs, frame.End.Length);
            stack.CutTo(frame.Height, frame.Slots, frame.Refs);
            foreach (ValType type in frame.End) stack.PushHome(type);
            code.Mark(frame.Label);
            depth--;
            return;
        }
        depth--;
        if (frame.Unreachable) SetUnreachable();
    }
}
