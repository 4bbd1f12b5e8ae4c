using WasmJit.DynamicLinking;
using WasmJit.Jit.Binary;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>
/// Program and libraries once more, for another thread: instances over the same memory, with a stack, thread-local variables and a table of their
/// own. Nothing is resolved again: each import is that of the first thread's instance, or its counterpart here. Data are there already, and
/// constructors have run.
/// </summary>
internal sealed class ThreadImage
{
    private readonly DynamicLinker linker;
    private readonly Dictionary<DynamicLibrary, Part> parts = [];

    /// <summary>The instance here for one of the first thread.</summary>
    private readonly Dictionary<object, Instance> twins = new(ReferenceEqualityComparer.Instance);

    /// <summary>The stack pointer of all its instances: the one that the program exports, or imports.</summary>
    private Global stackPointer;
    private readonly ulong stackBlock;
    private readonly object stackTop;
    private Table? table;

    /// <exception cref="DynamicLinkException">The program was not made for threads, or there is no memory.</exception>
    internal ThreadImage(DynamicLinker linker, int stackSize)
    {
        this.linker = linker;
        ulong stack = linker.Space.Allocate((ulong)stackSize, 4, out stackBlock);
        stackPointer = linker.MakeAddress(stack + (ulong)stackSize, isMutable: true);
        stackTop = stackPointer.Value!;
        try
        {
            Update();
            if (linker.Space.HasTable) CopyTable(0, (uint)linker.Space.Table.Size);
        }
        catch
        {
            Release();
            throw;
        }
    }

    /// <summary>What its <c>dlerror</c> has to tell.</summary>
    internal DlError Error { get; } = new();

    /// <summary>The instance of a library here.</summary>
    internal Instance InstanceOf(DynamicLibrary library) => parts[library].Instance;

    /// <summary>The instance here for one of the first thread, if there is one.</summary>
    internal Instance? TwinOf(Instance first) => twins.GetValueOrDefault(first);

    /// <summary>The address of a variable as this thread sees it.</summary>
    internal ulong AddressOf(DynamicLibrary library, string name) => library.AddressOf(name, InstanceOf(library));

    /// <summary>The thread does not run any more.</summary>
    internal void GiveBackFuel()
    {
        foreach (Part part in parts.Values) part.Instance.FuelTank?.GiveBack();
    }

    /// <summary>Frees the thread's part of the memory.</summary>
    internal void Release()
    {
        foreach (Part part in parts.Values) linker.Space.Release(part.Block);
        parts.Clear();
        twins.Clear();
        linker.Space.Release(stackBlock);
        linker.Space.Release(Error.Block);
    }

    /// <summary>
    /// Brings it up to date with the libraries that have come or gone. Code of the guest runs meanwhile: its allocator, and start functions. The linker
    /// lets it change nothing that is read here.
    /// </summary>
    internal void Update()
    {
        foreach (DynamicLibrary gone in parts.Keys.Where(l => !l.IsLoaded).ToList())
        {
            parts.Remove(gone, out Part? part);
            part!.Instance.FuelTank?.GiveBack();
            twins.Remove(gone.Instance);
            linker.Space.Release(part.Block);
        }
        GrowTable();
        // The program comes first, though the libraries that it needs stand before it: they use its table and its stack pointer.
        List<DynamicLibrary> added = [.. linker.Map.Libraries.Where(l => !parts.ContainsKey(l)).OrderBy(l => l != linker.Map.Program)];
        foreach (DynamicLibrary library in added) Add(library);
        foreach (DynamicLibrary library in added) Connect(library);
        foreach ((DynamicLibrary library, Part part) in parts)
            foreach ((GotEntry entry, Global own) in part.Offsets) own.Value = OffsetOf(library, entry);
    }

    private void Add(DynamicLibrary library)
    {
        ModuleInfo info = library.Module.Info;
        if (info.Datas.Any(d => d.Mode == SegmentMode.Active && d.Length > 0))
            throw new DynamicLinkException($"{library.Name} was not linked for threads: each instance of it writes its data again");
        if (info.Memories.Count > info.ImportedMemories)
            throw new DynamicLinkException($"{library.Name} was not linked for threads: each instance of it has another memory (the linker's option --import-memory lets them share one)");
        Instance first = library.Instance;
        var offsets = new List<(GotEntry, Global)>();
        var values = new object[info.Imports.Count];
        for (int i = 0; i < values.Length; i++) values[i] = Import(library, first, info.Imports[i], offsets);
        Instance instance;
        try
        {
            // The whole, so that the instance gets a share of its own. Its start code runs now, on this thread; the share of another instance may be in use on another.
            instance = Linker.Instantiate(library.Module, values, first.FuelTank?.Whole, first.GuestLimits);
        }
        catch (LinkException e)
        {
            throw new DynamicLinkException($"{library.Name}: {e.Message}", e);
        }
        if (library == linker.Map.Program)
        {
            if (linker.Space.HasTable && table is null) table = (Table)instance.FindInternal("__indirect_function_table")!;
            GrowTable();
            if (instance.FindInternal("__stack_pointer") is Global { Type.IsMutable: true } stack && stack.Type.Type == linker.AddressType && stack != stackPointer)
            {
                stack.Value = stackTop;
                stackPointer = stack;
            }
        }
        ulong block = 0, size = library.ThreadLocalSize, address = size == 0 ? 0 : linker.Space.Allocate(size, library.ThreadLocalAlignment, out block);
        // From here on it is this thread's, and freed with the library: what comes next may trap.
        twins[first] = instance;
        parts[library] = new Part(instance, offsets, block);
        if (size > 0) DynamicLibrary.InitialiseThreadLocals(instance, address);
    }

