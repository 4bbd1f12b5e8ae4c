using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Emit;

namespace WasmJit.Jit;

/// <summary>Structured control (spec 4.6.8): labels carry their values in temporaries, so that no label finds operands on the IL stack.</summary>
internal sealed partial class FunctionEmitter
{
    private void PushFrame(OpId kind, ImmutableArray<ValType> start, ImmutableArray<ValType> end)
    {
        if (depth == frames.Length) Array.Resize(ref frames, depth * 2);
        frames[depth++] = new Frame
        {
            Kind = kind,
            Start = start,
            End = end,
            Label = il.DefineLabel(),
            ElseLabel = -1,
            Height = stack.Count - start.Length,
            Region = region,
            Arm = ++arms,
        };
    }

    private void BlockType(ref CodeReader code, in Instr instr, out ImmutableArray<ValType> start, out ImmutableArray<ValType> end)
    {
        start = end = [];
        if (instr.BlockForm == BlockTypeForm.Value)
        {
            ByteReader reader = code.Types(instr);
            end = [new TypeDecoder(module).ReadValType(ref reader)];
        }
        else if (instr.BlockForm == BlockTypeForm.Index)
        {
            var type = (FuncType)module.Types[(int)instr.BlockIndex].Composite;
            start = type.Params;
            end = type.Results;
        }
    }

    /// <summary>Labels with more values than this have them in <see cref="Homes"/>.</summary>
    private const int MostOwnTemps = 4;

    /// <summary>By height of the operand stack: the temporaries in which labels with many values have those that are so high, one for each CLR type.</summary>
    private readonly Dictionary<(int Height, Type Type), int> homes = [];
    private readonly Dictionary<(int Height, ImmutableArray<ValType> Types), int[]> homesOf = [];

    /// <summary>
    /// The temporaries of a label with many values. Which they are depends on height and type alone, so that blocks in each other share
    /// them, and what is passed on from one to another stays where it is: otherwise each byte of a <c>br_table</c> would be thousands of
    /// instructions. A home is written only where control goes to a label, and then the operand at its height is the one written. So
    /// operands that are in homes stay there until they are used, as long as none moves to another height.
    /// </summary>
    private int[] Homes(int height, ImmutableArray<ValType> types)
    {
        // Blocks of one type have one list of types.
        if (homesOf.TryGetValue((height, types), out int[]? temps)) return temps;
        homesOf.Add((height, types), temps = new int[types.Length]);
        for (int i = 0; i < temps.Length; i++)
        {
            (int, Type) key = (height + i, Signature.ClrType(types[i]));
            if (!homes.TryGetValue(key, out temps[i])) homes.Add(key, temps[i] = il.DeclareLocal(key.Item2));
        }
        return temps;
    }

    private static bool AreHomes(int[] temps) => temps.Length > MostOwnTemps;

    /// <summary>Temporaries of a label whose values begin at a height.</summary>
    private int[] TakeTempsAt(int height, ImmutableArray<ValType> types) => types.Length > MostOwnTemps ? Homes(height, types) : TakeTemps(types);

    private int[] TakeTemps(ImmutableArray<ValType> types)
    {
        var temps = new int[types.Length];
        for (int i = 0; i < temps.Length; i++) temps[i] = stack.TakeTemp(Signature.ClrType(types[i]));
        return temps;
    }

    private void FreeTemps(int[]? temps)
    {
        if (temps is null || AreHomes(temps)) return;
        foreach (int temp in temps) stack.FreeTemp(temp);
    }

    /// <summary>Moves the topmost operands into temporaries and forgets them.</summary>
    private void StoreTo(int[] temps)
    {
        for (int i = 0; i < temps.Length; i++) stack.MarkStored(stack[temps.Length - 1 - i], temps[i]);
        if (AreHomes(temps))
        {
            StoreHome(temps);
            return;
        }
        stack.TakeHidden(temps.Length);
        for (int i = temps.Length - 1; i >= 0; i--) il.Stloc(temps[i]);
    }

    /// <summary>The same for homes.</summary>
    private void StoreHome(int[] temps)
    {
        stack.Flush();
        CopyHome(temps);
        for (int i = 0; i < temps.Length; i++) stack.Remove();
    }

    /// <summary>
    /// Copies the topmost operands, none of which is on the IL stack, to homes. A label is never higher than the operands that it takes: in
    /// ascending order none is overwritten before it has been read. Those that are there already are not moved.
    /// </summary>
    private void CopyHome(int[] temps)
    {
        for (int i = 0; i < temps.Length; i++)
        {
            ref Operand operand = ref stack[temps.Length - 1 - i];
            if (operand.Kind == OperandKind.FrameTemp && operand.Index == temps[i]) continue;
            stack.LoadAt(il.Tail, operand, hides: true);
            il.Stloc(temps[i]);
        }
    }

