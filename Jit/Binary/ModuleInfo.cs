using WasmJit.Jit.Format;
using WasmJit.Jit.Symbols;

namespace WasmJit.Jit.Binary;

/// <summary>
/// A decoded module, which never changes: the results of validation and compilation are in <see cref="State"/>. Index spaces hold imports and aliases
/// first. Expressions and bodies stay in the bytes. A nested module's bytes are those of the outermost one, so all offsets are offsets in that.
/// </summary>
internal sealed class ModuleInfo : Runtime.ModuleDefinition
{
    /// <summary>How deep modules may be nested in each other.</summary>
    internal const int MaxNesting = 100;

    /// <summary>How many modules may be in a module, at whatever depth.</summary>
    internal const int MaxNested = 10_000;

    private readonly ModuleContents contents;

    internal ModuleInfo(ModuleContents contents, ReadOnlyMemory<byte> bytes, int begin, int end, ModuleInfo? parent, DecodeSettings settings)
    {
        this.contents = contents;
        Bytes = bytes;
        Begin = begin;
        End = end;
        Parent = parent;
        Nesting = parent is null ? 0 : parent.Nesting + 1;
        Settings = settings;
        State = new CompilationState(parent?.State);
    }

    /// <summary>A function that is made at run time: a module of this function alone, whose other index spaces are those of a scope.</summary>
    internal ModuleInfo(ScopeInfo scope, DefType type, ReadOnlyMemory<byte> body, string? name)
    {
        contents = scope.Contents;
        Bytes = body;
        End = body.Length;
        Settings = scope.Module.Settings;
        State = new CompilationState(scope.Module.State);
        around = scope.Module;
        madeName = name ?? DefaultName;
        made = new FuncInfo(type, false);
        made.SetBody(this, 0, body.Length);
        made.Declare();
    }

    /// <summary>The name of functions made at run time that are given none.</summary>
    private const string DefaultName = "func.new";

    /// <summary>The function that was made, and its name; the module whose scope it has.</summary>
    private readonly FuncInfo? made;
    private readonly string? madeName;
    private readonly ModuleInfo? around;

    /// <summary>
    /// Forgets what only the printer asks for. The modules that guests compile are never printed, and there may be very many of them.
    /// </summary>
    internal void ForgetText()
    {
        contents.ForgetText();
        foreach (ModuleInfo nested in Nested) nested.ForgetText();
    }

    /// <summary>Whether it is one function that was made at run time.</summary>
    internal bool IsMade => made is not null;

    /// <summary>
    /// Whether its functions may have operators that drop or count code. The bytes are searched for them, once: saved modules are not validated.
    /// Functions made at run time have none.
    /// </summary>
    internal bool MayManageCode
    {
        get
        {
            if (State.MayManageCode == Answer.Unknown) State.MayManageCode = FindsCodeOperators() ? Answer.Yes : Answer.No;
            return State.MayManageCode == Answer.Yes;
        }
    }

    private bool FindsCodeOperators()
    {
        int first = ImportedFuncs;
        if (IsMade || first == Funcs.Count) return false;
        ReadOnlySpan<byte> code = Bytes.Span[Funcs[first].BodyStart..Funcs[^1].BodyEnd];
        // The number behind the prefix may be written longer than it must; its low bits come first.
        for (int at; (at = code.IndexOf(OperatorPrefix.Linking)) >= 0 && at + 1 < code.Length; code = code[(at + 1)..])
            if ((code[at + 1] & LinkingOpcode.OnCodeMask) == LinkingOpcode.FirstOnCode) return true;
        return false;
    }

    /// <summary>
    /// Whether threads may run its code at the same time, each in instances of its own. That is so if a module has a shared memory or makes threads, if it is nested in such a module, and
    /// if the code of such a module has it compiled. Its code runs on a share of the fuel (<see cref="Fuel.For"/>).
    /// </summary>
    internal bool IsForThreads
    {
        get
        {
            if (State.IsForThreads == Answer.Unknown)
                State.IsForThreads = (around ?? Parent)?.IsForThreads ?? (Settings.IsForThreads || WithNested().Any(m => m.NamesThreads)) ? Answer.Yes : Answer.No;
            return State.IsForThreads == Answer.Yes;
        }
    }