    private object Import(DynamicLibrary library, Instance first, ImportInfo import, List<(GotEntry, Global)> offsets)
    {
        switch (import.Type.Kind)
        {
            case ExternKind.Func: return Twin(library, import, first.GetFunc(import.Index));
            case ExternKind.Memory: return first.Memories[import.Index];
            case ExternKind.Tag: return first.Tags[import.Index];
            case ExternKind.Table when import is { Module: "env", Name: "__indirect_function_table" }: return table ??= NewTable();
            case ExternKind.Table: return first.Tables[import.Index];
            case ExternKind.Global when import is { Module: "env", Name: "__stack_pointer" }: return stackPointer;
            case ExternKind.Global:
                Global given = first.Globals[import.Index];
                if (library.Offsets.Find(o => o.IsIn(given)) is not { } entry) return given;
                var own = new Global(given.Type, given.Value);
                offsets.Add((entry, own));
                return own;
            default: throw new DynamicLinkException($"{library.Name}: {import.Names} cannot be imported by a thread");
        }
    }

    private Table NewTable()
    {
        Table main = linker.Space.Table;
        try
        {
            return new Table(main.Type with { Minimum = (ulong)main.Size }, null, default, linker.Program.Instance.GuestLimits);
        }
        catch (ResourceLimitException e)
        {
            throw new DynamicLinkException($"limit reached: {e.Message}", e);
        }
    }

    /// <summary>The function here for one of the first thread; it stays as it is while there is no instance for it.</summary>
    private FuncRef Twin(FuncRef func) => func.Context is not null && twins.TryGetValue(func.Context, out Instance? twin) ? twin.GetFunc(func.Index) : func;

    private FuncRef Twin(DynamicLibrary library, ImportInfo import, FuncRef func) => LazyFunction.IsOne(func)
        ? new LazyFunction(linker, library, import.Name!, import.Type.Def, Twin).Make() : Twin(func);

    /// <summary>Puts functions of instances that came later in the place of the first thread's.</summary>
    private void Connect(DynamicLibrary library)
    {
        Instance instance = parts[library].Instance;
        foreach (ImportInfo import in library.Module.Info.Imports)
            if (import.Type.Kind == ExternKind.Func && instance.Funcs[import.Index] is { } func) instance.Funcs[import.Index] = HostFunctions.ForCaller(Twin(func), instance);
    }

    /// <summary>Libraries have the same part of the table in all threads.</summary>
    private void GrowTable()
    {
        if (table is null || linker.Space.Table.Size <= table.Size) return;
        if (table.GrowCore((ulong)(linker.Space.Table.Size - table.Size), null) < 0) throw new DynamicLinkException("the table of a thread cannot grow");
    }

    /// <summary>Puts this thread's functions in the places of the first thread's, in a part of the table. Other parts may be the thread's own.</summary>
    internal void CopyTable(uint from, uint count)
    {
        if (table is null) return;
        GrowTable();
        Table main = linker.Space.Table;
        for (uint i = from; i < from + count; i++)
        {
            if ((i & 0xffff) == 0xffff) CancellationScope.ThrowIfStopped();
            FuncRef func = main.Funcs[i];
            table.Set(i, ReferenceEquals(func, FuncRef.Empty) ? null : Twin(func));
        }
    }

    /// <summary>An entry of an offset table is the first thread's, unless the variable is thread-local.</summary>
    private object? OffsetOf(DynamicLibrary library, GotEntry entry)
    {
        if (!entry.IsFunction && linker.Map.Definer(library, entry.Name, ExternKind.Global) is { } definer && definer.IsThreadLocal(entry.Name))
            return linker.MakeAddress(AddressOf(definer, entry.Name), isMutable: false).Value;
        return entry.Value;
    }

    private sealed record Part(Instance Instance, List<(GotEntry Entry, Global Own)> Offsets, ulong Block);
}
