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
            if (((int[])n.Object!).Distinct().Count() > 1) Sink(block, index);
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
        var firstWay = new List<int>();
        var secondWay = new List<int>();
        bool firstEnds = Walk(first, branch, firstWay, null), secondEnds;
        var visited = new HashSet<int>(firstWay);
        secondEnds = Walk(second, branch, secondWay, visited);
        merge = secondWay.Count > 0 && visited.Contains(secondWay[^1]) ? secondWay[^1] : -1;
        if (merge >= 0)
        {
            chosen = [.. StoredOn(firstWay, merge).Concat(StoredOn(secondWay, merge)).Distinct()];
            return false;
        }
        chosen = [];
        return !(firstEnds && secondEnds && firstWay.Count == secondWay.Count
            && firstWay.Zip(secondWay).All(pair => IsSame(il[order[pair.First]], il[order[pair.Second]])));
    }

    private static bool IsSame(in IlBuffer.Node a, in IlBuffer.Node b) =>
        a.Form == b.Form && (a.Form == IlBuffer.Form.None || a.Code == b.Code) && a.Code == b.Code && a.Number == b.Number && ReferenceEquals(a.Object, b.Object);

    private IEnumerable<int> StoredOn(List<int> way, int merge)
    {
        foreach (int at in way)
        {
            if (at == merge) yield break;
            IlBuffer.Node n = il[order[at]];
            if (n.Code == OpCodes.Stloc || n.Code == OpCodes.Starg) yield return LocalOf(n);
        }
    }

    /// <summary>Follows a way to the first instruction that cannot be left out, or to where another way was.</summary>
    /// <returns>Whether there is one.</returns>
    private bool Walk(int at, int branch, List<int> way, HashSet<int>? other)
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
            if (other is not null && other.Contains(at)) return false;
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
            || n.Code.Name!.StartsWith("stind", StringComparison.Ordinal)),
    };

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
        readNeeds = new byte[reads.Count];
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
        var before = new List<int>[blocks.Count];
        for (int i = 0; i < before.Length; i++) before[i] = [];
        for (int i = 0; i < blocks.Count; i++)
            foreach (int next in blocks[i].Successors)
                if (next < before.Length) before[next].Add(i);
        var ends = new bool[blocks.Count];
        var work = new Stack<int>();
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
        var comes = new int[blocks.Count];
        var seen = new bool[blocks.Count];
        var work = new Stack<int>([0]);
        while (work.TryPop(out int at))
        {
            if (seen[at]) continue;
            seen[at] = true;
            Block block = blocks[at];
            if (block.Successors.Count > 1 && !block.Splits) continue;
            foreach (int next in block.Successors.Distinct())
            {
                comes[next]++;
                work.Push(next);
            }
        }
        for (int i = 0; i < blocks.Count; i++)
        {
            List<int> next = blocks[i].Successors;
            blocks[i].EndsForCertain = seen[i] && next.Distinct().Count() > 1 ? blocks[i].Parts : next.Count > 0 && comes[next[0]] > 1;
        }
    }

    private bool Sweep(int words)
    {
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
                    if (converges && happens.Chosen!.Any(local => Has(blocks[BlockAt(happens.Merge)].In, followed[local] * 2)))
                        Apply(happens.Whole, isLast);
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
