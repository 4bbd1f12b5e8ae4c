namespace WasmJit.Jit;

/// <summary>
/// A decoded module. Index spaces hold imports and aliases first; expressions and bodies stay in the bytes. A nested module's
/// bytes are those of the whole, so that every offset is one of the whole.
/// </summary>
internal sealed partial class ModuleInfo : Runtime.ModuleDefinition
{
    internal required ReadOnlyMemory<byte> Bytes { get; init; }
    internal List<DefType> Types { get; } = [];

    /// <summary>Where each type is in the bytes, for who wants it as it was written.</summary>
    internal List<int> TypeOffsets { get; } = [];

    /// <summary>Where the types of the memories that are no imports are in the bytes.</summary>
    internal List<int> MemoryOffsets { get; } = [];

    /// <summary>The ids of the sections in their order, without custom ones.</summary>
    internal List<byte> Sections { get; } = [];

    /// <summary>The type indices that functions and tags were declared with: canonical types may have several.</summary>
    internal List<uint> FuncTypeIndices { get; } = [];
    internal List<uint> TagTypeIndices { get; } = [];

    /// <summary>The recursion groups that were written as groups, of one or no type too.</summary>
    internal List<(int First, int Count)> ExplicitGroups { get; } = [];
    internal List<ImportInfo> Imports { get; } = [];
    internal List<FuncInfo> Funcs { get; } = [];
    internal List<TableInfo> Tables { get; } = [];
    internal List<MemoryType> Memories { get; } = [];
    internal List<GlobalInfo> Globals { get; } = [];
    internal List<DefType> Tags { get; } = [];
    internal List<ExportInfo> Exports { get; } = [];
    internal List<ElemInfo> Elems { get; } = [];
    internal List<DataInfo> Datas { get; } = [];
    internal List<CustomSectionInfo> CustomSections { get; } = [];

    /// <summary>What is wrong in the branch hints, which does not make the module invalid.</summary>
    internal List<CustomProblem> HintProblems { get; } = [];

    /// <summary>What is wrong in custom sections of known names, which does not make the module invalid.</summary>
    internal IReadOnlyList<CustomProblem> CustomProblems => [.. ReadNames().Problems, .. HintProblems];

    /// <summary>Branches that are mostly taken (true) or mostly not, by the offset of the instruction in the bytes.</summary>
    internal Dictionary<int, bool> BranchHints { get; } = [];
    internal uint? Start { get; set; }
    internal int StartOffset { get; set; }
    internal uint? DataCount { get; set; }

    /// <summary>How many functions are not the module's own, but imports and aliases; likewise the others.</summary>
    internal int ImportedFuncs { get; set; }
    internal int ImportedTables { get; set; }
    internal int ImportedMemories { get; set; }
    internal int ImportedGlobals { get; set; }
    internal int ImportedTags { get; set; }

    /// <summary>What the names section says, read when somebody asks. For compiling <see cref="FuncName"/> is enough.</summary>
    internal NameSection Names => ReadNames().Names;

    /// <summary>The module's name.</summary>
    internal string? Name => FuncNames.Module;

    private readonly ModuleSettings settings = new();

    /// <summary>What the whole, of which this may be a nested module, is decoded for.</summary>
    internal ModuleSettings Settings => Parent?.Settings ?? settings;

    /// <summary>Whether the code has tail calls; known when the module has been validated.</summary>
    internal bool HasTailCalls { get; set; }

    /// <summary>What the host allows of the language.</summary>
    internal Features Features
    {
        get => Settings.Features;
        set => Settings.Features = value;
    }

    /// <summary>Whether the host allows the runtime-linking extension.</summary>
    internal bool AllowLinking
    {
        get => Settings.AllowLinking;
        set => Settings.AllowLinking = value;
    }

    /// <summary>Whether the host allows guests to compile bytes.</summary>
    internal bool AllowCompile
    {
        get => Settings.AllowCompile;
        set => Settings.AllowCompile = value;
    }

    /// <summary>Where classes for struct and array types are made that the process does not have yet.</summary>
    internal Runtime.GcBatch GcBatch => Settings.GcBatch;

