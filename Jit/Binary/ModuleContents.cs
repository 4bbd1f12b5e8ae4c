namespace WasmJit.Jit.Binary;

/// <summary>
/// A module that is being decoded. The decoder writes it. All other code reads <see cref="Info"/>, which shows the same lists and does not allow changes to
/// them.
/// </summary>
internal sealed class ModuleContents
{
    private ModuleContents(ReadOnlyMemory<byte> bytes, int begin, int end, ModuleContents? parent, DecodeProgress progress, DecodeSettings settings)
    {
        Parent = parent;
        Progress = progress;
        Info = new ModuleInfo(this, bytes, begin, end, parent?.Info, settings);
    }

    /// <summary>A module that is not nested, before anything of it has been read.</summary>
    internal static ModuleContents Root(ReadOnlyMemory<byte> bytes, DecodeSettings settings) => Within(bytes, 0, bytes.Length, settings);

    /// <summary>A module in the bytes of something else, a component: offsets are those of the whole.</summary>
    internal static ModuleContents Within(ReadOnlyMemory<byte> bytes, int begin, int end, DecodeSettings settings) =>
        new(bytes, begin, end, null, new DecodeProgress(), settings);

    /// <summary>A nested module in the bytes of the one around it.</summary>
    internal static ModuleContents Nest(ModuleContents parent, int begin, int end) =>
        new(parent.Info.Bytes, begin, end, parent, parent.Progress, parent.Info.Settings);

    /// <summary>A module that would be nested, with bytes of its own.</summary>
    internal static ModuleContents Nest(ModuleContents parent, ReadOnlyMemory<byte> bytes) =>
        new(bytes, 0, bytes.Length, parent, new DecodeProgress(), parent.Info.Settings);

    /// <summary>The module as all other code sees it.</summary>
    internal ModuleInfo Info { get; }

    /// <summary>The module around this one.</summary>
    internal ModuleContents? Parent { get; }

    /// <summary>The decoder's position in the outermost module.</summary>
    internal DecodeProgress Progress { get; }

    internal List<DefType> Types { get; private set; } = [];
    internal List<int> TypeOffsets { get; private set; } = [];
    internal List<int> MemoryOffsets { get; private set; } = [];
    internal List<byte> Sections { get; private set; } = [];
    internal List<uint> FuncTypeIndices { get; private set; } = new(1);
    internal List<uint> TagTypeIndices { get; private set; } = new(1);
    internal List<WrittenGroup> ExplicitGroups { get; private set; } = new(1);
    internal List<ImportInfo> Imports { get; private set; } = [];
    internal List<FuncInfo> Funcs { get; private set; } = [];
    internal List<TableInfo> Tables { get; private set; } = [];
    internal List<MemoryType> Memories { get; private set; } = [];
    internal List<GlobalInfo> Globals { get; private set; } = [];
    internal List<DefType> Tags { get; private set; } = [];
    internal List<ExportInfo> Exports { get; private set; } = [];
    internal List<ElemInfo> Elems { get; private set; } = [];
    internal List<DataInfo> Datas { get; private set; } = new(1);
    internal List<CustomSectionInfo> CustomSections { get; private set; } = [];
    internal List<CustomProblem> HintProblems { get; private set; } = [];
    internal Dictionary<int, bool>? BranchHints { get; set; }
    internal uint? Start { get; set; }
    internal int StartOffset { get; set; }

    /// <summary>Where the content of the code section begins; 0 without one.</summary>
    internal int CodeOffset { get; set; }
    internal uint? DataCount { get; set; }
    internal int ImportedFuncs { get; private set; }
    internal int ImportedTables { get; private set; }
    internal int ImportedMemories { get; private set; }
    internal int ImportedGlobals { get; private set; }
    internal int ImportedTags { get; private set; }
    internal int FreeOrderAt { get; set; }
    internal List<ModuleInfo> Nested { get; private set; } = [];
    internal List<ModuleDecl> Modules { get; private set; } = [];
    internal List<InstanceDecl> Instances { get; private set; } = [];
    internal List<Initialiser> Initialisers { get; private set; } = [];
    internal List<Capture> Captures { get; } = new(1);
    internal List<EarlyItem> EarlyItems { get; private set; } = new(1);
    internal List<ScopeInfo> Scopes { get; private set; } = new(1);
    internal LinkingUse? LinkingUse { get; private set; }

