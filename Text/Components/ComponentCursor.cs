using WasmJit.Components;
using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>The steps that all parts of a component's text have in common: index spaces, references, names.</summary>
internal abstract class ComponentCursor(Source source, int position, int end) : SyntaxReader(source, position, end)
{
    /// <summary>What is being read.</summary>
    protected ComponentScope Scope { get; set; } = new(ScopeKind.Component, null, null);

    protected override WatException Unexpected() =>
        Error(Current.Kind == TokenKind.End ? "unexpected token: the text ends" : $"unexpected token {(Current.Kind == TokenKind.Id ? "$" : "")}{Current.Text}");

    // ---- definitions ----

    /// <summary>The id and name of a definition.</summary>
    protected (string? Id, string? Name, int Token) Label(Sort sort)
    {
        string? id = TakeId();
        int behind = Position;
        return (id, NameAnnotation(sort.Keyword()), behind);
    }

    /// <summary>Gives an item the next index.</summary>
    protected uint Define(Sort sort, (string? Id, string? Name, int Token) label)
    {
        IndexSpace space = Scope.Space(sort);
        if (!space.Define(label.Id, label.Name)) throw Source.ErrorAt(label.Token, $"duplicate {space.Kind} {label.Id}");
        return space.Count - 1;
    }

    protected uint Define(Sort sort) => Define(sort, (null, null, Position));

    /// <summary>Gives a component type the next index.</summary>
    protected uint DefineType((string? Id, string? Name, int Token) label, TypeOrigin? origin)
    {
        Scope.NoteType(origin);
        return Define(Sort.Type, label);
    }

    // ---- references ----

    /// <summary>Whether an item is named here, in parentheses: <c>(func $f)</c>, <c>(core func $i "f")</c>.</summary>
    protected bool IsReference(Sort sort, bool isPrefixed)
    {
        int at = 1;
        if (Current.Kind != TokenKind.Open) return false;
        if (sort.IsCore() && isPrefixed && Peek(at++) is not { Kind: TokenKind.Atom, Text: "core" }) return false;
        if (Peek(at++) is not { Kind: TokenKind.Atom } keyword || keyword.Text != sort.Keyword()) return false;
        return IsIndexAt(at) && Peek(at + 1).Kind is TokenKind.Close or TokenKind.String;
    }

    private bool IsIndexAt(int offset) =>
        Peek(offset) is { } token && (token.Kind == TokenKind.Id || (token.Kind == TokenKind.Atom && char.IsAsciiDigit(token.Text[0])));

    /// <summary>An index, or a reference in parentheses.</summary>
    /// <param name="sort">The sort of the item.</param>
    /// <param name="isPrefixed">Whether a core sort has its prefix here.</param>
    protected uint Reference(Sort sort, bool isPrefixed = true)
    {
        if (IsIndex) return Index(sort);
        OpenSort(sort, isPrefixed);
        uint index = Target(sort);
        Close();
        return index;
    }

    protected void OpenSort(Sort sort, bool isPrefixed)
    {
        if (!sort.IsCore() || !isPrefixed)
        {
            Open(sort.Keyword());
            return;
        }
        Open("core");
        if (!TakeAtom(sort.Keyword())) throw Unexpected();
    }

    /// <summary>The item behind its sort: an index, or an instance and the names of exports.</summary>
    protected uint Target(Sort sort)
    {
        if (Peek(1).Kind != TokenKind.String) return Index(sort);
        bool isCore = sort.IsCoreExport();
        if (!isCore && sort is Sort.CoreType or Sort.CoreInstance) throw Error($"a core instance exports no {sort.Keyword()}");
        uint item = Index(isCore ? Sort.CoreInstance : Sort.Instance);
        do
        {
            byte[] name = Name();
            bool isLast = Current.Kind != TokenKind.String;
            if (isCore && !isLast) throw Unexpected();
            item = ExportAlias(isLast ? sort : Sort.Instance, item, name, (null, null, Position));
        }
        while (Current.Kind == TokenKind.String);
        return item;
    }

