using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Emit;

/// <summary>
/// A loop that goes on from one place alone, where a local has just got its sum with a constant, or is compared with one.
/// </summary>
/// <param name="Local">The local.</param>
/// <param name="Step">What is added in each iteration, once; 0 if that is not known.</param>
/// <param name="Limit">The constant.</param>
/// <param name="IsBelow">Whether the loop goes on while the local is below the constant; otherwise while it is another number.</param>
internal readonly record struct CountedLoop(int Local, long Step, uint Limit, bool IsBelow)
{
    /// <summary>The most iterations, given what the local is before the first; 0 if that is not known.</summary>
    internal ulong Iterations(ValueRange start)
    {
        if (Step == 0 || start.Min != start.Max) return 0;
        ulong step = (ulong)Math.Abs(Step), way = (uint)(Step > 0 ? Limit - (uint)start.Min : (uint)start.Min - Limit);
        if (!IsBelow) return way != 0 && way % step == 0 ? way / step : 0;
        // It must not wrap around on its way to the limit.
        return Step > 0 && start.Min < Limit && Limit + step <= 1UL << 32 ? (way + step - 1) / step : 0;
    }
}

/// <summary>What the loops of a function write, whether they run other code, and how they go on: found in one walk through its code.</summary>
internal sealed class LoopWrites
{
    private sealed class Loop(int first, int depth)
    {
        internal readonly int First = first, Depth = depth;
        internal int End, Backs;
        internal CountedLoop? Counted;

        /// <summary>How many operators it has, if they are numbers, locals and accesses of own memories alone, and the branch to its head is the last.</summary>
        private int operators;
        private bool isStraight = true, hasBranch;

        /// <summary>The position of its first operator.</summary>
        internal int Body { get; init; }

        internal bool IsStraight(int most) => isStraight && hasBranch && operators <= most;

        /// <summary>An operator in it, but in no loop in it.</summary>
        internal void Note(in Instr instr)
        {
            if (instr.Op.Has(OpTraits.Closes)) return;
            operators++;
            bool goesOn = instr.Id == OpId.BrIf && instr.A == 0;
            isStraight &= !hasBranch && !instr.IsAccessThroughReference
                && (goesOn || instr.Op.Group is OpGroup.Plain or OpGroup.Constants || instr.Id is OpId.LocalGet or OpId.LocalSet or OpId.LocalTee);
            hasBranch |= goesOn;
        }
    }

    /// <summary>A place where a local is written.</summary>
    /// <param name="At">When, counted in these events.</param>
    /// <param name="Loop">The innermost loop around it.</param>
    /// <param name="Step">The constant that is added to it, if that is all.</param>
    private readonly record struct Write(int At, Loop? Loop, long? Step);

    private readonly Dictionary<int, Loop> loops = [];

    /// <summary>By local, where it is written, ascending; by -1 where other code runs.</summary>
    private readonly Dictionary<int, List<Write>> events = [];

    internal LoopWrites(Activation function)
    {
        // Blocks that are open, with the loop that each is, and the loops around.
        var open = new List<Loop?> { null };
        var around = new List<Loop>();
        var last = new LastOperators();
        int count = 0;
        var code = new CodeReader(function.Module.Bytes.Span, function.Func.CodeStart, function.Func.BodyEnd);
        while (!code.AtEnd)
        {
            code.Read(out Instr instr);
            Operator op = instr.Op;
            if (around.Count > 0) around[^1].Note(instr);
            if (op.Has(OpTraits.Opens))
            {
                Loop? loop = op.Has(OpTraits.Loops) ? loops[instr.Offset] = new Loop(count, around.Count) { Body = code.Position } : null;
                open.Add(loop);
                if (loop is not null) around.Add(loop);
                // The clauses of a handler may go anywhere.
                if (op.Has(OpTraits.Handles)) foreach (Loop outer in around) outer.Backs += 2;
            }
            else if (op.Has(OpTraits.Closes) && open.Count > 1)
            {
                if (open[^1] is { } ended)
                {
                    ended.End = count;
                    around.RemoveAt(around.Count - 1);
                }
                open.RemoveAt(open.Count - 1);
            }
            if (op.RunsOtherCode) Note(-1, null);
            if (op.Has(OpTraits.WritesLocal)) Note((int)instr.A, last.StepOf((int)instr.A));
            if (op.Has(OpTraits.Branches) && instr.Id != OpId.Return)
            {
                if (instr.Id != OpId.BrTable)
                {
                    Back((int)instr.A, instr.Id == OpId.BrIf ? last.Test() : null);
                }
                else
                {
                    ByteReader reader = code.List(instr);
                    for (int i = 0; i <= instr.ListCount; i++) Back((int)reader.U32(), null);
                }
            }
            last.Add(instr);
        }

        void Note(int what, long? step)
        {
            if (!events.TryGetValue(what, out List<Write>? places)) events[what] = places = [];
            places.Add(new Write(count++, around.Count > 0 ? around[^1] : null, step));
        }

        void Back(int label, CountedLoop? counted)
        {
            if (label >= open.Count || open[open.Count - 1 - label] is not { } loop) return;
            loop.Backs++;
            loop.Counted = counted;
        }
    }

