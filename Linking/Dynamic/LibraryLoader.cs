using WasmJit.DynamicLinking;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>
/// Loads a library with all libraries that it needs and that are not loaded yet. It finds them, settles every symbol, and only then makes instances.
/// A failure leaves nothing behind.
/// </summary>
internal sealed class LibraryLoader(DynamicLinker linker, LinkMap map, LibrarySearch search, ModuleCompiler compiler)
{
    private readonly List<DynamicLibrary> fresh = [];
    private readonly Dictionary<string, DynamicLibrary> freshByPath = [];
    private readonly Dictionary<DynamicLibrary, ImportBinder> binders = [];

    /// <summary>Whether there are libraries that were not there before.</summary>
    internal bool HasLoaded => fresh.Count > 0;

    /// <summary>Charges for the instances of further threads.</summary>
    internal void PayForThreads(int count)
    {
        foreach (DynamicLibrary library in fresh) compiler.Pay((ulong)count * Linker.CostOf(library.Module.Info));
    }

    internal DynamicLibrary Load(string name, DynamicLibrary? caller, OpenModes mode)
    {
        if (Known(name, caller) is { } known) return known;
        if (mode.HasFlag(OpenModes.NoLoad)) throw new DynamicLinkException($"{name} is not loaded");
        DynamicLibrary root = Discover(name, caller);
        DiscoverNeeded();
        List<DynamicLibrary> tree = LinkMap.Tree(root);
        foreach (DynamicLibrary library in fresh) library.Scope = tree;
        Link(fresh, mode.HasFlag(OpenModes.Lazy) && !mode.HasFlag(OpenModes.Now));
        return root;
    }

    /// <summary>Loads what the program needs, and the program before all of it.</summary>
    /// <param name="program">The program.</param>
    /// <param name="preload">Libraries that are loaded with it, and asked for symbols before those that it needs.</param>
    /// <param name="isLazy">Whether functions may be missing until they are called.</param>
    /// <param name="prepare">Sees the libraries that are going to be loaded.</param>
    /// <param name="instantiate">Makes the program's instance.</param>
    internal void LoadProgram(
        DynamicLibrary program, IEnumerable<string> preload, bool isLazy, Action<IReadOnlyList<DynamicLibrary>> prepare, Action<object[]> instantiate)
    {
        foreach (string name in preload.Concat(program.Section?.Needed ?? []))
        {
            DynamicLibrary needed = Known(name, program) ?? Discover(name, program);
            if (!program.Needs.Contains(needed)) program.Needs.Add(needed);
        }
        DiscoverNeeded();
        List<DynamicLibrary> tree = LinkMap.Tree(program);
        program.Scope = tree;
        map.MakeGlobal(tree.Skip(1));
        foreach (DynamicLibrary library in fresh)
        {
            library.Scope = tree;
            library.IsPinned = true;
        }
        prepare(fresh);
        var binder = new ImportBinder(linker, program, isLazy);
        if (!binder.HasTags) throw new DynamicLinkException($"{program.Name} imports a tag that a library defines, which is made after it: the program must define it");
        instantiate(binder.Values(compiler));
        map.Add(program);
        binders[program] = binder;
        Link(fresh, isLazy);
        if (program.Section is not null) program.ApplyRelocations();
    }

    /// <summary>A library that is loaded, or about to be.</summary>
    private DynamicLibrary? Known(string name, DynamicLibrary? asking)
    {
        string? path = LibrarySearch.PathOf(name, asking);
        return map.Libraries.Concat(fresh).FirstOrDefault(l => l != map.Program && (path is null ? l.Name == name : l.Path == path));
    }

