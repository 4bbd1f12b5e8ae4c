using System.Globalization;
using WasmJit.Tests;
using WasmJit.Text;

namespace WasmJit.Agreement;

/// <summary>Texts of components: those of the official tests, our forms, and such with changes.</summary>
internal static class ComponentTexts
{
    /// <summary>Every component that stands in an official script as text, by file and line.</summary>
    internal static IEnumerable<(string Where, string Text)> Official()
    {
        foreach (string file in ComponentSuite.Scripts)
        {
            string text = File.ReadAllText(Path.Combine(ComponentSuite.Folder!, file));
            Source source = Lexer.Read(text);
            Token[] tokens = source.Tokens;
            for (int i = 0; tokens[i].Kind == TokenKind.Open; i = source.EndOf(i))
            {
                int at = tokens[i + 1].Text == "component" ? i : i + 2;
                if (tokens[at].Kind != TokenKind.Open || tokens[at + 1].Text != "component") continue;
                int from = at + 2;
                if (tokens[from] is { Kind: TokenKind.Atom, Text: "instance" or "binary" or "quote" }) continue;
                if (tokens[from] is { Kind: TokenKind.Atom, Text: "definition" }) from++;
                if (tokens[from].Kind == TokenKind.Id && tokens[from + 1] is { Kind: TokenKind.Atom, Text: "binary" }) continue;
                int end = tokens[source.EndOf(at) - 1].Position;
                yield return ($"{file}:{source.Line(tokens[i].Position).ToString(CultureInfo.InvariantCulture)}", $"(component {text[tokens[from].Position..end]})");
            }
        }
    }

    internal static IEnumerable<(string Where, string Text)> Forms() => ComponentForms.All.Select((form, i) => ($"forms:{i}", $"(component {form})"));

    /// <summary>The tokens of a text, as they are written.</summary>
    internal static string[] Tokens(string text) =>
        [.. Lexer.Read(text).Tokens.Where(t => t.Kind != TokenKind.End).Select(t => t.Kind == TokenKind.Id ? "$" + t.Text : t.Text)];

    /// <summary>A text with one or two changes: words exchanged for others of their kind, whole expressions left out or put in.</summary>
    internal static string Changed(string[][] texts, Random random)
    {
        List<string> tokens = [.. texts[random.Next(texts.Length)]];
        for (int changes = random.Next(1, 3); changes > 0; changes--)
        {
            int at = random.Next(2, tokens.Count);
            string[] source = random.Next(2) == 0 ? [.. tokens] : texts[random.Next(texts.Length)];
            if (tokens[at] == ")") continue;
            if (tokens[at] != "(")
            {
                string[] same = [.. source.Where(word => KindOf(word) == KindOf(tokens[at]))];
                if (same.Length > 0) tokens[at] = same[random.Next(same.Length)];
                continue;
            }
            if (random.Next(2) == 0)
            {
                int end = EndOf(tokens, at);
                if (end < tokens.Count) tokens.RemoveRange(at, end - at);
                continue;
            }
            int from = random.Next(source.Length);
            if (source[from] == "(") tokens.InsertRange(at, source[from..EndOf(source, from)]);
        }
        return string.Join(' ', tokens);
    }

    private static char KindOf(string word) => char.IsLetter(word[0]) ? 'a' : char.IsDigit(word[0]) ? '0' : word[0];

    private static int EndOf(IReadOnlyList<string> tokens, int open)
    {
        int depth = 0, at = open;
        do
        {
            if (tokens[at] == "(") depth++;
            else if (tokens[at] == ")") depth--;
            at++;
        }
        while (depth > 0 && at < tokens.Count);
        return at;
    }
}
