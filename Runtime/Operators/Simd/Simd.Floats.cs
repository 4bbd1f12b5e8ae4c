using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace WasmJit.Runtime;

/// <summary>Minimum and maximum of floats, and conversions (spec 4.3.3, 4.3.4).</summary>
internal static partial class Simd
{
    /// <summary>
    /// The vector itself, as one that the JIT does not know: its arithmetic on constants leaves signalling NaNs as they are. See
    /// <see cref="Floats.Hide32"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> Hide(Vector128<byte> a, InstanceCore instance) => a ^ Vector128.Create(instance.HiddenZero64).AsByte();

    /// <summary>A result, or the sum where an operand is a NaN: other than a signalling NaN that is given on, a sum is quiet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<T> QuietNaN<T>(Vector128<T> a, Vector128<T> b, Vector128<T> result)
        where T : struct => AdvSimd.IsSupported
            ? result
            : Vector128.ConditionalSelect(Vector128.Equals(a, a) & Vector128.Equals(b, b), result, a + b);

    // Signs as integers: the JIT would write a constant of equal floats as one float, in which a signalling NaN does not survive.

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> F32x4Abs(Vector128<byte> a) => (a.AsUInt32() & Vector128.Create(0x7fffffffu)).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> F32x4Neg(Vector128<byte> a) => (a.AsUInt32() ^ Vector128.Create(0x80000000u)).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> F64x2Abs(Vector128<byte> a) => (a.AsUInt64() & Vector128.Create(0x7fffffffffffffffu)).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> F64x2Neg(Vector128<byte> a) => (a.AsUInt64() ^ Vector128.Create(0x8000000000000000u)).AsByte();