    /// <summary>How many branches go to a loop's head; more than one if handlers of exceptions may go there.</summary>
    internal int BranchesTo(int loop) => loops[loop].Backs;

    /// <summary>The position of the first operator of a loop of so many at most, which goes on behind the last one and has no other branch; -1 if it is another one.</summary>
    internal int StraightBody(int loop, int most) => loops[loop].IsStraight(most) ? loops[loop].Body : -1;

    /// <summary>Whether a loop writes a local.</summary>
    internal bool Writes(int loop, int local) => First(loop, local, out _) is not null;

    private Write? First(int loop, int local, out bool isOnly)
    {
        isOnly = false;
        if (!events.TryGetValue(local, out List<Write>? places)) return null;
        Loop of = loops[loop];
        int low = 0, high = places.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (places[middle].At < of.First) low = middle + 1;
            else high = middle;
        }
        if (low == places.Count || places[low].At >= of.End) return null;
        isOnly = low + 1 == places.Count || places[low + 1].At >= of.End;
        return places[low];
    }

    /// <summary>Whether a loop runs other code.</summary>
    internal bool RunsOtherCode(int loop) => Writes(loop, -1);

    /// <summary>What a loop adds to a local in each iteration, once at most, if that is the only thing that it does to it.</summary>
    internal long? StepOf(int loop, int local) =>
        First(loop, local, out bool isOnly) is { } write && isOnly && write.Loop == loops[loop] ? write.Step : null;

    /// <summary>How a loop goes on, if it does so from one place.</summary>
    internal CountedLoop? CountedBy(int loop)
    {
        Loop of = loops[loop];
        if (of.Backs != 1 || of.Counted is not { } counted) return null;
        // The sum is made where the loop goes on: once in an iteration, and not perhaps.
        return counted.Step != 0 && StepOf(loop, counted.Local) is null ? counted with { Step = 0 } : counted;
    }

    /// <summary>The last operators, for the shapes in which compilers write loops.</summary>
    private sealed class LastOperators
    {
        private const int Length = 8;
        private readonly (Operator? Op, uint Index, ulong Bits)[] operators = new (Operator?, uint, ulong)[Length];
        private int count;

        internal void Add(in Instr instr) => operators[count++ % Length] = (instr.Op, instr.A, instr.Bits);

        private (Operator? Op, uint Index, ulong Bits) Back(int by) => by <= count ? operators[(count - by) % Length] : default;

        /// <summary>The constant in <c>local.get x, i32.const c, i32.add</c>, which came last but <paramref name="skip"/>.</summary>
        internal long? StepOf(int local, int skip = 0)
        {
            (Operator? add, uint _, ulong _) = Back(skip + 1);
            (Operator? constant, uint _, ulong bits) = Back(skip + 2);
            (Operator? get, uint index, ulong _) = Back(skip + 3);
            if (add is null || constant?.Id != OpId.I32Const || get?.Id != OpId.LocalGet || index != local) return null;
            return add.IsOfI32(Operation.Add) ? (int)bits : add.IsOfI32(Operation.Sub) ? -(long)(int)bits : null;
        }

        /// <summary>The test that came last, of a local that has got a value just before or is read.</summary>
        internal CountedLoop? Test()
        {
            (Operator? last, uint index, ulong _) = Back(1);
            if (last?.Id == OpId.LocalTee) return new CountedLoop((int)index, StepOf((int)index, 1) ?? 0, 0, false);
            (Operator? constant, uint _, ulong limit) = Back(2);
            (Operator? read, uint local, ulong _) = Back(3);
            if (last is null || Relations.Of(last) is not (Relation.NotEqual or Relation.Below) || constant?.Id != OpId.I32Const) return null;
            if (read?.Id is not (OpId.LocalTee or OpId.LocalGet)) return null;
            long step = read.Id == OpId.LocalTee ? StepOf((int)local, 3) ?? 0 : 0;
            return new CountedLoop((int)local, step, (uint)limit, Relations.Of(last) == Relation.Below);
        }
    }
}
