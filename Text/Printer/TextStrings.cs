using System.Globalization;
using System.Text;

namespace WasmJit.Text;

/// <summary>Strings, ids and names in the text format.</summary>
internal static class TextStrings
{
    internal static string NameAnnotation(string name) => $"(@name {Quote(name)})";

    internal static string Id(string name)
    {
        foreach (char c in name)
            if (c is not (>= '!' and <= '~') || c is '"' or '(' or ')' or ',' or ';' or '[' or ']' or '{' or '}')
                return "$" + Quote(name);
        return "$" + name;
    }

    /// <summary>Bytes as one or more strings, each no longer than a line, with blanks between them.</summary>
    internal static string QuoteLong(ReadOnlySpan<byte> bytes)
    {
        var quoted = new StringBuilder("\"");
        int start = 0;
        foreach (byte b in bytes)
        {
            if (quoted.Length - start >= TextLayout.StringWidth - 3)
            {
                quoted.Append("\" ");
                start = quoted.Length;
                quoted.Append('"');
            }
            switch (b)
            {
                case (byte)'"' or (byte)'\\': quoted.Append('\\').Append((char)b); break;
                case >= 0x20 and < 0x7f: quoted.Append((char)b); break;
                default: quoted.Append('\\').Append(b.ToString("x2", CultureInfo.InvariantCulture)); break;
            }
        }
        return quoted.Append('"').ToString();
    }

    /// <summary>A name in quotes. Characters that are not visible are escaped.</summary>
    internal static string Quote(string name)
    {
        var quoted = new StringBuilder("\"");
        foreach (Rune rune in name.EnumerateRunes())
        {
            switch (rune.Value)
            {
                case '"' or '\\': quoted.Append('\\').Append((char)rune.Value); break;
                case '\t': quoted.Append("\\t"); break;
                case '\n': quoted.Append("\\n"); break;
                case '\r': quoted.Append("\\r"); break;
                case >= 0x20 and < 0x7f: quoted.Append((char)rune.Value); break;
                case < 0x80: quoted.Append(CultureInfo.InvariantCulture, $"\\{rune.Value:x2}"); break;
                case var code when IsVisible(rune): quoted.Append(char.ConvertFromUtf32(code)); break;
                default: quoted.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}"); break;
            }
        }
        return quoted.Append('"').ToString();
    }

    /// <summary>Whether a character is visible by itself. Combining characters and those that change the direction of writing are not.</summary>
    private static bool IsVisible(Rune rune) => Rune.IsLetterOrDigit(rune) || Rune.IsPunctuation(rune) || Rune.IsSymbol(rune);
}
