using WasmJit.Jit.Il;

namespace WasmJit.Jit.Emit;

/// <summary>
/// Goes through the finished IL forwards, from block to block, and notes what happens to loads and locals. Each value is described
/// by the loads and locals that become needed if the value is (<see cref="NeedValue"/>).
/// </summary>
/// <remarks>
/// A value is <em>whole</em> where all of its bits are needed, and <em>live</em> where some are. Operators through which the JIT narrows
/// (additions, exclusive or) need their operands whole if they are whole themselves; others (floats, vectors, comparisons) if they are live.
/// </remarks>
internal sealed partial class NeedReader(NeedGraph graph)
{
    private const int MostPasses = 4;
    private readonly BranchWays ways = new(graph);

    /// <summary>What is known of a local.</summary>
    [Flags]
    private enum Local : byte
    {
        /// <summary>Its address is taken.</summary>
        Exposed = 1,

        /// <summary>Something is stored to it.</summary>
        Stored = 2,

        /// <summary>It may hold what the JIT can find out: something like that is stored to it.</summary>
        Knowable = 4,

        /// <summary>It was taken for opaque. If it turns out to be knowable, all is read again.</summary>
        TakenForOpaque = 8,

        /// <summary>It gets something else than one constant.</summary>
        Varies = 16,
    }

    private Local[] locals = [];
    private bool allKnowable;

    /// <summary>The operands at the instruction being read.</summary>
    private readonly List<NeedValue> operands = [];

    /// <summary>The block in which a local got something, twice its number, and one more if that is opaque.</summary>
    private int[] defined = [];

    /// <summary>By local the number of what is in it, and the last number.</summary>
    private int[] values = [];
    private int lastValue;

    private readonly NeedForms forms = new();

    /// <summary>By local the form of what it got last, and the stretch in which it did.</summary>
    private int[] got = [], gotIn = [];

    /// <summary>The locals that have got something since <see cref="forms"/> was told.</summary>
    private readonly List<int> unheard = [];

    /// <summary>The number of the stretch of code without labels that is being read.</summary>
    private int stretch;

    /// <summary>By local the constant that it gets, if it gets nothing else.</summary>
    private long[] constants = [];

    /// <summary>By instruction the form of what it stores to a local.</summary>
    private int[] stored = [];

    /// <summary>Whether a handler may see what a local gets in the middle of a block.</summary>
    private bool hasRegions;

    /// <summary>The number of the block being read, among those of all functions so far.</summary>
    private int blockNumber;
    private const int MostBlocks = 1 << 29;

    internal void End()
    {
        Array.Clear(locals);
        Array.Clear(values);
        lastValue = 0;
        forms.Clear();
        operands.Clear();
        allKnowable = hasRegions = false;
        if (blockNumber < MostBlocks) return;
        blockNumber = 0;
        Array.Clear(defined);
    }

    private ref Local Of(int local)
    {
        if (local >= locals.Length)
        {
            int length = Math.Max(local + 1, graph.ArgBase + 16);
            Array.Resize(ref locals, length);
            Array.Resize(ref defined, length);
            Array.Resize(ref values, length);
            Array.Resize(ref got, length);
            Array.Resize(ref constants, length);
            Array.Resize(ref gotIn, length);
        }
        return ref locals[local];
    }

    private bool Is(int local, Local what) => (Of(local) & what) != 0;

    private bool WasMistaken()
    {
        foreach (Local local in locals)
            if ((local & (Local.Knowable | Local.TakenForOpaque)) == (Local.Knowable | Local.TakenForOpaque)) return true;
        return false;
    }

    internal void Read()
    {
        bool isConstant = false;
        long? constant = null;
        for (int node = graph.Il.After(IlBuffer.Start); node != 0; node = graph.Il.After(node))
        {
            ref readonly IlBuffer.Node n = ref graph.Il[node];
            graph.Order.Add(node);
            if (n.Form == IlBuffer.Form.Mark) graph.MarkAt[n.Number] = graph.Order.Count - 1;
            else if (n.Op == IlOp.Ldloca) Of((int)n.Number) |= Local.Exposed;
            // Most of what is knowable is a constant. If that is known beforehand, the code is seldom read again.
            else if (n.IsLocalStore) NoteStore(graph.LocalOf(n), isConstant, constant);
            hasRegions |= n.Form == IlBuffer.Form.Region;
            if (isConstant && n.Op == IlOp.Conv_I8) continue;
            isConstant = n.IsConstant;
            constant = n.Form is IlBuffer.Form.Int or IlBuffer.Form.Long ? n.Number : null;
        }
        if (stored.Length < graph.Order.Count) stored = new int[graph.Order.Count * 2];
        // Whether a local is knowable, and to what it may be equal, depends on what is stored to it, which may depend on locals.
        for (int pass = 0; ; pass++)
        {
            FollowAll();
            if (allKnowable || !(WasMistaken() || forms.WasMistaken())) break;
            allKnowable = pass == MostPasses;
        }
        LeaveOutWhatIsSame();
    }

