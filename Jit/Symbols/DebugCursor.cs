using System.Buffers.Binary;
using System.Text;

namespace WasmJit.Jit.Symbols;

/// <summary>Debugging information that says something impossible, or more of it than may be read.</summary>
internal sealed class DebugFormatException(string message) : Exception(message);

/// <summary>How much debugging information may still be read. A module is hostile: its sections may refer to each other in ways that never end.</summary>
/// <param name="steps">So many steps.</param>
/// <param name="total">What these steps are part of.</param>
internal sealed class DebugBudget(long steps, DebugBudget? total = null)
{
    private long left = steps;

    internal bool IsSpent => left <= 0;

    /// <exception cref="DebugFormatException">The steps are used up.</exception>
    internal void Spend(long steps = 1)
    {
        left -= steps;
        total?.Spend(steps);
        if (left <= 0) throw new DebugFormatException("too much debugging information");
    }
}

/// <summary>Reads a debugging section from a place on.</summary>
internal ref struct DebugCursor(ReadOnlySpan<byte> bytes, int position, DebugBudget budget)
{
    private readonly ReadOnlySpan<byte> bytes = bytes;
    private readonly DebugBudget budget = budget;

    internal int Position { get; private set; } = position;

    internal readonly int Length => bytes.Length;

    internal readonly bool AtEnd => Position >= bytes.Length;

    /// <exception cref="DebugFormatException">The section is not so long.</exception>
    internal void Seek(ulong position)
    {
        if (position > (ulong)bytes.Length) throw new DebugFormatException("an offset beyond the section");
        Position = (int)position;
    }

    private ReadOnlySpan<byte> Take(ulong count)
    {
        budget.Spend();
        if (Position < 0 || count > (ulong)(bytes.Length - Position)) throw new DebugFormatException("the section ends too early");
        ReadOnlySpan<byte> taken = bytes.Slice(Position, (int)count);
        Position += (int)count;
        return taken;
    }

    internal void Skip(ulong count) => Take(count);

    internal byte U8() => Take(1)[0];

    internal ushort U16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    internal uint U24()
    {
        ReadOnlySpan<byte> three = Take(3);
        return three[0] | ((uint)three[1] << 8) | ((uint)three[2] << 16);
    }

    internal uint U32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    internal ulong U64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    /// <summary>A number of 1, 2, 4 or 8 bytes.</summary>
    internal ulong Unsigned(int size) => size switch
    {
        1 => U8(),
        2 => U16(),
        4 => U32(),
        8 => U64(),
        _ => throw new DebugFormatException($"a number of {size} bytes"),
    };

    internal ulong Uleb()
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = U8();
            if (shift < 64) value |= (ulong)(next & 0x7f) << shift;
            if ((next & 0x80) == 0) return value;
        }
    }

    internal long Sleb()
    {
        long value = 0;
        int shift = 0;
        while (true)
        {
            byte next = U8();
            if (shift < 64) value |= (long)(next & 0x7f) << shift;
            shift += 7;
            if ((next & 0x80) != 0) continue;
            return shift < 64 && (next & 0x40) != 0 ? value | (-1L << shift) : value;
        }
    }

    /// <summary>The length of a unit, which also says how long offsets in it are.</summary>
    internal ulong UnitLength(out int offsetSize)
    {
        uint length = U32();
        offsetSize = length == uint.MaxValue ? 8 : 4;
        if (length is >= 0xfffffff0 and < uint.MaxValue) throw new DebugFormatException("a reserved length");
        return offsetSize == 8 ? U64() : length;
    }

    /// <summary>Steps over a string that ends with a zero.</summary>
    /// <returns>Its bytes.</returns>
    internal ReadOnlySpan<byte> Bytes()
    {
        ReadOnlySpan<byte> rest = bytes[Position..];
        int end = rest.IndexOf((byte)0);
        if (end < 0) throw new DebugFormatException("a string without end");
        budget.Spend(end / 16);
        Take((ulong)end + 1);
        return rest[..end];
    }

    /// <summary>Names longer than this are cut off.</summary>
    private const int MaxName = 4096;

    /// <summary>A string that ends with a zero.</summary>
    internal string Text()
    {
        ReadOnlySpan<byte> text = Bytes();
        return Encoding.UTF8.GetString(text.Length > MaxName ? text[..MaxName] : text);
    }
}
