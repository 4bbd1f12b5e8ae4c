using System.Numerics;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>The least and the most that an integer can be, as an unsigned number of its type.</summary>
internal readonly record struct ValueRange(ulong Min, ulong Max)
{
    /// <summary>Anything.</summary>
    internal static ValueRange All(ValType type) => new(0, AllOf(type));

    private static ulong AllOf(ValType type) => type == ValType.I32 ? uint.MaxValue : ulong.MaxValue;

    /// <summary>What an operation makes of numbers in two ranges.</summary>
    internal static ValueRange Of(Operation operation, ValType type, ValueRange left, ValueRange right)
    {
        ulong all = AllOf(type);
        int bits = type == ValType.I32 ? 32 : 64, shift = (int)right.Min & (bits - 1);
        switch (operation)
        {
            case Operation.And: return new ValueRange(0, Math.Min(left.Max, right.Max));
            case Operation.Or or Operation.Xor:
                return new ValueRange(0, ulong.MaxValue >> Math.Min(BitOperations.LeadingZeroCount(left.Max | right.Max), 63));
            case Operation.Add: return Wrapped((Int128)left.Min + right.Min, (Int128)left.Max + right.Max, bits);
            case Operation.Sub: return Wrapped((Int128)left.Min - right.Max, (Int128)left.Max - right.Min, bits);
            case Operation.Mul when right.Max == 0 || left.Max <= all / right.Max: return new ValueRange(left.Min * right.Min, left.Max * right.Max);
            case Operation.Shl when right.Min == right.Max && left.Max <= all >> shift: return new ValueRange(left.Min << shift, left.Max << shift);
            case Operation.ShrU when right.Min == right.Max: return new ValueRange(left.Min >> shift, left.Max >> shift);
            default: return All(type);
        }
    }

    /// <summary>Both ends wrap around equally often, or the range is all.</summary>
    private static ValueRange Wrapped(Int128 min, Int128 max, int bits)
    {
        if (min >> bits != max >> bits) return new ValueRange(0, ulong.MaxValue >> (64 - bits));
        Int128 wrapped = (min >> bits) << bits;
        return new ValueRange((ulong)(min - wrapped), (ulong)(max - wrapped));
    }
}

/// <summary>How a number is compared with a constant, unsigned.</summary>
internal enum Relation : byte { Equal, NotEqual, Below, AboveOrEqual, Above, BelowOrEqual }

internal static class Relations
{
    /// <summary>The relation that an operator of two i32 tests, if it is one of these.</summary>
    internal static Relation? Of(Operator op) => !op.IsOfI32(Operation.Compare) ? null : op.Comparison switch
    {
        IntegerComparison.Eq => Relation.Equal,
        IntegerComparison.Ne => Relation.NotEqual,
        IntegerComparison.LtU => Relation.Below,
        IntegerComparison.GeU => Relation.AboveOrEqual,
        IntegerComparison.GtU => Relation.Above,
        IntegerComparison.LeU => Relation.BelowOrEqual,
        _ => null,
    };
}

/// <summary>A comparison of a local with a constant, as an operand.</summary>
/// <param name="Place">The place of the local.</param>
/// <param name="Relation">What is tested.</param>
/// <param name="Constant">The constant.</param>
/// <param name="Writes">How many writes of locals there were when the local was read, and one; 0 if the operand is no such comparison.</param>
internal readonly record struct OperandTest(int Place, Relation Relation, uint Constant, int Writes)
{
    /// <summary>Relations stand beside their opposites.</summary>
    internal OperandTest Negated => this with { Relation = Relation ^ (Relation)1 };

    /// <summary>The part of a range for which the test holds; null if there is none.</summary>
    internal ValueRange? Narrow(ValueRange range)
    {
        ulong min = range.Min, max = range.Max;
        switch (Relation)
        {
            case Relation.Equal: (min, max) = (Math.Max(min, Constant), Math.Min(max, Constant)); break;
            case Relation.NotEqual:
                if (min == Constant) min++;
                else if (max == Constant) max--;
                break;
            case Relation.Below when Constant == 0: return null;
            case Relation.Below: max = Math.Min(max, Constant - 1UL); break;
            case Relation.AboveOrEqual: min = Math.Max(min, Constant); break;
            case Relation.Above: min = Math.Max(min, Constant + 1UL); break;
            default: max = Math.Min(max, Constant); break;
        }
        return min <= max ? new ValueRange(min, max) : null;
    }
}
