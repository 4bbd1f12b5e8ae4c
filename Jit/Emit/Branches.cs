using System.Collections.Immutable;
using System.Reflection.Emit;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Format;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Emit;

/// <summary>Labels take their values in temporaries, so that no label finds operands on the IL stack.</summary>
internal sealed class Branches(EmitterContext context, ControlStack control)
{
    private readonly IlBuffer il = context.Il;
    private readonly OperandStack stack = context.Stack;
    private LabelHomes? homes;

    /// <summary>The parameters and results of a block.</summary>
    internal void BlockType(ref CodeReader code, in Instr instr, out ImmutableArray<ValType> start, out ImmutableArray<ValType> end)
    {
        start = end = [];
        if (instr.BlockForm == BlockTypeForm.Value)
        {
            ByteReader reader = code.Types(instr);
            end = [new TypeDecoder(context.Module).ReadValType(ref reader)];
        }
        else if (instr.BlockForm == BlockTypeForm.Index)
        {
            var type = (FuncType)context.Module.Types[(int)instr.BlockIndex].Composite;
            start = type.Params;
            end = type.Results;
        }
    }

    /// <summary>Takes a temporary for each value.</summary>
    internal int[] TakeTemps(ImmutableArray<ValType> types)
    {
        var temps = new int[types.Length];
        for (int i = 0; i < temps.Length; i++) temps[i] = stack.TakeTemp(Signature.ClrType(types[i]));
        return temps;
    }

    /// <summary>The temporaries of a label whose values begin at a height.</summary>
    internal int[] TakeTempsAt(int height, ImmutableArray<ValType> types) =>
        types.Length > LabelHomes.MostOwnTemps ? (homes ??= new LabelHomes(il)).Of(height, types) : TakeTemps(types);

    /// <summary>The temporaries of a label that has ended are free, unless they are homes.</summary>
    internal void FreeTemps(int[]? temps)
    {
        if (temps is null || LabelHomes.Are(temps)) return;
        foreach (int temp in temps) stack.FreeTemp(temp);
    }

    /// <summary>Moves the topmost operands into temporaries and forgets them.</summary>
    internal void MoveTo(int[] temps)
    {
        for (int i = 0; i < temps.Length; i++) stack.MarkStored(stack[temps.Length - 1 - i], temps[i]);
        if (LabelHomes.Are(temps))
        {
            stack.Flush();
            CopyHome(temps);
            for (int i = 0; i < temps.Length; i++) stack.Remove();
            return;
        }
        stack.TakeHidden(temps.Length);
        for (int i = temps.Length - 1; i >= 0; i--) il.Stloc(temps[i]);
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

    /// <summary>Makes temporaries of a frame operands.</summary>
    internal void PushTemps(ImmutableArray<ValType> types, int[] temps)
    {
        for (int i = 0; i < temps.Length; i++) stack.PushFrameTemp(types[i], temps[i]);
    }

    /// <summary>Pushes the results of a block that has ended. Its temporaries now belong to the operands, unless they are homes.</summary>
    internal void PushResults(ImmutableArray<ValType> types, int[] temps)
    {
        if (LabelHomes.Are(temps)) PushTemps(types, temps);
        else for (int i = 0; i < temps.Length; i++) stack.PushTemp(types[i], temps[i]);
    }

    /// <summary>The temporaries in which a label takes its values.</summary>
    internal int[] LabelTemps(ref ControlFrame frame)
    {
        frame.Target(context.Known);
        if (frame.Kind == OpId.Loop) return frame.ParamTemps ?? [];
        return frame.ResultTemps ??= TakeTempsAt(frame.Height, frame.End);
    }

    /// <summary>Copies the topmost operands, none of which is on the IL stack, to a label's temporaries; they stay operands.</summary>
    internal void CopyToLabel(ref ControlFrame frame, int arity)
    {
        int[] temps = LabelTemps(ref frame);
        for (int i = 0; i < arity; i++) stack.MarkStored(stack[i], temps[arity - 1 - i]);
        if (LabelHomes.Are(temps))
        {
            CopyHome(temps);
            return;
        }
        for (int i = arity - 1; i >= 0; i--) stack.LoadAt(il.Tail, stack[i], hides: true);
        for (int i = temps.Length - 1; i >= 0; i--) il.Stloc(temps[i]);
    }

    /// <summary>Whether several labels take their values in the same places.</summary>
    internal bool HaveSameHomes(uint[] labels)
    {
        int[] first = LabelTemps(ref control.Target(labels[0]));
        int height = control.Target(labels[0]).Height;
        foreach (uint label in labels.Distinct())
        {
            ref ControlFrame frame = ref control.Target(label);
            if (frame.Height != height) return false;
            int[] temps = LabelTemps(ref frame);
            if (!ReferenceEquals(temps, first) && !temps.AsSpan().SequenceEqual(first)) return false;
        }
        return true;
    }

    /// <summary>Goes to a label, out of protected regions if it must. Nothing may be on the IL stack.</summary>
    internal void Jump(in ControlFrame frame)
    {
        frame.Polled?.NoteBranch(frame.Region == control.Region ? il.Tail : -1);
        Jump(frame.Label, frame.Region);
    }

    /// <summary>The same to a position that is in so many protected regions.</summary>
    internal void Jump(int label, int region) => il.Branch(region == control.Region ? OpCodes.Br : OpCodes.Leave, label);

    /// <summary>What follows is unreachable.</summary>
    internal void SetUnreachable()
    {
        ref ControlFrame frame = ref control.Top;
        frame.Unreachable = true;
        stack.Forget(frame.Height);
    }
}
