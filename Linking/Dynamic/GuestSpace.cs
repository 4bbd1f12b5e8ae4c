using WasmJit.DynamicLinking;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>
/// The room of a program that libraries share: its memory, through its own <c>malloc</c> if it exports one, and its table. Results of a guest's
/// allocator are checked before they are used.
/// </summary>
internal sealed class GuestSpace
{
    private const ulong Page = 65536;

    /// <summary>Slots that are free, in order; no two of these parts touch.</summary>
    private readonly List<(uint Base, uint Size)> freeSlots = [];

    private readonly Dictionary<FuncRef, uint> indices = new(ReferenceEqualityComparer.Instance);

    /// <summary>Slots once given out for an undefined symbol. They now hold the defined function, which also has an index of its own.</summary>
    private readonly Dictionary<uint, FuncRef> aliases = [];
    private ulong chunk, chunkEnd;

    private readonly Table? table;

    internal GuestSpace(Memory memory, Table? table)
    {
        if (memory.Type.PageSizeLog2 != 16 || (table?.Type.Is64 == true && !memory.Type.Is64))
            throw new DynamicLinkException("dynamic linking is for programs as C's tools make them: pages of 64 KiB, and table indices no wider than addresses");
        // The linker puts functions of any type into it, and null. C's tools make no other.
        if (table is not null && table.Type.Element != ValType.FuncRef)
            throw new DynamicLinkException($"__indirect_function_table must be a table of funcref, not of {table.Type.Element}");
        Memory = memory;
        this.table = table;
    }

    internal Memory Memory { get; }

    /// <summary>Whether addresses have 64 bits.</summary>
    internal bool Is64 => Memory.Type.Is64;

    /// <exception cref="DynamicLinkException">The program exports none.</exception>
    internal Table Table => table ?? throw new DynamicLinkException(
        "the program exports no __indirect_function_table (the linker's option --export-table does it)");

    internal bool HasTable => table is not null;

    /// <summary>The parts of the table that the linker has changed. Who has copied them to the tables of threads clears the list.</summary>
    internal List<(uint From, uint Count)> Changes { get; } = [];

    /// <summary>The allocator that all use, if there is one; and the library that has it.</summary>
    private Allocator? allocator;
    private Instance? allocating;

    /// <summary>On a thread that the program has made: its space, and the program's allocator as that thread runs it.</summary>
    [ThreadStatic]
    private static (GuestSpace Space, Allocator? Allocator, ThreadImage Image)? ofThread;

    internal sealed record Allocator(Func<ulong, ulong> Malloc, Action<ulong>? Free);

    /// <summary>Whether the calling thread is one that the program has made, and not its first.</summary>
    internal bool IsOnOtherThread => CurrentThread is not null;

    /// <summary>The calling thread, if it is such a one.</summary>
    internal ThreadImage? CurrentThread => ofThread is { } other && other.Space == this ? other.Image : null;

    private Allocator? Current => ofThread is { } other && other.Space == this ? other.Allocator : allocator;

    /// <summary>Takes the allocator of a library, or of the program, if it has one.</summary>
    internal bool UseAllocator(Instance instance)
    {
        if (AllocatorOf(instance) is not { } found) return false;
        (allocator, allocating) = (found, instance);
        return true;
    }

    private Allocator? AllocatorOf(Instance instance)
    {
        if (Is64)
        {
            return instance.TryGetExport("malloc", out Func<long, long>? wide) ? new Allocator(
                size => (ulong)wide((long)size),
                instance.TryGetExport("free", out Action<long>? wideFree) ? address => wideFree((long)address) : null) : null;
        }
        return instance.TryGetExport("malloc", out Func<int, int>? malloc) ? new Allocator(
            size => (uint)malloc((int)(uint)size),
            instance.TryGetExport("free", out Action<int>? free) ? address => free((int)(uint)address) : null) : null;
    }

    /// <summary>
    /// Runs a thread of the program. Meanwhile what it allocates for the linker comes from its own instances: those of the first thread have the first
    /// thread's stack.
    /// </summary>
    /// <param name="image">The instances of the thread.</param>
    /// <param name="run">What it does.</param>
    internal void RunThread(ThreadImage image, Action run)
    {
        ofThread = (this, allocating is not null && image.TwinOf(allocating) is { } own ? AllocatorOf(own) : null, image);
        try
        {
            run();
        }
        finally
        {
            ofThread = null;
        }
    }

    /// <summary>Takes zeroed memory.</summary>
    /// <param name="size">How much.</param>
    /// <param name="alignment">Its alignment as a power of two.</param>
    /// <param name="block">The block to free; 0 if it cannot be freed.</param>
    /// <exception cref="DynamicLinkException">The guest has no memory left.</exception>
    internal ulong Allocate(ulong size, int alignment, out ulong block)
    {
        block = 0;
        if (size == 0) return 0;
        ulong mask = (1ul << alignment) - 1, wanted = size + mask;
        if (size > int.MaxValue || wanted > int.MaxValue) throw NoMemory(size);
        ulong room = Current is { } current ? block = current.Malloc(wanted) : Grow(wanted);
        ulong address = (room + mask) & ~mask;
        if (room == 0 || address < room || address > ulong.MaxValue - size || address + size > Memory.Length) throw NoMemory(size);
        Clear(address, size);
        return address;
    }

    /// <summary>Fills existing memory with zeros.</summary>
    internal void Clear(ulong address, ulong size)
    {
        // Up to 2 GiB, page by page for the first time.
        const ulong piece = 4 << 20;
        for (ulong done = 0; done < size; done += piece)
        {
            CancellationScope.ThrowIfStopped();
            Memory.Slice(address + done, (int)Math.Min(piece, size - done)).Clear();
        }
        GC.KeepAlive(Memory);
    }

