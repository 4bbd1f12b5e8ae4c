using WasmJit.Jit;

namespace WasmJit.Text;

/// <summary>
/// Parses a module (spec 6.6) and encodes it. A first pass gives every definition its index and name; then types are encoded, the
/// fields of the first sections, and all others. Types that type uses imply are added behind the explicit ones in the order of
/// the text. What module linking has is in <c>ModuleParser.Linking</c>.
/// </summary>
internal sealed partial class ModuleParser : TokenCursor
{
    private readonly IndexSpace types = new("type"), funcs = new("func"), tables = new("table"), memories = new("memory");
    private readonly IndexSpace globals = new("global"), tags = new("tag"), elems = new("elem"), datas = new("data");
    private readonly IndexSpace modules = new("module"), instances = new("instance");
    private readonly ByteWriter funcSection = new(), tableSection = new(), memorySection = new(), tagSection = new();
    private readonly ByteWriter globalSection = new(), elemSection = new(), codeSection = new(), dataSection = new();
    private readonly Dictionary<(uint Func, uint Local), string> localNames = [];
    private readonly Dictionary<(uint Func, uint Label), string> labelNames = [];
    private readonly ModuleParser? outer;
    private readonly string? moduleId;
    private readonly string? moduleName;
    private readonly int beginning;
    private readonly int depth;
    private int definedFuncs, definedTables, definedMemories, definedTags, definedGlobals;
    private uint? start;
    private bool usesDataCount;
    private uint nextFunc, nextTable, nextMemory, nextGlobal, nextTag;

    /// <summary>Exports with the places where they were written.</summary>
    private readonly List<(int Position, byte[] Item)> exports = [];

    private ModuleParser(Source source, int position, int end, string? id, string? name, ModuleParser? outer)
        : base(source, position, end)
    {
        this.outer = outer;
        moduleId = id;
        moduleName = name;
        beginning = position;
        depth = outer is null ? 0 : outer.depth + 1;
        // More than validation allows anyway.
        if (depth > 2 * Jit.ModuleInfo.MaxNesting) throw Error("nesting too deep");
    }

    /// <summary>Encodes the fields between two tokens.</summary>
    /// <param name="source">The text.</param>
    /// <param name="position">The first token.</param>
    /// <param name="end">The token behind the last.</param>
    /// <param name="id">The module's id.</param>
    internal static byte[] Encode(Source source, int position, int end, string? id)
    {
        var reader = new ModuleParser(source, position, end, id, null, null);
        return new ModuleParser(source, position, end, id, reader.NameAnnotation("module") ?? id, null).Run();
    }

    private byte[] Run()
    {
        System.Runtime.CompilerServices.RuntimeHelpers.EnsureSufficientExecutionStack();
        int begin = Position;
        Plan plan = FirstPass();
        foreach (int field in plan.Types)
        {
            Position = field;
            TypeField();
        }
        foreach (Step step in plan.Early) Early(step);
        foreach (int field in plan.Late)
        {
            Position = field;
            if (IsOpen("export") && Peek(2).Kind != TokenKind.String) ZeroLevelExport();
        }
        (nextFunc, nextTable, nextMemory, nextGlobal, nextTag) = (funcs.Count, tables.Count, memories.Count, globals.Count, tags.Count);
        foreach (int field in plan.Late) DefineOwn(field);
        Position = begin;
        while (Position < Last)
        {
            ReadCustomSections();
            Skip();
        }
        ReadCustomSections();
        foreach (int field in plan.Late)
        {
            Position = field;
            Field();
        }
        Position = Last;
        CheckAnnotations(begin);
        return Assemble();
    }

    /// <summary>A definition's id and name, behind its keyword.</summary>
    private uint Define(IndexSpace space)
    {
        string? id = TakeId();
        if (!space.Define(id, NameAnnotation(space.Kind))) throw Error($"duplicate {space.Kind} {id}");
        return space.Count - 1;
    }

    // ---- first pass: indices and names ----

    /// <summary>The fields in the order in which they are encoded, by the places where they begin.</summary>
    private sealed class Plan
    {
        internal List<int> Types { get; } = [];
        internal List<Step> Early { get; } = [];
        internal List<int> Late { get; } = [];
    }

