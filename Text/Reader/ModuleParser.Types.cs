using WasmJit.Jit;

namespace WasmJit.Text;

/// <summary>Types and type uses (spec 6.4, 6.6.3).</summary>
internal sealed partial class ModuleParser
{
    private sealed record FuncShape(byte[][] Params, byte[][] Results);

    private readonly Dictionary<uint, FuncShape> shapes = [];

    /// <summary>Types that a type use may find: alone in their group, final, without supertypes; by their encoding.</summary>
    private readonly Dictionary<string, uint> plainTypes = [];

    private readonly Dictionary<(uint Type, string Field), uint> fieldIndices = [];
    private readonly Dictionary<(uint Type, uint Field), string> fieldNames = [];

    /// <summary>Where types are written, -1 for those that are implied; and which are of enclosing modules.</summary>
    private readonly List<int> typePositions = [];
    private readonly HashSet<uint> aliasedTypes = [];

    private uint DefineType(string? id, int position)
    {
        if (!types.Define(id, position < 0 ? null : NameAnnotation(types.Kind))) throw Error($"duplicate type {id}");
        typePositions.Add(position);
        return types.Count - 1;
    }

    private void TypeField()
    {
        int field = Position;
        if (IsOpen("alias") || (IsOpen("type") && Peek(Peek(2).Kind == TokenKind.Id ? 4 : 3).Text == "alias"))
        {
            TypeAliasField(field);
            return;
        }
        DeclareSpelled(field);
        var item = new ByteWriter();
        if (TakeOpen("rec"))
        {
            int at = Position;
            var members = new List<uint>();
            while (IsOpen("type"))
            {
                int inner = Position;
                Position += 2;
                members.Add(DefineType(TakeId(), inner));
                Position = inner;
                Skip();
            }
            Position = at;
            item.U8(TypeByte.Rec);
            item.U32((uint)members.Count);
            foreach (uint member in members) TypeDefinition(item, member, alone: false);
            Close();
        }
        else
        {
            Position += 2;
            uint index = DefineType(TakeId(), field);
            Position = field;
            TypeDefinition(item, index, alone: true);
        }
        Emit(SectionId.Type, item);
    }

    /// <summary><c>(alias outer $m $t (type $x))</c>, <c>(type $x (alias outer $m $t))</c>.</summary>
    private void TypeAliasField(int field)
    {
        bool inverted = IsOpen("type");
        Position += 2;
        string? id = null;
        if (inverted)
        {
            id = TakeId();
            Open("alias");
        }
        if (!TakeAtom("outer")) throw Unexpected();
        (uint depth, uint index) = Outer(types);
        if (!inverted)
        {
            Open("type");
            id = TakeId();
        }
        string? name = NameAnnotation(types.Kind);
        Close();
        Close();
        uint own = AliasType(depth, index, id);
        if (name is not null) types.Names[own] = name;
        typePositions[(int)own] = field;
        var item = new ByteWriter();
        item.Bytes(OuterAliasItem(7, depth, index));
        Emit(SectionId.Alias, item);
    }

    /// <summary>Types written out inside of a type come before it: nothing refers to what comes later.</summary>
    private void DeclareSpelled(int field)
    {
        int end = EndOf(field);
        for (Position = field; Position < end; Position++)
        {
            int at = Position;
            if (Current.Kind != TokenKind.Open || Position == field) continue;
            switch (Peek(1).Text)
            {
                case "module" or "instance": Skip(); break;
                case "tag":
                    Position += 2;
                    if (!IsOpen("type")) TypeUse(out _);
                    break;
                case "ref":
                    Position += 2;
                    TakeAtom("null");
                    if (Current.Kind == TokenKind.Open && !IsOpen("exact") && Peek(1).Kind == TokenKind.Atom && !IsInlineAlias(types)
                        && !IsSpelledIndex)
                        SpelledType();
                    break;
                default: continue;
            }
            Position = Math.Max(Position - 1, at);
        }
        Position = field;
    }

    private void TypeDefinition(ByteWriter writer, uint index, bool alone)
    {
        Open("type");
        TakeId();
        var body = new ByteWriter();
        bool plain = alone;
        if (TakeOpen("sub"))
        {
            bool final = TakeAtom("final");
            var supers = new ByteWriter();
            uint count = 0;
            for (; IsIndexOf(types); count++) supers.U32(Index(types));
            plain &= final && count == 0;
            if (!final || count > 0)
            {
                body.U8(final ? TypeByte.SubFinal : TypeByte.Sub);
                body.U32(count);
                body.Bytes(supers.Span);
            }
            plain &= !DescriptorClauses(body);
            Composite(body, index);
            Close();
        }
        else
        {
            plain &= !DescriptorClauses(body);
            Composite(body, index);
        }
        Close();
        if (plain) plainTypes.TryAdd(Convert.ToHexString(body.Span), index);
        writer.Bytes(body.Span);
    }

