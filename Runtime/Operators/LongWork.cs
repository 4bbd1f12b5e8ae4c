using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>
/// Fills and copies whose size an operand says. Gigabytes take seconds, most of all when pages are touched for the first time. The work is done in
/// pieces, between which a guest can be stopped.
/// </summary>
/// <remarks>Unsafe: the caller has checked the range.</remarks>
internal static unsafe class LongWork
{
    /// <summary>A piece in bytes: some milliseconds where the pages are new.</summary>
    private const int Piece = 4 << 20;

    /// <summary>Fills. What is small is one call of .NET's fill in the generated code, and so is a copy: most guests copy a few bytes at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Fill(byte* at, byte value, ulong count)
    {
        if (count <= Piece) new Span<byte>(at, (int)count).Fill(value);
        else FillInPieces(at, value, count);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void FillInPieces(byte* at, byte value, ulong count)
    {
        for (; count > Piece; at += Piece, count -= Piece)
        {
            new Span<byte>(at, Piece).Fill(value);
            CancellationScope.ThrowIfStopped();
        }
        new Span<byte>(at, (int)count).Fill(value);
    }

    /// <summary>Copies; the ranges may overlap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Copy(byte* from, byte* to, ulong count)
    {
        if (count <= Piece) Buffer.MemoryCopy(from, to, count, count);
        else CopyInPieces(from, to, count);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CopyInPieces(byte* from, byte* to, ulong count)
    {
        bool fromEnd = to > from && to < from + count;
        for (ulong done = 0; done < count;)
        {
            ulong part = Math.Min(count - done, Piece);
            ulong at = fromEnd ? count - done - part : done;
            Buffer.MemoryCopy(from + at, to + at, part, part);
            done += part;
            CancellationScope.ThrowIfStopped();
        }
    }

    internal static void Fill<T>(Span<T> items, T value)
    {
        int piece = Piece / Unsafe.SizeOf<T>();
        if (RuntimeHelpers.IsReferenceOrContainsReferences<T>())
        {
            // .NET's own way to fill a span is never compiled ahead, and no faster here.
            for (int i = 0; i < items.Length; i++)
            {
                if (i % piece == piece - 1) CancellationScope.ThrowIfStopped();
                items[i] = value;
            }
            return;
        }
        for (; items.Length > piece; items = items[piece..])
        {
            items[..piece].Fill(value);
            CancellationScope.ThrowIfStopped();
        }
        items.Fill(value);
    }

    /// <summary>Copies; the ranges have one length and may overlap.</summary>
    internal static void Copy<T>(Span<T> from, Span<T> to)
    {
        int piece = Piece / Unsafe.SizeOf<T>();
        if (from.Length <= piece)
        {
            from.CopyTo(to);
            return;
        }
        bool fromEnd = from.Overlaps(to, out int distance) && distance > 0;
        for (int done = 0; done < from.Length;)
        {
            int part = Math.Min(from.Length - done, piece);
            int at = fromEnd ? from.Length - done - part : done;
            from.Slice(at, part).CopyTo(to.Slice(at, part));
            done += part;
            CancellationScope.ThrowIfStopped();
        }
    }
}
