using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace WasmJit.Runtime;

/// <summary>
/// Loads that do more than load, and permutations of bytes (spec 4.6.6, 4.6.3). Unsafe: the emitter gives addresses that the
/// processor checks (guard pages), or that have been checked.
/// </summary>
internal static unsafe partial class Simd
{
    // ---- eight bytes, each lane widened ----

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> V128Load8x8S(byte* at) => Sse41.IsSupported
        ? Sse41.ConvertToVector128Int16((sbyte*)at).AsByte()
        : Vector128.WidenLower(Low(at).AsSByte()).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> V128Load8x8U(byte* at) => Sse41.IsSupported
        ? Sse41.ConvertToVector128Int16(at).AsByte()
        : Vector128.WidenLower(Low(at)).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> V128Load16x4S(byte* at) => Sse41.IsSupported
        ? Sse41.ConvertToVector128Int32((short*)at).AsByte()
        : Vector128.WidenLower(Low(at).AsInt16()).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> V128Load16x4U(byte* at) => Sse41.IsSupported
        ? Sse41.ConvertToVector128Int32((ushort*)at).AsByte()
        : Vector128.WidenLower(Low(at).AsUInt16()).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> V128Load32x2S(byte* at) => Sse41.IsSupported
        ? Sse41.ConvertToVector128Int64((int*)at).AsByte()
        : Vector128.WidenLower(Low(at).AsInt32()).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> V128Load32x2U(byte* at) => Sse41.IsSupported
        ? Sse41.ConvertToVector128Int64((uint*)at).AsByte()
        : Vector128.WidenLower(Low(at).AsUInt32()).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Low(byte* at) => Vector128.CreateScalar(Unsafe.ReadUnaligned<ulong>(at)).AsByte();

    // ---- one value in all lanes, or in the lowest ----

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> V128Load8Splat(byte* at) => Vector128.Create(*at);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> V128Load16Splat(byte* at) => Vector128.Create(Unsafe.ReadUnaligned<ushort>(at)).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> V128Load32Splat(byte* at) => Vector128.Create(Unsafe.ReadUnaligned<uint>(at)).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> V128Load64Splat(byte* at) => Vector128.Create(Unsafe.ReadUnaligned<ulong>(at)).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> V128Load32Zero(byte* at) => Vector128.CreateScalar(Unsafe.ReadUnaligned<uint>(at)).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> V128Load64Zero(byte* at) => Low(at);

    // ---- one lane ----

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> V128Load8Lane(byte* at, Vector128<byte> vector, int lane) =>
        Vector128.WithElement(vector, lane, *at);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> V128Load16Lane(byte* at, Vector128<byte> vector, int lane) =>
        Vector128.WithElement(vector.AsUInt16(), lane, Unsafe.ReadUnaligned<ushort>(at)).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> V128Load32Lane(byte* at, Vector128<byte> vector, int lane) =>
        Vector128.WithElement(vector.AsUInt32(), lane, Unsafe.ReadUnaligned<uint>(at)).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> V128Load64Lane(byte* at, Vector128<byte> vector, int lane) =>
        Vector128.WithElement(vector.AsUInt64(), lane, Unsafe.ReadUnaligned<ulong>(at)).AsByte();

    // ---- permutations ----

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I8x16Swizzle(Vector128<byte> a, Vector128<byte> indices)
    {
        if (AdvSimd.Arm64.IsSupported) return AdvSimd.Arm64.VectorTableLookup(a, indices);
        // An index with its topmost bit gives 0: those from 16 on get it.
        if (Ssse3.IsSupported) return Ssse3.Shuffle(a, Vector128.AddSaturate(indices, Vector128.Create((byte)0x70)));
        return Vector128.Shuffle(a, indices);
    }

    /// <summary>The general permutation of 32 bytes by constant indices, given as two halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> I8x16Shuffle(Vector128<byte> a, Vector128<byte> b, ulong low, ulong high)
    {
        Vector128<byte> indices = Vector128.Create(low, high).AsByte();
        if (AdvSimd.Arm64.IsSupported) return AdvSimd.Arm64.VectorTableLookup((a, b), indices);
        if (Avx512Vbmi.VL.IsSupported) return Avx512Vbmi.VL.PermuteVar16x8x2(a, indices, b);
        return Vector128.Shuffle(a, indices) | Vector128.Shuffle(b, indices ^ Vector128.Create((byte)16));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> Second(Vector128<byte> a, Vector128<byte> b) => b;
}
