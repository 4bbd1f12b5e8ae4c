using System.Numerics;

namespace WasmJit.Tests;

/// <summary>
/// The numeric operators as the specification defines them (4.3), on bit patterns, written for plainness: integers as
/// mathematical ones, roundings by hand. Null is a trap.
/// </summary>
internal static class ScalarReference
{
    internal static readonly ulong[] Ints32 =
        [0, 1, 2, 3, 7, 31, 32, 33, 63, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x10001, 0x7ffffffe, 0x7fffffff,
        0x80000000, 0x80000001,
         0xfffffffe, 0xffffffff, 0x01000001, 0x01000003, 0xff000080];

    internal static readonly ulong[] Ints64 =
        [0, 1, 2, 31, 32, 63, 64, 65, 0x7f, 0x80, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
        0x7fffffffffffffff, 0x8000000000000000,
         0x8000000000000001, ulong.MaxValue, ulong.MaxValue - 1, 0x20000000000001, 0x20000000000003, 0x7fffff4000000001,
         0x8000008000000001,
         0xfffffe8000000001, 0x8000000000000400, 0x8000000000000401, 0x7ffffffffffffc00];

    internal static readonly ulong[] Floats32 = [.. new[]
    {
        0f, -0f, 1f, -1f, 0.5f, -0.5f, 1.5f, -1.5f, 2.5f, 0.4999999701976776f, -0.9999999403953552f, float.Epsilon,
        -float.Epsilon, 1.17549435e-38f,
        float.MaxValue, float.MinValue, float.PositiveInfinity, float.NegativeInfinity,
        2147483520f, 2147483648f, -2147483648f, -2147483904f,
        4294967040f, 4294967296f, 9223371487098961920f, 9223372036854775808f, -9223372036854775808f, -9223373136366403584f,
        18446742974197923840f,
        18446744073709551616f, 8388607.5f, 16777216f, 3.14159274f, 1e10f,
    }.Select(f => (ulong)BitConverter.SingleToUInt32Bits(f)), 0x7fc00000, 0xffc00000, 0x7f800001, 0xffa00000, 0x7fc12345];

    internal static readonly ulong[] Floats64 = [.. new[]
    {
        0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -1.5, 2.5, 0.49999999999999994, -0.9999999999999999, double.Epsilon,
        -double.Epsilon, 2.2250738585072014e-308,
        double.MaxValue, double.MinValue, double.PositiveInfinity, double.NegativeInfinity,
        2147483647.0, 2147483647.9, 2147483648.0, -2147483648.9,
        -2147483649.0, 4294967295.9, 4294967296.0, 9223372036854774784.0, 9223372036854775808.0, -9223372036854775808.0,
        -9223372036854777856.0,
        18446744073709549568.0, 18446744073709551616.0, 4503599627370495.5, 9007199254740992.0, 3.141592653589793, 1e300,
        1.0000000596046448,
        3.4028235677973366e38, 1e-46, 16777217.0,
    }.Select(BitConverter.DoubleToUInt64Bits),
        0x7ff8000000000000, 0xfff8000000000000, 0x7ff0000000000001, 0xfff4000000000000, 0x7ff8000012345678];

    internal static ulong[] Specials(ValType type) => type.Kind switch
    {
        ValKind.I32 => Ints32,
        ValKind.I64 => Ints64,
        ValKind.F32 => Floats32,
        _ => Floats64,
    };

    internal static bool IsNaN(ValType type, ulong bits) => type.Kind switch
    {
        ValKind.F32 => (bits & 0x7fffffff) > 0x7f800000,
        ValKind.F64 => (bits & long.MaxValue) > 0x7ff0000000000000,
        _ => false,
    };

    internal static bool IsQuiet(ValType type, ulong bits) => (bits & (type.Kind == ValKind.F32 ? 0x400000ul : 1ul << 51)) != 0;

    /// <summary>The result of an operator. A NaN stands for any quiet one, save those of the operators on signs.</summary>
    internal static ulong? Apply(string mnemonic, ulong a, ulong b)
    {
        int dot = mnemonic.IndexOf('.');
        string type = mnemonic[..dot], name = mnemonic[(dot + 1)..];
        if (name.Contains("_f32", StringComparison.Ordinal) || name.Contains("_f64", StringComparison.Ordinal)
            || name.Contains("_i32", StringComparison.Ordinal) || name.Contains("_i64", StringComparison.Ordinal))
            return Convert(type, name, a);
        if (type[0] == 'i') return Integer(name, a, b, type == "i32" ? 32 : 64);
        return type == "f32" ? Float32(name, (uint)a, (uint)b) : Float64(name, a, b);
    }

