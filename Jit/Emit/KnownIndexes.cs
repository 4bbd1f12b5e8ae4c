using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Emit;

/// <summary>
/// What is proved of indices where accesses are compared with the length of their memory, so that a comparison can be left out. A local, or its sum with a
/// constant, has been compared on every way to the code being emitted: accesses from it on that reach no further need no comparison, since memories do
/// not shrink. A local that is written moves what is known of it, if its new value is the sum of a local and a constant. A number that is too small to reach beyond the memory's minimum needs none either. Facts hold along control: labels keep what holds at all branches to
/// them, heads of loops what the loop does not change.
/// </summary>
/// <remarks>
/// A memory that the host disposes of has no bytes any more, but keeps its pages. So facts about memories end where other code runs, for the sake of the trap and
/// not of safety. Code that begins at a loop relies on the comparisons of the interpreter, which has executed what comes before. In the
/// verifying mode every address is asserted, compared or not (<see cref="Assertions.AddressAt"/>).
/// </remarks>
internal sealed class KnownIndexes(EmitterContext context)
{
    /// <summary>What is known of the value in a place.</summary>
    /// <param name="Place">The place.</param>
    /// <param name="Memory">The memory that is so long; -1 if the fact is of the value alone.</param>
    /// <param name="Addend">What is added to the value, as the addresses of the memory are: 32 bits wrap around.</param>
    /// <param name="Bound">At least so many bytes of the memory lie behind the sum; of the value alone: it is at most this.</param>
    internal readonly record struct Fact(int Place, int Memory, ulong Addend, ulong Bound)
    {
        internal bool IsOf(in Fact other) => Place == other.Place && Memory == other.Memory && Addend == other.Addend;

        /// <summary>What two facts of the same have in common.</summary>
        internal Fact Or(in Fact other) => this with { Bound = Memory < 0 ? Math.Max(Bound, other.Bound) : Math.Min(Bound, other.Bound) };
    }

    /// <summary>More facts than this are not kept: each branch and write looks through them. The oldest goes first.</summary>
    private const int MostFacts = 24;

    private readonly List<Fact> facts = [];

    /// <summary>Whether memories of the function's module are compared at all.</summary>
    private readonly bool isActive = context.Module.Memories.Any(context.Target.NeedsChecks);

    private LoopWrites? loops;

    /// <summary>By place, the number of its last write.</summary>
    private readonly Dictionary<int, int> lastWrites = [];

    private int writes;

    /// <summary>How many places are of the function's own locals.</summary>
    private int OwnPlaces => context.Root.Locals.Length;

    /// <summary>The local and the constant whose sum an operand is; a place of -1 if it is none, or not known to be one.</summary>
    internal (int Place, ulong Addend) SumOf(in Operand operand) => operand.Kind switch
    {
        OperandKind.Local => (operand.Index, 0),
        // What is on the IL stack has crossed no label, so writes in the order of the code are all that there were.
        OperandKind.Stack when operand.Sum.Writes > 0 && lastWrites.GetValueOrDefault(operand.Sum.Place) < operand.Sum.Writes => (operand.Sum.Place, operand.Sum.Addend),
        _ => (-1, 0),
    };

    /// <summary>The sum that the result of an operator is, whose operands are topmost.</summary>
    internal OperandSum SumOfResult(Operator op)
    {
        if (!isActive || op.Operation is not (Operation.Add or Operation.Sub) || op.Results[0] is not { Kind: ValKind.I32 or ValKind.I64 } type) return default;
        ref readonly Operand left = ref context.Stack[1], right = ref context.Stack[0];
        bool isConstantFirst = left.Kind == OperandKind.Const && op.Operation == Operation.Add;
        ref readonly Operand constant = ref isConstantFirst ? ref left : ref right;
        (int place, ulong addend) = SumOf(isConstantFirst ? right : left);
        if (constant.Kind != OperandKind.Const || place < 0) return default;
        addend += op.Operation == Operation.Add ? constant.Bits : 0 - constant.Bits;
        return new OperandSum(place, type == ValType.I32 ? (uint)addend : addend, writes + 1);
    }

    /// <summary>A place is about to get a value: the topmost operand. What is known of that is known of the place from then on.</summary>
    /// <returns>What <see cref="Write"/> needs when the value has been stored.</returns>
    internal (ulong Max, int From, ulong Addend) BeforeWrite()
    {
        if (!isActive) return default;
        ref readonly Operand value = ref context.Stack[0];
        (int from, ulong addend) = SumOf(value);
        return (MaxOf(value), from, addend);
    }

