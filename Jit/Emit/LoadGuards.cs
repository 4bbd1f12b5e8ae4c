using System.Reflection.Emit;

namespace WasmJit.Jit;

/// <summary>
/// Keeps loads whole that only the processor checks. RyuJIT loads less than it is told to, down to a single byte, where it can prove
/// that nobody needs the rest: an access that straddles the end of memory would not fault. So a load is stored behind itself, where the
/// JIT must leave it, unless its whole value is needed for certain. That is decided on the finished IL, and the other way round: no pattern of
/// unneeded values is looked for, but a need is proved, from what cannot be left out (stores, calls, results, addresses, branches with
/// something behind them) backwards through expressions and locals, on every path. What the proof does not know needs nothing.
/// </summary>
/// <remarks>
/// A value is <em>whole</em> where all of its bits are needed, and <em>live</em> where some are. Operators through which the JIT narrows
/// (additions, exclusive or) need their operands whole if they are whole themselves; others (floats, vectors, comparisons) if they are live.
/// </remarks>
internal sealed partial class LoadGuards
{
    /// <summary>Larger sets of needs lose what is more; functions with more bits in all are not followed from block to block.</summary>
    private const int MostNeeds = 48;
    private const long MostBits = 64 << 20;
    private const int MostSweeps = 12;
    private const int MostPasses = 4;

    /// <summary>What is needed if a value is whole, and if it is live; needs are numbers, see <see cref="Need"/>.</summary>
    /// <param name="Whole">What is needed if all of it is.</param>
    /// <param name="Live">What is needed if some of it is.</param>
    /// <param name="IsOpaque">Whether the JIT cannot find it out.</param>
    /// <param name="IsExtended">Whether the JIT knows that it is less than its type can hold.</param>
    /// <param name="Constant">An integer constant.</param>
    /// <param name="IsFloat">Whether it is a float for certain.</param>
    /// <param name="IsFresh">Whether it comes from a load or call in the expression itself: nothing before can have decided on it.</param>
    private readonly record struct Value(
        int[] Whole, int[] Live, bool IsOpaque = false, bool IsExtended = false, long? Constant = null, bool IsFloat = false,
        bool IsFresh = false)
    {
        internal static Value Unknown { get; } = new([], [], true, IsFresh: true);

        /// <summary>A value that the JIT may find out, and that needs nothing.</summary>
        internal static Value Tame { get; } = new([], []);
    }

    private enum Need { Load, LocalWhole, LocalLive }

    private enum EventKind : byte { Sink, Read, Define, Condition }

    /// <summary>
    /// What happens in a block: needs that are there, a read or definition of a local, or a condition that is needed if what it chooses is.
    /// </summary>
    private readonly record struct Event(EventKind Kind, int Local, int[] Whole, int[] Live, int Merge = 0, int[]? Chosen = null);

    private sealed class Block
    {
        internal List<Event> Events { get; } = [];
        internal List<int> Successors { get; } = [];
        internal bool Leaves { get; set; }

        /// <summary>Whether the JIT cannot know which way control goes at the end.</summary>
        internal bool Splits { get; set; }

        /// <summary>The same, and the ways begin with different things: the JIT draws together what is equal.</summary>
        internal bool Parts { get; set; }

        /// <summary>The same, and nothing before can tell: what one way needs is needed.</summary>
        internal bool IsEither { get; set; }

        /// <summary>Whether a value that is in a local at the end is in a register there: the code behind is another block to the JIT, too.</summary>
        internal bool EndsForCertain { get; set; }
        internal ulong[] In { get; set; } = [];

        /// <summary>Whether control may come here as far as the JIT can tell.</summary>
        internal bool IsReached { get; set; }

        internal void Clear()
        {
            Events.Clear();
            Successors.Clear();
            Leaves = Splits = Parts = IsEither = EndsForCertain = IsReached = false;
            In = [];
        }
    }

    /// <summary>What a function with more instructions needed is not kept for the next one.</summary>
    private const int MostKept = 2048;

    [ThreadStatic]
    private static LoadGuards? kept;

    private IlBuffer il = null!;
    private List<(int Node, int Width)> loads = null!;
    private readonly Dictionary<int, int> loadAt = [];
    private readonly List<int> order = [];
    private int[] markAt = [];
    private readonly List<Block> blocks = [];
    private readonly Stack<Block> spare = [];
    private readonly List<int> blockStarts = [];
    private int[] blockOfLabel = [];
    private bool[] isNeeded = [];

    /// <summary>Locals have their numbers, arguments those behind them.</summary>
    private int argBase;