    private Plan FirstPass()
    {
        var plan = new Plan();
        var early = new List<int>();
        string? definedBefore = null;
        while (Position < Last)
        {
            if (Current.Kind != TokenKind.Open || Peek(1).Kind != TokenKind.Atom) throw Unexpected();
            int field = Position;
            string keyword = Peek(1).Text;
            switch (keyword)
            {
                case "type" or "rec": early.Add(field); break;
                case "import" or "alias" or "module" or "instance":
                    if (keyword == "import" && definedBefore is not null)
                    {
                        Position += 2;
                        throw Error($"import after {definedBefore}");
                    }
                    early.Add(field);
                    break;
                case "func" or "table" or "memory" or "global" or "tag":
                    Position += 2;
                    TakeId();
                    while (IsOpen("export")) Skip();
                    if (IsOpen("import"))
                    {
                        if (definedBefore is not null) throw Error($"import after {definedBefore}");
                        early.Add(field);
                    }
                    else if (IsOpen("alias"))
                    {
                        early.Add(field);
                    }
                    else
                    {
                        definedBefore ??= keyword == "func" ? "function" : keyword;
                        plan.Late.Add(field);
                    }
                    break;
                case "elem" or "data" or "export" or "start": plan.Late.Add(field); break;
                default: Position++; throw Unexpected();
            }
            Position = field;
            Skip();
        }
        PlanEarly(plan, early);
        foreach (int field in plan.Late) FindInlineAliases(plan, field);
        return plan;
    }

    /// <summary>Gives the module's own definitions their indices, behind imports and aliases.</summary>
    private void DefineOwn(int field)
    {
        Position = field + 1;
        string keyword = Atom();
        if (SpaceOf(keyword) is { } space) Define(space);
        else if (keyword is "elem" or "data") Define(keyword == "elem" ? elems : datas);
        if (keyword is "table" or "memory") FindInlineSegment(keyword, field);
    }

    private IndexSpace? SpaceOf(string kind) => kind switch
    {
        "func" => funcs,
        "table" => tables,
        "memory" => memories,
        "global" => globals,
        "tag" => tags,
        "module" => modules,
        "instance" => instances,
        _ => null,
    };

    /// <summary>A table's inline elements and a memory's inline data are segments of their own.</summary>
    private void FindInlineSegment(string keyword, int field)
    {
        Position = field + 2;
        string wanted = keyword == "table" ? "elem" : "data";
        while (Current.Kind is not (TokenKind.Close or TokenKind.End))
        {
            if (IsOpen(wanted)) (keyword == "table" ? elems : datas).Define(null);
            Skip();
        }
    }

    // ---- indices ----

    private uint Index(IndexSpace space)
    {
        if (Current.Kind == TokenKind.Open && IsInlineAlias(space)) return InlineAlias(space);
        if (Current.Kind != TokenKind.Id) return (uint)Unsigned(32);
        if (!space.Find(Current.Text, out uint index)) throw Error($"unknown {space.Kind} {Current.Text}");
        Position++;
        return index;
    }

    private bool IsIndex => Current.Kind == TokenKind.Id || (Current.Kind == TokenKind.Atom && char.IsAsciiDigit(Current.Text[0]));

    private bool IsIndexOf(IndexSpace space) => IsIndex || (Current.Kind == TokenKind.Open && IsInlineAlias(space));

    private uint IndexOrZero(IndexSpace space) => IsIndexOf(space) ? Index(space) : 0;

    // ---- fields ----

    private void Field()
    {
        string keyword = Peek(1).Text;
        Position += 2;
        switch (keyword)
        {
            case "func": FuncField(); break;
            case "table": TableField(); break;
            case "memory": MemoryField(); break;
            case "global": GlobalField(); break;
            case "tag": TagField(); break;
            case "export": ExportField(); break;
            case "start":
                if (start is not null) throw Error("multiple start sections");
                start = Index(funcs);
                break;
            case "elem": ElemField(); break;
            case "data": DataField(); break;
            default: Position--; throw Unexpected();
        }
        Close();
    }

    private void WriteName(ByteWriter writer, byte[] name)
    {
        writer.U32((uint)name.Length);
        writer.Bytes(name);
    }

