using WasmJit.Components;
using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>What the custom section <c>component-name</c> says.</summary>
internal sealed class ComponentNames
{
    internal const string SectionName = "component-name";

    /// <summary>The component's own name.</summary>
    internal string? Component { get; private set; }

    internal SortedDictionary<Sort, Dictionary<uint, string>> Items { get; } = [];

    /// <summary>Reads a section's content; null if it is not in the format, which makes no component invalid.</summary>
    internal static ComponentNames? Read(byte[] content)
    {
        var names = new ComponentNames();
        try
        {
            var reader = new ByteReader(content, 0, content.Length);
            while (reader.Remaining > 0)
            {
                byte id = reader.U8();
                int end = (int)Math.Min((uint)reader.Remaining, reader.U32()) + reader.Position;
                if (id == ComponentNameSubsection.Component) names.Component = reader.Name();
                else if (id == ComponentNameSubsection.Sort) names.Map(ref reader);
                else return null;
                if (reader.Position != end) return null;
            }
        }
        catch (ModuleException)
        {
            return null;
        }
        return names;
    }

    private void Map(ref ByteReader reader)
    {
        Sort? sort = SortByte.Read(ref reader, out _);
        var map = new Dictionary<uint, string>();
        for (uint count = reader.U32(); count > 0; count--)
        {
            uint index = reader.U32();
            map[index] = reader.Name();
        }
        if (sort is { } known) Items[known] = map;
    }

    /// <summary>The content of the section as the text reader writes it; empty if there are no names.</summary>
    internal static byte[] Write(string? component, IEnumerable<(Sort Sort, Dictionary<uint, string> Names)> items)
    {
        var section = new ByteWriter();
        if (component is not null)
        {
            var part = new ByteWriter();
            part.Name(component);
            section.U8(ComponentNameSubsection.Component);
            section.Sized(part);
        }
        foreach ((Sort sort, Dictionary<uint, string> names) in items)
        {
            if (names.Count == 0) continue;
            var part = new ByteWriter();
            sort.Write(part);
            part.U32((uint)names.Count);
            foreach ((uint index, string name) in names.OrderBy(n => n.Key))
            {
                part.U32(index);
                part.Name(name);
            }
            section.U8(ComponentNameSubsection.Sort);
            section.Sized(part);
        }
        return section.ToArray();
    }

    internal byte[] Write() => Write(Component, Items.Select(i => (i.Key, i.Value)));
}