    /// <summary>The locals that needs go through: what is stored to them needs something, or they say which way a branch went.</summary>
    private readonly Dictionary<int, int> followed = [];
    private readonly HashSet<int> exposed = [];

    /// <summary>Each read of a local, by the number that needs have for it.</summary>
    private readonly List<int> reads = [];

    /// <summary>Locals that may hold what the JIT knows: something tame is stored to them, or nothing.</summary>
    private readonly HashSet<int> tame = [], stored = [];
    private bool allTame;

    /// <summary>Locals that were taken for not tame: if one turns out to be, all is read again.</summary>
    private readonly HashSet<int> trusted = [];

    /// <summary>The operands at the instruction being read.</summary>
    private readonly List<Value> operands = [];

    /// <summary>Whether what a local got in the block being read is opaque.</summary>
    private readonly Dictionary<int, bool> defined = [];

    private void Begin(IlBuffer buffer, List<(int Node, int Width)> uncheckedLoads)
    {
        il = buffer;
        loads = uncheckedLoads;
        argBase = il.Locals.Count;
        if (markAt.Length < il.LabelCount)
        {
            markAt = new int[il.LabelCount * 2];
            blockOfLabel = new int[il.LabelCount * 2];
        }
        if (isNeeded.Length < loads.Count) isNeeded = new bool[loads.Count * 2];
        Array.Clear(isNeeded);
        for (int i = 0; i < loads.Count; i++) loadAt[loads[i].Node] = i;
    }

    /// <summary>Forgets the function. The collections stay for the next one: most functions are small, and guests that make code make many.</summary>
    private void End()
    {
        il = null!;
        loads = null!;
        loadAt.Clear();
        order.Clear();
        DropBlocks();
        followed.Clear();
        exposed.Clear();
        reads.Clear();
        tame.Clear();
        stored.Clear();
        trusted.Clear();
        defined.Clear();
        counts.Clear();
        operands.Clear();
        allTame = isExtending = false;
    }

    /// <summary>Stores the loads that are not needed whole for certain; gives how many.</summary>
    /// <param name="il">The finished IL of a function.</param>
    /// <param name="loads">The instructions that load more than a byte without a check, and their widths.</param>
    internal static int Insert(IlBuffer il, List<(int Node, int Width)> loads)
    {
        if (ArePlainlyNeeded(il, loads)) return 0;
        LoadGuards guards = kept ?? new LoadGuards();
        kept = null;
        guards.Begin(il, loads);
        guards.Read();
        guards.Prove();
        int count = guards.Store();
        if (guards.order.Count > MostKept) return count;
        guards.End();
        kept = guards;
        return count;
    }

    private Block AddBlock(int start)
    {
        if (!spare.TryPop(out Block? block)) block = new Block();
        blocks.Add(block);
        blockStarts.Add(start);
        return block;
    }

    private void DropBlocks()
    {
        foreach (Block block in blocks)
        {
            block.Clear();
            spare.Push(block);
        }
        blocks.Clear();
        blockStarts.Clear();
    }

    private static int Code(Need need, int index) => (index << 2) | (int)need;

    // ---- what needs no proof ----

    /// <summary>Whether each load goes, by additions and extensions alone, into something that cannot be left out: so it is in most small functions.</summary>
    private static bool ArePlainlyNeeded(IlBuffer il, List<(int Node, int Width)> loads)
    {
        foreach ((int node, _) in loads)
            if (!IsPlainlyNeeded(il, node)) return false;
        return true;
    }

    private static bool IsPlainlyNeeded(IlBuffer il, int load)
    {
        // How many operands are above the value.
        int above = 0;
        for (int node = il.After(load); node != 0; node = il.After(node))
        {
            ref readonly IlBuffer.Node n = ref il[node];
            switch (n.Form)
            {
                case IlBuffer.Form.Int or IlBuffer.Form.Long: above++; continue;
                case IlBuffer.Form.Local or IlBuffer.Form.Arg when n.Code == OpCodes.Ldloc || n.Code == OpCodes.Ldarg: above++; continue;
                case IlBuffer.Form.Method when ReferenceEquals(n.Object, Members.KeepAlive) && above > 0: above--; continue;
                case IlBuffer.Form.Calli: return above < ((Signature)n.Object!).Parameters.Length + 1;
                case IlBuffer.Form.None: break;
                default: return false;
            }
            if (n.Code == OpCodes.Ret) return above == 0;
            if (n.Code == OpCodes.Conv_I8 || n.Code == OpCodes.Conv_U8 || n.Code == OpCodes.Nop) continue;
            if (n.Code != OpCodes.Add && n.Code != OpCodes.Sub) return false;
            // The other operand is not this value: that is on the stack alone.
            above = Math.Max(above - 1, 0);
        }
        return false;
    }

