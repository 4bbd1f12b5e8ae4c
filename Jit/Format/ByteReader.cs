using System.Runtime.CompilerServices;
using System.Text;

namespace WasmJit.Jit.Format;

/// <summary>Reads the primitive encodings of the binary format (spec 5.2) from part of a module.</summary>
internal ref struct ByteReader(ReadOnlySpan<byte> bytes, int start, int end)
{
    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    private readonly ReadOnlySpan<byte> bytes = bytes;

    /// <summary>The offset in the module.</summary>
    internal int Position { get; set; } = start;

    internal int End { get; } = end;

    internal readonly bool AtEnd => Position >= End;

    internal readonly int Remaining => End - Position;

    internal readonly MalformedModuleException Error(string reason, int at) => new(reason, at);

    internal readonly MalformedModuleException UnexpectedEnd() => new("unexpected end of section or function", Position);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal byte U8()
    {
        if (Position >= End) ThrowUnexpectedEnd();
        return bytes[Position++];
    }

    private readonly void ThrowUnexpectedEnd() => throw UnexpectedEnd();

    internal readonly byte PeekAt(int offset) => Position + offset < End ? bytes[Position + offset] : throw UnexpectedEnd();

    internal readonly byte Peek() => Position < End ? bytes[Position] : throw UnexpectedEnd();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal uint U32()
    {
        if (Position < End && bytes[Position] < 0x80) return bytes[Position++];
        return (uint)Unsigned(32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ulong U64()
    {
        if (Position < End && bytes[Position] < 0x80) return bytes[Position++];
        return Unsigned(64);
    }

    /// <summary>
    /// An integer that runs over the end of its section is judged by its own form first, as the specification's own decoder
    /// does; then the section has ended too early.
    /// </summary>
    private ulong Unsigned(int bits, bool pastEnd = false)
    {
        int at = Position;
        ulong result = 0;
        for (int shift = 0; ; shift += 7)
        {
            if (Position >= bytes.Length || (shift == 0 && Position >= End && !pastEnd)) throw UnexpectedEnd();
            byte b = bytes[Position++];
            if (shift + 7 > bits)
            {
                if (b >= 0x80) throw Error("integer representation too long", at);
                if (b >> (bits - shift) != 0) throw Error("integer too large", at);
            }
            result |= (ulong)(b & 0x7f) << shift;
            if (b >= 0x80) continue;
            return Position <= End || pastEnd ? result : throw UnexpectedEnd();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int S32()
    {
        if (Position < End && bytes[Position] < 0x80) return (sbyte)(bytes[Position++] << 1) >> 1;
        return (int)Signed(32);
    }

    internal long S33() => Signed(33);

    internal long S64() => Signed(64);

    private long Signed(int bits)
    {
        int at = Position;
        long result = 0;
        for (int shift = 0; ; shift += 7)
        {
            if (Position >= bytes.Length || (shift == 0 && Position >= End)) throw UnexpectedEnd();
            byte b = bytes[Position++];
            if (shift + 7 > bits)
            {
                if (b >= 0x80) throw Error("integer representation too long", at);
                // The unused bits must repeat the sign bit.
                int unused = (sbyte)(b << 1) >> (bits - shift);
                if (unused is not (0 or -1)) throw Error("integer too large", at);
            }
            result |= (long)(b & 0x7f) << shift;
            if (b < 0x80)
            {
                if (Position > End) throw UnexpectedEnd();
                int used = Math.Min(shift + 7, 64);
                return used == 64 ? result : result << (64 - used) >> (64 - used);
            }
        }
    }

    internal uint Fixed32()
    {
        if (Remaining < 4) throw UnexpectedEnd();
        uint value = BitConverter.ToUInt32(bytes[Position..]);
        Position += 4;
        return value;
    }

    internal ulong Fixed64()
    {
        if (Remaining < 8) throw UnexpectedEnd();
        ulong value = BitConverter.ToUInt64(bytes[Position..]);
        Position += 8;
        return value;
    }

    /// <summary>A count of items that take at least a byte each, so that no count costs more than the bytes given.</summary>
    internal int Count()
    {
        int at = Position;
        uint count = U32();
        if (count > (uint)Remaining) throw Error("unexpected end of section or function", at);
        return (int)count;
    }

    /// <summary>Steps over <paramref name="length"/> bytes and returns them.</summary>
    internal ReadOnlySpan<byte> Bytes(uint length, string reason = "unexpected end of section or function")
    {
        if (Position > End || length > (uint)Remaining) throw Error(reason, Position);
        ReadOnlySpan<byte> span = bytes.Slice(Position, (int)length);
        Position += (int)length;
        return span;
    }

    /// <summary>The next bytes as a part of their own, without stepping over them.</summary>
    internal readonly ByteReader Part(int length) => new(bytes, Position, Position + length);

    private ReadOnlySpan<byte> NameBytes()
    {
        int at = Position;
        ulong length = Unsigned(32, pastEnd: true);
        if (length > (ulong)(bytes.Length - Position)) throw Error("length out of bounds", at);
        return Bytes((uint)length);
    }

    /// <summary>Steps over a name.</summary>
    internal void SkipName()
    {
        int at = Position;
        if (!System.Text.Unicode.Utf8.IsValid(NameBytes())) throw Error("malformed UTF-8 encoding", at);
    }

    internal string Name() => Name(int.MaxValue);

    /// <summary>A name, or the beginning of one that has more than so many bytes.</summary>
    internal string Name(int most)
    {
        int at = Position;
        ReadOnlySpan<byte> span = NameBytes();
        if (span.Length > most)
        {
            // No character is cut in two.
            int end = most;
            while ((span[end] & 0xc0) == 0x80) end--;
            span = span[..end];
        }
        try
        {
            return RecentNames.Find(span) ?? RecentNames.Add(span, AsciiText.Of(span) ?? Utf8.GetString(span));
        }
        catch (ArgumentException)
        {
            throw Error("malformed UTF-8 encoding", at);
        }
    }
}
