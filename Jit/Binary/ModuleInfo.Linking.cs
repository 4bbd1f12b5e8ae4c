namespace WasmJit.Jit;

/// <summary>What module linking adds to a module: nested modules, instances, and the order in which they come about.</summary>
internal sealed partial class ModuleInfo
{
    /// <summary>How deep modules may be nested in each other.</summary>
    internal const int MaxNesting = 100;

    /// <summary>How many modules may be in a module, at whatever depth.</summary>
    internal const int MaxNested = 10_000;

    /// <summary>The module around this one.</summary>
    internal ModuleInfo? Parent { get; init; }

    /// <summary>The number of modules around this one.</summary>
    internal int Nesting { get; init; }

    /// <summary>Where the module begins and ends in the bytes.</summary>
    internal int Begin { get; init; }

    internal int End { get; init; }

    /// <summary>Where the first sections come in an order that only modules of the extension may have; 0 if they do not.</summary>
    internal int FreeOrderAt { get; set; }

    /// <summary>The modules defined in this one, in order.</summary>
    internal List<ModuleInfo> Nested { get; } = [];

    /// <summary>The module index space.</summary>
    internal List<ModuleDecl> Modules { get; } = [];

    /// <summary>The instance index space: the instances' types.</summary>
    internal List<DefType> Instances { get; } = [];

    /// <summary>
    /// What instantiation does before anything else, in order: takes imports, closes modules, makes instances, follows aliases.
    /// Empty if there are imports alone.
    /// </summary>
    internal List<Initialiser> Initialisers { get; } = [];

    /// <summary>
    /// The modules of enclosing ones that this module or one nested in it names: its closure. Each is taken from the module index
    /// space of the enclosing instance, or from the closure of the enclosing module.
    /// </summary>
    internal List<Capture> Captures { get; } = [];

    internal Dictionary<Capture, int> CaptureIndices { get; } = [];

    /// <summary>The items of the sections that may come in any order, in the order of the bytes.</summary>
    internal List<EarlyItem> EarlyItems { get; } = [];

    /// <summary>What of the runtime-linking extension the module uses first, and where; null if nothing.</summary>
    internal LinkingUse? LinkingUse { get; private set; }

    /// <summary>The code, shared by all instances of the module and, if it is nested, by all closures of it.</summary>
    internal FunctionCode? Code;

    /// <summary>Notes the use of the extension.</summary>
    /// <exception cref="InvalidModuleException">The host has switched it off.</exception>
    internal void UseLinking(string what, int offset)
    {
        LinkingUse ??= new LinkingUse(what, offset);
        if (!AllowLinking) throw LinkingOff(what, offset);
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
                Instances.Add(type.Def);
                break;
            default:
                Tags.Add(type.Def);
                TagTypeIndices.Add(typeIndex);
                ImportedTags++;
                break;
        }
    }

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

    internal int CountOf(ExternKind kind) => kind switch
    {
        ExternKind.Func => Funcs.Count,
        ExternKind.Table => Tables.Count,
        ExternKind.Memory => Memories.Count,
        ExternKind.Global => Globals.Count,
        ExternKind.Module => Modules.Count,
        ExternKind.Instance => Instances.Count,
        _ => Tags.Count,
    };
}

/// <summary>A use of the extension, and where it is.</summary>
internal sealed record LinkingUse(string What, int Offset);

/// <summary>What a module and all nested in it are decoded for.</summary>
internal sealed class ModuleSettings
{
    internal Features Features { get; set; } = Features.All;
    internal bool AllowLinking { get; set; } = true;
    internal bool AllowCompile { get; set; } = true;
    internal int NestedModules { get; set; }

    /// <summary>The module whose bytes are being read: after an error the innermost one.</summary>
    internal ModuleInfo? Decoding { get; set; }

    private int polls;

    /// <summary>Asks now and then whether the guest for which the module is read is to stop.</summary>
    internal void Poll()
    {
        if ((++polls & 0xff) == 0) Runtime.CancellationScope.ThrowIfStopped();
    }

    internal Runtime.GcBatch GcBatch { get; } = new();
}

/// <summary>A member of the module index space.</summary>
/// <param name="Index">Its index.</param>
/// <param name="Type">Its module type.</param>
/// <param name="Definition">The module itself, if it is nested here or in an enclosing module, and not imported.</param>
internal sealed record ModuleDecl(int Index, DefType Type, ModuleInfo? Definition)
{
    private ExactModuleType? exact;

    /// <summary>The type of instances made from it.</summary>
    internal ExactModuleType Exact =>
        exact ?? Interlocked.CompareExchange(ref exact, new ExactModuleType(Index, Type, Definition), null) ?? exact;
}

internal enum InitialiserKind : byte
{
    /// <summary>Takes an import.</summary>
    Import,

    /// <summary>Closes a nested module over what it captures.</summary>
    Module,

    /// <summary>Makes an instance.</summary>
    Instance,

    /// <summary>Takes an export of an instance.</summary>
    Alias,

    /// <summary>Takes a module from the closure.</summary>
    Captured,
}

/// <summary>One step of instantiation; it adds an item to an index space.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="Sort">The index space.</param>
/// <param name="Source">The import, the nested module, the module to instantiate, the instance, or the capture.</param>
internal sealed record Initialiser(InitialiserKind Kind, ExternKind Sort, int Source)
{
    /// <summary>The export of an alias.</summary>
    internal string Name { get; init; } = "";

    /// <summary>What an instance is made with.</summary>
    internal InstanceArgument[] Arguments { get; init; } = [];
}

internal readonly record struct InstanceArgument(string Name, ExternKind Kind, int Index);

internal readonly record struct Capture(bool FromCaptures, int Index);

/// <summary>An item of one of the first sections, for who wants it as it was written.</summary>
/// <param name="Section">The section's id.</param>
/// <param name="Offset">Where it is in the bytes.</param>
/// <param name="Index">Of types and imports the index of the first; of others that in their index space.</param>
/// <param name="Count">How many types it defines.</param>
internal readonly record struct EarlyItem(byte Section, int Offset, int Index, int Count = 1);
