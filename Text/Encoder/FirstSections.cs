using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>
/// The sections before a module's own definitions: types, imports, modules, instances, aliases. Types that uses imply come behind the
/// explicit ones; if types name modules, they come where they are needed instead.
/// </summary>
/// <param name="source">The text.</param>
/// <param name="outer">Those of the enclosing module.</param>
internal sealed class FirstSections(Source source, FirstSections? outer)
{
    private readonly List<(byte Section, ByteWriter Item)> types = [], implied = [], others = [];

    /// <summary>How many of the implied items have been put before an explicit one.</summary>
    private int placed;

    private bool typesAreDone;
    private bool hasLateTypes;
    private (int Items, ModuleContents Contents)? decoded;

    /// <summary>Adds an item. What it implies has been added before.</summary>
    /// <param name="section">The section's id.</param>
    /// <param name="item">The item; it is not written to any more.</param>
    internal void Add(byte section, ByteWriter item)
    {
        if (!typesAreDone || hasLateTypes)
            for (; placed < implied.Count; placed++) (typesAreDone ? others : types).Add(implied[placed]);
        (typesAreDone ? others : types).Add((section, item));
    }

    /// <summary>Adds an item that is bytes already.</summary>
    internal void Add(byte section, ReadOnlySpan<byte> item, int token)
    {
        ByteWriter writer = Begin(token);
        writer.Bytes(item);
        Add(section, writer);
    }

    /// <summary>A writer for an item.</summary>
    /// <param name="token">The field's first token.</param>
    internal static ByteWriter Begin(int token)
    {
        var item = new ByteWriter();
        item.Place(token);
        return item;
    }

    /// <summary>Adds what another item implies.</summary>
    internal void Imply(byte section, ReadOnlySpan<byte> item)
    {
        var writer = new ByteWriter();
        writer.Bytes(item);
        implied.Add((section, writer));
    }

    /// <summary>The types that do not name modules are there.</summary>
    internal void EndTypes() => typesAreDone = true;

    /// <summary>From here on types come where they are needed; those until now come before everything else.</summary>
    internal void UseLateTypes()
    {
        if (hasLateTypes) return;
        types.AddRange(implied[placed..]);
        placed = implied.Count;
        hasLateTypes = true;
    }

    /// <summary>The sections in order: items of one section that follow each other are in one.</summary>
    internal IEnumerable<(byte Id, ByteWriter Content)> Sections()
    {
        List<(byte Section, ByteWriter Item)> rest = implied[placed..];
        List<(byte Section, ByteWriter Item)> all = hasLateTypes ? [.. types, .. others, .. rest] : [.. types, .. rest, .. others];
        for (int i = 0; i < all.Count;)
        {
            byte id = all[i].Section;
            var items = new ByteWriter();
            int count = 0;
            for (; i < all.Count && all[i].Section == id; i++, count++) items.Append(all[i].Item);
            yield return (id, ByteWriter.Counted(count, items));
        }
    }

    /// <summary>Decodes the sections so far, for the types of the items in them.</summary>
    /// <param name="token">Where in the text an error is reported.</param>
    internal ModuleContents Decode(int token)
    {
        int count = types.Count + implied.Count + others.Count;
        if (decoded is { } known && known.Items == count) return known.Contents;
        var module = new ByteWriter();
        module.Bytes("\0asm\x1\0\0\0"u8);
        foreach ((byte id, ByteWriter content) in Sections())
        {
            module.U8(id);
            module.Sized(content);
        }
        try
        {
            ModuleContents contents = ModuleDecoder.DecodePart(module.ToArray(), outer?.Decode(token));
            decoded = (count, contents);
            return contents;
        }
        catch (ModuleException e)
        {
            throw source.ErrorAt(token, e.Reason);
        }
    }
}
