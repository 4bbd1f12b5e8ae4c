using System.Runtime.CompilerServices;
using WasmJit.Linking;
using WasmJit.Runtime;

namespace WasmJit.DynamicLinking;

/// <summary>
/// A dynamic linker for one program in C, C++ or the like. It loads shared libraries in the convention of the tools (the custom section
/// <c>dylink.0</c>) into the program's memory and table, with the libraries that they need. The host asks for them, or the guest through
/// <c>dlopen</c>, <c>dlsym</c>, <c>dlclose</c> and <c>dlerror</c>. Libraries come from a <see cref="ModuleNamespace"/> and nowhere else.
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
    private readonly LibrarySearch search;
    private GuestSpace? space;
    private Global? stackPointer;
    private readonly List<DynamicThread> threads = [];

    /// <summary>Threads that have ended, and whose memory is to be freed.</summary>
    private readonly List<ThreadImage> retired = [];
    private bool isLinked, isLoading;

    /// <summary>Threads are being brought up to date, which they are not if libraries or addresses have changed.</summary>
    private bool isUpdating, areThreadsBehind;

    /// <summary>The fuel of the calling thread.</summary>
    internal Fuel? CurrentFuel => (Space.CurrentThread?.InstanceOf(Program) ?? Program.Instance).FuelTank;

    /// <summary>The price of a further thread: its instances.</summary>
    internal ulong CostOfThread => Map.Libraries.Aggregate(0UL, (sum, library) => sum + Linker.CostOf(library.Module.Info));

    /// <summary>Makes a linker.</summary>
    /// <param name="libraries">Where libraries are.</param>
    /// <param name="options">How they are found; the defaults if null.</param>
    public DynamicLinker(ModuleNamespace libraries, DynamicLinkerOptions? options = null)
    {
        this.options = options ?? new DynamicLinkerOptions();
        search = new LibrarySearch(libraries, this.options.LibraryPath);
        Functions = new DlFunctions(this, Map);
        Symbols = new SymbolResolver(this, Map, Functions);
    }

    /// <summary>The program.</summary>
    /// <exception cref="InvalidOperationException">It has not been instantiated.</exception>
    public DynamicLibrary Program => Map.Program ?? throw new InvalidOperationException("The program has not been instantiated.");

    /// <summary>The memory that all share.</summary>
    /// <exception cref="InvalidOperationException">The program has not been instantiated.</exception>
    public Memory Memory => Space.Memory;

    /// <summary>The program and the libraries that are loaded, in the order of loading.</summary>
    public IReadOnlyList<DynamicLibrary> Libraries
    {
        get
        {
            lock (gate) return [.. Map.Libraries];
        }
    }

    internal GuestSpace Space => space ?? throw new InvalidOperationException("The program has not been instantiated.");

    internal LinkMap Map { get; } = new();

    internal DlFunctions Functions { get; }

    internal SymbolResolver Symbols { get; }

    /// <summary>Sees each library before its symbols are looked up, for hosts that make functions for what it imports.</summary>
    internal Action<Module>? BeforeLinking { get; set; }

    /// <summary>Whether the program's addresses have 64 bits.</summary>
    internal bool Is64 => Symbols.Layout?.Is64 == true;

    internal ValType AddressType => Is64 ? ValType.I64 : ValType.I32;

    /// <summary>The memory for libraries that import it. If it was made for the program, it may be needed before the program is there.</summary>
    internal Memory SharedMemory => Symbols.Layout?.Memory ?? Space.Memory;

    internal Table SharedTable => Symbols.Layout?.Table ?? Space.Table;

    internal Global StackPointer => stackPointer ?? throw new DynamicLinkException(
        "the program exports no __stack_pointer (the linker's option --export=__stack_pointer does it)");

    /// <summary>A global that holds an address.</summary>
    internal Global MakeAddress(ulong address, bool isMutable) =>
        new(new GlobalType(AddressType, isMutable), Is64 ? (object)(long)address : (int)(uint)address);

    /// <summary>
    /// Instantiates the program and the libraries that it needs. Nothing of them has run when this returns:
    /// <see cref="Initialize"/> does the rest.
    /// </summary>
    /// <param name="program">
    /// The program: one that is not position-independent and exports <c>memory</c>, <c>__indirect_function_table</c>,
    /// <c>__stack_pointer</c> and its symbols; or a position-independent one, which imports what it needs of these.
    /// </param>
    /// <param name="imports">
    /// Other imports of program and libraries: WASI for instance. The linker gives the four functions of dlopen.
    /// </param>
    /// <param name="fuel">Fuel for program and libraries, if the engine counts.</param>
    /// <param name="resources">Resources that their memories, tables and instances count in; null for the engine's options.</param>
    /// <exception cref="DynamicLinkException">The program, or a library that it needs, cannot be linked.</exception>
    /// <exception cref="TrapException">A segment does not fit, or a start function traps.</exception>
    /// <exception cref="InvalidOperationException">The linker has a program already.</exception>
    public Instance Instantiate(Module program, Imports? imports = null, Fuel? fuel = null, GuestResources? resources = null) =>
        InstantiateFor(null, program, imports, fuel, resources);

    /// <summary>The same, for hosts that must know the program before a start function calls them.</summary>
    internal Instance InstantiateFor(Action<Instance>? beforeStart, Module program, Imports? imports, Fuel? fuel, GuestResources? resources)
    {
        if (fuel is not null && !program.CountsFuel) throw Module.NothingCounts();
        using (Enter())
        {
            if (Map.Program is not null) throw new InvalidOperationException("The linker has a program already.");
            Symbols.Host = imports ?? [];
            var library = new DynamicLibrary(program, program.Name ?? "program", "") { IsGlobal = true, IsPinned = true };
            Map.Program = library;
            try
            {
                LoadProgram(library, fuel, resources ?? program.Engine.NewResources(), beforeStart);
            }
            catch
            {
                Map.Clear();
                Symbols.Clear();
                Functions.Clear();
                space = null;
                stackPointer = null;
                throw;
            }
            isLinked = true;
            return library.Instance;
        }
    }

    private void LoadProgram(DynamicLibrary program, Fuel? fuel, GuestResources? resources, Action<Instance>? beforeStart)
    {
        new LibraryLoader(this, Map, search, new ModuleCompiler(program.Module, null, null)).LoadProgram(
            program, options.Preload, options.IsLazy, Prepare, Make);

        void Prepare(IReadOnlyList<DynamicLibrary> needed)
        {
            Symbols.Layout = new ProgramLayout(program, needed, Symbols.Host, resources);
            stackPointer = Symbols.Layout.StackPointer;
        }

        void Make(object[] values)
        {
            try
            {
                Linker.Instantiate(program.Module, values, fuel, resources, Made);
            }
            catch (LinkException e)
            {
                throw new DynamicLinkException($"{program.Name}: {e.Message}", e);
            }
        }

        // Before its start function runs, which may do anything.
        void Made(Instance instance)
        {
            program.Instance = instance;
            ProgramLayout layout = Symbols.Layout!;
            Memory memory = layout.Memory ?? (instance.TryGetExport("memory", out Memory? own) ? own
                : throw new DynamicLinkException($"{program.Name} exports no memory"));
            space = new GuestSpace(memory, layout.Table ?? (instance.TryGetExport("__indirect_function_table", out Table? table) ? table : null));
            layout.Grow(memory);
            if (stackPointer is null && instance.TryGetExport("__stack_pointer", out Global? stack)) stackPointer = stack;
            stackPointer ??= Symbols.Host.Find("env", "__stack_pointer") as Global;
            if (space.HasTable) space.Scan(0, (uint)space.Table.Size);
            // A position-independent program has no data yet that its allocator could work with.
            if (!layout.IsRelocatable) space.UseAllocator(instance);
            beforeStart?.Invoke(instance);
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
                Construct([.. Map.Libraries.Where(l => l.IsPinned && l != program)]);
                bool initialisesItself = program.Defines("_start", ExternKind.Func) || program.Defines("_initialize", ExternKind.Func);
                if (program.Section is not null && !initialisesItself) program.RunConstructors();
            }
            catch
            {
                // Another call goes on with those that have not run.
                program.IsInitialised = false;
                throw;
            }
            foreach (DynamicLibrary library in Map.Globals.Prepend(program))
                if (Space.UseAllocator(library.Instance)) break;
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
    /// <exception cref="ModuleException">The file is not a valid module.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The path leads out of the namespace.</exception>
    /// <exception cref="TrapException">A segment does not fit, or a constructor traps.</exception>
    public DynamicLibrary Open(string name, OpenModes mode = OpenModes.Now) => Open(name, mode, null, null);

    /// <summary>Opens for the host, or for a library that calls <c>dlopen</c>, and whose quota then holds.</summary>
    internal DynamicLibrary Open(string name, OpenModes mode, DynamicLibrary? caller, LinkingQuota? quota)
    {
        using (Enter())
        {
            if (!isLinked) throw new DynamicLinkException("the program is not linked yet");
            if (isLoading || isUpdating) throw new DynamicLinkException($"{name} cannot be opened by code that runs while another library is loaded");
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
                promoted = Map.MakeGlobal(LinkMap.Tree(library));
                if (promoted.Count > 0) FillOffsets(caller is null ? null : Program.Instance.FuelTank);
                areThreadsBehind |= promoted.Count > 0;
            }
            try
            {
                Construct(LinkMap.PostOrder([library]));
                UpdateThreads();
                if (sweepsAgain) Sweep();
            }
            catch
            {
                // As if it had not been opened.
                Map.MakeLocal(promoted);
                library.IsPinned = wasPinned;
                if (library.OpenCount > 0) library.OpenCount--;
                SweepAfterFailure();
                throw;
            }
            if (!library.IsLoaded) throw new DynamicLinkException($"{name} was closed by its own constructors");
            return library;
        }
    }

    /// <summary>Looks for what libraries lacked. A guest pays for each name: it may ask again and again.</summary>
    private void FillOffsets(Fuel? fuel)
    {
        foreach (DynamicLibrary each in Map.Libraries)
        {
            Fuel.Pay(fuel, (ulong)each.Got.Count);
            Symbols.FillOffsets(each);
        }
    }

    /// <summary>
    /// Makes a further thread of the program: stack, thread-local variables and instances of its own, the same memory. Libraries that are
    /// opened later are there, too.
    /// </summary>
    /// <param name="stackSize">The bytes of its stack.</param>
    /// <exception cref="DynamicLinkException">The program, or a library, was not made for threads; or there is no memory.</exception>
    /// <exception cref="TrapException">A start function traps.</exception>
    public DynamicThread CreateThread(int stackSize = 65536)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(stackSize);
        using (Enter())
        {
            if (!isLinked) throw new DynamicLinkException("the program is not linked yet");
            if (!Memory.Type.IsShared) throw new DynamicLinkException($"{Program.Name} has no shared memory");
            if (isUpdating) throw new DynamicLinkException("no thread can be made by code that runs while threads are made or libraries loaded");
            Initialize();
            ReleaseRetired();
            // The new thread copies all of the table, and nothing again of what was there before.
            UpdateTables();
            DynamicThread thread;
            isUpdating = true;
            try
            {
                thread = new DynamicThread(this, new ThreadImage(this, stackSize & ~15));
            }
            finally
            {
                isUpdating = false;
            }
            threads.Add(thread);
            try
            {
                if (sweepsAgain) Sweep();
            }
            catch
            {
                Remove(thread);
                throw;
            }
            return thread;
        }
    }

    internal void Remove(DynamicThread thread)
    {
        threads.Remove(thread);
        thread.Image.GiveBackFuel();
        thread.Image.Release();
    }

    /// <summary>Takes a thread that has ended out of the list. Its memory is freed later.</summary>
    internal void Retire(DynamicThread thread)
    {
        threads.Remove(thread);
        thread.Image.GiveBackFuel();
        retired.Add(thread.Image);
    }

    private void ReleaseRetired()
    {
        List<ThreadImage> ended = [.. retired];
        retired.Clear();
        foreach (ThreadImage image in ended) image.Release();
    }

    /// <summary>Libraries are loaded, and their constructors run, in the instances of the first thread.</summary>
    /// <exception cref="DynamicLinkException">The calling thread is another.</exception>
    internal void CheckMayLoad()
    {
        if (Space.IsOnOtherThread) throw new DynamicLinkException("only the first thread of a program opens and closes libraries");
    }

    /// <summary>
    /// Tells threads what has been loaded, unloaded and put into the table. Code of the guest that runs meanwhile opens no libraries and makes no threads, and
    /// what it closes stays until this has been done.
    /// </summary>
    private void UpdateThreads()
    {
        if (isUpdating) return;
        isUpdating = true;
        try
        {
            if (areThreadsBehind)
            {
                // A host function may end a thread meanwhile.
                foreach (DynamicThread thread in threads.ToList())
                    if (threads.Contains(thread)) thread.Image.Update();
            }
            areThreadsBehind = false;
        }
        finally
        {
            isUpdating = false;
        }
        UpdateTables();
    }

    /// <summary>Tells threads what has been put into the table. No code of the guest runs.</summary>
    internal void UpdateTables()
    {
        if (isUpdating) return;
        foreach (DynamicThread thread in threads)
            foreach ((uint from, uint count) in Space.Changes) thread.Image.CopyTable(from, count);
        Space.Changes.Clear();
    }

    /// <summary>Loads a library. Code of the guest that runs meanwhile, such as its allocator, sees the link map as it was.</summary>
    private DynamicLibrary Load(string name, OpenModes mode, DynamicLibrary? caller, LinkingQuota? quota)
    {
        isLoading = true;
        try
        {
            ReleaseRetired();
            var loader = new LibraryLoader(this, Map, search, new ModuleCompiler(Program.Module, quota, caller is null ? null : Program.Instance.FuelTank));
            DynamicLibrary library = loader.Load(name, caller, mode);
            areThreadsBehind |= loader.HasLoaded;
            loader.PayForThreads(threads.Count);
            UpdateThreads();
            return library;
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

    internal void CheckCount(int more)
    {
        if (Map.Libraries.Count + more > options.MaximumLibraries + 1)
            throw new DynamicLinkException($"more than {options.MaximumLibraries} libraries");
    }
}
