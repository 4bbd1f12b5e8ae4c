using System.Collections.Immutable;
using WasmJit.Jit.Format;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>A clause of <c>try_table</c>; the frame of its label counted from the function's.</summary>
internal readonly record struct CatchClause(bool IsAll, bool WithRef, uint Tag, int Frame)
{
    /// <summary>The clauses of an operator that has just been read.</summary>
    /// <param name="code">The code.</param>
    /// <param name="instr">The operator.</param>
    /// <param name="depth">How many blocks are open around its own.</param>
    internal static CatchClause[] ListOf(in CodeReader code, in Instr instr, int depth)
    {
        ByteReader list = code.List(instr);
        var clauses = new CatchClause[instr.ListCount];
        for (int i = 0; i < clauses.Length; i++)
        {
            CodeReader.ReadCatch(ref list, out byte kind, out uint tag, out uint label);
            clauses[i] = new CatchClause(kind >= CatchByte.CatchAll, kind is CatchByte.CatchRef or CatchByte.CatchAllRef, tag, depth - 1 - (int)label);
        }
        return clauses;
    }
}

/// <summary>An open block of the code being emitted.</summary>
internal struct ControlFrame
{
    internal OpId Kind;
    internal ImmutableArray<ValType> Start;
    internal ImmutableArray<ValType> End;
    internal int Label;
    internal int ElseLabel;
    internal int Height;
    internal bool Unreachable;
    internal int[]? ParamTemps;
    internal int[]? ResultTemps;

    /// <summary>For a loop of interruptible code what it must poll for.</summary>
    internal PolledLoop? Polled;

    /// <summary>Whether control goes to its label from anywhere.</summary>
    internal bool IsTargeted { get; private set; }

    /// <summary>What is known at the label, and where the second arm of a conditional begins.</summary>
    internal KnownIndexes.Fact[]? KnownAtLabel { get; private set; }
    internal KnownIndexes.Fact[]? KnownAtElse;

    /// <summary>Control goes from here to the label.</summary>
    internal void Target(KnownIndexes known)
    {
        IsTargeted = true;
        if (Kind != OpId.Loop) KnownAtLabel = known.Meet(KnownAtLabel);
    }

    /// <summary>A number that no other frame has, nor another arm of the same.</summary>
    internal int Arm;

    /// <summary>How many protected regions the label is in.</summary>
    internal int Region;

    /// <summary>For a try where its handlers begin, and the temporary with the exception; for a catch the temporary alone.</summary>
    internal int Dispatch;
    internal int Exception;

    /// <summary>For a try the exception in its filter, and where the filter is, for clauses that come later.</summary>
    internal int Filtered;
    internal int FilterEnd;

    /// <summary>For a try the result of <see cref="Unwinder.AddRegion"/>.</summary>
    internal nint Cell;

    /// <summary>For a <c>try_table</c> its clauses. Those of a <c>try</c> come with its handlers.</summary>
    internal CatchClause[]? Clauses;

    /// <summary>The types of the values that the label takes.</summary>
    internal readonly ImmutableArray<ValType> LabelTypes => Kind == OpId.Loop ? Start : End;

    /// <summary>Whether exceptions of the code in it come to it.</summary>
    internal readonly bool IsHandler => Kind == OpId.Try || (Kind == OpId.TryTable && Clauses!.Length > 0);
}

/// <summary>The blocks that are open where code is being emitted, those of functions around one that is put into them included.</summary>
internal sealed class ControlStack(IlBuffer il, OperandStack stack)
{
    private ControlFrame[] frames = new ControlFrame[4];
    private int arms;

    /// <summary>How many frames there are.</summary>
    internal int Depth { get; private set; }

    /// <summary>How many protected regions the code being emitted is in.</summary>
    internal int Region { get; set; }

    /// <summary>How many frames are loops.</summary>
    internal int Loops { get; private set; }

    /// <summary>The innermost frame.</summary>
    internal ref ControlFrame Top => ref frames[Depth - 1];

    /// <summary>A frame, counted from the function's.</summary>
    internal ref ControlFrame this[int index] => ref frames[index];

    /// <summary>The frame of a label, counted from the innermost.</summary>
    internal ref ControlFrame Target(uint label) => ref frames[Depth - 1 - (int)label];

    /// <summary>Opens a block whose parameters are the topmost operands.</summary>
    internal void Push(OpId kind, ImmutableArray<ValType> start, ImmutableArray<ValType> end)
    {
        if (Depth == frames.Length) Array.Resize(ref frames, Depth * 2);
        if (kind == OpId.Loop) Loops++;
        frames[Depth++] = new ControlFrame
        {
            Kind = kind,
            Start = start,
            End = end,
            Label = il.DefineLabel(),
            ElseLabel = -1,
            Height = stack.Count - start.Length,
            Region = Region,
            Arm = NewArm(),
        };
    }

    /// <summary>Closes the innermost block.</summary>
    internal void Pop()
    {
        if (frames[--Depth].Kind == OpId.Loop) Loops--;
    }

    /// <summary>A number for a frame or another arm of it.</summary>
    internal int NewArm() => ++arms;

    /// <summary>Whether an arm is still open, given its number and the frame's, counted from 1.</summary>
    internal bool IsOpen(int depth, int arm) => depth <= Depth && frames[depth - 1].Arm == arm;
}