    /// <summary>The description of an import, behind its kind's keyword.</summary>
    /// <param name="writer">Gets the description.</param>
    /// <param name="kind">The keyword.</param>
    /// <param name="parameters">Gets the ids of a function's parameters.</param>
    private void ExternDescription(ByteWriter writer, string kind, List<string?>? parameters = null)
    {
        switch (kind)
        {
            case "func":
                if (TakeOpen("exact"))
                {
                    writer.U8(ExternByte.ExactFunc);
                    writer.U32(TypeUse(out _, parameters));
                    Close();
                    break;
                }
                writer.U8(ExternByte.Func);
                writer.U32(TypeUse(out _, parameters));
                break;
            case "table":
                writer.U8(ExternByte.Table);
                TableType(writer);
                break;
            case "memory":
                writer.U8(ExternByte.Memory);
                MemoryType(writer);
                break;
            case "global":
                writer.U8(ExternByte.Global);
                GlobalType(writer);
                break;
            case "tag":
                writer.U8(ExternByte.Tag);
                writer.U8(0);
                writer.U32(TypeUse(out _));
                break;
            case "module" or "instance":
                writer.U8(ExternByte.Of(kind));
                writer.U32(LinkingTypeUse(kind));
                break;
            default: throw Unexpected();
        }
    }

    private void AddExport(int position, byte[] name, byte code, uint index)
    {
        var item = new ByteWriter();
        WriteName(item, name);
        item.U8(code);
        item.U32(index);
        exports.Add((position, item.ToArray()));
    }

    /// <summary>Inline exports of a definition, behind its keyword and id.</summary>
    private void InlineExports(string kind, uint index)
    {
        TakeId();
        while (IsOpen("export") && Peek(2).Kind == TokenKind.String && Peek(3).Kind == TokenKind.Close)
        {
            int at = Position;
            Position += 2;
            AddExport(at, Name(), ExternByte.Of(kind), index);
            Close();
        }
    }

    private void ExportField()
    {
        int at = Position;
        if (Current.Kind != TokenKind.String)
        {
            // Of an instance's exports, which are written already.
            while (Current.Kind is not (TokenKind.Close or TokenKind.End)) Skip();
            return;
        }
        byte[] name = Name();
        (string kind, uint index) = Item();
        AddExport(at, name, ExternByte.Of(kind), index);
    }

    /// <summary>Something that is exported, or given to an instance: <c>(func $f)</c>, <c>(func $instance "export")</c>.</summary>
    private (string Kind, uint Index) Item()
    {
        if (Current.Kind != TokenKind.Open || Peek(1).Kind != TokenKind.Atom) throw Unexpected();
        string kind = Peek(1).Text;
        if (SpaceOf(kind) is not { } space)
        {
            Position++;
            throw Unexpected();
        }
        if (IsInlineAlias(space)) return (kind, InlineAlias(space));
        Position += 2;
        uint index = Index(space);
        Close();
        return (kind, index);
    }

    private void TableField()
    {
        uint index = nextTable++;
        InlineExports("table", index);
        definedTables++;
        bool is64 = TakeAddressType();
        if (IsNumber)
        {
            var type = new ByteWriter();
            byte[] limits = Limits(is64, out _);
            RefType(type);
            type.Bytes(limits);
            if (Current.Kind == TokenKind.Close)
            {
                tableSection.Bytes(type.Span);
                return;
            }
            tableSection.U8(TableByte.WithInit);
            tableSection.U8(0);
            tableSection.Bytes(type.Span);
            ConstExpr(tableSection);
            return;
        }
        var reference = new ByteWriter();
        RefType(reference);
        Open("elem");
        var items = new ByteWriter();
        bool simple = index == 0 && IsFuncRef(reference);
        bool listed = Current.Kind != TokenKind.Open;
        bool exprs = !listed || !(IsFuncRef(reference));
        uint count = 0;
        for (; Current.Kind != TokenKind.Close; count++)
        {
            if (!listed)
            {
                ElemExpr(items);
                continue;
            }
            // Functions by index are of type (ref func): a table of another type takes expressions.
            if (exprs) WriteCode(items, OpId.RefFunc);
            items.U32(Index(funcs));
            if (exprs) WriteCode(items, OpId.End);
        }
        Close();
        tableSection.Bytes(reference.Span);
        tableSection.U8((byte)(LimitsFlags.HasMaximum | (is64 ? LimitsFlags.Is64 : 0)));
        tableSection.U64(count);
        tableSection.U64(count);
        elemSection.U32((exprs ? ElementFlags.HasExpressions : 0) | ((exprs ? simple : index == 0) ? 0 : ElementFlags.HasTable));
        if (!(exprs ? simple : index == 0)) elemSection.U32(index);
        WriteCode(elemSection, is64 ? OpId.I64Const : OpId.I32Const);
        elemSection.U8(0);
        WriteCode(elemSection, OpId.End);
        if (exprs && !simple) elemSection.Bytes(reference.Span);
        if (!exprs && index != 0) elemSection.U8(ElementFlags.FuncKind);
        elemSection.U32(count);
        elemSection.Bytes(items.Span);
    }

