using System.Runtime.CompilerServices;
using WasmJit.Linking;
using WasmJit.Runtime;

namespace WasmJit;

/// <summary>
/// A dynamic linker for one program in C, C++ or the like: it loads shared libraries in the convention of the tools (the custom
/// section <c>dylink.0</c>) into the program's memory and table, with the libraries that they need, at the host's wish or at the
/// guest's own through <c>dlopen</c>, <c>dlsym</c>, <c>dlclose</c> and <c>dlerror</c>. Libraries come from a
/// <see cref="ModuleNamespace"/> and nowhere else.
/// </summary>
/// <example><code>
/// var linker = new DynamicLinker(new DirectoryNamespace("/srv/plugins"));
/// Instance program = linker.Instantiate(module, imports);
/// DynamicLibrary plugin = linker.Open("libplugin.so");
/// int answer = plugin.GetFunction&lt;Func&lt;int, int&gt;&gt;("ask")(6);
/// </code></example>
public sealed partial class DynamicLinker
{
    private readonly Lock gate = new();
    private readonly DynamicLinkerOptions options;
    private readonly ModuleNamespace names;
    private readonly List<DynamicLibrary> libraries = [];
    private readonly Dictionary<int, DynamicLibrary> handles = [];
    private readonly Dictionary<string, Tag> tags = [];
    private Imports hostImports = [];
    private DynamicLibrary? main;
    private GuestSpace? space;
    private Global? stackPointer;

    /// <summary>The table that was made for the program; it may be needed before the program's memory is there.</summary>
    private Table? programTable;
    private int lastHandle;
    private bool isLinked, isLoading;

    /// <summary>Makes a linker.</summary>
    /// <param name="libraries">Where libraries are.</param>
    /// <param name="options">How they are found; the defaults if null.</param>
    public DynamicLinker(ModuleNamespace libraries, DynamicLinkerOptions? options = null)
    {
        names = libraries;
        this.options = options ?? new DynamicLinkerOptions();
    }

    /// <summary>The program.</summary>
    /// <exception cref="InvalidOperationException">It has not been instantiated.</exception>
    public DynamicLibrary Program => main ?? throw new InvalidOperationException("The program has not been instantiated.");

    /// <summary>The memory that all share.</summary>
    /// <exception cref="InvalidOperationException">The program has not been instantiated.</exception>
    public Memory Memory => Space.Memory;

    /// <summary>The program and the libraries that are loaded, in the order of loading.</summary>
    public IReadOnlyList<DynamicLibrary> Libraries
    {
        get
        {
            lock (gate) return [.. libraries];
        }
    }

    internal GuestSpace Space => space ?? throw new InvalidOperationException("The program has not been instantiated.");

    internal Table SharedTable => programTable ?? Space.Table;

    internal Global StackPointer => stackPointer ?? throw new DynamicLinkException(
        "the program exports no __stack_pointer (the linker's option --export=__stack_pointer does it)");

    /// <summary>
    /// Instantiates the program and the libraries that it needs. Nothing of them has run when this returns:
    /// <see cref="Initialize"/> does the rest.
    /// </summary>
    /// <param name="program">
    /// The program: one that is not position-independent and exports <c>memory</c>, <c>__indirect_function_table</c>,
    /// <c>__stack_pointer</c> and its symbols; or a position-independent one, which imports what it needs of these.
    /// </param>
    /// <param name="imports">
    /// What else program and libraries import: WASI for instance. The four functions of dlopen are the linker's.
    /// </param>
    /// <param name="fuel">What program and libraries may execute, if the engine counts.</param>
    /// <exception cref="DynamicLinkException">The program, or a library that it needs, cannot be linked.</exception>
    /// <exception cref="TrapException">A segment does not fit, or a start function traps.</exception>
    /// <exception cref="InvalidOperationException">The linker has a program already.</exception>
    public Instance Instantiate(Module program, Imports? imports = null, Fuel? fuel = null) =>
        InstantiateFor(null, program, imports, fuel);

    /// <summary>The same, for hosts that must know the program before a start function calls them.</summary>
    internal Instance InstantiateFor(Action<Instance>? beforeStart, Module program, Imports? imports, Fuel? fuel)
    {
        if (fuel is not null && !program.CountsFuel) throw Module.NothingCounts();
        using (Enter())
        {
            if (main is not null) throw new InvalidOperationException("The linker has a program already.");
            hostImports = imports ?? [];
            var library = new DynamicLibrary(this, program, program.Name ?? "program", "") { IsGlobal = true, IsPinned = true };
            main = library;
            try
            {
                LoadProgram(library, fuel, beforeStart);
            }
            catch
            {
                main = null;
                space = null;
                stackPointer = null;
                programTable = null;
                layout.Clear();
                libraries.Clear();
                handles.Clear();
                tags.Clear();
                hostReferences.Clear();
                throw;
            }
            isLinked = true;
            return library.Instance;
        }
    }

    /// <summary>
    /// Runs the constructors of the libraries that the program needs; its own are part of its <c>_start</c> or
    /// <c>_initialize</c>, if it has one. It is done once, at the latest when the first library is opened.
    /// </summary>
    /// <exception cref="TrapException">A constructor traps.</exception>
    public void Initialize()
    {
        using (Enter())
        {
            DynamicLibrary program = Program;
            if (program.IsInitialised) return;
            program.IsInitialised = true;
            try
            {
                // They were linked in the order of need.
                Construct([.. libraries.Where(l => l.IsPinned && l != program)]);
                bool initialisesItself = program.Defines("_start", ExternKind.Func) || program.Defines("_initialize", ExternKind.Func);
                if (program.Section is not null && !initialisesItself) Run(program, "__wasm_call_ctors");
            }
            catch
            {
                // Whoever calls again goes on with those that have not run.
                program.IsInitialised = false;
                throw;
            }
            FindAllocator();
        }
    }

