using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>Conversions between numbers that are not one IL instruction (spec 4.3.4).</summary>
internal static class Conversions
{
    // Trapping truncations: each range is open at the values whose truncation no longer fits; NaN fails both compares.

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int I32TruncF32S(float a)
    {
        if (!(a >= -2147483648f && a < 2147483648f)) Fail(a);
        return (int)a;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int I32TruncF32U(float a)
    {
        if (!(a > -1f && a < 4294967296f)) Fail(a);
        return (int)(long)a;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int I32TruncF64S(double a)
    {
        if (!(a > -2147483649.0 && a < 2147483648.0)) Fail(a);
        return (int)a;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int I32TruncF64U(double a)
    {
        if (!(a > -1.0 && a < 4294967296.0)) Fail(a);
        return (int)(long)a;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long I64TruncF32S(float a)
    {
        if (!(a >= -9223372036854775808f && a < 9223372036854775808f)) Fail(a);
        return (long)a;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long I64TruncF32U(float a)
    {
        if (!(a > -1f && a < 18446744073709551616f)) Fail(a);
        return ToUInt64(a);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long I64TruncF64S(double a)
    {
        if (!(a >= -9223372036854775808.0 && a < 9223372036854775808.0)) Fail(a);
        return (long)a;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long I64TruncF64U(double a)
    {
        if (!(a > -1.0 && a < 18446744073709551616.0)) Fail(a);
        return ToUInt64(a);
    }

    private static void Fail(double a)
    {
        if (double.IsNaN(a)) Trap.InvalidConversion();
        Trap.IntegerOverflow();
    }

    /// <summary>Of a number in (-1, 2^64).</summary>
    private static long ToUInt64(double a) =>
        a < 9223372036854775808.0 ? (long)a : (long)(a - 9223372036854775808.0) ^ long.MinValue;

    // Saturating truncations: NaN gives 0.

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int I32TruncSatF32S(float a) => I32TruncSatF64S(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int I32TruncSatF32U(float a) => I32TruncSatF64U(a);

    internal static int I32TruncSatF64S(double a) =>
        a > -2147483649.0 && a < 2147483648.0 ? (int)a : double.IsNaN(a) ? 0 : a < 0 ? int.MinValue : int.MaxValue;

    internal static int I32TruncSatF64U(double a) =>
        a > -1.0 && a < 4294967296.0 ? (int)(long)a : a >= 4294967296.0 ? -1 : 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long I64TruncSatF32S(float a) => I64TruncSatF64S(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long I64TruncSatF32U(float a) => I64TruncSatF64U(a);

    internal static long I64TruncSatF64S(double a) =>
        a >= -9223372036854775808.0 && a < 9223372036854775808.0 ? (long)a : double.IsNaN(a) ? 0 : a < 0 ? long.MinValue : long.MaxValue;

    internal static long I64TruncSatF64U(double a) =>
        a > -1.0 && a < 18446744073709551616.0 ? ToUInt64(a) : a >= 18446744073709551616.0 ? -1 : 0;

    // To floats: IL's conversions go through the wider type where the exact rounding needs one step.

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float F32ConvertI32U(int a) => (uint)a;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float F32ConvertI64S(long a) => a;

    internal static float F32ConvertI64U(long a)
    {
        if (a >= 0) return a;
        // Halve, keeping the lowest bit sticky for the rounding, and double.
        return (float)(long)(((ulong)a >> 1) | ((ulong)a & 1)) * 2f;
    }

    internal static double F64ConvertI64U(long a)
    {
        if (a >= 0) return a;
        return (double)(long)(((ulong)a >> 1) | ((ulong)a & 1)) * 2.0;
    }

    /// <summary>A constant that the JIT must not fold.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static float OpaqueF32(int bits) => BitConverter.Int32BitsToSingle(bits);

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static double OpaqueF64(long bits) => BitConverter.Int64BitsToDouble(bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int I32ReinterpretF32(float a) => BitConverter.SingleToInt32Bits(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long I64ReinterpretF64(double a) => BitConverter.DoubleToInt64Bits(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float F32ReinterpretI32(int a) => BitConverter.Int32BitsToSingle(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static double F64ReinterpretI64(long a) => BitConverter.Int64BitsToDouble(a);
}
