using WasmJit.Jit.Il;

namespace WasmJit.Jit.Emit;

/// <summary>
/// The finished IL of a function as blocks of what <see cref="NeedReader"/> found, which <see cref="NeedProof"/> goes through backwards. It is used
/// again for the next function: most are small, and guests that make code make many.
/// </summary>
internal sealed class NeedGraph
{
    private readonly Stack<NeedBlock> spare = [];

    internal IlBuffer Il { get; private set; } = null!;

    /// <summary>The instructions that load more than a byte without a check, and their widths.</summary>
    internal List<(int Node, int Width)> Loads { get; private set; } = null!;

    /// <summary>The number of a load, by its instruction.</summary>
    internal Dictionary<int, int> LoadAt { get; } = [];

    /// <summary>All instructions in their order.</summary>
    internal List<int> Order { get; } = [];

    /// <summary>Where labels are in the order.</summary>
    internal int[] MarkAt { get; private set; } = [];

    internal List<NeedBlock> Blocks { get; } = [];

    /// <summary>The blocks that begin with labels.</summary>
    internal int[] BlockOfLabel { get; private set; } = [];

    private readonly List<int> blockStarts = [];

    /// <summary>The locals that needs go through: what is stored to them needs something, or they say which way a branch went.</summary>
    internal Dictionary<int, int> Followed { get; } = [];

    /// <summary>Each read of a local, by the number that needs have for it.</summary>
    internal List<int> Reads { get; } = [];

    /// <summary>Locals have their numbers, arguments those behind them.</summary>
    internal int ArgBase { get; private set; }

    internal void Begin(IlBuffer il, List<(int Node, int Width)> loads)
    {
        Il = il;
        Loads = loads;
        ArgBase = il.Locals.Count;
        if (MarkAt.Length < il.LabelCount)
        {
            MarkAt = new int[il.LabelCount * 2];
            BlockOfLabel = new int[il.LabelCount * 2];
        }
        for (int i = 0; i < loads.Count; i++) LoadAt[loads[i].Node] = i;
    }

    internal void End()
    {
        Il = null!;
        Loads = null!;
        LoadAt.Clear();
        Order.Clear();
        Clear();
    }

    /// <summary>Forgets what was found in the instructions.</summary>
    internal void Clear()
    {
        foreach (NeedBlock block in Blocks)
        {
            block.Clear();
            spare.Push(block);
        }
        Blocks.Clear();
        blockStarts.Clear();
        Followed.Clear();
        Reads.Clear();
    }

    internal NeedBlock AddBlock(int start)
    {
        if (!spare.TryPop(out NeedBlock? block)) block = new NeedBlock();
        Blocks.Add(block);
        blockStarts.Add(start);
        return block;
    }

    /// <summary>The block in which an instruction of the order is.</summary>
    internal int BlockAt(int position)
    {
        int found = blockStarts.BinarySearch(position);
        return found >= 0 ? found : ~found - 1;
    }

    internal int LocalOf(in IlBuffer.Node n) => n.Form == IlBuffer.Form.Arg ? ArgBase + (int)n.Number : (int)n.Number;

    /// <summary>The load or local that a need is one of.</summary>
    internal (bool IsLoad, int Index) Source(int need) =>
        (Need)(need & 3) == Need.Load ? (true, need >> 2) : (false, Reads[need >> 2]);
}