    private bool DescriptorClauses(ByteWriter writer)
    {
        bool any = false;
        if (TakeOpen("describes"))
        {
            writer.U8(TypeByte.Describes);
            writer.U32(Index(types));
            Close();
            any = true;
        }
        if (TakeOpen("descriptor"))
        {
            writer.U8(TypeByte.Descriptor);
            writer.U32(Index(types));
            Close();
            any = true;
        }
        return any;
    }

    /// <summary>A composite type in its parentheses.</summary>
    private void Composite(ByteWriter writer, uint index)
    {
        if (Current.Kind != TokenKind.Open) throw Unexpected();
        Position++;
        string kind = Atom();
        if (index != uint.MaxValue && scope is null) forms[index] = kind;
        switch (kind)
        {
            case "func":
                FuncShape shape = ParamsAndResults(null);
                if (index != uint.MaxValue && scope is null) shapes[index] = shape;
                WriteFunc(writer, shape);
                break;
            case "struct":
                {
                    var fields = new ByteWriter();
                    uint count = 0;
                    while (TakeOpen("field"))
                    {
                        string? id = TakeId(), name = NameAnnotation("field");
                        if ((name ?? id) is { } known)
                        {
                            if (id is not null && index != uint.MaxValue && !fieldIndices.TryAdd((index, id), count)) throw Error($"duplicate field {id}");
                            if (index != uint.MaxValue) fieldNames[(index, count)] = known;
                            FieldType(fields);
                            count++;
                        }
                        else
                        {
                            for (; Current.Kind != TokenKind.Close; count++) FieldType(fields);
                        }
                        Close();
                    }
                    writer.U8(TypeByte.Struct);
                    writer.U32(count);
                    writer.Bytes(fields.Span);
                    break;
                }
            case "array":
                writer.U8(TypeByte.Array);
                FieldType(writer);
                break;
            case "memory":
                writer.U8(TypeByte.Memory);
                MemoryType(writer);
                break;
            case "table":
                writer.U8(TypeByte.Table);
                TableType(writer);
                break;
            case "global":
                writer.U8(TypeByte.Global);
                GlobalType(writer);
                break;
            case "tag":
                writer.U8(TypeByte.Tag);
                writer.U8(0);
                writer.U32(TypeUse(out _));
                break;
            case "module" or "instance":
                writer.U8(kind == "module" ? TypeByte.Module : TypeByte.Instance);
                LinkingBody(writer, kind == "module");
                break;
            default: Position--; throw Unexpected();
        }
        Close();
    }

    private void WriteFunc(ByteWriter writer, FuncShape shape)
    {
        writer.U8(TypeByte.Func);
        writer.U32((uint)shape.Params.Length);
        foreach (byte[] type in shape.Params) writer.Bytes(type);
        writer.U32((uint)shape.Results.Length);
        foreach (byte[] type in shape.Results) writer.Bytes(type);
    }

    private void FieldType(ByteWriter writer)
    {
        bool mutable = TakeOpen("mut");
        if (TakeAtom("i8")) writer.U8(TypeByte.I8);
        else if (TakeAtom("i16")) writer.U8(TypeByte.I16);
        else ValType(writer);
        writer.U8((byte)(mutable ? 1 : 0));
        if (mutable) Close();
    }

    private void GlobalType(ByteWriter writer)
    {
        bool mutable = TakeOpen("mut");
        ValType(writer);
        writer.U8((byte)(mutable ? 1 : 0));
        if (mutable) Close();
    }

    private bool TakeAddressType()
    {
        if (TakeAtom("i64")) return true;
        TakeAtom("i32");
        return false;
    }

    private byte[] PageSize(out ulong size)
    {
        size = 65536;
        if (!TakeOpen("pagesize")) return [];
        size = Unsigned(32);
        if (size == 0 || (size & (size - 1)) != 0) throw Error("invalid custom page size");
        Close();
        var writer = new ByteWriter();
        writer.U32((uint)System.Numerics.BitOperations.Log2(size));
        return writer.ToArray();
    }

