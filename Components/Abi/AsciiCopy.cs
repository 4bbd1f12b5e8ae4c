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
    internal static bool Copy(byte* from, byte* to, int count)
    {
        int size = Vector256<byte>.Count;
        return Vector256.IsHardwareAccelerated && (uint)(count - size) <= (uint)(Short - size) ? CopyShort(from, to, count) : CopyAny(from, to, count);
    }

    /// <summary>The same from one vector up to four: one or two from the beginning, and as many that end with the last byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool CopyShort(byte* from, byte* to, int count)
    {
        int size = Vector256<byte>.Count;
        Vector256<byte> first = Vector256.Load(from), last = Vector256.Load(from + count - size);
        Vector256<byte> seen = first | last;
        if (count > 2 * size)
        {
            Vector256<byte> second = Vector256.Load(from + size), third = Vector256.Load(from + count - (2 * size));
            second.Store(to + size);
            third.Store(to + count - (2 * size));
            seen |= second | third;
        }
        first.Store(to);
        last.Store(to + count - size);
        return seen.ExtractMostSignificantBits() == 0;
    }

    private static bool CopyAny(byte* from, byte* to, int count)
    {
        bool isAscii = true;
        for (; count > Piece; from += Piece, to += Piece, count -= Piece)
        {
            isAscii &= CopyPiece(from, to, Piece);
            CancellationScope.ThrowIfStopped();
        }
        return CopyPiece(from, to, count) && isAscii;
    }

    private static bool CopyPiece(byte* from, byte* to, int count)
    {
        if (count >= Vector256<byte>.Count && Vector256.IsHardwareAccelerated) return CopyWide(from, to, count);
        if (count >= Vector128<byte>.Count) return CopyVectors(from, to, count);
        if (count < sizeof(ulong)) return CopyBytes(from, to, count);
        // The second number ends with the last byte, and may have some bytes of the first.
        ulong first = *(ulong*)from, last = *(ulong*)(from + count - sizeof(ulong));
        *(ulong*)to = first;
        *(ulong*)(to + count - sizeof(ulong)) = last;
        return ((first | last) & 0x8080808080808080) == 0;
    }

    private static bool CopyBytes(byte* from, byte* to, int count)
    {
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
