using System.Text;
using WasmJit.Jit;

namespace WasmJit.Text;

/// <summary>
/// Annotations (spec 7.3): custom sections as such, names of definitions that are no ids, branch hints. A section written with
/// <c>@custom</c> takes the place of the one that would be made of names or hints.
/// </summary>
internal sealed partial class ModuleParser
{
    /// <summary>Where a custom section goes: places grow with the order of sections.</summary>
    private readonly record struct CustomSection(int Place, byte[] Name, byte[] Content)
    {
        /// <summary>The section that it stands before or behind, where that is one of the first: 0 if it is not.</summary>
        internal byte Anchor { get; init; }

        internal bool IsBefore { get; init; }
    }

    private const int First = 0, NamesPlace = (10 * 13) + 6, LastPlace = 10 * 20;

    /// <summary>Branch hints stand right before the code, behind what was placed after the section before it.</summary>
    private const int HintsPlace = (10 * 12) - 1;

    private readonly List<CustomSection> customSections = [];
    private readonly List<(uint Func, List<(int Offset, byte Value)> Hints)> branchHints = [];

    /// <summary>The tokens of function definitions, noted if there are annotations.</summary>
    private readonly List<(int First, int Last)> funcRanges = [];

    /// <summary>The body being written and its hints; no other expression has any.</summary>
    private ByteWriter? currentBody;
    private List<(int Offset, byte Value)> currentHints = [];

    private WatException Error(Annotation annotation, string reason) => Source.Error(annotation.Position, reason);

    private static int PlaceOf(byte section) => 10 * SectionOrder.Of(section);

    // ---- @custom ----

    private void ReadCustomSections()
    {
        foreach (Annotation annotation in Source.Annotations.Take(Position, Annotation.Custom)) CustomAnnotation(annotation);
    }

    private void CustomAnnotation(Annotation annotation)
    {
        ReadOnlySpan<Token> content = annotation.Content;
        if (content.IsEmpty || content[0].Kind != TokenKind.String) throw Error(annotation, "@custom annotation: missing section name");
        byte[] name = content[0].Bytes!;
        if (!System.Text.Unicode.Utf8.IsValid(name)) throw Error(annotation, "@custom annotation: malformed UTF-8 encoding");
        content = content[1..];
        int place = LastPlace;
        byte anchor = 0;
        if (!content.IsEmpty && content[0].Kind == TokenKind.Open)
        {
            int close = 1;
            while (close < content.Length && content[close].Kind != TokenKind.Close) close++;
            place = Place(annotation, content[1..close], out anchor);
            content = content[(close + 1)..];
        }
        var bytes = new ByteWriter();
        foreach (Token token in content)
        {
            if (token.Kind != TokenKind.String) throw Source.Error(token.Position, "@custom annotation: unexpected token");
            bytes.Bytes(token.Bytes);
        }
        customSections.Add(new CustomSection(place, name, bytes.ToArray()) { Anchor = anchor, IsBefore = place % 10 == 0 });
    }

    private int Place(Annotation annotation, ReadOnlySpan<Token> place, out byte anchor)
    {
        anchor = 0;
        bool before = place.Length > 0 && place[0] is { Kind: TokenKind.Atom, Text: "before" };
        if (!before && !(place.Length > 0 && place[0] is { Kind: TokenKind.Atom, Text: "after" }))
            throw Error(annotation, "@custom annotation: malformed placement");
        string section = place.Length > 1 && place[1].Kind == TokenKind.Atom ? place[1].Text : "";
        if (place.Length > 2) throw Source.Error(place[2].Position, "@custom annotation: unexpected token");
        if (before && section == "first") return First;
        if (!before && section == "last") return LastPlace;
        byte id = SectionOrder.IdOf(section);
        if (id == 0) throw Error(annotation, "@custom annotation: malformed section kind");
        if (SectionOrder.IsEarly(id)) anchor = id;
        return PlaceOf(id) + (before ? 0 : 5);
    }

    // ---- @name ----

    /// <summary>The name that an annotation at this place gives, which takes the id's place in the names section.</summary>
    private string? NameAnnotation(string kind)
    {
        if (Source.Annotations.IsEmpty) return null;
        IReadOnlyList<Annotation> found = Source.Annotations.Take(Position, Annotation.ItemName);
        if (found.Count == 0) return null;
        if (found.Count > 1) throw Error(found[1], $"@name annotation: multiple {kind}");
        Token[] content = found[0].Content;
        if (content.Length != 1 || content[0].Kind != TokenKind.String) throw Error(found[0], "@name annotation: unexpected token");
        if (!System.Text.Unicode.Utf8.IsValid(content[0].Bytes)) throw Error(found[0], "@name annotation: malformed UTF-8 encoding");
        return Encoding.UTF8.GetString(content[0].Bytes!);
    }

