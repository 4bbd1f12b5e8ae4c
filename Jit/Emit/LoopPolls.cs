using System.Numerics;
using System.Reflection.Emit;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>A loop of interruptible code, or the function around all loops.</summary>
/// <param name="offset">The loop's offset; -1 for the function.</param>
internal sealed class PolledLoop(int offset)
{
    internal int Offset { get; } = offset;

    /// <summary>The label at its head.</summary>
    internal int Label { get; init; }

    /// <summary>The positions in front of the head, where control comes from outside alone, and behind it.</summary>
    internal int Before { get; init; }
    internal int Head { get; init; }

    /// <summary>Whether the code has one branch to the head.</summary>
    internal bool HasOneBranch { get; init; }

    /// <summary>The most iterations; 0 if that is not known.</summary>
    internal ulong Iterations { get; init; }

    /// <summary>A local that moves in each iteration; null if there is none.</summary>
    internal Stride? Stride { get; init; }

    /// <summary><see cref="EmitterContext.OtherCode"/> at the head, and how many handlers of exceptions had begun.</summary>
    internal (int OtherCode, int Handlers) Outside { get; init; }

    /// <summary>The units of its own instructions.</summary>
    internal long Units { get; set; }

    /// <summary>The most work between two polls of the loops in it, and that of functions put into it.</summary>
    internal long Inner { get; set; }

    /// <summary>How many branches to the head were emitted, and the position in front of the only one; -1 if nothing can be put there.</summary>
    internal int Branches { get; private set; }
    internal int Branch { get; private set; } = -1;

    /// <summary>A branch to the head is emitted next.</summary>
    /// <param name="at">The position where it will be; -1 if nothing can be put there.</param>
    internal void NoteBranch(int at)
    {
        Branches++;
        Branch = HasOneBranch ? at : -1;
    }
}

/// <summary>
/// A local that a loop moves in each iteration, before it goes on, and writes nowhere else. Of all numbers those are marked whose bits from
/// <paramref name="StepLog2"/> to some other bit are zero. The local cannot step over marked numbers, since there are more of them in a row than a step is long.
/// </summary>
/// <param name="IsArg">Whether the local is an argument of the method.</param>
/// <param name="Index">Its index there.</param>
/// <param name="Is64">Whether it has 64 bits.</param>
/// <param name="Least">The shortest step.</param>
/// <param name="StepLog2">No step is longer than this power of two.</param>
internal readonly record struct Stride(bool IsArg, int Index, bool Is64, long Least, int StepLog2)
{
    /// <summary>Longer steps meet too few marked numbers.</summary>
    internal const int LongestLog2 = 20;

    /// <summary>The bits of which marked numbers have none.</summary>
    internal int Mask(int log2) => (int)((1L << (StepLog2 + log2)) - (1L << StepLog2));

    /// <summary>The most iterations from one marked number to the next.</summary>
    internal long Iterations(int log2) => (1L << (StepLog2 + log2)) / Least + 1;
}

/// <summary>
/// Where loops look whether the guest is to stop. Between two such polls there is only so much work. A loop that is known to end within that has none; one that moves a
/// local by little polls when the local has passed a marked number; all others poll in each iteration. Polls are where a loop goes on, if that is one place: otherwise at its head.
/// </summary>
/// <remarks>Functions that a loop calls look for themselves, and it polls in each iteration, because it is not known how much they do.</remarks>
internal sealed class LoopPolls(EmitterContext context, Assertions assertions)
{
    private readonly IlBuffer il = context.Il;

    /// <summary>
    /// The most units of fuel between two polls: a quarter of a millisecond for usual code. It is that little because each store may be the first to
    /// a page of memory, for which the system takes half a microsecond and more.
    /// </summary>
    internal const long MostWork = 1 << 18;

    /// <summary>The work between two polls that a loop aims at: less, and mispredicted branches are felt. But at least so many iterations (log2).</summary>
    private const long UsualWork = 1 << 13;
    private const int FewestIterationsLog2 = 2;

    /// <summary>A function without calls that may do more than this looks when it is entered: others may call it often, without a loop.</summary>
    private const long MostOfUncheckedFunction = 1 << 10;

    /// <summary>The function, and the loops around the code that is being emitted.</summary>
    private readonly List<PolledLoop> open = [new PolledLoop(-1)];

    private int handlers;

    /// <summary>The local with the address of this frame's mark; -1 if nothing polls.</summary>
    internal int Mark { get; private set; } = -1;

    /// <summary>Whether the function looks at its mark when it is entered, even if it calls nothing.</summary>
    internal bool LooksWhenEntered => open[0].Units + open[0].Inner > MostOfUncheckedFunction;

