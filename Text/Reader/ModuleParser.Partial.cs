using WasmJit.Jit;

namespace WasmJit.Text;

/// <summary>The sections that are written so far: decoded, they tell the types of what later fields refer to.</summary>
internal sealed partial class ModuleParser
{
    /// <summary>The first sections: items of one section that follow each other are in one.</summary>
    private IEnumerable<(byte Id, ByteWriter Content)> EarlySections()
    {
        List<(byte Section, byte[] Item)> rest = impliedItems[flushed..];
        List<(byte Section, byte[] Item)> all = hasLateTypes ? [.. headItems, .. earlyItems, .. rest] : [.. headItems, .. rest, .. earlyItems];
        for (int i = 0; i < all.Count;)
        {
            byte id = all[i].Section;
            var items = new ByteWriter();
            int count = 0;
            for (; i < all.Count && all[i].Section == id; i++, count++) items.Bytes(all[i].Item);
            yield return (id, Counted(count, items));
        }
    }

    private (int Items, ModuleContents Contents)? partial;

    /// <summary>What is written so far, decoded: it has the types of what it defines.</summary>
    private ModuleInfo Partial() => PartialContents().Info;

    private ModuleContents PartialContents()
    {
        int count = headItems.Count + impliedItems.Count + earlyItems.Count;
        if (partial is { } known && known.Items == count) return known.Contents;
        var module = new ByteWriter();
        module.Bytes("\0asm\x1\0\0\0"u8);
        foreach ((byte id, ByteWriter content) in EarlySections())
        {
            module.U8(id);
            module.Sized(content);
        }
        try
        {
            ModuleContents contents = ModuleDecoder.DecodePart(module.ToArray(), outer?.PartialContents());
            partial = (count, contents);
            return contents;
        }
        catch (ModuleException e)
        {
            throw Error(e.Reason);
        }
    }
}
