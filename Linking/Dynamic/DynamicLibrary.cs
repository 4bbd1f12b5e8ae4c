using WasmJit.Linking;
using WasmJit.Runtime;

namespace WasmJit.DynamicLinking;

/// <summary>A library that a <see cref="DynamicLinker"/> has loaded, or the program itself.</summary>
public sealed class DynamicLibrary
{
    /// <summary>Exports that the tools make for the loader alone. Each library has its own, and none of them is a symbol.</summary>
    private static readonly HashSet<string> LoaderNames =
    [
        "__wasm_call_ctors", "__wasm_apply_data_relocs", "__wasm_apply_relocs", "__wasm_apply_global_relocs", "__wasm_apply_tls_relocs",
        "__wasm_apply_global_tls_relocs", "__wasm_init_memory", "__wasm_init_tls", "__post_instantiate", "__tls_size", "__tls_align",
    ];

    private readonly Dictionary<string, ExternType> symbols = new(StringComparer.Ordinal);

    internal DynamicLibrary(Module module, string name, string path)
    {
        Module = module;
        Name = name;
        Path = path;
        Section = DylinkSection.Of(module.Info, name);
        foreach (ExportType export in module.Exports)
            if (IsSymbol(export)) symbols[export.Name] = export.Type;
    }

    /// <summary>The name under which it was first asked for.</summary>
    public string Name { get; }

    /// <summary>Its path in the namespace, from the root; empty for the program.</summary>
    public string Path { get; }

    /// <summary>The module.</summary>
    public Module Module { get; }

    /// <summary>The instance.</summary>
    public Instance Instance { get; internal set; } = null!;

    /// <summary>Where its data begins in the program's memory; 0 for a program that is not position-independent.</summary>
    public ulong MemoryBase { get; internal set; }

    /// <summary>Where its functions begin in the program's table; 0 for a program that is not position-independent.</summary>
    public uint TableBase { get; internal set; }

    /// <summary>The libraries that it needs, in its own order.</summary>
    public IReadOnlyList<DynamicLibrary> Needed => Needs.AsReadOnly();

    /// <summary>Whether it is still loaded.</summary>
    public bool IsLoaded { get; internal set; } = true;

    internal DylinkSection? Section { get; }

    /// <summary>The number by which guests know it; 0 until one has opened it.</summary>
    internal int Handle { get; set; }

    /// <summary>How many times it has been opened and not closed.</summary>
    internal int OpenCount { get; set; }

    internal bool IsGlobal { get; set; }

    /// <summary>Whether it stays although it is closed: the program, libraries loaded with it, RTLD_NODELETE.</summary>
    internal bool IsPinned { get; set; }

    internal bool IsInitialised { get; set; }

    /// <summary>How many calls of the linker on the stack run its constructors or destructors, or those of a library that needs it.</summary>
    internal int Users { get; set; }

    /// <summary>It has its part of the table.</summary>
    internal bool HasSlots { get; set; }

    /// <summary>It has its part of the memory, as part of the program's layout.</summary>
    internal bool HasMemory { get; set; }

    internal List<DynamicLibrary> Needs { get; } = [];

    /// <summary>Other libraries whose definitions it uses. They stay as long as it does.</summary>
    internal HashSet<DynamicLibrary> Bound { get; } = [];

    /// <summary>The libraries loaded in one step with it, in the order in which symbols are looked for.</summary>
    internal IReadOnlyList<DynamicLibrary> Scope { get; set; } = [];

    /// <summary>The block that the program's allocator gave for its data.</summary>
    internal ulong MemoryBlock { get; set; }

    /// <summary>Its registered destructors, to be called last first: index in the table, argument, whether there is one.</summary>
    internal List<(ulong Function, ulong Argument, bool HasArgument)> AtExit { get; } = [];

    /// <summary>Imported addresses that are not known yet: no library defines the symbol, which is weak or bound late.</summary>
    internal List<GotEntry> Got { get; } = [];

    /// <summary>All addresses that it imports.</summary>
    internal List<GotEntry> Offsets { get; } = [];

    /// <summary>The linker's own functions as this library calls them, as far as it has asked for them.</summary>
    internal Dictionary<string, Delegate> OwnFunctions { get; } = [];

    /// <summary>Those of them that have an index in the table.</summary>
    internal HashSet<FuncRef> OwnReferences { get; } = [];

    /// <summary>Texts that <c>dladdr</c> has put into the memory, with the blocks to free.</summary>
    internal Dictionary<string, (ulong Address, ulong Block)> Texts { get; } = [];

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
    public ulong GetAddress(string name) => Definer(name, ExternKind.Global)?.AddressOf(name) ?? throw Undefined(name);

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>The same for callers that need one.</summary>
    /// <exception cref="DynamicLinkException">No library defines the symbol.</exception>
    internal DynamicLibrary DefinerOf(string name, ExternKind kind) => Definer(name, kind) ?? throw Undefined(name);

    /// <summary>The library of this one's tree that defines a symbol.</summary>
    private DynamicLibrary? Definer(string name, ExternKind kind)
    {
        ObjectDisposedException.ThrowIf(!IsLoaded, this);
        return LinkMap.Tree(this).FirstOrDefault(l => l.Defines(name, kind));
    }

    private DynamicLinkException Undefined(string name) => new($"{Name}: undefined symbol: {name}");

    /// <summary>How many names it defines.</summary>
    internal int SymbolCount => symbols.Count;

    internal bool Defines(string name, ExternKind kind) => symbols.TryGetValue(name, out ExternType? type) && type.Kind == kind;

    internal FuncRef FunctionOf(string name) => (FuncRef)Instance.FindInternal(name)!;

