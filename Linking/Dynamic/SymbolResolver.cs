using WasmJit.DynamicLinking;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>Says what a symbol is for a library: a function of another one, of the host or of the linker, or an address.</summary>
internal sealed class SymbolResolver(DynamicLinker linker, LinkMap map, DlFunctions functions)
{
    private readonly Dictionary<Delegate, FuncRef> hostReferences = [];

    /// <summary>The host's imports.</summary>
    internal Imports Host { get; set; } = [];

    /// <summary>The program's layout. It knows addresses that no library defines.</summary>
    internal ProgramLayout? Layout { get; set; }

    internal void Clear()
    {
        Host = [];
        Layout = null;
        hostReferences.Clear();
    }

    /// <summary>A function by its symbol, as far as there is an instance that has it.</summary>
    internal FuncRef? FindFunction(DynamicLibrary library, string name)
    {
        using (linker.Enter())
        {
            if (map.Definer(library, name, ExternKind.Func) is not { Instance: not null } definer) return null;
            library.Bound.Add(definer);
            return definer.FunctionOf(name);
        }
    }

    /// <summary>Whether a symbol has an index in the table, of a library, of the host or of the linker.</summary>
    internal bool HasFunction(DynamicLibrary library, string name) =>
        functions.Find(library, name) is not null || map.Definer(library, name, ExternKind.Func) is not null || Host.Find("env", name) is Delegate;

    internal bool HasAddress(DynamicLibrary library, string name) =>
        map.Definer(library, name, ExternKind.Global) is not null || Layout?.Find(name) is not null;

    /// <summary>Fills the entries of a library's offset table that are known. Others may become known later.</summary>
    internal void FillOffsets(DynamicLibrary library)
    {
        for (int i = library.Got.Count - 1; i >= 0; i--)
        {
            GotEntry entry = library.Got[i];
            if (AddressOf(library, entry) is not { } address) continue;
            entry.Set(address);
            library.Got.RemoveAt(i);
        }
    }

    /// <summary>Gives functions that may be missing until they are called a slot that traps.</summary>
    internal void FillMissing(DynamicLibrary library)
    {
        foreach (GotEntry entry in library.Got)
        {
            if (!entry.MayBeMissing || entry.Missing is not null) continue;
            CancellationScope.ThrowIfStopped();
            entry.Missing = new MissingFunction(library.Name, entry.Name).Make();
            entry.Set(linker.Space.IndexOf(entry.Missing));
        }
    }

    private ulong? AddressOf(DynamicLibrary library, GotEntry entry)
    {
        if (!entry.IsFunction)
        {
            if (map.Definer(library, entry.Name, ExternKind.Global) is not { Instance: not null } definer) return Layout?.Find(entry.Name);
            library.Bound.Add(definer);
            return definer.AddressOf(entry.Name);
        }
        if (FunctionOf(library, entry.Name) is not { } func) return null;
        return entry.Missing is { } missing ? linker.Space.Define(linker.Space.IndexOf(missing), func) : linker.Space.IndexOf(func);
    }

    private FuncRef? FunctionOf(DynamicLibrary library, string name)
    {
        if (functions.Reference(library, name) is { } own) return own;
        if (FindFunction(library, name) is { } defined) return defined;
        return Host.Find("env", name) is Delegate host ? ReferenceTo(host) : null;
    }

    /// <summary>
    /// A host function as a pointer. There is one for all libraries. A function that takes its caller gets the program, because all libraries use its
    /// memory.
    /// </summary>
    private FuncRef ReferenceTo(Delegate host)
    {
        if (!HostFunctions.WantsCaller(host)) return HostValues.FromDelegate(host, null);
        if (!hostReferences.TryGetValue(host, out FuncRef? func))
            hostReferences[host] = func = HostFunctions.ForCaller(HostFunctions.Make(host, HostFunctions.TypeOf(host), null), linker.Program.Instance);
        return func;
    }
}
