namespace WasmJit.Jit.Emit;

/// <summary>
/// Proves backwards which loads are needed whole: from what cannot be left out, through expressions and locals, on all paths; or on one of several that the JIT
/// cannot choose among.
/// </summary>
internal sealed class NeedProof(NeedGraph graph)
{
    /// <summary>Functions with more bits in all are not followed from block to block.</summary>
    private const long MostBits = 64 << 20;
    private const int MostSweeps = 12;
    private bool[] isNeeded = [];

    /// <summary>Whether a load is needed whole for certain.</summary>
    internal bool IsNeeded(int load) => isNeeded[load];

    /// <summary>Proves what it can.</summary>
    internal void Prove()
    {
        if (isNeeded.Length < graph.Loads.Count) isNeeded = new bool[graph.Loads.Count * 2];
        Array.Clear(isNeeded);
        isExtending = false;
        for (int i = 0; i < graph.Blocks.Count; i++)
        {
            List<int> successors = graph.Blocks[i].Successors;
            for (int j = 0; j < successors.Count; j++)
                if (successors[j] < 0) successors[j] = graph.BlockOfLabel[~successors[j]];
        }
        MarkEndless();
        MarkEnds();
        if (readNeeds.Length < graph.Reads.Count) readNeeds = new byte[graph.Reads.Count * 2];
        Array.Clear(readNeeds);
        int words = ((graph.Followed * 2) + 63) / 64;
        bool converges = (long)words * 64 * graph.Blocks.Count <= MostBits && Sweep(words);
        var needed = new ulong[words];
        for (int i = graph.Blocks.Count - 1; i >= 0; i--)
        {
            if (converges) Out(graph.Blocks[i], needed);
            else Array.Clear(needed);
            Back(graph.Blocks[i], needed, converges, isLast: true);
        }
    }

    /// <summary>Code that comes to no way out needs nothing of what would be behind it.</summary>
    private void MarkEndless()
    {
        // Without a way back all ways end.
        bool loops = false;
        for (int i = 0; i < graph.Blocks.Count && !loops; i++)
            foreach (int next in graph.Blocks[i].Successors) loops |= next <= i;
        if (!loops) return;
        var before = new List<int>[graph.Blocks.Count];
        for (int i = 0; i < before.Length; i++) before[i] = [];
        for (int i = 0; i < graph.Blocks.Count; i++)
            foreach (int next in graph.Blocks[i].Successors)
                if (next < before.Length) before[next].Add(i);
        var ends = new bool[graph.Blocks.Count];
        for (int i = 0; i < graph.Blocks.Count; i++)
            if (graph.Blocks[i].Leaves && graph.Blocks[i].Successors.Count == 0) work.Push(i);
        while (work.TryPop(out int block))
        {
            if (ends[block]) continue;
            ends[block] = true;
            foreach (int previous in before[block]) work.Push(previous);
        }
        for (int i = 0; i < graph.Blocks.Count; i++)
            if (!ends[i]) graph.Blocks[i].Successors.Clear();
    }

    /// <summary>
    /// Finds blocks that the JIT cannot merge with what follows: they end with a branch whose direction it cannot know, or the next block has
    /// another predecessor that is reached for certain.
    /// </summary>
    private void MarkEnds()
    {
        if (graph.Blocks.Count == 1) return;
        if (comes.Length < graph.Blocks.Count)
        {
            comes = new int[graph.Blocks.Count * 2];
            from = new int[graph.Blocks.Count * 2];
        }
        Array.Clear(comes);
        Array.Clear(from);
        work.Push(0);
        while (work.TryPop(out int at))
        {
            NeedBlock block = graph.Blocks[at];
            if (block.IsReached) continue;
            block.IsReached = true;
            if (block.MayEnd || (block.Successors.Count > 1 && !block.Splits)) continue;
            foreach (int next in block.Successors)
            {
                if (from[next] == at + 1) continue;
                from[next] = at + 1;
                comes[next]++;
                work.Push(next);
            }
        }
        for (int i = 0; i < graph.Blocks.Count; i++)
        {
            List<int> next = graph.Blocks[i].Successors;
            graph.Blocks[i].EndsForCertain = graph.Blocks[i].IsReached && next.Exists(other => other != next[0]) ? graph.Blocks[i].Parts : next.Count > 0 && comes[next[0]] > 1;
        }
    }

    /// <summary>For each block the number of its predecessors, and 1 + the one that was counted last, so that none counts twice.</summary>
    private int[] comes = [], from = [];
    private readonly Stack<int> work = [];

