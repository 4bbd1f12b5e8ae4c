using System.Globalization;
using System.Text;

namespace WasmJit.Cli;

/// <summary>
/// Escapes text of a guest, such as names. A terminal interprets control characters, and other characters change the
/// direction of writing, so that a guest could fake output. Such characters become escapes of the text format.
/// </summary>
internal static class Printable
{
    /// <summary>Returns the text with escapes for everything but visible characters and blanks, on one line.</summary>
    internal static string Text(string text)
    {
        int safe = 0;
        while (safe < text.Length && text[safe] is >= ' ' and <= '~') safe++;
        if (safe == text.Length) return text;
        var shown = new StringBuilder(text, 0, safe, text.Length + 16);
        for (int i = safe; i < text.Length;)
        {
            bool isRune = Rune.TryGetRuneAt(text, i, out Rune rune);
            int code = isRune ? rune.Value : text[i], length = isRune ? rune.Utf16SequenceLength : 1;
            if (isRune && IsShown(rune)) shown.Append(text, i, length);
            else if (code < 0x80) shown.Append(CultureInfo.InvariantCulture, $"\\{code:x2}");
            else shown.Append(CultureInfo.InvariantCulture, $"\\u{{{code:x}}}");
            i += length;
        }
        return shown.ToString();
    }

    private static bool IsShown(Rune rune) => Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse);
}