    /// <summary>Whether the module itself has a shared memory, or makes threads.</summary>
    private bool NamesThreads => Memories.Any(m => m.IsShared) || Imports.Any(i => SpawnImport.Is(i.Module, i.Name))
        || Types.Any(t => t.Composite is EntityType { Entity: { Kind: ExternKind.Memory, Memory.IsShared: true } });

    /// <summary>The results of validation and compilation.</summary>
    internal CompilationState State { get; }

    /// <summary>The settings with which the outermost module was decoded.</summary>
    internal DecodeSettings Settings { get; }

    /// <summary>What the host allows of the language.</summary>
    internal Features Features => Settings.Features;

    internal ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>Where the module begins and ends in the bytes.</summary>
    internal int Begin { get; }
    internal int End { get; }

    /// <summary>The module around this one.</summary>
    internal ModuleInfo? Parent { get; }

    /// <summary>The number of modules around this one.</summary>
    internal int Nesting { get; }

    internal Items<DefType> Types => new(contents.Types);

    /// <summary>The offset of each type, for code that needs it as it was written.</summary>
    internal Items<int> TypeOffsets => new(contents.TypeOffsets);

    /// <summary>Where the types of the memories that are not imports are in the bytes.</summary>
    internal Items<int> MemoryOffsets => new(contents.MemoryOffsets);

    /// <summary>The ids of the sections in their order, without custom ones.</summary>
    internal Items<byte> Sections => new(contents.Sections);

    /// <summary>The type indices that functions and tags were declared with: canonical types may have several.</summary>
    internal Items<uint> FuncTypeIndices => new(contents.FuncTypeIndices);
    internal Items<uint> TagTypeIndices => new(contents.TagTypeIndices);

    /// <summary>The recursion groups that were written as groups, of one or no type too.</summary>
    internal Items<WrittenGroup> ExplicitGroups => new(contents.ExplicitGroups);
    internal Items<ImportInfo> Imports => new(contents.Imports);
    /// <summary>The functions. One that was made at run time stands behind those of its scope, which all functions of the scope share.</summary>
    internal FuncItems Funcs => new(contents.Funcs, made);
    internal Items<TableInfo> Tables => new(contents.Tables);
    internal Items<MemoryType> Memories => new(contents.Memories);
    internal Items<GlobalInfo> Globals => new(contents.Globals);
    internal Items<DefType> Tags => new(contents.Tags);
    internal Items<ExportInfo> Exports => new(contents.Exports);
    internal Items<ElemInfo> Elems => new(contents.Elems);
    internal Items<DataInfo> Datas => new(contents.Datas);
    internal Items<CustomSectionInfo> CustomSections => new(contents.CustomSections);

    /// <summary>Errors in custom sections of known names. They do not make the module invalid.</summary>
    internal IReadOnlyList<CustomProblem> CustomProblems => [.. ReadNames().Problems, .. contents.HintProblems];

    private static readonly Dictionary<int, bool> NoHints = [];

    /// <summary>Branches that are mostly taken (true) or mostly not, by the offset of the instruction in the bytes.</summary>
    internal IReadOnlyDictionary<int, bool> BranchHints => contents.BranchHints ?? NoHints;
    internal uint? Start => contents.Start;
    internal int StartOffset => contents.StartOffset;
    internal uint? DataCount => contents.DataCount;

    /// <summary>How many functions are imports and aliases, not the module's own; the other index spaces likewise.</summary>
    internal int ImportedFuncs => contents.ImportedFuncs;
    internal int ImportedTables => contents.ImportedTables;
    internal int ImportedMemories => contents.ImportedMemories;
    internal int ImportedGlobals => contents.ImportedGlobals;
    internal int ImportedTags => contents.ImportedTags;

