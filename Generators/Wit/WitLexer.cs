using System.Text;

namespace WasmJit.Generators.Wit;

/// <summary>A word, a mark, or the end.</summary>
/// <param name="Text">The text; empty at the end.</param>
/// <param name="IsEscaped">Whether it is a name that was written with a percent sign.</param>
/// <param name="Line">From 0.</param>
/// <param name="Column">From 0.</param>
/// <param name="Docs">The documentation before it.</param>
internal sealed record WitToken(string Text, bool IsEscaped, int Line, int Column, string? Docs);

/// <summary>Takes WIT apart.</summary>
internal sealed class WitLexer(string text)
{
    private int at, line, lineStart;

    /// <exception cref="WitException">A character that WIT does not have.</exception>
    internal List<WitToken> Read()
    {
        var tokens = new List<WitToken>();
        while (true)
        {
            string? docs = Skip();
            if (at >= text.Length)
            {
                tokens.Add(new WitToken("", false, line, at - lineStart, docs));
                return tokens;
            }
            int start = at, column = at - lineStart;
            char c = text[at];
            if (c == '%' || IsWord(c))
            {
                bool isEscaped = c == '%';
                if (isEscaped) start = ++at;
                // Versions have dots and pluses; they stand behind an at sign.
                while (at < text.Length && (IsWord(text[at]) || (text[at] == '-' && at + 1 < text.Length && IsWord(text[at + 1])))) at++;
                if (at == start) throw new WitException("a name is missing", line, column);
            }
            else if (c == '-' && at + 1 < text.Length && text[at + 1] == '>')
            {
                at += 2;
            }
            else if ("{}()<>,;:=@/._*+".IndexOf(c) >= 0)
            {
                at++;
            }
            else
            {
                throw new WitException($"unexpected character '{CodeWriter.Shown(c.ToString())}'", line, column);
            }
            tokens.Add(new WitToken(text.Substring(start, at - start), start > 0 && text[start - 1] == '%', line, column, docs));
        }
    }

    private static bool IsWord(char c) => c is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9');

    /// <summary>Steps over space and comments.</summary>
    /// <returns>The documentation that was among them.</returns>
    private string? Skip()
    {
        StringBuilder? docs = null;
        while (at < text.Length)
        {
            if (text[at] == '\n')
            {
                at++;
                line++;
                lineStart = at;
            }
            else if (char.IsWhiteSpace(text[at]) || text[at] == '\ufeff')
            {
                at++;
            }
            else if (Starts("//"))
            {
                int end = text.IndexOf('\n', at);
                if (end < 0) end = text.Length;
                string comment = text.Substring(at, end - at).TrimEnd();
                if (comment.StartsWith("///", StringComparison.Ordinal)) (docs ??= new StringBuilder()).Append(docs.Length > 0 ? " " : "").Append(comment.Substring(3).Trim());
                at = end;
            }
            else if (Starts("/*"))
            {
                SkipBlock();
            }
            else
            {
                break;
            }
        }
        return docs?.ToString();
    }

    private bool Starts(string mark) => string.CompareOrdinal(text, at, mark, 0, mark.Length) == 0;

    private void SkipBlock()
    {
        int startLine = line, startColumn = at - lineStart;
        for (int depth = 0; ;)
        {
            if (at >= text.Length) throw new WitException("a comment does not end", startLine, startColumn);
            if (Starts("/*"))
            {
                depth++;
                at += 2;
            }
            else if (Starts("*/"))
            {
                at += 2;
                if (--depth == 0) return;
            }
            else if (text[at++] == '\n')
            {
                line++;
                lineStart = at;
            }
        }
    }
}
