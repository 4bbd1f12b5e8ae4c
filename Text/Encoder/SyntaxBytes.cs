using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>Writes what the text says of imports and limits.</summary>
internal static class SyntaxBytes
{
    /// <summary>A single-level import has an empty second name and a byte that begins no description.</summary>
    internal static void ImportNames(this ByteWriter writer, ImportNames names)
    {
        writer.Vector(names.First);
        if (names.Second is { } second)
        {
            writer.Vector(second);
            return;
        }
        writer.U8(0);
        writer.U8(ExternByte.SingleLevel);
    }

    internal static void Limits(this ByteWriter writer, LimitsSyntax limits)
    {
        writer.Limits(limits.Minimum, limits.Maximum, (limits.IsShared ? LimitsFlags.Shared : 0) | (limits.Is64 ? LimitsFlags.Is64 : 0)
            | (limits.PageSizeLog2 is null ? 0 : LimitsFlags.HasPageSize));
        if (limits.PageSizeLog2 is { } log2) writer.U32(log2);
    }
}
