using System.Text;
using Microsoft.CodeAnalysis.CSharp;

namespace WasmJit.Generators;

/// <summary>Names of C# for names of WebAssembly and WIT.</summary>
internal static class Identifiers
{
    /// <summary>Every word begins with a capital; what no identifier has separates words.</summary>
    internal static string Pascal(string name)
    {
        var text = new StringBuilder();
        bool begins = true;
        foreach (char c in name)
        {
            if (!char.IsLetterOrDigit(c))
            {
                begins = true;
                continue;
            }
            text.Append(begins ? char.ToUpperInvariant(c) : c);
            begins = false;
        }
        if (text.Length == 0 || char.IsDigit(text[0])) text.Insert(0, '_');
        return text.ToString();
    }

    internal static string Camel(string name)
    {
        string pascal = Pascal(name);
        return pascal[0] == '_' ? pascal : char.ToLowerInvariant(pascal[0]) + pascal.Substring(1);
    }

    /// <summary>A name that is not a keyword.</summary>
    internal static string Escaped(string name) => SyntaxFacts.GetKeywordKind(name) != SyntaxKind.None ? "@" + name : name;

    /// <summary>A name that is not taken yet, and is then.</summary>
    internal static string Unique(string name, HashSet<string> taken)
    {
        string unique = name;
        for (int i = 2; !taken.Add(unique); i++) unique = name + i.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return unique;
    }
}
