using WasmJit.Linking;
using WasmJit.Runtime;

namespace WasmJit;

/// <summary>The program: what it gives to all, or what it must be given because it is position-independent.</summary>
public sealed partial class DynamicLinker
{
    private const uint StackSize = 65536;

    /// <summary>Nothing lies where null points to.</summary>
    private const uint FirstAddress = 1024;

    private const ulong PageSize = 65536;

    private void LoadProgram(DynamicLibrary program, Fuel? fuel, Action<Instance>? beforeStart)
    {
        var loader = new LibraryLoader(this, new ModuleCompiler(program.Module.Engine, null));
        GuestResources? resources = program.Module.Engine.NewResources();
        Memory? memory = null;
        Table? table = null;
        if (program.Section is not null) (memory, table) = Prepare(program, program.Section, resources);
        programTable = table;
        loader.LoadProgram(program, options.Preload, binder =>
        {
            if (memory is not null) space = new GuestSpace(memory, table);
            try
            {
                Linker.Instantiate(program.Module, binder.Values(), fuel, resources, Made);
            }
            catch (LinkException e)
            {
                throw new DynamicLinkException($"{program.Name}: {e.Message}", e);
            }
        });

        // Before its start function runs, which may do anything.
        void Made(Instance instance)
        {
            program.Instance = instance;
            if (memory is null && !program.Instance.TryGetExport("memory", out memory))
                throw new DynamicLinkException($"{program.Name} exports no memory");
            if (table is null) program.Instance.TryGetExport("__indirect_function_table", out table);
            space ??= new GuestSpace(memory, table);
            if (program.Section is not null) GrowTo(memory, layout["__heap_base"]);
            if (stackPointer is null && program.Instance.TryGetExport("__stack_pointer", out Global? stack)) stackPointer = stack;
            if (table is not null) space.Scan(0, (uint)table.Size);
            if (program.Section is null) FindAllocatorOf(program);
            beforeStart?.Invoke(instance);
        }
    }

    private void FindAllocatorOf(DynamicLibrary program)
    {
        if (program.Instance.TryGetExport("malloc", out Func<int, int>? malloc)) Space.Malloc = malloc;
        if (program.Instance.TryGetExport("free", out Action<int>? free)) Space.Free = free;
    }

    /// <summary>Lays a position-independent program out: data, stack, heap.</summary>
    private (Memory? Memory, Table? Table) Prepare(DynamicLibrary program, DylinkSection section, GuestResources? resources)
    {
        ImportType? memoryImport = Import(program, ExternKind.Memory, "memory"), tableImport = Import(program, ExternKind.Table, "__indirect_function_table");
        ulong own = memoryImport is null && program.Module.Info.Memories.Count > 0 ? program.Module.Info.Memories[0].Minimum * PageSize : ulong.MaxValue;
        uint mask = (1u << section.MemoryAlignment) - 1;
        // A program with a memory of its own has room for its data there, but not always for an empty beginning.
        uint start = (ulong)FirstAddress + mask + section.MemorySize <= own ? (FirstAddress + mask) & ~mask : 0;
        ulong stackLow = ((ulong)start + section.MemorySize + 15) & ~15ul, stackHigh = stackLow + StackSize;
        if (stackHigh > int.MaxValue) throw new DynamicLinkException($"{program.Name} needs {section.MemorySize} bytes for its data");
        program.MemoryBase = start;
        program.TableBase = 1u << section.TableAlignment;
        layout["__stack_low"] = (uint)stackLow;
        layout["__stack_high"] = layout["__heap_base"] = (uint)stackHigh;
        layout["__heap_end"] = (uint)((stackHigh + PageSize - 1) / PageSize * PageSize);
        stackPointer = new Global(new GlobalType(ValType.I32, IsMutable: true), (int)stackHigh);
        try
        {
            Memory? memory = memoryImport is null ? null : new Memory(memoryImport.Type.Memory with
            {
                Minimum = Math.Max(memoryImport.Type.Memory.Minimum, layout["__heap_end"] / PageSize),
            }, program.Module.Shared.Placement, resources);
            Table? table = tableImport is null ? null : new Table(
                tableImport.Type.Table with { Minimum = Math.Max(tableImport.Type.Table.Minimum, (ulong)program.TableBase + section.TableSize) },
                null, default, resources);
            return (memory, table);
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

    private static ImportType? Import(DynamicLibrary program, ExternKind kind, string name) =>
        program.Module.Imports.FirstOrDefault(i => i.Type.Kind == kind && i.Module == "env" && i.Name == name);

    private static void GrowTo(Memory memory, uint end)
    {
        ulong pages = (end + PageSize - 1) / PageSize;
        if (pages > memory.PageCount && memory.Grow(pages - memory.PageCount) < 0)
            throw new DynamicLinkException("out of memory: the program's stack");
    }
}
