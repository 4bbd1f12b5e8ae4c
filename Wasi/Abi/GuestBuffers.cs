using System.Runtime.InteropServices;

namespace WasmJit.Wasi;

/// <summary>
/// A scatter/gather list of the guest, or one buffer of the host. A guest's is read once and checked as a whole before the first byte moves. So a list with a bad entry has no effect,
/// and a guest's other threads cannot change it in between.
/// </summary>
internal readonly ref struct GuestBuffers
{
    /// <summary>The longest list, as on Linux.</summary>
    internal const int Most = 1024;

    private readonly GuestMemory memory;
    private readonly ReadOnlySpan<Entry> items;
    private readonly Span<byte> single;

    /// <summary>One buffer that is not in a guest's memory.</summary>
    internal GuestBuffers(Span<byte> single)
    {
        this.single = single;
        Length = 1;
    }

    /// <param name="memory">Where list and buffers are.</param>
    /// <param name="list">The list's address.</param>
    /// <param name="storage">Room for the list: <see cref="Count"/> elements.</param>
    internal GuestBuffers(GuestMemory memory, int list, Span<Entry> storage)
    {
        this.memory = memory;
        memory.Array(list, storage.Length, 8).CopyTo(MemoryMarshal.AsBytes(storage));
        ulong total = 0;
        foreach (Entry item in storage)
        {
            memory.Window(item.Address, item.Size);
            total += item.Size;
        }
        // The number of bytes moved is a result of 32 bits.
        if (total > uint.MaxValue) throw new WasiError(Errno.Inval);
        items = storage;
        Length = storage.Length;
    }

    internal int Length { get; }

    internal Span<byte> this[int index] => items.IsEmpty ? single : memory.Window(items[index].Address, items[index].Size);

    /// <summary>The number of entries, checked.</summary>
    internal static int Count(int count) => count is >= 0 and <= Most ? count : throw new WasiError(Errno.Inval);

    internal readonly record struct Entry(uint Address, uint Size);
}
