using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;

namespace WasmJit.Tests;

/// <summary>
/// The operators on vectors as the specification defines them (4.3.5), lane by lane through <see cref="ScalarReference"/>. A
/// vector is a number of 128 bits, lane 0 lowest.
/// </summary>
internal static class VectorReference
{
    /// <summary>Whether a NaN lane of the result stands for any quiet NaN.</summary>
    internal static bool HasLooseNaNs(string mnemonic)
    {
        string name = Name(mnemonic);
        return mnemonic[0] == 'f'
            && name is "add" or "sub" or "mul" or "div" or "sqrt" or "min" or "max" or "ceil" or "floor" or "trunc" or "nearest"
                or "promote_low_f32x4" or "demote_f64x2_zero" or "relaxed_madd" or "relaxed_nmadd";
    }

    internal static int Width(string shape) => int.Parse(shape.AsSpan(1, shape.IndexOf('x') - 1), CultureInfo.InvariantCulture);

    internal static string Name(string mnemonic) => mnemonic[(mnemonic.IndexOf('.') + 1)..];

    /// <summary>The shape of the operands where the name gives it apart: <c>i16x8</c> of <c>i32x4.extend_low_i16x8_s</c>.</summary>
    internal static string? SourceShape(string mnemonic) =>
        Regex.Match(Name(mnemonic), "[if](8x16|16x8|32x4|64x2)") is { Success: true } match ? match.Value : null;

    internal static ulong Lane(UInt128 vector, int index, int width) =>
        (ulong)(vector >> (index * width)) & (width == 64 ? ulong.MaxValue : (1UL << width) - 1);

    private static UInt128 Make(int width, Func<int, ulong> lane)
    {
        UInt128 result = 0;
        for (int i = 0; i < 128 / width; i++) result |= (UInt128)lane(i) << (i * width);
        return result;
    }

    private static UInt128 Make(int width, Func<int, BigInteger> lane) =>
        Make(width, i => (ulong)(lane(i) & ((BigInteger.One << width) - 1)));

    /// <summary>
    /// The result of an operator on vectors and a scalar's bits; a scalar result is the low half. Lanes are given as
    /// <paramref name="lane"/>.
    /// </summary>
    internal static UInt128 Apply(string mnemonic, UInt128 a, UInt128 b, UInt128 c, ulong scalar, int lane)
    {
        string shape = mnemonic[..mnemonic.IndexOf('.')], name = Name(mnemonic);
        switch (mnemonic)
        {
            case "v128.not": return ~a;
            case "v128.and": return a & b;
            case "v128.andnot": return a & ~b;
            case "v128.or": return a | b;
            case "v128.xor": return a ^ b;
            case "v128.bitselect": return (a & c) | (b & ~c);
            case "v128.any_true": return a != 0 ? 1u : 0u;
            case "i8x16.swizzle" or "i8x16.relaxed_swizzle":
                return Make(8, i => Lane(b, i, 8) < 16 ? Lane(a, (int)Lane(b, i, 8), 8) : 0UL);
            case "i32x4.dot_i16x8_s": return Make(32, i => Product(a, b, 2 * i, 16) + Product(a, b, (2 * i) + 1, 16));
            case "i16x8.relaxed_dot_i8x16_i7x16_s": return Make(16, i => Product(a, b, 2 * i, 8) + Product(a, b, (2 * i) + 1, 8));
            case "i32x4.relaxed_dot_i8x16_i7x16_add_s":
                return Make(32, i => Enumerable.Range(4 * i, 4).Aggregate(Signed(c, i, 32), (sum, j) => sum + Product(a, b, j, 8)));
        }
        int width = Width(shape);
        ulong mask = width == 64 ? ulong.MaxValue : (1UL << width) - 1;
        switch (name)
        {
            case "splat": return Make(width, i => scalar & mask);
            case "extract_lane" or "extract_lane_u": return Lane(a, lane, width);
            case "extract_lane_s": return (uint)(int)Signed(a, lane, width);
            case "replace_lane": return Make(width, i => i == lane ? scalar & mask : Lane(a, i, width));
            case "all_true": return Enumerable.Range(0, 128 / width).All(i => Lane(a, i, width) != 0) ? 1u : 0u;
            case "bitmask":
                return (uint)Enumerable.Range(0, 128 / width).Sum(i => (int)(Lane(a, i, width) >> (width - 1)) << i);
            case "shl" or "shr_s" or "shr_u":
                return Make(width, i => ScalarReference.Integer(name, Lane(a, i, width), scalar % (ulong)width, width)!.Value);
            case "relaxed_laneselect": return (a & c) | (b & ~c);
        }
        if (name.StartsWith("relaxed_trunc", StringComparison.Ordinal)) name = name.Replace("relaxed_trunc", "trunc_sat");
        else if (name == "relaxed_q15mulr_s") name = "q15mulr_sat_s";
        else if (name.EndsWith("madd", StringComparison.Ordinal)) return FusedMultiplyAdd(name, a, b, c, width);
        else if (name.StartsWith("relaxed_", StringComparison.Ordinal)) name = name["relaxed_".Length..];
        if (SourceShape(mnemonic) is not null) return Widening(width, name, a, b);
        return shape[0] == 'i'
            ? Make(width, i => Integer(name, Lane(a, i, width), Lane(b, i, width), width))
            : Make(width, i => Float(name, Lane(a, i, width), Lane(b, i, width), width));
    }

