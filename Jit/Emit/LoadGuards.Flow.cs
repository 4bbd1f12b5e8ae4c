using System.Reflection.Emit;

namespace WasmJit.Jit;

/// <summary>Branches, and needs from block to block.</summary>
internal sealed partial class LoadGuards
{
    /// <summary>How far behind a branch is looked for what it decides.</summary>
    private const int MostSteps = 64;

    private void FollowBranch(in IlBuffer.Node n, int at, List<Value> stack, Block block)
    {
        if (n.Code == OpCodes.Br || n.Code == OpCodes.Leave) return;
        if (n.Form == IlBuffer.Form.Switch)
        {
            Value index = Pop(stack);
            if (((int[])n.Object!).AsSpan().ContainsAnyExcept(((int[])n.Object!)[0])) Sink(block, index);
            block.Splits = block.Parts = block.IsEither = index.IsOpaque;
            return;
        }
        if (n.Code != OpCodes.Brtrue && n.Code != OpCodes.Brfalse)
        {
            Sink(block, Pop(stack));
            Sink(block, Pop(stack));
            return;
        }
        Value condition = Pop(stack);
        block.Splits = condition.IsOpaque;
        block.IsEither = condition.IsOpaque && condition.IsFresh;
        int[] needs = Union(condition.Whole, condition.Live);
        bool decides = Decides(at + 1, markAt[n.Number], at, out int merge, out int[] chosen);
        block.Parts = condition.IsOpaque && decides;
        if (needs.Length == 0) return;
        if (decides)
        {
            block.Events.Add(new Event(EventKind.Sink, 0, needs, []));
        }
        else if (merge >= 0 && chosen.Length > 0)
        {
            foreach (int local in chosen) followed.TryAdd(local, followed.Count);
            block.Events.Add(new Event(EventKind.Condition, 0, needs, [], merge, chosen));
        }
    }

    /// <summary>
    /// Whether a branch decides over something that cannot be left out: its two ways come to different such things before they meet. If
    /// they meet first, the values that they give to locals may still be needed there.
    /// </summary>
    private bool Decides(int first, int second, int branch, out int merge, out int[] chosen)
    {
        firstWay.Clear();
        secondWay.Clear();
        bool firstEnds = Walk(first, branch, firstWay, []), secondEnds = Walk(second, branch, secondWay, firstWay);
        merge = secondWay.Count > 0 && firstWay.Contains(secondWay[^1]) ? secondWay[^1] : -1;
        if (merge >= 0)
        {
            chosenLocals.Clear();
            AddStored(firstWay, merge);
            AddStored(secondWay, merge);
            chosen = [.. chosenLocals];
            return false;
        }
        chosen = [];
        return !(firstEnds && secondEnds && AreSame());
    }

    private readonly List<int> firstWay = [], secondWay = [], chosenLocals = [];

    private bool AreSame()
    {
        if (firstWay.Count != secondWay.Count) return false;
        for (int i = 0; i < firstWay.Count; i++)
            if (!IsSame(il[order[firstWay[i]]], il[order[secondWay[i]]])) return false;
        return true;
    }

    private static bool IsSame(in IlBuffer.Node a, in IlBuffer.Node b) =>
        a.Form == b.Form && a.Code == b.Code && a.Number == b.Number && ReferenceEquals(a.Object, b.Object);

    private void AddStored(List<int> way, int merge)
    {
        foreach (int at in way)
        {
            if (at == merge) return;
            ref readonly IlBuffer.Node n = ref il[order[at]];
            if ((n.Code == OpCodes.Stloc || n.Code == OpCodes.Starg) && !chosenLocals.Contains(LocalOf(n))) chosenLocals.Add(LocalOf(n));
        }
    }

    /// <summary>Follows a way to the first instruction that cannot be left out, or to where another way was.</summary>
    /// <returns>Whether there is one.</returns>
    private bool Walk(int at, int branch, List<int> way, List<int> other)
    {
        for (int steps = 0; steps < MostSteps && at < order.Count; steps++)
        {
            ref readonly IlBuffer.Node n = ref il[order[at]];
            if (n.Form == IlBuffer.Form.Mark || n.Code == OpCodes.Nop)
            {
                at++;
                continue;
            }
            if (n.Code == OpCodes.Br && markAt[n.Number] > branch)
            {
                at = markAt[n.Number];
                continue;
            }
            way.Add(at);
            if (other.Contains(at)) return false;
            if (!CanBeLeftOut(n)) return true;
            at++;
        }
        return false;
    }

