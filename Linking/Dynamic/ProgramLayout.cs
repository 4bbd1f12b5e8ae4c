using WasmJit.DynamicLinking;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>
/// The memory, table and addresses that a program is given before it is instantiated. Its imports say what it is. With <c>__memory_base</c> it is
/// position-independent: its data, those of the libraries that it needs, stack and heap are laid out for it. Memory, table and stack pointer are made
/// if it imports them, and taken from its exports otherwise.
/// </summary>
internal sealed class ProgramLayout
{
    private const ulong StackSize = 65536;

    /// <summary>Nothing lies where null points to.</summary>
    private const ulong FirstAddress = 1024;

    private const ulong PageSize = 65536;

    private readonly DynamicLibrary program;

    /// <summary>Addresses that only the loader knows, by symbol.</summary>
    private readonly Dictionary<string, ulong> addresses = [];

    private ulong end;

    /// <exception cref="DynamicLinkException">It does not fit, or there is no memory for it.</exception>
    internal ProgramLayout(DynamicLibrary program, IReadOnlyList<DynamicLibrary> needed, Imports given, GuestResources? resources)
    {
        this.program = program;
        ImportType? memory = Import(ExternKind.Memory, "memory"), table = Import(ExternKind.Table, "__indirect_function_table");
        MemoryType? type = memory?.Type.Memory ?? (program.Module.Info.Memories is [var own, ..] ? own : null);
        Is64 = type?.Is64 == true;
        Memory = memory is null ? null : given.Find("env", "memory") as Memory;
        Table = table is null ? null : given.Find("env", "__indirect_function_table") as Table;
        ImportType? stack = Import(ExternKind.Global, "__stack_pointer");
        StackPointer = stack is null ? null : given.Find("env", "__stack_pointer") as Global;
        IsRelocatable = Import(ExternKind.Global, "__memory_base") is not null;
        ulong room = Memory?.Length ?? (type?.Minimum ?? 0) * PageSize;
        end = IsRelocatable ? PlaceData(needed, memory is null ? room : ulong.MaxValue) : room;
        bool placesStack = stack is not null && StackPointer is null;
        if (placesStack) PlaceStack();
        if (IsRelocatable)
        {
            addresses["__heap_base"] = end;
            end = Align(end, PageSize);
            addresses["__heap_end"] = end;
        }
        if ((IsRelocatable || placesStack) && end > (Is64 ? long.MaxValue : uint.MaxValue - PageSize))
            throw new DynamicLinkException($"{program.Name} needs {program.Section?.MemorySize ?? 0} bytes for its data");
        Make(memory, table, resources);
    }

    /// <summary>Whether addresses have 64 bits.</summary>
    internal bool Is64 { get; }

    internal bool IsRelocatable { get; }

    /// <summary>The memory that was made for the program; null if it has its own.</summary>
    internal Memory? Memory { get; private set; }

    /// <summary>The table that was made for the program; null if it has its own.</summary>
    internal Table? Table { get; private set; }

    /// <summary>The stack pointer that was made for the program; null if it has its own.</summary>
    internal Global? StackPointer { get; private set; }

    /// <summary>An address that no library defines.</summary>
    internal ulong? Find(string symbol) => addresses.TryGetValue(symbol, out ulong address) ? address : null;

    /// <summary>Grows the program's own memory to the size that the layout needs.</summary>
    /// <exception cref="DynamicLinkException">It cannot grow.</exception>
    internal void Grow(Memory memory)
    {
        ulong pages = (end + PageSize - 1) / PageSize;
        if (pages > memory.PageCount && memory.Grow(pages - memory.PageCount) < 0)
            throw new DynamicLinkException("out of memory: the program's stack");
    }

    /// <summary>
    /// Places the program's data, and those of the libraries that it needs, below the heap: allocators take everything above for theirs.
    /// </summary>
    /// <returns>Where they end.</returns>
    private ulong PlaceData(IReadOnlyList<DynamicLibrary> needed, ulong room)
    {
        ulong size = program.Section?.MemorySize ?? 0, alignment = 1ul << (program.Section?.MemoryAlignment ?? 0);
        if (size > int.MaxValue) throw new DynamicLinkException($"{program.Name} needs {size} bytes for its data");
        // A program with a memory of its own has room for its data there, but not always for an empty beginning.
        ulong start = FirstAddress + alignment + size <= room ? Align(FirstAddress, alignment) : 0;
        program.MemoryBase = start;
        program.TableBase = 1u << (program.Section?.TableAlignment ?? 0);
        ulong at = start + size;
        foreach (DynamicLibrary library in needed)
        {
            if (library.Section!.MemorySize == 0) continue;
            at = Align(at, 1ul << library.Section.MemoryAlignment);
            library.MemoryBase = at;
            library.HasMemory = true;
            at += library.Section.MemorySize;
            if (at > int.MaxValue) throw new DynamicLinkException($"{library.Name} needs {library.Section.MemorySize} bytes for its data");
        }
        return at;
    }

    private void PlaceStack()
    {
        ulong low = Align(end, 16);
        end = low + StackSize;
        addresses["__stack_low"] = low;
        addresses["__stack_high"] = end;
        StackPointer = Is64 ? new Global(new GlobalType(ValType.I64, IsMutable: true), (long)end)
            : new Global(new GlobalType(ValType.I32, IsMutable: true), (int)(uint)end);
    }

    private void Make(ImportType? memory, ImportType? table, GuestResources? resources)
    {
        try
        {
            if (memory is not null && Memory is null)
            {
                Memory = new Memory(memory.Type.Memory with
                {
                    Minimum = Math.Max(memory.Type.Memory.Minimum, (end + PageSize - 1) / PageSize),
                }, program.Module.Shared.Placement, resources);
            }
            else if (Memory is not null)
            {
                Grow(Memory);
            }
            if (table is not null && Table is null)
            {
                Table = new Table(table.Type.Table with
                {
                    Minimum = Math.Max(table.Type.Table.Minimum, (ulong)program.TableBase + (program.Section?.TableSize ?? 0)),
                }, null, default, resources);
            }
        }
        catch (InsufficientMemoryException e)
        {
            throw new DynamicLinkException($"out of memory: {e.Message}", e);
        }
        catch (ResourceLimitException e)
        {
            throw new DynamicLinkException($"limit reached: {e.Message}", e);
        }
    }

    private ImportType? Import(ExternKind kind, string name) =>
        program.Module.Imports.FirstOrDefault(i => i.Type.Kind == kind && i.Module == "env" && i.Name == name);

    private static ulong Align(ulong address, ulong alignment) => (address + alignment - 1) & ~(alignment - 1);
}