    private DefType[]? typeArray;

    /// <summary>The type index space as instances share it.</summary>
    internal DefType[] TypeArray => typeArray ??= [.. Types];

    internal string? FuncName(int index) => FuncNames[index];

    private FuncNames? funcNames;

    private FuncNames FuncNames => funcNames ?? Interlocked.CompareExchange(ref funcNames, NameSectionReader.ReadFuncs(this), null) ?? funcNames;

    private NameSectionReader.Result? names;

    private NameSectionReader.Result ReadNames() =>
        names ?? Interlocked.CompareExchange(ref names, NameSectionReader.Read(this), null) ?? names;

    internal ExternType TypeOf(ExternKind kind, uint index) => kind switch
    {
        ExternKind.Func => ExternType.OfFunc(Funcs[(int)index].Type, Funcs[(int)index].IsExact),
        ExternKind.Table => ExternType.Of(Tables[(int)index].Type),
        ExternKind.Memory => ExternType.Of(Memories[(int)index]),
        ExternKind.Global => ExternType.Of(Globals[(int)index].Type),
        ExternKind.Module => ExternType.OfModule(Modules[(int)index].Type),
        ExternKind.Instance => ExternType.OfInstance(Instances[(int)index]),
        _ => ExternType.OfTag(Tags[(int)index]),
    };

    private readonly Dictionary<(uint Type, string Name), int> exportNumbers = [];

    /// <summary>What code of the module has found with <c>get_export</c>.</summary>
    internal Runtime.ExportCache ExportCache { get; } = new();

    /// <summary>The number of a name that code asks instances of a type for; a type without index is the highest number.</summary>
    internal int NumberOfExport(uint type, string name)
    {
        lock (exportNumbers)
        {
            if (!exportNumbers.TryGetValue((type, name), out int number)) exportNumbers[(type, name)] = number = exportNumbers.Count;
            return number;
        }
    }

    private DefType? moduleType;

    /// <summary>The module's own type, of the runtime-linking extension.</summary>
    internal DefType ModuleType => moduleType ??= DefType.Of(new ModuleType(
        [.. Imports.Select(i => new ImportType(i.Module, i.Name, i.Type))],
        [.. Exports.Select(e => new ExportType(e.Name, TypeOf(e.Kind, e.Index)))]));

    /// <summary>The type of its instances.</summary>
    internal DefType InstanceType => ((ModuleType)ModuleType.Composite).InstanceType;
}

/// <summary>An import; single-level ones, of the runtime-linking extension, have no second name.</summary>
internal sealed record ImportInfo(string Module, string? Name, ExternType Type, int Offset)
{
    /// <summary>The names as messages show them.</summary>
    internal string Names => Name is null ? $"\"{Module}\"" : $"\"{Module}\" \"{Name}\"";
}

internal readonly record struct LocalRun(int Count, ValType Type);

/// <summary>A function; imported ones have no body.</summary>
internal sealed class FuncInfo(DefType type, bool isImported, bool isExact = true)
{
    internal DefType Type { get; } = type;

    /// <summary>Whether it is of no proper subtype of its type: what the module defines is, what it imports if it says so.</summary>
    internal bool IsExact { get; } = isExact;
    internal FuncType Func => (FuncType)Type.Composite;
    internal bool IsImported { get; } = isImported;
    internal int BodyStart { get; private set; }
    internal int BodyEnd { get; private set; }

    private ModuleInfo? module;
    private LocalRun[]? locals;
    private int codeStart;

    internal void SetBody(ModuleInfo owner, int start, int end) => (module, BodyStart, BodyEnd) = (owner, start, end);

    /// <summary>Where the locals' declarations end and the code begins.</summary>
    /// <exception cref="MalformedModuleException">The declarations are malformed; in a valid module they are not.</exception>
    internal int CodeStart
    {
        get
        {
            _ = Locals;
            return codeStart;
        }
    }

