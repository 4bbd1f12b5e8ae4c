using System.Text;

namespace WasmJit.Components;

/// <summary>Bytes of the binary format that are being written.</summary>
internal sealed class ComponentBytes
{
    private readonly List<byte> bytes = [];

    internal ReadOnlySpan<byte> Span => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes);

    internal ComponentBytes Byte(byte value)
    {
        bytes.Add(value);
        return this;
    }

    internal ComponentBytes Raw(ReadOnlySpan<byte> value)
    {
        bytes.AddRange(value);
        return this;
    }

    internal ComponentBytes U32(uint value)
    {
        for (; value > 0x7f; value >>= 7) bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
        return this;
    }

    internal ComponentBytes Count(int value) => U32((uint)value);

    /// <summary>An index where a primitive type could stand: a signed number.</summary>
    internal ComponentBytes S33(uint value)
    {
        for (; value > 0x3f; value >>= 7) bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
        return this;
    }

    internal ComponentBytes Name(string value)
    {
        byte[] text = Encoding.UTF8.GetBytes(value);
        return Count(text.Length).Raw(text);
    }

    /// <summary>The name of an import or export.</summary>
    internal ComponentBytes ExternName(ExternName name)
    {
        (byte Kind, string? Value)[] attributes =
            [(ExternNameByte.Implements, name.Implements), (ExternNameByte.VersionSuffix, name.VersionSuffix), (ExternNameByte.ExternalId, name.ExternalId)];
        int count = attributes.Count(a => a.Value is not null);
        Byte(count == 0 ? ExternNameByte.Plain : ExternNameByte.WithAttributes).Name(name.Name);
        if (count == 0) return this;
        Count(count);
        foreach ((byte kind, string? value) in attributes)
            if (value is not null) Byte(kind).Name(value);
        return this;
    }

    /// <summary>A sort, and an index in its index space.</summary>
    internal ComponentBytes Item(Sort sort, uint index) => SortOf(sort).U32(index);

    internal ComponentBytes SortOf(Sort sort) => sort.IsCore() ? Byte(SortByte.Core).Byte(sort.Byte()) : Byte(sort.Byte());

    internal ComponentBytes Section(byte id, ComponentBytes content) => Byte(id).Count(content.bytes.Count).Raw(content.Span);
}