    /// <summary>A branch does not choose what a local gets if both ways may give it the same.</summary>
    private void LeaveOutWhatIsSame()
    {
        foreach (NeedBlock block in graph.Blocks)
        {
            for (int i = 0; i < block.Events.Count; i++)
            {
                if (block.Events[i] is { Kind: NeedEventKind.Condition, Chosen: { } chosen } condition)
                    block.Events[i] = condition with { Chosen = Array.FindAll(chosen, ways => !forms.MayBeEqualApart(FormOf(ways.First), FormOf(ways.Second))) };
            }
        }

        int FormOf(int way) => way >= 0 ? stored[way] : ~way;
    }

    private void NoteStore(int local, bool isConstant, long? constant)
    {
        ref Local known = ref Of(local);
        if (constant is not { } number || local >= graph.ArgBase || ((known & Local.Stored) != 0 && constants[local] != number)) known |= Local.Varies;
        else constants[local] = number;
        known |= isConstant ? Local.Stored | Local.Knowable : Local.Stored;
    }

    private void FollowAll()
    {
        graph.Clear();
        forms.Restart(graph.Order.Count);
        for (int i = 0; i < locals.Length; i++) locals[i] &= ~Local.TakenForOpaque;
        blockNumber++;
        stretch++;
        operands.Clear();
        NeedBlock block = graph.AddBlock(0);
        List<NeedValue> stack = operands;
        for (int at = 0; at < graph.Order.Count; at++)
        {
            ref readonly IlBuffer.Node n = ref graph.Il[graph.Order[at]];
            if (n.Form is IlBuffer.Form.Mark or IlBuffer.Form.Region)
            {
                // What a handler does is not known before it, and a protected region goes on at labels.
                if (n.Form == IlBuffer.Form.Region && (IlBuffer.Border)n.Number != IlBuffer.Border.Try) block.Leaves = true;
                if (!block.Leaves) block.Successors.Add(graph.Blocks.Count);
                if (n.Form == IlBuffer.Form.Mark) graph.BlockOfLabel[n.Number] = graph.Blocks.Count;
                block = graph.AddBlock(at);
                stack.Clear();
                blockNumber++;
                TellAll();
                stretch++;
                continue;
            }
            Follow(n, at, stack, block);
            if (!EndsBlock(n)) continue;
            TellAll();
            if (n.Form == IlBuffer.Form.Label)
            {
                block.Successors.Add(~(int)n.Number);
            }
            else if (n.Form == IlBuffer.Form.Switch)
            {
                foreach (int label in (int[])n.Object!) block.Successors.Add(~label);
            }
            if (IsAlways(n)) block.Leaves = true;
            if (!block.Leaves) block.Successors.Add(graph.Blocks.Count);
            block = graph.AddBlock(at + 1);
            blockNumber++;
        }
        block.Leaves = true;
    }

    /// <summary>Tells <see cref="forms"/> what locals have got: from here on other blocks may see it.</summary>
    private void TellAll()
    {
        forms.Give(unheard, got, stretch);
        unheard.Clear();
    }

    /// <summary>A local gets a value.</summary>
    private void Give(int local, int form, int at)
    {
        stored[at] = got[local] = form;
        gotIn[local] = stretch;
        if (!unheard.Contains(local)) unheard.Add(local);
        if (hasRegions) TellAll();
    }

    /// <summary>The form of what is in a local.</summary>
    private int FormIn(int local)
    {
        ref Local known = ref Of(local);
        if (gotIn[local] == stretch) return got[local];
        return local < graph.ArgBase && (known & (Local.Varies | Local.Exposed)) == 0 ? forms.Constant((known & Local.Stored) != 0 ? constants[local] : 0) : NeedForms.Held(local);
    }

    private static bool IsAlways(in IlBuffer.Node n) =>
        n.Op == IlOp.Br || n.Op == IlOp.Leave || n.Op == IlOp.Ret || n.Op == IlOp.Throw || n.Op == IlOp.Rethrow;

    private static bool EndsBlock(in IlBuffer.Node n) => n.Form is IlBuffer.Form.Label or IlBuffer.Form.Switch || IsAlways(n);

    private bool IsKnowable(int local)
    {
        if (allKnowable || IsKnown(local)) return true;
        Of(local) |= Local.TakenForOpaque;
        return false;
    }

