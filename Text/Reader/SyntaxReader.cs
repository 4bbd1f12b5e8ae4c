using System.Runtime.CompilerServices;
using System.Text;
using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>What parameters and results may have beside their types.</summary>
internal enum ParameterIds : byte
{
    /// <summary>Ids and names, which are kept: parameters of a function.</summary>
    Kept,

    /// <summary>Ids that mean nothing: function types.</summary>
    Ignored,

    /// <summary>No ids: types of blocks and of indirect calls.</summary>
    Forbidden,
}

/// <summary>
/// Reads indices, types and type uses (spec 6.4, 6.6.3) into records. Names stay names; <see cref="TypeWriter"/> and
/// <see cref="ModuleNames"/> resolve them. Module and instance types are in <c>SyntaxReader.Linking</c>.
/// </summary>
internal abstract partial class SyntaxReader(Source source, int position, int end) : TokenCursor(source, position, end)
{
    /// <summary>Gets the aliases and exact types of the field that is being read; null in instructions.</summary>
    protected List<AliasSyntax>? Aliases { get; set; }

    protected List<ExactHeapSyntax>? ExactTypes { get; set; }

    // ---- indices ----

    protected static bool IsDefinitionKind(string word) => word is "func" or "table" or "memory" or "global" or "tag" or "module" or "instance";

    protected IndexSyntax Index(string kind)
    {
        int at = Position;
        switch (Current.Kind)
        {
            case TokenKind.Id: return new IndexSyntax(at, 0, Source.Tokens[Position++].Text, null);
            case TokenKind.Open when IsAlias(kind): return new IndexSyntax(at, 0, null, Alias(kind));
            default: return new IndexSyntax(at, (uint)Unsigned(32), null, null);
        }
    }

    protected bool IsIndex => Current.Kind == TokenKind.Id || (Current.Kind == TokenKind.Atom && char.IsAsciiDigit(Current.Text[0]));

    protected bool IsIndexOf(string kind) => IsIndex || (Current.Kind == TokenKind.Open && IsAlias(kind));

    /// <summary>Whether <c>(func $instance "export" ...)</c>, <c>(type outer $module $type)</c> or the like stands here.</summary>
    protected bool IsAlias(string kind)
    {
        if (!IsOpen(kind)) return false;
        Token next = Peek(2);
        if (next is { Kind: TokenKind.Atom, Text: "outer" }) return kind is "type" or "module";
        return kind != "type" && (next.Kind == TokenKind.Id || (next.Kind == TokenKind.Atom && char.IsAsciiDigit(next.Text[0])))
            && Peek(3).Kind == TokenKind.String;
    }

    protected AliasSyntax Alias(string kind)
    {
        Position += 2;
        AliasSyntax alias;
        if (TakeAtom("outer"))
        {
            OuterSyntax item = Outer();
            Close();
            alias = new OuterAliasSyntax(kind, item, Position);
        }
        else
        {
            IndexSyntax instance = Index("instance");
            var names = new List<string>();
            while (Current.Kind == TokenKind.String) names.Add(NameText());
            Close();
            alias = new ExportAliasSyntax(kind, instance, names, Position);
        }
        // Outer types are made when they are needed; all others come before the module's own definitions.
        if (kind != "type") Aliases?.Add(alias);
        return alias;
    }

    /// <summary>The enclosing module or type and the item in it, behind <c>outer</c>.</summary>
    protected OuterSyntax Outer()
    {
        int at = Position;
        string? module = TakeId();
        uint depth = module is null ? (uint)Unsigned(32) : 0;
        int item = Position;
        string? id = TakeId();
        return new OuterSyntax(at, module, depth, new IndexSyntax(item, id is null ? (uint)Unsigned(32) : 0, id, null));
    }

    /// <summary>Something that is exported, or given to an instance: <c>(func $f)</c>, <c>(func $instance "export")</c>.</summary>
    protected ItemSyntax Item()
    {
        if (Current.Kind != TokenKind.Open || Peek(1).Kind != TokenKind.Atom) throw Unexpected();
        string kind = Peek(1).Text;
        if (!IsDefinitionKind(kind))
        {
            Position++;
            throw Unexpected();
        }
        if (IsAlias(kind)) return new ItemSyntax(kind, Index(kind));
        Position += 2;
        IndexSyntax index = Index(kind);
        Close();
        return new ItemSyntax(kind, index);
    }