    // ---- integers ----

    internal static ulong? Integer(string name, ulong a, ulong b, int width)
    {
        BigInteger modulus = BigInteger.One << width;
        BigInteger ua = a, ub = b, sa = Signed(a, width), sb = Signed(b, width);
        int count = (int)(b % (ulong)width);
        ulong Wrap(BigInteger value) => (ulong)(((value % modulus) + modulus) % modulus);
        bool Bit(int i) => ((a >> i) & 1) != 0;
        switch (name)
        {
            case "eqz": return a == 0 ? 1ul : 0;
            case "eq": return a == b ? 1ul : 0;
            case "ne": return a != b ? 1ul : 0;
            case "lt_s": return sa < sb ? 1ul : 0;
            case "lt_u": return ua < ub ? 1ul : 0;
            case "gt_s": return sa > sb ? 1ul : 0;
            case "gt_u": return ua > ub ? 1ul : 0;
            case "le_s": return sa <= sb ? 1ul : 0;
            case "le_u": return ua <= ub ? 1ul : 0;
            case "ge_s": return sa >= sb ? 1ul : 0;
            case "ge_u": return ua >= ub ? 1ul : 0;
            case "clz": return (ulong)(width - Enumerable.Range(0, width).Where(Bit).Select(i => i + 1).DefaultIfEmpty(0).Max());
            case "ctz": return (ulong)Enumerable.Range(0, width).Where(Bit).DefaultIfEmpty(width).Min();
            case "popcnt": return (ulong)Enumerable.Range(0, width).Count(Bit);
            case "add": return Wrap(ua + ub);
            case "sub": return Wrap(ua - ub);
            case "mul": return Wrap(ua * ub);
            case "div_s": return b == 0 || BigInteger.Divide(sa, sb) == modulus / 2 ? null : Wrap(BigInteger.Divide(sa, sb));
            case "div_u": return b == 0 ? null : Wrap(ua / ub);
            case "rem_s": return b == 0 ? null : Wrap(BigInteger.Remainder(sa, sb));
            case "rem_u": return b == 0 ? null : Wrap(ua % ub);
            case "and": return a & b;
            case "or": return a | b;
            case "xor": return a ^ b;
            case "shl": return Wrap(ua << count);
            case "shr_s": return Wrap(sa >> count);
            case "shr_u": return Wrap(ua >> count);
            case "rotl": return Wrap((ua << count) | (ua >> (width - count)));
            case "rotr": return Wrap((ua >> count) | (ua << (width - count)));
            case "extend8_s": return Wrap(Signed(a & 0xff, 8));
            case "extend16_s": return Wrap(Signed(a & 0xffff, 16));
            case "extend32_s": return Wrap(Signed(a & 0xffffffff, 32));
            default: throw new ArgumentException($"no reference for {name}", nameof(name));
        }
    }

    internal static BigInteger Signed(ulong value, int width) =>
        ((value >> (width - 1)) & 1) != 0 ? value - (BigInteger.One << width) : value;

    // ---- floats ----

    private static ulong Float32(string name, uint a, uint b)
    {
        float fa = BitConverter.UInt32BitsToSingle(a), fb = BitConverter.UInt32BitsToSingle(b);
        switch (name)
        {
            case "abs": return a & 0x7fffffff;
            case "neg": return a ^ 0x80000000;
            case "copysign": return (a & 0x7fffffff) | (b & 0x80000000);
            case "eq" or "ne" or "lt" or "gt" or "le" or "ge": return Compare(name, fa, fb);
        }
        // One operation in double precision, rounded again, is exact for floats.
        return BitConverter.SingleToUInt32Bits((float)Arithmetic(name, fa, fb));
    }

    private static ulong Float64(string name, ulong a, ulong b)
    {
        double fa = BitConverter.UInt64BitsToDouble(a), fb = BitConverter.UInt64BitsToDouble(b);
        return name switch
        {
            "abs" => a & long.MaxValue,
            "neg" => a ^ (1ul << 63),
            "copysign" => (a & long.MaxValue) | (b & (1ul << 63)),
            "eq" or "ne" or "lt" or "gt" or "le" or "ge" => Compare(name, fa, fb),
            _ => BitConverter.DoubleToUInt64Bits(Arithmetic(name, fa, fb)),
        };
    }

