using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Emit;

/// <summary>
/// What is proved of indices. A sum that is known not to wrap around may be computed with 64 bits (<see cref="IndexParts"/>). Where accesses are compared with the length of their
/// memory, a comparison can be left out: of a local, or of its sum with a constant, if it has been compared on every way to the code being emitted, for accesses that reach no further; and
/// of a number that is too small to reach beyond the memory's minimum. Memories do not shrink.
/// </summary>
/// <remarks>
/// A local that is written moves what is known of it, if its new value is the sum of a local and a constant. Facts hold along control: labels keep what holds at all branches to them, heads
/// of loops what the loop does not change.
///
/// A memory that the host disposes of has no bytes any more, but keeps its pages. So facts about memories end where other code runs, for the sake of the trap and
/// not of safety. Code that begins at a loop relies on the comparisons of the interpreter, which has executed what comes before. In the
/// verifying mode every address is asserted, compared or not (<see cref="Assertions.AddressAt"/>).
/// </remarks>
internal sealed class KnownIndexes(EmitterContext context)
{
    /// <summary>What is known of the value in a place.</summary>
    /// <param name="Place">The place.</param>
    /// <param name="Memory">The memory that is so long; -1 if the fact is of the value alone.</param>
    /// <param name="Addend">What is added to the value, as the addresses of the memory are: 32 bits wrap around. Of the value alone: it is at least this.</param>
    /// <param name="Bound">At least so many bytes of the memory lie behind the sum; of the value alone: it is at most this.</param>
    internal readonly record struct Fact(int Place, int Memory, ulong Addend, ulong Bound)
    {
        internal bool IsOf(in Fact other) => Place == other.Place && Memory == other.Memory && (Memory < 0 || Addend == other.Addend);

        /// <summary>What two facts of the same have in common.</summary>
        internal Fact Or(in Fact other) => Memory < 0
            ? this with { Addend = Math.Min(Addend, other.Addend), Bound = Math.Max(Bound, other.Bound) }
            : this with { Bound = Math.Min(Bound, other.Bound) };
    }

    /// <summary>More facts than this are not kept: each branch and write looks through them. The oldest goes first.</summary>
    private const int MostFacts = 32;

    private readonly List<Fact> facts = [];

    /// <summary>By place, the number of its last write.</summary>
    private readonly Dictionary<int, int> lastWrites = [];

    private int writes;

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
        if (op.Operation is not (Operation.Add or Operation.Sub) || op.Results[0] is not { Kind: ValKind.I32 or ValKind.I64 } type) return default;
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
    internal (ValueRange Range, int From, ulong Addend) BeforeWrite()
    {
        ref readonly Operand value = ref context.Stack[0];
        (int from, ulong addend) = SumOf(value);
        return (RangeOf(value), from, addend);
    }

    /// <summary>A place has got a value.</summary>
    internal void Write(int place, ValType type, (ValueRange Range, int From, ulong Addend) value)
    {
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
        if (!value.Range.Equals(ValueRange.All(type))) Add(new Fact(place, -1, value.Range.Min, value.Range.Max));
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

    /// <summary>What is known where a test does not hold.</summary>
    internal Fact[] HereUnless(OperandTest test)
    {
        Fact[] here = Here;
        Assume(test, holds: false);
        Fact[] otherwise = Here;
        GoOnWith(here);
        return otherwise;
    }

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
        facts.Clear();
        if (known is not null) facts.AddRange(known);
    }

    /// <summary>The head of a loop: what the loop does not change stays known. A function that is put into another writes none of its caller's locals.</summary>
    /// <param name="offset">The loop's offset.</param>
    /// <returns>The most iterations; 0 if that is not known.</returns>
    internal ulong EnterLoop(int offset)
    {
        if (facts.Count == 0) return 0;
        LoopWrites loops = context.Loops;
        bool runsOtherCode = loops.RunsOtherCode(offset);
        CountedLoop? counted = loops.CountedBy(offset);
        ulong iterations = counted is { } loop ? loop.Iterations(RangeOfPlace(context.Current.PlaceOf(loop.Local), ValType.I32)) : 0;
        for (int i = facts.Count - 1; i >= 0; i--)
        {
            Fact fact = facts[i];
            int local = context.Current.LocalAt(fact.Place);
            if (fact.Memory >= 0 && runsOtherCode) facts.RemoveAt(i);
            else if (local < 0 || !loops.Writes(offset, local)) continue;
            else if (fact.Memory < 0 && RangeInLoop(offset, local, fact, counted, iterations) is { } range) facts[i] = fact with { Addend = range.Min, Bound = range.Max };
            else facts.RemoveAt(i);
        }
        return iterations;
    }

