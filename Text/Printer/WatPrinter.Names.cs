using System.Globalization;
using System.Text;

namespace WasmJit.Text;

/// <summary>Ids, names and strings.</summary>
internal sealed partial class WatPrinter
{
    /// <summary>
    /// The ids of an index space. Names need not be unique, ids must: a name that is taken gets a number, and the name itself
    /// in an annotation, from which it is read again.
    /// </summary>
    private sealed class Names
    {
        private readonly Dictionary<uint, string> ids = [];
        private readonly Dictionary<uint, string> annotated = [];

        internal Names(IEnumerable<KeyValuePair<uint, string>> names)
        {
            KeyValuePair<uint, string>[] sorted = [.. names.OrderBy(n => n.Key)];
            if (sorted.Length == 0) return;
            var taken = sorted.Select(n => n.Value).ToHashSet();
            var seen = new HashSet<string>();
            var numbers = new Dictionary<string, int>();
            foreach ((uint index, string name) in sorted)
            {
                if (name.Length == 0)
                {
                    annotated[index] = name;
                    continue;
                }
                string id = name;
                if (!seen.Add(name))
                {
                    int number = numbers.GetValueOrDefault(name);
                    do id = $"{name}_{++number}"; while (!taken.Add(id));
                    numbers[name] = number;
                    annotated[index] = name;
                }
                ids[index] = Id(id);
            }
        }

        internal bool IsEmpty => ids.Count == 0 && annotated.Count == 0;

        /// <summary>The id, or the index.</summary>
        internal string this[uint index] => ids.GetValueOrDefault(index) ?? index.ToString(CultureInfo.InvariantCulture);

        private HashSet<string>? taken;

        internal bool IsTaken(string id) => (taken ??= [.. ids.Values]).Contains(id);

        internal bool Has(uint index) => ids.ContainsKey(index) || annotated.ContainsKey(index);

        /// <summary>Behind a blank, what names an item where it is defined; nothing if it has no name.</summary>
        internal string Definition(uint index)
        {
            string id = ids.TryGetValue(index, out string? known) ? " " + known : "";
            return annotated.TryGetValue(index, out string? name) ? $"{id} {NameAnnotation(name)}" : id;
        }

        /// <summary>The same, with the index in a comment where there is no id.</summary>
        internal string Numbered(uint index) => ids.ContainsKey(index) ? Definition(index) : $"{Definition(index)} (;{index};)";
    }

    private static string NameAnnotation(string name) => $"(@name {Quote(name)})";

    private static string Id(string name)
    {
        foreach (char c in name)
            if (c is not (>= '!' and <= '~') || c is '"' or '(' or ')' or ',' or ';' or '[' or ']' or '{' or '}')
                return "$" + Quote(name);
        return "$" + name;
    }

    /// <summary>Bytes as strings of a line's length, with blanks between; at least one string.</summary>
    private static string QuoteLong(ReadOnlySpan<byte> bytes)
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

    /// <summary>A name in quotes: what can be seen as it is, everything else escaped.</summary>
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

    /// <summary>Nothing that stands on what is before it, or changes the direction of writing.</summary>
    private static bool IsVisible(Rune rune) => Rune.IsLetterOrDigit(rune) || Rune.IsPunctuation(rune) || Rune.IsSymbol(rune);
}