    /// <summary>Frees memory, if the program has an allocator that takes it.</summary>
    internal void Release(ulong block)
    {
        if (block != 0) Current?.Free?.Invoke(block);
    }

    /// <summary>Takes memory that is not in use: new pages, from which small pieces are cut.</summary>
    private ulong Grow(ulong size)
    {
        chunk = (chunk + 15) & ~15ul;
        if (chunkEnd - Math.Min(chunk, chunkEnd) < size)
        {
            ulong pages = (size + Page - 1) / Page;
            long before = Memory.Grow(pages);
            if (before < 0) throw NoMemory(size);
            chunk = (ulong)before * Page;
            chunkEnd = chunk + (pages * Page);
            // In 32 bits the address behind the last byte cannot be said.
            if (!Is64) chunkEnd = Math.Min(chunkEnd, uint.MaxValue);
        }
        ulong at = chunk;
        chunk += size;
        return at;
    }

    private static DynamicLinkException NoMemory(ulong size) => new($"out of memory: {size} bytes for a library");

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
        // What is free at the end is used, too.
        uint old = (uint)Table.Size, first = freeSlots is [.., var (last, free)] && last + free == old ? last : old, start = (first + mask) & ~mask;
        uint more = start + size - old;
        if (Table.GrowCore(more, null) != old)
            throw new DynamicLinkException($"the table cannot grow by {more} elements (the linker's option --growable-table lets it)");
        if (first < old) freeSlots.RemoveAt(freeSlots.Count - 1);
        AddFree(first, start - first);
        return start;
    }

    /// <summary>Joins neighbours: a library may be larger than each of those that have gone.</summary>
    private void AddFree(uint from, uint size)
    {
        if (size == 0) return;
        int at = freeSlots.FindIndex(s => s.Base > from) is >= 0 and var found ? found : freeSlots.Count;
        if (at < freeSlots.Count && from + size == freeSlots[at].Base)
        {
            size += freeSlots[at].Size;
            freeSlots.RemoveAt(at);
        }
        if (at > 0 && freeSlots[at - 1] is var (before, room) && before + room == from) freeSlots[at - 1] = (before, room + size);
        else freeSlots.Insert(at, (from, size));
    }

    /// <summary>Frees slots. Calls through old pointers trap from now on, until the slots are used again.</summary>
    internal void ReleaseSlots(uint from, uint size)
    {
        if (size == 0) return;
        // Operators of guests do this in pieces; here it is done at once, so that stopping the guest cannot leave a library half unloaded. It takes 10 ms at most.
        Table.Funcs.AsSpan((int)from, (int)size).Fill(FuncRef.Empty);
        Changes.Add((from, size));
        AddFree(from, size);
    }

    /// <summary>Notes which functions are in a part of the table, so that each keeps one index.</summary>
    internal void Scan(uint from, uint count)
    {
        if (count == 0) return;
        Changes.Add((from, count));
        FuncRef[] funcs = Table.Funcs;
        for (uint i = from; i < Math.Min((ulong)from + count, (ulong)Table.Size); i++)
            if (!ReferenceEquals(funcs[i], FuncRef.Empty)) indices.TryAdd(funcs[i], i);
    }

    /// <summary>The function at an index of the table, if there is one.</summary>
    internal FuncRef? FunctionAt(ulong index) => table is not null && index < (ulong)table.Size ? (FuncRef?)table.Get(index) : null;

    /// <summary>The index of a function: one for each function.</summary>
    internal uint IndexOf(FuncRef func)
    {
        if (KnownIndexOf(func) is { } known) return known;
        uint index = AllocateSlots(1, 0);
        Put(index, func);
        return index;
    }

    private uint? KnownIndexOf(FuncRef func) =>
        indices.TryGetValue(func, out uint index) && index < (uint)Table.Size && ReferenceEquals(Table.Funcs[index], func) ? index : null;

    private void Put(uint index, FuncRef func)
    {
        Table.Set(index, func);
        Changes.Add((index, 1));
        indices[func] = index;
    }

    /// <summary>
    /// Puts a definition into the slot that stood for it. Pointers that were taken before lead to it from now on. If the function has an index
    /// already, new pointers are that index.
    /// </summary>
    internal uint Define(uint slot, FuncRef func)
    {
        indices.Remove(Table.Funcs[slot]);
        if (KnownIndexOf(func) is not { } known)
        {
            Put(slot, func);
            return slot;
        }
        Table.Set(slot, func);
        Changes.Add((slot, 1));
        aliases[slot] = func;
        return known;
    }

    /// <summary>Forgets a function that is unloaded, and takes it out of the slot that was made for it.</summary>
    internal void Forget(FuncRef func)
    {
        if (indices.Remove(func, out uint index) && index < (uint)Table.Size && ReferenceEquals(Table.Funcs[index], func)) ReleaseSlots(index, 1);
    }

    /// <summary>Forgets the functions of a library that is unloaded, and takes them out of the slots that were made for them.</summary>
    internal void Forget(Instance instance, uint from, uint size)
    {
        List<KeyValuePair<FuncRef, uint>> gone = [.. indices.Where(i => ReferenceEquals(i.Key.Context, instance))];
        foreach ((FuncRef func, uint index) in gone)
        {
            indices.Remove(func);
            if (index - from < size) continue;
            if (index < (uint)Table.Size && ReferenceEquals(Table.Funcs[index], func)) ReleaseSlots(index, 1);
        }
        foreach ((uint index, FuncRef func) in aliases)
        {
            if (!ReferenceEquals(func.Context, instance)) continue;
            aliases.Remove(index);
            if (ReferenceEquals(Table.Funcs[index], func)) ReleaseSlots(index, 1);
        }
    }
}
