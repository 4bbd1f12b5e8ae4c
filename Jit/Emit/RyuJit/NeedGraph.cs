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

    /// <summary>One more than the number of a load, by its instruction.</summary>
    private int[] loadAt = [];

    /// <summary>The number of the load that an instruction is; -1 of other instructions.</summary>
    internal int LoadAt(int node) => loadAt[node] - 1;

    /// <summary>All instructions in their order.</summary>
    internal List<int> Order { get; } = [];

    /// <summary>Where labels are in the order.</summary>
    internal int[] MarkAt { get; private set; } = [];

    internal List<NeedBlock> Blocks { get; } = [];

    /// <summary>The blocks that begin with labels.</summary>
    internal int[] BlockOfLabel { get; private set; } = [];

    private readonly List<int> blockStarts = [];

    /// <summary>The locals that needs go through: what is stored to them needs something, or they say which way a branch went.</summary>
    private readonly List<int> followed = [];

    /// <summary>One more than the number of a followed local, by the local.</summary>
    private int[] followedAt = [];

    /// <summary>How many locals are followed.</summary>
    internal int Followed => followed.Count;

    /// <summary>Needs go through a local.</summary>
    internal void Follow(int local)
    {
        if (local >= followedAt.Length) Array.Resize(ref followedAt, Math.Max(local + 1, ArgBase + 16));
        if (followedAt[local] != 0) return;
        followed.Add(local);
        followedAt[local] = followed.Count;
    }

    /// <summary>The number of a local among those that needs go through; -1 if they do not.</summary>
    internal int FollowedAs(int local) => local < followedAt.Length ? followedAt[local] - 1 : -1;

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
        if (loadAt.Length < il.NodeCount) loadAt = new int[il.NodeCount * 2];
        for (int i = 0; i < loads.Count; i++) loadAt[loads[i].Node] = i + 1;
    }

    internal void End()
    {
        foreach ((int node, _) in Loads) loadAt[node] = 0;
        Il = null!;
        Loads = null!;
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
        foreach (int local in followed) followedAt[local] = 0;
        followed.Clear();
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
