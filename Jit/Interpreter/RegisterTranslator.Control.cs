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
        if (depth == frames.Length) Array.Resize(ref frames, depth * 2);
        int first = height - start.Length;
        int numbers = slots, references = refs;
        for (int i = first; i < height; i++)
        {
            if (items[i].IsRef) references = Math.Min(references, items[i].Home);
            else numbers = Math.Min(numbers, items[i].Home);
        }
        frames[depth++] = new Frame
        {
            Kind = kind,
            Start = start,
            End = end,
            Label = DefineLabel(),
            ElseLabel = -1,
            Height = first,
            Slots = numbers,
            Refs = references,
        };
    }

    private void BlockType(ref CodeReader reader, in Instr instr, out ImmutableArray<ValType> start, out ImmutableArray<ValType> end)
    {
        start = end = [];
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
        foreach (ValType type in start) Cover(type);
        foreach (ValType type in end) Cover(type);
    }

    private void BeginBlock(OpId kind, ref CodeReader reader, in Instr instr)
    {
        BlockType(ref reader, instr, out ImmutableArray<ValType> start, out ImmutableArray<ValType> end);
        Instruction condition = default;
        if (kind == OpId.If) condition = TakeCondition(negate: true);
        // Machine code that goes on at a loop's head finds all operands in place, too.
        AllToHomes();
        PushFrame(kind, start, end);
        switch (kind)
        {
            case OpId.Loop:
                Mark(frames[depth - 1].Label);
                Emit(RegisterOp.Loop, imm: instr.Offset);
                if (target.IsInterruptible) Emit(RegisterOp.Poll);
                if (target.CountsFuel) charges.Add((Emit(RegisterOp.Charge), 1));
                break;
            case OpId.If:
                int label = frames[depth - 1].ElseLabel = DefineLabel();
                BranchIf(condition, label);
                break;
        }
        producer = -1;
    }

    // ---- conditions ----

    private const int FirstCode = 0x28, LastCode = 0xc4;
    private const int BranchDistance = RegisterOp.BrIfI32Eqz - RegisterOp.I32Eqz;

    private static bool IsCompare(RegisterOp op) => op is >= RegisterOp.I32Eqz and <= RegisterOp.F64Ge;

    private static bool IsConstCompare(RegisterOp op) => op is (>= RegisterOp.I32EqConst and <= RegisterOp.I32GeUConst) or (>= RegisterOp.I64EqConst and <= RegisterOp.I64GeUConst);

    /// <summary>
    /// Takes the topmost operand as a condition: the branch for it, without target. Where a comparison has just been made the
    /// branch compares.
    /// </summary>
    private Instruction TakeCondition(bool negate)
    {
        bool isFresh = IsTopFresh;
        Item item = Pop();
        if (isFresh)
        {
            Instruction made = code[^1];
            if (IsCompare(made.Op))
            {
                code.RemoveAt(code.Count - 1);
                RegisterOp op = made.Op + BranchDistance;
                if (negate) op = Opposite(op);
                return new Instruction { Op = op, A = made.B, B = made.C };
            }
            if (IsConstCompare(made.Op) && made.Imm == (int)made.Imm)
            {
                code.RemoveAt(code.Count - 1);
                RegisterOp op = made.Op >= RegisterOp.I64EqConst
                    ? made.Op - RegisterOp.I64EqConst + RegisterOp.BrIfI64EqConst
                    : made.Op - RegisterOp.I32EqConst + RegisterOp.BrIfI32EqConst;
                if (negate) op = Opposite(op);
                return new Instruction { Op = op, A = made.B, Value = (int)made.Imm };
            }
        }
        int slot = SlotOf(item);
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

    private void BranchIf(Instruction condition, int label)
    {
        condition.Target = label;
        code.Add(condition);
        branches.Add(code.Count - 1);
    }

    // ---- labels ----

    private ref Frame Label(uint label) => ref frames[depth - 1 - (int)label];

    private static ImmutableArray<ValType> LabelTypes(in Frame frame) => frame.Kind == OpId.Loop ? frame.Start : frame.End;

    /// <summary>Whether the topmost operands are where a label wants them.</summary>
    private bool IsInPlace(in Frame frame, int count)
    {
        int numbers = frame.Slots, references = frame.Refs;
        for (int i = height - count; i < height; i++)
            if (items[i].Kind != Kind.Home || items[i].Home != (items[i].IsRef ? references++ : numbers++)) return false;
        return true;
    }

    /// <summary>
    /// Moves the topmost operands to where a label wants them; they stay operands. None lies lower than where it goes, so that
    /// none is overwritten before it has been moved.
    /// </summary>
    private void MoveTo(int numbers, int references, int count)
    {
        for (int i = height - count; i < height; i++) Load(items[i], items[i].IsRef ? references++ : numbers++);
    }

    private bool IsFunction(uint label) => label == depth - 1;

    /// <summary>Goes to a label with the topmost operands, which stay operands.</summary>
    private void Jump(uint label)
    {
        if (IsFunction(label))
        {
            Return();
            return;
        }
        ref Frame frame = ref Label(label);
        frame.IsTargeted = true;
        MoveTo(frame.Slots, frame.Refs, LabelTypes(frame).Length);
        Branch(frame.Kind == OpId.Loop ? RegisterOp.BrLoop : RegisterOp.Br, frame.Label);
    }

    private void SetUnreachable()
    {
        ref Frame frame = ref frames[depth - 1];
        frame.Unreachable = true;
        while (height > frame.Height) Pop();
        producer = -1;
    }

    private void Br(uint label)
    {
        Jump(label);
        SetUnreachable();
    }

    private void BrIf(uint label)
    {
        ref Frame frame = ref Label(label);
        int arity = LabelTypes(frame).Length;
        if (!IsFunction(label) && (arity == 0 || IsInPlaceBelow(frame, arity)))
        {
            frame.IsTargeted = true;
            BranchIf(TakeCondition(negate: false), frame.Label);
        }
        else
        {
            int skip = DefineLabel();
            BranchIf(TakeCondition(negate: true), skip);
            Jump(label);
            Mark(skip);
        }
        producer = -1;
    }

    /// <summary>Whether the operands below the topmost are where a label wants them.</summary>
    private bool IsInPlaceBelow(in Frame frame, int count)
    {
        height--;
        bool inPlace = IsInPlace(frame, count);
        height++;
        return inPlace;
    }

    private void BrTable(ref CodeReader reader, in Instr instr)
    {
        ByteReader list = reader.List(instr);
        int count = instr.ListCount;
        Item index = Pop();
        int slot = SlotOf(index);
        int at = Emit(RegisterOp.BrTable, slot, imm: count);
        for (int places = RegisterPairs.TableLength(count + 1); places > 0; places--) code.Add(default);
        var pads = new Dictionary<uint, int>();
        for (int i = 0; i <= count; i++)
        {
            uint label = list.U32();
            if (!pads.TryGetValue(label, out int pad))
            {
                ref Frame frame = ref Label(label);
                pad = !IsFunction(label) && IsInPlace(frame, LabelTypes(frame).Length) ? frame.Label : DefineLabel();
                if (pad == frame.Label) frame.IsTargeted = true;
                pads[label] = pad;
            }
            entries.Add((at, i, pad));
        }
        foreach ((uint label, int pad) in pads)
        {
            if (pad == Label(label).Label) continue;
            Mark(pad);
            Jump(label);
        }
        SetUnreachable();
    }

    private void BrOnNull(uint label, bool branchIfNot)
    {
        Item item = Pop();
        int from = SlotOf(item);
        // A slot that no operand has: those of the label are not moved before the branch.
        int test = slots;
        maxSlots = Math.Max(maxSlots, slots + 1);
        Emit(RegisterOp.RefIsNull, test, from);
        int skip = DefineLabel();
        if (branchIfNot)
        {
            BranchIf(new Instruction { Op = RegisterOp.BrIfI32NeConst, A = (ushort)test }, skip);
            Push(item);
            Jump(label);
            Mark(skip);
            Pop();
            return;
        }
        BranchIf(new Instruction { Op = RegisterOp.BrIfI32Eqz, A = (ushort)test }, skip);
        Jump(label);
        Mark(skip);
        // A null constant has been put into its home.
        if (item.Kind == Kind.Const) item.Kind = Kind.Home;
        Push(item);
    }

    private void Return()
    {
        ImmutableArray<ValType> results = func.Func.Results;
        producer = -1;
        if (results.Length == 0)
        {
            Emit(RegisterOp.Return);
            return;
        }
        if (results.Length == 1)
        {
            ref Item item = ref Top();
            if (item.IsRef)
            {
                Load(item, 0);
                Emit(RegisterOp.Return, c: 1);
            }
            else
            {
                Emit(RegisterOp.ReturnValue, SlotOf(item));
            }
            return;
        }
        Emit(RegisterOp.Return, c: MoveDown(results.Length));
    }

    /// <summary>Moves the topmost operands to the frame's first slots, by way of their homes. They stay operands as they were.</summary>
    /// <returns>How many of them are references.</returns>
    private int MoveDown(int count)
    {
        // What is read from locals must be read before the locals' slots are written.
        for (int i = height - count; i < height; i++) Load(items[i], items[i].Home);
        int numbers = 0, references = 0;
        for (int i = height - count; i < height; i++)
        {
            ref Item item = ref items[i];
            int to = item.IsRef ? references++ : numbers++;
            if (to != item.Home) Emit(item.IsRef ? RegisterOp.MoveRef : RegisterOp.Move, to, item.Home);
        }
        return references;
    }

    // ---- ends ----

    private void Else()
    {
        ref Frame frame = ref frames[depth - 1];
        if (!frame.Unreachable)
        {
            MoveTo(frame.Slots, frame.Refs, frame.End.Length);
            Branch(RegisterOp.Br, frame.Label);
            frame.IsTargeted = true;
            while (height > frame.Height) Pop();
        }
        Mark(frame.ElseLabel);
        frame.ElseLabel = -1;
        frame.Kind = OpId.Else;
        frame.Unreachable = false;
        foreach (ValType type in frame.Start) PushHome(type);
    }

    private void End()
    {
        // An if without else passes its parameters on.
        if (frames[depth - 1].ElseLabel >= 0) Else();
        ref Frame frame = ref frames[depth - 1];
        if (depth == 1)
        {
            if (!frame.Unreachable) Return();
            depth--;
            if (target.CountsFuel) EndCharge(FuelCosts.OfEntry(func, localSlots.Length));
            return;
        }
        bool reachable = !frame.Unreachable;
        if (frame.Kind == OpId.Loop && target.CountsFuel) EndCharge(0);
        if (frame.IsTargeted && frame.Kind != OpId.Loop)
        {
            if (reachable) MoveTo(frame.Slots, frame.Refs, frame.End.Length);
            while (height > frame.Height) Pop();
            foreach (ValType type in frame.End) PushHome(type);
            Mark(frame.Label);
            depth--;
            return;
        }
        depth--;
        if (!reachable) SetUnreachable();
    }
}
