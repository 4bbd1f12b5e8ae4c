using System.Buffers.Binary;
using System.Text;

namespace WasmJit.Components;

/// <summary>Writes values of component types in the binary format (Binary.md, value definitions), as <see cref="ValueReader"/> reads them.</summary>
internal sealed class ValueWriter
{
    private readonly List<byte> bytes = [];

    internal byte[] ToArray() => [.. bytes];

    /// <exception cref="NotSupportedException">There are no values of the type in binaries: handles and their like.</exception>
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
                Unsigned((ulong)value.Items.Length);
                Elements(value, list.Element);
                break;
            case MapType map:
                Unsigned((ulong)value.Items.Length);
                Elements(value, map.Entry);
                break;
            case FlagsType flags:
                Span<byte> bits = stackalloc byte[(flags.Labels.Length + 7) / 8];
                foreach (string name in value.Names)
                {
                    int flag = flags.Labels.IndexOf(name);
                    bits[flag / 8] |= (byte)(1 << (flag % 8));
                }
                bytes.AddRange(bits);
                break;
            case EnumType labels: Unsigned((ulong)labels.Labels.IndexOf(value.CaseName)); break;
            case VariantType variant:
                int number = 0;
                while (variant.Cases[number].Label != value.CaseName) number++;
                Unsigned((ulong)number);
                if (variant.Cases[number].Type is { } payload) Write(value.Payload, payload);
                break;
            case OptionType option:
                bytes.Add((byte)value.Bits);
                if (value.Bits != 0) Write(value.Payload, option.Payload);
                break;
            case ResultType result:
                bytes.Add((byte)value.Bits);
                if ((value.Bits == 0 ? result.Ok : result.Error) is { } content) Write(value.Payload, content);
                break;
            default: throw new NotSupportedException($"there are no constant values of type {type.Kind}");
        }
    }

    private void Elements(ComponentValue value, ComponentValType element)
    {
        foreach (ComponentValue item in value.Items) Write(item, element);
    }

    private void Write(ComponentValue value, PrimitiveKind kind)
    {
        Span<byte> fixedBytes = stackalloc byte[8];
        switch (kind)
        {
            case PrimitiveKind.Bool or PrimitiveKind.U8 or PrimitiveKind.S8: bytes.Add((byte)value.Bits); break;
            case PrimitiveKind.U16 or PrimitiveKind.U32 or PrimitiveKind.U64: Unsigned(value.Bits); break;
            case PrimitiveKind.S16 or PrimitiveKind.S32: Signed((int)value.Bits); break;
            case PrimitiveKind.S64: Signed((long)value.Bits); break;
            case PrimitiveKind.F32:
                float single = BitConverter.UInt32BitsToSingle((uint)value.Bits);
                BinaryPrimitives.WriteUInt32LittleEndian(fixedBytes, float.IsNaN(single) ? 0x7fc00000 : (uint)value.Bits);
                bytes.AddRange(fixedBytes[..4]);
                break;
            case PrimitiveKind.F64:
                double number = BitConverter.UInt64BitsToDouble(value.Bits);
                BinaryPrimitives.WriteUInt64LittleEndian(fixedBytes, double.IsNaN(number) ? 0x7ff8000000000000 : value.Bits);
                bytes.AddRange(fixedBytes);
                break;
            case PrimitiveKind.Char: bytes.AddRange(fixedBytes[..value.AsChar().EncodeToUtf8(fixedBytes)]); break;
            case PrimitiveKind.String:
                byte[] text = Encoding.UTF8.GetBytes(value.AsString());
                Unsigned((ulong)text.Length);
                bytes.AddRange(text);
                break;
            default: throw new NotSupportedException("there are no constant values of type error-context");
        }
    }

    private void Unsigned(ulong value)
    {
        for (; value > 0x7f; value >>= 7) bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
    }

    private void Signed(long value)
    {
        for (; value is < -64 or > 63; value >>= 7) bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)(value & 0x7f));
    }
}