    /// <summary>Limits with the flags before them.</summary>
    private byte[] Limits(bool is64, out bool shared, bool isMemory = false)
    {
        string what = is64 ? "i64 constant" : "i32 constant";
        ulong min = Unsigned(64, what);
        ulong? max = IsNumber ? Unsigned(64, what) : null;
        // Beyond 32 bits there is no encoding; the rule that such a size breaks is one of validation.
        if (!is64 && (min > uint.MaxValue || max > uint.MaxValue))
            throw Error(isMemory ? "memory size must be at most 65536 pages (4GiB)" : "table size must be at most 2^32-1 elements");
        shared = TakeAtom("shared");
        byte[] page = isMemory ? PageSize(out _) : [];
        var writer = new ByteWriter();
        writer.U8((byte)((max is null ? 0 : LimitsFlags.HasMaximum) | (shared ? LimitsFlags.Shared : 0) | (is64 ? LimitsFlags.Is64 : 0)
            | (page.Length > 0 ? LimitsFlags.HasPageSize : 0)));
        writer.U64(min);
        if (max is { } m) writer.U64(m);
        writer.Bytes(page);
        return writer.ToArray();
    }

    private void MemoryType(ByteWriter writer) => writer.Bytes(Limits(TakeAddressType(), out _, isMemory: true));

    private void TableType(ByteWriter writer)
    {
        bool is64 = TakeAddressType();
        byte[] limits = Limits(is64, out _);
        RefType(writer);
        writer.Bytes(limits);
    }