    /// <summary>How many instances are not implied by two-level imports.</summary>
    internal int ExplicitInstances { get; private set; }

    private Dictionary<Capture, int>? captureIndices;
    private HashSet<string>? impliedNames;
    private Dictionary<string, List<ImportInfo>>? groups;
    private int grouped;

    /// <summary>
    /// Nothing is added any more, except to the closure. Lists are no longer than they must be, and modules share the empty ones: a guest may make a
    /// hundred thousand small modules.
    /// </summary>
    internal void Complete()
    {
        Types = Kept(Types);
        TypeOffsets = Kept(TypeOffsets);
        MemoryOffsets = Kept(MemoryOffsets);
        Sections = Kept(Sections);
        FuncTypeIndices = Kept(FuncTypeIndices);
        TagTypeIndices = Kept(TagTypeIndices);
        ExplicitGroups = Kept(ExplicitGroups);
        Imports = Kept(Imports);
        Funcs = Kept(Funcs);
        Tables = Kept(Tables);
        Memories = Kept(Memories);
        Globals = Kept(Globals);
        Tags = Kept(Tags);
        Exports = Kept(Exports);
        Elems = Kept(Elems);
        Datas = Kept(Datas);
        CustomSections = Kept(CustomSections);
        HintProblems = Kept(HintProblems);
        Nested = Kept(Nested);
        Modules = Kept(Modules);
        Instances = Kept(Instances);
        Initialisers = Kept(Initialisers);
        EarlyItems = Kept(EarlyItems);
        Scopes = Kept(Scopes);
    }

    /// <summary>Forgets how it was written: <see cref="ModuleInfo.ForgetText"/>.</summary>
    internal void ForgetText()
    {
        TypeOffsets = Nothing<int>.List;
        MemoryOffsets = Nothing<int>.List;
        Sections = Nothing<byte>.List;
        FuncTypeIndices = Nothing<uint>.List;
        TagTypeIndices = Nothing<uint>.List;
        ExplicitGroups = Nothing<WrittenGroup>.List;
        EarlyItems = Nothing<EarlyItem>.List;
    }

    private static List<T> Kept<T>(List<T> list)
    {
        if (list.Count == 0) return Nothing<T>.List;
        if (list.Count < 16) list.TrimExcess();
        return list;
    }

    private static class Nothing<T>
    {
        // With room for one: the list without room is made by a static constructor that .NET compiles for each structure of ours.
        internal static readonly List<T> List = new(1);
    }

    /// <summary>Notes the use of the extension; the validator says whether it is allowed.</summary>
    internal void UseLinking(string what, int offset) => LinkingUse ??= new LinkingUse(what, offset);

    /// <summary>A function that code may name with <c>ref.func</c> (spec 3.4.10). The validator rejects an index without function.</summary>
    internal void Declare(uint func)
    {
        if (func < Funcs.Count) Funcs[(int)func].Declare();
    }

    /// <summary>An item of an index space that is not the module's own.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="at">Where it is.</param>
    /// <param name="typeIndex">The type index of a function or tag as it was written.</param>
    internal void AddItem(ExternType type, int at, uint typeIndex)
    {
        switch (type.Kind)
        {
            case ExternKind.Func:
                Funcs.Add(new FuncInfo(type.Def, true, type.IsExact));
                FuncTypeIndices.Add(typeIndex);
                ImportedFuncs++;
                break;
            case ExternKind.Table:
                Tables.Add(new TableInfo(type.Table, null, at));
                ImportedTables++;
                break;
            case ExternKind.Memory:
                Memories.Add(type.Memory);
                ImportedMemories++;
                break;
            case ExternKind.Global:
                Globals.Add(new GlobalInfo(type.Global, default, at));
                ImportedGlobals++;
                break;
            case ExternKind.Module:
                Modules.Add(new ModuleDecl(Modules.Count, type.Def, null));
                break;
            case ExternKind.Instance:
                AddInstance(type.Def);
                break;
            default:
                Tags.Add(type.Def);
                TagTypeIndices.Add(typeIndex);
                ImportedTags++;
                break;
        }
    }