    private bool IsKnown(int local) => Is(local, Local.Knowable) || (local < graph.ArgBase && !Is(local, Local.Stored));

    /// <summary>The needs of <c>a - b</c> or <c>a ^ b</c>. A source in both operands is dropped, because the JIT may reduce <c>x - x</c> to 0.</summary>
    private int[] Exclusive(int[] a, int[] b)
    {
        if (a.Length == 0) return b;
        if (b.Length == 0) return a;
        Span<int> all = stackalloc int[Needs.Most];
        int count = 0;
        foreach (int need in a)
            if (!HasSource(b, graph.Source(need))) Needs.Include(need, all, ref count);
        foreach (int need in b)
            if (!HasSource(a, graph.Source(need))) Needs.Include(need, all, ref count);
        return all[..count].ToArray();
    }

    private bool ShareSource(in NeedValue a, in NeedValue b)
    {
        foreach (int need in a.Whole)
            if (HasSource(b.Whole, graph.Source(need))) return true;
        return false;
    }

    private bool HasSource(int[] needs, (bool IsLoad, int Index) source)
    {
        foreach (int need in needs)
            if (graph.Source(need) == source) return true;
        return false;
    }

    private static NeedValue Pop(List<NeedValue> stack)
    {
        if (stack.Count == 0) return NeedValue.Unknown;
        NeedValue top = stack[^1];
        stack.RemoveAt(stack.Count - 1);
        return top;
    }

    private static void Sink(NeedBlock block, in NeedValue value)
    {
        int[] needs = Needs.Union(value.Whole, value.Live);
        if (needs.Length > 0) block.Events.Add(new NeedEvent(NeedEventKind.Sink, 0, needs, []));
    }

    /// <summary>Whatever becomes of a result of which anything is needed, the operands are needed whole.</summary>
    private static NeedValue Opaque(in NeedValue a) => new([], Needs.Union(a.Whole, a.Live), a.IsOpaque, IsFresh: a.IsFresh);

    private static NeedValue Opaque(in NeedValue a, in NeedValue b) => new(
        [], Needs.Union(Needs.Union(a.Whole, a.Live), Needs.Union(b.Whole, b.Live)), a.IsOpaque || b.IsOpaque, IsFresh: a.IsFresh || b.IsFresh);

    /// <summary>Some of the operand is needed, if any of the result is.</summary>
    private static NeedValue Narrowed(in NeedValue a) => new([], a.Live, a.IsOpaque, IsFresh: a.IsFresh);

    /// <summary>Each operand is needed as the result is.</summary>
    private NeedValue Transparent(IlOp code, in NeedValue a, in NeedValue b)
    {
        if (forms.MayCancel(code, a.Form, b.Form)) return NeedValue.Knowable;
        bool cancels = code != IlOp.Add;
        if (cancels && !a.Terms.Share(b.Terms))
        {
            return new NeedValue(Needs.Union(a.Whole, b.Whole), Needs.Union(a.Live, b.Live), a.IsOpaque || b.IsOpaque, IsFresh: a.IsFresh || b.IsFresh,
                Terms: code == IlOp.Xor ? a.Terms.With(b.Terms) : default);
        }
        return new NeedValue(Exclusive(a.Whole, b.Whole), cancels ? Exclusive(a.Live, b.Live) : Needs.Union(a.Live, b.Live), (a.IsOpaque || b.IsOpaque) && !ShareSource(a, b),
            IsFresh: (a.IsFresh || b.IsFresh) && !ShareSource(a, b));
    }

