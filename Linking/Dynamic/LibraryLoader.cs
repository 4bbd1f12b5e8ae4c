namespace WasmJit.Linking;

/// <summary>
/// Loads a library with all that it needs and is not loaded yet: finds them, settles every symbol, and only then makes
/// instances. What fails leaves nothing behind.
/// </summary>
internal sealed class LibraryLoader(DynamicLinker linker, ModuleCompiler compiler)
{
    private readonly List<DynamicLibrary> fresh = [];
    private readonly Dictionary<string, DynamicLibrary> freshByPath = [];
    private readonly Dictionary<DynamicLibrary, ImportBinder> binders = [];

    internal DynamicLibrary Load(string name, DynamicLibrary? caller, OpenModes mode)
    {
        if (linker.Loaded(name, caller) is { } known) return known;
        if (mode.HasFlag(OpenModes.NoLoad)) throw new DynamicLinkException($"{name} is not loaded");
        DynamicLibrary root = Discover(name, caller);
        DiscoverNeeded();
        List<DynamicLibrary> tree = linker.Tree(root);
        foreach (DynamicLibrary library in fresh) library.Scope = tree;
        Link(fresh, mode.HasFlag(OpenModes.Lazy) && !mode.HasFlag(OpenModes.Now));
        return root;
    }

    /// <summary>Loads what the program needs, and the program before all of it.</summary>
    internal void LoadProgram(DynamicLibrary program, IEnumerable<string> preload, Action<ImportBinder> instantiate)
    {
        foreach (string name in preload.Concat(program.Section?.Needed ?? []))
        {
            DynamicLibrary needed = Find(name, program) ?? Discover(name, program);
            if (!program.Needs.Contains(needed)) program.Needs.Add(needed);
        }
        DiscoverNeeded();
        List<DynamicLibrary> tree = linker.Tree(program);
        program.Scope = tree;
        foreach (DynamicLibrary library in fresh)
        {
            library.Scope = tree;
            library.IsGlobal = library.IsPinned = true;
        }
        var binder = new ImportBinder(linker, program, isLazy: false);
        instantiate(binder);
        linker.Add(program);
        binders[program] = binder;
        Link(fresh, isLazy: false);
        DynamicLinker.Run(program, program.Section is null ? "" : "__wasm_apply_data_relocs");
    }

    private DynamicLibrary? Find(string name, DynamicLibrary? asking) =>
        linker.Loaded(name, asking) ?? fresh.FirstOrDefault(l => linker.IsNamed(l, name, asking));

    private DynamicLibrary Discover(string name, DynamicLibrary? asking)
    {
        (Module module, string path) = linker.FindModule(name, asking, compiler, freshByPath)
            ?? throw new DynamicLinkException(asking is null || asking == linker.Program
                ? $"{name}: there is no such library" : $"{asking.Name} needs {name}: there is no such library");
        // Another name for what is there already.
        if (linker.LoadedAt(path) is { } loaded) return loaded;
        if (freshByPath.TryGetValue(path, out DynamicLibrary? found)) return found;
        var library = new DynamicLibrary(linker, module, name, path);
        if (library.Section is null) throw new DynamicLinkException($"{name} is no shared library: it has no dylink.0 section");
        fresh.Add(library);
        freshByPath[path] = library;
        linker.CheckCount(fresh.Count);
        return library;
    }

    private void DiscoverNeeded()
    {
        for (int i = 0; i < fresh.Count; i++)
        {
            DynamicLibrary library = fresh[i];
            foreach (string name in library.Section!.Needed)
            {
                DynamicLibrary needed = Find(name, library) ?? Discover(name, library);
                if (!library.Needs.Contains(needed)) library.Needs.Add(needed);
            }
        }
    }

    private void Link(List<DynamicLibrary> added, bool isLazy)
    {
        List<DynamicLibrary> order = [.. DynamicLinker.PostOrder(added).Where(added.Contains)];
        try
        {
            foreach (DynamicLibrary library in order) binders[library] = new ImportBinder(linker, library, isLazy);
            foreach (DynamicLibrary library in order) Instantiate(library);
            foreach (ImportBinder binder in binders.Values) binder.Complete();
            foreach (DynamicLibrary library in order) DynamicLinker.Run(library, "__wasm_apply_data_relocs");
        }
        catch
        {
            try
            {
                linker.Unload(order);
            }
            catch (TrapException)
            {
                // Of the allocator that was to take the memory back. Why loading failed is what the caller wants to know.
            }
            throw;
        }
        foreach (DynamicLibrary library in order) linker.Add(library);
    }

    private void Instantiate(DynamicLibrary library)
    {
        DylinkSection section = library.Section!;
        library.MemoryBase = linker.Space.Allocate(section.MemorySize, section.MemoryAlignment, out uint block);
        library.MemoryBlock = block;
        library.TableBase = linker.Space.AllocateSlots(section.TableSize, section.TableAlignment);
        library.HasSlots = true;
        try
        {
            compiler.Pay(Linker.CostOf(library.Module.Info));
            library.Instance = Linker.Instantiate(library.Module, binders[library].Values(), linker.Program.Instance.FuelTank, linker.Program.Instance.Resources);
        }
        catch (LinkException e)
        {
            throw new DynamicLinkException($"{library.Name}: {e.Message}", e);
        }
        linker.Space.Scan(library.TableBase, section.TableSize);
    }
}
