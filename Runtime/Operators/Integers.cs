using System.Numerics;
using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>Integer operators that are not one IL instruction (spec 4.3.2).</summary>
internal static class Integers
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Clz32(int a) => BitOperations.LeadingZeroCount((uint)a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Ctz32(int a) => BitOperations.TrailingZeroCount(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Popcnt32(int a) => BitOperations.PopCount((uint)a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long Clz64(long a) => BitOperations.LeadingZeroCount((ulong)a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long Ctz64(long a) => BitOperations.TrailingZeroCount(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long Popcnt64(long a) => BitOperations.PopCount((ulong)a);

    // Division compares before the processor does: another native engine in the process may take the processor's signal and not give it back. MIN %
    // -1, for which there would be a signal too, is 0.

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int DivS32(int a, int b)
    {
        if (b == 0) Trap.IntegerDivideByZero();
        if (b == -1 && a == int.MinValue) Trap.IntegerOverflow();
        return a / b;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int DivU32(int a, int b)
    {
        if (b == 0) Trap.IntegerDivideByZero();
        return (int)((uint)a / (uint)b);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int RemS32(int a, int b)
    {
        if (b == 0) Trap.IntegerDivideByZero();
        return b == -1 ? 0 : a % b;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int RemU32(int a, int b)
    {
        if (b == 0) Trap.IntegerDivideByZero();
        return (int)((uint)a % (uint)b);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long DivS64(long a, long b)
    {
        if (b == 0) Trap.IntegerDivideByZero();
        if (b == -1 && a == long.MinValue) Trap.IntegerOverflow();
        return a / b;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long DivU64(long a, long b)
    {
        if (b == 0) Trap.IntegerDivideByZero();
        return (long)((ulong)a / (ulong)b);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long RemS64(long a, long b)
    {
        if (b == 0) Trap.IntegerDivideByZero();
        return b == -1 ? 0 : a % b;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long RemU64(long a, long b)
    {
        if (b == 0) Trap.IntegerDivideByZero();
        return (long)((ulong)a % (ulong)b);
    }

    // Two shifts, which RyuJIT makes one instruction unless it knows both numbers. The rotations of BitOperations are an operator of
    // RyuJIT from the start, and .NET 10 extends the sign wrongly where it computes that operator for constants of 32 bits.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Rotl32(int a, int b) => (int)(((uint)a << b) | ((uint)a >> (32 - b)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Rotr32(int a, int b) => (int)(((uint)a >> b) | ((uint)a << (32 - b)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long Rotl64(long a, long b) => (long)BitOperations.RotateLeft((ulong)a, (int)b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long Rotr64(long a, long b) => (long)BitOperations.RotateRight((ulong)a, (int)b);

    // wide-arithmetic: two results, low half first

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static (long, long) Add128(long aLow, long aHigh, long bLow, long bHigh)
    {
        ulong low = (ulong)aLow + (ulong)bLow;
        return ((long)low, aHigh + bHigh + (low < (ulong)aLow ? 1 : 0));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static (long, long) Sub128(long aLow, long aHigh, long bLow, long bHigh) =>
        (aLow - bLow, aHigh - bHigh - ((ulong)aLow < (ulong)bLow ? 1 : 0));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static (long, long) MulWideS(long a, long b)
    {
        long high = Math.BigMul(a, b, out long low);
        return (low, high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static (long, long) MulWideU(long a, long b)
    {
        ulong high = Math.BigMul((ulong)a, (ulong)b, out ulong low);
        return ((long)low, (long)high);
    }
}
