using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace WasmJit.Runtime;

/// <summary>Conversions between numbers that are not one IL instruction (spec 4.3.4).</summary>
internal static class Conversions
{
    // The processor's truncations give the smallest integer for everything that does not fit, NaN too. So one comparison of the result finds the
    // cases that need a closer look, out of line.

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Truncate32(float a) => Sse.IsSupported
        ? Sse.ConvertToInt32WithTruncation(Vector128.CreateScalarUnsafe(a))
        : a >= -2147483648f && a < 2147483648f ? (int)a : int.MinValue;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Truncate32(double a) => Sse2.IsSupported
        ? Sse2.ConvertToInt32WithTruncation(Vector128.CreateScalarUnsafe(a))
        : a > -2147483649.0 && a < 2147483648.0 ? (int)a : int.MinValue;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Truncate64(float a) => Sse.X64.IsSupported
        ? Sse.X64.ConvertToInt64WithTruncation(Vector128.CreateScalarUnsafe(a))
        : a >= -9223372036854775808f && a < 9223372036854775808f ? (long)a : long.MinValue;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Truncate64(double a) => Sse2.X64.IsSupported
        ? Sse2.X64.ConvertToInt64WithTruncation(Vector128.CreateScalarUnsafe(a))
        : a >= -9223372036854775808.0 && a < 9223372036854775808.0 ? (long)a : long.MinValue;

    // Trapping truncations: each range is open at the values whose truncation no longer fits; NaN fails both compares.

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int I32TruncF32S(float a)
    {
        int result = Truncate32(a);
        return result != int.MinValue ? result : Smallest32(a);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int I32TruncF32U(float a)
    {
        if (!(a > -1f && a < 4294967296f)) Fail(a);
        return (int)Truncate64(a);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int I32TruncF64S(double a)
    {
        int result = Truncate32(a);
        return result != int.MinValue ? result : Smallest32(a);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int I32TruncF64U(double a)
    {
        if (!(a > -1.0 && a < 4294967296.0)) Fail(a);
        return (int)Truncate64(a);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long I64TruncF32S(float a)
    {
        long result = Truncate64(a);
        return result != long.MinValue ? result : Smallest64(a);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long I64TruncF32U(float a) => a >= 0f && a < 9223372036854775808f ? Truncate64(a) : Rare64U(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long I64TruncF64S(double a)
    {
        long result = Truncate64(a);
        return result != long.MinValue ? result : Smallest64(a);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long I64TruncF64U(double a) => a >= 0.0 && a < 9223372036854775808.0 ? Truncate64(a) : Rare64U(a);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Smallest32(double a)
    {
        if (!(a > -2147483649.0 && a < 0.0)) Fail(a);
        return int.MinValue;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Smallest64(double a)
    {
        if (a != -9223372036854775808.0) Fail(a);
        return long.MinValue;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Rare64U(double a)
    {
        if (!(a > -1.0 && a < 18446744073709551616.0)) Fail(a);
        return ToUInt64(a);
    }

    private static void Fail(double a)
    {
        if (double.IsNaN(a)) Trap.InvalidConversion();
        Trap.IntegerOverflow();
    }

    /// <summary>Converts a number in (-1, 2^64).</summary>
    private static long ToUInt64(double a) =>
        a < 9223372036854775808.0 ? (long)a : (long)(a - 9223372036854775808.0) ^ long.MinValue;

    // Saturating truncations: NaN gives 0.

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int I32TruncSatF32S(float a)
    {
        int result = Truncate32(a);
        return result != int.MinValue ? result : Saturate32(a);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int I32TruncSatF32U(float a) => a >= 0f && a < 4294967296f ? (int)Truncate64(a) : a > 0f ? -1 : 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int I32TruncSatF64S(double a)
    {
        int result = Truncate32(a);
        return result != int.MinValue ? result : Saturate32(a);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int I32TruncSatF64U(double a) => a >= 0.0 && a < 4294967296.0 ? (int)Truncate64(a) : a > 0.0 ? -1 : 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long I64TruncSatF32S(float a)
    {
        long result = Truncate64(a);
        return result != long.MinValue ? result : Saturate64(a);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long I64TruncSatF32U(float a) => a >= 0f && a < 9223372036854775808f ? Truncate64(a) : Saturate64U(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long I64TruncSatF64S(double a)
    {
        long result = Truncate64(a);
        return result != long.MinValue ? result : Saturate64(a);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long I64TruncSatF64U(double a) => a >= 0.0 && a < 9223372036854775808.0 ? Truncate64(a) : Saturate64U(a);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Saturate32(double a) => double.IsNaN(a) ? 0 : a < 0 ? int.MinValue : int.MaxValue;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Saturate64(double a) => double.IsNaN(a) ? 0 : a < 0 ? long.MinValue : long.MaxValue;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Saturate64U(double a) => a >= 18446744073709551616.0 ? -1 : a > 0.0 ? ToUInt64(a) : 0;

    // To floats: IL's conversions go through the wider type where the exact rounding needs one step.

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float F32ConvertI32U(int a) => (uint)a;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float F32ConvertI64S(long a) => a;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float F32ConvertI64U(long a) => a >= 0 ? a : Large32(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static double F64ConvertI64U(long a) => a >= 0 ? a : Large64(a);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float Large32(long a)
    {
        // Halve, keeping the lowest bit sticky for the rounding, and double.
        return (float)(long)(((ulong)a >> 1) | ((ulong)a & 1)) * 2f;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static double Large64(long a)
    {
        return (double)(long)(((ulong)a >> 1) | ((ulong)a & 1)) * 2.0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int I32ReinterpretF32(float a) => BitConverter.SingleToInt32Bits(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long I64ReinterpretF64(double a) => BitConverter.DoubleToInt64Bits(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float F32ReinterpretI32(int a) => BitConverter.Int32BitsToSingle(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static double F64ReinterpretI64(long a) => BitConverter.Int64BitsToDouble(a);
}