    internal Tag TagOf(string name) => (Tag)Instance.FindInternal(name)!;

    /// <summary>The address of a variable. Exports of position-independent code are relative to its base, which is 0 otherwise.</summary>
    internal ulong AddressOf(string name) => AddressOf(name, Instance);

    /// <summary>The same for the instance of a thread: a thread-local variable is relative to the thread's block.</summary>
    internal ulong AddressOf(string name, Instance instance) =>
        (IsThreadLocal(name) ? ValueOf("__tls_base", instance) : MemoryBase) + ValueOf(name, instance);

    /// <summary>Whether each thread has a variable of its own.</summary>
    internal bool IsThreadLocal(string name) => Section?.ThreadLocal.Contains(name) == true;

    /// <summary>How much memory the thread-local variables of a thread need.</summary>
    /// <exception cref="DynamicLinkException">There are some, and the library cannot make them.</exception>
    internal ulong ThreadLocalSize
    {
        get
        {
            if (Section?.ThreadLocal.Count > 0 && (!Has("__wasm_init_tls") || !Has("__tls_size")))
                throw new DynamicLinkException($"{Name} exports no __wasm_init_tls and __tls_size (the linker's option --export-if-defined does it)");
            return Has("__wasm_init_tls") && Has("__tls_size") ? ValueOf("__tls_size", Instance) : 0;
        }
    }

    /// <summary>Their alignment as a power of two.</summary>
    internal int ThreadLocalAlignment => Has("__tls_align") ? Math.Min(System.Numerics.BitOperations.Log2(Math.Max(ValueOf("__tls_align", Instance), 1)), 16) : 4;

    /// <summary>Gives an instance a thread's variables.</summary>
    internal static void InitialiseThreadLocals(Instance instance, ulong address)
    {
        if (instance.TryGetExport("__wasm_init_tls", out Action<int>? narrow)) narrow((int)(uint)address);
        else if (instance.TryGetExport("__wasm_init_tls", out Action<long>? wide)) wide((long)address);
    }

    private bool Has(string export) => Module.Info.FindExport(export) is not null;

    private static ulong ValueOf(string name, Instance instance) => (instance.FindInternal(name) as Global)?.Value switch
    {
        int value => (uint)value,
        long value => (ulong)value,
        _ => 0,
    };

    /// <summary>The symbol of a function; the first by name if there are several.</summary>
    internal string? NameOf(FuncRef func)
    {
        string? best = null;
        foreach ((string name, ExternType type) in symbols)
        {
            CancellationScope.ThrowIfStopped();
            if (type.Kind == ExternKind.Func && ReferenceEquals(FunctionOf(name), func) && IsFirst(name, best)) best = name;
        }
        return best;
    }

    private static bool IsFirst(string name, string? other) => other is null || string.CompareOrdinal(name, other) < 0;

    /// <summary>The variable at an address, or the last one before it.</summary>
    internal (string Name, ulong Address)? SymbolBefore(ulong address)
    {
        (string Name, ulong Address)? best = null;
        foreach ((string name, ExternType type) in symbols)
        {
            CancellationScope.ThrowIfStopped();
            if (type.Kind != ExternKind.Global || AddressOf(name) is var at && at > address) continue;
            if (best is null || at > best.Value.Address || (at == best.Value.Address && IsFirst(name, best.Value.Name))) best = (name, at);
        }
        return best;
    }

    /// <summary>
    /// Runs its constructors. The tools export them, unless the library has a function that calls them, as clang's driver links it. Then that
    /// function is called.
    /// </summary>
    internal void RunConstructors() => _ = Run("__wasm_call_ctors") || Run("__post_instantiate") || Run("_initialize");

    /// <summary>Puts addresses into its data.</summary>
    internal void ApplyRelocations() => _ = Run("__wasm_apply_data_relocs") || Run("__wasm_apply_relocs");

    /// <summary>Calls a function that the tools make for the loader, if the library has it.</summary>
    private bool Run(string name)
    {
        if (!Instance.TryGetExport(name, out Action? function)) return false;
        function();
        return true;
    }

    /// <summary>Whether an export is a symbol of the program.</summary>
    private bool IsSymbol(ExportType export) => export.Type.Kind switch
    {
        ExternKind.Func => !LoaderNames.Contains(export.Name),
        ExternKind.Global => export.Type.Global is { IsMutable: false, Type.Kind: ValKind.I32 or ValKind.I64 }
            && !LoaderNames.Contains(export.Name) && (!IsThreadLocal(export.Name) || Has("__tls_base")),
        ExternKind.Tag => true,
        _ => false,
    };
}

/// <summary>An entry of a library's global offset table: a global that holds an address, of data or in the table.</summary>
/// <param name="global">The global.</param>
/// <param name="name">The symbol.</param>
/// <param name="isFunction">Whether it is an index in the table.</param>
internal sealed class GotEntry(Global global, string name, bool isFunction)
{
    internal string Name => name;

    internal bool IsFunction => isFunction;

    /// <summary>Whether a function may be missing until it is called.</summary>
    internal bool MayBeMissing { get; init; }

    /// <summary>The function that traps in its place, while it is not defined anywhere.</summary>
    internal FuncRef? Missing { get; set; }

    /// <summary>What the global holds.</summary>
    internal object? Value => global.Value;

    /// <summary>Whether it is this global.</summary>
    internal bool IsIn(Global other) => ReferenceEquals(global, other);

    /// <summary>Sets the address.</summary>
    internal void Set(ulong address) => global.Value = global.Type.Type.Kind == ValKind.I64 ? (object)(long)address : (int)(uint)address;
}
