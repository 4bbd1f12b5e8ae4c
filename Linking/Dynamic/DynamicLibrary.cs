using WasmJit.Linking;
using WasmJit.Runtime;

namespace WasmJit;

/// <summary>A library that a <see cref="DynamicLinker"/> has loaded, or the program itself.</summary>
public sealed class DynamicLibrary
{
    private readonly Dictionary<string, ExternType> symbols = new(StringComparer.Ordinal);
    private readonly DynamicLinker linker;

    internal DynamicLibrary(DynamicLinker linker, Module module, string name, string path)
    {
        this.linker = linker;
        Module = module;
        Name = name;
        Path = path;
        Section = DylinkSection.Of(module, name);
        foreach (ExportType export in module.Exports)
            if (IsSymbol(export)) symbols[export.Name] = export.Type;
    }

    /// <summary>The name it was asked for with.</summary>
    public string Name { get; }

    /// <summary>Where it was found in the namespace, from the root; empty for the program.</summary>
    public string Path { get; }

    /// <summary>The module.</summary>
    public Module Module { get; }

    /// <summary>The instance.</summary>
    public Instance Instance { get; internal set; } = null!;

    /// <summary>Where its data begins in the program's memory; 0 for a program that is not position-independent.</summary>
    public uint MemoryBase { get; internal set; }

    /// <summary>Where its functions begin in the program's table; 0 for a program that is not position-independent.</summary>
    public uint TableBase { get; internal set; }

    /// <summary>The libraries that it needs, in its own order.</summary>
    public IReadOnlyList<DynamicLibrary> Needed => Needs.AsReadOnly();

    /// <summary>Whether it is still loaded.</summary>
    public bool IsLoaded { get; internal set; } = true;

    internal DylinkSection? Section { get; }

    /// <summary>Number by which guests know it; 0 until one has opened it.</summary>
    internal int Handle { get; set; }

    /// <summary>How many times it has been opened and not closed.</summary>
    internal int OpenCount { get; set; }

    internal bool IsGlobal { get; set; }

    /// <summary>It stays whoever closes it: the program, what was loaded with it, RTLD_NODELETE.</summary>
    internal bool IsPinned { get; set; }

    internal bool IsInitialised { get; set; }

    /// <summary>How many calls of the linker's are on the stack that run its constructors or destructors, or those of what needs it.</summary>
    internal int Users { get; set; }

    /// <summary>It has its part of the table.</summary>
    internal bool HasSlots { get; set; }

    internal List<DynamicLibrary> Needs { get; } = [];

    /// <summary>Others whose definitions it uses; they stay as long as it does.</summary>
    internal HashSet<DynamicLibrary> Bound { get; } = [];

    /// <summary>What was loaded in one go with it, in the order in which symbols are looked for.</summary>
    internal IReadOnlyList<DynamicLibrary> Scope { get; set; } = [];

    /// <summary>The block that the program's allocator gave for its data.</summary>
    internal uint MemoryBlock { get; set; }

    /// <summary>What is to be called when it goes, last first: index in the table, argument, whether there is one.</summary>
    internal List<(uint Function, int Argument, bool HasArgument)> AtExit { get; } = [];

    /// <summary>Addresses that it imports and that are not known yet, because the symbol is weak.</summary>
    internal List<GotEntry> Got { get; } = [];

    /// <summary>A function, of this library or of one that it needs.</summary>
    /// <typeparam name="T">As of <see cref="Instance.GetExport{T}"/>.</typeparam>
    /// <param name="name">The symbol.</param>
    /// <exception cref="DynamicLinkException">There is no such function.</exception>
    /// <exception cref="InvalidCastException">It has another signature.</exception>
    /// <exception cref="ObjectDisposedException">The library has been unloaded.</exception>
    public T GetFunction<T>(string name)
        where T : Delegate
    {
        DynamicLibrary definer = Definer(name, ExternKind.Func) ?? throw Undefined(name);
        return definer.Instance.GetExport<T>(name);
    }

    /// <summary>The address of a variable, of this library or of one that it needs.</summary>
    /// <param name="name">The symbol.</param>
    /// <exception cref="DynamicLinkException">There is no such variable.</exception>
    /// <exception cref="ObjectDisposedException">The library has been unloaded.</exception>
    public uint GetAddress(string name) => Definer(name, ExternKind.Global)?.AddressOf(name) ?? throw Undefined(name);

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>The library of this one's tree that defines a symbol.</summary>
    private DynamicLibrary? Definer(string name, ExternKind kind)
    {
        ObjectDisposedException.ThrowIf(!IsLoaded, this);
        return linker.Tree(this).FirstOrDefault(l => l.Defines(name, kind));
    }

    private DynamicLinkException Undefined(string name) => new($"{Name}: undefined symbol: {name}");

    internal bool Defines(string name, ExternKind kind) => symbols.TryGetValue(name, out ExternType? type) && type.Kind == kind;

    internal FuncRef FunctionOf(string name) => (FuncRef)Instance.FindInternal(name)!;

    internal Tag TagOf(string name) => (Tag)Instance.FindInternal(name)!;

    /// <summary>The address of a variable: what is exported is relative in position-independent code.</summary>
    internal uint AddressOf(string name) =>
        (uint)(int)((Global)Instance.FindInternal(name)!).Value! + (Section is null ? 0 : MemoryBase);

    /// <summary>Whether an export is a symbol of the program. Exports that only the loader needs are not.</summary>
    private bool IsSymbol(ExportType export) => export.Type.Kind switch
    {
        ExternKind.Func => !export.Name.StartsWith("__wasm_", StringComparison.Ordinal),
        ExternKind.Global => export.Type.Global is { IsMutable: false, Type.Kind: ValKind.I32 } && Section?.ThreadLocal.Contains(export.Name) != true,
        ExternKind.Tag => true,
        _ => false,
    };
}

/// <summary>An entry of a library's global offset table: a global that holds an address, of data or in the table.</summary>
/// <param name="Global">The global.</param>
/// <param name="Name">The symbol.</param>
/// <param name="IsFunction">Whether it is an index in the table.</param>
internal sealed record GotEntry(Global Global, string Name, bool IsFunction);
