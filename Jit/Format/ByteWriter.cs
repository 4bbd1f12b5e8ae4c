using System.Buffers.Binary;
using System.Text;

namespace WasmJit.Jit.Format;

/// <summary>Writes the primitive encodings of the binary format (spec 5.2).</summary>
internal sealed class ByteWriter
{
    private byte[] buffer = new byte[32];

    /// <summary>Where the text stands that bytes were made of: offsets, and the tokens that begin there.</summary>
    private List<(int Offset, int Token)>? places;

    internal int Length { get; private set; }

    internal IReadOnlyList<(int Offset, int Token)> Places => places ?? [];

    internal ReadOnlySpan<byte> Span => buffer.AsSpan(0, Length);

    internal byte[] ToArray() => Span.ToArray();

    private Span<byte> Take(int count)
    {
        if (Length + count > buffer.Length) Array.Resize(ref buffer, Math.Max(buffer.Length * 2, Length + count));
        Span<byte> span = buffer.AsSpan(Length, count);
        Length += count;
        return span;
    }

    internal void U8(byte value) => Take(1)[0] = value;

    internal void Bytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));

    /// <summary>Notes that the next byte is made of a token.</summary>
    internal void Place(int token) => (places ??= []).Add((Length, token));

    /// <summary>Writes what another writer holds, with its places.</summary>
    internal void Append(ByteWriter content)
    {
        if (content.places is { } inner)
            foreach ((int offset, int token) in inner) (places ??= []).Add((Length + offset, token));
        Bytes(content.Span);
    }

    internal void U32(uint value) => U64(value);

    internal void U64(ulong value)
    {
        while (value >= 0x80)
        {
            U8((byte)(value | 0x80));
            value >>= 7;
        }
        U8((byte)value);
    }

    internal void S64(long value)
    {
        while (value is < -64 or > 63)
        {
            U8((byte)((value & 0x7f) | 0x80));
            value >>= 7;
        }
        U8((byte)(value & 0x7f));
    }

    internal void Fixed32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);

    internal void Fixed64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value);

    internal void Name(string text) => Vector(Encoding.UTF8.GetBytes(text));

    /// <summary>The limits of a table, without its element type (spec 5.3.11).</summary>
    internal void Limits(TableType type) => Limits(type.Minimum, type.Maximum, (type.IsShared ? LimitsFlags.Shared : 0) | (type.Is64 ? LimitsFlags.Is64 : 0));

    /// <summary>The limits of a memory, with its page size if that is not the usual one.</summary>
    internal void Limits(MemoryType type)
    {
        bool hasPage = type.PageSizeLog2 != 16;
        Limits(type.Minimum, type.Maximum, (type.IsShared ? LimitsFlags.Shared : 0) | (type.Is64 ? LimitsFlags.Is64 : 0) | (hasPage ? LimitsFlags.HasPageSize : 0));
        if (hasPage) U32((uint)type.PageSizeLog2);
    }

    /// <summary>Limits without a page size, which the caller writes if the flags have it.</summary>
    internal void Limits(ulong minimum, ulong? maximum, int flags)
    {
        U8((byte)(flags | (maximum is null ? 0 : LimitsFlags.HasMaximum)));
        U64(minimum);
        if (maximum is { } most) U64(most);
    }

    /// <summary>A length, then the bytes.</summary>
    internal void Sized(ByteWriter content)
    {
        U32((uint)content.Length);
        Append(content);
    }

    /// <summary>A section's items behind their number; nothing if there are none.</summary>
    internal static ByteWriter Counted(int count, ByteWriter items)
    {
        var section = new ByteWriter();
        if (count == 0) return section;
        section.U32((uint)count);
        section.Append(items);
        return section;
    }

    /// <summary>A name that is checked to be UTF-8, or bytes: their number, then they.</summary>
    internal void Vector(ReadOnlySpan<byte> bytes)
    {
        U32((uint)bytes.Length);
        Bytes(bytes);
    }

    /// <summary>Makes it empty.</summary>
    internal void Clear()
    {
        Length = 0;
        places?.Clear();
    }
}
