using System.Text.RegularExpressions;

namespace WasmJit.Tests;

/// <summary>A type as WIT has it: a name, what it takes, and for those with parts the parts.</summary>
internal sealed record WitType(string Name, WitType[] Arguments)
{
    /// <summary>Fields and cases with their types, labels alone with null.</summary>
    internal (string Label, WitType? Type)[] Parts { get; init; } = [];
}

internal sealed record WitFunction(string Name, (string Name, WitType Type)[] Parameters, WitType? Result, bool IsAsync = false);

internal sealed class WitInterface(string name)
{
    internal string Name => name;

    /// <summary>Types by name, in order; of those from elsewhere the interface and their name there.</summary>
    internal List<(string Name, WitType? Type, (string Interface, string Name)? Used)> Types { get; } = [];

    internal List<string> Resources { get; } = [];

    internal List<WitFunction> Functions { get; } = [];
}

/// <summary>The lists of interfaces in <c>Wit</c>: names and types as the specification has them.</summary>
internal sealed partial class WitFile
{
    private readonly string[] tokens;
    private readonly string package, version;
    private int at;

    internal List<WitInterface> Interfaces { get; } = [];

    private WitFile(string text)
    {
        tokens = [.. Tokens().Matches(text).Select(m => m.Value)];
        Expect("package");
        string[] parts = Next().Split('@');
        (package, version) = (parts[0], parts[1]);
        Expect(";");
        while (at < tokens.Length) Interface();
    }

    [GeneratedRegex(@"->|%?[A-Za-z_][\w\-:/@.]*|[{}()<>,;:=]")]
    private static partial Regex Tokens();

    /// <summary>All of them; those that others use come first.</summary>
    /// <param name="version">The folder of a version: Preview2, Preview3.</param>
    internal static List<WitInterface> ReadAll(string version)
    {
        var all = Directory.GetFiles(Golden.InRepository($"Tests/Engine/Wasi/{version}/Wit"), "*.wit").SelectMany(f => new WitFile(File.ReadAllText(f)).Interfaces).ToDictionary(i => i.Name);
        var ordered = new List<WitInterface>();
        foreach (string name in all.Keys.Order(StringComparer.Ordinal)) Visit(all[name]);
        return ordered;

        void Visit(WitInterface each)
        {
            if (ordered.Contains(each)) return;
            foreach (var type in each.Types)
                if (type.Used is { } used) Visit(all[used.Interface]);
            ordered.Add(each);
        }
    }

    // WIT's labels may be like its words; names are followed by a colon without a space in what the pattern takes for one.
    private string Next() => tokens[at++];

    private bool Accept(string token)
    {
        if (at >= tokens.Length || tokens[at] != token) return false;
        at++;
        return true;
    }

    private void Expect(string token)
    {
        if (!Accept(token)) throw new FormatException($"{package}: \"{token}\" expected before \"{string.Join(' ', tokens.Skip(at).Take(8))}\"");
    }

    private string Label()
    {
        string label = Next().TrimStart('%');
        if (!label.EndsWith(':')) return label;
        at--;
        tokens[at] = ":";
        return label[..^1];
    }

    private string Full(string name) => name.Contains(':') ? $"{name}@{version}" : $"{package}/{name}@{version}";

    private void Interface()
    {
        Expect("interface");
        var made = new WitInterface(Full(Label()));
        Interfaces.Add(made);
        Expect("{");
        while (!Accept("}")) Item(made);
    }

    private void Item(WitInterface into)
    {
        switch (tokens[at])
        {
            case "use":
                at++;
                string from = Next().TrimEnd('.');
                Expect("{");
                while (!Accept("}"))
                {
                    string name = Label(), local = Accept("as") ? Label() : name;
                    into.Types.Add((local, null, (Full(from), name)));
                    Accept(",");
                }
                Expect(";");
                return;
            case "type":
                at++;
                string alias = Label();
                Expect("=");
                into.Types.Add((alias, Type(), null));
                Expect(";");
                return;
            case "record" or "variant" or "enum" or "flags":
                string kind = Next(), label = Label();
                into.Types.Add((label, new WitType(kind, []) { Parts = Parts() }, null));
                return;
            case "resource":
                at++;
                Resource(into, Label());
                return;
            default:
                into.Functions.Add(Function(Label(), null));
                Expect(";");
                return;
        }
    }

    private (string, WitType?)[] Parts()
    {
        var parts = new List<(string, WitType?)>();
        Expect("{");
        while (!Accept("}"))
        {
            string label = Label();
            WitType? type = null;
            if (Accept(":")) type = Type();
            else if (Accept("("))
            {
                type = Type();
                Expect(")");
            }
            parts.Add((label, type));
            Accept(",");
        }
        return [.. parts];
    }

    private void Resource(WitInterface into, string name)
    {
        into.Types.Add((name, null, null));
        into.Resources.Add(name);
        if (Accept(";")) return;
        Expect("{");
        while (!Accept("}"))
        {
            string label = Label();
            into.Functions.Add(label == "constructor"
                ? new WitFunction($"[constructor]{name}", Parameters(), new WitType(name, []))
                : Function(label, name));
            Expect(";");
        }
    }

    private WitFunction Function(string name, string? resource)
    {
        Expect(":");
        bool isStatic = Accept("static"), isAsync = Accept("async");
        Expect("func");
        (string, WitType)[] parameters = Parameters();
        WitType? result = Accept("->") ? Type() : null;
        if (resource is null) return new WitFunction(name, parameters, result, isAsync);
        return isStatic ? new WitFunction($"[static]{resource}.{name}", parameters, result, isAsync)
            : new WitFunction($"[method]{resource}.{name}", [("self", new WitType("borrow", [new WitType(resource, [])])), .. parameters], result, isAsync);
    }

    private (string, WitType)[] Parameters()
    {
        var parameters = new List<(string, WitType)>();
        Expect("(");
        while (!Accept(")"))
        {
            string name = Label();
            Expect(":");
            parameters.Add((name, Type()));
            Accept(",");
        }
        return [.. parameters];
    }

    private WitType Type()
    {
        string name = Next().TrimStart('%');
        var arguments = new List<WitType>();
        if (Accept("<"))
        {
            while (!Accept(">"))
            {
                arguments.Add(Type());
                Accept(",");
            }
        }
        return new WitType(name, [.. arguments]);
    }
}
