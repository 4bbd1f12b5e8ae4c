using WasmJit.Jit.Format;

namespace WasmJit.Components;

/// <summary>Bytes of the component binary format that are being written, piece after piece in one expression.</summary>
internal sealed class ComponentBytes
{
    private readonly ByteWriter bytes = new();

    internal ReadOnlySpan<byte> Span => bytes.Span;

    internal ComponentBytes Byte(byte value)
    {
        bytes.U8(value);
        return this;
    }

    internal ComponentBytes Raw(ReadOnlySpan<byte> value)
    {
        bytes.Bytes(value);
        return this;
    }

    internal ComponentBytes U32(uint value)
    {
        bytes.U32(value);
        return this;
    }

    internal ComponentBytes Count(int value) => U32((uint)value);

    /// <summary>An index where a primitive type could stand: a signed number.</summary>
    internal ComponentBytes S33(uint value)
    {
        bytes.S64(value);
        return this;
    }

    internal ComponentBytes Name(string value)
    {
        bytes.Name(value);
        return this;
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

    internal ComponentBytes SortOf(Sort sort)
    {
        sort.Write(bytes);
        return this;
    }

    internal ComponentBytes Section(byte id, ComponentBytes content)
    {
        bytes.U8(id);
        bytes.Sized(content.bytes);
        return this;
    }
}
