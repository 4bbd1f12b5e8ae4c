using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>A custom section and where it goes: places grow with the order of sections.</summary>
internal readonly record struct CustomSection(int Place, byte[] Name, byte[] Content)
{
    internal const int FirstPlace = 0, NamesPlace = (10 * 14) + 6, LastPlace = 10 * 20;

    /// <summary>Branch hints stand right before the code, behind what was placed after the section before it.</summary>
    internal const int HintsPlace = (10 * 13) - 1;

    /// <summary>The section that it stands before or behind, where that is one of the first: 0 if it is not.</summary>
    internal byte Anchor { get; init; }

    internal bool IsBefore => Place % 10 == 0;

    internal static int PlaceOf(byte section) => 10 * SectionOrder.Of(section);

    /// <summary>Reads a <c>@custom</c> annotation.</summary>
    internal static CustomSection Read(Source source, Annotation annotation)
    {
        ReadOnlySpan<Token> content = annotation.Content;
        if (content.IsEmpty || content[0].Kind != TokenKind.String) throw source.Error(annotation.Position, "@custom annotation: missing section name");
        byte[] name = content[0].Bytes!;
        if (!System.Text.Unicode.Utf8.IsValid(name)) throw source.Error(annotation.Position, "@custom annotation: malformed UTF-8 encoding");
        content = content[1..];
        int place = LastPlace;
        byte anchor = 0;
        if (!content.IsEmpty && content[0].Kind == TokenKind.Open)
        {
            int close = 1;
            while (close < content.Length && content[close].Kind != TokenKind.Close) close++;
            place = ReadPlace(source, annotation, content[1..close], out anchor);
            content = content[(close + 1)..];
        }
        var bytes = new ByteWriter();
        foreach (Token token in content)
        {
            if (token.Kind != TokenKind.String) throw source.Error(token.Position, "@custom annotation: unexpected token");
            bytes.Bytes(token.Bytes);
        }
        return new CustomSection(place, name, bytes.ToArray()) { Anchor = anchor };
    }

    private static int ReadPlace(Source source, Annotation annotation, ReadOnlySpan<Token> place, out byte anchor)
    {
        anchor = 0;
        bool before = place.Length > 0 && place[0] is { Kind: TokenKind.Atom, Text: "before" };
        if (!before && !(place.Length > 0 && place[0] is { Kind: TokenKind.Atom, Text: "after" }))
            throw source.Error(annotation.Position, "@custom annotation: malformed placement");
        string section = place.Length > 1 && place[1].Kind == TokenKind.Atom ? place[1].Text : "";
        if (place.Length > 2) throw source.Error(place[2].Position, "@custom annotation: unexpected token");
        if (before && section == "first") return FirstPlace;
        if (!before && section == "last") return LastPlace;
        byte id = SectionOrder.IdOf(section);
        if (id == 0) throw source.Error(annotation.Position, "@custom annotation: malformed section kind");
        if (SectionOrder.IsEarly(id)) anchor = id;
        return PlaceOf(id) + (before ? 0 : 5);
    }
}
