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

    /// <summary>The position of the first operator if the loop is emitted several times, one behind the other; otherwise -1.</summary>
    internal int Body { get; init; } = -1;

    /// <summary>How often it is still to be emitted.</summary>
    internal int Copies { get; set; }

    /// <summary>Where all but the last copy leave the loop, and what is known there; -1 for nowhere.</summary>
    internal int Exit { get; set; } = -1;
    internal KnownIndexes.Fact[]? KnownAtExit { get; set; }

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
/// Where loops look whether the guest is to stop. Between two such polls there is only so much work. A loop that is known to end within that has none; all others poll in each
/// iteration, where the loop goes on, if that is one place: otherwise at its head.
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

    /// <summary>A loop with so few operators is emitted so often, for one poll.</summary>
    private const int ShortLoop = 16, CopiesOfShort = 4;

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
        // One that has no poll need not be emitted again. Fuel is charged where a loop begins.
        bool repeats = !context.Target.CountsFuel && iterations is 0 or > MostWork / ShortLoop;
        int body = repeats ? context.Loops.StraightBody(offset, ShortLoop) : -1;
        var loop = new PolledLoop(offset)
        {
            Label = label,
            Before = before,
            Head = il.Tail,
            Iterations = iterations,
            HasOneBranch = context.Loops.BranchesTo(offset) == 1,
            Outside = (context.OtherCode, handlers),
            Body = body,
            Copies = body >= 0 ? CopiesOfShort - 1 : 0,
        };
        open.Add(loop);
        return loop;
    }

    /// <summary>The end of a loop: what there is to do in it is known.</summary>
    /// <returns>The position in front of the call that stops the guest; -1 if the loop has no poll.</returns>
    internal int Leave()
    {
        PolledLoop loop = open[^1];
        open.RemoveAt(open.Count - 1);
        PolledLoop around = open[^1];
        long work = loop.Units + loop.Inner, left = MostWork - around.Inner;
        bool isOwn = loop.Outside == (context.OtherCode, handlers);
        if (loop.Branches == 0)
        {
            around.Inner += work;
            return -1;
        }
        if (isOwn && loop.Iterations > 0 && (UInt128)loop.Iterations * (ulong)work <= (ulong)Math.Max(left, 0))
        {
            around.Inner += (long)loop.Iterations * work;
            assertions.Iterations(loop, (long)loop.Iterations);
            return -1;
        }
        int count = assertions.Iterations(loop, 1);
        if (loop.Branch >= 0 && work <= left / 2)
        {
            around.Inner += 2 * work;
            int stops = PollAt(loop.Branch, loop.Label, count);
            il.CallAt(stops, Members.Stop);
            return stops;
        }
        around.Inner = Math.Max(around.Inner, work);
        int ok = il.DefineLabel(), at = PollAt(loop.Head, ok, count);
        il.MarkAt(il.CallAt(at, Members.Stop), ok);
        return at;
    }

    /// <summary>Goes to a label unless the mark of this frame says that the guest is to stop. The frame's size needs no check any more.</summary>
    /// <param name="at">Where.</param>
    /// <param name="ok">The label.</param>
    /// <param name="count">In the verifying mode the local with the iterations since the last poll; otherwise -1.</param>
    /// <returns>Where it stops.</returns>
    private int PollAt(int at, int ok, int count)
    {
        if (Mark < 0) Mark = il.DeclareLocal(typeof(nint));
        if (count >= 0) at = il.StlocAt(il.LdcI4At(at, 0), count);
        at = il.LdlocAt(at, Mark);
        at = il.EmitAt(at, OpCodes.Volatile);
        at = il.EmitAt(at, OpCodes.Ldind_U1);
        at = il.LdcI4At(at, StackGuard.Stopped);
        return il.BranchAt(at, OpCodes.Bne_Un, ok);
    }
}