    /// <summary>An instruction is counted for the innermost loop around it.</summary>
    internal void Count(in Instr instr, long units)
    {
        open[^1].Units += units;
        if (instr.Op.Has(OpTraits.Handles)) handlers++;
    }

    /// <summary>A function is put into this one, which costs so much besides its instructions.</summary>
    internal void CountEntry(long units) => open[^1].Inner += units;

    /// <summary>The head of a loop.</summary>
    internal PolledLoop Enter(int offset, int label, int before, ulong iterations)
    {
        var loop = new PolledLoop(offset)
        {
            Label = label,
            Before = before,
            Head = il.Tail,
            Iterations = iterations,
            HasOneBranch = context.Loops.BranchesTo(offset) == 1,
            Stride = StrideOf(offset),
            Outside = (context.OtherCode, handlers),
        };
        open.Add(loop);
        return loop;
    }

    /// <summary>The moved local whose marked numbers lie closest.</summary>
    private Stride? StrideOf(int offset)
    {
        Stride? best = null;
        foreach (MovedLocal moved in context.Loops.MovedIn(offset))
        {
            Operand local = context.Root.Locals[moved.Local];
            var step = new ValueRange((ulong)Math.Abs(moved.Step), (ulong)Math.Abs(moved.Step));
            if (moved.By >= 0) step = context.Known.RangeOf(context.Root.Locals[moved.By]);
            if (step.Min == 0 || step.Max > 1 << Stride.LongestLog2) continue;
            int log2 = step.Max == 1 ? 0 : BitOperations.Log2(step.Max - 1) + 1;
            if (best is { } other && other.StepLog2 <= log2) continue;
            (bool isArg, int index) = context.Places[local.Index];
            best = new Stride(isArg, index, local.Type == ValType.I64, (long)step.Min, log2);
        }
        return best;
    }

    /// <summary>The end of a loop: what there is to do in it is known.</summary>
    internal void Leave()
    {
        PolledLoop loop = open[^1];
        open.RemoveAt(open.Count - 1);
        PolledLoop around = open[^1];
        long work = loop.Units + loop.Inner, left = MostWork - around.Inner;
        bool isOwn = loop.Outside == (context.OtherCode, handlers);
        if (loop.Branches == 0)
        {
            around.Inner += work;
            return;
        }
        if (isOwn && loop.Iterations > 0 && (UInt128)loop.Iterations * (ulong)work <= (ulong)Math.Max(left, 0))
        {
            around.Inner += (long)loop.Iterations * work;
            assertions.Iterations(loop, (long)loop.Iterations);
            return;
        }
        if (isOwn && loop.Branch >= 0 && loop.Stride is { } stride)
        {
            int log2 = Math.Max(FewestIterationsLog2, BitOperations.Log2((ulong)Math.Max(1, UsualWork / Math.Max(1, work))));
            long most = stride.Iterations(log2) + 1;
            if (stride.StepLog2 + log2 < 31 && work <= left / most)
            {
                around.Inner += most * work;
                int at = stride.IsArg ? il.LdargAt(loop.Branch, stride.Index) : il.LdlocAt(loop.Branch, stride.Index);
                at = stride.Is64 ? il.LdcI8At(at, stride.Mask(log2)) : il.LdcI4At(at, stride.Mask(log2));
                at = il.EmitAt(at, OpCodes.And);
                at = il.BranchAt(at, OpCodes.Brtrue, loop.Label);
                PollAt(at, loop.Label, assertions.Iterations(loop, most));
                return;
            }
        }
        int count = assertions.Iterations(loop, 1);
        if (loop.Branch >= 0 && work <= left / 2)
        {
            around.Inner += 2 * work;
            PollAt(loop.Branch, loop.Label, count);
        }
        else
        {
            around.Inner = Math.Max(around.Inner, work);
            int ok = il.DefineLabel();
            il.MarkAt(PollAt(loop.Head, ok, count), ok);
        }
    }

    /// <summary>Stops if the mark of this frame says so, and goes to a label otherwise. The frame's size needs no check any more.</summary>
    /// <param name="at">Where.</param>
    /// <param name="ok">The label.</param>
    /// <param name="count">In the verifying mode the local with the iterations since the last poll; otherwise -1.</param>
    private int PollAt(int at, int ok, int count)
    {
        if (Mark < 0) Mark = il.DeclareLocal(typeof(nint));
        if (count >= 0) at = il.StlocAt(il.LdcI4At(at, 0), count);
        at = il.LdlocAt(at, Mark);
        at = il.EmitAt(at, OpCodes.Volatile);
        at = il.EmitAt(at, OpCodes.Ldind_U1);
        at = il.LdcI4At(at, StackGuard.Stopped);
        at = il.BranchAt(at, OpCodes.Bne_Un, ok);
        return il.CallAt(at, Members.Stop);
    }
}