    // The processor's minimum gives its second operand if the two are zeros or one is a NaN. So both orders are asked: a sign
    // or NaN that is in one of the results is in their union, whose NaNs then lose all but the topmost bits.

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> F32x4Min(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<float> x = a.AsSingle(), y = b.AsSingle();
        if (!Sse2.IsSupported) return QuietNaN(x, y, Vector128.Min(x, y)).AsByte();
        Vector128<float> least = Sse.Or(Sse.Min(x, y), Sse.Min(y, x));
        Vector128<uint> isNaN = Sse.CompareUnordered(least, least).AsUInt32();
        return Sse2.AndNot(isNaN >>> 10, least.AsUInt32() | isNaN).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> F64x2Min(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<double> x = a.AsDouble(), y = b.AsDouble();
        if (!Sse2.IsSupported) return QuietNaN(x, y, Vector128.Min(x, y)).AsByte();
        Vector128<double> least = Sse2.Or(Sse2.Min(x, y), Sse2.Min(y, x));
        Vector128<ulong> isNaN = Sse2.CompareUnordered(least, least).AsUInt64();
        return Sse2.AndNot(isNaN >>> 13, least.AsUInt64() | isNaN).AsByte();
    }

    // For the maximum a sign is wanted that is in both. The difference has it: -0 - -0 is 0 where the signs differ, and x - 0
    // is x everywhere else.

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> F32x4Max(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<float> x = a.AsSingle(), y = b.AsSingle();
        if (!Sse2.IsSupported) return QuietNaN(x, y, Vector128.Max(x, y)).AsByte();
        Vector128<float> one = Sse.Max(x, y);
        Vector128<float> differing = Sse.Xor(one, Sse.Max(y, x));
        Vector128<float> most = Sse.Subtract(Sse.Or(one, differing), differing);
        // Where both are the same signalling NaN the JIT may have left the subtraction out.
        Vector128<uint> isNaN = Sse.CompareUnordered(most, most).AsUInt32();
        return Sse2.AndNot(isNaN >>> 10, most.AsUInt32() | isNaN).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> F64x2Max(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<double> x = a.AsDouble(), y = b.AsDouble();
        if (!Sse2.IsSupported) return QuietNaN(x, y, Vector128.Max(x, y)).AsByte();
        Vector128<double> one = Sse2.Max(x, y);
        Vector128<double> differing = Sse2.Xor(one, Sse2.Max(y, x));
        Vector128<double> most = Sse2.Subtract(Sse2.Or(one, differing), differing);
        Vector128<ulong> isNaN = Sse2.CompareUnordered(most, most).AsUInt64();
        return Sse2.AndNot(isNaN >>> 13, most.AsUInt64() | isNaN).AsByte();
    }

    // b < a ? b : a, and a < b ? b : a: the processor's own minimum and maximum with the operands the other way round.

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> F32x4Pmin(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<float> x = a.AsSingle(), y = b.AsSingle();
        return Sse.IsSupported
            ? Sse.Min(y, x).AsByte()
            : Vector128.ConditionalSelect(Vector128.LessThan(y, x), y, x).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> F32x4Pmax(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<float> x = a.AsSingle(), y = b.AsSingle();
        return Sse.IsSupported
            ? Sse.Max(y, x).AsByte()
            : Vector128.ConditionalSelect(Vector128.LessThan(x, y), y, x).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> F64x2Pmin(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<double> x = a.AsDouble(), y = b.AsDouble();
        return Sse2.IsSupported
            ? Sse2.Min(y, x).AsByte()
            : Vector128.ConditionalSelect(Vector128.LessThan(y, x), y, x).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> F64x2Pmax(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<double> x = a.AsDouble(), y = b.AsDouble();
        return Sse2.IsSupported
            ? Sse2.Max(y, x).AsByte()
            : Vector128.ConditionalSelect(Vector128.LessThan(x, y), y, x).AsByte();
    }

    // ---- conversions ----

    /// <summary>2^52: a double with these upper bits has its integer value in the lower ones.</summary>
    private const double Shift52 = 4503599627370496.0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I32x4TruncSatF32x4U(Vector128<byte> a)
    {
        Vector128<float> x = a.AsSingle();
        if (!Sse41.IsSupported) return Vector128.ConvertToUInt32(x).AsByte();
        // The maximum is its second operand for a NaN.
        x = Sse.Max(x, Vector128<float>.Zero);
        if (Avx512F.VL.IsSupported) return Avx512F.VL.ConvertToVector128UInt32WithTruncation(x).AsByte();
        // From 2^31 on the signed conversion gives 2^31, and the rest is converted apart: 0 below, 2^31 - 1 if there is more
        // of it, so that the sum is the largest number.
        Vector128<float> rest = x - Vector128.Create(2147483648f);
        Vector128<int> isTooLarge = Vector128.GreaterThanOrEqual(rest, Vector128.Create(2147483648f)).AsInt32();
        Vector128<int> above = Sse2.ConvertToVector128Int32WithTruncation(rest) ^ isTooLarge;
        return (Sse2.ConvertToVector128Int32WithTruncation(x) + Vector128.Max(above, Vector128<int>.Zero)).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I32x4TruncSatF64x2SZero(Vector128<byte> a)
    {
        Vector128<double> x = a.AsDouble();
        if (Sse2.IsSupported)
        {
            // The minimum is its second operand for a NaN, and that is 0 there; what is too small gives the smallest number.
            Vector128<double> most = Vector128.Equals(x, x) & Vector128.Create((double)int.MaxValue);
            return Sse2.ConvertToVector128Int32WithTruncation(Sse2.Min(x, most)).AsByte();
        }
        Vector128<long> wide = Vector128.ConvertToInt64(x);
        return Vector128.NarrowWithSaturation(wide, Vector128<long>.Zero).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I32x4TruncSatF64x2UZero(Vector128<byte> a)
    {
        Vector128<double> x = a.AsDouble();
        if (Sse41.IsSupported)
        {
            // Clamped, NaNs to 0, and truncated; the sum with 2^52 has the integer in its lower half.
            Vector128<double> inside = Sse2.Min(Sse2.Max(x, Vector128<double>.Zero), Vector128.Create((double)uint.MaxValue));
            Vector128<double> whole = Sse41.RoundToZero(inside) + Vector128.Create(Shift52);
            return Sse.Shuffle(whole.AsSingle(), Vector128<float>.Zero, 0x88).AsByte();
        }
        Vector128<ulong> wide = Vector128.ConvertToUInt64(x);
        return Vector128.NarrowWithSaturation(wide, Vector128<ulong>.Zero).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> F64x2ConvertLowI32x4S(Vector128<byte> a) => Sse2.IsSupported
        ? Sse2.ConvertToVector128Double(a.AsInt32()).AsByte()
        : Vector128.ConvertToDouble(Vector128.WidenLower(a.AsInt32())).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> F64x2ConvertLowI32x4U(Vector128<byte> a)
    {
        if (!Sse2.IsSupported) return Vector128.ConvertToDouble(Vector128.WidenLower(a.AsUInt32())).AsByte();
        // The lower half of a number of 2^52.
        Vector128<double> shifted = Sse2.UnpackLow(a.AsUInt32(), Vector128.Create(0x43300000u)).AsDouble();
        return (shifted - Vector128.Create(Shift52)).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> F32x4DemoteF64x2Zero(Vector128<byte> a) => Sse2.IsSupported
        ? Sse2.ConvertToVector128Single(a.AsDouble()).AsByte()
        : Vector128.Narrow(a.AsDouble(), Vector128<double>.Zero).AsByte();
}