    private void Follow(in IlBuffer.Node n, int at, List<NeedValue> stack, NeedBlock block)
    {
        if (graph.LoadAt(graph.Order[at]) is var load and >= 0)
        {
            PopAll(n, stack, block);
            stack[^1] = new NeedValue(
                Needs.One(Need.Load, load), [], true, graph.Loads[load].Width < 4, IsFloat: n.Op == IlOp.Ldind_R4 || n.Op == IlOp.Ldind_R8, IsFresh: true, Form: forms.Fresh());
            return;
        }
        switch (n.Form)
        {
            case IlBuffer.Form.Int or IlBuffer.Form.Long: stack.Add(new NeedValue([], [], Constant: n.Number, Form: forms.Constant(n.Number))); return;
            case IlBuffer.Form.Float or IlBuffer.Form.Double: stack.Add(NeedValue.Knowable with { IsFloat = true, Form = forms.Constant(n.Number, typeof(double)) }); return;
            case IlBuffer.Form.String: stack.Add(NeedValue.Knowable with { Form = forms.Constant(0, n.Object) }); return;
            case IlBuffer.Form.Local or IlBuffer.Form.Arg: FollowLocal(n, at, stack, block); return;
            case IlBuffer.Form.Method: FollowCall(n, stack, block); return;
            case IlBuffer.Form.Field when IsFieldOfObject(n): PopAll(n, stack, block, areNeeded: false); return;
            case IlBuffer.Form.Type when n.Op == IlOp.Castclass: TrapAt(stack, block); break;
            case IlBuffer.Form.Label or IlBuffer.Form.Switch: FollowBranch(n, at, stack, block); return;
            case IlBuffer.Form.None when FollowOperator(n.Op, stack, at): return;
        }
        if (n.Op == IlOp.Dup)
        {
            NeedValue top = Pop(stack);
            stack.Add(top);
            stack.Add(top);
            return;
        }
        if (n.Op == IlOp.Ldnull)
        {
            stack.Add(NeedValue.Knowable with { Form = forms.Constant(0, nameof(IlOp.Ldnull)) });
            return;
        }
        if (n.Op == IlOp.Pop)
        {
            Pop(stack);
            return;
        }
        PopAll(n, stack, block);
    }

    /// <summary>An instruction that must stay, or that is unknown: all its operands are needed. For a load that is the address. Of what the JIT may leave out none is.</summary>
    private void PopAll(in IlBuffer.Node n, List<NeedValue> stack, NeedBlock block, bool areNeeded = true)
    {
        (int pops, int pushes) = EffectOf(n, stack.Count);
        int narrow = StoredBytes(n.Op), form = NeedForms.Nothing;
        for (int i = 0; i < pops; i++)
        {
            NeedValue value = Pop(stack);
            // With a name in place of a method it is no arithmetic, which forms know the rules of.
            form = forms.Made(n.Op, n.Object ?? nameof(PopAll), value.Form, form);
            // A narrow store needs only the low bytes of its value.
            if (areNeeded) Sink(block, i == 0 && narrow > 0 ? LowBytes(value, narrow) : value);
        }
        bool isCall = n.Form is IlBuffer.Form.Method or IlBuffer.Form.Calli;
        for (int i = 0; i < pushes; i++) stack.Add(NeedValue.Unknown with { Form = isCall || pops == 0 ? forms.Fresh() : form });
    }

    private static int StoredBytes(IlOp code) =>
        code == IlOp.Stind_I1 ? 1 : code == IlOp.Stind_I2 ? 2 : code == IlOp.Stind_I4 ? 4 : 0;

    private void FollowBranch(in IlBuffer.Node n, int at, List<NeedValue> stack, NeedBlock block)
    {
        if (n.Op == IlOp.Br || n.Op == IlOp.Leave) return;
        if (n.Form == IlBuffer.Form.Switch)
        {
            NeedValue index = Pop(stack);
            if (((int[])n.Object!).AsSpan().ContainsAnyExcept(((int[])n.Object!)[0])) Sink(block, index);
            block.Splits = block.Parts = block.IsEither = index.IsOpaque;
            return;
        }
        if (n.Op != IlOp.Brtrue && n.Op != IlOp.Brfalse)
        {
            Sink(block, Pop(stack));
            Sink(block, Pop(stack));
            return;
        }
        NeedValue condition = Pop(stack);
        block.Splits = condition.IsOpaque;
        block.IsEither = condition.IsOpaque && condition.IsFresh;
        int[] needs = Needs.Union(condition.Whole, condition.Live);
        bool decides = ways.Decide(at + 1, graph.MarkAt[n.Number], at, out int merge, out int[] chosen);
        block.Parts = condition.IsOpaque && decides;
        if (needs.Length == 0) return;
        if (decides)
        {
            block.Events.Add(new NeedEvent(NeedEventKind.Sink, 0, needs, []));
        }
        else if (merge >= 0 && chosen.Length > 0)
        {
            foreach (int local in chosen) graph.Follow(local);
            block.Events.Add(new NeedEvent(NeedEventKind.Condition, 0, needs, [], merge,
                Array.ConvertAll(chosen, local => new ChosenLocal(local, StoredOn(ways.First, local, merge), StoredOn(ways.Second, local, merge)))));
        }
    }

    /// <summary>The instruction that stores to a local last on a way; the complement of what is in it before if there is none.</summary>
    private int StoredOn(List<int> way, int local, int merge)
    {
        int last = ~FormIn(local);
        foreach (int at in way)
        {
            if (at == merge) break;
            ref readonly IlBuffer.Node n = ref graph.Il[graph.Order[at]];
            if (n.IsLocalStore && graph.LocalOf(n) == local) last = at;
        }
        return last;
    }
}
