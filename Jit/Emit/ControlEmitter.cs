using System.Collections.Immutable;
using System.Numerics;
using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Format;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Emit;

/// <summary>Structured control (spec 4.6.8): blocks, branches and returns.</summary>
internal sealed class ControlEmitter(EmitterContext context, ControlStack control, Branches branches, ExceptionEmitter exceptions, FuelAndPolls limits, LoadedValues loadedValues,
    Rotations rotations, Assertions assertions, ResumePoint resume)
{
    private readonly IlBuffer il = context.Il;
    private readonly OperandStack stack = context.Stack;

    /// <summary>Opens a block, loop or conditional.</summary>
    internal void BeginBlock(OpId kind, ref CodeReader code, in Instr instr)
    {
        branches.BlockType(ref code, instr, out ImmutableArray<ValType> start, out ImmutableArray<ValType> end);
        int condition = -1;
        OperandTest test = default;
        if (kind == OpId.If)
        {
            test = context.Known.TestOf(stack[0]);
            rotations.BeforeTest(stack[0]);
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
            parameters = branches.TakeTempsAt(stack.Count - start.Length, start);
            branches.MoveTo(parameters);
            branches.PushTemps(start, parameters);
        }
        if (kind == OpId.If && start.Length == 0) stack.Take(1);
        control.Push(kind, start, end);
        ref ControlFrame frame = ref control.Top;
        frame.ParamTemps = parameters;
        switch (kind)
        {
            case OpId.Loop:
                int before = il.Tail;
                context.KeepInstancesAliveAt(il.Mark(frame.Label));
                bool mayLeave = resume.Is(instr.Offset, context.Current) && resume.Note(frame.Label);
                frame.Polled = limits.LoopHead(instr.Offset, frame.Label, before, context.Known.EnterLoop(instr.Offset));
                if (mayLeave) context.NoteEnd();
                break;
            case OpId.If:
                if (condition >= 0)
                {
                    il.Ldloc(condition);
                    stack.FreeTemp(condition);
                }
                assertions.Condition();
                frame.ElseLabel = il.DefineLabel();
                frame.KnownAtElse = context.Known.HereUnless(test);
                context.Known.Assume(test, holds: true);
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

    /// <summary>The second arm of a conditional.</summary>
    internal void Else()
    {
        ref ControlFrame frame = ref control.Top;
        if (!frame.Unreachable)
        {
            branches.MoveTo(frame.ResultTemps ??= branches.TakeTempsAt(frame.Height, frame.End));
            il.Branch(OpCodes.Br, frame.Label);
            frame.Target(context.Known);
        }
        il.Mark(frame.ElseLabel);
        context.Known.GoOnWith(frame.KnownAtElse);
        frame.ElseLabel = -1;
        frame.Kind = OpId.Else;
        frame.Arm = control.NewArm();
        frame.Unreachable = false;
        if (frame.ParamTemps is not null) branches.PushTemps(frame.Start, frame.ParamTemps);
    }

    /// <summary>The end of a block that is not a function.</summary>
    internal void End()
    {
        if (control.Top.ElseLabel >= 0)
        {
            // An if without else passes its parameters on.
            Else();
        }
        ref ControlFrame frame = ref control.Top;
        if (frame.Kind is OpId.Try or OpId.TryTable)
        {
            exceptions.EndTryTable(ref frame);
            return;
        }
        if (frame.Kind is OpId.Catch or OpId.CatchAll) exceptions.EndCatch(ref frame);
        bool targeted = frame.IsTargeted && frame.Kind != OpId.Loop;
        bool reachable = !frame.Unreachable;
        if (targeted)
        {
            frame.ResultTemps ??= branches.TakeTempsAt(frame.Height, frame.End);
            if (reachable) branches.MoveTo(frame.ResultTemps);
            stack.Flush();
            if (reachable) frame.Target(context.Known);
            il.Mark(frame.Label);
            context.Known.GoOnWith(frame.KnownAtLabel);
        }
        else if (reachable && frame.ParamTemps is not null && !LabelHomes.Are(frame.ParamTemps))
        {
            // Results may still be read from the parameters' temporaries, which end here.
            SaveFrameTemps(frame.Height);
        }
        int[]? results = targeted ? frame.ResultTemps : null;
        ImmutableArray<ValType> types = frame.End;
        if (frame.Kind == OpId.Loop) limits.LoopEnd();
        branches.FreeTemps(frame.ParamTemps);
        if (!targeted) branches.FreeTemps(frame.ResultTemps);
        control.Pop();
        if (results is not null)
        {
            branches.PushResults(types, results);
        }
        else if (!reachable && !targeted)
        {
            branches.SetUnreachable();
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

    /// <summary>The end of the function that is compiled.</summary>
    internal void EndFunction()
    {
        ref ControlFrame frame = ref control.Top;
        if (frame.IsTargeted)
        {
            if (!frame.Unreachable) branches.MoveTo(frame.ResultTemps ??= branches.TakeTempsAt(frame.Height, frame.End));
            il.Mark(frame.Label);
            foreach (int temp in frame.ResultTemps ?? []) il.Ldloc(temp);
            EmitReturn();
        }
        else if (!frame.Unreachable)
        {
            stack.Take(frame.End.Length);
            EmitReturn();
        }
        control.Pop();
    }

    /// <summary>Returns what is on the IL stack. The instance stays alive to the end: raw pointers into its memory were in use.</summary>
    private void EmitReturn()
    {
        ConstructResults();
        if (context.Current.Use.UsesMemory)
        {
            context.LoadInstance();
            il.Call(Members.KeepAlive);
        }
        context.WaysOut.Add(il.Tail);
        il.Emit(OpCodes.Ret);
    }

    private void ConstructResults()
    {
        if (context.Signature.ResultTypes.Length < 2) return;
        foreach (ConstructorInfo constructor in ValueConversion.Constructors(context.Signature.Return)) il.Newobj(constructor);
    }

    internal void Return()
    {
        int count = context.Func.Func.Results.Length;
        loadedValues.KeepLoads(control[context.Current.FrameBase].Height, count);
        if (control.Region > 0 || context.Current.Caller is not null || count > LabelHomes.MostOwnTemps)
        {
            // ret is not allowed here, or leaves too much, or takes many instructions.
            ref ControlFrame whole = ref control[context.Current.FrameBase];
            branches.MoveTo(branches.LabelTemps(ref whole));
            stack.Unwind(control.Top.Height);
            branches.Jump(whole);
            branches.SetUnreachable();
            return;
        }
        stack.FlushBelow(count);
        stack.Take(count);
        EmitReturn();
        branches.SetUnreachable();
    }

    internal void Br(uint label)
    {
        if (label == control.Depth - 1 - context.Current.FrameBase)
        {
            Return();
            return;
        }
        ref ControlFrame frame = ref control.Target(label);
        loadedValues.KeepLoads(frame.Height, frame.LabelTypes.Length);
        branches.MoveTo(branches.LabelTemps(ref frame));
        stack.Unwind(control.Top.Height);
        branches.Jump(frame);
        branches.SetUnreachable();
    }

    /// <summary>
    /// A short loop that polls is emitted several times, so that it polls once for all: here it goes on with a copy of its code, if the condition holds, and is left otherwise.
    /// </summary>
    /// <returns>Whether it does so. Then the code is read from the loop's beginning again.</returns>
    internal bool TryRepeat(uint label, ref CodeReader code)
    {
        ref ControlFrame frame = ref control.Top;
        if (label != 0 || frame.Polled is not { Copies: > 0 } loop || frame.Start.Length > 0 || stack.Count != frame.Height + 1) return false;
        loop.Copies--;
        if (loop.Exit < 0) loop.Exit = il.DefineLabel();
        OperandTest test = context.Known.TestOf(stack[0]);
        rotations.BeforeTest(stack[0]);
        loadedValues.KeepLoads(frame.Height, 1);
        stack.Take(1);
        assertions.Condition();
        il.Branch(OpCodes.Brfalse, loop.Exit);
        KnownIndexes.Fact[] here = context.Known.Here;
        context.Known.Assume(test, holds: false);
        loop.KnownAtExit = context.Known.Meet(loop.KnownAtExit);
        context.Known.GoOnWith(here);
        context.Known.Assume(test, holds: true);
        code = new CodeReader(context.Module.Bytes.Span, loop.Body, context.Func.BodyEnd);
        return true;
    }

    internal void BrIf(uint label)
    {
        ref ControlFrame frame = ref control.Target(label);
        int arity = frame.LabelTypes.Length;
        OperandTest test = context.Known.TestOf(stack[0]);
        rotations.BeforeTest(stack[0]);
        loadedValues.KeepLoads(frame.Height, arity + 1);
        stack.FlushBelow(1);
        stack.Take(1);
        assertions.Condition();
        if (arity == 0 && frame.Region == control.Region)
        {
            branches.LabelTemps(ref frame);
            if (frame.Polled is { HasOneBranch: true })
            {
                // What the loop does before it goes on is put here when that is known.
                int over = il.DefineLabel();
                il.Branch(OpCodes.Brfalse, over);
                branches.Jump(frame);
                il.Mark(over);
            }
            else
            {
                frame.Polled?.NoteBranch(-1);
                il.Branch(OpCodes.Brtrue, frame.Label);
            }
            context.Known.Assume(test, holds: false);
            if (frame.Polled is { Exit: >= 0 } loop)
            {
                il.Mark(loop.Exit);
                context.Known.GoOnWith(context.Known.Meet(loop.KnownAtExit));
            }
            return;
        }
        int skip = il.DefineLabel();
        il.Branch(OpCodes.Brfalse, skip);
        branches.CopyToLabel(ref frame, arity);
        branches.Jump(frame);
        il.Mark(skip);
        context.Known.Assume(test, holds: false);
    }

    internal void BrTable(ref CodeReader code, in Instr instr)
    {
        ByteReader reader = code.List(instr);
        var labels = new uint[instr.ListCount + 1];
        for (int i = 0; i < labels.Length; i++) labels[i] = reader.U32();
        int arity = control.Target(labels[^1]).LabelTypes.Length;
        loadedValues.KeepLoads(labels.Min(label => control.Target(label).Height), arity + 1);
        stack.FlushBelow(1);
        stack.Take(1);
        // Where all take the values in the same places they are moved there once.
        bool areMoved = arity > LabelHomes.MostOwnTemps && branches.HaveSameHomes(labels);
        if (areMoved) branches.CopyToLabel(ref control.Target(labels[0]), arity);
        var pads = new Dictionary<uint, int>();
        var arms = new int[labels.Length];
        for (int i = 0; i < labels.Length; i++)
        {
            ref ControlFrame frame = ref control.Target(labels[i]);
            if ((areMoved || (arity == 0 && (labels[i] != control.Depth - 1 || context.Current.Caller is not null))) && frame.Region == control.Region)
            {
                frame.Target(context.Known);
                frame.Polled?.NoteBranch(-1);
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
            ref ControlFrame frame = ref control.Target(label);
            if (!areMoved) branches.CopyToLabel(ref frame, arity);
            branches.Jump(frame);
        }
        branches.SetUnreachable();
    }

    internal void BrOnNull(uint label, bool branchIfNot)
    {
        ValType type = stack[0].Type;
        stack.Flush();
        Operand value = stack[0];
        int temp = stack.TakeTemp(Signature.ClrType(type));
        stack.LoadAt(il.Tail, value);
        il.Stloc(temp);
        stack.Remove();
        ref ControlFrame frame = ref control.Target(label);
        int arity = frame.LabelTypes.Length;
        int skip = il.DefineLabel();
        il.Ldloc(temp);
        il.Branch(branchIfNot ? OpCodes.Brfalse : OpCodes.Brtrue, skip);
        if (branchIfNot)
        {
            stack.PushFrameTemp(type, temp);
            branches.CopyToLabel(ref frame, arity);
            stack.Remove();
            stack.FreeTemp(temp);
        }
        else
        {
            branches.CopyToLabel(ref frame, arity);
        }
        branches.Jump(frame);
        il.Mark(skip);
        if (!branchIfNot) stack.PushTemp(type, temp);
    }

    internal void Select()
    {
        ValType type = stack[1].Type;
        rotations.BeforeTest(stack[0]);
        // RyuJIT makes a conditional move of a branch over a move, but not in loops.
        if (control.Loops > 0 && type.Kind is ValKind.I32 or ValKind.I64 && stack[0].Kind != OperandKind.Const)
        {
            SelectByMask(type);
            return;
        }
        stack.FlushBelow(1);
        Operand first = stack[2], second = stack[1];
        int result = stack.TakeTemp(Signature.ClrType(type));
        // The condition is on the IL stack, or will be; the first value goes to the result before it is tested.
        if (stack[0].Kind != OperandKind.Stack) stack.LoadAt(il.Tail, stack[0]);
        stack.LoadAt(il.Tail, first, hides: true);
        il.Stloc(result);
        int skip = il.DefineLabel();
        assertions.Condition();
        il.Branch(OpCodes.Brtrue, skip);
        stack.LoadAt(il.Tail, second, hides: true);
        il.Stloc(result);
        il.Mark(skip);
        stack.Remove();
        stack.Remove();
        stack.Remove();
        stack.PushTemp(type, result);
    }

    /// <summary>
    /// Selects one of two integers without a branch: <c>(first &amp; mask) | (second &amp; ~mask)</c>. Compilers write a selection where a branch would often be predicted wrongly.
    /// </summary>
    private void SelectByMask(ValType type)
    {
        bool isOnStack = stack[0].Kind == OperandKind.Stack, isLoaded = stack[0].HasLoad || stack[1].HasLoad || stack[2].HasLoad;
        if (isOnStack)
        {
            // The mask is made before the condition and the values go to temporaries.
            EmitMask(stack[0]);
            stack[0] = new Operand { Kind = OperandKind.Stack, Type = ValType.I32, Start = stack[0].Start, Depth = stack[0].Depth + 1, HasLoad = stack[0].HasLoad };
        }
        stack.FlushBelow(1);
        Operand first = stack[2], second = stack[1], condition = stack[0];
        int start = condition.Kind == OperandKind.Stack ? condition.Start : il.Tail;
        if (condition.Kind != OperandKind.Stack) stack.LoadAt(il.Tail, condition);
        if (!isOnStack) EmitMask(condition);
        if (type.Kind == ValKind.I64) il.Emit(OpCodes.Conv_I8);
        int mask = stack.TakeTemp(Signature.ClrType(type));
        il.Stloc(mask);
        stack.LoadAt(il.Tail, first);
        il.Ldloc(mask);
        il.Emit(OpCodes.And);
        if (!(second.Kind == OperandKind.Const && second.Bits == 0))
        {
            stack.LoadAt(il.Tail, second);
            il.Ldloc(mask);
            il.Emit(OpCodes.Not);
            il.Emit(OpCodes.And);
            il.Emit(OpCodes.Or);
        }
        stack.FreeTemp(mask);
        for (int i = 0; i < 3; i++) stack.Remove();
        stack.PushStack(type, start, depth: 4, isLoaded);
    }

    /// <summary>Makes a mask of the condition on the IL stack: 32 ones if it holds, otherwise zeros.</summary>
    private void EmitMask(in Operand condition)
    {
        assertions.Condition();
        bool isAsserted = context.Target.Verifies;
        if (!isAsserted && condition.IsOneBit && il[condition.Bit] is { Form: IlBuffer.Form.Int } bit && bit.Next == il.Tail && il[il.Tail].Op == IlOp.And)
        {
            // The bit becomes the sign at once, and all bits then.
            il.Repatch(condition.Bit, BitOperations.LeadingZeroCount((uint)bit.Number));
            il.Replace(il.Tail, OpCodes.Shl);
            il.LdcI4(31);
            il.Emit(OpCodes.Shr);
            return;
        }
        if (!isAsserted && !condition.IsOneBit && context.Known.RangeOf(condition).Max > 1)
        {
            il.LdcI4(0);
            il.Emit(OpCodes.Cgt_Un);
        }
        il.Emit(OpCodes.Neg);
        if (isAsserted || !condition.IsOneBit) return;
        // The negative of a single bit has ones from that bit on, its sign among them.
        il.LdcI4(31);
        il.Emit(OpCodes.Shr);
    }

    /// <summary>Traps here; what follows is unreachable. RyuJIT makes one of equal calls, so the call says which operator it is for.</summary>
    internal void EmitUnreachable(int offset)
    {
        loadedValues.KeepLoads(0, 0);
        context.KeepInstancesAliveAt(il.Tail);
        il.LdcI4(offset);
        il.Call(Members.MakeUnreachable);
        il.Emit(OpCodes.Throw);
        branches.SetUnreachable();
    }
}
