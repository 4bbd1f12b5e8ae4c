using System.Collections.Immutable;
using System.Text;
using WasmJit.Jit.Format;

namespace WasmJit.Components;

/// <summary>Reads values of component types in the binary format (Binary.md, value definitions).</summary>
/// <param name="isMade">Whether values are made; otherwise they are looked at, and stepped over.</param>
internal readonly struct ValueReader(bool isMade)
{
    internal const uint CanonicalNaN32 = 0x7fc00000;
    internal const ulong CanonicalNaN64 = 0x7ff8000000000000;

    /// <summary>Reads a value. Every value takes a byte at least, so that no length costs more than the bytes given.</summary>
    /// <exception cref="MalformedModuleException">The bytes are not a value of the type.</exception>
    /// <exception cref="InvalidModuleException">Binaries have no values of the type: handles and their like.</exception>
    internal ComponentValue Read(ref ByteReader reader, ComponentValType type)
    {
        int at = reader.Position;
        switch (type)
        {
            case PrimitiveType primitive: return Read(ref reader, primitive.Primitive);
            case RecordType record: return ComponentValue.OfRecord(record.Labels, Parts(ref reader, record.Parts));
            case TupleType tuple: return ComponentValue.Of(ComponentValueKind.Tuple, Parts(ref reader, tuple.Parts));
            case VariantType variant:
                uint index = reader.U32();
                if (index >= variant.Cases.Length) throw reader.Error($"variant has no case {index}", at);
                CaseType chosen = variant.Cases[(int)index];
                return ComponentValue.OfCase(ComponentValueKind.Variant, (int)index, chosen.Label, chosen.Type is { } payload ? Read(ref reader, payload) : default);
            case ListType list: return ComponentValue.Of(ComponentValueKind.List, Elements(ref reader, list.Element, list.Length ?? (uint)reader.Count()));
            case MapType map: return ComponentValue.Of(ComponentValueKind.Map, Elements(ref reader, map.Entry, reader.Count()));
            case FlagsType flags:
                ReadOnlySpan<byte> bytes = reader.Bytes((uint)(flags.Labels.Length + 7) / 8);
                if (flags.Labels.Length % 8 is var used and not 0 && bytes[^1] >> used != 0) throw reader.Error("an unknown flag", at);
                var names = ImmutableArray.CreateBuilder<string>();
                for (int i = 0; isMade && i < flags.Labels.Length; i++)
                    if ((bytes[i / 8] >> (i % 8) & 1) != 0) names.Add(flags.Labels[i]);
                return ComponentValue.OfFlags(names.DrainToImmutable());
            case EnumType enumeration:
                uint label = reader.U32();
                if (label >= enumeration.Labels.Length) throw reader.Error($"enum has no case {label}", at);
                return ComponentValue.OfCase(ComponentValueKind.Enum, (int)label, enumeration.Labels[(int)label], default);
            case OptionType option:
                return ComponentDecoder.ReadFlag(ref reader) ? ComponentValue.Some(Read(ref reader, option.Payload)) : ComponentValue.Nothing;
            case ResultType result:
                bool isError = ComponentDecoder.ReadFlag(ref reader);
                ComponentValue content = (isError ? result.Error : result.Ok) is { } part ? Read(ref reader, part) : default;
                return isError ? ComponentValue.Error(content) : ComponentValue.Ok(content);
            case HandleType or StreamType: throw new InvalidModuleException($"there are no constant values of type {type.Kind}", at);
            default: throw type.Unhandled();
        }
    }

    private ImmutableArray<ComponentValue> Parts(ref ByteReader reader, IEnumerable<ComponentValType> types)
    {
        var items = ImmutableArray.CreateBuilder<ComponentValue>();
        foreach (ComponentValType part in types)
        {
            ComponentValue value = Read(ref reader, part);
            if (isMade) items.Add(value);
        }
        return items.DrainToImmutable();
    }

    private ImmutableArray<ComponentValue> Elements(ref ByteReader reader, ComponentValType type, long count)
    {
        var items = ImmutableArray.CreateBuilder<ComponentValue>();
        for (long i = 0; i < count; i++)
        {
            ComponentValue value = Read(ref reader, type);
            if (isMade) items.Add(value);
        }
        return items.DrainToImmutable();
    }

    private ComponentValue Read(ref ByteReader reader, PrimitiveKind kind)
    {
        int at = reader.Position;
        switch (kind)
        {
            case PrimitiveKind.Bool: return ComponentValue.From(ComponentDecoder.ReadFlag(ref reader));
            case PrimitiveKind.S8: return ComponentValue.From((sbyte)reader.U8());
            case PrimitiveKind.U8: return ComponentValue.From(reader.U8());
            case PrimitiveKind.S16:
                int signed = reader.S32();
                return signed is < short.MinValue or > short.MaxValue ? throw reader.Error("integer too large", at) : ComponentValue.From((short)signed);
            case PrimitiveKind.U16:
                uint unsigned = reader.U32();
                return unsigned > ushort.MaxValue ? throw reader.Error("integer too large", at) : ComponentValue.From((ushort)unsigned);
            case PrimitiveKind.S32: return ComponentValue.From(reader.S32());
            case PrimitiveKind.U32: return ComponentValue.From(reader.U32());
            case PrimitiveKind.S64: return ComponentValue.From(reader.S64());
            case PrimitiveKind.U64: return ComponentValue.From(reader.U64());
            case PrimitiveKind.F32:
                uint bits = reader.Fixed32();
                if (float.IsNaN(BitConverter.UInt32BitsToSingle(bits)) && bits != CanonicalNaN32) throw reader.Error("a NaN that is not canonical", at);
                return new ComponentValue(ComponentValueKind.F32, bits);
            case PrimitiveKind.F64:
                ulong longBits = reader.Fixed64();
                if (double.IsNaN(BitConverter.UInt64BitsToDouble(longBits)) && longBits != CanonicalNaN64) throw reader.Error("a NaN that is not canonical", at);
                return new ComponentValue(ComponentValueKind.F64, longBits);
            case PrimitiveKind.Char: return ReadChar(ref reader);
            case PrimitiveKind.String when isMade: return ComponentValue.From(reader.Name());
            case PrimitiveKind.String:
                reader.SkipName();
                return default;
            default: throw new InvalidModuleException("there are no constant values of type error-context", at);
        }
    }

    private static ComponentValue ReadChar(ref ByteReader reader)
    {
        int at = reader.Position;
        byte lead = reader.Peek();
        uint length = lead < 0x80 ? 1u : lead < 0xe0 ? 2u : lead < 0xf0 ? 3u : 4u;
        ReadOnlySpan<byte> bytes = reader.Bytes(length);
        if (Rune.DecodeFromUtf8(bytes, out Rune value, out int used) != System.Buffers.OperationStatus.Done || used != bytes.Length) throw reader.Error("malformed UTF-8 encoding", at);
        return ComponentValue.From(value);
    }
}
