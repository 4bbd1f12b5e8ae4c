using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace WasmJit.Runtime;

/// <summary>
/// Float operators that are not one IL instruction (spec 4.3.3). Sign operators work on bits and keep NaN payloads; all
/// others give quiet NaNs, as the processor's arithmetic does.
/// </summary>
internal static class Floats
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Abs32(float a) => BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(a) & 0x7fffffff);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Neg32(float a) => BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(a) ^ int.MinValue);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Ceil32(float a) => MathF.Ceiling(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Floor32(float a) => MathF.Floor(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Trunc32(float a) => MathF.Truncate(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Nearest32(float a) => MathF.Round(a, MidpointRounding.ToEven);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Sqrt32(float a) => MathF.Sqrt(a);

    /// <summary>The one that is a NaN, made quiet; the JIT would leave out an addition that changes nothing else.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float QuietNaN32(float a, float b) =>
        BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(float.IsNaN(a) ? a : b) | 0x400000);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double QuietNaN64(double a, double b) =>
        BitConverter.Int64BitsToDouble(BitConverter.DoubleToInt64Bits(double.IsNaN(a) ? a : b) | (1L << 51));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Min32(float a, float b)
    {
        if (a < b) return a;
        if (b < a) return b;
        // Equal: -0 before 0. Unordered: a NaN.
        return a == b
            ? BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(a) | BitConverter.SingleToInt32Bits(b))
            : QuietNaN32(a, b);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Max32(float a, float b)
    {
        if (a > b) return a;
        if (b > a) return b;
        return a == b
            ? BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(a) & BitConverter.SingleToInt32Bits(b))
            : QuietNaN32(a, b);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Copysign32(float a, float b) =>
        BitConverter.Int32BitsToSingle(
            (BitConverter.SingleToInt32Bits(a) & int.MaxValue) | (BitConverter.SingleToInt32Bits(b) & int.MinValue));

    /// <summary>
    /// The number itself, a NaN made quiet. Arithmetic with a neutral element gives this, and the JIT would leave that out.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Quiet32(float a) => float.IsNaN(a) ? a + a : a;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static double Quiet64(double a) => double.IsNaN(a) ? a + a : a;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static double Abs64(double a) => BitConverter.Int64BitsToDouble(BitConverter.DoubleToInt64Bits(a) & long.MaxValue);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static double Neg64(double a) => BitConverter.Int64BitsToDouble(BitConverter.DoubleToInt64Bits(a) ^ long.MinValue);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static double Ceil64(double a) => Math.Ceiling(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static double Floor64(double a) => Math.Floor(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static double Trunc64(double a) => Math.Truncate(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static double Nearest64(double a) => Math.Round(a, MidpointRounding.ToEven);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static double Sqrt64(double a) => Math.Sqrt(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static double Min64(double a, double b)
    {
        if (a < b) return a;
        if (b < a) return b;
        return a == b
            ? BitConverter.Int64BitsToDouble(BitConverter.DoubleToInt64Bits(a) | BitConverter.DoubleToInt64Bits(b))
            : QuietNaN64(a, b);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static double Max64(double a, double b)
    {
        if (a > b) return a;
        if (b > a) return b;
        return a == b
            ? BitConverter.Int64BitsToDouble(BitConverter.DoubleToInt64Bits(a) & BitConverter.DoubleToInt64Bits(b))
            : QuietNaN64(a, b);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static double Copysign64(double a, double b) =>
        BitConverter.Int64BitsToDouble(
            (BitConverter.DoubleToInt64Bits(a) & long.MaxValue) | (BitConverter.DoubleToInt64Bits(b) & long.MinValue));

    // RyuJIT keeps every float constant as a double, in which a signalling NaN does not survive, and leaves out arithmetic with a neutral element,
    // which would make one quiet. Numbers that it must not know go through the instance's hidden zero.

    /// <summary>The number itself, as one that the JIT does not know.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Hide32(float a, InstanceCore instance) =>
        (Vector128.CreateScalarUnsafe(a).AsInt32() ^ Vector128.CreateScalarUnsafe(instance.HiddenZero32)).AsSingle().ToScalar();

    /// <summary>The number itself, as one that the JIT does not know.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static double Hide64(double a, InstanceCore instance) =>
        (Vector128.CreateScalarUnsafe(a).AsInt64() ^ Vector128.CreateScalarUnsafe(instance.HiddenZero64)).AsDouble().ToScalar();

    /// <summary>The float of these bits, as one that the JIT does not know.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float HiddenOfBits32(int bits, InstanceCore instance) => BitConverter.Int32BitsToSingle(bits ^ instance.HiddenZero32);

    /// <summary>The double of these bits, as one that the JIT does not know.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static double HiddenOfBits64(long bits, InstanceCore instance) => BitConverter.Int64BitsToDouble(bits ^ instance.HiddenZero64);
}