    /// <summary>An id or a number.</summary>
    protected uint Index(Sort sort)
    {
        int at = Position;
        if (TakeId() is not { } id) return (uint)Unsigned(32);
        return Find(sort, id, out uint index) ? index : throw Source.ErrorAt(at, $"unknown {sort.Text()} {id}");
    }

    /// <summary>Finds an item by its id, here or in what encloses.</summary>
    private bool Find(Sort sort, string id, out uint index)
    {
        if (Scope.Space(sort).Find(id, out index) || Scope.FindOuter(sort, id, out index)) return true;
        uint depth = 1;
        for (ComponentScope? around = Scope.Outer; around is not null; around = around.Outer, depth++)
        {
            if (!around.Space(sort).Find(id, out uint found)) continue;
            if (!sort.IsOuter()) throw Source.ErrorAt(Position - 1, $"outer item `{id}` is not a module, type, or component");
            index = OuterAlias(sort, depth, found, (null, null, Position));
            Scope.RememberOuter(sort, id, index);
            return true;
        }
        return false;
    }

    // ---- aliases ----

    /// <summary>Adds an alias of an instance's export.</summary>
    protected uint ExportAlias(Sort sort, uint instance, ReadOnlySpan<byte> name, (string? Id, string? Name, int Token) label)
    {
        var item = new ByteWriter();
        sort.Write(item);
        item.U8(sort.IsCoreExport() ? ComponentAliasByte.CoreExport : ComponentAliasByte.Export);
        item.U32(instance);
        item.Vector(name);
        Scope.Add(ComponentSectionId.Alias, item.Span);
        return sort == Sort.Type ? DefineType(label, null) : Define(sort, label);
    }

    /// <summary>Adds an alias of an item of what encloses.</summary>
    protected uint OuterAlias(Sort sort, uint depth, uint index, (string? Id, string? Name, int Token) label)
    {
        var item = new ByteWriter();
        if (Scope.Kind == ScopeKind.ModuleType)
        {
            item.U8(sort.Byte());
            item.U8(ComponentAliasByte.CoreOuter);
        }
        else
        {
            sort.Write(item);
            item.U8(ComponentAliasByte.Outer);
        }
        item.U32(depth);
        item.U32(index);
        Scope.Add(ComponentSectionId.Alias, item.Span);
        return sort == Sort.Type ? DefineType(label, Scope.Enclosing(depth)?.TypeAt(index)) : Define(sort, label);
    }

    /// <summary>An alias, behind its keyword. With <paramref name="inverted"/> the sort stands before: <c>(func $f (alias export $i "f"))</c>.</summary>
    protected void Alias(Sort? inverted, (string? Id, string? Name, int Token) label)
    {
        if (TakeAtom("outer"))
        {
            (uint depth, ComponentScope? around) = OuterScope();
            int at = Position;
            string? id = TakeId();
            uint index = id is null ? (uint)Unsigned(32) : 0;
            (Sort sort, label) = AliasSort(inverted, label);
            if (!sort.IsOuter()) throw Source.ErrorAt(Position - 1, $"expected core module, core type, component or type for an outer alias");
            if (id is not null && (around is null || !around.Space(sort).Find(id, out index))) throw Source.ErrorAt(at, $"unknown {sort.Text()} {id}");
            OuterAlias(sort, depth, index, label);
        }
        else
        {
            bool isCore = TakeAtom("core");
            if (!TakeAtom("export")) throw Unexpected();
            uint instance = Index(isCore ? Sort.CoreInstance : Sort.Instance);
            byte[] name = Name();
            (Sort sort, label) = AliasSort(inverted, label);
            bool isPossible = isCore ? sort.IsCoreExport() : !sort.IsCore() || sort == Sort.CoreModule;
            if (!isPossible) throw Source.ErrorAt(Position - 1, $"an instance exports no {sort.Text()}");
            ExportAlias(sort, instance, name, label);
        }
    }

