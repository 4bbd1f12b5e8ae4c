using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>
/// Copies of bytes that are text, of which most is ASCII: the bytes are looked at while they are copied, and read once.
/// </summary>
/// <remarks>Unsafe: both ranges have been checked by the caller. They are of different memories, and so do not overlap.</remarks>
internal static unsafe class AsciiCopy
{
    /// <summary>A guest can be stopped after so many bytes.</summary>
    private const int Piece = 4 << 20;

    /// <summary>Up to so many bytes are copied by loads and stores that overlap, without a loop.</summary>
    private const int Short = 128;

    /// <summary>Copies.</summary>
    /// <returns>Whether all bytes are ASCII.</returns>
    internal static bool Copy(byte* from, byte* to, int count) => IsShort((uint)count) ? CopyShort(from, to, (uint)count) : CopyAny(from, to, count);

    /// <summary>Whether <see cref="CopyShort"/> copies so many bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsShort(nuint count) => Vector256.IsHardwareAccelerated && count - (nuint)Vector256<byte>.Count <= (nuint)(Short - Vector256<byte>.Count);

    /// <summary>
    /// The same from one vector up to four. They lie one behind the other, so that most are within a line of the cache if the first is. The last ends with the last byte, and may have
    /// bytes of the one before.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool CopyShort(byte* from, byte* to, nuint count)
    {
        if (Vector512.IsHardwareAccelerated && count >= (nuint)Vector512<byte>.Count)
        {
            Vector512<byte> begin = Vector512.Load(from), end = Vector512.Load(from + count - Vector512<byte>.Count);
            begin.Store(to);
            end.Store(to + count - Vector512<byte>.Count);
            return (begin | end).ExtractMostSignificantBits() == 0;
        }
        nuint size = (nuint)Vector256<byte>.Count;
        Vector256<byte> first = Vector256.Load(from), last = Vector256.Load(from + count - size);
        Vector256<byte> seen = first | last;
        first.Store(to);
        if (!Vector512.IsHardwareAccelerated && count > 2 * size)
        {
            Vector256<byte> second = Vector256.Load(from + size);
            second.Store(to + size);
            seen |= second;
            if (count > 3 * size)
            {
                Vector256<byte> third = Vector256.Load(from + (2 * size));
                third.Store(to + (2 * size));
                seen |= third;
            }
        }
        last.Store(to + count - size);
        return seen.ExtractMostSignificantBits() == 0;
    }

    /// <summary>The same of any number of bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool CopyAny(byte* from, byte* to, int count) =>
        count < Vector128<byte>.Count ? CopyFew(from, to, count) : count <= Piece ? CopyPiece(from, to, count) : CopyPieces(from, to, count);

    private static bool CopyPieces(byte* from, byte* to, int count)
    {
        bool isAscii = true;
        for (; count > Piece; from += Piece, to += Piece, count -= Piece)
        {
            isAscii &= CopyPiece(from, to, Piece);
            CancellationScope.ThrowIfStopped();
        }
        return CopyAny(from, to, count) && isAscii;
    }

    private static bool CopyPiece(byte* from, byte* to, int count) =>
        count >= Vector256<byte>.Count && Vector256.IsHardwareAccelerated ? CopyWide(from, to, count) : CopyVectors(from, to, count);

    /// <summary>Fewer than a vector has: two numbers, of which the second ends with the last byte and may have some bytes of the first.</summary>
    private static bool CopyFew(byte* from, byte* to, int count)
    {
        if (count >= sizeof(ulong))
        {
            ulong first = *(ulong*)from, last = *(ulong*)(from + count - sizeof(ulong));
            *(ulong*)to = first;
            *(ulong*)(to + count - sizeof(ulong)) = last;
            return ((first | last) & 0x8080808080808080) == 0;
        }
        if (count >= sizeof(uint))
        {
            uint first = *(uint*)from, last = *(uint*)(from + count - sizeof(uint));
            *(uint*)to = first;
            *(uint*)(to + count - sizeof(uint)) = last;
            return ((first | last) & 0x80808080) == 0;
        }
        int seen = 0;
        for (int i = 0; i < count; i++)
        {
            byte value = from[i];
            to[i] = value;
            seen |= value;
        }
        return seen < 0x80;
    }

    private static bool CopyVectors(byte* from, byte* to, int count)
    {
        Vector128<byte> seen = Vector128<byte>.Zero;
        int last = count - Vector128<byte>.Count;
        for (int i = 0; i < last; i += Vector128<byte>.Count) seen |= Move(from + i, to + i);
        return (seen | Move(from + last, to + last)).ExtractMostSignificantBits() == 0;

        static Vector128<byte> Move(byte* from, byte* to)
        {
            Vector128<byte> value = Vector128.Load(from);
            value.Store(to);
            return value;
        }
    }

    private static bool CopyWide(byte* from, byte* to, int count)
    {
        const int Unrolled = 4;
        Vector256<byte> seen = Vector256<byte>.Zero;
        int size = Vector256<byte>.Count, last = count - size, i = 0;
        for (; i <= last - (Unrolled * size); i += Unrolled * size)
        {
            Vector256<byte> first = Move(from + i, to + i) | Move(from + i + size, to + i + size);
            seen |= first | Move(from + i + (2 * size), to + i + (2 * size)) | Move(from + i + (3 * size), to + i + (3 * size));
        }
        for (; i < last; i += size) seen |= Move(from + i, to + i);
        return (seen | Move(from + last, to + last)).ExtractMostSignificantBits() == 0;

        static Vector256<byte> Move(byte* from, byte* to)
        {
            Vector256<byte> value = Vector256.Load(from);
            value.Store(to);
            return value;
        }
    }
}
