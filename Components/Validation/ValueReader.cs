using WasmJit.Jit.Format;

namespace WasmJit.Components;

/// <summary>Reads values of component types in the binary format (Binary.md, value definitions).</summary>
internal static class ValueReader
{
    private const uint CanonicalNaN32 = 0x7fc00000;
    private const ulong CanonicalNaN64 = 0x7ff8000000000000;

    /// <summary>Steps over a value. Every value takes a byte at least, so that no length costs more than the bytes given.</summary>
    /// <exception cref="MalformedModuleException">There is no value of the type.</exception>
    /// <exception cref="InvalidModuleException">There are no values of the type in binaries: handles and their like.</exception>
    internal static void Skip(ref ByteReader reader, ComponentValType type)
    {
        int at = reader.Position;
        switch (type)
        {
            case PrimitiveType primitive: Skip(ref reader, primitive.Primitive); break;
            case RecordType or TupleType:
                foreach (ComponentValType part in type.Parts) Skip(ref reader, part);
                break;
            case VariantType variant:
                uint index = reader.U32();
                if (index >= variant.Cases.Length) throw reader.Error($"variant has no case {index}", at);
                if (variant.Cases[(int)index].Type is { } payload) Skip(ref reader, payload);
                break;
            case ListType list:
                long count = list.Length ?? (uint)reader.Count();
                for (long i = 0; i < count; i++) Skip(ref reader, list.Element);
                break;
            case MapType map:
                int entries = reader.Count();
                for (int i = 0; i < entries; i++) Skip(ref reader, map.Entry);
                break;
            case FlagsType flags:
                ReadOnlySpan<byte> bytes = reader.Bytes((uint)(flags.Labels.Length + 7) / 8);
                if (flags.Labels.Length % 8 is var used and not 0 && bytes[^1] >> used != 0) throw reader.Error("a flag that there is not", at);
                break;
            case EnumType enumeration:
                uint label = reader.U32();
                if (label >= enumeration.Labels.Length) throw reader.Error($"enum has no case {label}", at);
                break;
            case OptionType option:
                if (ComponentDecoder.ReadFlag(ref reader)) Skip(ref reader, option.Payload);
                break;
            case ResultType result:
                if ((ComponentDecoder.ReadFlag(ref reader) ? result.Error : result.Ok) is { } content) Skip(ref reader, content);
                break;
            default:
                throw new InvalidModuleException($"there are no constant values of type {type.Kind}", at);
        }
    }

    private static void Skip(ref ByteReader reader, PrimitiveKind kind)
    {
        int at = reader.Position;
        switch (kind)
        {
            case PrimitiveKind.Bool: ComponentDecoder.ReadFlag(ref reader); break;
            case PrimitiveKind.S8 or PrimitiveKind.U8: reader.U8(); break;
            case PrimitiveKind.S16:
                if (reader.S32() is < short.MinValue or > short.MaxValue) throw reader.Error("integer too large", at);
                break;
            case PrimitiveKind.U16:
                if (reader.U32() > ushort.MaxValue) throw reader.Error("integer too large", at);
                break;
            case PrimitiveKind.S32: reader.S32(); break;
            case PrimitiveKind.U32: reader.U32(); break;
            case PrimitiveKind.S64: reader.S64(); break;
            case PrimitiveKind.U64: reader.U64(); break;
            case PrimitiveKind.F32:
                uint bits = reader.Fixed32();
                if (float.IsNaN(BitConverter.UInt32BitsToSingle(bits)) && bits != CanonicalNaN32) throw reader.Error("a NaN that is not canonical", at);
                break;
            case PrimitiveKind.F64:
                ulong longBits = reader.Fixed64();
                if (double.IsNaN(BitConverter.UInt64BitsToDouble(longBits)) && longBits != CanonicalNaN64) throw reader.Error("a NaN that is not canonical", at);
                break;
            case PrimitiveKind.Char:
                SkipChar(ref reader);
                break;
            case PrimitiveKind.String: reader.SkipName(); break;
            default: throw new InvalidModuleException("there are no constant values of type error-context", at);
        }
    }

    private static void SkipChar(ref ByteReader reader)
    {
        int at = reader.Position;
        byte lead = reader.Peek();
        uint length = lead < 0x80 ? 1u : lead < 0xe0 ? 2u : lead < 0xf0 ? 3u : 4u;
        if (!System.Text.Unicode.Utf8.IsValid(reader.Bytes(length))) throw reader.Error("malformed UTF-8 encoding", at);
    }
}