    private void PushTemps(ImmutableArray<ValType> types, int[] temps)
    {
        for (int i = 0; i < temps.Length; i++) stack.PushFrameTemp(types[i], temps[i]);
    }

    /// <summary>Pushes the results of a block that has ended; its temporaries are the operands' from now on, unless they are homes.</summary>
    private void PushResults(ImmutableArray<ValType> types, int[] temps)
    {
        if (AreHomes(temps)) PushTemps(types, temps);
        else for (int i = 0; i < temps.Length; i++) stack.PushTemp(types[i], temps[i]);
    }

    private void BeginBlock(OpId kind, ref CodeReader code, in Instr instr)
    {
        BlockType(ref code, instr, out ImmutableArray<ValType> start, out ImmutableArray<ValType> end);
        int condition = -1;
        if (kind == OpId.If)
        {
            Compare(stack[0]);
            stack.FlushBelow(1);
            if (start.Length > 0)
            {
                condition = stack.TakeTemp(typeof(int));
                stack.Take(1);
                il.Stloc(condition);
            }
            else
            {
                // Pending reads of locals are saved around the condition.
                SavePendingBelow();
            }
        }
        else
        {
            stack.FlushForBlock();
        }
        int[]? parameters = null;
        if (kind != OpId.Block && start.Length > 0)
        {
            stack.FlushForBlock();
            parameters = TakeTempsAt(stack.Count - start.Length, start);
            StoreTo(parameters);
            PushTemps(start, parameters);
        }
        if (kind == OpId.If && start.Length == 0) stack.Take(1);
        PushFrame(kind, start, end);
        ref Frame frame = ref frames[depth - 1];
        frame.ParamTemps = parameters;
        switch (kind)
        {
            case OpId.Loop:
                KeepAliveAt(il.Mark(frame.Label));
                if (instr.Offset == resumedLoop && current.Caller is null) NoteResume(frame.Label);
                LoopHead();
                break;
            case OpId.If:
                if (condition >= 0)
                {
                    il.Ldloc(condition);
                    stack.FreeTemp(condition);
                }
                EmitCondition();
                frame.ElseLabel = il.DefineLabel();
                il.Branch(OpCodes.Brfalse, frame.ElseLabel);
                break;
        }
    }

    /// <summary>Saves pending reads of locals below the condition, which may be on the IL stack.</summary>
    private void SavePendingBelow()
    {
        if (!stack.HasPending(keep: 1)) return;
        stack.SpillTop();
        stack.FlushForBlock();
    }

    private void SetUnreachable()
    {
        ref Frame frame = ref frames[depth - 1];
        frame.Unreachable = true;
        stack.Forget(frame.Height);
    }

    private void Else()
    {
        ref Frame frame = ref frames[depth - 1];
        if (!frame.Unreachable)
        {
            StoreTo(frame.ResultTemps ??= TakeTempsAt(frame.Height, frame.End));
            il.Branch(OpCodes.Br, frame.Label);
            frame.IsTargeted = true;
        }
        il.Mark(frame.ElseLabel);
        frame.ElseLabel = -1;
        frame.Kind = OpId.Else;
        frame.Arm = ++arms;
        frame.Unreachable = false;
        if (frame.ParamTemps is not null) PushTemps(frame.Start, frame.ParamTemps);
    }

    private void End()
    {
        if (frames[depth - 1].ElseLabel >= 0)
        {
            // An if without else passes its parameters on.
            Else();
        }
        ref Frame frame = ref frames[depth - 1];
        if (depth == current.FrameBase + 1)
        {
            if (depth == 1) EndFunction(ref frame);
            else EndInlined(ref frame);
            return;
        }
        if (frame.Kind is OpId.Try or OpId.TryTable)
        {
            EndTryTable(ref frame);
            return;
        }
        if (frame.Kind is OpId.Catch or OpId.CatchAll) EndCatch(ref frame);
        bool targeted = frame.IsTargeted && frame.Kind != OpId.Loop;
        bool reachable = !frame.Unreachable;
        if (targeted)
        {
            frame.ResultTemps ??= TakeTempsAt(frame.Height, frame.End);
            if (reachable) StoreTo(frame.ResultTemps);
            stack.Flush();
            il.Mark(frame.Label);
        }
        else if (reachable && frame.ParamTemps is not null && !AreHomes(frame.ParamTemps))
        {
            // Results may still be read from the parameters' temporaries, which end here.
            SaveFrameTemps(frame.Height);
        }
        int[]? results = targeted ? frame.ResultTemps : null;
        ImmutableArray<ValType> types = frame.End;
        if (frame.Kind == OpId.Loop) LoopEnd();
        FreeTemps(frame.ParamTemps);
        if (!targeted) FreeTemps(frame.ResultTemps);
        depth--;
        if (results is not null)
        {
            PushResults(types, results);
        }
        else if (!reachable && !targeted)
        {
            SetUnreachable();
        }
    }