    /// <summary>A place has got a value.</summary>
    internal void Write(int place, ValType type, (ulong Max, int From, ulong Addend) value)
    {
        if (!isActive) return;
        lastWrites[place] = ++writes;
        int count = facts.Count;
        for (int i = 0, at = 0; i < count; i++)
        {
            Fact fact = facts[at];
            if (fact.Memory >= 0 && fact.Place == value.From)
            {
                ulong rest = fact.Addend - value.Addend;
                var moved = new Fact(place, fact.Memory, type == ValType.I32 ? (uint)rest : rest, fact.Bound);
                if (place == fact.Place) facts[at] = moved;
                else if (facts.Count < MostFacts) facts.Add(moved);
                at++;
            }
            else if (fact.Place == place)
            {
                facts.RemoveAt(at);
            }
            else
            {
                at++;
            }
        }
        if (value.Max < uint.MaxValue) Add(new Fact(place, -1, 0, value.Max));
    }

    private void Add(in Fact fact)
    {
        if (facts.Count == MostFacts) facts.RemoveAt(0);
        facts.Add(fact);
    }

    /// <summary>Other code runs: what was known of memories is known no longer.</summary>
    internal void ForgetMemories()
    {
        if (facts.Count > 0) facts.RemoveAll(fact => fact.Memory >= 0);
    }

    /// <summary>Nothing is known where a handler begins.</summary>
    internal void Forget() => facts.Clear();

    // ---- control ----

    /// <summary>What is known here.</summary>
    internal Fact[] Here => facts.Count == 0 ? [] : [.. facts];

    /// <summary>What is known where control comes from here, or from where the other facts hold.</summary>
    internal Fact[] Meet(Fact[]? others)
    {
        if (others is null) return Here;
        if (others.Length == 0 || facts.Count == 0) return [];
        var both = new List<Fact>();
        foreach (Fact fact in others)
            foreach (Fact here in facts)
                if (fact.IsOf(here)) both.Add(fact.Or(here));
        return [.. both];
    }

    /// <summary>From here on there are these facts.</summary>
    internal void GoOnWith(Fact[]? known)
    {
        if (!isActive) return;
        facts.Clear();
        if (known is not null) facts.AddRange(known);
    }

    /// <summary>The head of a loop of the function: what the loop does not change stays known.</summary>
    /// <param name="offset">The loop's offset.</param>
    internal void EnterLoop(int offset)
    {
        if (facts.Count == 0) return;
        loops ??= new LoopWrites(context.Root);
        bool runsOtherCode = loops.RunsOtherCode(offset);
        facts.RemoveAll(fact => fact.Place >= OwnPlaces || (fact.Memory >= 0 && runsOtherCode) || loops.Writes(offset, fact.Place));
    }

    // ---- accesses ----

    /// <summary>The most that an operand can be, as an unsigned number.</summary>
    internal ulong MaxOf(in Operand operand)
    {
        if (!isActive) return ulong.MaxValue;
        bool is32 = operand.Type == ValType.I32;
        if (!is32 && operand.Type != ValType.I64) return ulong.MaxValue;
        switch (operand.Kind)
        {
            case OperandKind.Const: return is32 ? (uint)operand.Bits : operand.Bits;
            case OperandKind.Local:
                foreach (Fact fact in facts)
                    if (fact.Place == operand.Index && fact.Memory < 0) return fact.Bound;
                break;
            default:
                if (operand.Max != 0) return operand.Max;
                break;
        }
        return is32 ? uint.MaxValue : ulong.MaxValue;
    }

