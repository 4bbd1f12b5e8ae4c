using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace WasmJit.Runtime;

/// <summary>
/// Relaxed operators (spec 4.3.6). Each has one meaning for all of a processor's architecture, whatever its extensions: on x64
/// that of the one instruction where there is one, elsewhere that of the operator it relaxes.
/// </summary>
internal static partial class Simd
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I8x16RelaxedSwizzle(Vector128<byte> a, Vector128<byte> indices) =>
        Ssse3.IsSupported ? Ssse3.Shuffle(a, indices) : I8x16Swizzle(a, indices);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I32x4RelaxedTruncF32x4S(Vector128<byte> a) => Sse2.IsSupported
        ? Sse2.ConvertToVector128Int32WithTruncation(a.AsSingle()).AsByte()
        : Vector128.ConvertToInt32(a.AsSingle()).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I32x4RelaxedTruncF64x2SZero(Vector128<byte> a) => Sse2.IsSupported
        ? Sse2.ConvertToVector128Int32WithTruncation(a.AsDouble()).AsByte()
        : I32x4TruncSatF64x2SZero(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> F32x4RelaxedNmadd(Vector128<byte> a, Vector128<byte> b, Vector128<byte> c) =>
        Vector128.FusedMultiplyAdd(-a.AsSingle(), b.AsSingle(), c.AsSingle()).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> F64x2RelaxedNmadd(Vector128<byte> a, Vector128<byte> b, Vector128<byte> c) =>
        Vector128.FusedMultiplyAdd(-a.AsDouble(), b.AsDouble(), c.AsDouble()).AsByte();

    // Lanes by the topmost bit of the mask's; of 16 bits by that of each byte, as the processor has no other.

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I8x16RelaxedLaneselect(Vector128<byte> a, Vector128<byte> b, Vector128<byte> mask) =>
        Sse41.IsSupported ? Sse41.BlendVariable(b, a, mask) : Vector128.ConditionalSelect(mask, a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I16x8RelaxedLaneselect(Vector128<byte> a, Vector128<byte> b, Vector128<byte> mask) =>
        Sse41.IsSupported ? Sse41.BlendVariable(b, a, mask) : Vector128.ConditionalSelect(mask, a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I32x4RelaxedLaneselect(Vector128<byte> a, Vector128<byte> b, Vector128<byte> mask) =>
        Sse41.IsSupported
            ? Sse41.BlendVariable(b.AsSingle(), a.AsSingle(), mask.AsSingle()).AsByte()
            : Vector128.ConditionalSelect(mask, a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I64x2RelaxedLaneselect(Vector128<byte> a, Vector128<byte> b, Vector128<byte> mask) =>
        Sse41.IsSupported
            ? Sse41.BlendVariable(b.AsDouble(), a.AsDouble(), mask.AsDouble()).AsByte()
            : Vector128.ConditionalSelect(mask, a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> F32x4RelaxedMin(Vector128<byte> a, Vector128<byte> b) =>
        Sse.IsSupported ? F32x4Pmin(a, b) : F32x4Min(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> F32x4RelaxedMax(Vector128<byte> a, Vector128<byte> b) =>
        Sse.IsSupported ? F32x4Pmax(a, b) : F32x4Max(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> F64x2RelaxedMin(Vector128<byte> a, Vector128<byte> b) =>
        Sse2.IsSupported ? F64x2Pmin(a, b) : F64x2Min(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> F64x2RelaxedMax(Vector128<byte> a, Vector128<byte> b) =>
        Sse2.IsSupported ? F64x2Pmax(a, b) : F64x2Max(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I16x8RelaxedQ15mulrS(Vector128<byte> a, Vector128<byte> b) => Ssse3.IsSupported
        ? Ssse3.MultiplyHighRoundScale(a.AsInt16(), b.AsInt16()).AsByte()
        : I16x8Q15mulrSatS(a, b);

    /// <summary>The second operand has seven bits; the eighth counts as 128 on x64, as the sign elsewhere.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I16x8RelaxedDotI8x16I7x16S(Vector128<byte> a, Vector128<byte> b)
    {
        if (Ssse3.IsSupported) return Ssse3.MultiplyAddAdjacent(b, a.AsSByte()).AsByte();
        Vector128<short> low = Vector128.WidenLower(a.AsSByte()) * Vector128.WidenLower(b.AsSByte());
        Vector128<short> high = Vector128.WidenUpper(a.AsSByte()) * Vector128.WidenUpper(b.AsSByte());
        if (AdvSimd.Arm64.IsSupported) return AdvSimd.Arm64.AddPairwise(low, high).AsByte();
        return Vector128.Narrow(
            low.AsInt32() + (low.AsInt32() >>> 16), high.AsInt32() + (high.AsInt32() >>> 16)).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I32x4RelaxedDotI8x16I7x16AddS(Vector128<byte> a, Vector128<byte> b, Vector128<byte> c) =>
        (I32x4ExtaddPairwiseI16x8S(I16x8RelaxedDotI8x16I7x16S(a, b)).AsInt32() + c.AsInt32()).AsByte();
}
