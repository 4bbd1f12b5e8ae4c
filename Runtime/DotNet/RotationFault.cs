using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>
/// Rotations of <see cref="Integers"/> as two shifts and an addition, which RyuJIT does not put together again. .NET 10.0.12 compares a
/// rotated number with zero by the zero flag, which the processor's rotation does not set. The emitter takes these methods where such a
/// comparison might meet a rotation.
/// </summary>
internal static class RotationFault
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Rotl32(int a, int b) => (int)(((uint)a << (int)b) + ((uint)a >> 1 >> (31 - ((int)b & 31))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Rotr32(int a, int b) => (int)(((uint)a >> (int)b) + ((uint)a << 1 << (31 - ((int)b & 31))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long Rotl64(long a, long b) => (long)(((ulong)a << (int)b) + ((ulong)a >> 1 >> (63 - ((int)b & 63))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long Rotr64(long a, long b) => (long)(((ulong)a >> (int)b) + ((ulong)a << 1 << (63 - ((int)b & 63))));
}