    private static ulong Compare(string name, double a, double b) => name switch
    {
        "eq" => a == b,
        "ne" => !(a == b),
        "lt" => a < b,
        "gt" => a > b,
        "le" => a <= b,
        _ => a >= b,
    } ? 1ul : 0;

    private static double Arithmetic(string name, double a, double b) => name switch
    {
        "add" => a + b,
        "sub" => a - b,
        "mul" => a * b,
        "div" => a / b,
        "sqrt" => Math.Sqrt(a),
        "min" => double.IsNaN(a) || double.IsNaN(b) ? double.NaN : a < b || (a == b && double.IsNegative(a)) ? a : b,
        "max" => double.IsNaN(a) || double.IsNaN(b) ? double.NaN : a > b || (a == b && !double.IsNegative(a)) ? a : b,
        _ => RoundToInteger(name, a),
    };

    private static double RoundToInteger(string name, double a)
    {
        if (double.IsNaN(a) || Math.Abs(a) >= 4503599627370496.0) return a;
        long down = (long)a - (a < (long)a ? 1 : 0);
        double rest = a - down;
        long result = name switch
        {
            "floor" => down,
            "ceil" => rest > 0 ? down + 1 : down,
            "trunc" => a < 0 && rest > 0 ? down + 1 : down,
            "nearest" => rest > 0.5 || (rest == 0.5 && (down & 1) != 0) ? down + 1 : down,
            _ => throw new ArgumentException($"no reference for {name}", nameof(name)),
        };
        return Math.CopySign(result, a);
    }

    // ---- conversions ----

    private static ulong? Convert(string type, string name, ulong a)
    {
        if (name.StartsWith("reinterpret", StringComparison.Ordinal)) return a;
        if (name == "wrap_i64") return a & 0xffffffff;
        if (name == "extend_i32_u") return a;
        if (name == "extend_i32_s") return (ulong)(long)Signed(a, 32);
        if (name == "promote_f32") return BitConverter.DoubleToUInt64Bits(BitConverter.UInt32BitsToSingle((uint)a));
        if (name == "demote_f64") return BitConverter.SingleToUInt32Bits((float)BitConverter.UInt64BitsToDouble(a));
        bool signed = name.EndsWith("_s", StringComparison.Ordinal);
        if (name.StartsWith("convert", StringComparison.Ordinal))
        {
            BigInteger value = signed ? Signed(a, name.Contains("i32", StringComparison.Ordinal) ? 32 : 64) : a;
            double rounded = Round(value, type == "f32" ? 24 : 53);
            return type == "f32" ? BitConverter.SingleToUInt32Bits((float)rounded) : BitConverter.DoubleToUInt64Bits(rounded);
        }
        double from = name.Contains("f32", StringComparison.Ordinal)
            ? BitConverter.UInt32BitsToSingle((uint)a)
            : BitConverter.UInt64BitsToDouble(a);
        int width = type == "i32" ? 32 : 64;
        bool saturates = name.Contains("sat", StringComparison.Ordinal);
        BigInteger low = signed ? -(BigInteger.One << (width - 1)) : 0;
        BigInteger high = (BigInteger.One << (signed ? width - 1 : width)) - 1;
        if (double.IsNaN(from)) return saturates ? 0 : null;
        BigInteger whole = double.IsInfinity(from) ? (from > 0 ? high + 1 : low - 1) : new BigInteger(from);
        if (whole < low || whole > high)
        {
            if (!saturates) return null;
            whole = whole < low ? low : high;
        }
        return (ulong)(whole & ((BigInteger.One << width) - 1));
    }

    /// <summary>To the nearest number of so many bits, ties to even.</summary>
    private static double Round(BigInteger value, int precision)
    {
        BigInteger magnitude = BigInteger.Abs(value);
        int excess = (int)magnitude.GetBitLength() - precision;
        if (excess > 0)
        {
            BigInteger unit = BigInteger.One << excess, rest = magnitude % unit;
            magnitude -= rest;
            if (rest * 2 > unit || (rest * 2 == unit && !(magnitude >> excess).IsEven)) magnitude += unit;
        }
        return (double)magnitude * value.Sign;
    }
}
