using System.Text;
using Microsoft.CodeAnalysis.CSharp;

namespace WasmJit.Generators;

/// <summary>Names of C# for names of WebAssembly and WIT.</summary>
internal static class Identifiers
{
    /// <summary>The compiler takes 511 characters; a few are left for what makes a name another than all others.</summary>
    private const int MostCharacters = 480;

    /// <summary>Every word begins with a capital; what no identifier has separates words.</summary>
    internal static string Pascal(string name)
    {
        var text = new StringBuilder();
        bool begins = true;
        foreach (char c in name)
        {
            if (text.Length == MostCharacters) break;
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

    /// <summary>A name of a program's own as code has to write it. One that is a keyword in some places alone may have the sign in all.</summary>
    internal static string InCode(string name) => SyntaxFacts.GetContextualKeywordKind(name) != SyntaxKind.None ? "@" + name : Escaped(name);

    /// <summary>A name that is not a keyword.</summary>
    internal static string Escaped(string name) => SyntaxFacts.GetKeywordKind(name) != SyntaxKind.None ? "@" + name : name;
}

/// <summary>Names that are taken.</summary>
internal sealed class NameSet(IEnumerable<string> names)
{
    private readonly HashSet<string> taken = [.. names];

    /// <summary>By name: the number that has not been tried. Thousands of exports may differ in nothing that an identifier has.</summary>
    private readonly Dictionary<string, int> next = [];

    /// <summary>The name, or the name with a number if it is taken. It is taken then.</summary>
    internal string Unique(string name)
    {
        if (taken.Add(name)) return name;
        if (!next.TryGetValue(name, out int number)) number = 2;
        string unique;
        do
        {
            unique = name + number.ToString(System.Globalization.CultureInfo.InvariantCulture);
            number++;
        }
        while (!taken.Add(unique));
        next[name] = number;
        return unique;
    }
}
