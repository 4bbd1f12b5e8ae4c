using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>Writes the names section (spec 7.4.1 and its extensions): subsections by id, entries by index.</summary>
internal static class NameSectionWriter
{
    /// <summary>The section's content; empty if there are no names.</summary>
    internal static byte[] Write(
        string? name,
        IEnumerable<(byte Id, Dictionary<uint, string> Names)> maps,
        IEnumerable<(byte Id, Dictionary<(uint Outer, uint Inner), string> Names)> indirect)
    {
        var parts = new SortedDictionary<byte, ByteWriter>();
        if (name is not null)
        {
            parts[0] = new ByteWriter();
            parts[0].Name(name);
        }
        foreach ((byte id, Dictionary<uint, string> names) in maps)
            if (names.Count > 0) Map(parts[id] = new ByteWriter(), names);
        foreach ((byte id, Dictionary<(uint Outer, uint Inner), string> names) in indirect)
        {
            if (names.Count == 0) continue;
            var part = parts[id] = new ByteWriter();
            var groups = names.GroupBy(n => n.Key.Outer).OrderBy(g => g.Key).ToList();
            part.U32((uint)groups.Count);
            foreach (var group in groups)
            {
                part.U32(group.Key);
                Map(part, group.ToDictionary(n => n.Key.Inner, n => n.Value));
            }
        }
        var section = new ByteWriter();
        foreach ((byte id, ByteWriter content) in parts)
        {
            section.U8(id);
            section.Sized(content);
        }
        return section.ToArray();
    }

    private static void Map(ByteWriter writer, Dictionary<uint, string> names)
    {
        writer.U32((uint)names.Count);
        foreach ((uint index, string name) in names.OrderBy(n => n.Key))
        {
            writer.U32(index);
            writer.Name(name);
        }
    }
}
