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

        /// <summary>It is stored to in several places.</summary>
        StoredOften = 16,
    }

    private Local[] locals = [];
    private bool allKnowable;

    /// <summary>The operands at the instruction being read.</summary>
    private readonly List<NeedValue> operands = [];

    /// <summary>The block in which a local got something, twice its number, and one more if that is opaque.</summary>
    private int[] defined = [];

    /// <summary>By local what it got last, and the number of all that it gets anywhere.</summary>
    private NeedTerms[] got = [];
    private int[] gotAnywhere = [];

    private readonly NeedNumbers numbers = new();

    /// <summary>Whether something counts as needed because two values have different numbers, and whether something is added.</summary>
    private bool tellsApart, adds;

    /// <summary>The number of what each instruction stores to a local; 0 for others.</summary>
    private int[] stored = [];

    /// <summary>The number of the block being read, among those of all functions so far.</summary>
    private int blockNumber;
    private const int MostBlocks = 1 << 29;

    internal void End()
    {
        Array.Clear(locals);
        Array.Clear(gotAnywhere);
        numbers.Clear();
        operands.Clear();
        allKnowable = false;
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
            Array.Resize(ref got, length);
            Array.Resize(ref gotAnywhere, length);
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
        for (int node = graph.Il.After(IlBuffer.Start); node != 0; node = graph.Il.After(node))
        {
            ref readonly IlBuffer.Node n = ref graph.Il[node];
            if (n.Form == IlBuffer.Form.Mark) graph.MarkAt[n.Number] = graph.Order.Count;
            else if (n.Op == IlOp.Ldloca) Of((int)n.Number) |= Local.Exposed;
            // Most of what is knowable is a constant. If that is known beforehand, the code is seldom read again.
            else if (n.Op == IlOp.Stloc || n.Op == IlOp.Starg)
                Of(graph.LocalOf(n)) |= (Is(graph.LocalOf(n), Local.Stored) ? Local.StoredOften : Local.Stored) | (isConstant ? Local.Knowable : 0);
            isConstant = n.Form is IlBuffer.Form.Int or IlBuffer.Form.Long or IlBuffer.Form.Float or IlBuffer.Form.Double;
            graph.Order.Add(node);
        }
        if (stored.Length < graph.Order.Count) stored = new int[graph.Order.Count * 2];
        // Whether a local is knowable, and to what it may be equal, depends on what is stored to it, which may depend on locals.
        for (int pass = 0; ; pass++)
        {
            FollowAll();
            bool differs = !numbers.AllAreSame && numbers.HasChanged && (tellsApart || (adds && numbers.HasNegatives));
            if (!differs && (allKnowable || !WasMistaken())) break;
            allKnowable = numbers.AllAreSame = pass == MostPasses;
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
                if (block.Events[i] is not { Kind: NeedEventKind.Condition, Chosen: { } chosen } condition) continue;
                block.Events[i] = condition with { Chosen = [.. chosen.Where(ways => !numbers.AreSame(NumberOf(ways.First), NumberOf(ways.Second)))] };
            }
        }

        // What is not stored on a way is the number before, as its complement.
        int NumberOf(int way) => way >= 0 ? stored[way] : ~way;
    }

    private void FollowAll()
    {
        numbers.HasChanged = tellsApart = adds = false;
        graph.Clear();
        for (int i = 0; i < locals.Length; i++) locals[i] &= ~Local.TakenForOpaque;
        blockNumber++;
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
            if (!block.Leaves) block.Successors.Add(graph.Blocks.Count);
            block = graph.AddBlock(at + 1);
            blockNumber++;
        }
        block.Leaves = true;
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

    /// <summary>The number of a value.</summary>
    private int NumberOf(in NeedValue value) => value.Constant is { } constant ? numbers.OfConstant(constant) : numbers.Of(value.Terms);

    private NeedTerms TermsOf(in NeedValue value) => value.Constant is null ? value.Terms : new NeedTerms(NumberOf(value));

    private NeedTerms Made(IlOp op, in NeedValue a, in NeedValue b) => new(numbers.Of(op, null, NumberOf(a), NumberOf(b)));

    private NeedTerms MadeOfEither(IlOp op, in NeedValue a, in NeedValue b) => new(numbers.OfEither(op, NumberOf(a), NumberOf(b)));

    /// <summary>Whether two values may be equal, or have a part that cancels itself.</summary>
    private bool MayCancel(in NeedValue a, in NeedValue b)
    {
        if (numbers.Share(TermsOf(a), TermsOf(b))) return true;
        tellsApart = true;
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

    /// <summary>Each operand is needed as the result is, if they do not cancel each other.</summary>
    private NeedValue Transparent(IlOp code, in NeedValue a, in NeedValue b)
    {
        NeedTerms terms = SumTerms(code, a, b);
        adds |= code == IlOp.Add;
        bool cancels = (a.Constant ?? b.Constant) is null && (code == IlOp.Add ? numbers.HasNegatives && numbers.CancelsInSum(code, NumberOf(a), NumberOf(b))
            : (code == IlOp.Sub && numbers.CancelsInSum(code, NumberOf(a), NumberOf(b))) || MayCancel(a, b));
        return cancels ? NeedValue.Knowable with { Terms = terms }
            : new NeedValue(Needs.Union(a.Whole, b.Whole), Needs.Union(a.Live, b.Live), a.IsOpaque || b.IsOpaque, IsFresh: a.IsFresh || b.IsFresh, Terms: terms);
    }

    /// <summary>A constant makes no difference to a sum.</summary>
    private NeedTerms SumTerms(IlOp code, in NeedValue a, in NeedValue b)
    {
        if (code == IlOp.Div) return Made(code, a, b);
        if (IsConstant(b)) return TermsOf(a);
        if (IsConstant(a)) return code == IlOp.Sub ? new NeedTerms(numbers.Negative(NumberOf(b))) : TermsOf(b);
        if (code == IlOp.Xor) return numbers.Share(a.Terms, b.Terms) ? MadeOfEither(code, a, b) : numbers.Both(a.Terms, b.Terms);
        return code == IlOp.Add && numbers.AreSame(NumberOf(a), NumberOf(b)) ? new NeedTerms(numbers.Shifted(NumberOf(a), isLeft: true, 1))
            : new NeedTerms(numbers.Sum(code, NumberOf(a), NumberOf(b)));
    }

    /// <summary>Whether a value is a constant, perhaps one in a local.</summary>
    private bool IsConstant(in NeedValue value) => value.Constant is not null || numbers.IsConstant(NumberOf(value));

    private void Follow(in IlBuffer.Node n, int at, List<NeedValue> stack, NeedBlock block)
    {
        if (graph.LoadAt(graph.Order[at]) is var load and >= 0)
        {
            PopAll(n, stack, block);
            stack[^1] = new NeedValue(
                Needs.One(Need.Load, load), [], true, graph.Loads[load].Width < 4, IsFloat: n.Op == IlOp.Ldind_R4 || n.Op == IlOp.Ldind_R8, IsFresh: true,
                Terms: new NeedTerms(numbers.OfInstruction(at, NeedNumbers.None)));
            return;
        }
        switch (n.Form)
        {
            case IlBuffer.Form.Int or IlBuffer.Form.Long: stack.Add(new NeedValue([], [], Constant: n.Number)); return;
            case IlBuffer.Form.Float or IlBuffer.Form.Double: stack.Add(NeedValue.Knowable with { IsFloat = true, Terms = new NeedTerms(numbers.OfConstant(n.Number)) }); return;
            case IlBuffer.Form.String: stack.Add(NeedValue.Knowable); return;
            case IlBuffer.Form.Local or IlBuffer.Form.Arg: FollowLocal(n, at, stack, block); return;
            case IlBuffer.Form.Method: FollowCall(n, at, stack, block); return;
            case IlBuffer.Form.Field when IsFieldOfObject(n): Discard(n, stack); return;
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
            stack.Add(NeedValue.Knowable with { Terms = new NeedTerms(numbers.OfConstant(0)) });
            return;
        }
        if (n.Op == IlOp.Pop)
        {
            Pop(stack);
            return;
        }
        PopAll(n, stack, block);
    }

    /// <summary>An instruction that must stay, or that is unknown: all its operands are needed. For a load that is the address.</summary>
    private void PopAll(in IlBuffer.Node n, List<NeedValue> stack, NeedBlock block)
    {
        (int pops, int pushes) = EffectOf(n, stack.Count);
        int narrow = StoredBytes(n.Op), number = NeedNumbers.None;
        for (int i = 0; i < pops; i++)
        {
            NeedValue value = Pop(stack);
            // A narrow store needs only the low bytes of its value.
            Sink(block, i == 0 && narrow > 0 ? LowBytes(value, narrow) : value);
            if (pushes > 0) number = numbers.Of(n.Op, n.Object, NumberOf(value), number);
        }
        if (pops == 0 && pushes > 0) number = numbers.Of(n.Op, n.Object, number, number);
        for (int i = 0; i < pushes; i++) stack.Add(NeedValue.Unknown with { Terms = new NeedTerms(number) });
    }

    /// <summary>An instruction whose operands the JIT may leave out.</summary>
    private static void Discard(in IlBuffer.Node n, List<NeedValue> stack)
    {
        (int pops, int pushes) = EffectOf(n, stack.Count);
        for (int i = 0; i < pops; i++) Pop(stack);
        for (int i = 0; i < pushes; i++) stack.Add(NeedValue.Unknown);
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
                [.. chosen.Select(local => new ChosenLocal(local, StoredOn(ways.First, local, merge), StoredOn(ways.Second, local, merge)))]));
        }
    }

    /// <summary>The instruction that stores to a local last on a way; the complement of what is in it before if there is none.</summary>
    private int StoredOn(List<int> way, int local, int merge)
    {
        int last = ~numbers.Of(ReadOf(local));
        foreach (int at in way)
        {
            if (at == merge) break;
            ref readonly IlBuffer.Node n = ref graph.Il[graph.Order[at]];
            if ((n.Op == IlOp.Stloc || n.Op == IlOp.Starg) && graph.LocalOf(n) == local) last = at;
        }
        return last;
    }
}
