using System.Buffers;
using System.Text;

namespace WasmJit.Runtime;

/// <summary>The older names of Rust: a path as C++ mangles one, that ends with a hash (<c>_ZN4core3fmt5write17h0123456789abcdefE</c>).</summary>
internal static class LegacyRustSymbol
{
    private const int HashLength = 17;

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdef");

    /// <summary>The path without the hash; null if the name has another form.</summary>
    internal static string? Demangle(string name)
    {
        int at = name.StartsWith("_ZN", StringComparison.Ordinal) ? 3 : name.StartsWith("__ZN", StringComparison.Ordinal) ? 4 : 0;
        if (at == 0) return null;
        var parts = new List<string>();
        while (at < name.Length && name[at] != 'E')
        {
            int length = 0;
            int digits = at;
            while (at < name.Length && char.IsAsciiDigit(name[at]) && length < Demangler.MaxLength) length = (length * 10) + name[at++] - '0';
            if (at == digits || length == 0 || length > name.Length - at) return null;
            parts.Add(name.Substring(at, length));
            at += length;
        }
        if (at >= name.Length || parts.Count < 2 || !IsHash(parts[^1])) return null;
        var path = new StringBuilder();
        foreach (string part in parts.SkipLast(1))
        {
            if (path.Length > 0) path.Append("::");
            Append(path, part);
        }
        return path.Length > Demangler.MaxResult ? null : path.ToString();
    }

    private static bool IsHash(string part) => part.Length == HashLength && part[0] == 'h' && !part.AsSpan(1).ContainsAnyExcept(Digits);

    private static void Append(StringBuilder path, string part)
    {
        int at = part.StartsWith("_$", StringComparison.Ordinal) ? 1 : 0;
        while (at < part.Length)
        {
            if (part[at] == '.')
            {
                bool isTwo = at + 1 < part.Length && part[at + 1] == '.';
                path.Append(isTwo ? "::" : ".");
                at += isTwo ? 2 : 1;
                continue;
            }
            int end = part[at] == '$' ? part.IndexOf('$', at + 1) : -1;
            if (end < 0 || Escape(part[(at + 1)..end]) is not { } text)
            {
                path.Append(part[at++]);
                continue;
            }
            path.Append(text);
            at = end + 1;
        }
    }

    private static string? Escape(string code)
    {
        switch (code)
        {
            case "SP": return "@";
            case "BP": return "*";
            case "RF": return "&";
            case "LT": return "<";
            case "GT": return ">";
            case "LP": return "(";
            case "RP": return ")";
            case "C": return ",";
        }
        if (code.Length is < 2 or > 7 || code[0] != 'u') return null;
        return int.TryParse(code.AsSpan(1), System.Globalization.NumberStyles.AllowHexSpecifier, null, out int rune) && Rune.IsValid(rune) && rune >= ' ' ? new Rune(rune).ToString() : null;
    }
}