    private static bool CanBeLeftOut(in IlBuffer.Node n) => n.Form switch
    {
        IlBuffer.Form.Calli or IlBuffer.Form.Label or IlBuffer.Form.Switch or IlBuffer.Form.Region => false,
        IlBuffer.Form.Method => ReferenceEquals(n.Object, Members.KeepAlive)
            || (n.Object is System.Reflection.MethodInfo { DeclaringType: { } type } && Pure.Contains(type)),
        _ => !(n.Code == OpCodes.Stfld || n.Code == OpCodes.Stobj || n.Code == OpCodes.Stelem_Ref || n.Code == OpCodes.Ret || n.Code == OpCodes.Throw
            || IsStore(n.Code)),
    };

    private static bool IsStore(OpCode code) =>
        code == OpCodes.Stind_I1 || code == OpCodes.Stind_I2 || code == OpCodes.Stind_I4 || code == OpCodes.Stind_I8 || code == OpCodes.Stind_R4
        || code == OpCodes.Stind_R8 || code == OpCodes.Stind_I || code == OpCodes.Stind_Ref;

    // ---- backwards: needs ----

    private void Prove()
    {
        for (int i = 0; i < blocks.Count; i++)
        {
            List<int> successors = blocks[i].Successors;
            for (int j = 0; j < successors.Count; j++)
                if (successors[j] < 0) successors[j] = blockOfLabel[~successors[j]];
        }
        MarkEndless();
        MarkEnds();
        if (readNeeds.Length < reads.Count) readNeeds = new byte[reads.Count * 2];
        Array.Clear(readNeeds);
        int words = ((followed.Count * 2) + 63) / 64;
        bool converges = (long)words * 64 * blocks.Count <= MostBits && Sweep(words);
        var needed = new ulong[words];
        for (int i = blocks.Count - 1; i >= 0; i--)
        {
            if (converges) Out(blocks[i], needed);
            else Array.Clear(needed);
            Back(blocks[i], needed, converges, isLast: true);
        }
    }

    /// <summary>Code that comes to no way out needs nothing of what would be behind it.</summary>
    private void MarkEndless()
    {
        // Without a way back all ways end.
        bool loops = false;
        for (int i = 0; i < blocks.Count && !loops; i++)
            foreach (int next in blocks[i].Successors) loops |= next <= i;
        if (!loops) return;
        var before = new List<int>[blocks.Count];
        for (int i = 0; i < before.Length; i++) before[i] = [];
        for (int i = 0; i < blocks.Count; i++)
            foreach (int next in blocks[i].Successors)
                if (next < before.Length) before[next].Add(i);
        var ends = new bool[blocks.Count];
        for (int i = 0; i < blocks.Count; i++)
            if (blocks[i].Leaves && blocks[i].Successors.Count == 0) work.Push(i);
        while (work.TryPop(out int block))
        {
            if (ends[block]) continue;
            ends[block] = true;
            foreach (int previous in before[block]) work.Push(previous);
        }
        for (int i = 0; i < blocks.Count; i++)
            if (!ends[i]) blocks[i].Successors.Clear();
    }

    /// <summary>
    /// Finds the blocks behind which the JIT's code is another block whatever it finds out: where control goes one of two ways that it cannot
    /// know, or meets another that surely comes.
    /// </summary>
    private void MarkEnds()
    {
        if (blocks.Count == 1) return;
        if (comes.Length < blocks.Count)
        {
            comes = new int[blocks.Count * 2];
            from = new int[blocks.Count * 2];
        }
        Array.Clear(comes);
        Array.Clear(from);
        work.Push(0);
        while (work.TryPop(out int at))
        {
            Block block = blocks[at];
            if (block.IsReached) continue;
            block.IsReached = true;
            if (block.Successors.Count > 1 && !block.Splits) continue;
            foreach (int next in block.Successors)
            {
                if (from[next] == at + 1) continue;
                from[next] = at + 1;
                comes[next]++;
                work.Push(next);
            }
        }
        for (int i = 0; i < blocks.Count; i++)
        {
            List<int> next = blocks[i].Successors;
            blocks[i].EndsForCertain = blocks[i].IsReached && next.Exists(other => other != next[0]) ? blocks[i].Parts : next.Count > 0 && comes[next[0]] > 1;
        }
    }

    /// <summary>The ways on which control may come to a block, and the block that came there last, plus one.</summary>
    private int[] comes = [], from = [];
    private readonly Stack<int> work = [];