    private void ValType(ByteWriter writer)
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
                writer.U8(code);
                return;
            }
        }
        RefType(writer);
    }

    private void RefType(ByteWriter writer) => RefType(writer, out _);

    /// <summary>A reference type; the shorthand of an abstract nullable one where there is one.</summary>
    private void RefType(ByteWriter writer, out bool nullable)
    {
        nullable = true;
        if (Current.Kind == TokenKind.Atom && WasmJit.HeapType.FromShorthand(Current.Text) is { Code: var code })
        {
            Position++;
            writer.U8((byte)code);
            return;
        }
        Open("ref");
        nullable = TakeAtom("null");
        var heap = new ByteWriter();
        HeapType(heap);
        Close();
        if (nullable && heap.Length == 1 && WasmJit.HeapType.FromCode(heap.Span[0]) is not null)
        {
            writer.U8(heap.Span[0]);
            return;
        }
        writer.U8(nullable ? TypeByte.RefNull : TypeByte.Ref);
        writer.Bytes(heap.Span);
    }

    private void HeapType(ByteWriter writer)
    {
        if (Current.Kind == TokenKind.Atom && WasmJit.HeapType.FromName(Current.Text) is { Code: var code })
        {
            Position++;
            writer.U8((byte)code);
            return;
        }
        if (TakeOpen("exact"))
        {
            Exact(writer);
            Close();
            return;
        }
        if (Current.Kind == TokenKind.Open && Peek(1).Kind == TokenKind.Atom && !IsInlineAlias(types))
        {
            writer.S64(SpelledType());
            return;
        }
        writer.S64(TypeIndex());
    }

    /// <summary>
    /// Of custom descriptors with a type, of runtime linking with a module: an id is a type's if there is one, <c>(module $m)</c>
    /// is always a module.
    /// </summary>
    private void Exact(ByteWriter writer)
    {
        bool named = Current.Kind == TokenKind.Id && scope is null && !types.Find(Current.Text, out _) && modules.Find(Current.Text, out _);
        if (named || (IsOpen("module") && !IsInlineAlias(types)))
        {
            writer.U8(TypeByte.ExactModule);
            modulesMentioned++;
            if (named || IsInlineAlias(modules))
            {
                writer.U32(Index(modules));
                return;
            }
            Position += 2;
            writer.U32(Index(modules));
            Close();
            return;
        }
        if (!IsIndexOf(types)) throw Error($"unexpected token {Current.Text}");
        writer.U8(TypeByte.Exact);
        writer.S64(TypeIndex());
    }

    /// <summary>The extension's forms: <c>(module $M)</c> names a type, <c>(func (param i32))</c> declares one if it is new.</summary>
    private uint SpelledType()
    {
        string kind = Peek(1).Text;
        if (IsSpelledIndex)
        {
            Position += 2;
            int at = Position;
            uint index = TypeIndex();
            if (scope is null && FormOf(index) is { } form && form != kind)
            {
                Position = at;
                throw Error($"type mismatch: type {Current.Text} is a {form} type, not a {kind} type");
            }
            Close();
            return index;
        }
        var body = new ByteWriter();
        int begin = Position, mentioned = modulesMentioned;
        Composite(body, uint.MaxValue);
        FuncShape? shape = null;
        if (kind == "func")
        {
            int after = Position;
            Position = begin + 2;
            shape = ParamsAndResults(null);
            Position = after;
        }
        return FindOrAdd(body, shape, modulesMentioned != mentioned);
    }

    private int modulesMentioned;

    /// <summary>Whether a spelled type is the name of one; numbers alone are limits for some kinds.</summary>
    private bool IsSpelledIndex => Peek(3).Kind == TokenKind.Close
        && (Peek(2).Kind == TokenKind.Id
            || (Peek(2).Kind == TokenKind.Atom && char.IsAsciiDigit(Peek(2).Text[0]) && Peek(1).Text is "func" or "module" or "instance"));

    /// <summary>What kind of type is at an index of the module's, null if that is not known here.</summary>
    private string? FormOf(uint index) => forms.GetValueOrDefault(index);

    private readonly Dictionary<uint, string> forms = [];

    private uint FindOrAdd(ByteWriter body, FuncShape? shape, bool mentionsModules = false)
    {
        string key = Convert.ToHexString(body.Span);
        if (scope is { } inner) return inner.FindOrAdd(key, body);
        if (plainTypes.TryGetValue(key, out uint known)) return known;
        uint index = DefineType(null, -1);
        if (shape is not null) shapes[index] = shape;
        if (mentionsModules && !hasLateTypes)
        {
            // From here on types come where they are needed; those until now come before everything else.
            headItems.AddRange(impliedItems[flushed..]);
            flushed = impliedItems.Count;
            hasLateTypes = true;
        }
        impliedItems.Add((SectionId.Type, body.ToArray()));
        plainTypes[key] = index;
        return index;
    }

    /// <summary>Parameters and results; with <paramref name="names"/> the parameters' names are collected.</summary>
    private FuncShape ParamsAndResults(List<string?>? names)
    {
        var parameters = new List<byte[]>();
        var results = new List<byte[]>();
        Values("param", parameters, names);
        Values("result", results, null);
        if (IsOpen("param") || IsOpen("type")) throw Error("unexpected token: parameters come before results");
        return new FuncShape([.. parameters], [.. results]);
    }

    private void Values(string keyword, List<byte[]> list, List<string?>? names)
    {
        while (TakeOpen(keyword))
        {
            string? id = keyword == "result" ? null : TakeId();
            string? name = names is null ? null : NameAnnotation(keyword);
            if ((name ?? id) is not null)
            {
                if (id is not null && names is not null && names.Contains(id)) throw Error($"duplicate local {id}");
                if (name is not null) localNames[(currentFunc, (uint)names!.Count)] = name;
                names?.Add(id);
                list.Add(OneType());
            }
            else
            {
                while (Current.Kind != TokenKind.Close)
                {
                    list.Add(OneType());
                    names?.Add(null);
                }
            }
            Close();
        }
    }

    private byte[] OneType()
    {
        var writer = new ByteWriter();
        ValType(writer);
        return writer.ToArray();
    }

    private uint TypeUse(out FuncShape? shape, List<string?>? names = null)
    {
        uint? explicitType = IsOpen("type") ? TypeReference() : null;
        int at = Position, mentioned = modulesMentioned;
        shape = ParamsAndResults(names);
        bool inline = Position != at;
        if (explicitType is not { } index)
        {
            var body = new ByteWriter();
            WriteFunc(body, shape);
            return FindOrAdd(body, shape, modulesMentioned != mentioned);
        }
        FuncShape? declared = scope is null ? shapes.GetValueOrDefault(index) : null;
        if (!inline)
        {
            shape = declared;
            if (names is not null && declared is not null)
                for (int i = 0; i < declared.Params.Length; i++) names.Add(null);
            return index;
        }
        // What a type of elsewhere is, in the indices of here, is not known.
        if (scope is not null || aliasedTypes.Contains(index)) return index;
        if (declared is null || !Same(declared.Params, shape.Params) || !Same(declared.Results, shape.Results))
            throw Source.Error(Source.Tokens[at].Position, index < types.Count ? "inline function type" : $"unknown type {index}");
        return index;
    }

    private static bool Same(byte[][] a, byte[][] b)
    {
        if (a.Length != b.Length) return false;
        for (int i = 0; i < a.Length; i++)
            if (!a[i].AsSpan().SequenceEqual(b[i])) return false;
        return true;
    }
}
