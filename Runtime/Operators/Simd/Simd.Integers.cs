using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace WasmJit.Runtime;

/// <summary>
/// The operators on vectors that are not one method of <see cref="Vector128"/> (spec 4.3.5); the others are called as they
/// are, as their rows of the table say. Each has a path for x64, where that is shorter, and one for every processor.
/// </summary>
internal static partial class Simd
{
    /// <summary>Keeps a loaded vector whole: the JIT narrows a load of which only some lanes are read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> Whole(Vector128<byte> value, InstanceCore instance)
    {
        Keep(instance, value);
        return value;
    }

    /// <summary>Stores a loaded vector that may not be read otherwise, so that the JIT keeps the load.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Keep(InstanceCore instance, Vector128<byte> value) => Unsafe.As<ScratchVector, Vector128<byte>>(ref instance.Scratch128) = value;

    // ---- tests ----

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int AsInt(bool value) => Unsafe.BitCast<bool, byte>(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int V128AnyTrue(Vector128<byte> a) => AsInt(a != Vector128<byte>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int I8x16AllTrue(Vector128<byte> a) => AllTrue<byte>(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int I16x8AllTrue(Vector128<byte> a) => AllTrue<short>(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int I32x4AllTrue(Vector128<byte> a) => AllTrue<int>(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int I64x2AllTrue(Vector128<byte> a) => AllTrue<long>(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int AllTrue<T>(Vector128<byte> a)
        where T : struct => AsInt(Vector128.Equals(a.As<byte, T>(), Vector128<T>.Zero) == Vector128<T>.Zero);

    // ---- bits ----

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> V128Bitselect(Vector128<byte> a, Vector128<byte> b, Vector128<byte> mask) =>
        Vector128.ConditionalSelect(mask, a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I8x16Popcnt(Vector128<byte> a)
    {
        if (AdvSimd.IsSupported) return AdvSimd.PopCount(a);
        if (Ssse3.IsSupported)
        {
            Vector128<byte> counts = Vector128.Create((byte)0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
            Vector128<byte> low = a & Vector128.Create((byte)15);
            Vector128<byte> high = (a.AsUInt16() >>> 4).AsByte() & Vector128.Create((byte)15);
            return Ssse3.Shuffle(counts, low) + Ssse3.Shuffle(counts, high);
        }
        a -= (a >>> 1) & Vector128.Create((byte)0x55);
        a = (a & Vector128.Create((byte)0x33)) + ((a >>> 2) & Vector128.Create((byte)0x33));
        return (a + (a >>> 4)) & Vector128.Create((byte)15);
    }

    /// <summary>The sign spread over a number: without an instruction of its own on most x64 processors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I64x2Abs(Vector128<byte> a)
    {
        Vector128<long> x = a.AsInt64();
        if (!Sse42.IsSupported || Avx512F.VL.IsSupported) return Vector128.Abs(x).AsByte();
        Vector128<long> sign = Vector128.LessThan(x, Vector128<long>.Zero);
        return ((x ^ sign) - sign).AsByte();
    }

    // ---- shifts that x64 lacks ----

    // A sign bit moved along with the others, turned and subtracted, fills the places above it.

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I64x2ShrS(Vector128<byte> a, int count)
    {
        if (!Sse2.IsSupported || Avx512F.VL.IsSupported) return (a.AsInt64() >> count).AsByte();
        Vector128<ulong> sign = Vector128.Create(1UL << 63) >>> count;
        return (((a.AsUInt64() >>> count) ^ sign) - sign).AsByte();
    }

    /// <summary>By a constant, which the emitter has reduced.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I8x16ShrSConstant(Vector128<byte> a, int count)
    {
        if (!Sse2.IsSupported) return (a.AsSByte() >> count).AsByte();
        Vector128<byte> sign = Vector128.Create((byte)(0x80 >> count));
        return ((a >>> count) ^ sign) - sign;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I8x16ShrS(Vector128<byte> a, int count)
    {
        if (!Sse2.IsSupported) return (a.AsSByte() >> count).AsByte();
        // Each byte becomes the upper half of a lane of 16 bits.
        Vector128<short> low = Sse2.UnpackLow(a, a).AsInt16(), high = Sse2.UnpackHigh(a, a).AsInt16();
        Vector128<short> by = Vector128.CreateScalar((count & 7) + 8).AsInt16();
        return Sse2.PackSignedSaturate(Sse2.ShiftRightArithmetic(low, by), Sse2.ShiftRightArithmetic(high, by)).AsByte();
    }

    // ---- upper halves widened ----

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I16x8ExtendHighI8x16U(Vector128<byte> a) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(a, Vector128<byte>.Zero) : Vector128.WidenUpper(a).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I32x4ExtendHighI16x8U(Vector128<byte> a) => Sse2.IsSupported
        ? Sse2.UnpackHigh(a.AsUInt16(), Vector128<ushort>.Zero).AsByte()
        : Vector128.WidenUpper(a.AsUInt16()).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I64x2ExtendHighI32x4U(Vector128<byte> a) => Sse2.IsSupported
        ? Sse2.UnpackHigh(a.AsUInt32(), Vector128<uint>.Zero).AsByte()
        : Vector128.WidenUpper(a.AsUInt32()).AsByte();

    // ---- averages and products ----

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I8x16AvgrU(Vector128<byte> a, Vector128<byte> b)
    {
        if (Sse2.IsSupported) return Sse2.Average(a, b);
        if (AdvSimd.IsSupported) return AdvSimd.FusedAddRoundedHalving(a, b);
        return (a | b) - ((a ^ b) >>> 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I16x8AvgrU(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<ushort> x = a.AsUInt16(), y = b.AsUInt16();
        if (Sse2.IsSupported) return Sse2.Average(x, y).AsByte();
        if (AdvSimd.IsSupported) return AdvSimd.FusedAddRoundedHalving(x, y).AsByte();
        return ((x | y) - ((x ^ y) >>> 1)).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I16x8Q15mulrSatS(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<short> x = a.AsInt16(), y = b.AsInt16();
        if (AdvSimd.IsSupported) return AdvSimd.MultiplyRoundedDoublingSaturateHigh(x, y).AsByte();
        if (Ssse3.IsSupported)
        {
            // Only -1 · -1 overflows, to the smallest number; its bits turned round are the largest.
            Vector128<short> product = Ssse3.MultiplyHighRoundScale(x, y);
            return (product ^ Vector128.Equals(product, Vector128.Create(short.MinValue))).AsByte();
        }
        Vector128<int> half = Vector128.Create(0x4000);
        return Vector128.NarrowWithSaturation(
            ((Vector128.WidenLower(x) * Vector128.WidenLower(y)) + half) >> 15,
            ((Vector128.WidenUpper(x) * Vector128.WidenUpper(y)) + half) >> 15).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I32x4DotI16x8S(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<short> x = a.AsInt16(), y = b.AsInt16();
        if (Sse2.IsSupported) return Sse2.MultiplyAddAdjacent(x, y).AsByte();
        return AddPairs(Vector128.WidenLower(x) * Vector128.WidenLower(y), Vector128.WidenUpper(x) * Vector128.WidenUpper(y));
    }

    /// <summary>The sums of neighbours: two from each half of each vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> AddPairs(Vector128<int> low, Vector128<int> high)
    {
        if (AdvSimd.Arm64.IsSupported) return AdvSimd.Arm64.AddPairwise(low, high).AsByte();
        return Vector128.Narrow(
            low.AsInt64() + (low.AsInt64() >>> 32), high.AsInt64() + (high.AsInt64() >>> 32)).AsByte();
    }

    // ---- sums of neighbours, twice as wide ----

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I16x8ExtaddPairwiseI8x16S(Vector128<byte> a)
    {
        if (Ssse3.IsSupported) return Ssse3.MultiplyAddAdjacent(Vector128<byte>.One, a.AsSByte()).AsByte();
        if (AdvSimd.IsSupported) return AdvSimd.AddPairwiseWidening(a.AsSByte()).AsByte();
        return (((a.AsInt16() << 8) >> 8) + (a.AsInt16() >> 8)).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I16x8ExtaddPairwiseI8x16U(Vector128<byte> a)
    {
        if (Ssse3.IsSupported) return Ssse3.MultiplyAddAdjacent(a, Vector128<sbyte>.One).AsByte();
        if (AdvSimd.IsSupported) return AdvSimd.AddPairwiseWidening(a).AsByte();
        return ((a.AsUInt16() & Vector128.Create((ushort)0xff)) + (a.AsUInt16() >>> 8)).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I32x4ExtaddPairwiseI16x8S(Vector128<byte> a)
    {
        if (Sse2.IsSupported) return Sse2.MultiplyAddAdjacent(a.AsInt16(), Vector128<short>.One).AsByte();
        if (AdvSimd.IsSupported) return AdvSimd.AddPairwiseWidening(a.AsInt16()).AsByte();
        return (((a.AsInt32() << 16) >> 16) + (a.AsInt32() >> 16)).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I32x4ExtaddPairwiseI16x8U(Vector128<byte> a)
    {
        if (AdvSimd.IsSupported) return AdvSimd.AddPairwiseWidening(a.AsUInt16()).AsByte();
        return ((a.AsUInt32() & Vector128.Create(0xffffu)) + (a.AsUInt32() >>> 16)).AsByte();
    }

    // ---- products, twice as wide ----

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I16x8ExtmulLowI8x16S(Vector128<byte> a, Vector128<byte> b) =>
        (Vector128.WidenLower(a.AsSByte()) * Vector128.WidenLower(b.AsSByte())).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I16x8ExtmulHighI8x16S(Vector128<byte> a, Vector128<byte> b) =>
        (Vector128.WidenUpper(a.AsSByte()) * Vector128.WidenUpper(b.AsSByte())).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I16x8ExtmulLowI8x16U(Vector128<byte> a, Vector128<byte> b) =>
        (Vector128.WidenLower(a) * Vector128.WidenLower(b)).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I16x8ExtmulHighI8x16U(Vector128<byte> a, Vector128<byte> b) =>
        (I16x8ExtendHighI8x16U(a).AsUInt16() * I16x8ExtendHighI8x16U(b).AsUInt16()).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I32x4ExtmulLowI16x8S(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<short> x = a.AsInt16(), y = b.AsInt16();
        return Sse2.IsSupported
            ? Sse2.UnpackLow(Sse2.MultiplyLow(x, y), Sse2.MultiplyHigh(x, y)).AsByte()
            : (Vector128.WidenLower(x) * Vector128.WidenLower(y)).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I32x4ExtmulHighI16x8S(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<short> x = a.AsInt16(), y = b.AsInt16();
        return Sse2.IsSupported
            ? Sse2.UnpackHigh(Sse2.MultiplyLow(x, y), Sse2.MultiplyHigh(x, y)).AsByte()
            : (Vector128.WidenUpper(x) * Vector128.WidenUpper(y)).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I32x4ExtmulLowI16x8U(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<ushort> x = a.AsUInt16(), y = b.AsUInt16();
        return Sse2.IsSupported
            ? Sse2.UnpackLow(Sse2.MultiplyLow(x, y), Sse2.MultiplyHigh(x, y)).AsByte()
            : (Vector128.WidenLower(x) * Vector128.WidenLower(y)).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I32x4ExtmulHighI16x8U(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<ushort> x = a.AsUInt16(), y = b.AsUInt16();
        return Sse2.IsSupported
            ? Sse2.UnpackHigh(Sse2.MultiplyLow(x, y), Sse2.MultiplyHigh(x, y)).AsByte()
            : (Vector128.WidenUpper(x) * Vector128.WidenUpper(y)).AsByte();
    }

    // The processor multiplies the even lanes of 32 bits.

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I64x2ExtmulLowI32x4S(Vector128<byte> a, Vector128<byte> b) => Sse41.IsSupported
        ? Sse41.Multiply(Sse2.Shuffle(a.AsInt32(), 0x50), Sse2.Shuffle(b.AsInt32(), 0x50)).AsByte()
        : (Vector128.WidenLower(a.AsInt32()) * Vector128.WidenLower(b.AsInt32())).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I64x2ExtmulHighI32x4S(Vector128<byte> a, Vector128<byte> b) => Sse41.IsSupported
        ? Sse41.Multiply(Sse2.Shuffle(a.AsInt32(), 0xfa), Sse2.Shuffle(b.AsInt32(), 0xfa)).AsByte()
        : (Vector128.WidenUpper(a.AsInt32()) * Vector128.WidenUpper(b.AsInt32())).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I64x2ExtmulLowI32x4U(Vector128<byte> a, Vector128<byte> b) => Sse2.IsSupported
        ? Sse2.Multiply(Sse2.Shuffle(a.AsUInt32(), 0x50), Sse2.Shuffle(b.AsUInt32(), 0x50)).AsByte()
        : (Vector128.WidenLower(a.AsUInt32()) * Vector128.WidenLower(b.AsUInt32())).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I64x2ExtmulHighI32x4U(Vector128<byte> a, Vector128<byte> b) => Sse2.IsSupported
        ? Sse2.Multiply(Sse2.Shuffle(a.AsUInt32(), 0xfa), Sse2.Shuffle(b.AsUInt32(), 0xfa)).AsByte()
        : (Vector128.WidenUpper(a.AsUInt32()) * Vector128.WidenUpper(b.AsUInt32())).AsByte();

    // ---- narrowing of signed numbers to unsigned ----

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I8x16NarrowI16x8U(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<short> x = a.AsInt16(), y = b.AsInt16();
        if (Sse2.IsSupported) return Sse2.PackUnsignedSaturate(x, y);
        if (AdvSimd.IsSupported)
            return AdvSimd.ExtractNarrowingSaturateUnsignedUpper(AdvSimd.ExtractNarrowingSaturateUnsignedLower(x), y);
        Vector128<short> most = Vector128.Create((short)byte.MaxValue);
        return Vector128.Narrow(
            Vector128.Min(Vector128.Max(x, Vector128<short>.Zero), most).AsUInt16(),
            Vector128.Min(Vector128.Max(y, Vector128<short>.Zero), most).AsUInt16());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I16x8NarrowI32x4U(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<int> x = a.AsInt32(), y = b.AsInt32();
        if (Sse41.IsSupported) return Sse41.PackUnsignedSaturate(x, y).AsByte();
        if (AdvSimd.IsSupported)
        {
            return AdvSimd.ExtractNarrowingSaturateUnsignedUpper(
                AdvSimd.ExtractNarrowingSaturateUnsignedLower(x), y).AsByte();
        }
        Vector128<int> most = Vector128.Create((int)ushort.MaxValue);
        return Vector128.Narrow(
            Vector128.Min(Vector128.Max(x, Vector128<int>.Zero), most).AsUInt32(),
            Vector128.Min(Vector128.Max(y, Vector128<int>.Zero), most).AsUInt32()).AsByte();
    }
}
