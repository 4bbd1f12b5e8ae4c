using WasmJit.Jit.Format;

namespace WasmJit.Jit.Operators;

/// <summary>Writes operators in the binary format.</summary>
internal static class OperatorBytes
{
    /// <summary>An operator's code, behind its prefix if it has one.</summary>
    internal static void Code(this ByteWriter writer, Operator op)
    {
        if (op.Prefix == 0)
        {
            writer.U8((byte)op.Code);
            return;
        }
        writer.U8(op.Prefix);
        writer.U32(op.Code);
    }

    internal static void Code(this ByteWriter writer, OpId id) => writer.Code(OperatorTable.Of(id));
}