    /// <summary>The most that the result of an operator can be, whose operands are topmost; 0 if nothing is known.</summary>
    internal ulong MaxOfResult(Operator op)
    {
        if (!isActive || op.Operation == Operation.None || op.Results.Length != 1) return 0;
        ValType type = op.Results[0];
        if (op.Operation == Operation.Compare) return type == ValType.I32 ? 1UL : 0;
        if (!(type == ValType.I32 || type == ValType.I64) || op.Params.Length != 2) return 0;
        ref readonly Operand left = ref context.Stack[1], right = ref context.Stack[0];
        ulong a = MaxOf(left), b = MaxOf(right), all = type == ValType.I32 ? uint.MaxValue : ulong.MaxValue;
        int bits = type == ValType.I32 ? 31 : 63;
        ulong max = op.Operation switch
        {
            Operation.And => Math.Min(a, b),
            Operation.Or or Operation.Xor => ulong.MaxValue >> Math.Min(System.Numerics.BitOperations.LeadingZeroCount(a | b), 63),
            Operation.Add when a <= all - b => a + b,
            Operation.Mul when b == 0 || a <= all / b => a * b,
            Operation.Shl when right.Kind == OperandKind.Const && a <= all >> ((int)right.Bits & bits) => a << ((int)right.Bits & bits),
            Operation.ShrU when right.Kind == OperandKind.Const => a >> ((int)right.Bits & bits),
            _ => all,
        };
        return max >= all ? 0 : max;
    }

    /// <summary>Whether an access is proved to be inside its memory.</summary>
    /// <param name="access">What is accessed.</param>
    /// <param name="extent">The bytes from the index to the access's end.</param>
    internal bool IsInside(in MemoryAccess access, ulong extent)
    {
        if (access.IsReference || !isActive) return false;
        if ((UInt128)access.IndexMax + extent <= (UInt128)access.Type!.Minimum << access.Type.PageSizeLog2) return true;
        if (access.Index.Place < 0) return false;
        foreach (Fact fact in facts)
            if (Covers(fact, access, extent)) return true;
        return false;
    }

    /// <summary>Whether a fact says that an access is inside. The distance from the sum of the fact to the access's index is below 2^32, or 2^64: it wraps around as they do.</summary>
    private static bool Covers(in Fact fact, in MemoryAccess access, ulong extent)
    {
        if (fact.Place != access.Index.Place || fact.Memory != access.Memory) return false;
        ulong distance = access.Index.Addend - fact.Addend;
        if (!access.Is64) distance = (uint)distance;
        return distance <= fact.Bound && extent <= fact.Bound - distance;
    }

    /// <summary>An access has been compared with its memory's length.</summary>
    internal void NoteCompared(in MemoryAccess access, ulong extent)
    {
        if (access.IsReference || access.Index.Place < 0 || !isActive) return;
        var fact = new Fact(access.Index.Place, access.Memory, access.Index.Addend, extent);
        for (int i = facts.Count - 1; i >= 0; i--)
            if (facts[i].IsOf(fact)) facts.RemoveAt(i);
        Add(fact);
    }
}

/// <summary>What the loops of a function write, and whether they run other code: found in one walk through its code.</summary>
internal sealed class LoopWrites
{
    private readonly Dictionary<int, (int First, int End)> loops = [];

    /// <summary>By local, where it is written, ascending; by -1 where other code runs. Positions are counted in these events.</summary>
    private readonly Dictionary<int, List<int>> events = [];

    internal LoopWrites(Activation function)
    {
        var open = new Stack<(int Loop, int First)>();
        int count = 0;
        var code = new CodeReader(function.Module.Bytes.Span, function.Func.CodeStart, function.Func.BodyEnd);
        while (!code.AtEnd)
        {
            code.Read(out Instr instr);
            Operator op = instr.Op;
            if (op.Has(OpTraits.Opens)) open.Push((op.Has(OpTraits.Loops) ? instr.Offset : -1, count));
            else if (op.Has(OpTraits.Closes) && open.TryPop(out (int Loop, int First) ended) && ended.Loop >= 0) loops[ended.Loop] = (ended.First, count);
            if (op.RunsOtherCode && !op.Has(OpTraits.Opens | OpTraits.Closes)) Note(-1);
            if (op.Has(OpTraits.WritesLocal)) Note((int)instr.A);
        }

        void Note(int what)
        {
            if (!events.TryGetValue(what, out List<int>? places)) events[what] = places = [];
            places.Add(count++);
        }
    }

    /// <summary>Whether a loop writes a local.</summary>
    internal bool Writes(int loop, int local)
    {
        if (!events.TryGetValue(local, out List<int>? places)) return false;
        (int first, int end) = loops[loop];
        int found = places.BinarySearch(first);
        if (found < 0) found = ~found;
        return found < places.Count && places[found] < end;
    }

    /// <summary>Whether a loop runs other code.</summary>
    internal bool RunsOtherCode(int loop) => Writes(loop, -1);
}
