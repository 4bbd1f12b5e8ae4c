using System.Text;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>
/// Puts sections into their order, custom ones among them. A section written with <c>@custom</c> takes the place of the one that would
/// be made of names or hints.
/// </summary>
internal sealed class SectionWriter(ModuleSyntax module, ModuleNames names, CodeContext code)
{
    private readonly List<CustomSection> customs = [.. module.CustomSections];

    private void AddMetadata()
    {
        if (code.BranchHints.Count > 0 && !IsWritten(Annotation.BranchHint))
        {
            var hints = new ByteWriter();
            hints.U32((uint)code.BranchHints.Count);
            foreach ((uint func, List<(int Offset, byte Value)> list) in code.BranchHints)
            {
                hints.U32(func);
                hints.U32((uint)list.Count);
                foreach ((int offset, byte value) in list)
                {
                    hints.U32((uint)offset);
                    hints.U32(1);
                    hints.U8(value);
                }
            }
            customs.Add(new CustomSection(CustomSection.HintsPlace, Encoding.UTF8.GetBytes(Annotation.BranchHint), hints.ToArray()));
        }
        if (IsWritten("name")) return;
        byte[] content = NameSectionWriter.Write(
            module.Name,
            [
                (NameSubsection.Function, names.Funcs.Names), (NameSubsection.Type, names.Types.Space.Names), (NameSubsection.Table, names.Tables.Names),
                (NameSubsection.Memory, names.Memories.Names), (NameSubsection.Global, names.Globals.Names), (NameSubsection.Element, names.Elems.Names),
                (NameSubsection.Data, names.Datas.Names), (NameSubsection.Tag, names.Tags.Names), (NameSubsection.ModuleIndex, names.Modules.Names),
                (NameSubsection.Instance, names.Instances.Names), (NameSubsection.Scope, names.Scopes.Names),
            ],
            [(NameSubsection.Local, code.LocalNames), (NameSubsection.Label, code.LabelNames), (NameSubsection.Field, names.Types.FieldNames)]);
        if (content.Length > 0) customs.Add(new CustomSection(CustomSection.NamesPlace, "name"u8.ToArray(), content));
    }

    private bool IsWritten(string name) => customs.Exists(s => s.Name.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(name)));

    /// <summary>The module's bytes; custom sections of one place are in the order of the text.</summary>
    internal ByteWriter Write(IEnumerable<(byte Id, ByteWriter Content)> sections)
    {
        var output = new ByteWriter();
        output.Bytes("\0asm\x1\0\0\0"u8);
        AddMetadata();
        List<CustomSection> rest = [.. customs.OrderBy(s => s.Place)];
        void Customs(Func<CustomSection, bool> chosen)
        {
            foreach (CustomSection custom in rest.Where(chosen).ToList())
            {
                var content = new ByteWriter();
                content.Vector(custom.Name);
                content.Bytes(custom.Content);
                output.U8(SectionId.Custom);
                output.Sized(content);
                rest.Remove(custom);
            }
        }
        List<(byte Id, ByteWriter Content)> all = [.. sections.Where(s => s.Content.Length > 0)];
        var first = new Dictionary<byte, int>();
        var last = new Dictionary<byte, int>();
        for (int i = 0; i < all.Count; i++)
        {
            first.TryAdd(all[i].Id, i);
            last[all[i].Id] = i;
        }
        for (int i = 0; i < all.Count; i++)
        {
            (byte id, ByteWriter content) = all[i];
            bool early = SectionOrder.IsEarly(id);
            // The first sections may come several times: before the first one, behind the last one.
            if (!early) Customs(c => c.Place <= CustomSection.PlaceOf(id));
            else if (first[id] == i) Customs(c => c.Anchor == id ? c.IsBefore : c.Place <= CustomSection.PlaceOf(id) && !first.ContainsKey(c.Anchor));
            output.U8(id);
            output.Sized(content);
            if (early && last[id] == i) Customs(c => c.Anchor == id && !c.IsBefore);
        }
        Customs(_ => true);
        return output;
    }
}
