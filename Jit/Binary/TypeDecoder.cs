using System.Collections.Immutable;
using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Binary;

/// <summary>Decodes types (spec 5.3). Type indices resolve against the module's types and the recursion group being read.</summary>
internal ref struct TypeDecoder
{
    private readonly ModuleInfo module;

    /// <summary>What the types are added to; null for types in code, of a module that has been decoded.</summary>
    private readonly ModuleContents? contents;
    private DefType[] group = [];

    /// <summary>The super types' indices as written, which canonical types no longer tell.</summary>
    private uint[] supers = [];
    private int groupBase;

    /// <summary>A nested module or instance type has index spaces of its own, empty at first, and enclosing ones.</summary>
    private List<DefType>? inner;
    private List<DefType>[] enclosing = [];

    /// <summary>Reads types of a module that is being decoded.</summary>
    internal TypeDecoder(ModuleContents contents)
        : this(contents.Info) => this.contents = contents;

    /// <summary>Reads types in code.</summary>
    internal TypeDecoder(ModuleInfo module) => this.module = module;

    private readonly TypeDecoder Nested(List<DefType>[] around) =>
        (contents is null ? new TypeDecoder(module) : new TypeDecoder(contents)) with { inner = [], enclosing = around };

    private readonly Items<DefType> Types => inner is null ? module.Types : new(inner);

    /// <exception cref="InvalidModuleException">The host has switched the extension off, and the module is being validated.</exception>
    private readonly void UseLinking(string what, int at)
    {
        if (contents is null) module.UseLinkingInCode(what, at);
        else contents.UseLinking(what, at);
    }

    private readonly DefType Resolve(long index, int at)
    {
        Items<DefType> types = Types;
        if (inner is null && index >= groupBase && index < groupBase + group.Length) return group[index - groupBase];
        if (index < types.Count) return types[(int)index];
        throw new InvalidModuleException($"unknown type {index}", at);
    }

    internal readonly HeapType HeapTypeOf(HeapTypeCode code, int at)
    {
        if (code.IsModule)
        {
            UseLinking("exact of a module", at);
            if (inner is not null || code.Code >= module.Modules.Count) throw new InvalidModuleException($"unknown module {code.Code}", at);
            return module.Modules[(int)code.Code].Exact;
        }
        if (code.Code < 0)
        {
            HeapType known = HeapType.FromCode((int)code.Code & 0x7f)!;
            if (known.IsExtension) UseLinking($"heap type {known}", at);
            return known;
        }
        DefType type = Resolve(code.Code, at);
        return code.IsExact ? new ExactType(type) : type;
    }

    internal readonly HeapType ReadHeapType(ref ByteReader reader)
    {
        int at = reader.Position;
        return HeapTypeOf(CodeReader.ReadHeapType(ref reader), at);
    }

    internal readonly ValType ReadValType(ref ByteReader reader)
    {
        int at = reader.Position;
        byte b = reader.U8();
        switch (b)
        {
            case TypeByte.I32: return ValType.I32;
            case TypeByte.I64: return ValType.I64;
            case TypeByte.F32: return ValType.F32;
            case TypeByte.F64: return ValType.F64;
            case TypeByte.V128: return ValType.V128;
            case TypeByte.RefNull: return ValType.Ref(ReadHeapType(ref reader), true);
            case TypeByte.Ref: return ValType.Ref(ReadHeapType(ref reader), false);
            default:
                if (HeapType.FromCode(b) is not { } abs) throw reader.Error("malformed value type", at);
                if (abs.IsExtension) UseLinking($"heap type {abs}", at);
                return ValType.Ref(abs, true);
        }
    }

    internal readonly ValType ReadRefType(ref ByteReader reader)
    {
        int at = reader.Position;
        byte b = reader.Peek();
        if (b is not (TypeByte.RefNull or TypeByte.Ref) && HeapType.FromCode(b) is null) throw reader.Error("malformed reference type", at);
        return ReadValType(ref reader);
    }

    private readonly FieldType ReadField(ref ByteReader reader)
    {
        byte b = reader.Peek();
        ValType type;
        if (b is TypeByte.I8 or TypeByte.I16)
        {
            reader.U8();
            type = b == TypeByte.I8 ? ValType.I8 : ValType.I16;
        }
        else if (TypeByte.IsCode(b) && b is < TypeByte.V128 and not (TypeByte.RefNull or TypeByte.Ref) && HeapType.FromCode(b) is null)
        {
            throw reader.Error("malformed storage type", reader.Position);
        }
        else
        {
            if (b is TypeByte.RefNull or TypeByte.Ref && reader.Remaining > 2 && reader.PeekAt(1) == TypeByte.Exact && reader.PeekAt(2) == TypeByte.Exact)
                throw reader.Error("malformed storage type", reader.Position);
            type = ReadValType(ref reader);
        }
        return new FieldType(type, ReadMutability(ref reader));
    }

    private static bool ReadMutability(ref ByteReader reader) => reader.U8() switch
    {
        0 => false,
        1 => true,
        _ => throw reader.Error("malformed mutability", reader.Position - 1),
    };

    private readonly ImmutableArray<ValType> ReadValTypes(ref ByteReader reader)
    {
        int count = reader.Count();
        if (count == 0) return ValTypes.None;
        var types = new ValType[count];
        for (int i = 0; i < count; i++) types[i] = ReadValType(ref reader);
        return ValTypes.Of(types);
    }

    /// <summary>An item of the type section: a recursion group, or one type that is a group by itself.</summary>
    internal void ReadRecType(ref ByteReader reader)
    {
        int count = 1;
        if (reader.Peek() == TypeByte.Rec)
        {
            reader.U8();
            count = reader.Count();
            contents!.ExplicitGroups.Add(new WrittenGroup(module.Types.Count, count));
        }
        groupBase = module.Types.Count;
        group = new DefType[count];
        supers = new uint[count];
        for (int i = 0; i < count; i++) group[i] = new DefType();
        int start = reader.Position;
        for (int i = 0; i < count; i++)
        {
            contents!.TypeOffsets.Add(reader.Position);
            ReadSubType(ref reader, i);
        }
        for (int i = 0; i < count; i++) CheckSubType(group[i], groupBase + i, start);
        foreach (DefType type in group)
            if (TypeSize.Problem(type) is { } problem) throw new InvalidModuleException(problem, start);
        ImmutableArray<DefType> canonical = RecGroup.Canonicalise(group);
        group = [];
        contents!.Types.AddRange(canonical);
    }

    private void ReadSubType(ref ByteReader reader, int index)
    {
        bool isFinal = true;
        DefType? super = null;
        byte b = reader.Peek();
        if (b is TypeByte.Sub or TypeByte.SubFinal)
        {
            reader.U8();
            isFinal = b == TypeByte.SubFinal;
            int at = reader.Position;
            int count = reader.Count();
            for (int i = 0; i < count; i++)
            {
                uint type = reader.U32();
                if (type >= groupBase + index) throw new InvalidModuleException($"unknown type {type}", at);
                super = Resolve(type, at);
                supers[index] = type;
            }
            if (count > 1) throw new InvalidModuleException("sub type with more than one super type", at);
        }
        DefType? describes = null, descriptor = null;
        if (reader.Peek() == TypeByte.Describes)
        {
            reader.U8();
            describes = Clause(ref reader, "described type is outside rec group");
            if (Array.IndexOf(group, describes) >= index)
                throw new InvalidModuleException("forward use of described type", reader.Position);
        }
        if (reader.Peek() == TypeByte.Descriptor)
        {
            reader.U8();
            descriptor = Clause(ref reader, "descriptor type is outside rec group");
        }
        CompositeType composite = ReadComposite(ref reader);
        group[index].Define(composite, isFinal, super, descriptor, describes);
        Limits.Check(group[index].Depth, Limits.SubtypeDepth, "super types above a type", reader.Position);
    }

    private readonly DefType Clause(ref ByteReader reader, string outside)
    {
        int at = reader.Position;
        uint index = reader.U32();
        if (index < groupBase || index >= groupBase + group.Length) throw new InvalidModuleException(outside, at);
        return group[index - groupBase];
    }

    private readonly void CheckSubType(DefType type, int index, int at)
    {
        if (type.Descriptor is { } d)
        {
            if (type.Composite is not StructType) throw new InvalidModuleException("descriptor type must be a struct", at);
            if (d.Composite is not StructType) throw new InvalidModuleException("described type must be a struct", at);
            if (d.Describes != type) throw new InvalidModuleException("type is not described by its descriptor", at);
        }
        if (type.Describes is { } described)
        {
            if (type.Composite is not StructType) throw new InvalidModuleException("described type must be a struct", at);
            if (described.Composite is not StructType) throw new InvalidModuleException("descriptor type must be a struct", at);
            if (described.Descriptor != type) throw new InvalidModuleException("described type is not described by descriptor", at);
        }
        if (type.Super is not { } super) return;
        string pair = $"sub type {index} does not match super type {supers[index - groupBase]}";
        if (super.IsFinal || !Subtyping.IsCompositeSubtype(type.Composite, super.Composite))
            throw new InvalidModuleException(pair, at);
        if (super.Descriptor is { } superDescriptor)
        {
            if (type.Descriptor is not { } own || !Subtyping.IsSubtype(own, superDescriptor))
                throw new InvalidModuleException(
                    type.Descriptor is { } other ? $"descriptor type {IndexOf(other)} does not match {IndexOf(superDescriptor)}" : pair, at);
        }
        if ((super.Describes is null) != (type.Describes is null)) throw new InvalidModuleException(pair, at);
        if (super.Describes is { } superDescribed && !Subtyping.IsSubtype(type.Describes!, superDescribed))
            throw new InvalidModuleException($"described type {IndexOf(type.Describes!)} does not match {IndexOf(superDescribed)}", at);
    }

    private readonly int IndexOf(DefType type)
    {
        int inGroup = Array.IndexOf(group, type);
        return inGroup >= 0 ? groupBase + inGroup : module.Types.IndexOf(type);
    }

    /// <summary>Decodes a type by itself, with the type index space of a module that is being decoded.</summary>
    internal static DefType DecodeAlone(ReadOnlySpan<byte> bytes, ModuleContents module)
    {
        var reader = new ByteReader(bytes, 0, bytes.Length);
        return DefType.Of(new TypeDecoder(module).ReadComposite(ref reader));
    }

    private readonly CompositeType ReadComposite(ref ByteReader reader)
    {
        int at = reader.Position;
        byte form = reader.U8();
        if (TypeByte.IsLinking(form)) UseLinking("type of a linkable thing", at);
        switch (form)
        {
            case TypeByte.Func:
                ImmutableArray<ValType> parameters = ReadValTypes(ref reader);
                ImmutableArray<ValType> results = ReadValTypes(ref reader);
                Limits.Check(parameters.Length, Limits.Parameters, "parameters", at);
                Limits.Check(results.Length, Limits.Results, "results", at);
                return new FuncType(parameters, results);
            case TypeByte.Struct:
                int count = reader.Count();
                var fields = ImmutableArray.CreateBuilder<FieldType>(count);
                for (int i = 0; i < count; i++) fields.Add(ReadField(ref reader));
                Limits.Check(count, Limits.Fields, "fields", at);
                return new StructType(fields.MoveToImmutable());
            case TypeByte.Array: return new ArrayType(ReadField(ref reader));
            case TypeByte.Memory: return new EntityType(ExternType.Of(ReadMemoryType(ref reader)));
            case TypeByte.Table: return new EntityType(ExternType.Of(ReadTableType(ref reader)));
            case TypeByte.Global: return new EntityType(ExternType.Of(ReadGlobalType(ref reader)));
            case TypeByte.Tag: return new EntityType(ExternType.OfTag(ReadTagIndex(ref reader)));
            case TypeByte.Module: return ReadModuleType(ref reader);
            case TypeByte.Instance: return ReadInstanceType(ref reader);
            case >= 0x80: throw reader.Error("integer representation too long", at);
            default: throw reader.Error("malformed definition type", at);
        }
    }

    // ---- module and instance types (module linking, Binary.md): definitions behind a discriminant ----

    private readonly ModuleType ReadModuleType(ref ByteReader reader)
    {
        TypeDecoder scope = Inside(reader.Position);
        var imports = ImmutableArray.CreateBuilder<ImportType>();
        var exports = ImmutableArray.CreateBuilder<ExportType>();
        scope.ReadDefinitions(ref reader, imports, exports);
        return new ModuleType(imports.ToImmutable(), exports.ToImmutable());
    }

    private readonly InstanceType ReadInstanceType(ref ByteReader reader)
    {
        TypeDecoder scope = Inside(reader.Position);
        var exports = ImmutableArray.CreateBuilder<ExportType>();
        scope.ReadDefinitions(ref reader, null, exports);
        return new InstanceType(exports.ToImmutable());
    }

    private readonly TypeDecoder Inside(int at)
    {
        if (enclosing.Length >= ModuleInfo.MaxNesting)
            throw new InvalidModuleException($"type too deep: module and instance types are nested more than {ModuleInfo.MaxNesting} deep", at);
        return Nested(inner is null ? enclosing : [inner, .. enclosing]);
    }

    private readonly void ReadDefinitions(
        ref ByteReader reader, ImmutableArray<ImportType>.Builder? imports, ImmutableArray<ExportType>.Builder exports)
    {
        int count = reader.Count();
        var exportNames = new HashSet<string>();
        var importNames = new ImportNames();
        for (int i = 0; i < count; i++)
        {
            int at = reader.Position;
            switch (reader.U8())
            {
                case DefinitionByte.Type:
                    {
                        var fresh = new DefType();
                        fresh.Define(ReadComposite(ref reader), true, null);
                        if (TypeSize.Problem(fresh) is { } problem) throw new InvalidModuleException(problem, at);
                        inner!.Add(RecGroup.Canonicalise([fresh])[0]);
                        break;
                    }
                case DefinitionByte.Import when imports is not null:
                    {
                        string first = ReadImportNames(ref reader, out string? second);
                        importNames.Add(first, second, at);
                        imports.Add(new ImportType(first, second, ReadExternType(ref reader)));
                        break;
                    }
                case DefinitionByte.Export:
                    {
                        string name = reader.Name();
                        if (!exportNames.Add(name)) throw new InvalidModuleException($"duplicate export name: {name}", at);
                        exports.Add(new ExportType(name, ReadExternType(ref reader)));
                        break;
                    }
                case DefinitionByte.Alias: ReadAlias(ref reader, at); break;
                default: throw reader.Error("malformed definition type", at);
            }
        }
    }

    /// <summary>An alias of a type of an enclosing type or module; instances, whose exports others alias, are not in types.</summary>
    private readonly void ReadAlias(ref ByteReader reader, int at)
    {
        if (reader.U8() != AliasByte.Outer) throw reader.Error("malformed alias", at);
        uint depth = reader.U32();
        if (reader.U8() != ExternByte.Type) throw reader.Error("malformed alias", at);
        uint index = reader.U32();
        Items<DefType>? found;
        if (depth < enclosing.Length)
        {
            found = new(enclosing[depth]);
        }
        else
        {
            ModuleInfo? around = module;
            for (uint i = (uint)enclosing.Length; i < depth && around is not null; i++) around = around.Parent;
            found = around?.Types;
        }
        if (found is not { } outer) throw new InvalidModuleException($"unknown outer module {depth}", at);
        if (index >= outer.Count) throw new InvalidModuleException($"unknown type {index}", at);
        inner!.Add(outer[(int)index]);
    }

    /// <summary>
    /// The names of an import. A single-level import is written with an empty second name and 0xff, which no description begins
    /// with.
    /// </summary>
    internal readonly string ReadImportNames(ref ByteReader reader, out string? second)
    {
        int at = reader.Position;
        string first = reader.Name();
        if (reader.Remaining > 1 && reader.Peek() == 0 && reader.PeekAt(1) == ExternByte.SingleLevel)
        {
            reader.Position += 2;
            UseLinking("single-level import", at);
            second = null;
            return first;
        }
        second = reader.Name();
        return first;
    }

    internal readonly ExternType ReadExternType(ref ByteReader reader)
    {
        int at = reader.Position;
        switch (reader.U8())
        {
            case ExternByte.Func: return ExternType.OfFunc(ReadFuncIndex(ref reader));
            case ExternByte.ExactFunc: return ExternType.OfFunc(ReadFuncIndex(ref reader), true);
            case ExternByte.Table: return ExternType.Of(ReadTableType(ref reader));
            case ExternByte.Memory: return ExternType.Of(ReadMemoryType(ref reader));
            case ExternByte.Global: return ExternType.Of(ReadGlobalType(ref reader));
            case ExternByte.Tag: return ExternType.OfTag(ReadTagIndex(ref reader));
            case ExternByte.Module: return ExternType.OfModule(ReadLinkingIndex<ModuleType>(ref reader, "module", at));
            case ExternByte.Instance: return ExternType.OfInstance(ReadLinkingIndex<InstanceType>(ref reader, "instance", at));
            default: throw reader.Error("malformed import kind", at);
        }
    }

    /// <summary>As long as a module has nothing of the extension, the extension's kinds are unknown.</summary>
    private readonly DefType ReadLinkingIndex<T>(ref ByteReader reader, string kind, int at)
        where T : CompositeType
    {
        if (reader.AtEnd) throw reader.Error("malformed import kind", at);
        uint index = reader.U32();
        Items<DefType> types = Types;
        if (index < types.Count && types[(int)index].Composite is T)
        {
            UseLinking($"{kind} import or export", at);
            return types[(int)index];
        }
        if (module.LinkingUse is null) throw reader.Error("malformed import kind", at);
        throw new InvalidModuleException(index < types.Count ? $"type mismatch: type {index} is not a {kind} type" : $"unknown type {index}", at);
    }

    internal readonly DefType ReadFuncIndex(ref ByteReader reader)
    {
        int at = reader.Position;
        uint index = reader.U32();
        return Resolve(index, at) is { IsDefined: true, Composite: FuncType } type
            ? type : throw new InvalidModuleException($"unknown type {index}: not a function type", at);
    }

    internal readonly DefType ReadTagIndex(ref ByteReader reader)
    {
        int at = reader.Position;
        if (reader.U8() != 0) throw reader.Error("malformed tag attribute", at);
        DefType type = ReadFuncIndex(ref reader);
        return ((FuncType)type.Composite).Results.IsEmpty ? type : throw new InvalidModuleException("non-empty tag result type", at);
    }

    internal readonly GlobalType ReadGlobalType(ref ByteReader reader)
    {
        ValType type = ReadValType(ref reader);
        return new GlobalType(type, ReadMutability(ref reader));
    }

    internal readonly TableType ReadTableType(ref ByteReader reader)
    {
        ValType element = ReadRefType(ref reader);
        int at = reader.Position;
        uint flags = ReadLimits(ref reader, LimitsFlags.OfTables, out ulong min, out ulong? max);
        bool is64 = (flags & LimitsFlags.Is64) != 0;
        if (max < min) throw new InvalidModuleException("size minimum must not be greater than maximum", at);
        if (!is64 && (min > uint.MaxValue || max > uint.MaxValue)) throw new InvalidModuleException("table size must be at most 2^32-1 elements", at);
        return new TableType(element, min, max, is64, (flags & LimitsFlags.Shared) != 0);
    }

    internal readonly MemoryType ReadMemoryType(ref ByteReader reader)
    {
        int at = reader.Position;
        uint flags = ReadLimits(ref reader, LimitsFlags.OfMemories, out ulong min, out ulong? max);
        bool is64 = (flags & LimitsFlags.Is64) != 0, shared = (flags & LimitsFlags.Shared) != 0;
        int page = 16;
        if ((flags & LimitsFlags.HasPageSize) != 0)
        {
            int pageAt = reader.Position;
            uint log2 = reader.U32();
            if (log2 >= 64) throw reader.Error("invalid custom page size", pageAt);
            if (log2 is not (0 or 16)) throw new InvalidModuleException("invalid custom page size", pageAt);
            page = (int)log2;
        }
        if (max < min) throw new InvalidModuleException("size minimum must not be greater than maximum", at);
        if (shared && max is null) throw new InvalidModuleException("shared memory must have maximum", at);
        ulong most = (is64, page) switch
        {
            (true, 16) => 1UL << 48,
            (true, _) => ulong.MaxValue,
            (false, 16) => 65536,
            _ => uint.MaxValue,
        };
        if (min > most || max > most)
            throw new InvalidModuleException(
                is64 ? "memory size must be at most 2^48 pages" : page == 16 ? "memory size must be at most 65536 pages (4GiB)" : "memory size must be at most 2^32-1 bytes", at);
        return new MemoryType(min, max, is64, shared, page);
    }

    private static uint ReadLimits(ref ByteReader reader, uint allowed, out ulong min, out ulong? max)
    {
        int at = reader.Position;
        uint flags = reader.U8();
        bool truncated = (flags & LimitsFlags.HasPageSize) != 0 && reader.Remaining < 2;
        if ((flags & ~allowed) != 0 || truncated) throw reader.Error("malformed limits flags", at);
        min = reader.U64();
        max = (flags & LimitsFlags.HasMaximum) == 0 ? null : reader.U64();
        return flags;
    }
}
