using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Runtime;

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

    /// <summary>What is needed if a value is whole, and if it is live; needs are numbers, see <see cref="Need"/>.</summary>
    /// <param name="Whole">What is needed if all of it is.</param>
    /// <param name="Live">What is needed if some of it is.</param>
    /// <param name="IsOpaque">Whether the JIT cannot find it out.</param>
    /// <param name="IsExtended">Whether the JIT knows that it is less than its type can hold.</param>
    /// <param name="Constant">An integer constant.</param>
    private readonly record struct Value(int[] Whole, int[] Live, bool IsOpaque = false, bool IsExtended = false, long? Constant = null)
    {
        internal static Value Unknown { get; } = new([], [], true);

        /// <summary>A value that the JIT may find out, and that needs nothing.</summary>
        internal static Value Tame { get; } = new([], []);
    }

    private enum Need { Load, LocalWhole, LocalLive }

    private enum EventKind : byte { Sink, Define, Condition }

    /// <summary>What happens in a block: needs that are there, a definition, or a condition that is needed if what it chooses is.</summary>
    private readonly record struct Event(EventKind Kind, int Local, int[] Whole, int[] Live, int Merge = 0, int[]? Chosen = null);

    private sealed class Block
    {
        internal List<Event> Events { get; } = [];
        internal List<int> Successors { get; } = [];
        internal bool Leaves { get; set; }
        internal ulong[] In { get; set; } = [];
    }

    private readonly IlBuffer il;
    private readonly IReadOnlyList<(int Node, int Width)> loads;
    private readonly Dictionary<int, int> loadAt = [];
    private readonly List<int> order = [];
    private readonly int[] markAt;
    private readonly List<Block> blocks = [];
    private readonly List<int> blockStarts = [];
    private readonly int[] blockOfLabel;
    private readonly bool[] isNeeded;

    /// <summary>Locals have their numbers, arguments those behind them.</summary>
    private readonly int argBase;

    /// <summary>The locals that needs go through: what is stored to them needs something, or they say which way a branch went.</summary>
    private readonly Dictionary<int, int> followed = [];
    private readonly HashSet<int> exposed = [];

    /// <summary>Locals that may hold what the JIT knows: something tame is stored to them, or nothing.</summary>
    private readonly HashSet<int> tame = [], stored = [];

    private LoadGuards(IlBuffer il, IReadOnlyList<(int Node, int Width)> loads)
    {
        this.il = il;
        this.loads = loads;
        argBase = il.Locals.Count;
        markAt = new int[il.LabelCount];
        blockOfLabel = new int[il.LabelCount];
        isNeeded = new bool[loads.Count];
        for (int i = 0; i < loads.Count; i++) loadAt[loads[i].Node] = i;
    }

    /// <summary>Stores the loads that are not needed whole for certain; gives how many.</summary>
    /// <param name="il">The finished IL of a function.</param>
    /// <param name="loads">The instructions that load more than a byte without a check, and their widths.</param>
    internal static int Insert(IlBuffer il, IReadOnlyList<(int Node, int Width)> loads)
    {
        if (loads.Count == 0) return 0;
        var guards = new LoadGuards(il, loads);
        guards.Read();
        guards.Prove();
        return guards.Store();
    }

    private static int Code(Need need, int index) => (index << 2) | (int)need;

    // ---- forwards: expressions ----

    private void Read()
    {
        for (int node = il.After(IlBuffer.Start); node != 0; node = il.After(node))
        {
            ref readonly IlBuffer.Node n = ref il[node];
            if (n.Form == IlBuffer.Form.Mark) markAt[n.Number] = order.Count;
            else if (n.Code == OpCodes.Ldloca) exposed.Add((int)n.Number);
            order.Add(node);
        }
        FindTame();
        var block = new Block();
        blocks.Add(block);
        blockStarts.Add(0);
        var stack = new List<Value>();
        for (int at = 0; at < order.Count; at++)
        {
            ref readonly IlBuffer.Node n = ref il[order[at]];
            if (n.Form is IlBuffer.Form.Mark or IlBuffer.Form.Region)
            {
                // What a handler does is not known before it, and a protected region goes on at labels.
                if (n.Form == IlBuffer.Form.Region && (IlBuffer.Border)n.Number != IlBuffer.Border.Try) block.Leaves = true;
                if (!block.Leaves) block.Successors.Add(blocks.Count);
                if (n.Form == IlBuffer.Form.Mark) blockOfLabel[n.Number] = blocks.Count;
                blocks.Add(block = new Block());
                blockStarts.Add(at);
                stack.Clear();
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
            blocks.Add(block = new Block());
            blockStarts.Add(at + 1);
        }
        block.Leaves = true;
    }

    private static bool IsAlways(in IlBuffer.Node n) =>
        n.Code == OpCodes.Br || n.Code == OpCodes.Leave || n.Code == OpCodes.Ret || n.Code == OpCodes.Throw || n.Code == OpCodes.Rethrow;

    private static bool EndsBlock(in IlBuffer.Node n) => n.Form is IlBuffer.Form.Label or IlBuffer.Form.Switch || IsAlways(n);

    /// <summary>Finds the locals that may hold what the JIT knows: a constant is stored to them, or nothing at all.</summary>
    private void FindTame()
    {
        int before = -1;
        foreach (int node in order)
        {
            ref readonly IlBuffer.Node n = ref il[node];
            if (n.Code == OpCodes.Stloc || n.Code == OpCodes.Starg)
            {
                int local = LocalOf(n);
                stored.Add(local);
                if (before >= 0 && IsTame(il[before])) tame.Add(local);
            }
            before = node;
        }

        static bool IsTame(in IlBuffer.Node n) => n.Form is not (IlBuffer.Form.Calli or IlBuffer.Form.Field or IlBuffer.Form.Arg)
            && !n.Code.Name!.StartsWith("ldind", StringComparison.Ordinal) && n.Code != OpCodes.Ldobj;
    }

    private int LocalOf(in IlBuffer.Node n) => n.Form == IlBuffer.Form.Arg ? argBase + (int)n.Number : (int)n.Number;

    private bool IsTame(int local) => local < argBase ? tame.Contains(local) || !stored.Contains(local) : tame.Contains(local);

    private static int[] Union(int[] a, int[] b)
    {
        if (a.Length == 0) return b;
        if (b.Length == 0) return a;
        int[] all = [.. a.Concat(b).Distinct()];
        return all.Length > MostNeeds ? all[..MostNeeds] : all;
    }

    /// <summary>The needs of two operands that the other may cancel out: those that both have are of no use.</summary>
    private static int[] Exclusive(int[] a, int[] b) => a.Length == 0 ? b : b.Length == 0 ? a : Union([.. a.Except(b)], [.. b.Except(a)]);

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
    private static Value Opaque(in Value a) => new([], Union(a.Whole, a.Live), a.IsOpaque);

    private static Value Opaque(in Value a, in Value b) => new([], Union(Union(a.Whole, a.Live), Union(b.Whole, b.Live)), a.IsOpaque || b.IsOpaque);

    /// <summary>Some of the operand is needed, if any of the result is.</summary>
    private static Value Narrowed(in Value a) => new([], a.Live, a.IsOpaque);

    /// <summary>Each operand is needed as the result is.</summary>
    private static Value Transparent(in Value a, in Value b) =>
        new(Exclusive(a.Whole, b.Whole), Exclusive(a.Live, b.Live), a.IsOpaque || b.IsOpaque);

    private void Follow(in IlBuffer.Node n, int at, List<Value> stack, Block block)
    {
        if (loadAt.TryGetValue(order[at], out int load))
        {
            PopAll(n, stack, block);
            stack[^1] = new Value([Code(Need.Load, load)], [], true, loads[load].Width < 4);
            return;
        }
        switch (n.Form)
        {
            case IlBuffer.Form.Int or IlBuffer.Form.Long: stack.Add(new Value([], [], Constant: n.Number)); return;
            case IlBuffer.Form.Float or IlBuffer.Form.Double or IlBuffer.Form.String: stack.Add(Value.Tame); return;
            case IlBuffer.Form.Local or IlBuffer.Form.Arg: FollowLocal(n, stack, block); return;
            case IlBuffer.Form.Method: FollowCall(n, stack, block); return;
            case IlBuffer.Form.Label or IlBuffer.Form.Switch: FollowBranch(n, at, stack, block); return;
            case IlBuffer.Form.None when FollowOperator(n.Code, stack): return;
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