    private void SaveFrameTemps(int height)
    {
        stack.Flush();
        for (int i = height; i < stack.Count; i++)
        {
            ref Operand operand = ref stack.At(i);
            if (operand.Kind != OperandKind.FrameTemp) continue;
            int temp = stack.TakeTemp(Signature.ClrType(operand.Type));
            il.Ldloc(operand.Index);
            il.Stloc(temp);
            operand = new Operand { Kind = OperandKind.Temp, Type = operand.Type, Index = temp, HasLoad = operand.HasLoad };
            stack.Shadows?.Keep(ref operand, il.Tail);
        }
    }

    private void EndFunction(ref Frame frame)
    {
        if (frame.IsTargeted)
        {
            if (!frame.Unreachable) StoreTo(frame.ResultTemps ??= TakeTempsAt(frame.Height, frame.End));
            il.Mark(frame.Label);
            foreach (int temp in frame.ResultTemps ?? []) il.Ldloc(temp);
            EmitReturn();
        }
        else if (!frame.Unreachable)
        {
            stack.Take(frame.End.Length);
            EmitReturn();
        }
        depth--;
    }

    /// <summary>Returns what is on the IL stack. The instance stays alive to the end: raw pointers into its memory were in use.</summary>
    private void EmitReturn()
    {
        ConstructResults();
        if (current.Use.UsesMemory)
        {
            LoadInstance();
            il.Call(Members.KeepAlive);
        }
        referenceKeepAlives.Add(il.Tail);
        il.Emit(OpCodes.Ret);
    }

    private void ConstructResults()
    {
        if (signature.ResultTypes.Length < 2) return;
        foreach (ConstructorInfo constructor in ValueConversion.Constructors(signature.Return)) il.Newobj(constructor);
    }

    private void Return()
    {
        int count = func.Func.Results.Length;
        KeepLoads(frames[current.FrameBase].Height, count);
        if (region > 0 || current.Caller is not null || count > MostOwnTemps)
        {
            // ret is not allowed here, or leaves too much, or takes many instructions.
            ref Frame whole = ref frames[current.FrameBase];
            StoreTo(LabelTemps(ref whole));
            stack.Unwind(frames[depth - 1].Height);
            Jump(whole);
            SetUnreachable();
            return;
        }
        stack.FlushBelow(count);
        stack.Take(count);
        EmitReturn();
        SetUnreachable();
    }

    private ref Frame Target(uint label) => ref frames[depth - 1 - (int)label];

    private static ImmutableArray<ValType> LabelTypes(in Frame frame) => frame.Kind == OpId.Loop ? frame.Start : frame.End;

    /// <summary>The temporaries in which a label takes its values.</summary>
    private int[] LabelTemps(ref Frame frame)
    {
        frame.IsTargeted = true;
        if (frame.Kind == OpId.Loop) return frame.ParamTemps ?? [];
        return frame.ResultTemps ??= TakeTempsAt(frame.Height, frame.End);
    }

    /// <summary>Goes to a label, out of protected regions if it must. Nothing may be on the IL stack.</summary>
    private void Jump(in Frame frame) => il.Branch(frame.Region == region ? OpCodes.Br : OpCodes.Leave, frame.Label);

    private void Br(uint label)
    {
        if (label == depth - 1 - current.FrameBase)
        {
            Return();
            return;
        }
        ref Frame frame = ref Target(label);
        KeepLoads(frame.Height, LabelTypes(frame).Length);
        StoreTo(LabelTemps(ref frame));
        stack.Unwind(frames[depth - 1].Height);
        Jump(frame);
        SetUnreachable();
    }

    private void BrIf(uint label)
    {
        ref Frame frame = ref Target(label);
        int arity = LabelTypes(frame).Length;
        Compare(stack[0]);
        KeepLoads(frame.Height, arity + 1);
        stack.FlushBelow(1);
        stack.Take(1);
        EmitCondition();
        if (arity == 0 && frame.Region == region)
        {
            LabelTemps(ref frame);
            il.Branch(OpCodes.Brtrue, frame.Label);
            return;
        }
        int skip = il.DefineLabel();
        il.Branch(OpCodes.Brfalse, skip);
        CopyToLabel(ref frame, arity);
        Jump(frame);
        il.Mark(skip);
    }

