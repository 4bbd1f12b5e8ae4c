using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>
/// The room of a program that libraries share: its memory, through its own <c>malloc</c> if it exports one, and its table.
/// Whatever a guest's allocator returns is checked before it is used.
/// </summary>
internal sealed class GuestSpace
{
    private const uint Page = 65536;

    private readonly List<(uint Base, uint Size)> freeSlots = [];
    private readonly Dictionary<FuncRef, uint> indices = new(ReferenceEqualityComparer.Instance);
    private uint chunk, chunkEnd;

    private readonly Table? table;

    internal GuestSpace(Memory memory, Table? table)
    {
        if (memory.Type.Is64 || memory.Type.PageSizeLog2 != 16 || table?.Type.Is64 == true)
            throw new DynamicLinkException("dynamic linking is for 32-bit programs");
        // The linker puts functions of any type into it, and null. C's tools make no other.
        if (table is not null && table.Type.Element != ValType.FuncRef)
            throw new DynamicLinkException($"__indirect_function_table must be a table of funcref, not of {table.Type.Element}");
        Memory = memory;
        this.table = table;
    }

    internal Memory Memory { get; }

    /// <exception cref="DynamicLinkException">The program exports none.</exception>
    internal Table Table => table ?? throw new DynamicLinkException(
        "the program exports no __indirect_function_table (the linker's option --export-table does it)");

    /// <summary>The program's allocator, if it has one for all to use.</summary>
    internal Func<int, int>? Malloc { get; set; }

    internal Action<int>? Free { get; set; }

    /// <summary>Takes zeroed memory.</summary>
    /// <param name="size">How much.</param>
    /// <param name="alignment">Its alignment as a power of two.</param>
    /// <param name="block">What to give back; 0 if nobody takes it.</param>
    /// <exception cref="DynamicLinkException">There is none.</exception>
    internal uint Allocate(uint size, int alignment, out uint block)
    {
        block = 0;
        if (size == 0) return 0;
        uint mask = (1u << alignment) - 1;
        ulong wanted = (ulong)size + mask;
        if (wanted > int.MaxValue) throw NoMemory(size);
        uint room = Malloc is { } malloc ? block = (uint)malloc((int)wanted) : Grow((uint)wanted);
        uint address = (room + mask) & ~mask;
        if (room == 0 || address < room || (ulong)address + size > Memory.Length) throw NoMemory(size);
        Memory.Slice(address, (int)size).Clear();
        GC.KeepAlive(Memory);
        return address;
    }

    /// <summary>Gives memory back, if the program has an allocator that takes it.</summary>
    internal void Release(uint block)
    {
        if (block != 0) Free?.Invoke((int)block);
    }

    /// <summary>Takes memory that nobody else has: new pages, from which small pieces are cut.</summary>
    private uint Grow(uint size)
    {
        chunk = (chunk + 15) & ~15u;
        if (chunkEnd - Math.Min(chunk, chunkEnd) < size)
        {
            uint pages = (size + Page - 1) / Page;
            long before = Memory.Grow(pages);
            if (before < 0) throw NoMemory(size);
            chunk = (uint)(before * Page);
            chunkEnd = (uint)Math.Min((ulong)chunk + (pages * (ulong)Page), uint.MaxValue);
        }
        uint at = chunk;
        chunk += size;
        return at;
    }

    private static DynamicLinkException NoMemory(uint size) => new($"out of memory: {size} bytes for a library");

    /// <summary>Takes slots of the table, all null.</summary>
    /// <exception cref="DynamicLinkException">The table cannot grow so far.</exception>
    internal uint AllocateSlots(uint size, int alignment)
    {
        if (size == 0) return 0;
        uint mask = (1u << alignment) - 1;
        for (int i = 0; i < freeSlots.Count; i++)
        {
            (uint from, uint room) = freeSlots[i];
            uint aligned = (from + mask) & ~mask, end = from + room;
            if (aligned >= end || end - aligned < size) continue;
            freeSlots.RemoveAt(i);
            AddFree(from, aligned - from);
            AddFree(aligned + size, end - aligned - size);
            return aligned;
        }
        uint old = (uint)Table.Size, start = (old + mask) & ~mask;
        if (Table.GrowCore((ulong)(start - old) + size, null) != old)
            throw new DynamicLinkException($"the table cannot grow by {size} elements (the linker's option --growable-table lets it)");
        AddFree(old, start - old);
        return start;
    }

    private void AddFree(uint from, uint size)
    {
        if (size > 0) freeSlots.Add((from, size));
    }

    /// <summary>Gives slots back. Calls through old pointers trap from now on, until the slots are used again.</summary>
    internal void ReleaseSlots(uint from, uint size)
    {
        if (size == 0) return;
        Table.Fill(from, null, size);
        AddFree(from, size);
    }

    /// <summary>Notes which functions are in a part of the table, so that each keeps one index.</summary>
    internal void Scan(uint from, uint count)
    {
        FuncRef[] funcs = Table.Funcs;
        for (uint i = from; i < Math.Min((ulong)from + count, (ulong)Table.Size); i++)
            if (!ReferenceEquals(funcs[i], FuncRef.Empty)) indices.TryAdd(funcs[i], i);
    }

    /// <summary>The index of a function, the same for all who ask.</summary>
    internal uint IndexOf(FuncRef func)
    {
        if (indices.TryGetValue(func, out uint index) && index < (uint)Table.Size && ReferenceEquals(Table.Funcs[index], func)) return index;
        index = AllocateSlots(1, 0);
        Table.Set(index, func);
        indices[func] = index;
        return index;
    }

    /// <summary>Forgets the functions of a library that goes, and takes them out of the slots that were made for them.</summary>
    internal void Forget(Instance instance, uint from, uint size)
    {
        List<KeyValuePair<FuncRef, uint>> gone = [.. indices.Where(i => ReferenceEquals(i.Key.Context, instance))];
        foreach ((FuncRef func, uint index) in gone)
        {
            indices.Remove(func);
            if (index - from < size) continue;
            if (index < (uint)Table.Size && ReferenceEquals(Table.Funcs[index], func)) ReleaseSlots(index, 1);
        }
    }
}
