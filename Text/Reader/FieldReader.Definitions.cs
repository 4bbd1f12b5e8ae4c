namespace WasmJit.Text;

/// <summary>Fields that give something an index.</summary>
internal sealed partial class FieldReader
{
    /// <summary>A definition's id and name, behind its keyword.</summary>
    private (string? Id, string? Name, int BehindId) IdAndName(string kind)
    {
        string? id = TakeId();
        return (id, NameAnnotation(kind), Position);
    }

    /// <summary>A definition without exports.</summary>
    private DefinitionHead Head(string kind)
    {
        (string? id, string? name, int behindId) = IdAndName(kind);
        return new DefinitionHead(kind, id, name, behindId, []);
    }

    /// <summary>The kind, id and name of what is imported or an alias, in parentheses that are not closed yet.</summary>
    private DefinitionHead HeadInParentheses()
    {
        if (Current.Kind != TokenKind.Open) throw Unexpected();
        Position++;
        string kind = Atom();
        if (!IsDefinitionKind(kind))
        {
            Position--;
            throw Unexpected();
        }
        return Head(kind);
    }

    // ---- imports and aliases ----

    private ImportField Import()
    {
        if (definedBefore is not null) throw Error($"import after {definedBefore}");
        ImportNames names = ImportNames();
        DefinitionHead head = HeadInParentheses();
        ExternSyntax type = ImportType(head.Kind);
        Close();
        return new ImportField(head, names, type);
    }

    /// <summary>Only functions have parameters with names.</summary>
    private ExternSyntax ImportType(string kind) => ExternType(kind, kind == "func" ? ParameterIds.Kept : ParameterIds.Ignored);

    /// <summary>The import inside of a definition, and the type behind it.</summary>
    private ImportField InlineImport(DefinitionHead head)
    {
        if (definedBefore is not null) throw Error($"import after {definedBefore}");
        Open("import");
        ImportNames names = ImportNames();
        Close();
        return new ImportField(head, names, ImportType(head.Kind));
    }

    /// <summary><c>(alias $i "f" (func $f))</c>, <c>(alias outer $o $m (module $m))</c>, and of a type.</summary>
    private Field AliasDefinition()
    {
        if (TakeAtom("outer"))
        {
            OuterSyntax item = Outer();
            if (TakeOpen("type"))
            {
                string? id = TakeId(), name = NameAnnotation("type");
                Close();
                return new TypeAliasField(id, name, item);
            }
            Open("module");
            DefinitionHead module = Head("module");
            Close();
            return new AliasField(module, default, null, item);
        }
        IndexSyntax instance = Index("instance");
        string export = NameText();
        DefinitionHead head = HeadInParentheses();
        Close();
        return new AliasField(head, instance, export, null);
    }

    /// <summary><c>(func $f (alias $i "f"))</c>, <c>(module $m (alias outer $o $m))</c>.</summary>
    private AliasField InlineAlias(DefinitionHead head)
    {
        Open("alias");
        if (head.Kind == "module" && TakeAtom("outer"))
        {
            OuterSyntax item = Outer();
            Close();
            return new AliasField(head, default, null, item) { IsInDefinition = true };
        }
        IndexSyntax instance = Index("instance");
        string export = NameText();
        Close();
        return new AliasField(head, instance, export, null) { IsInDefinition = true };
    }

    // ---- definitions ----

    private DefinitionField Definition(string kind, int end)
    {
        (string? id, string? name, int behindId) = IdAndName(kind);
        var exports = new List<ExportSyntax>();
        while (IsOpen("export") && Peek(2).Kind == TokenKind.String && Peek(3).Kind == TokenKind.Close)
        {
            int at = Position;
            Position += 2;
            exports.Add(new ExportSyntax(at, Name()));
            Close();
        }
        var head = new DefinitionHead(kind, id, name, behindId, exports);
        switch (kind)
        {
            case "module":
                // A field of a nested module may look like this, but has a description.
                if (IsInlineImport) return InlineImport(head);
                return IsModuleAlias(end) ? InlineAlias(head) : Nested(head, end);
            case "instance":
                if (IsOpen("import")) return InlineImport(head);
                return IsOpen("alias") ? InlineAlias(head) : Instance(head);
        }
        if (IsOpen("import")) return InlineImport(head);
        if (IsOpen("alias")) return InlineAlias(head);
        definedBefore ??= kind == "func" ? "function" : kind;
        return kind switch
        {
            "func" => Func(head),
            "table" => Table(head),
            "memory" => Memory(head),
            "global" => new GlobalField(head, GlobalType(), Sequence()),
            _ => new TagField(head, TypeUse(ParameterIds.Ignored)),
        };
    }

    /// <summary>Whether <c>(import "a")</c> stands here, and no import field of a nested module.</summary>
    private bool IsInlineImport => IsOpen("import")
        && (Peek(3).Kind == TokenKind.Close || (Peek(3).Kind == TokenKind.String && Peek(4).Kind == TokenKind.Close));

    /// <summary>
    /// Whether <c>(alias ...)</c> is the only part of a module field and names the module itself. An alias field of a nested module
    /// ends with the item that it defines.
    /// </summary>
    private bool IsModuleAlias(int end) =>
        IsOpen("alias") && EndOf(Position) + 1 == end && Source.Tokens[end - 3].Kind != TokenKind.Close;

    private ModuleField Nested(DefinitionHead head, int end)
    {
        var reader = new FieldReader(Source, Position, end - 1, depth + 1);
        ModuleSyntax module = reader.Module(head.Id, head.Name ?? head.Id);
        Position = end - 1;
        return new ModuleField(head, module);
    }

