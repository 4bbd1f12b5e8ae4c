namespace WasmJit.Jit.Operators;

/// <summary>
/// What a plain operator computes, whatever the type of its operands, where the emitter must know it. In the table: <c>is:add</c>.
/// </summary>
internal enum Operation : byte
{
    None,
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    And,
    Or,
    Xor,
    Shl,
    ShrS,
    ShrU,
    Rotate,
    Compare,

    /// <summary>Changes the sign of a float and nothing else: a signalling NaN stays one.</summary>
    Sign,

    /// <summary>Takes the bits of a number for one of another type.</summary>
    Reinterpret,

    /// <summary>Looks at the low 8, 16 or 32 bits of an integer alone.</summary>
    Narrow8,
    Narrow16,
    Narrow32,
    Demote,
    Promote,
    Splat,
    ExtractLane,
    ReplaceLane,
}

/// <summary>The lanes as which an operator takes the bits of a vector. In the table: <c>lanes:i8x16</c>.</summary>
internal enum LaneShape : byte { None, I8x16, I16x8, I32x4, I64x2, F32x4, F64x2 }
