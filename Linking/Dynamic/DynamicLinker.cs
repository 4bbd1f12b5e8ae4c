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
    private bool isLinked;

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
    /// <see cref="Initialise"/> does the rest.
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
        lock (gate)
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
    public void Initialise()
    {
        lock (gate)
        {
            DynamicLibrary program = Program;
            if (program.IsInitialised) return;
            program.IsInitialised = true;
            // They were linked in the order of need.
            Construct([.. libraries.Where(l => l != program)]);
            bool initialisesItself = program.Defines("_start", ExternKind.Func) || program.Defines("_initialize", ExternKind.Func);
            if (program.Section is not null && !initialisesItself) Run(program, "__wasm_call_ctors");
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
        lock (gate)
        {
            if (!isLinked) throw new DynamicLinkException("the program is not linked yet");
            Initialise();
            var loader = new LibraryLoader(this, new ModuleCompiler(Program.Module.Engine, quota));
            DynamicLibrary library = loader.Load(name, caller, mode);
            library.OpenCount++;
            if (mode.HasFlag(OpenModes.NoDelete)) library.IsPinned = true;
            if (mode.HasFlag(OpenModes.Global))
            {
                foreach (DynamicLibrary each in Tree(library)) each.IsGlobal = true;
                foreach (DynamicLibrary each in libraries) FillOffsets(each);
            }
            Construct(PostOrder([library]));
            return library;
        }
    }

    /// <summary>
    /// Closes a library once. When nobody has it open any more, and no other library uses it, its destructors run and it is
    /// unloaded: its memory goes back to the program's allocator, its slots of the table become null.
    /// </summary>
    /// <param name="library">The library.</param>
    /// <exception cref="InvalidOperationException">It is not open.</exception>
    /// <exception cref="TrapException">A destructor traps.</exception>
    public void Close(DynamicLibrary library)
    {
        lock (gate)
        {
            if (library.OpenCount == 0) throw new InvalidOperationException($"{library.Name} is not open.");
            library.OpenCount--;
            Sweep();
        }
    }

    /// <summary>Calls what libraries have registered for the program's end, last first. A program that ends itself does it.</summary>
    /// <exception cref="TrapException">A destructor traps.</exception>
    public void RunDestructors()
    {
        lock (gate)
        {
            for (int i = libraries.Count - 1; i >= 0; i--) RunAtExit(libraries[i]);
        }
    }

    /// <summary>A library and all that it needs, itself first, then by distance: where its symbols are looked for.</summary>
    internal List<DynamicLibrary> Tree(DynamicLibrary root)
    {
        lock (gate)
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

    private void Construct(IEnumerable<DynamicLibrary> order)
    {
        foreach (DynamicLibrary library in order)
        {
            if (library.IsInitialised) continue;
            library.IsInitialised = true;
            library.IsBusy = true;
            try
            {
                Run(library, "__wasm_call_ctors");
            }
            finally
            {
                library.IsBusy = false;
            }
        }
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

    /// <summary>Unloads what nobody has open and nothing that stays uses.</summary>
    private void Sweep()
    {
        var stays = new HashSet<DynamicLibrary>();
        var rest = new Stack<DynamicLibrary>(libraries.Where(l => l.IsPinned || l.OpenCount > 0 || l.IsBusy));
        while (rest.TryPop(out DynamicLibrary? library))
        {
            if (!stays.Add(library)) continue;
            foreach (DynamicLibrary other in library.Needs) rest.Push(other);
            foreach (DynamicLibrary other in library.Bound) rest.Push(other);
        }
        List<DynamicLibrary> gone = [.. libraries.Where(l => !stays.Contains(l))];
        if (gone.Count == 0) return;
        gone.Reverse();
        libraries.RemoveAll(l => !stays.Contains(l));
        try
        {
            foreach (DynamicLibrary library in gone) RunAtExit(library);
        }
        finally
        {
            foreach (DynamicLibrary library in gone) Unload(library);
        }
    }

    /// <summary>Gives back what a library has.</summary>
    internal void Unload(DynamicLibrary library)
    {
        library.IsLoaded = false;
        if (library.Handle != 0) handles.Remove(library.Handle);
        uint slots = library.Section!.TableSize;
        if (library.Instance is not null) Space.Forget(library.Instance, library.TableBase, slots);
        if (library.HasSlots) Space.ReleaseSlots(library.TableBase, slots);
        Space.Release(library.MemoryBlock);
        library.Got.Clear();
        library.Bound.Clear();
    }

    private void RunAtExit(DynamicLibrary library)
    {
        while (library.AtExit.Count > 0)
        {
            (uint function, int argument, bool hasArgument) = library.AtExit[^1];
            library.AtExit.RemoveAt(library.AtExit.Count - 1);
            FuncRef func = (FuncRef?)Space.Table.Get(function) ?? throw Trap.Make(TrapKind.UninitializedElement, $"{function}");
            if (hasArgument && func.Delegate is Action<int> withArgument) withArgument(argument);
            else if (!hasArgument && func.Delegate is Action without) without();
            else throw Trap.Make(TrapKind.IndirectCallTypeMismatch);
        }
    }
}
