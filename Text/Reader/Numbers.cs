using System.Globalization;
using System.Numerics;

namespace WasmJit.Text;

/// <summary>Number literals (spec 6.3.1, 6.3.2). No method throws.</summary>
internal static class Numbers
{
    internal enum Outcome : byte { Ok, NotANumber, OutOfRange }

    /// <summary>Digits with single underscores between them.</summary>
    private static bool Digits(ReadOnlySpan<char> text, bool hex, out string clean)
    {
        clean = "";
        if (text.IsEmpty || text[0] == '_' || text[^1] == '_' || text.IndexOf("__") >= 0) return false;
        foreach (char c in text)
            if (c != '_' && !(hex ? char.IsAsciiHexDigit(c) : char.IsAsciiDigit(c))) return false;
        clean = text.ToString().Replace("_", "");
        return true;
    }

    private static bool Natural(ReadOnlySpan<char> text, out BigInteger value)
    {
        value = default;
        bool hex = text.StartsWith("0x");
        if (!Digits(hex ? text[2..] : text, hex, out string digits)) return false;
        value = hex
            ? BigInteger.Parse("0" + digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
            : BigInteger.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);
        return true;
    }

    internal static Outcome Unsigned(ReadOnlySpan<char> text, int bits, out ulong value)
    {
        value = 0;
        if (text.Length < 10 && uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint small))
        {
            value = small;
            return bits >= 32 || small < 1u << bits ? Outcome.Ok : Outcome.OutOfRange;
        }
        if (!Natural(text, out BigInteger n)) return Outcome.NotANumber;
        if (n >= BigInteger.One << bits) return Outcome.OutOfRange;
        value = (ulong)n;
        return Outcome.Ok;
    }

    /// <summary>An integer of either sign; the value is its bits.</summary>
    internal static Outcome Integer(ReadOnlySpan<char> text, int bits, out ulong value)
    {
        value = 0;
        bool negative = text.StartsWith("-");
        bool signed = negative || text.StartsWith("+");
        if (!Natural(signed ? text[1..] : text, out BigInteger n)) return Outcome.NotANumber;
        BigInteger limit = BigInteger.One << (negative ? bits - 1 : signed ? bits - 1 : bits);
        if (negative ? n > limit : n >= limit) return Outcome.OutOfRange;
        ulong mask = bits == 64 ? ulong.MaxValue : (1UL << bits) - 1;
        value = (negative ? (ulong)(-(long)(ulong)(n == limit && bits == 64 ? 0 : n)) : (ulong)n) & mask;
        if (negative && n == limit) value = 1UL << (bits - 1);
        return Outcome.Ok;
    }

    /// <summary>A float; the value is its bits, of 32 or 64.</summary>
    internal static Outcome Float(ReadOnlySpan<char> text, bool is64, out ulong bits)
    {
        bits = 0;
        ulong sign = 0;
        if (text.Length > 0 && text[0] is '+' or '-')
        {
            if (text[0] == '-') sign = is64 ? 1UL << 63 : 1UL << 31;
            text = text[1..];
        }
        ulong infinity = is64 ? 0x7ffUL << 52 : 0xffUL << 23;
        int fraction = is64 ? 52 : 23;
        if (text.SequenceEqual("inf"))
        {
            bits = sign | infinity;
            return Outcome.Ok;
        }
        if (text.SequenceEqual("nan"))
        {
            bits = sign | infinity | (1UL << (fraction - 1));
            return Outcome.Ok;
        }
        if (text.StartsWith("nan:0x"))
        {
            Outcome outcome = Unsigned(text[4..], 64, out ulong payload);
            if (outcome != Outcome.Ok) return outcome;
            if (payload == 0 || payload >= 1UL << fraction) return Outcome.OutOfRange;
            bits = sign | infinity | payload;
            return Outcome.Ok;
        }
        Outcome result = text.StartsWith("0x") ? HexFloat(text[2..], is64, out bits) : DecimalFloat(text, is64, out bits);
        if (result != Outcome.Ok) return result;
        if (bits == infinity) return Outcome.OutOfRange;
        bits |= sign;
        return Outcome.Ok;
    }

    private static bool Split(ReadOnlySpan<char> text, bool hex, out string whole, out string fraction, out ReadOnlySpan<char> exponent)
    {
        whole = fraction = "";
        int e = hex ? text.IndexOfAny('p', 'P') : text.IndexOfAny('e', 'E');
        exponent = e < 0 ? "0" : text[(e + 1)..];
        ReadOnlySpan<char> mantissa = e < 0 ? text : text[..e];
        int dot = mantissa.IndexOf('.');
        if (!Digits(dot < 0 ? mantissa : mantissa[..dot], hex, out whole)) return false;
        if (dot >= 0 && dot + 1 < mantissa.Length && !Digits(mantissa[(dot + 1)..], hex, out fraction)) return false;
        ReadOnlySpan<char> digits = exponent.Length > 0 && exponent[0] is '+' or '-' ? exponent[1..] : exponent;
        return Digits(digits, false, out _);
    }

    private static Outcome DecimalFloat(ReadOnlySpan<char> text, bool is64, out ulong bits)
    {
        bits = 0;
        if (!Split(text, false, out string whole, out string fraction, out ReadOnlySpan<char> exponent)) return Outcome.NotANumber;
        string clean = $"{whole}.{fraction}0e{exponent.ToString().Replace("_", "")}";
        bits = is64
            ? BitConverter.DoubleToUInt64Bits(double.Parse(clean, NumberStyles.Float, CultureInfo.InvariantCulture))
            : BitConverter.SingleToUInt32Bits(float.Parse(clean, NumberStyles.Float, CultureInfo.InvariantCulture));
        return Outcome.Ok;
    }

    private static Outcome HexFloat(ReadOnlySpan<char> text, bool is64, out ulong bits)
    {
        bits = 0;
        if (!Split(text, true, out string whole, out string fraction, out ReadOnlySpan<char> exponentText)) return Outcome.NotANumber;
        var mantissa = BigInteger.Parse("0" + whole + fraction, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        if (mantissa.IsZero) return Outcome.Ok;
        BigInteger big = BigInteger.Parse(exponentText.ToString().Replace("_", ""), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        big -= 4 * fraction.Length;
        if (big > 1_000_000 || big < -1_000_000_000) return big > 0 ? Outcome.OutOfRange : Outcome.Ok;
        return Round(mantissa, (long)big, is64, out bits);
    }

    /// <summary>Rounds mantissa * 2^exponent to the nearest float, ties to even.</summary>
    private static Outcome Round(BigInteger mantissa, long exponent, bool is64, out ulong bits)
    {
        int precision = is64 ? 53 : 24, minimum = is64 ? -1074 : -149, bias = is64 ? 1023 : 127;
        long length = mantissa.GetBitLength();
        long drop = Math.Max(length - precision, minimum - exponent);
        if (drop > length + 1)
        {
            bits = 0;
            return Outcome.Ok;
        }
        if (drop > 0)
        {
            BigInteger rest = mantissa & ((BigInteger.One << (int)drop) - 1), half = BigInteger.One << (int)(drop - 1);
            mantissa >>= (int)drop;
            if (rest > half || (rest == half && !mantissa.IsEven)) mantissa += 1;
            exponent += drop;
            length = mantissa.GetBitLength();
        }
        if (mantissa.IsZero)
        {
            bits = 0;
            return Outcome.Ok;
        }
        if (length < precision)
        {
            int up = (int)Math.Min(precision - length, exponent - minimum);
            mantissa <<= up;
            exponent -= up;
            length += up;
        }
        if (length > precision)
        {
            mantissa >>= 1;
            exponent++;
        }
        ulong fraction = (ulong)mantissa;
        long top = exponent + precision - 1;
        bits = 0;
        if (top > bias) return Outcome.OutOfRange;
        ulong hidden = 1UL << (precision - 1);
        bits = fraction < hidden ? fraction : ((ulong)(top + bias) << (precision - 1)) | (fraction & (hidden - 1));
        return Outcome.Ok;
    }
}
