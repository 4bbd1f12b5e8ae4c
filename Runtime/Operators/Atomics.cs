using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>
/// Atomic operators (threads, Overview.md), one method a row. Sequentially consistent: loads are acquiring, everything that writes is
/// a locked instruction. Adding, exchanging and comparing are one each; what the processor has none for is a loop of compare
/// and exchange. The address is native: base, index and offset, bounds left to the guard pages or checked before.
/// </summary>
/// <remarks>Unsafe: the address is the emitter's, inside the memory or in its guard; the memory is alive while its code runs.</remarks>
internal static unsafe class Atomics
{
    private interface IChange
    {
        static abstract ulong Apply(ulong old, ulong operand);
    }

    private struct Add : IChange
    {
        public static ulong Apply(ulong old, ulong operand) => old + operand;
    }

    private struct Sub : IChange
    {
        public static ulong Apply(ulong old, ulong operand) => old - operand;
    }

    private struct And : IChange
    {
        public static ulong Apply(ulong old, ulong operand) => old & operand;
    }

    private struct Or : IChange
    {
        public static ulong Apply(ulong old, ulong operand) => old | operand;
    }

    private struct Xor : IChange
    {
        public static ulong Apply(ulong old, ulong operand) => old ^ operand;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Align(byte* at, uint mask)
    {
        if (((uint)at & mask) != 0) Trap.UnalignedAtomic();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte Load8(byte* at)
    {
        return Volatile.Read(ref *(byte*)at);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte Exchange8(byte* at, byte value)
    {
        return Interlocked.Exchange(ref *(byte*)at, value);
    }

    /// <summary>The expected value is compared whole: one that the width cannot hold is never there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte CompareExchange8(byte* at, ulong expected, byte replacement)
    {
        if (expected > byte.MaxValue) return Volatile.Read(ref *(byte*)at);
        return Interlocked.CompareExchange(ref *(byte*)at, replacement, (byte)expected);
    }

    private static byte Change8<T>(byte* at, byte operand)
        where T : struct, IChange
    {
        byte old = Volatile.Read(ref *(byte*)at);
        while (true)
        {
            byte found = Interlocked.CompareExchange(ref *(byte*)at, (byte)T.Apply(old, operand), old);
            if (found == old) return old;
            old = found;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ushort Load16(byte* at)
    {
        Align(at, 1);
        return Volatile.Read(ref *(ushort*)at);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ushort Exchange16(byte* at, ushort value)
    {
        Align(at, 1);
        return Interlocked.Exchange(ref *(ushort*)at, value);
    }

    /// <summary>The expected value is compared whole: one that the width cannot hold is never there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ushort CompareExchange16(byte* at, ulong expected, ushort replacement)
    {
        Align(at, 1);
        if (expected > ushort.MaxValue) return Volatile.Read(ref *(ushort*)at);
        return Interlocked.CompareExchange(ref *(ushort*)at, replacement, (ushort)expected);
    }

    private static ushort Change16<T>(byte* at, ushort operand)
        where T : struct, IChange
    {
        Align(at, 1);
        ushort old = Volatile.Read(ref *(ushort*)at);
        while (true)
        {
            ushort found = Interlocked.CompareExchange(ref *(ushort*)at, (ushort)T.Apply(old, operand), old);
            if (found == old) return old;
            old = found;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Load32(byte* at)
    {
        Align(at, 3);
        return Volatile.Read(ref *(uint*)at);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Exchange32(byte* at, uint value)
    {
        Align(at, 3);
        return Interlocked.Exchange(ref *(uint*)at, value);
    }

    /// <summary>The expected value is compared whole: one that the width cannot hold is never there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint CompareExchange32(byte* at, ulong expected, uint replacement)
    {
        Align(at, 3);
        if (expected > uint.MaxValue) return Volatile.Read(ref *(uint*)at);
        return Interlocked.CompareExchange(ref *(uint*)at, replacement, (uint)expected);
    }

    private static uint Change32<T>(byte* at, uint operand)
        where T : struct, IChange
    {
        Align(at, 3);
        uint old = Volatile.Read(ref *(uint*)at);
        while (true)
        {
            uint found = Interlocked.CompareExchange(ref *(uint*)at, (uint)T.Apply(old, operand), old);
            if (found == old) return old;
            old = found;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Load64(byte* at)
    {
        Align(at, 7);
        return Volatile.Read(ref *(ulong*)at);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Exchange64(byte* at, ulong value)
    {
        Align(at, 7);
        return Interlocked.Exchange(ref *(ulong*)at, value);
    }

    /// <summary>The expected value is compared whole: one that the width cannot hold is never there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong CompareExchange64(byte* at, ulong expected, ulong replacement)
    {
        Align(at, 7);
        return Interlocked.CompareExchange(ref *(ulong*)at, replacement, expected);
    }

    private static ulong Change64<T>(byte* at, ulong operand)
        where T : struct, IChange
    {
        Align(at, 7);
        ulong old = Volatile.Read(ref *(ulong*)at);
        while (true)
        {
            ulong found = Interlocked.CompareExchange(ref *(ulong*)at, (ulong)T.Apply(old, operand), old);
            if (found == old) return old;
            old = found;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Add32(byte* at, int operand)
    {
        Align(at, 3);
        return (uint)(Interlocked.Add(ref *(int*)at, operand) - operand);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Add64(byte* at, long operand)
    {
        Align(at, 7);
        return (ulong)(Interlocked.Add(ref *(long*)at, operand) - operand);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint And32(byte* at, uint operand)
    {
        Align(at, 3);
        return Interlocked.And(ref *(uint*)at, operand);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong And64(byte* at, ulong operand)
    {
        Align(at, 7);
        return Interlocked.And(ref *(ulong*)at, operand);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Or32(byte* at, uint operand)
    {
        Align(at, 3);
        return Interlocked.Or(ref *(uint*)at, operand);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Or64(byte* at, ulong operand)
    {
        Align(at, 7);
        return Interlocked.Or(ref *(ulong*)at, operand);
    }

    // ---- load and store ----

    internal static int I32AtomicLoad(byte* at) => (int)Load32(at);

    internal static long I64AtomicLoad(byte* at) => (long)Load64(at);

    internal static int I32AtomicLoad8U(byte* at) => (int)Load8(at);

    internal static int I32AtomicLoad16U(byte* at) => (int)Load16(at);

    internal static long I64AtomicLoad8U(byte* at) => (long)Load8(at);

    internal static long I64AtomicLoad16U(byte* at) => (long)Load16(at);

    internal static long I64AtomicLoad32U(byte* at) => (long)Load32(at);

    internal static void I32AtomicStore(byte* at, int value) => Exchange32(at, (uint)value);

    internal static void I64AtomicStore(byte* at, long value) => Exchange64(at, (ulong)value);

    internal static void I32AtomicStore8(byte* at, int value) => Exchange8(at, (byte)value);

    internal static void I32AtomicStore16(byte* at, int value) => Exchange16(at, (ushort)value);

    internal static void I64AtomicStore8(byte* at, long value) => Exchange8(at, (byte)value);

    internal static void I64AtomicStore16(byte* at, long value) => Exchange16(at, (ushort)value);

    internal static void I64AtomicStore32(byte* at, long value) => Exchange32(at, (uint)value);

    // ---- add ----

    internal static int I32AtomicRmwAdd(byte* at, int value) => (int)Add32(at, value);

    internal static long I64AtomicRmwAdd(byte* at, long value) => (long)Add64(at, value);

    internal static int I32AtomicRmw8AddU(byte* at, int value) => (int)Change8<Add>(at, (byte)value);

    internal static int I32AtomicRmw16AddU(byte* at, int value) => (int)Change16<Add>(at, (ushort)value);

    internal static long I64AtomicRmw8AddU(byte* at, long value) => (long)Change8<Add>(at, (byte)value);

    internal static long I64AtomicRmw16AddU(byte* at, long value) => (long)Change16<Add>(at, (ushort)value);

    internal static long I64AtomicRmw32AddU(byte* at, long value) => (long)Add32(at, (int)value);

    // ---- sub ----

    internal static int I32AtomicRmwSub(byte* at, int value) => (int)Add32(at, -value);

    internal static long I64AtomicRmwSub(byte* at, long value) => (long)Add64(at, -value);

    internal static int I32AtomicRmw8SubU(byte* at, int value) => (int)Change8<Sub>(at, (byte)value);

    internal static int I32AtomicRmw16SubU(byte* at, int value) => (int)Change16<Sub>(at, (ushort)value);

    internal static long I64AtomicRmw8SubU(byte* at, long value) => (long)Change8<Sub>(at, (byte)value);

    internal static long I64AtomicRmw16SubU(byte* at, long value) => (long)Change16<Sub>(at, (ushort)value);

    internal static long I64AtomicRmw32SubU(byte* at, long value) => (long)Add32(at, -(int)value);

    // ---- and ----

    internal static int I32AtomicRmwAnd(byte* at, int value) => (int)And32(at, (uint)value);

    internal static long I64AtomicRmwAnd(byte* at, long value) => (long)And64(at, (ulong)value);

    internal static int I32AtomicRmw8AndU(byte* at, int value) => (int)Change8<And>(at, (byte)value);

    internal static int I32AtomicRmw16AndU(byte* at, int value) => (int)Change16<And>(at, (ushort)value);

    internal static long I64AtomicRmw8AndU(byte* at, long value) => (long)Change8<And>(at, (byte)value);

    internal static long I64AtomicRmw16AndU(byte* at, long value) => (long)Change16<And>(at, (ushort)value);

    internal static long I64AtomicRmw32AndU(byte* at, long value) => (long)And32(at, (uint)value);

    // ---- or ----

    internal static int I32AtomicRmwOr(byte* at, int value) => (int)Or32(at, (uint)value);

    internal static long I64AtomicRmwOr(byte* at, long value) => (long)Or64(at, (ulong)value);

    internal static int I32AtomicRmw8OrU(byte* at, int value) => (int)Change8<Or>(at, (byte)value);

    internal static int I32AtomicRmw16OrU(byte* at, int value) => (int)Change16<Or>(at, (ushort)value);

    internal static long I64AtomicRmw8OrU(byte* at, long value) => (long)Change8<Or>(at, (byte)value);

    internal static long I64AtomicRmw16OrU(byte* at, long value) => (long)Change16<Or>(at, (ushort)value);

    internal static long I64AtomicRmw32OrU(byte* at, long value) => (long)Or32(at, (uint)value);

    // ---- xor ----

    internal static int I32AtomicRmwXor(byte* at, int value) => (int)Change32<Xor>(at, (uint)value);

    internal static long I64AtomicRmwXor(byte* at, long value) => (long)Change64<Xor>(at, (ulong)value);

    internal static int I32AtomicRmw8XorU(byte* at, int value) => (int)Change8<Xor>(at, (byte)value);

    internal static int I32AtomicRmw16XorU(byte* at, int value) => (int)Change16<Xor>(at, (ushort)value);

    internal static long I64AtomicRmw8XorU(byte* at, long value) => (long)Change8<Xor>(at, (byte)value);

    internal static long I64AtomicRmw16XorU(byte* at, long value) => (long)Change16<Xor>(at, (ushort)value);

    internal static long I64AtomicRmw32XorU(byte* at, long value) => (long)Change32<Xor>(at, (uint)value);

    // ---- xchg ----

    internal static int I32AtomicRmwXchg(byte* at, int value) => (int)Exchange32(at, (uint)value);

    internal static long I64AtomicRmwXchg(byte* at, long value) => (long)Exchange64(at, (ulong)value);

    internal static int I32AtomicRmw8XchgU(byte* at, int value) => (int)Exchange8(at, (byte)value);

    internal static int I32AtomicRmw16XchgU(byte* at, int value) => (int)Exchange16(at, (ushort)value);

    internal static long I64AtomicRmw8XchgU(byte* at, long value) => (long)Exchange8(at, (byte)value);

    internal static long I64AtomicRmw16XchgU(byte* at, long value) => (long)Exchange16(at, (ushort)value);

    internal static long I64AtomicRmw32XchgU(byte* at, long value) => (long)Exchange32(at, (uint)value);

    // ---- compare and exchange ----

    internal static int I32AtomicRmwCmpxchg(byte* at, int expected, int replacement)
    {
        Align(at, 3);
        return Interlocked.CompareExchange(ref *(int*)at, replacement, expected);
    }

    internal static long I64AtomicRmwCmpxchg(byte* at, long expected, long replacement) =>
        (long)CompareExchange64(at, (ulong)expected, (ulong)replacement);

    internal static int I32AtomicRmw8CmpxchgU(byte* at, int expected, int replacement) =>
        (int)CompareExchange8(at, (uint)expected, (byte)replacement);

    internal static int I32AtomicRmw16CmpxchgU(byte* at, int expected, int replacement) =>
        (int)CompareExchange16(at, (uint)expected, (ushort)replacement);

    internal static long I64AtomicRmw8CmpxchgU(byte* at, long expected, long replacement) =>
        (long)CompareExchange8(at, (ulong)expected, (byte)replacement);

    internal static long I64AtomicRmw16CmpxchgU(byte* at, long expected, long replacement) =>
        (long)CompareExchange16(at, (ulong)expected, (ushort)replacement);

    internal static long I64AtomicRmw32CmpxchgU(byte* at, long expected, long replacement) =>
        (long)CompareExchange32(at, (ulong)expected, (uint)replacement);
}
