using WasmJit.Jit.Calls;

namespace WasmJit.Jit.Emit;

/// <summary>Where an operand of the wasm stack is while a function is emitted.</summary>
internal enum OperandKind : byte
{
    /// <summary>On the IL stack.</summary>
    Stack,

    /// <summary>In a temporary, which is free again when the operand is used.</summary>
    Temp,

    /// <summary>In a temporary that belongs to a control frame.</summary>
    FrameTemp,

    /// <summary>A <c>local.get</c> not yet emitted; a write to the local makes it a temporary.</summary>
    Local,

    /// <summary>A constant not yet emitted.</summary>
    Const,
}

/// <summary>The value of a local and a constant, added. See <see cref="KnownIndexes"/>.</summary>
/// <param name="Place">The place of the local.</param>
/// <param name="Addend">The constant.</param>
/// <param name="Writes">How many writes of locals there were when the local was read, and one; 0 if the operand is no such sum.</param>
internal readonly record struct OperandSum(int Place, ulong Addend, int Writes);

internal struct Operand
{
    internal OperandKind Kind;

    /// <summary>
    /// The CLR type that holds it; for references <c>funcref</c> or <c>anyref</c>, whatever they refer to. <see cref="ProvenTypes"/> knows more, so
    /// that no check is left out because of what the emitter believes.
    /// </summary>
    internal ValType Type
    {
        readonly get;
        set => field = !value.IsRef ? value : Signature.IsFunc(value) ? ValType.FuncRef : AnyRef;
    }

    private static readonly ValType AnyRef = ValType.Ref(HeapType.Any, true);

    /// <summary>The temporary, or the place of a wasm local.</summary>
    internal int Index;

    /// <summary>A constant's bits; the low half of a vector.</summary>
    internal ulong Bits;

    /// <summary>The high half of a vector.</summary>
    internal ulong High;

    /// <summary>Whether the JIT must not know the constant.</summary>
    internal bool IsOpaque;

    /// <summary>For an operand on the IL stack the instruction before its first.</summary>
    internal int Start;

    /// <summary>The depth of its expression tree.</summary>
    internal int Depth;

    /// <summary>The width in bytes if it is what a load gave; narrowing it must not narrow the load.</summary>
    internal byte LoadWidth;

    /// <summary>The call that makes it if it is a rotated number, otherwise 0.</summary>
    internal int Rotation;

    /// <summary>Whether it is an f32 just promoted: demoting it again must still make a NaN quiet.</summary>
    internal bool IsPromoted;

    /// <summary>In verifying mode the IL local with the value that it had when it came to be, plus one; 0 for none.</summary>
    internal int Shadow;

    /// <summary>
    /// For a float on the IL stack whether RyuJIT may know the number, because it is computed from constants. See
    /// <see cref="OperandStack.HideKnown"/>.
    /// </summary>
    internal bool MayBeKnown;

    /// <summary>For a float on the IL stack whether arithmetic gave it, so that it is not a signalling NaN.</summary>
    internal bool IsQuiet;

    /// <summary>What an integer on the IL stack or in a temporary can be; the default if that is not known.</summary>
    internal ValueRange Range;

    /// <summary>Of an integer on the IL stack: the comparison that gave it.</summary>
    internal OperandTest Test;

    /// <summary>Of an integer on the IL stack: the sum that it is.</summary>
    internal OperandSum Sum;

    /// <summary>Of an i32 on the IL stack: how an access may use it as its index.</summary>
    internal IndexParts Parts;

    /// <summary>Whether an integer on the IL stack has one bit at most that may be set, always the same.</summary>
    internal bool IsOneBit;

    /// <summary>Of such an operand the instruction with the bit, in front of the operator.</summary>
    internal int Bit;

    /// <summary>Whether a load is part of the expression: it must trap even if the value is not read.</summary>
    internal bool HasLoad;
}