    // ---- names ----

    protected string NameText() => Encoding.UTF8.GetString(Name());

    protected ImportNames ImportNames()
    {
        byte[] first = Name();
        return new ImportNames(first, Current.Kind == TokenKind.String ? Name() : null);
    }

    protected WatException Error(Annotation annotation, string reason) => Source.Error(annotation.Position, reason);

    /// <summary>The name that an annotation at this place gives, which takes the id's place in the name section.</summary>
    protected string? NameAnnotation(string kind)
    {
        if (Source.Annotations.IsEmpty) return null;
        IReadOnlyList<Annotation> found = Source.Annotations.Take(Position, Annotation.ItemName);
        if (found.Count == 0) return null;
        if (found.Count > 1) throw Error(found[1], $"@name annotation: multiple {kind}");
        Token[] content = found[0].Content;
        if (content.Length != 1 || content[0].Kind != TokenKind.String) throw Error(found[0], "@name annotation: unexpected token");
        if (!System.Text.Unicode.Utf8.IsValid(content[0].Bytes)) throw Error(found[0], "@name annotation: malformed UTF-8 encoding");
        return Encoding.UTF8.GetString(content[0].Bytes!);
    }

    // ---- value types ----

    protected ValTypeSyntax ValType()
    {
        if (Current.Kind == TokenKind.Atom)
        {
            byte code = Current.Text switch
            {
                "i32" => TypeByte.I32,
                "i64" => TypeByte.I64,
                "f32" => TypeByte.F32,
                "f64" => TypeByte.F64,
                "v128" => TypeByte.V128,
                _ => 0,
            };
            if (code != 0)
            {
                Position++;
                return ValTypeSyntax.Numbers[code];
            }
        }
        return RefType();
    }

    protected ValTypeSyntax RefType()
    {
        if (Current.Kind == TokenKind.Atom && WasmJit.HeapType.FromShorthand(Current.Text) is { Code: var code })
        {
            Position++;
            return ValTypeSyntax.Shorthands[code];
        }
        Open("ref");
        bool nullable = TakeAtom("null");
        HeapTypeSyntax heap = HeapType();
        Close();
        return new ValTypeSyntax(0, nullable, heap);
    }

    protected HeapTypeSyntax HeapType()
    {
        if (Current.Kind == TokenKind.Atom && WasmJit.HeapType.FromName(Current.Text) is { Code: var code })
        {
            Position++;
            return AbstractHeapSyntax.All[code];
        }
        if (TakeOpen("exact"))
        {
            ExactHeapSyntax exact = ExactType();
            if (exact.Index.Id is null || exact.IsModule || !IsInLinkingType) ExactTypes?.Add(exact);
            Close();
            return exact;
        }
        return IsWrittenType ? WrittenType() : new IndexHeapSyntax(Index("type"));
    }

    private ExactHeapSyntax ExactType()
    {
        if (IsOpen("module") && !IsAlias("type"))
        {
            if (IsAlias("module")) return new ExactHeapSyntax(Index("module"), true);
            Position += 2;
            IndexSyntax module = Index("module");
            Close();
            return new ExactHeapSyntax(module, true);
        }
        if (!IsIndexOf("type")) throw Error($"unexpected token {Current.Text}");
        return new ExactHeapSyntax(Index("type"), false);
    }

    /// <summary>Whether a type is written here, or named with its kind.</summary>
    protected bool IsWrittenType => Current.Kind == TokenKind.Open && Peek(1).Kind == TokenKind.Atom && !IsAlias("type");

    /// <summary>The extension's forms: <c>(module $M)</c> names a type, <c>(func (param i32))</c> declares one if it is new.</summary>
    protected HeapTypeSyntax WrittenType()
    {
        // A number alone is a limit for the other kinds.
        bool isName = Peek(3).Kind == TokenKind.Close
            && (Peek(2).Kind == TokenKind.Id
                || (Peek(2).Kind == TokenKind.Atom && char.IsAsciiDigit(Peek(2).Text[0]) && Peek(1).Text is "func" or "module" or "instance"));
        if (!isName) return new WrittenHeapSyntax(Composite());
        string kind = Peek(1).Text;
        Position += 2;
        IndexSyntax index = Index("type");
        Close();
        return new KindHeapSyntax(kind, index);
    }

