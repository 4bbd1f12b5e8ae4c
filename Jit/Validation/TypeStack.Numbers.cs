using System.Collections.Immutable;
using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Validation;

/// <summary>
/// The stacks where at most one number is on top of a block: what most code needs. Each method does the whole of its work or nothing, and says
/// which; then the general ones do it, and find what is wrong.
/// </summary>
internal sealed partial class TypeStack
{
    /// <summary>One type of each number. All blocks have these arrays or <see cref="ValTypes.None"/>, so that most frames need no write of a reference.</summary>
    private static readonly ImmutableArray<ValType>[] OneNumber = [[ValType.F64], [ValType.F32], [ValType.I64], [ValType.I32]];

    /// <summary>For code that goes through many numbers: the kinds of all operands, which end at <see cref="End"/>. Two can be read there always.</summary>
    internal ValKind[] Kinds => kinds;

    /// <summary>Where the next operand goes in <see cref="Kinds"/>.</summary>
    internal int End => height;

    /// <summary>Sets where the operands end, after changes of <see cref="Kinds"/>.</summary>
    internal void SetEnd(int value) => height = value;

    /// <summary>Opens a block without parameters, and with a number as its result or none.</summary>
    /// <param name="kind">The operator.</param>
    /// <param name="type">The byte of the block's type.</param>
    internal bool TryOpen(OpId kind, uint type)
    {
        ImmutableArray<ValType> end;
        if (type == Format.TypeByte.EmptyBlock) end = ValTypes.None;
        else if (type is >= Format.TypeByte.F64 and <= Format.TypeByte.I32) end = OneNumber[(int)type - Format.TypeByte.F64];
        else return false;
        if (depth == frames.Length) Array.Resize(ref frames, depth * 2);
        ref ValidationFrame frame = ref frames[depth++];
        frame.Kind = kind;
        if (frame.Start != ValTypes.None) frame.Start = ValTypes.None;
        if (frame.End != end) frame.End = end;
        frame.Height = height;
        frame.InitHeight = locals.Written;
        frame.Unreachable = false;
        frame.Table = 0;
        return true;
    }

    /// <summary>Whether exactly a block's results are there, none or a number.</summary>
    private bool HasResults(in ValidationFrame frame) => frame.End.Length switch
    {
        0 => height == frame.Height,
        1 => height == frame.Height + 1 && IsOnTop(frame.End[0].Kind),
        _ => false,
    };

    private bool IsOnTop(ValKind kind) => kinds[height - 1] == kind && kind != ValKind.Ref;

    /// <summary>Closes the innermost block, which is not the function's own.</summary>
    internal bool TryClose()
    {
        ref ValidationFrame frame = ref frames[depth - 1];
        if (depth == 1 || !HasResults(frame) || (frame.Kind == OpId.If && !(frame.Start.IsEmpty && frame.End.IsEmpty))) return false;
        if (locals.Written != frame.InitHeight) locals.Forget(frame.InitHeight);
        depth--;
        return true;
    }

    /// <summary>Goes on with the second half of a condition.</summary>
    internal bool TryElse()
    {
        ref ValidationFrame frame = ref frames[depth - 1];
        if (frame.Kind != OpId.If || !frame.Start.IsEmpty || !HasResults(frame)) return false;
        if (locals.Written != frame.InitHeight) locals.Forget(frame.InitHeight);
        height = frame.Height;
        frame.Kind = OpId.Else;
        frame.Unreachable = false;
        frame.Table = 0;
        return true;
    }

    /// <summary>Whether a branch to a label is valid that carries a number or nothing.</summary>
    internal bool CanBranch(uint label)
    {
        if (label >= (uint)depth) return false;
        ref ValidationFrame target = ref frames[depth - 1 - (int)label];
        return EndsWithNumber(target.Kind == OpId.Loop ? target.Start : target.End);
    }

    /// <summary>Whether there are no types, or the only one is the number on top.</summary>
    internal bool EndsWithNumber(ImmutableArray<ValType> types) =>
        types.Length == 0 || (types.Length == 1 && height > frames[depth - 1].Height && IsOnTop(types[0].Kind));

    /// <summary>A call that takes numbers and gives numbers.</summary>
    internal bool TryCall(FuncType type)
    {
        int top = height - type.Params.Length;
        if (top < frames[depth - 1].Height || top + type.Results.Length > kinds.Length) return false;
        for (int i = 0; i < type.Params.Length; i++)
            if (kinds[top + i] != type.Params[i].Kind || kinds[top + i] == ValKind.Ref) return false;
        foreach (ref readonly ValType result in type.Results.AsSpan())
            if (result.Kind == ValKind.Ref) return false;
        foreach (ref readonly ValType result in type.Results.AsSpan()) kinds[top++] = result.Kind;
        height = top;
        return true;
    }
}
