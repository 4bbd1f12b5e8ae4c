using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Validation;

/// <summary>An open block of the code that is validated.</summary>
internal struct ValidationFrame
{
    internal OpId Kind;
    internal ImmutableArray<ValType> Start;
    internal ImmutableArray<ValType> End;
    internal int Height;
    internal int InitHeight;
    internal bool Unreachable;

    /// <summary>The last <c>br_table</c> that has its label.</summary>
    internal int Table;

    internal readonly ImmutableArray<ValType> Label => Kind == OpId.Loop ? Start : End;
}

/// <summary>The types of operands, and the blocks that are open: the stacks of the algorithm in the specification's appendix.</summary>
internal sealed class TypeStack(LocalTypes locals, CodePosition position)
{
    private ValType[] operands = new ValType[16];
    private int height;
    private ValidationFrame[] frames = new ValidationFrame[4];

    private int depth;

    /// <summary>How many operands there are.</summary>
    internal int Height => height;

    /// <summary>How many blocks are open, the function's own included; none at its end.</summary>
    internal int Depth => depth;

    /// <summary>The innermost block.</summary>
    internal ref ValidationFrame Top => ref frames[depth - 1];

    /// <summary>The type of an operand, counted from the top. Where code is unreachable and there is none, it is the bottom type.</summary>
    internal ValType this[int fromTop]
    {
        get
        {
            int index = height - 1 - fromTop;
            if (index >= Top.Height) return operands[index];
            return Top.Unreachable ? ValType.Bottom : throw new InvalidOperationException("The operand is not there.");
        }
    }

    /// <summary>Forgets everything.</summary>
    internal void Clear() => height = depth = 0;

    // ---- operands ----

    internal void Push(ValType type)
    {
        if (height == operands.Length) Grow();
        ref ValType slot = ref operands[height++];
        // Mostly a number takes the place of one of the same type. A write costs what any write of a reference costs.
        if (type.Kind != slot.Kind || type.Kind == ValKind.Ref) slot = type;
    }

    /// <summary>Pushes an operand of a number type where one of the same type was before; whether that is so.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool TryPushNumber(ValKind kind)
    {
        int top = height;
        if ((uint)top >= (uint)operands.Length || operands[top].Kind != kind || kind is ValKind.Ref or ValKind.Bottom) return false;
        height = top + 1;
        return true;
    }

    private void Grow() => Array.Resize(ref operands, height * 2);

    internal void Push(ImmutableArray<ValType> types)
    {
        if (types.Length > 8)
        {
            while (height + types.Length > operands.Length) Array.Resize(ref operands, operands.Length * 2);
            types.CopyTo(operands, height);
            height += types.Length;
            return;
        }
        foreach (ValType type in types) Push(type);
    }

    /// <summary>Pops an operand of any type.</summary>
    internal ValType Pop()
    {
        ref ValidationFrame frame = ref frames[depth - 1];
        if (height == frame.Height)
            return frame.Unreachable ? ValType.Bottom : throw position.Error("type mismatch: an operand is missing");
        return operands[--height];
    }

    /// <summary>Pops an operand of a type.</summary>
    internal ValType Pop(ValType expected)
    {
        ref ValidationFrame frame = ref frames[depth - 1];
        if (height > frame.Height)
        {
            ref ValType actual = ref operands[height - 1];
            if (actual.Kind == expected.Kind && expected.Kind != ValKind.Ref)
            {
                height--;
                return expected;
            }
        }
        return PopOther(expected, frame.Height, frame.Unreachable);
    }

    private ValType PopOther(ValType expected, int bottom, bool isUnreachable)
    {
        if (height == bottom)
            return isUnreachable ? ValType.Bottom : throw position.Error($"type mismatch: instruction requires [{expected}] but stack has []");
        ValType actual = operands[--height];
        return Subtyping.IsSubtype(actual, expected) ? actual
            : throw position.Error($"type mismatch: instruction requires [{expected}] but stack has [{actual}]");
    }

    /// <summary>Pops an operand of a number type; whether it was one. Nothing is done where more has to be looked at.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool TryPopNumber(ValKind kind)
    {
        int top = height - 1;
        if (top < frames[depth - 1].Height || operands[top].Kind != kind || kind == ValKind.Ref) return false;
        height = top;
        return true;
    }

    internal void Pop(ImmutableArray<ValType> types)
    {
        if (types.Length > 8 && EndsWith(types.AsSpan())) height -= types.Length;
        else for (int i = types.Length - 1; i >= 0; i--) Pop(types[i]);
    }

    /// <summary>Whether exactly these types are on top: with a thousand of them and many blocks it pays to look first.</summary>
    private bool EndsWith(ReadOnlySpan<ValType> types)
    {
        if (height - frames[depth - 1].Height < types.Length) return false;
        ReadOnlySpan<ValType> top = operands.AsSpan(height - types.Length, types.Length);
        for (int i = 0; i < types.Length; i++)
            if (top[i].Kind != types[i].Kind || (types[i].IsRef && top[i] != types[i])) return false;
        return true;
    }

    /// <summary>Pops a reference of any type.</summary>
    internal ValType PopRef()
    {
        ValType type = Pop();
        return type.IsRef || type.Kind == ValKind.Bottom ? type : throw position.Error($"type mismatch: a reference was expected, not {type}");
    }

    // ---- blocks ----

    /// <summary>Opens a block whose parameters have been popped.</summary>
    internal void PushFrame(OpId kind, ImmutableArray<ValType> start, ImmutableArray<ValType> end)
    {
        if (depth == frames.Length) Array.Resize(ref frames, depth * 2);
        frames[depth++] = new ValidationFrame { Kind = kind, Start = start, End = end, Height = height, InitHeight = locals.Written };
        Push(start);
    }

    /// <summary>Closes the innermost block: exactly its results are there.</summary>
    internal ValidationFrame PopFrame()
    {
        ValidationFrame frame = frames[depth - 1];
        Pop(frame.End);
        if (height != frame.Height)
            throw position.Error($"type mismatch: block requires [{List(frame.End.AsSpan())}] but stack has [{List(operands.AsSpan(frame.Height..height))}]");
        locals.Forget(frame.InitHeight);
        depth--;
        return frame;
    }

    /// <summary>The topmost types; there can be millions.</summary>
    private static string List(ReadOnlySpan<ValType> types)
    {
        const int most = 20;
        string text = string.Join(' ', types[Math.Max(0, types.Length - most)..].ToArray());
        return types.Length > most ? $"... {text}" : text;
    }

    /// <summary>The code that follows is unreachable.</summary>
    internal void Unreachable()
    {
        ref ValidationFrame frame = ref frames[depth - 1];
        height = frame.Height;
        frame.Unreachable = true;
    }

    /// <summary>The block of a label.</summary>
    internal ref ValidationFrame Label(uint label)
    {
        if (label >= (uint)depth) throw position.Error($"unknown label {label}");
        return ref frames[depth - 1 - (int)label];
    }

    /// <summary>Types that stay on the stack when a conditional branch is not taken.</summary>
    internal void PopPush(ImmutableArray<ValType> types)
    {
        Pop(types);
        Push(types);
    }
}
