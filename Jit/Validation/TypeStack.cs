using System.Collections.Immutable;
using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Validation;

/// <summary>An open block of the code that is validated.</summary>
internal struct ValidationFrame
{
    internal OpId Kind;
    internal ImmutableArray<ValType> Start;
    internal ImmutableArray<ValType> End;

    /// <summary>Where its operands begin, see <see cref="TypeStack.End"/>.</summary>
    internal int Height;
    internal int InitHeight;
    internal bool Unreachable;

    /// <summary>The last <c>br_table</c> that has its label.</summary>
    internal int Table;

    internal readonly ImmutableArray<ValType> Label => Kind == OpId.Loop ? Start : End;
}

/// <summary>The types of operands, and the blocks that are open: the stacks of the algorithm in the specification's appendix.</summary>
internal sealed partial class TypeStack(LocalTypes locals, CodePosition position)
{
    /// <summary>What each operand is: enough for a number. A write of a byte costs less than one of a type.</summary>
    private ValKind[] kinds = new ValKind[32];

    /// <summary>The types of those that are references.</summary>
    private ValType[] references = new ValType[32];
    private int height = Floor;
    private ValidationFrame[] frames = new ValidationFrame[4];

    private int depth;

    /// <summary>Where the operands begin: two that belong to no block lie below them, so that the two topmost can always be read.</summary>
    internal const int Floor = 2;

    /// <summary>How many operands there are.</summary>
    internal int Height => height - Floor;

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
            if (index >= Top.Height) return TypeAt(index);
            return Top.Unreachable ? ValType.Bottom : throw new InvalidOperationException("The operand does not exist.");
        }
    }

    /// <summary>Forgets everything.</summary>
    internal void Clear()
    {
        height = Floor;
        depth = 0;
    }

    // ---- operands ----

    private ValType TypeAt(int index) => kinds[index] == ValKind.Ref ? references[index] : ValType.OfNumber(kinds[index]);

    internal void Push(ValType type)
    {
        if (height == kinds.Length) Grow(height + 1);
        kinds[height] = type.Kind;
        if (type.Kind == ValKind.Ref) references[height] = type;
        height++;
    }

    private void Grow(int atLeast)
    {
        int length = Math.Max(atLeast, kinds.Length * 2);
        Array.Resize(ref kinds, length);
        Array.Resize(ref references, length);
    }

    internal void Push(ImmutableArray<ValType> types)
    {
        if (height + types.Length > kinds.Length) Grow(height + types.Length);
        foreach (ref readonly ValType type in types.AsSpan()) Push(type);
    }

    /// <summary>Pops an operand of any type.</summary>
    internal ValType Pop()
    {
        ref ValidationFrame frame = ref frames[depth - 1];
        if (height == frame.Height)
            return frame.Unreachable ? ValType.Bottom : throw position.Error("type mismatch: an operand is missing");
        return TypeAt(--height);
    }

    /// <summary>Pops an operand of a type.</summary>
    internal ValType Pop(ValType expected)
    {
        ref ValidationFrame frame = ref frames[depth - 1];
        if (height > frame.Height && kinds[height - 1] == expected.Kind && expected.Kind != ValKind.Ref)
        {
            height--;
            return expected;
        }
        return PopOther(expected, frame.Height, frame.Unreachable);
    }

    private ValType PopOther(ValType expected, int bottom, bool isUnreachable)
    {
        if (height == bottom)
            return isUnreachable ? ValType.Bottom : throw position.Error($"type mismatch: instruction requires [{expected}] but stack has []");
        ValType actual = TypeAt(--height);
        return Subtyping.IsSubtype(actual, expected) ? actual
            : throw position.Error($"type mismatch: instruction requires [{expected}] but stack has [{actual}]");
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
        int first = height - types.Length;
        for (int i = 0; i < types.Length; i++)
            if (kinds[first + i] != types[i].Kind || (types[i].IsRef && references[first + i] != types[i])) return false;
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
            throw position.Error($"type mismatch: block requires [{List(frame.End.AsSpan())}] but stack has [{List(Operands(frame.Height))}]");
        locals.Forget(frame.InitHeight);
        depth--;
        return frame;
    }

    private ValType[] Operands(int from)
    {
        var types = new ValType[height - from];
        for (int i = 0; i < types.Length; i++) types[i] = TypeAt(from + i);
        return types;
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