    /// <summary>Opens a library: loads it and what it needs, if that has not been done, and runs constructors.</summary>
    /// <param name="name">
    /// A name that is looked for in <see cref="DynamicLinkerOptions.LibraryPath"/>, or a path from the namespace's root, which has
    /// a slash in it.
    /// </param>
    /// <param name="mode">How.</param>
    /// <returns>The library; each call must be followed by one of <see cref="Close"/> before it is unloaded.</returns>
    /// <exception cref="DynamicLinkException">It cannot be found, or not be linked.</exception>
    /// <exception cref="ModuleException">It is no valid module.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The path leads out of the namespace.</exception>
    /// <exception cref="TrapException">A segment does not fit, or a constructor traps.</exception>
    public DynamicLibrary Open(string name, OpenModes mode = OpenModes.Now) => Open(name, mode, null, null);

    /// <summary>Opens for the host, or for the library that has called <c>dlopen</c>, whose quota then holds.</summary>
    internal DynamicLibrary Open(string name, OpenModes mode, DynamicLibrary? caller, LinkingQuota? quota)
    {
        using (Enter())
        {
            if (!isLinked) throw new DynamicLinkException("the program is not linked yet");
            if (isLoading) throw new DynamicLinkException($"{name} cannot be opened by code that runs while another library is loaded");
            if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw Trap.Make(TrapKind.CallStackExhausted);
            Initialize();
            DynamicLibrary library = Load(name, mode, caller, quota);
            if (library.OpenCount == int.MaxValue) throw new DynamicLinkException($"{name} is open too often");
            library.OpenCount++;
            bool wasPinned = library.IsPinned;
            List<DynamicLibrary> promoted = [];
            if (mode.HasFlag(OpenModes.NoDelete)) library.IsPinned = true;
            if (mode.HasFlag(OpenModes.Global))
            {
                promoted = Tree(library).FindAll(l => !l.IsGlobal);
                foreach (DynamicLibrary each in promoted) each.IsGlobal = true;
                foreach (DynamicLibrary each in libraries) FillOffsets(each);
            }
            try
            {
                Construct(PostOrder([library]));
            }
            catch
            {
                // As if it had not been opened.
                foreach (DynamicLibrary each in promoted) each.IsGlobal = false;
                library.IsPinned = wasPinned;
                if (library.OpenCount > 0) library.OpenCount--;
                SweepAfterFailure();
                throw;
            }
            if (!library.IsLoaded) throw new DynamicLinkException($"{name} was closed by its own constructors");
            return library;
        }
    }

    /// <summary>Loads a library. What of the guest's runs meanwhile, its allocator for one, sees the link map as it was.</summary>
    private DynamicLibrary Load(string name, OpenModes mode, DynamicLibrary? caller, LinkingQuota? quota)
    {
        isLoading = true;
        try
        {
            return new LibraryLoader(this, new ModuleCompiler(Program.Module.Engine, quota, caller is null ? null : Program.Instance.FuelTank)).Load(name, caller, mode);
        }
        catch
        {
            isLoading = false;
            SweepAfterFailure();
            throw;
        }
        finally
        {
            isLoading = false;
        }
    }

    /// <summary>A library and all that it needs, itself first, then by distance: where its symbols are looked for.</summary>
    internal List<DynamicLibrary> Tree(DynamicLibrary root)
    {
        using (Enter())
        {
            var tree = new List<DynamicLibrary> { root };
            var known = new HashSet<DynamicLibrary> { root };
            for (int i = 0; i < tree.Count; i++)
                foreach (DynamicLibrary needed in tree[i].Needs)
                    if (known.Add(needed)) tree.Add(needed);
            return tree;
        }
    }

    /// <summary>What is needed before what needs it; in a cycle, the one that was asked for first comes last.</summary>
    internal static List<DynamicLibrary> PostOrder(IEnumerable<DynamicLibrary> roots)
    {
        var order = new List<DynamicLibrary>();
        var known = new HashSet<DynamicLibrary>();
        var way = new Stack<(DynamicLibrary Library, int Next)>();
        foreach (DynamicLibrary root in roots)
        {
            if (!known.Add(root)) continue;
            way.Push((root, 0));
            while (way.TryPop(out (DynamicLibrary Library, int Next) here))
            {
                if (here.Next == here.Library.Needs.Count)
                {
                    order.Add(here.Library);
                    continue;
                }
                way.Push((here.Library, here.Next + 1));
                DynamicLibrary needed = here.Library.Needs[here.Next];
                if (known.Add(needed)) way.Push((needed, 0));
            }
        }
        return order;
    }

    /// <summary>Calls a function that the tools make for the loader, if the library has it.</summary>
    internal static void Run(DynamicLibrary library, string name)
    {
        if (library.Instance.TryGetExport(name, out Action? function)) function();
    }

    private void FindAllocator()
    {
        foreach (DynamicLibrary library in libraries)
        {
            if (!library.IsGlobal || !library.Instance.TryGetExport("malloc", out Func<int, int>? malloc)) continue;
            Space.Malloc = malloc;
            Space.Free = library.Instance.TryGetExport("free", out Action<int>? free) ? free : null;
            return;
        }
    }
}
