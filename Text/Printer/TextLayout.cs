using System.Text;

namespace WasmJit.Text;

/// <summary>Breaks long lines. Strings are not broken.</summary>
internal static class TextLayout
{
    internal const int Width = 120;
    private const int Continuation = 4;

    /// <summary>The width of a string that is one of several.</summary>
    internal const int StringWidth = 96;

    /// <summary>Appends a line. If it is too long it becomes several, and all but the first are indented more.</summary>
    internal static void Append(StringBuilder target, int indent, string text)
    {
        target.Append(' ', indent);
        if (indent + text.Length <= Width)
        {
            target.Append(text).Append('\n');
            return;
        }
        var items = new List<string>();
        Split(text, items, Width - indent - Continuation);
        int column = indent;
        for (int i = 0; i < items.Count; i++)
        {
            if (i > 0 && column + 1 + items[i].Length > Width)
            {
                target.Append('\n').Append(' ', indent + Continuation);
                column = indent + Continuation;
            }
            else if (i > 0)
            {
                target.Append(' ');
                column++;
            }
            target.Append(items[i]);
            column += items[i].Length;
        }
        target.Append('\n');
    }

    /// <summary>Splits a text at blanks. An expression in parentheses is one part if it fits on a line.</summary>
    /// <param name="text">The text.</param>
    /// <param name="items">Gets the parts.</param>
    /// <param name="most">How long a part may be.</param>
    /// <param name="behind">How many closing parentheses the last part gets.</param>
    private static void Split(ReadOnlySpan<char> text, List<string> items, int most, int behind = 0)
    {
        while (true)
        {
            text = text.TrimStart(' ');
            if (text.IsEmpty) return;
            int length = Element(text);
            ReadOnlySpan<char> element = text[..length];
            text = text[length..];
            if (element[0] != '(' || length + (text.TrimStart(' ').IsEmpty ? behind : 0) <= most)
            {
                items.Add(element.ToString());
                continue;
            }
            // A head without its closing parenthesis ends where the text ends.
            bool closed = element[^1] == ')' && Element(element) == length && IsBalanced(element);
            int first = items.Count;
            Split(closed ? element[1..^1] : element[1..], items, most, text.TrimStart(' ').IsEmpty ? behind + 1 : 1);
            items[first] = "(" + items[first];
            if (closed) items[^1] += ")";
        }
    }

    /// <summary>The length of the element that a text begins with.</summary>
    private static int Element(ReadOnlySpan<char> text)
    {
        int depth = 0;
        for (int i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '"': i = EndOfString(text, i); break;
                case '(': depth++; break;
                case ')': depth--; break;
                case ' ' when depth == 0: return i;
            }
        }
        return text.Length;
    }

    private static bool IsBalanced(ReadOnlySpan<char> text)
    {
        int depth = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '"') i = EndOfString(text, i);
            else if (text[i] == '(') depth++;
            else if (text[i] == ')') depth--;
        }
        return depth == 0;
    }

    private static int EndOfString(ReadOnlySpan<char> text, int start)
    {
        int i = start + 1;
        while (i < text.Length && text[i] != '"') i += text[i] == '\\' ? 2 : 1;
        return i;
    }
}
