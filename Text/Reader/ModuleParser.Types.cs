namespace WasmJit.Text;

/// <summary>Types and type uses (spec 6.4, 6.6.3).</summary>
internal sealed partial class ModuleParser
{
    private sealed record FuncShape(byte[][] Params, byte[][] Results);

    private readonly ByteWriter typeSection = new();
    private readonly Dictionary<uint, FuncShape> shapes = [];
    private uint nextType;

    /// <summary>Types that a type use may find: alone in their group, final, without supertypes; by their encoding.</summary>
    private readonly Dictionary<string, uint> plainTypes = [];

    private readonly Dictionary<(uint Type, string Field), uint> fieldIndices = [];
    private readonly Dictionary<(uint Type, uint Field), string> fieldNames = [];
    private int typeItems;

    /// <summary>Inside a module or instance type indices are of its own index space; this maps the outer ones.</summary>
    private Func<uint, uint>? innerType;

    private void TypeField()
    {
        typeItems++;
        if (TakeOpen("rec"))
        {
            int at = Position;
            int count = 0;
            for (; IsOpen("type"); count++) Skip();
            Position = at;
            var group = new ByteWriter();
            for (int i = 0; i < count; i++) TypeDefinition(group, alone: false);
            Close();
            typeSection.U8(0x4e);
            typeSection.U32((uint)count);
            typeSection.Bytes(group.Span);
            return;
        }
        TypeDefinition(typeSection, alone: true);
    }