    /// <summary>What a local that a loop writes is at its head, in all iterations.</summary>
    private ValueRange? RangeInLoop(int offset, int local, in Fact fact, CountedLoop? counted, ulong iterations)
    {
        var range = new ValueRange(fact.Addend, fact.Bound);
        // An iteration begins when it is at its limit no longer, or from outside.
        if (counted is { IsBelow: true } below && below.Local == local && below.Limit > 0)
            return new ValueRange(0, Math.Max(range.Max, below.Limit - 1));
        if (iterations == 0 || context.Loops.StepOf(offset, local) is not { } step) return null;
        Int128 way = (Int128)step * (iterations - 1), min = (Int128)range.Min + Int128.Min(way, 0), max = (Int128)range.Max + Int128.Max(way, 0);
        return min >= 0 && max <= uint.MaxValue ? new ValueRange((ulong)min, (ulong)max) : null;
    }

    private ValueRange RangeOfPlace(int place, ValType type)
    {
        foreach (Fact fact in facts)
            if (fact.Place == place && fact.Memory < 0) return new ValueRange(fact.Addend, fact.Bound);
        return ValueRange.All(type);
    }

    /// <summary>The comparison that an operand is the result of; what is tested itself is compared with zero.</summary>
    internal OperandTest TestOf(in Operand operand) => operand.Kind switch
    {
        OperandKind.Local when operand.Type == ValType.I32 => new OperandTest(operand.Index, Relation.NotEqual, 0, writes + 1),
        OperandKind.Stack => operand.Test,
        _ => default,
    };

    /// <summary>The comparison that an operator makes, whose operands are topmost.</summary>
    internal OperandTest TestOfResult(Operator op)
    {
        if (op.Operation != Operation.Compare || op.Params[0] != ValType.I32) return default;
        if (op.Params.Length == 1) return TestOf(context.Stack[0]) is { Writes: > 0 } test ? test.Negated : default;
        if (context.Stack[0].Kind != OperandKind.Const || SumOf(context.Stack[1]) is not { Place: >= 0, Addend: 0 } sum) return default;
        return Relations.Of(op) is { } relation ? new OperandTest(sum.Place, relation, (uint)context.Stack[0].Bits, writes + 1) : default;
    }

    /// <summary>From here on a test is known to hold, or not to.</summary>
    internal void Assume(OperandTest test, bool holds)
    {
        if (test.Writes == 0 || lastWrites.GetValueOrDefault(test.Place) >= test.Writes) return;
        ValueRange range = RangeOfPlace(test.Place, ValType.I32);
        if ((holds ? test : test.Negated).Narrow(range) is not { } narrow || narrow.Equals(range)) return;
        for (int i = facts.Count - 1; i >= 0; i--)
            if (facts[i].Place == test.Place && facts[i].Memory < 0) facts.RemoveAt(i);
        Add(new Fact(test.Place, -1, narrow.Min, narrow.Max));
    }

    // ---- accesses ----

    /// <summary>What an operand can be, as an unsigned number.</summary>
    internal ValueRange RangeOf(in Operand operand)
    {
        if (!(operand.Type == ValType.I32 || operand.Type == ValType.I64)) return ValueRange.All(ValType.I64);
        ulong bits = operand.Type == ValType.I32 ? (uint)operand.Bits : operand.Bits;
        return operand.Kind switch
        {
            OperandKind.Const => new ValueRange(bits, bits),
            OperandKind.Local => RangeOfPlace(operand.Index, operand.Type),
            _ when operand.Range.Max != 0 => operand.Range,
            _ => ValueRange.All(operand.Type),
        };
    }

    /// <summary>What the result of an operator can be, whose operands are topmost; the default if nothing is known.</summary>
    internal ValueRange RangeOfResult(Operator op)
    {
        if (op.Operation == Operation.None || op.Results.Length != 1) return default;
        ValType type = op.Results[0];
        if (op.Operation == Operation.Compare) return type == ValType.I32 ? new ValueRange(0, 1) : default;
        if (!(type == ValType.I32 || type == ValType.I64) || op.Params.Length != 2) return default;
        return ValueRange.Of(op.Operation, type, RangeOf(context.Stack[1]), RangeOf(context.Stack[0]));
    }

    /// <summary>Whether an access is proved to be inside its memory.</summary>
    /// <param name="access">What is accessed.</param>
    /// <param name="extent">The bytes from the index to the access's end.</param>
    internal bool IsInside(in MemoryAccess access, ulong extent)
    {
        if (access.IsReference) return false;
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
        if (access.IsReference || access.Index.Place < 0) return;
        var fact = new Fact(access.Index.Place, access.Memory, access.Index.Addend, extent);
        for (int i = facts.Count - 1; i >= 0; i--)
            if (facts[i].IsOf(fact)) facts.RemoveAt(i);
        Add(fact);
    }
}
