using WasmJit.Linking;
using WasmJit.Runtime;

namespace WasmJit;

/// <summary>Who defines a symbol: first what all see, in the order of loading, then what was loaded with the one that asks.</summary>
public sealed partial class DynamicLinker
{
    private readonly Dictionary<Delegate, FuncRef> hostReferences = [];

    /// <summary>Names of addresses that the loader of a position-independent program knows.</summary>
    private readonly Dictionary<string, uint> layout = [];

    internal object? HostImport(string module, string name) => hostImports.Find(module, name);

    internal Tag SharedTag(string name, DefType type)
    {
        if (tags.TryGetValue(name, out Tag? tag)) return tag;
        return tags[name] = new Tag(type);
    }

    internal IEnumerable<DynamicLibrary> ScopeOf(DynamicLibrary? library)
    {
        if (main is not null) yield return main;
        foreach (DynamicLibrary global in libraries)
            if (global.IsGlobal && global != main) yield return global;
        if (library is null) yield break;
        foreach (DynamicLibrary local in library.Scope)
            if (local.IsLoaded) yield return local;
    }

    internal DynamicLibrary? Definer(DynamicLibrary? library, string name, ExternKind kind) =>
        ScopeOf(library).FirstOrDefault(l => l.Defines(name, kind));

    /// <summary>A function by its symbol, as far as there is an instance that has it.</summary>
    internal FuncRef? FindFunction(DynamicLibrary library, string name)
    {
        using (Enter())
        {
            if (Definer(library, name, ExternKind.Func) is not { Instance: not null } definer) return null;
            library.Bound.Add(definer);
            return definer.FunctionOf(name);
        }
    }

    /// <summary>Whether a symbol has an index in the table, of a library or of the host.</summary>
    internal bool HasFunction(DynamicLibrary library, string name) =>
        Definer(library, name, ExternKind.Func) is not null || HostFunction(library, name) is not null;

    internal bool HasAddress(DynamicLibrary library, string name) =>
        Definer(library, name, ExternKind.Global) is not null || layout.ContainsKey(name);

    private Delegate? HostFunction(DynamicLibrary library, string name) =>
        OwnFunction(library, name, ownOnly: false) ?? HostImport("env", name) as Delegate;

    /// <summary>Fills what can be filled of a library's offset table; entries of weak symbols may become known later.</summary>
    internal void FillOffsets(DynamicLibrary library)
    {
        for (int i = library.Got.Count - 1; i >= 0; i--)
        {
            GotEntry entry = library.Got[i];
            if (AddressOf(library, entry) is not { } address) continue;
            entry.Global.Value = (int)address;
            library.Got.RemoveAt(i);
        }
    }

    private uint? AddressOf(DynamicLibrary library, GotEntry entry)
    {
        DynamicLibrary? definer = Definer(library, entry.Name, entry.IsFunction ? ExternKind.Func : ExternKind.Global);
        if (definer?.Instance is not null)
        {
            library.Bound.Add(definer);
            return entry.IsFunction ? Space.IndexOf(definer.FunctionOf(entry.Name)) : definer.AddressOf(entry.Name);
        }
        if (!entry.IsFunction) return layout.TryGetValue(entry.Name, out uint address) ? address : null;
        return HostFunction(library, entry.Name) is { } host ? Space.IndexOf(ReferenceTo(host)) : null;
    }

    /// <summary>
    /// A host function as a pointer, of which there is one for all libraries. One that asks who calls is told the program: that is whose
    /// memory all of them have.
    /// </summary>
    private FuncRef ReferenceTo(Delegate host)
    {
        if (!HostFunctions.WantsCaller(host)) return HostValues.FromDelegate(host, null);
        if (!hostReferences.TryGetValue(host, out FuncRef? func))
            hostReferences[host] = func = HostFunctions.ForCaller(HostFunctions.Make(host, HostFunctions.TypeOf(host), null), Program.Instance);
        return func;
    }

    /// <summary>An address for <c>dlsym</c>: of data, or an index in the table.</summary>
    private static uint? SymbolIn(IEnumerable<DynamicLibrary> scope, string name, GuestSpace space)
    {
        foreach (DynamicLibrary library in scope)
        {
            if (library.Instance is null) continue;
            if (library.Defines(name, ExternKind.Func)) return space.IndexOf(library.FunctionOf(name));
            if (library.Defines(name, ExternKind.Global)) return library.AddressOf(name);
        }
        return null;
    }

    // ---- libraries by name ----

    internal void Add(DynamicLibrary library) => libraries.Add(library);

    internal void CheckCount(int more)
    {
        if (libraries.Count + more > options.MaximumLibraries + 1)
            throw new DynamicLinkException($"more than {options.MaximumLibraries} libraries");
    }

    internal DynamicLibrary? Loaded(string name, DynamicLibrary? asking) =>
        libraries.FirstOrDefault(l => l != main && IsNamed(l, name, asking));

    internal DynamicLibrary? LoadedAt(string path) => libraries.FirstOrDefault(l => l != main && l.Path == path);

    /// <summary>Whether a name means a library that is known: by its path, or by the name it was first asked for with.</summary>
    internal bool IsNamed(DynamicLibrary library, string name, DynamicLibrary? asking)
    {
        if (!name.Contains('/')) return library.Name == name;
        return library.Path == $"/{ModuleNamespace.Canonical(Expand(name, asking))}";
    }

    /// <summary>Finds a library in the namespace. One that is loaded, or about to be, is not compiled again to find that out.</summary>
    internal (Module Module, string Path)? FindModule(
        string name, DynamicLibrary? asking, ModuleCompiler compiler, Dictionary<string, DynamicLibrary> fresh)
    {
        if (name.Length == 0) return null;
        IEnumerable<string> candidates = name.Contains('/') ? [Expand(name, asking)]
            : [.. (asking?.Section?.RuntimePath ?? []).Select(d => $"{Expand(d, asking)}/{name}"), .. options.LibraryPath.Select(d => $"{d}/{name}")];
        foreach (string candidate in candidates)
        {
            string path = $"/{ModuleNamespace.Canonical(candidate)}";
            if ((LoadedAt(path) ?? fresh.GetValueOrDefault(path)) is { } known) return (known.Module, path);
            if (names.TryLoad(compiler, path) is { } module) return (module, path);
        }
        return null;
    }

    /// <summary>Replaces what stands for the directory of the asking library.</summary>
    private static string Expand(string path, DynamicLibrary? asking)
    {
        string origin = asking is { Path: var own } && own.LastIndexOf('/') is > 0 and var slash ? own[..slash] : "";
        return path.Replace("${ORIGIN}", origin, StringComparison.Ordinal).Replace("$ORIGIN", origin, StringComparison.Ordinal);
    }
}
