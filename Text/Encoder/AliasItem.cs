using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>Items of the alias section.</summary>
internal static class AliasItem
{
    /// <summary>An export of an instance.</summary>
    internal static byte[] Export(string kind, uint instance, string name)
    {
        var item = new ByteWriter();
        item.U8(AliasByte.InstanceExport);
        item.U32(instance);
        item.U8(ExternByte.Of(kind));
        item.Name(name);
        return item.ToArray();
    }

    /// <summary>A type or module of an enclosing module.</summary>
    internal static byte[] Outer(byte kind, uint depth, uint index)
    {
        var item = new ByteWriter();
        item.U8(AliasByte.Outer);
        item.U32(depth);
        item.U8(kind);
        item.U32(index);
        return item.ToArray();
    }
}