    // ---- defined types ----

    /// <summary>A composite type in its parentheses.</summary>
    protected CompositeSyntax Composite()
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        if (Current.Kind != TokenKind.Open) throw Unexpected();
        Position++;
        string kind = Atom();
        CompositeSyntax type;
        switch (kind)
        {
            case "func": type = ParamsAndResults(ParameterIds.Ignored); break;
            case "struct": type = Struct(); break;
            case "array": type = new ArraySyntax(FieldType()); break;
            case "memory": type = new EntityTypeSyntax(new MemoryExternSyntax(MemoryType())); break;
            case "table": type = new EntityTypeSyntax(new TableExternSyntax(TableType())); break;
            case "global": type = new EntityTypeSyntax(new GlobalExternSyntax(GlobalType())); break;
            case "tag": type = new EntityTypeSyntax(new TagExternSyntax(TypeUse(ParameterIds.Ignored))); break;
            case "module" or "instance": type = LinkingType(kind); break;
            default: Position--; throw Unexpected();
        }
        Close();
        return type;
    }

    /// <summary>A type with its super types, behind the keyword.</summary>
    /// <param name="start">Where the field or member begins.</param>
    protected SubTypeSyntax SubType(int start)
    {
        string? id = TakeId(), name = NameAnnotation("type");
        int behindId = Position;
        bool isFinal = true;
        var supers = new List<IndexSyntax>();
        bool isSub = TakeOpen("sub");
        if (isSub)
        {
            isFinal = TakeAtom("final");
            while (IsIndexOf("type")) supers.Add(Index("type"));
        }
        IndexSyntax? describes = Clause("describes"), descriptor = Clause("descriptor");
        CompositeSyntax type = Composite();
        if (isSub) Close();
        return new SubTypeSyntax
        {
            Start = start,
            Id = id,
            Name = name,
            BehindId = behindId,
            IsFinal = isFinal,
            Supers = supers,
            Describes = describes,
            Descriptor = descriptor,
            Type = type,
        };
    }

    private IndexSyntax? Clause(string keyword)
    {
        if (!TakeOpen(keyword)) return null;
        IndexSyntax index = Index("type");
        Close();
        return index;
    }

    private StructSyntax Struct()
    {
        var fields = new List<StructFieldSyntax>();
        while (TakeOpen("field"))
        {
            string? id = TakeId(), name = NameAnnotation("field");
            if ((name ?? id) is { } known)
            {
                int at = Position;
                fields.Add(new StructFieldSyntax(at, id, known, FieldType()));
            }
            else
            {
                while (Current.Kind != TokenKind.Close) fields.Add(new StructFieldSyntax(Position, null, null, FieldType()));
            }
            Close();
        }
        return new StructSyntax(fields);
    }

    private FieldTypeSyntax FieldType()
    {
        bool mutable = TakeOpen("mut");
        byte packed = TakeAtom("i8") ? TypeByte.I8 : TakeAtom("i16") ? TypeByte.I16 : (byte)0;
        var type = new FieldTypeSyntax(packed, packed != 0 ? null : ValType(), mutable);
        if (mutable) Close();
        return type;
    }

    protected FieldTypeSyntax GlobalType()
    {
        bool mutable = TakeOpen("mut");
        var type = new FieldTypeSyntax(0, ValType(), mutable);
        if (mutable) Close();
        return type;
    }

    protected bool TakeAddressType()
    {
        if (TakeAtom("i64")) return true;
        TakeAtom("i32");
        return false;
    }

    /// <summary>The binary logarithm of a memory's page size, null if there is none.</summary>
    protected uint? PageSize()
    {
        if (!TakeOpen("pagesize")) return null;
        ulong size = Unsigned(32);
        if (size == 0 || (size & (size - 1)) != 0) throw Error("invalid custom page size");
        Close();
        return (uint)System.Numerics.BitOperations.Log2(size);
    }

    protected LimitsSyntax Limits(bool is64, bool isMemory)
    {
        string what = is64 ? "i64 constant" : "i32 constant";
        ulong min = Unsigned(64, what);
        ulong? max = IsNumber ? Unsigned(64, what) : null;
        // Beyond 32 bits there is no encoding; the rule that such a size breaks is one of validation.
        if (!is64 && (min > uint.MaxValue || max > uint.MaxValue))
            throw Error(isMemory ? "memory size must be at most 65536 pages (4GiB)" : "table size must be at most 2^32-1 elements");
        bool shared = TakeAtom("shared");
        return new LimitsSyntax(is64, min, max, shared, isMemory ? PageSize() : null);
    }

    protected LimitsSyntax MemoryType() => Limits(TakeAddressType(), isMemory: true);

    protected TableTypeSyntax TableType()
    {
        LimitsSyntax limits = Limits(TakeAddressType(), isMemory: false);
        return new TableTypeSyntax(limits, RefType());
    }

    // ---- type uses ----

    protected FuncSyntax ParamsAndResults(ParameterIds ids, HashSet<string>? known = null)
    {
        var parameters = new List<LocalSyntax>();
        Locals("param", parameters, ids, known);
        List<ValTypeSyntax> results = Results();
        if (IsOpen("param") || IsOpen("type")) throw Error("unexpected token: parameters come before results");
        return new FuncSyntax(parameters, results);
    }

    protected List<ValTypeSyntax> Results()
    {
        var results = new List<ValTypeSyntax>();
        while (TakeOpen("result"))
        {
            while (Current.Kind != TokenKind.Close) results.Add(ValType());
            Close();
        }
        return results;
    }

    /// <summary>Parameters or locals.</summary>
    /// <param name="keyword">Their keyword.</param>
    /// <param name="list">Gets them.</param>
    /// <param name="ids">Whether they may have ids.</param>
    /// <param name="known">The function's ids so far.</param>
    protected void Locals(string keyword, List<LocalSyntax> list, ParameterIds ids, HashSet<string>? known)
    {
        while (TakeOpen(keyword))
        {
            if (ids == ParameterIds.Forbidden && Current.Kind == TokenKind.Id) throw Unexpected();
            string? id = TakeId();
            string? name = ids == ParameterIds.Kept ? NameAnnotation(keyword) : null;
            if ((name ?? id) is not null)
            {
                if (id is not null && known is not null && !known.Add(id)) throw Error($"duplicate local {id}");
                list.Add(new LocalSyntax(id, name ?? id, ValType()));
            }
            else
            {
                while (Current.Kind != TokenKind.Close) list.Add(new LocalSyntax(null, null, ValType()));
            }
            Close();
        }
    }

    protected TypeUseSyntax TypeUse(ParameterIds ids, HashSet<string>? known = null)
    {
        IndexSyntax? index = IsOpen("type") ? TypeReference() : null;
        int at = Position;
        FuncSyntax func = ParamsAndResults(ids, known);
        return new TypeUseSyntax(at, index, Position != at, func);
    }

    /// <summary><c>(type $t)</c>, <c>(type outer $m $t)</c>.</summary>
    protected IndexSyntax TypeReference()
    {
        if (IsAlias("type")) return Index("type");
        Open("type");
        IndexSyntax index = Index("type");
        Close();
        return index;
    }

    /// <summary>The type of an import or export, behind the keyword of its kind.</summary>
    /// <param name="kind">The keyword.</param>
    /// <param name="ids">What a function's parameters may have.</param>
    protected ExternSyntax ExternType(string kind, ParameterIds ids)
    {
        HashSet<string>? known = ids == ParameterIds.Kept ? [] : null;
        switch (kind)
        {
            case "func":
                if (!TakeOpen("exact")) return new FuncExternSyntax(TypeUse(ids, known), false);
                var exact = new FuncExternSyntax(TypeUse(ids, known), true);
                Close();
                return exact;
            case "table": return new TableExternSyntax(TableType());
            case "memory": return new MemoryExternSyntax(MemoryType());
            case "global": return new GlobalExternSyntax(GlobalType());
            case "tag": return new TagExternSyntax(TypeUse(ParameterIds.Ignored));
            case "module" or "instance":
                return IsOpen("type") && (Peek(2).Text == "outer" || Peek(3).Kind == TokenKind.Close)
                    ? new LinkingExternSyntax(kind, TypeReference(), null)
                    : new LinkingExternSyntax(kind, null, LinkingType(kind));
            default: throw Unexpected();
        }
    }
}