    private void TypeDefinition(ByteWriter writer, bool alone)
    {
        Open("type");
        TakeId();
        uint index = nextType++;
        var body = new ByteWriter();
        bool plain = alone;
        if (TakeOpen("sub"))
        {
            bool final = TakeAtom("final");
            var supers = new ByteWriter();
            uint count = 0;
            for (; IsIndex; count++) supers.U32(Index(types));
            plain &= final && count == 0;
            if (!final || count > 0)
            {
                body.U8((byte)(final ? 0x4f : 0x50));
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
            writer.U8(0x4c);
            writer.U32(Index(types));
            Close();
            any = true;
        }
        if (TakeOpen("descriptor"))
        {
            writer.U8(0x4d);
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
        switch (kind)
        {
            case "func":
                FuncShape shape = ParamsAndResults(null);
                if (index != uint.MaxValue) shapes[index] = shape;
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
                            if (id is not null && !fieldIndices.TryAdd((index, id), count)) throw Error($"duplicate field {id}");
                            fieldNames[(index, count)] = known;
                            FieldType(fields);
                            count++;
                        }
                        else
                        {
                            for (; Current.Kind != TokenKind.Close; count++) FieldType(fields);
                        }
                        Close();
                    }
                    writer.U8(0x5f);
                    writer.U32(count);
                    writer.Bytes(fields.Span);
                    break;
                }
            case "array":
                writer.U8(0x5e);
                FieldType(writer);
                break;
            case "memory":
                writer.U8(0x5a);
                MemoryType(writer);
                break;
            case "table":
                writer.U8(0x59);
                TableType(writer);
                break;
            case "global":
                writer.U8(0x58);
                GlobalType(writer);
                break;
            case "tag":
                writer.U8(0x57);
                writer.U8(0);
                writer.U32(InnerIndex(TypeUse(out _)));
                break;
            case "module" or "instance":
                writer.U8((byte)(kind == "module" ? 0x61 : 0x62));
                LinkingType(writer, kind == "module");
                break;
            default: Position--; throw Unexpected();
        }
        Close();
    }

    private uint InnerIndex(uint type) => innerType is null ? type : innerType(type);

    /// <summary>
    /// The body of a module or instance type: definitions behind a discriminant; types of the enclosing module are aliases
    /// (0x0f, depth, index, 0x07) in its own index space.
    /// </summary>
    private void LinkingType(ByteWriter writer, bool isModule)
    {
        var definitions = new ByteWriter();
        uint count = 0;
        var aliases = new Dictionary<uint, uint>();
        var implied = new Dictionary<string, uint>();
        uint innerTypes = 0;
        Func<uint, uint>? saved = innerType;
        uint Inner(uint outer)
        {
            if (aliases.TryGetValue(outer, out uint known)) return known;
            definitions.U8(0x0f);
            definitions.U32(1);
            definitions.U32(outer);
            definitions.U8(0x07);
            count++;
            return aliases[outer] = innerTypes++;
        }
        // A function type that is written out is a definition of its own, behind the aliases it uses.
        uint Implied()
        {
            var body = new ByteWriter();
            WriteFunc(body, ParamsAndResults(null));
            string key = Convert.ToHexString(body.Span);
            if (implied.TryGetValue(key, out uint known)) return known;
            definitions.U8(0x01);
            definitions.Bytes(body.Span);
            count++;
            return implied[key] = innerTypes++;
        }
        while (Current.Kind == TokenKind.Open)
        {
            var item = new ByteWriter();
            bool import = isModule && IsOpen("import");
            if (!import && !IsOpen("export")) throw Unexpected();
            Position += 2;
            item.U8((byte)(import ? 2 : 7));
            WriteName(item, Name());
            if (import && Current.Kind == TokenKind.String)
            {
                item.U8(0);
                item.U8(0xff);
                WriteName(item, Name());
            }
            if (Current.Kind != TokenKind.Open) throw Unexpected();
            Position++;
            string kind = Atom();
            TakeId();
            innerType = Inner;
            if (kind is "func" or "tag")
            {
                if (kind == "tag") item.U8(4);
                item.U8(0);
                item.U32(IsOpen("type") ? Inner(TypeUse(out _)) : Implied());
            }
            else
            {
                ExternDescription(item, kind);
            }
            innerType = saved;
            Close();
            Close();
            definitions.Bytes(item.Span);
            count++;
        }
        writer.U32(count);
        writer.Bytes(definitions.Span);
    }

    private void WriteFunc(ByteWriter writer, FuncShape shape)
    {
        writer.U8(0x60);
        writer.U32((uint)shape.Params.Length);
        foreach (byte[] type in shape.Params) writer.Bytes(type);
        writer.U32((uint)shape.Results.Length);
        foreach (byte[] type in shape.Results) writer.Bytes(type);
    }

    private void FieldType(ByteWriter writer)
    {
        bool mutable = TakeOpen("mut");
        if (TakeAtom("i8")) writer.U8(0x78);
        else if (TakeAtom("i16")) writer.U8(0x77);
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
        writer.U8((byte)((max is null ? 0 : 1) | (shared ? 2 : 0) | (is64 ? 4 : 0) | (page.Length > 0 ? 8 : 0)));
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
            byte code = Current.Text switch { "i32" => 0x7f, "i64" => 0x7e, "f32" => 0x7d, "f64" => 0x7c, "v128" => 0x7b, _ => 0 };
            if (code != 0)
            {
                Position++;
                writer.U8(code);
                return;
            }
        }
        RefType(writer);
    }

    private static int AbstractCode(string name) => name switch
    {
        "func" => 0x70,
        "nofunc" => 0x73,
        "extern" => 0x6f,
        "noextern" => 0x72,
        "any" => 0x6e,
        "eq" => 0x6d,
        "i31" => 0x6c,
        "struct" => 0x6b,
        "array" => 0x6a,
        "none" => 0x71,
        "exn" => 0x69,
        "noexn" => 0x74,
        "module" => 0x5e,
        "instance" => 0x5d,
        "memory" => 0x5c,
        "table" => 0x5b,
        "global" => 0x5a,
        "tag" => 0x59,
        "slice" => 0x58,
        _ => -1,
    };

    private static int Shorthand(string name) => name switch
    {
        "funcref" => 0x70,
        "nullfuncref" => 0x73,
        "externref" => 0x6f,
        "nullexternref" => 0x72,
        "anyref" => 0x6e,
        "eqref" => 0x6d,
        "i31ref" => 0x6c,
        "structref" => 0x6b,
        "arrayref" => 0x6a,
        "nullref" => 0x71,
        "exnref" => 0x69,
        "nullexnref" => 0x74,
        _ => -1,
    };

    private void RefType(ByteWriter writer) => RefType(writer, out _);

    /// <summary>A reference type; the shorthand of an abstract nullable one where there is one.</summary>
    private void RefType(ByteWriter writer, out bool nullable)
    {
        nullable = true;
        if (Current.Kind == TokenKind.Atom && Shorthand(Current.Text) is > 0 and int code)
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
        if (nullable && heap.Length == 1 && heap.Span[0] is > 0x57 and < 0x80)
        {
            writer.U8(heap.Span[0]);
            return;
        }
        writer.U8((byte)(nullable ? 0x63 : 0x64));
        writer.Bytes(heap.Span);
    }

    private void HeapType(ByteWriter writer)
    {
        if (Current.Kind == TokenKind.Atom && AbstractCode(Current.Text) is > 0 and int code)
        {
            Position++;
            writer.U8((byte)code);
            return;
        }
        if (TakeOpen("exact"))
        {
            if (!IsIndex) throw Error($"unexpected token {Current.Text}");
            writer.U8(0x62);
            writer.S64(InnerIndex(Index(types)));
            Close();
            return;
        }
        if (Current.Kind == TokenKind.Open && Peek(1).Kind == TokenKind.Atom)
        {
            writer.S64(InnerIndex(SpelledType()));
            return;
        }
        writer.S64(InnerIndex(Index(types)));
    }

    /// <summary>The extension's forms: <c>(module $M)</c> names a type, <c>(func (param i32))</c> declares one if it is new.</summary>
    private uint SpelledType()
    {
        if (Peek(2).Kind == TokenKind.Id && Peek(3).Kind == TokenKind.Close)
        {
            Position += 2;
            uint index = Index(types);
            Close();
            return index;
        }
        Func<uint, uint>? saved = innerType;
        innerType = null;
        var body = new ByteWriter();
        int at = Position;
        Composite(body, uint.MaxValue);
        innerType = saved;
        FuncShape? shape = null;
        if (Source.Tokens[at + 1].Text == "func")
        {
            int after = Position;
            Position = at + 2;
            shape = ParamsAndResults(null);
            Position = after;
        }
        return FindOrAdd(body, shape);
    }

    private uint FindOrAdd(ByteWriter body, FuncShape? shape)
    {
        string key = Convert.ToHexString(body.Span);
        if (plainTypes.TryGetValue(key, out uint known)) return known;
        uint index = types.Count;
        types.Define(null);
        if (shape is not null) shapes[index] = shape;
        pendingTypes.Bytes(body.Span);
        typeItems++;
        plainTypes[key] = index;
        return index;
    }

    /// <summary>Types that type uses imply, behind the explicit ones.</summary>
    private readonly ByteWriter pendingTypes = new();

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
        // Inside a module type, the parameters' types are encoded for the enclosing module.
        Func<uint, uint>? saved = innerType;
        innerType = null;
        uint? explicitType = null;
        if (TakeOpen("type"))
        {
            explicitType = Index(types);
            Close();
        }
        int at = Position;
        shape = ParamsAndResults(names);
        bool inline = Position != at;
        innerType = saved;
        if (explicitType is { } index)
        {
            FuncShape? declared = shapes.GetValueOrDefault(index);
            if (!inline)
            {
                shape = declared;
                if (names is not null && declared is not null)
                    for (int i = 0; i < declared.Params.Length; i++) names.Add(null);
                return index;
            }
            if (declared is null || !Same(declared.Params, shape.Params) || !Same(declared.Results, shape.Results))
                throw Source.Error(Source.Tokens[at].Position, index < types.Count ? "inline function type" : $"unknown type {index}");
            return index;
        }
        var body = new ByteWriter();
        WriteFunc(body, shape);
        return FindOrAdd(body, shape);
    }

    private static bool Same(byte[][] a, byte[][] b)
    {
        if (a.Length != b.Length) return false;
        for (int i = 0; i < a.Length; i++)
            if (!a[i].AsSpan().SequenceEqual(b[i])) return false;
        return true;
    }
}