    /// <summary>The locals. They are read when they are asked for: most functions of a large module never are.</summary>
    /// <exception cref="MalformedModuleException">The declarations are malformed; in a valid module they are not.</exception>
    internal LocalRun[] Locals
    {
        get
        {
            if (Volatile.Read(ref locals) is { } known) return known;
            if (module is null) return [];
            var runs = new List<LocalRun>();
            codeStart = ModuleDecoder.ReadLocals(module, this, runs);
            LocalRun[] read = [.. runs];
            Volatile.Write(ref locals, read);
            return read;
        }
    }

    /// <summary>What is known for putting it into its callers; null until somebody asks.</summary>
    internal InlineInfo? Inlining { get; set; }

    /// <summary>Whether <c>ref.func</c> may name it (spec 3.4.10).</summary>
    internal bool IsDeclared { get; set; }
}

/// <summary>A constant expression: a range of the module's bytes, its <c>end</c> included.</summary>
internal readonly record struct ConstExpr(int Start, int End);

internal sealed record TableInfo(TableType Type, ConstExpr? Init, int Offset);

internal sealed record GlobalInfo(GlobalType Type, ConstExpr Init, int Offset);

internal sealed record ExportInfo(string Name, ExternKind Kind, uint Index, int Offset);

internal enum SegmentMode : byte { Passive, Active, Declarative }

internal sealed class ElemInfo
{
    internal required SegmentMode Mode { get; init; }
    internal required ValType Type { get; init; }
    internal required int Offset { get; init; }
    internal uint Table { get; init; }

    /// <summary>Whether the table is given, which index 0 need not be.</summary>
    internal bool HasTable { get; init; }
    internal ConstExpr Where { get; init; }

    /// <summary>Function indices; or null, and <see cref="Exprs"/> has expressions.</summary>
    internal uint[]? Funcs { get; init; }
    internal ConstExpr[] Exprs { get; init; } = [];
    internal int Count => Funcs?.Length ?? Exprs.Length;
}

internal sealed record DataInfo(SegmentMode Mode, uint Memory, ConstExpr Where, int Start, int Length, int Offset);

/// <summary>A custom section, and the id of the last other section before it (0 if none).</summary>
internal sealed record CustomSectionInfo(string Name, int Start, int Length, byte After);

/// <summary>What is wrong in a custom section, and where.</summary>
internal sealed record CustomProblem(string Reason, long Offset);

/// <summary>What the names section says; a malformed one says nothing (spec 7.4: errors in it are ignored).</summary>
internal sealed class NameSection
{
    internal string? Module { get; set; }
    internal Dictionary<uint, string> Funcs { get; } = [];
    internal Dictionary<(uint Func, uint Local), string> Locals { get; } = [];
    internal Dictionary<(uint Func, uint Label), string> Labels { get; } = [];
    internal Dictionary<uint, string> Types { get; } = [];
    internal Dictionary<uint, string> Tables { get; } = [];
    internal Dictionary<uint, string> Memories { get; } = [];
    internal Dictionary<uint, string> Globals { get; } = [];
    internal Dictionary<uint, string> Elems { get; } = [];
    internal Dictionary<uint, string> Datas { get; } = [];
    internal Dictionary<(uint Type, uint Field), string> Fields { get; } = [];
    internal Dictionary<uint, string> Tags { get; } = [];
    internal Dictionary<uint, string> Modules { get; } = [];
    internal Dictionary<uint, string> Instances { get; } = [];
}

/// <summary>
/// The names of the functions and of the module, as far as compiling needs them: where in the bytes they are, so that a large
/// module does not have all of them as strings.
/// </summary>
internal sealed class FuncNames(ReadOnlyMemory<byte> bytes, int functions)
{
    private readonly int[] places = new int[functions];

    internal string? Module { get; set; }

    internal string? this[int index]
    {
        get
        {
            if ((uint)index >= (uint)places.Length || places[index] == 0) return null;
            var reader = new ByteReader(bytes.Span, places[index], bytes.Length);
            return reader.Name();
        }
    }

    /// <summary>Notes that the name of a function is at an offset; there may be names for functions that there are not.</summary>
    internal void Add(uint index, int at)
    {
        if (index < places.Length) places[index] = at;
    }
}