    /// <summary>The contents of the names section, read when they are first asked for. <see cref="FuncName"/> is enough for compiling.</summary>
    internal NameSection Names => ReadNames().Names;

    /// <summary>The module's name.</summary>
    internal string? Name => around is null ? FuncNames.Module : around.Name;

    // ---- module linking ----

    /// <summary>Where the first sections come in an order that only modules of the extension may have; 0 if they do not.</summary>
    internal int FreeOrderAt => contents.FreeOrderAt;

    /// <summary>The modules defined in this one, in order.</summary>
    internal Items<ModuleInfo> Nested => new(contents.Nested);

    /// <summary>The module index space.</summary>
    internal Items<ModuleDecl> Modules => new(contents.Modules);

    /// <summary>The instance index space.</summary>
    internal Items<InstanceDecl> Instances => new(contents.Instances);

    /// <summary>How many instances are not implied by two-level imports.</summary>
    internal int ExplicitInstances => contents.ExplicitInstances;

    /// <summary>
    /// The steps of instantiation before anything else, in order: take imports, close modules, make instances, follow aliases. Empty if there are
    /// imports alone.
    /// </summary>
    internal Items<Initialiser> Initialisers => new(contents.Initialisers);

    /// <summary>
    /// The modules of enclosing ones that this module or one nested in it names: its closure. Each is taken from the module index
    /// space of the enclosing instance, or from the closure of the enclosing module.
    /// </summary>
    internal Items<Capture> Captures => new(contents.Captures);

    /// <summary>The items of the sections that may come in any order, in the order of the bytes.</summary>
    internal Items<EarlyItem> EarlyItems => new(contents.EarlyItems);

    /// <summary>What functions that are made at run time may refer to.</summary>
    internal Items<ScopeInfo> Scopes => new(contents.Scopes);

    /// <summary>The first use of the runtime-linking extension outside of bodies, and where it is; null if there is none.</summary>
    internal LinkingUse? LinkingUse => contents.LinkingUse;

    /// <summary>Notes that code uses the extension.</summary>
    /// <exception cref="InvalidModuleException">The host has switched it off.</exception>
    internal void UseLinkingInCode(string what, int offset)
    {
        if (!Settings.AllowLinking) throw LinkingOff(what, offset);
        if (!State.CodeUsesLinking) State.CodeUsesLinking = true;
    }

    internal static InvalidModuleException LinkingOff(string what, int offset) =>
        new($"{what} needs the feature runtime-linking, which is switched off", offset);

    /// <summary>The module, the modules nested in it, and so on.</summary>
    internal IEnumerable<ModuleInfo> WithNested()
    {
        yield return this;
        foreach (ModuleInfo nested in Nested)
            foreach (ModuleInfo inner in nested.WithNested()) yield return inner;
    }

    internal int CountOf(ExternKind kind) => kind switch
    {
        ExternKind.Func => Funcs.Count,
        ExternKind.Table => Tables.Count,
        ExternKind.Memory => Memories.Count,
        ExternKind.Global => Globals.Count,
        ExternKind.Module => Modules.Count,
        ExternKind.Instance => Instances.Count,
        ExternKind.Tag => Tags.Count,
    };

    internal ExternType TypeOf(ExternKind kind, uint index) => kind switch
    {
        ExternKind.Func => ExternType.OfFunc(Funcs[(int)index].Type, Funcs[(int)index].IsExact),
        ExternKind.Table => ExternType.Of(Tables[(int)index].Type),
        ExternKind.Memory => ExternType.Of(Memories[(int)index]),
        ExternKind.Global => ExternType.Of(Globals[(int)index].Type),
        ExternKind.Module => ExternType.OfModule(Modules[(int)index].Type),
        ExternKind.Instance => ExternType.OfInstance(Instances[(int)index].Type),
        ExternKind.Tag => ExternType.OfTag(Tags[(int)index]),
    };

    // ---- what follows from the bytes, made when it is first asked for ----

    private DefType[]? typeArray;

