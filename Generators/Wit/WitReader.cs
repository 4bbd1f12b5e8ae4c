using System.Text;

namespace WasmJit.Generators.Wit;

/// <summary>Reads a file of WIT (WIT.md of the component model).</summary>
internal sealed class WitReader
{
    /// <summary>Types in types; deeper ones no component has.</summary>
    private const int MostDepth = 100;

    private readonly List<WitToken> tokens;
    private int at;

    private WitReader(string text) => tokens = new WitLexer(text).Read();

    /// <exception cref="WitException">It is no WIT.</exception>
    internal static IReadOnlyList<WitPackage> Read(string text)
    {
        var reader = new WitReader(text);
        return reader.ReadFile();
    }

    // ---- tokens ----

    private WitToken Next => tokens[at];

    private bool IsEnd => Next is { Text: "", IsEscaped: false };

    private WitException Error(string message) => new(message, Next.Line, Next.Column);

    private bool Is(string text) => Next.Text == text && !Next.IsEscaped;

    private bool Take(string text)
    {
        if (!Is(text)) return false;
        at++;
        return true;
    }

    private void Expect(string text)
    {
        if (!Take(text)) throw Error(IsEnd ? $"expected \"{text}\", but the file ends" : $"expected \"{text}\", not \"{Next.Text}\"");
    }

    private static bool IsName(WitToken token) => token.Text.Length > 0 && char.IsLetterOrDigit(token.Text[0]);

    private string Name()
    {
        if (!IsName(Next)) throw Error(IsEnd ? "expected a name, but the file ends" : $"expected a name, not \"{Next.Text}\"");
        return tokens[at++].Text;
    }

    /// <summary>Steps over <c>@since(version = 0.2.0)</c> and its like.</summary>
    /// <returns>The documentation before it, or before what follows.</returns>
    private string? Gates()
    {
        string? docs = Next.Docs;
        while (Take("@"))
        {
            Name();
            if (Take("("))
            {
                while (!Take(")"))
                {
                    if (IsEnd) throw Error("expected \")\", but the file ends");
                    at++;
                }
            }
            docs ??= Next.Docs;
        }
        return docs;
    }

    // ---- packages and paths ----

    private IReadOnlyList<WitPackage> ReadFile()
    {
        var packages = new List<WitPackage>();
        WitPackage? main = null;
        Gates();
        if (Is("package"))
        {
            main = PackageName();
            if (Take("{"))
            {
                ReadBraced(main);
                packages.Add(main);
                main = null;
            }
            else
            {
                Expect(";");
            }
        }
        main ??= new WitPackage("", null);
        packages.Add(main);
        while (!IsEnd)
        {
            string? docs = Gates();
            if (IsEnd) break;
            if (Is("package"))
            {
                WitPackage nested = PackageName();
                Expect("{");
                ReadBraced(nested);
                packages.Add(nested);
            }
            else
            {
                ReadTop(main, docs);
            }
        }
        return packages;
    }

    private void ReadBraced(WitPackage package)
    {
        while (!Take("}"))
        {
            string? docs = Gates();
            ReadTop(package, docs);
        }
    }

    private void ReadTop(WitPackage package, string? docs)
    {
        if (Take("interface"))
        {
            var scope = new WitScope(Name(), package, docs);
            Expect("{");
            ReadInterface(scope);
            package.Interfaces.Add(scope);
        }
        else if (Take("world"))
        {
            var world = new WitScope(Name(), package, docs);
            Expect("{");
            while (!Take("}")) ReadWorldItem(world);
            package.Worlds.Add(world);
        }
        else if (Take("use"))
        {
            string path = Path();
            package.Aliases[Take("as") ? Name() : ShortName(path)] = path;
            Expect(";");
        }
        else
        {
            throw Error(IsEnd ? "expected an interface or world, but the file ends" : $"expected an interface or world, not \"{Next.Text}\"");
        }
    }