    private DynamicLibrary Discover(string name, DynamicLibrary? asking)
    {
        (Module module, string path) = search.Find(name, asking, compiler, At)
            ?? throw new DynamicLinkException(asking is null || asking == map.Program
                ? $"{name}: there is no such library" : $"{asking.Name} needs {name}: there is no such library");
        // Another name for what is there already.
        if (At(path) is { } known) return known;
        var library = new DynamicLibrary(module, name, path);
        if (library.Section is null) throw new DynamicLinkException($"{name} is not a shared library: it has no dylink.0 section");
        fresh.Add(library);
        freshByPath[path] = library;
        linker.CheckCount(fresh.Count);
        return library;
    }

    private DynamicLibrary? At(string path) => map.LoadedAt(path) ?? freshByPath.GetValueOrDefault(path);

    private void DiscoverNeeded()
    {
        for (int i = 0; i < fresh.Count; i++)
        {
            DynamicLibrary library = fresh[i];
            foreach (string name in library.Section!.Needed)
            {
                // A thousand libraries can name a thousand each, and each name is compared with all.
                CancellationScope.ThrowIfStopped();
                compiler.Pay(1 + ((ulong)(map.Libraries.Count + fresh.Count) / 8));
                DynamicLibrary needed = Known(name, library) ?? Discover(name, library);
                if (!library.Needs.Contains(needed)) library.Needs.Add(needed);
            }
        }
    }

    private void Link(List<DynamicLibrary> added, bool isLazy)
    {
        List<DynamicLibrary> order = [.. LinkMap.PostOrder(added).Where(added.Contains)];
        try
        {
            foreach (DynamicLibrary library in order)
            {
                // Each import is looked for in all libraries.
                compiler.Pay((ulong)library.Module.Info.Imports.Count * (1 + ((ulong)order.Count + (ulong)map.Libraries.Count) / 8));
                linker.BeforeLinking?.Invoke(library.Module);
                binders[library] = new ImportBinder(linker, library, isLazy);
            }
            Instantiate(order);
            foreach (ImportBinder binder in binders.Values) binder.Complete();
            foreach (DynamicLibrary library in order) library.ApplyRelocations();
        }
        catch
        {
            try
            {
                linker.Unload(order);
            }
            catch (TrapException)
            {
                // This is a failure of the allocator that was to free the memory. The caller wants to know why loading failed.
            }
            throw;
        }
        foreach (DynamicLibrary library in order) map.Add(library);
    }

    /// <summary>
    /// Makes the instances, in the order of need. What another one is to define later can stand for a function, but not for a tag: the library that defines a
    /// tag comes before those that import it.
    /// </summary>
    /// <exception cref="DynamicLinkException">Libraries import tags of one another.</exception>
    private void Instantiate(List<DynamicLibrary> order)
    {
        List<DynamicLibrary> rest = [.. order];
        while (rest.Count > 0)
        {
            int next = rest.FindIndex(l => binders[l].HasTags);
            if (next < 0) throw new DynamicLinkException($"{rest[0].Name}: its tags are defined by libraries that import tags of its own");
            DynamicLibrary library = rest[next];
            rest.RemoveAt(next);
            Instantiate(library);
        }
    }

    private void Instantiate(DynamicLibrary library)
    {
        DylinkSection section = library.Section!;
        if (library.HasMemory)
        {
            linker.Space.Clear(library.MemoryBase, section.MemorySize);
        }
        else
        {
            library.MemoryBase = linker.Space.Allocate(section.MemorySize, section.MemoryAlignment, out ulong block);
            library.MemoryBlock = block;
        }
        library.TableBase = linker.Space.AllocateSlots(section.TableSize, section.TableAlignment);
        library.HasSlots = true;
        try
        {
            compiler.Pay(Linker.CostOf(library.Module.Info));
            library.Instance = Linker.Instantiate(library.Module, binders[library].Values(compiler), linker.Program.Instance.FuelTank, linker.Program.Instance.Resources);
        }
        catch (LinkException e)
        {
            throw new DynamicLinkException($"{library.Name}: {e.Message}", e);
        }
        linker.Space.Scan(library.TableBase, section.TableSize);
    }
}