    /// <summary>The type index space as instances share it.</summary>
    internal DefType[] TypeArray => typeArray ??= [.. Types];

    internal string? FuncName(int index) => made is null ? FuncNames[index] : index == ImportedFuncs ? madeName : null;

    private Dictionary<uint, string>? exportedNames;

    /// <summary>A function as stack traces show it: its name, or the first under which it is exported, or its index. Names of any length are cut.</summary>
    internal string ShownName(int index) =>
        ShownNames.Cut(made is null ? FuncNames.Find(index, ShownNames.MostBytes) : FuncName(index), ShownNames.MostOfFunction)
            ?? ShownNames.Cut((exportedNames ??= NamesOfExports()).GetValueOrDefault((uint)index), ShownNames.MostOfFunction) ?? $"func[{index}]";

    private string? shownModule;

    /// <summary>The module as stack traces show it: every function's method and frame has it again, so it is short.</summary>
    internal string? ShownModule => shownModule ??= ShownNames.Cut(Name, ShownNames.MostOfModule);

    private Dictionary<uint, string> NamesOfExports()
    {
        var found = new Dictionary<uint, string>();
        foreach (ExportInfo export in Exports)
            if (export.Kind == ExternKind.Func && export.Name.Length > 0) found.TryAdd(export.Index, export.Name);
        return found;
    }

    private FuncNames? funcNames;

    private FuncNames FuncNames => funcNames ?? Interlocked.CompareExchange(ref funcNames, NameSectionReader.ReadFuncs(this), null) ?? funcNames;

    private NameSectionReader.Result? names;

    private NameSectionReader.Result ReadNames() =>
        names ?? Interlocked.CompareExchange(ref names, NameSectionReader.Read(this), null) ?? names;

    private DebugInfo? debug;

    /// <summary>What the module's debugging information says about an instruction, given by its offset in the bytes.</summary>
    internal IReadOnlyList<SourceLocation> SourceOf(int offset) =>
        offset < contents.CodeOffset ? [] : (debug ??= new DebugInfo(new DebugSections(ContentOf))).Find((ulong)(offset - contents.CodeOffset));

    private ReadOnlyMemory<byte> ContentOf(string section) =>
        contents.CustomSections.Find(s => s.Name == section) is { } found ? Bytes.Slice(found.Start, found.Length) : default;

    /// <summary>The function whose body an instruction is in; -1 if it is in none.</summary>
    internal int FuncAt(int offset)
    {
        int low = ImportedFuncs, high = Funcs.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (Funcs[middle].BodyEnd <= offset) low = middle + 1;
            else high = middle;
        }
        return low < Funcs.Count && offset >= Funcs[low].BodyStart ? low : -1;
    }

    private DefType? moduleType;

    /// <summary>The module's own type, of the runtime-linking extension.</summary>
    internal DefType ModuleType => moduleType ??= DefType.Of(new ModuleType(
        [.. Imports.Select(i => new ImportType(i.Module, i.Name, i.Type))],
        [.. Exports.Select(e => new ExportType(e.Name, TypeOf(e.Kind, e.Index)))]));

    /// <summary>The type of its instances.</summary>
    internal DefType InstanceType => ((ModuleType)ModuleType.Composite).InstanceType;

    private Dictionary<string, ExportInfo>? exportMap;

    /// <summary>The length of the longest name of an export, in UTF-16 units.</summary>
    internal int LongestExport => longestExport ??= Exports.Count == 0 ? 0 : Exports.Max(e => e.Name.Length);

    private int? longestExport;

    /// <summary>An export by its name, or null.</summary>
    internal ExportInfo? FindExport(string name)
    {
        if (Exports.Count <= 8)
        {
            foreach (ExportInfo export in Exports)
                if (export.Name == name) return export;
            return null;
        }
        if (exportMap is null)
        {
            var map = new Dictionary<string, ExportInfo>(Exports.Count);
            foreach (ExportInfo export in Exports) map.TryAdd(export.Name, export);
            exportMap = map;
        }
        return exportMap.GetValueOrDefault(name);
    }
}