    private WitPackage PackageName()
    {
        Expect("package");
        var name = new StringBuilder(Name());
        while (Take(":")) name.Append(':').Append(Name());
        while (Take("/")) name.Append('/').Append(Name());
        return new WitPackage(name.ToString(), Version());
    }

    private string? Version()
    {
        if (!Take("@")) return null;
        var version = new StringBuilder(Name());
        // Its parts stand without space: the place tells where the version ends.
        while ((Is(".") || Is("+") || Is("-")) && Follows(at - 1) && Follows(at) && IsName(tokens[at + 1])) version.Append(tokens[at++].Text).Append(tokens[at++].Text);
        return version.ToString();
    }

    private bool Follows(int index) => tokens[index + 1].Line == tokens[index].Line && tokens[index + 1].Column == tokens[index].Column + tokens[index].Text.Length;

    /// <summary>An interface or world: its name, or <c>wasi:io/streams@0.2.0</c>.</summary>
    private string Path()
    {
        var path = new StringBuilder(Name());
        bool isLong = false;
        while (Is(":") && Follows(at - 1))
        {
            at++;
            isLong = true;
            path.Append(':').Append(Name());
        }
        while (isLong && Take("/")) path.Append('/').Append(Name());
        if (isLong && Version() is { } version) path.Append('@').Append(version);
        return path.ToString();
    }

    internal static string ShortName(string path)
    {
        int slash = path.LastIndexOf('/');
        string name = path.Substring(slash + 1);
        int version = name.IndexOf('@');
        return version < 0 ? name : name.Substring(0, version);
    }

    // ---- interfaces and worlds ----

    private void ReadInterface(WitScope scope)
    {
        while (!Take("}"))
        {
            string? docs = Gates();
            if (ReadShared(scope, docs)) continue;
            scope.Functions.Add(ReadFunction(docs));
        }
    }

    /// <summary>Reads what interfaces and worlds both have.</summary>
    private bool ReadShared(WitScope scope, string? docs)
    {
        if (Next.IsEscaped || tokens[Math.Min(at + 1, tokens.Count - 1)] is { Text: ":" }) return false;
        switch (Next.Text)
        {
            case "use":
                at++;
                string path = Path();
                Expect(".");
                Expect("{");
                foreach ((string name, string renamed) in Names()) scope.Uses.Add(new WitUse(path, name, renamed));
                Expect(";");
                return true;
            case "type":
                at++;
                string alias = Name();
                Expect("=");
                scope.Types.Add(new WitDefinition(WitKind.Alias, alias, docs) { Target = ReadType() });
                Expect(";");
                return true;
            case "record": scope.Types.Add(ReadFields(WitKind.Record, docs)); return true;
            case "flags": scope.Types.Add(ReadFields(WitKind.Flags, docs)); return true;
            case "variant": scope.Types.Add(ReadFields(WitKind.Variant, docs)); return true;
            case "enum": scope.Types.Add(ReadFields(WitKind.Enum, docs)); return true;
            case "resource": scope.Types.Add(ReadResource(docs)); return true;
            default: return false;
        }
    }

    /// <summary>Names with what they become, up to the brace.</summary>
    private List<(string Name, string As)> Names()
    {
        var names = new List<(string, string)>();
        while (!Take("}"))
        {
            string name = Name();
            names.Add((name, Take("as") ? Name() : name));
            if (!Take(","))
            {
                Expect("}");
                break;
            }
        }
        return names;
    }