    internal void AddInstance(DefType type)
    {
        Instances.Add(new InstanceDecl(type));
        ExplicitInstances++;
    }

    /// <summary>The instance that two-level imports of a first name form takes its place where the first of them is.</summary>
    internal void ImplyInstance(string first)
    {
        // Most imports have the same name as the import before them.
        if (Imports.Count > 0 && Imports[^1] is { Name: not null, Module: var last } && last == first) return;
        if (impliedNames is null && Instances.Count <= 8)
        {
            foreach (InstanceDecl known in Instances)
                if (known.First == first) return;
        }
        else
        {
            impliedNames ??= [.. Instances.Select(i => i.First).OfType<string>()];
            if (!impliedNames.Add(first)) return;
        }
        Instances.Add(new InstanceDecl(this, first));
    }

    /// <summary>The two-level imports of a first name, as far as they have been read.</summary>
    internal List<ImportInfo> Group(string first)
    {
        lock (this)
        {
            groups ??= [];
            for (; grouped < Imports.Count; grouped++)
            {
                ImportInfo import = Imports[grouped];
                if (import.Name is null) continue;
                if (!groups.TryGetValue(import.Module, out List<ImportInfo>? group)) groups[import.Module] = group = [];
                group.Add(import);
            }
            return groups.TryGetValue(first, out List<ImportInfo>? known) ? known : [];
        }
    }

    /// <summary>Adds a step of instantiation; the first one brings the imports before it along.</summary>
    internal void AddInitialiser(Initialiser initialiser)
    {
        if (Initialisers.Count == 0)
            for (int i = 0; i < Imports.Count; i++) Initialisers.Add(new Initialiser(InitialiserKind.Import, Imports[i].Type.Kind, i));
        Initialisers.Add(initialiser);
    }

    /// <summary>Adds a module of an enclosing one to the closure, and to the closures of all between.</summary>
    internal int CaptureOf(uint depth, int index)
    {
        Capture capture = depth == 0 ? new Capture(false, index) : new Capture(true, Parent!.CaptureOf(depth - 1, index));
        captureIndices ??= [];
        if (captureIndices.TryGetValue(capture, out int known)) return known;
        Captures.Add(capture);
        return captureIndices[capture] = Captures.Count - 1;
    }
}

/// <summary>The settings with which a module and all nested in it are decoded, validated and compiled.</summary>
/// <param name="Features">What the host allows of the language.</param>
/// <param name="AllowLinking">Whether the host allows the runtime-linking extension.</param>
/// <param name="AllowCompile">Whether the host allows guests to compile bytes.</param>
/// <param name="IsForThreads">Whether a guest has it that may have threads: see <see cref="ModuleInfo.IsForThreads"/>.</param>
internal sealed record DecodeSettings(Features Features = Features.All, bool AllowLinking = true, bool AllowCompile = true, bool IsForThreads = false)
{
    /// <summary>Everything is allowed.</summary>
    internal static DecodeSettings All { get; } = new();
}

/// <summary>The decoder's position in a module and all nested in it.</summary>
internal sealed class DecodeProgress
{
    internal int NestedModules { get; set; }

    /// <summary>The module whose bytes are being read: after an error the innermost one.</summary>
    internal ModuleInfo? Decoding { get; set; }

    private int polls;

    /// <summary>Asks now and then whether the guest for which the module is read is to stop.</summary>
    internal void Poll()
    {
        if ((++polls & 0xff) == 0) Runtime.CancellationScope.ThrowIfStopped();
    }
}