    private bool Sweep(int words)
    {
        // Nothing goes from block to block.
        if (words == 0) return true;
        foreach (NeedBlock block in graph.Blocks)
        {
            block.In = new ulong[words];
            Array.Fill(block.In, ulong.MaxValue);
        }
        var needed = new ulong[words];
        for (int sweep = 0; sweep < MostSweeps; sweep++)
        {
            bool changed = false;
            for (int i = graph.Blocks.Count - 1; i >= 0; i--)
            {
                Out(graph.Blocks[i], needed);
                Back(graph.Blocks[i], needed, true, isLast: false);
                if (needed.AsSpan().SequenceEqual(graph.Blocks[i].In)) continue;
                needed.CopyTo(graph.Blocks[i].In, 0);
                changed = true;
            }
            if (changed) continue;
            Extend(needed);
            return true;
        }
        return false;
    }

    /// <summary>
    /// Before this, a need counts if all successors have it. This adds the needs of a single successor where <see cref="NeedBlock.IsEither"/> holds. Stopping
    /// early only proves less.
    /// </summary>
    private void Extend(ulong[] needed)
    {
        isExtending = true;
        for (int sweep = 0; sweep < MostSweeps; sweep++)
        {
            bool changed = false;
            for (int i = graph.Blocks.Count - 1; i >= 0; i--)
            {
                Out(graph.Blocks[i], needed);
                Back(graph.Blocks[i], needed, true, isLast: false);
                ulong[] known = graph.Blocks[i].In;
                for (int word = 0; word < known.Length; word++)
                {
                    changed |= (needed[word] & ~known[word]) != 0;
                    known[word] |= needed[word];
                }
            }
            if (!changed) return;
        }
    }

    private bool isExtending;

    private void Out(NeedBlock block, ulong[] needed)
    {
        bool isFirst = true, any = isExtending && block.IsEither;
        foreach (int next in block.Successors)
        {
            ulong[] other = graph.Blocks[next].In;
            for (int i = 0; i < needed.Length; i++) needed[i] = isFirst ? other[i] : any ? needed[i] | other[i] : needed[i] & other[i];
            isFirst = false;
        }
        if (isFirst) Array.Clear(needed);
    }

    /// <summary>
    /// Goes through a block backwards. The JIT narrows a value only inside the expression that uses it: a value that leaves its block, or is used
    /// twice, is in a register, whole.
    /// </summary>
    private void Back(NeedBlock block, ulong[] needed, bool converges, bool isLast)
    {
        counts.Clear();
        for (int i = block.Events.Count - 1; i >= 0; i--)
        {
            NeedEvent happens = block.Events[i];
            switch (happens.Kind)
            {
                case NeedEventKind.Sink: Apply(happens.Whole, isLast); break;
                case NeedEventKind.Read:
                    byte wanted = readNeeds[happens.Merge];
                    if (wanted == 0) break;
                    readNeeds[happens.Merge] = 0;
                    int read = graph.FollowedAs(happens.Local);
                    if (read < 0) break;
                    needed[read * 2 / 64] |= (ulong)wanted << (read * 2 % 64);
                    counts[happens.Local] = counts.GetValueOrDefault(happens.Local) + 1;
                    break;
                case NeedEventKind.Trap:
                    Array.Clear(needed);
                    counts.Clear();
                    break;
                case NeedEventKind.Condition:
                    if (converges && NeedsAny(happens.Chosen!, graph.Blocks[graph.BlockAt(happens.Merge)].In)) Apply(happens.Whole, isLast);
                    break;
                default:
                    int bit = graph.FollowedAs(happens.Local);
                    if (bit < 0) break;
                    bool live = Has(needed, bit * 2), whole = Has(needed, (bit * 2) + 1);
                    counts.Remove(happens.Local, out int count);
                    whole |= live && (count > 1 || (count == 0 && block.EndsForCertain));
                    needed[bit * 2 / 64] &= ~(3UL << (bit * 2 % 64));
                    if (live) Apply(happens.Live, isLast);
                    if (whole) Apply(happens.Whole, isLast);
                    break;
            }
        }
    }

    private bool NeedsAny(ChosenLocal[] locals, ulong[] needed)
    {
        foreach (ChosenLocal chosen in locals)
            if (Has(needed, graph.FollowedAs(chosen.Local) * 2)) return true;
        return false;
    }

    private readonly Dictionary<int, int> counts = [];

    /// <summary>What is needed of each read of a local in the block that is gone through: 1 something, 3 all of it.</summary>
    private byte[] readNeeds = [];

    private static bool Has(ulong[] bits, int bit) => (bits[bit / 64] >> (bit % 64) & 1) != 0;

    private void Apply(int[] needs, bool isLast)
    {
        foreach (int need in needs)
        {
            int index = need >> 2;
            var kind = (Need)(need & 3);
            if (kind == Need.Load)
            {
                if (isLast) isNeeded[index] = true;
            }
            else
            {
                readNeeds[index] |= kind == Need.LocalWhole ? (byte)3 : (byte)1;
            }
        }
    }
}