    private void MemoryField()
    {
        uint index = nextMemory++;
        InlineExports("memory", index);
        definedMemories++;
        int at = Position;
        bool is64 = TakeAddressType();
        byte[] page = PageSize(out ulong pageSize);
        if (!IsOpen("data"))
        {
            Position = at;
            MemoryType(memorySection);
            return;
        }
        Open("data");
        byte[] bytes = DataStrings();
        Close();
        ulong pages = pageSize == 0 ? 0 : ((ulong)bytes.Length + pageSize - 1) / pageSize;
        memorySection.U8((byte)(LimitsFlags.HasMaximum | (is64 ? LimitsFlags.Is64 : 0) | (page.Length > 0 ? LimitsFlags.HasPageSize : 0)));
        memorySection.U64(pages);
        memorySection.U64(pages);
        memorySection.Bytes(page);
        dataSection.U32(index == 0 ? 0 : DataFlags.HasMemory);
        if (index != 0) dataSection.U32(index);
        WriteCode(dataSection, is64 ? OpId.I64Const : OpId.I32Const);
        dataSection.U8(0);
        WriteCode(dataSection, OpId.End);
        dataSection.U32((uint)bytes.Length);
        dataSection.Bytes(bytes);
    }

    private void GlobalField()
    {
        InlineExports("global", nextGlobal++);
        definedGlobals++;
        GlobalType(globalSection);
        ConstExpr(globalSection);
    }

    private void TagField()
    {
        InlineExports("tag", nextTag++);
        definedTags++;
        tagSection.U8(0);
        tagSection.U32(TypeUse(out _));
    }

    // ---- the whole ----

    private byte[] Assemble()
    {
        var module = new ByteWriter();
        module.Bytes("\0asm\x1\0\0\0"u8);
        var startSection = new ByteWriter();
        if (start is { } function) startSection.U32(function);
        var dataCountSection = new ByteWriter();
        if (usesDataCount) dataCountSection.U32(datas.Count);
        var exportSection = new ByteWriter();
        foreach ((_, byte[] item) in exports.OrderBy(e => e.Position)) exportSection.Bytes(item);
        WriteSections(module, [
            .. EarlySections(), (SectionId.Function, Counted(definedFuncs, funcSection)),
            (SectionId.Table, Counted(definedTables, tableSection)), (SectionId.Memory, Counted(definedMemories, memorySection)), (SectionId.Tag, Counted(definedTags, tagSection)),
            (SectionId.Global, Counted(definedGlobals, globalSection)), (SectionId.Export, Counted(exports.Count, exportSection)), (SectionId.Start, startSection),
            (SectionId.Element, Counted((int)elems.Count, elemSection)), (SectionId.DataCount, dataCountSection), (SectionId.Code, Counted(definedFuncs, codeSection)),
            (SectionId.Data, Counted((int)datas.Count, dataSection))]);
        return module.ToArray();
    }

    /// <summary>A section's items behind their number; nothing if there are none.</summary>
    private static ByteWriter Counted(int count, ByteWriter items)
    {
        var section = new ByteWriter();
        if (count == 0) return section;
        section.U32((uint)count);
        section.Bytes(items.Span);
        return section;
    }
}