    private static BigInteger Signed(UInt128 vector, int index, int width) => ScalarReference.Signed(Lane(vector, index, width), width);

    private static BigInteger Product(UInt128 a, UInt128 b, int index, int width) => Signed(a, index, width) * Signed(b, index, width);

    private static BigInteger Saturate(BigInteger value, int width, bool signed)
    {
        BigInteger low = signed ? -(BigInteger.One << (width - 1)) : 0;
        return BigInteger.Clamp(value, low, low + (BigInteger.One << width) - 1);
    }

    private static ulong Integer(string name, ulong a, ulong b, int width)
    {
        BigInteger sa = ScalarReference.Signed(a, width), sb = ScalarReference.Signed(b, width), ua = a, ub = b;
        bool signed = name.EndsWith("_s", StringComparison.Ordinal);
        BigInteger x = signed ? sa : ua, y = signed ? sb : ub;
        BigInteger? result = name switch
        {
            "neg" => -sa,
            "abs" => BigInteger.Abs(sa),
            "min_s" or "min_u" => BigInteger.Min(x, y),
            "max_s" or "max_u" => BigInteger.Max(x, y),
            "add_sat_s" or "add_sat_u" => Saturate(x + y, width, signed),
            "sub_sat_s" or "sub_sat_u" => Saturate(x - y, width, signed),
            "avgr_u" => (ua + ub + 1) / 2,
            "q15mulr_sat_s" => Saturate(((sa * sb) + 0x4000) >> 15, width, true),
            _ => null,
        };
        ulong mask = width == 64 ? ulong.MaxValue : (1UL << width) - 1;
        if (result is { } number) return (ulong)(number & mask);
        ulong scalar = ScalarReference.Integer(name, a, b, width)!.Value;
        bool compares = name is "eq" or "ne" || name[..2] is "lt" or "gt" or "le" or "ge";
        return compares ? (0 - scalar) & mask : scalar;
    }

    private static ulong Float(string name, ulong a, ulong b, int width)
    {
        double fa = Value(a, width), fb = Value(b, width);
        if (name == "pmin") return fb < fa ? b : a;
        if (name == "pmax") return fa < fb ? b : a;
        ulong result = ScalarReference.Apply((width == 32 ? "f32." : "f64.") + name, a, b)!.Value;
        bool compares = name is "eq" or "ne" or "lt" or "gt" or "le" or "ge";
        return compares ? (0 - result) & (width == 32 ? uint.MaxValue : ulong.MaxValue) : result;
    }

    private static double Value(ulong bits, int width) =>
        width == 32 ? BitConverter.UInt32BitsToSingle((uint)bits) : BitConverter.UInt64BitsToDouble(bits);

    private static UInt128 FusedMultiplyAdd(string name, UInt128 a, UInt128 b, UInt128 c, int width) => Make(width, i =>
    {
        double x = Value(Lane(a, i, width), width), y = Value(Lane(b, i, width), width), z = Value(Lane(c, i, width), width);
        if (name == "relaxed_nmadd") x = -x;
        return width == 32
            ? BitConverter.SingleToUInt32Bits(MathF.FusedMultiplyAdd((float)x, (float)y, (float)z))
            : BitConverter.DoubleToUInt64Bits(Math.FusedMultiplyAdd(x, y, z));
    });

    /// <summary>Operators whose lanes have another width than their operands'.</summary>
    private static UInt128 Widening(int width, string name, UInt128 a, UInt128 b)
    {
        int from = Width(SourceShape("." + name)!), high = name.Contains("_high_", StringComparison.Ordinal) ? 64 / from : 0;
        bool signed = name.EndsWith("_s", StringComparison.Ordinal) || name.EndsWith("_s_zero", StringComparison.Ordinal);
        BigInteger In(UInt128 v, int i) => signed ? Signed(v, i, from) : Lane(v, i, from);
        switch (name.Split('_')[0])
        {
            case "extend": return Make(width, i => In(a, high + i));
            case "extmul": return Make(width, i => In(a, high + i) * In(b, high + i));
            case "extadd": return Make(width, i => In(a, 2 * i) + In(a, (2 * i) + 1));
            case "narrow":
                return Make(width, i => Saturate(i < 128 / from ? Signed(a, i, from) : Signed(b, i - (128 / from), from), width, signed));
        }
        string scalar = name.Split('_')[0] switch
        {
            "convert" => $"f{width}.convert_i32_{(signed ? 's' : 'u')}",
            "trunc" => $"i32.trunc_sat_f{from}_{(signed ? 's' : 'u')}",
            "promote" => "f64.promote_f32",
            "demote" => "f32.demote_f64",
            _ => throw new ArgumentException($"no reference for {name}", nameof(name)),
        };
        return Make(width, i => i < 128 / from ? ScalarReference.Apply(scalar, Lane(a, i, from), 0)!.Value : 0UL);
    }
}
