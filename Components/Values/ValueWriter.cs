using WasmJit.Jit.Format;

namespace WasmJit.Components;

/// <summary>Writes values of component types in the binary format (Binary.md, value definitions), as <see cref="ValueReader"/> reads them.</summary>
internal sealed class ValueWriter
{
    private readonly ByteWriter bytes = new();

    internal byte[] ToArray() => bytes.ToArray();

    /// <exception cref="NotSupportedException">Binaries have no values of the type: handles and their like.</exception>
    internal void Write(ComponentValue value, ComponentValType type)
    {
        switch (type)
        {
            case PrimitiveType primitive: Write(value, primitive.Primitive); break;
            case RecordType or TupleType:
                int index = 0;
                foreach (ComponentValType part in type.Parts) Write(value.Items[index++], part);
                break;
            case ListType { Length: not null } list: Elements(value, list.Element); break;
            case ListType list:
                bytes.U32((uint)value.Items.Length);
                Elements(value, list.Element);
                break;
            case MapType map:
                bytes.U32((uint)value.Items.Length);
                Elements(value, map.Entry);
                break;
            case FlagsType flags:
                Span<byte> bits = stackalloc byte[(flags.Labels.Length + 7) / 8];
                foreach (string name in value.Names)
                {
                    int flag = flags.Labels.IndexOf(name);
                    bits[flag / 8] |= (byte)(1 << (flag % 8));
                }
                bytes.Bytes(bits);
                break;
            case EnumType labels: bytes.U32((uint)labels.Labels.IndexOf(value.CaseName)); break;
            case AlternativesType alternatives:
                int number = alternatives.IndexOf(value);
                bytes.U32((uint)number);
                if (alternatives.Payloads[number] is { } payload) Write(value.Payload, payload);
                break;
            case HandleType or StreamType: throw new NotSupportedException($"there are no constant values of type {type.Kind}");
            default: throw type.Unhandled();
        }
    }

    private void Elements(ComponentValue value, ComponentValType element)
    {
        foreach (ComponentValue item in value.Items) Write(item, element);
    }

    private void Write(ComponentValue value, PrimitiveKind kind)
    {
        switch (kind)
        {
            case PrimitiveKind.Bool or PrimitiveKind.U8 or PrimitiveKind.S8: bytes.U8((byte)value.Bits); break;
            case PrimitiveKind.U16 or PrimitiveKind.U32 or PrimitiveKind.U64: bytes.U64(value.Bits); break;
            case PrimitiveKind.S16 or PrimitiveKind.S32: bytes.S64((int)value.Bits); break;
            case PrimitiveKind.S64: bytes.S64((long)value.Bits); break;
            case PrimitiveKind.F32:
                uint single = (uint)value.Bits;
                bytes.Fixed32(float.IsNaN(BitConverter.UInt32BitsToSingle(single)) ? ValueReader.CanonicalNaN32 : single);
                break;
            case PrimitiveKind.F64:
                bytes.Fixed64(double.IsNaN(BitConverter.UInt64BitsToDouble(value.Bits)) ? ValueReader.CanonicalNaN64 : value.Bits);
                break;
            case PrimitiveKind.Char:
                Span<byte> character = stackalloc byte[4];
                bytes.Bytes(character[..value.AsChar().EncodeToUtf8(character)]);
                break;
            case PrimitiveKind.String: bytes.Name(value.AsString()); break;
            default: throw new NotSupportedException("there are no constant values of type error-context");
        }
    }
}
