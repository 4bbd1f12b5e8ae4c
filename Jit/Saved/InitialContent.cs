using WasmJit.Jit.Binary;

namespace WasmJit.Jit.Saved;

/// <summary>What the active data segments of a module make of its memory, so that a file with it can be mapped: a program may have tens of thousands of segments.</summary>
/// <param name="Memory">The index of the memory.</param>
/// <param name="Address">Where the bytes begin; a multiple of <see cref="WasmJit.Memory.OsPage"/>, as their number is.</param>
/// <param name="Bytes">The bytes.</param>
internal sealed record InitialContent(int Memory, ulong Address, byte[] Bytes)
{
    /// <summary>The fewest bytes: fewer are copied sooner than mapped.</summary>
    private const ulong Least = 1 << 20;

    /// <summary>How many times as large as all segments together the content may be, with the room between them.</summary>
    private const ulong MostSpread = 2;

    /// <summary>The most bytes, which with the module must fit into an array.</summary>
    private const ulong MostBytes = int.MaxValue / 2;

    /// <summary>Runs the segments.</summary>
    /// <returns>Null if a file with the content would not be of use, or if what the segments do is not known before the module has an instance.</returns>
    internal static InitialContent? Of(ModuleInfo info)
    {
        ulong first = ulong.MaxValue, end = 0, count = 0;
        int memory = -1;
        foreach (DataInfo data in Active(info))
        {
            if (memory < 0) memory = (int)data.Memory;
            if (data.Memory != memory || AddressOf(info, data) is not { } at) return null;
            (first, end, count) = (Math.Min(first, at), Math.Max(end, at + (ulong)data.Length), count + (ulong)data.Length);
        }
        // Memories of others have contents already, and those that are shared have other threads.
        if (memory < info.ImportedMemories) return null;
        MemoryType type = info.Memories[memory];
        if (type.Is64 || type.IsShared || type.PageSizeLog2 != 16 || end > type.Minimum << 16) return null;
        first &= ~(WasmJit.Memory.OsPage - 1);
        ulong length = WasmJit.Memory.Align(end) - first;
        if (length < Least || length > MostSpread * count || length > MostBytes) return null;
        var bytes = new byte[length];
        foreach (DataInfo data in Active(info)) info.Bytes.Span.Slice(data.Start, data.Length).CopyTo(bytes.AsSpan((int)(AddressOf(info, data)!.Value - first)));
        return new InitialContent(memory, first, bytes);
    }

    private static IEnumerable<DataInfo> Active(ModuleInfo info)
    {
        for (int i = 0; i < info.Datas.Count; i++)
            if (info.Datas[i].Mode == SegmentMode.Active) yield return info.Datas[i];
    }

    private static ulong? AddressOf(ModuleInfo info, DataInfo data) =>
        ConstExpr.LengthOfConstant(info.Bytes.Span[data.Where.Start..data.Where.End], out int at) == data.Where.End - data.Where.Start ? (uint)at : null;
}