    /// <summary>The sort of an alias with its id, unless the sort stands before.</summary>
    private (Sort Sort, (string? Id, string? Name, int Token) Label) AliasSort(Sort? inverted, (string? Id, string? Name, int Token) label)
    {
        if (inverted is { } known) return (known, label);
        if (Current.Kind != TokenKind.Open) throw Unexpected();
        Position++;
        // All types in a module type are core types, and have no prefix there.
        Sort sort = Scope.Kind != ScopeKind.ModuleType ? SortKeyword() : TakeAtom("type") ? Sort.CoreType : throw Unexpected();
        label = Label(sort);
        Close();
        return (sort, label);
    }

    /// <summary>A sort's keywords.</summary>
    protected Sort SortKeyword()
    {
        bool isCore = TakeAtom("core");
        if (Current.Kind != TokenKind.Atom || Sorts.Find(Current.Text, isCore) is not { } sort) throw Unexpected();
        Position++;
        return sort;
    }

    /// <summary>What encloses, by its id or by their number; the innermost is what is being read.</summary>
    private (uint Depth, ComponentScope? Scope) OuterScope()
    {
        int at = Position;
        uint depth = 0;
        if (TakeId() is { } id)
        {
            ComponentScope? around = Scope;
            for (; around is not null && around.Id != id; depth++) around = around.Outer;
            return around is not null ? (depth, around) : throw Source.ErrorAt(at, $"unknown outer component {id}");
        }
        depth = (uint)Unsigned(32);
        return (depth, Scope.Enclosing(depth));
    }

    /// <summary>Whether a definition is an alias whose sort stands first. A component's first field may be an alias, too.</summary>
    protected bool IsInvertedAlias => IsOpen("alias") && Source.EndOf(Position) is > 2 and int end && Source.Tokens[end - 2].Kind != TokenKind.Close;

    // ---- names of imports and exports ----

    /// <summary>Whether <c>(export "name")</c> or the like stands here, with nothing behind the name but attributes.</summary>
    protected bool IsInline(string keyword)
    {
        if (!IsOpen(keyword) || Peek(2).Kind != TokenKind.String) return false;
        int at = Position + 3;
        while (at > 0 && Source.Tokens[at].Kind == TokenKind.Open && Attribute(Source.Tokens[at + 1].Text) is not null) at = Source.EndOf(at);
        return Source.Tokens[at].Kind == TokenKind.Close;
    }

    private static byte? Attribute(string keyword) => keyword switch
    {
        "implements" => ExternNameByte.Implements,
        "versionsuffix" => ExternNameByte.VersionSuffix,
        "external-id" => ExternNameByte.ExternalId,
        _ => null,
    };

    /// <summary>A name with its attributes, encoded.</summary>
    protected byte[] ExternName()
    {
        var writer = new ByteWriter();
        byte[] name = Name();
        var attributes = new ByteWriter();
        var kinds = new HashSet<byte>();
        while (Current.Kind == TokenKind.Open && Peek(1).Kind == TokenKind.Atom && Attribute(Peek(1).Text) is not null)
        {
            byte kind = Attribute(Peek(1).Text)!.Value;
            if (!kinds.Add(kind)) throw Unexpected();
            Position += 2;
            attributes.U8(kind);
            attributes.Vector(Name());
            Close();
        }
        writer.U8(kinds.Count == 0 ? ExternNameByte.Plain : ExternNameByte.WithAttributes);
        writer.Vector(name);
        if (kinds.Count > 0)
        {
            writer.U32((uint)kinds.Count);
            writer.Bytes(attributes.Span);
        }
        return writer.ToArray();
    }

    /// <summary>The names under which a definition is exported where it stands, encoded.</summary>
    protected List<byte[]> InlineExports()
    {
        var names = new List<byte[]>();
        while (IsInline("export"))
        {
            Position += 2;
            names.Add(ExternName());
            Close();
        }
        return names;
    }

    protected void AddExports(Sort sort, uint index, List<byte[]> names)
    {
        foreach (byte[] name in names) Scope.LateExports.Add((sort, index, name));
    }

    /// <summary>A label of a record, a variant, flags, an enumeration or a function, encoded.</summary>
    protected void Label(ByteWriter writer) => writer.Vector(Name());
}