    private InstanceField Instance(DefinitionHead head)
    {
        Open("instantiate");
        IndexSyntax module = Index("module");
        var arguments = new List<(byte[], ItemSyntax)>();
        while (TakeOpen("import"))
        {
            byte[] name = Name();
            arguments.Add((name, Item()));
            Close();
        }
        Close();
        return new InstanceField(head, module, arguments);
    }

    private FuncField Func(DefinitionHead head)
    {
        var ids = new HashSet<string>();
        TypeUseSyntax type = TypeUse(ParameterIds.Kept, ids);
        var locals = new List<LocalSyntax>();
        Locals("local", locals, ParameterIds.Kept, ids);
        return new FuncField(head, type, locals, Sequence());
    }

    private DefinitionField Table(DefinitionHead head)
    {
        bool is64 = TakeAddressType();
        if (IsNumber)
        {
            LimitsSyntax limits = Limits(is64, isMemory: false);
            var type = new TableTypeSyntax(limits, RefType());
            return new TableField(head, type, Current.Kind == TokenKind.Close ? null : Sequence());
        }
        ValTypeSyntax element = RefType();
        Open("elem");
        ElementsSyntax elements = Current.Kind == TokenKind.Open
            ? new ElementsSyntax(element, null, Expressions()) : new ElementsSyntax(element, Funcs(), []);
        Close();
        return new ElementTableField(head, is64, elements);
    }

    private DefinitionField Memory(DefinitionHead head)
    {
        int at = Position;
        bool is64 = TakeAddressType();
        uint? pageSize = PageSize();
        if (!TakeOpen("data"))
        {
            Position = at;
            return new MemoryField(head, MemoryType());
        }
        List<DataSyntax> data = DataStrings();
        Close();
        return new DataMemoryField(head, is64, pageSize, data);
    }

    // ---- exports ----

    private Field Export()
    {
        int at = Position - 2;
        if (Current.Kind != TokenKind.String) return new AllExportsField(Index("instance"));
        byte[] name = Name();
        return new ExportField(new ExportSyntax(at, name), Item());
    }

    // ---- scopes ----

    /// <summary><c>(scope $s (type $t) (func $f $g) (memory $m))</c>: any number of indices of each kind, in any order.</summary>
    private ScopeField Scope()
    {
        DefinitionHead head = Head("scope");
        var items = new List<ItemSyntax>();
        while (Current.Kind == TokenKind.Open)
        {
            string kind = Peek(1).Text;
            if (Peek(1).Kind != TokenKind.Atom || kind is not ("type" or "func" or "table" or "memory" or "global" or "tag"))
            {
                Position++;
                throw Unexpected();
            }
            Position += 2;
            while (Current.Kind != TokenKind.Close) items.Add(new ItemSyntax(kind, Index(kind)));
            Close();
        }
        return new ScopeField(head, items);
    }

    // ---- segments (spec 6.6.9, 6.6.10) ----

    private List<IndexSyntax> Funcs()
    {
        var funcs = new List<IndexSyntax>();
        while (Current.Kind != TokenKind.Close) funcs.Add(Index("func"));
        return funcs;
    }

    private List<CodeSyntax> Expressions()
    {
        var expressions = new List<CodeSyntax>();
        while (Current.Kind != TokenKind.Close) expressions.Add(Expression("item"));
        return expressions;
    }

    private ElemField Elem()
    {
        DefinitionHead head = Head("elem");
        bool declare = TakeAtom("declare");
        IndexSyntax? table = null;
        bool explicitTable = false;
        if (!declare && IsOpen("table"))
        {
            table = Item().Index;
            explicitTable = true;
        }
        else if (!declare && IsNumber && Peek(1).Kind == TokenKind.Open)
        {
            // Scripts of older proposals have this form, from before there were several tables.
            table = Index("table");
        }
        bool active = !declare && (explicitTable || (Current.Kind == TokenKind.Open && !IsOpen("ref") && !IsOpen("item")));
        CodeSyntax? offset = active ? Expression("offset") : null;
        ElementsSyntax elements;
        if (TakeAtom("func") || (active && !explicitTable && (IsIndex || Current.Kind == TokenKind.Close)))
        {
            elements = new ElementsSyntax(null, Funcs(), []);
        }
        else
        {
            ValTypeSyntax type = RefType();
            elements = new ElementsSyntax(type, null, Expressions());
        }
        return new ElemField(head) { IsDeclarative = declare, Table = table, Offset = offset, Elements = elements };
    }

    private DataField Data()
    {
        DefinitionHead head = Head("data");
        IndexSyntax? memory = null;
        CodeSyntax? offset = null;
        if (IsOpen("memory"))
        {
            memory = Item().Index;
            offset = Expression("offset");
        }
        else if (IsNumber || (Current.Kind == TokenKind.Open && !IsOpen("module") && !IsOpen("i8") && !IsOpen("i16")))
        {
            // A bare index is an older form, from before there were several memories.
            if (IsNumber) memory = Index("memory");
            offset = Expression("offset");
        }
        return new DataField(head) { Memory = memory, Offset = offset, Data = DataStrings() };
    }

    /// <summary>Strings, and modules among them: the extension's sugar for the bytes that they encode to.</summary>
    private List<DataSyntax> DataStrings()
    {
        var data = new List<DataSyntax>();
        while (Current.Kind != TokenKind.Close)
        {
            if (Current.Kind == TokenKind.String)
            {
                data.Add(new DataSyntax(String(), null));
            }
            else if (IsOpen("module"))
            {
                int begin = Position + 2;
                Skip();
                string? id = Source.Tokens[begin].Kind == TokenKind.Id ? Source.Tokens[begin++].Text : null;
                data.Add(new DataSyntax(null, Read(Source, begin, Position - 1, id)));
            }
            else
            {
                throw Unexpected();
            }
        }
        return data;
    }
}
