using System.Buffers.Binary;
using System.Text;

namespace WasmJit.Text;

/// <summary>Writes the primitive encodings of the binary format (spec 5.2).</summary>
internal sealed class ByteWriter
{
    private byte[] buffer = new byte[32];

    internal int Length { get; private set; }

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

    internal void Name(string text)
    {
        U32((uint)Encoding.UTF8.GetByteCount(text));
        Bytes(Encoding.UTF8.GetBytes(text));
    }

    /// <summary>A length, then the bytes.</summary>
    internal void Sized(ByteWriter content)
    {
        U32((uint)content.Length);
        Bytes(content.Span);
    }
}