    private bool Sweep(int words)
    {
        // Nothing goes from block to block.
        if (words == 0) return true;
        foreach (Block block in blocks)
        {
            block.In = new ulong[words];
            Array.Fill(block.In, ulong.MaxValue);
        }
        var needed = new ulong[words];
        for (int sweep = 0; sweep < MostSweeps; sweep++)
        {
            bool changed = false;
            for (int i = blocks.Count - 1; i >= 0; i--)
            {
                Out(blocks[i], needed);
                Back(blocks[i], needed, true, isLast: false);
                if (needed.AsSpan().SequenceEqual(blocks[i].In)) continue;
                needed.CopyTo(blocks[i].In, 0);
                changed = true;
            }
            if (changed) continue;
            Extend(needed);
            return true;
        }
        return false;
    }

    /// <summary>
    /// What is needed on all ways is. From there on, what is needed on one of several ways is needed too where the JIT cannot know which it is. To end
    /// early is to know less.
    /// </summary>
    private void Extend(ulong[] needed)
    {
        isExtending = true;
        for (int sweep = 0; sweep < MostSweeps; sweep++)
        {
            bool changed = false;
            for (int i = blocks.Count - 1; i >= 0; i--)
            {
                Out(blocks[i], needed);
                Back(blocks[i], needed, true, isLast: false);
                ulong[] known = blocks[i].In;
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

    private void Out(Block block, ulong[] needed)
    {
        bool isFirst = true, any = isExtending && block.IsEither;
        foreach (int next in block.Successors)
        {
            ulong[] other = blocks[next].In;
            for (int i = 0; i < needed.Length; i++) needed[i] = isFirst ? other[i] : any ? needed[i] | other[i] : needed[i] & other[i];
            isFirst = false;
        }
        if (isFirst) Array.Clear(needed);
    }

    /// <summary>
    /// Goes through a block backwards. The JIT narrows what it can put into the expression that uses it: a value that a local takes out of the block, or
    /// of which there are several needs, is in a register, whole.
    /// </summary>
    private void Back(Block block, ulong[] needed, bool converges, bool isLast)
    {
        counts.Clear();
        for (int i = block.Events.Count - 1; i >= 0; i--)
        {
            Event happens = block.Events[i];
            switch (happens.Kind)
            {
                case EventKind.Sink: Apply(happens.Whole, isLast); break;
                case EventKind.Read:
                    byte wanted = readNeeds[happens.Merge];
                    if (wanted == 0) break;
                    readNeeds[happens.Merge] = 0;
                    if (!followed.TryGetValue(happens.Local, out int read)) break;
                    needed[read * 2 / 64] |= (ulong)wanted << (read * 2 % 64);
                    counts[happens.Local] = counts.GetValueOrDefault(happens.Local) + 1;
                    break;
                case EventKind.Condition:
                    if (converges && NeedsAny(happens.Chosen!, blocks[BlockAt(happens.Merge)].In)) Apply(happens.Whole, isLast);
                    break;
                default:
                    if (!followed.TryGetValue(happens.Local, out int bit)) break;
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

    private bool NeedsAny(int[] locals, ulong[] needed)
    {
        foreach (int local in locals)
            if (Has(needed, followed[local] * 2)) return true;
        return false;
    }

    private int BlockAt(int position)
    {
        int found = blockStarts.BinarySearch(position);
        return found >= 0 ? found : ~found - 1;
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

    // ---- guards ----

    private int Store()
    {
        int count = 0;
        var temps = new Dictionary<Type, int>();
        for (int i = 0; i < loads.Count; i++)
        {
            if (isNeeded[i]) continue;
            count++;
            int node = loads[i].Node;
            Type type = TypeOf(il[node]);
            if (!temps.TryGetValue(type, out int temp)) temps[type] = temp = il.DeclareLocal(type);
            int at = il.StlocAt(il.EmitAt(node, OpCodes.Dup), temp);
            at = il.LdlocAt(il.LdargAt(at, 0), temp);
            if (type == typeof(int)) at = il.EmitAt(at, OpCodes.Conv_I8);
            else if (type == typeof(float)) at = il.EmitAt(at, OpCodes.Conv_R8);
            il.FieldAt(at, OpCodes.Stfld, type == typeof(int) || type == typeof(long) ? Members.Scratch64
                : type == typeof(float) || type == typeof(double) ? Members.ScratchF64 : Members.Scratch128);
        }
        return count;
    }

    private static Type TypeOf(in IlBuffer.Node load) =>
        load.Form is IlBuffer.Form.Method or IlBuffer.Form.Type ? Signature.ClrType(ValType.V128)
        : load.Code == OpCodes.Ldind_I8 ? typeof(long)
        : load.Code == OpCodes.Ldind_R4 ? typeof(float)
        : load.Code == OpCodes.Ldind_R8 ? typeof(double)
        : typeof(int);
}