    private void ReadWorldItem(WitScope world)
    {
        string? docs = Gates();
        if (ReadShared(world, docs)) return;
        if (Take("include"))
        {
            string path = Path();
            var renamed = new Dictionary<string, string>();
            if (Take("with"))
            {
                Expect("{");
                foreach ((string name, string other) in Names()) renamed[name] = other;
            }
            else
            {
                Expect(";");
            }
            Take(";");
            world.Includes.Add((path, renamed));
            return;
        }
        bool isImport = Take("import");
        if (!isImport) Expect("export");
        // A name with a type of its own, or an interface by its path.
        if (IsName(Next) && tokens[at + 1].Text == ":" && (tokens[at + 2].Text is "func" or "async" or "interface") && !tokens[at + 2].IsEscaped)
        {
            if (tokens[at + 2].Text == "interface")
            {
                var inline = new WitScope(Name(), new WitPackage("", null), docs);
                at += 2;
                Expect("{");
                ReadInterface(inline);
                (isImport ? world.ImportedInline : world.ExportedInline).Add(inline);
                return;
            }
            (isImport ? world.ImportedFunctions : world.Functions).Add(ReadFunction(docs));
            return;
        }
        (isImport ? world.ImportedInterfaces : world.ExportedInterfaces).Add(Path());
        Expect(";");
    }

    private WitFunction ReadFunction(string? docs, bool mayBeStatic = false)
    {
        string name = Name();
        Expect(":");
        bool isStatic = mayBeStatic && Take("static");
        bool isAsync = Take("async");
        Expect("func");
        IReadOnlyList<WitField> parameters = Parameters();
        WitType? result = Take("->") ? ReadType() : null;
        Expect(";");
        return new WitFunction(name, parameters, result, isAsync, isStatic, docs);
    }

    private List<WitField> Parameters()
    {
        var parameters = new List<WitField>();
        Expect("(");
        while (!Take(")"))
        {
            string name = Name();
            Expect(":");
            parameters.Add(new WitField(name, ReadType(), null));
            if (!Take(","))
            {
                Expect(")");
                break;
            }
        }
        return parameters;
    }

    // ---- types ----

    private WitDefinition ReadFields(WitKind kind, string? docs)
    {
        at++;
        string name = Name();
        var fields = new List<WitField>();
        Expect("{");
        while (!Take("}"))
        {
            string? fieldDocs = Gates();
            string field = Name();
            WitType? type = null;
            if (kind == WitKind.Record)
            {
                Expect(":");
                type = ReadType();
            }
            else if (kind == WitKind.Variant && Take("("))
            {
                type = ReadType();
                Expect(")");
            }
            fields.Add(new WitField(field, type, fieldDocs));
            if (!Take(","))
            {
                Expect("}");
                break;
            }
        }
        return new WitDefinition(kind, name, docs) { Fields = fields };
    }

    private WitDefinition ReadResource(string? docs)
    {
        at++;
        string name = Name();
        var functions = new List<WitFunction>();
        WitFunction? constructor = null;
        if (!Take(";"))
        {
            Expect("{");
            while (!Take("}"))
            {
                string? each = Gates();
                if (Is("constructor") && tokens[at + 1].Text == "(")
                {
                    at++;
                    IReadOnlyList<WitField> parameters = Parameters();
                    WitType? result = Take("->") ? ReadType() : null;
                    Expect(";");
                    constructor = new WitFunction(name, parameters, result, false, true, each);
                    continue;
                }
                functions.Add(ReadFunction(each, mayBeStatic: true));
            }
        }
        return new WitDefinition(WitKind.Resource, name, docs) { Functions = functions, Constructor = constructor };
    }

    private WitType ReadType(int depth = 0)
    {
        if (depth > MostDepth) throw Error("types are nested too deeply");
        bool isEscaped = Next.IsEscaped;
        string name = Name();
        // Words with hyphens, such as error-context, are one word already.
        var arguments = new List<WitType?>();
        if (!isEscaped && Take("<"))
        {
            while (!Take(">"))
            {
                if (Take("_")) arguments.Add(null);
                else if (name == "list" && arguments.Count == 1 && char.IsDigit(Next.Text.FirstOrDefault())) at++;
                else arguments.Add(ReadType(depth + 1));
                if (!Take(","))
                {
                    Expect(">");
                    break;
                }
            }
        }
        return new WitType(name, arguments) { IsName = isEscaped };
    }
}