    // ---- @metadata.code.branch_hint ----

    /// <summary>The hint before the instruction that begins here.</summary>
    private byte? TakeHint(ByteWriter writer)
    {
        if (Source.Annotations.IsEmpty || writer != currentBody) return null;
        IReadOnlyList<Annotation> found = Source.Annotations.Take(Position, Annotation.BranchHint);
        if (found.Count == 0) return null;
        if (found.Count > 1) throw Error(found[1], "@metadata.code.branch_hint annotation: duplicate annotation");
        var payload = new ByteWriter();
        foreach (Token token in found[0].Content)
        {
            if (token.Kind != TokenKind.String)
                throw Source.Error(token.Position, "@metadata.code.branch_hint annotation: unexpected token");
            payload.Bytes(token.Bytes);
        }
        if (payload.Length != 1 || payload.Span[0] > 1)
            throw Error(found[0], "@metadata.code.branch_hint annotation: invalid hint value");
        int keyword = Current.Kind == TokenKind.Open ? 1 : 0;
        if (Peek(keyword).Text is not ("if" or "br_if"))
            throw Error(found[0], "@metadata.code.branch_hint annotation: invalid target");
        return payload.Span[0];
    }

    private void AddHint(ByteWriter writer, byte? hint)
    {
        if (hint is { } value) currentHints.Add((writer.Length, value));
    }

    private void BeginBody(ByteWriter body)
    {
        currentBody = body;
        currentHints = [];
    }

    private void EndBody()
    {
        currentBody = null;
        if (currentHints.Count > 0) branchHints.Add((currentFunc, currentHints));
    }

    // ---- the whole ----

    private void CheckAnnotations(int first)
    {
        foreach (Annotation annotation in Source.Annotations.Unread(first, Last))
        {
            if (annotation.Name != Annotation.BranchHint) throw Error(annotation, $"misplaced @{annotation.Name} annotation");
            bool inside = funcRanges.Exists(r => annotation.Token > r.First && annotation.Token < r.Last);
            throw Error(annotation, $"@{annotation.Name} annotation: {(inside ? "invalid placement" : "not in a function")}");
        }
    }

    private void AddMetadata()
    {
        if (branchHints.Count > 0 && !IsWritten(Annotation.BranchHint))
        {
            var hints = new ByteWriter();
            hints.U32((uint)branchHints.Count);
            foreach ((uint func, List<(int Offset, byte Value)> list) in branchHints)
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
            customSections.Add(new CustomSection(HintsPlace, Encoding.UTF8.GetBytes(Annotation.BranchHint), hints.ToArray()));
        }
        if (IsWritten("name")) return;
        byte[] names = NameSectionWriter.Write(moduleName, [
            (NameSubsection.Function, funcs.Names), (NameSubsection.Type, types.Names), (NameSubsection.Table, tables.Names), (NameSubsection.Memory, memories.Names), (NameSubsection.Global, globals.Names), (NameSubsection.Element, elems.Names),
            (NameSubsection.Data, datas.Names), (NameSubsection.Tag, tags.Names), (NameSubsection.ModuleIndex, modules.Names), (NameSubsection.Instance, instances.Names)], [(NameSubsection.Local, localNames), (NameSubsection.Label, labelNames), (NameSubsection.Field, fieldNames)]);
        if (names.Length > 0) customSections.Add(new CustomSection(NamesPlace, "name"u8.ToArray(), names));
    }

    private bool IsWritten(string name) => customSections.Exists(s => s.Name.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(name)));

    /// <summary>The sections in their order, custom ones among them; of one place in the order of the text.</summary>
    private void WriteSections(ByteWriter module, IEnumerable<(byte Id, ByteWriter Content)> sections)
    {
        AddMetadata();
        List<CustomSection> customs = [.. customSections.OrderBy(s => s.Place)];
        void Customs(Func<CustomSection, bool> chosen)
        {
            foreach (CustomSection custom in customs.Where(chosen).ToList())
            {
                var content = new ByteWriter();
                WriteName(content, custom.Name);
                content.Bytes(custom.Content);
                module.U8(SectionId.Custom);
                module.Sized(content);
                customs.Remove(custom);
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
            if (!early) Customs(c => c.Place <= PlaceOf(id));
            else if (first[id] == i) Customs(c => c.Anchor == id ? c.IsBefore : c.Place <= PlaceOf(id) && !first.ContainsKey(c.Anchor));
            module.U8(id);
            module.Sized(content);
            if (early && last[id] == i) Customs(c => c.Anchor == id && !c.IsBefore);
        }
        Customs(_ => true);
    }
}