    /// <summary>Copies the topmost operands, none of which is on the IL stack, to a label's temporaries; they stay operands.</summary>
    private void CopyToLabel(ref Frame frame, int arity)
    {
        int[] temps = LabelTemps(ref frame);
        for (int i = 0; i < arity; i++) stack.MarkStored(stack[i], temps[arity - 1 - i]);
        if (AreHomes(temps))
        {
            CopyHome(temps);
            return;
        }
        for (int i = arity - 1; i >= 0; i--) stack.LoadAt(il.Tail, stack[i], hides: true);
        for (int i = temps.Length - 1; i >= 0; i--) il.Stloc(temps[i]);
    }

    private void BrTable(ref CodeReader code, in Instr instr)
    {
        ByteReader reader = code.List(instr);
        var labels = new uint[instr.ListCount + 1];
        for (int i = 0; i < labels.Length; i++) labels[i] = reader.U32();
        int arity = LabelTypes(Target(labels[^1])).Length;
        KeepLoads(labels.Min(label => Target(label).Height), arity + 1);
        stack.FlushBelow(1);
        stack.Take(1);
        // Where all take the values in the same places they are moved there once.
        bool areMoved = arity > MostOwnTemps && HaveSameHomes(labels);
        if (areMoved) CopyToLabel(ref Target(labels[0]), arity);
        var pads = new Dictionary<uint, int>();
        var arms = new int[labels.Length];
        for (int i = 0; i < labels.Length; i++)
        {
            ref Frame frame = ref Target(labels[i]);
            if ((areMoved || (arity == 0 && (labels[i] != depth - 1 || current.Caller is not null))) && frame.Region == region)
            {
                frame.IsTargeted = true;
                arms[i] = frame.Label;
            }
            else
            {
                if (!pads.TryGetValue(labels[i], out int pad)) pads[labels[i]] = pad = il.DefineLabel();
                arms[i] = pad;
            }
        }
        if (arms.Length > 1) il.Switch(arms[..^1]);
        else il.Emit(OpCodes.Pop);
        il.Branch(OpCodes.Br, arms[^1]);
        foreach ((uint label, int pad) in pads)
        {
            // A landing pad moves the values to where the label wants them.
            il.Mark(pad);
            ref Frame frame = ref Target(label);
            if (!areMoved) CopyToLabel(ref frame, arity);
            Jump(frame);
        }
        SetUnreachable();
    }

    private bool HaveSameHomes(uint[] labels)
    {
        int[] first = LabelTemps(ref Target(labels[0]));
        int height = Target(labels[0]).Height;
        foreach (uint label in labels.Distinct())
        {
            ref Frame frame = ref Target(label);
            if (frame.Height != height) return false;
            int[] temps = LabelTemps(ref frame);
            if (!ReferenceEquals(temps, first) && !temps.AsSpan().SequenceEqual(first)) return false;
        }
        return true;
    }

    private void BrOnNull(uint label, bool branchIfNot)
    {
        ValType type = stack[0].Type;
        stack.Flush();
        Operand value = stack[0];
        int temp = stack.TakeTemp(Signature.ClrType(type));
        stack.LoadAt(il.Tail, value);
        il.Stloc(temp);
        stack.Remove();
        ref Frame frame = ref Target(label);
        int arity = LabelTypes(frame).Length;
        int skip = il.DefineLabel();
        il.Ldloc(temp);
        il.Branch(branchIfNot ? OpCodes.Brfalse : OpCodes.Brtrue, skip);
        if (branchIfNot)
        {
            stack.PushFrameTemp(type, temp);
            CopyToLabel(ref frame, arity);
            stack.Remove();
            stack.FreeTemp(temp);
        }
        else
        {
            CopyToLabel(ref frame, arity);
        }
        Jump(frame);
        il.Mark(skip);
        if (!branchIfNot) stack.PushTemp(type, temp);
    }

    private void Select()
    {
        ValType type = stack[1].Type;
        Compare(stack[0]);
        stack.FlushBelow(1);
        Operand first = stack[2], second = stack[1];
        int result = stack.TakeTemp(Signature.ClrType(type));
        // The condition is on the IL stack, or will be; the first value goes to the result before it is tested.
        if (stack[0].Kind != OperandKind.Stack) stack.LoadAt(il.Tail, stack[0]);
        stack.LoadAt(il.Tail, first, hides: true);
        il.Stloc(result);
        int skip = il.DefineLabel();
        EmitCondition();
        il.Branch(OpCodes.Brtrue, skip);
        stack.LoadAt(il.Tail, second, hides: true);
        il.Stloc(result);
        il.Mark(skip);
        stack.Remove();
        stack.Remove();
        stack.Remove();
        stack.PushTemp(type, result);
    }
}