    // ---- forwards: expressions ----

    private void Read()
    {
        for (int node = il.After(IlBuffer.Start); node != 0; node = il.After(node))
        {
            ref readonly IlBuffer.Node n = ref il[node];
            if (n.Form == IlBuffer.Form.Mark) markAt[n.Number] = order.Count;
            else if (n.Code == OpCodes.Ldloca) exposed.Add((int)n.Number);
            else if (n.Code == OpCodes.Stloc || n.Code == OpCodes.Starg) stored.Add(LocalOf(n));
            order.Add(node);
        }
        // Whether locals are tame depends on what is stored to them, which depends on locals.
        for (int pass = 0; ; pass++)
        {
            FollowAll();
            if (allTame || !tame.Overlaps(trusted)) break;
            allTame = pass == MostPasses;
        }
    }

    private void FollowAll()
    {
        DropBlocks();
        reads.Clear();
        followed.Clear();
        trusted.Clear();
        defined.Clear();
        operands.Clear();
        Block block = AddBlock(0);
        List<Value> stack = operands;
        for (int at = 0; at < order.Count; at++)
        {
            ref readonly IlBuffer.Node n = ref il[order[at]];
            if (n.Form is IlBuffer.Form.Mark or IlBuffer.Form.Region)
            {
                // What a handler does is not known before it, and a protected region goes on at labels.
                if (n.Form == IlBuffer.Form.Region && (IlBuffer.Border)n.Number != IlBuffer.Border.Try) block.Leaves = true;
                if (!block.Leaves) block.Successors.Add(blocks.Count);
                if (n.Form == IlBuffer.Form.Mark) blockOfLabel[n.Number] = blocks.Count;
                block = AddBlock(at);
                stack.Clear();
                defined.Clear();
                continue;
            }
            Follow(n, at, stack, block);
            if (!EndsBlock(n)) continue;
            if (n.Form == IlBuffer.Form.Label)
            {
                block.Successors.Add(~(int)n.Number);
            }
            else if (n.Form == IlBuffer.Form.Switch)
            {
                foreach (int label in (int[])n.Object!) block.Successors.Add(~label);
            }
            if (IsAlways(n)) block.Leaves = true;
            if (!block.Leaves) block.Successors.Add(blocks.Count);
            block = AddBlock(at + 1);
            defined.Clear();
        }
        block.Leaves = true;
    }

    private static bool IsAlways(in IlBuffer.Node n) =>
        n.Code == OpCodes.Br || n.Code == OpCodes.Leave || n.Code == OpCodes.Ret || n.Code == OpCodes.Throw || n.Code == OpCodes.Rethrow;

    private static bool EndsBlock(in IlBuffer.Node n) => n.Form is IlBuffer.Form.Label or IlBuffer.Form.Switch || IsAlways(n);

    private int LocalOf(in IlBuffer.Node n) => n.Form == IlBuffer.Form.Arg ? argBase + (int)n.Number : (int)n.Number;

    private bool IsTame(int local)
    {
        if (allTame || IsKnown(local)) return true;
        trusted.Add(local);
        return false;
    }

    private bool IsKnown(int local) => local < argBase ? tame.Contains(local) || !stored.Contains(local) : tame.Contains(local);

    private static int[] Union(int[] a, int[] b)
    {
        if (a.Length == 0) return b;
        if (b.Length == 0) return a;
        Span<int> all = stackalloc int[MostNeeds];
        int count = 0;
        foreach (int need in a) Include(need, all, ref count);
        foreach (int need in b) Include(need, all, ref count);
        return count == a.Length ? a : all[..count].ToArray();
    }

    private static void Include(int need, Span<int> all, ref int count)
    {
        if (count < all.Length && !all[..count].Contains(need)) all[count++] = need;
    }

    /// <summary>The needs of two operands that the other may cancel out: those that both have are of no use.</summary>
    private int[] Exclusive(int[] a, int[] b)
    {
        if (a.Length == 0) return b;
        if (b.Length == 0) return a;
        Span<int> all = stackalloc int[MostNeeds];
        int count = 0;
        foreach (int need in a)
            if (!HasSource(b, Source(need))) Include(need, all, ref count);
        foreach (int need in b)
            if (!HasSource(a, Source(need))) Include(need, all, ref count);
        return all[..count].ToArray();
    }

    private bool ShareSource(in Value a, in Value b)
    {
        foreach (int need in a.Whole)
            if (HasSource(b.Whole, Source(need))) return true;
        return false;
    }

