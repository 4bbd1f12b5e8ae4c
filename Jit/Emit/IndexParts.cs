using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Emit;

/// <summary>
/// An index on the IL stack that is the sum of a number and a constant, where the number may be shifted to the left, and none of it wraps around. So it is the same sum with 64 bits: an
/// access adds the constant to its offset, and the shift can be part of the processor's address.
/// </summary>
/// <param name="Number">The position behind the number, in front of its shift; 0 if it is not shifted.</param>
/// <param name="Shift">By how much it is shifted.</param>
/// <param name="Sum">The position in front of the constant and the addition; 0 if there is none.</param>
/// <param name="Addend">The constant.</param>
internal readonly record struct IndexParts(int Number, int Shift, int Sum, uint Addend)
{
    /// <summary>An address has an index times 2, 4 or 8.</summary>
    private const uint MostShift = 3;

    /// <summary>The parts of an operator's result. Their positions are still to be put in.</summary>
    /// <param name="op">The operator, which has two operands of 32 bits.</param>
    /// <param name="left">Its first operand.</param>
    /// <param name="range">What that can be.</param>
    /// <param name="right">Its second operand.</param>
    internal static IndexParts Of(Operator op, in Operand left, ValueRange range, in Operand right)
    {
        if (right.Kind != OperandKind.Const) return default;
        uint constant = (uint)right.Bits;
        return op.Operation switch
        {
            Operation.Shl when constant is > 0 and <= MostShift && range.Max <= uint.MaxValue >> (int)constant => new IndexParts(Here, (int)constant, 0, 0),
            // A sum in the sum stays one of 32 bits.
            Operation.Add when constant > 0 && range.Max <= uint.MaxValue - constant =>
                left.Parts.Sum == 0 ? left.Parts with { Sum = Here, Addend = constant } : new IndexParts(0, 0, Here, constant),
            _ => default,
        };
    }

    /// <summary>Stands for a position that is not known yet.</summary>
    private const int Here = -1;

    /// <summary>The same with the position behind the first operand.</summary>
    internal IndexParts At(int position) => this with { Number = Number == Here ? position : Number, Sum = Sum == Here ? position : Sum };
}
