using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;

namespace WasmJit.Text;

/// <summary>Reads over defined types in the binary format without printing them.</summary>
internal static class TypeBytes
{
    /// <summary>Reads over a type without printing it.</summary>
    internal static void SkipComposite(ref ByteReader reader)
    {
        switch (reader.U8())
        {
            case TypeByte.Func:
                for (int part = 0; part < 2; part++)
                    for (uint n = reader.U32(); n > 0; n--) CodeReader.SkipValType(ref reader);
                break;
            case TypeByte.Struct:
                for (uint n = reader.U32(); n > 0; n--) SkipField(ref reader);
                break;
            case TypeByte.Array: SkipField(ref reader); break;
            case TypeByte.Memory: SkipLimits(ref reader); break;
            case TypeByte.Table:
                CodeReader.SkipValType(ref reader);
                SkipLimits(ref reader);
                break;
            case TypeByte.Global: SkipField(ref reader); break;
            case TypeByte.Tag:
                reader.U8();
                reader.U32();
                break;
            default:
                for (uint n = reader.U32(); n > 0; n--) SkipDefinition(ref reader);
                break;
        }
    }

    private static void SkipDefinition(ref ByteReader reader)
    {
        switch (reader.U8())
        {
            case DefinitionByte.Type: SkipComposite(ref reader); break;
            case DefinitionByte.Import:
                TypePrinter.ImportNames(ref reader);
                SkipExtern(ref reader);
                break;
            case DefinitionByte.Export:
                reader.Name();
                SkipExtern(ref reader);
                break;
            default:
                reader.U8();
                reader.U32();
                reader.U8();
                reader.U32();
                break;
        }
    }

    private static void SkipExtern(ref ByteReader reader)
    {
        switch (reader.U8())
        {
            case ExternByte.Table:
                CodeReader.SkipValType(ref reader);
                SkipLimits(ref reader);
                break;
            case ExternByte.Memory: SkipLimits(ref reader); break;
            case ExternByte.Global: SkipField(ref reader); break;
            case ExternByte.Tag:
                reader.U8();
                reader.U32();
                break;
            default: reader.U32(); break;
        }
    }

    private static void SkipField(ref ByteReader reader)
    {
        if (reader.Peek() is TypeByte.I8 or TypeByte.I16) reader.U8();
        else CodeReader.SkipValType(ref reader);
        reader.U8();
    }

    private static void SkipLimits(ref ByteReader reader)
    {
        byte flags = reader.U8();
        reader.U64();
        if ((flags & LimitsFlags.HasMaximum) != 0) reader.U64();
        if ((flags & LimitsFlags.HasPageSize) != 0) reader.U32();
    }
}