    private bool HasSource(int[] needs, (bool IsLoad, int Index) source)
    {
        foreach (int need in needs)
            if (Source(need) == source) return true;
        return false;
    }

    /// <summary>The load or local that a need is one of.</summary>
    private (bool IsLoad, int Index) Source(int need) =>
        (Need)(need & 3) == Need.Load ? (true, need >> 2) : (false, reads[need >> 2]);

    private static Value Pop(List<Value> stack)
    {
        if (stack.Count == 0) return Value.Unknown;
        Value top = stack[^1];
        stack.RemoveAt(stack.Count - 1);
        return top;
    }

    private static void Sink(Block block, in Value value)
    {
        int[] needs = Union(value.Whole, value.Live);
        if (needs.Length > 0) block.Events.Add(new Event(EventKind.Sink, 0, needs, []));
    }

    /// <summary>Whatever becomes of a result of which anything is needed, the operands are needed whole.</summary>
    private static Value Opaque(in Value a) => new([], Union(a.Whole, a.Live), a.IsOpaque, IsFresh: a.IsFresh);

    private static Value Opaque(in Value a, in Value b) => new(
        [], Union(Union(a.Whole, a.Live), Union(b.Whole, b.Live)), a.IsOpaque || b.IsOpaque, IsFresh: a.IsFresh || b.IsFresh);

    /// <summary>Some of the operand is needed, if any of the result is.</summary>
    private static Value Narrowed(in Value a) => new([], a.Live, a.IsOpaque, IsFresh: a.IsFresh);

    /// <summary>Each operand is needed as the result is.</summary>
    private Value Transparent(in Value a, in Value b, bool cancels) =>
        new(Exclusive(a.Whole, b.Whole), cancels ? Exclusive(a.Live, b.Live) : Union(a.Live, b.Live), (a.IsOpaque || b.IsOpaque) && !ShareSource(a, b),
            IsFresh: (a.IsFresh || b.IsFresh) && !ShareSource(a, b));

    private void Follow(in IlBuffer.Node n, int at, List<Value> stack, Block block)
    {
        if (loadAt.TryGetValue(order[at], out int load))
        {
            PopAll(n, stack, block);
            stack[^1] = new Value(
                [Code(Need.Load, load)], [], true, loads[load].Width < 4, IsFloat: n.Code == OpCodes.Ldind_R4 || n.Code == OpCodes.Ldind_R8, IsFresh: true);
            return;
        }
        switch (n.Form)
        {
            case IlBuffer.Form.Int or IlBuffer.Form.Long: stack.Add(new Value([], [], Constant: n.Number)); return;
            case IlBuffer.Form.Float or IlBuffer.Form.Double: stack.Add(Value.Tame with { IsFloat = true }); return;
            case IlBuffer.Form.String: stack.Add(Value.Tame); return;
            case IlBuffer.Form.Local or IlBuffer.Form.Arg: FollowLocal(n, stack, block); return;
            case IlBuffer.Form.Method: FollowCall(n, stack, block); return;
            case IlBuffer.Form.Label or IlBuffer.Form.Switch: FollowBranch(n, at, stack, block); return;
            case IlBuffer.Form.None when FollowOperator(n.Code, stack, at): return;
        }
        if (n.Code == OpCodes.Dup)
        {
            Value top = Pop(stack);
            stack.Add(top);
            stack.Add(top);
            return;
        }
        if (n.Code == OpCodes.Pop)
        {
            Pop(stack);
            return;
        }
        PopAll(n, stack, block);
    }

    /// <summary>
    /// An instruction that cannot be left out, or one of which nothing is known but that it takes addresses, objects and arguments: what it takes it
    /// needs. What a load takes is its address, and the load is kept, or checked by itself.
    /// </summary>
    private void PopAll(in IlBuffer.Node n, List<Value> stack, Block block)
    {
        (int pops, int pushes) = EffectOf(n, stack.Count);
        int narrow = StoredBytes(n.Code);
        for (int i = 0; i < pops; i++)
        {
            Value value = Pop(stack);
            // The value of a store that is narrower than itself.
            Sink(block, i == 0 && narrow > 0 ? LowBytes(value, narrow) : value);
        }
        for (int i = 0; i < pushes; i++) stack.Add(Value.Unknown);
    }

    private static int StoredBytes(OpCode code) =>
        code == OpCodes.Stind_I1 ? 1 : code == OpCodes.Stind_I2 ? 2 : code == OpCodes.Stind_I4 ? 4 : 0;
}
