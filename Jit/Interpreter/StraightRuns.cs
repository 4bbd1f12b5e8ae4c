namespace WasmJit.Jit.Interpreter;

/// <summary>
/// Counts the instructions that run each time a function is called, or a loop iterates, whichever way its branches go. What an <c>if</c> or a branch
/// forwards may skip is left out, and the instructions of a loop inside are counted once.
/// </summary>
internal sealed class StraightRuns
{
    private const int None = int.MaxValue;

    /// <summary>A function or an open loop.</summary>
    private struct Run
    {
        /// <summary>The index of its block among the open ones, and where its head is.</summary>
        internal int Frame, At;

        /// <summary>What is counted so far, and where the part that is being counted began.</summary>
        internal int Count, Start;

        /// <summary>Nothing is counted until this block ends.</summary>
        internal int Paused;

        /// <summary>The outermost block outside that a branch goes to.</summary>
        internal int Leaves;

        internal void Skip(int frame, int position)
        {
            if (Paused == None) Count += Math.Max(0, position - Start);
            Paused = Math.Min(Paused, Math.Max(frame, Frame));
            Leaves = Math.Min(Leaves, frame);
        }
    }

    private Run[] runs = new Run[4];
    private int open;

    /// <summary>A function or a loop begins.</summary>
    /// <param name="frame">The index of its block.</param>
    /// <param name="at">Where its first instruction is.</param>
    internal void Begin(int frame, int at)
    {
        if (open == runs.Length) Array.Resize(ref runs, open * 2);
        runs[open++] = new Run { Frame = frame, At = at, Start = at, Paused = None, Leaves = None };
    }

    /// <summary>There is an <c>if</c>, or a branch, which may be taken or not.</summary>
    /// <param name="frame">The index of the block whose rest may be skipped, or of the loop that begins anew.</param>
    /// <param name="isLoop">Whether the block is a loop.</param>
    /// <param name="position">How many instructions there are.</param>
    internal void Branch(int frame, bool isLoop, int position)
    {
        ref Run run = ref runs[open - 1];
        // What follows runs before the last iteration ends.
        if (isLoop && run.Frame == frame) return;
        run.Skip(frame, position);
    }

    /// <summary>A block ends that is no loop.</summary>
    internal void EndBlock(int frame, int position)
    {
        ref Run run = ref runs[open - 1];
        if (run.Paused != frame) return;
        run.Paused = None;
        run.Start = position;
    }

    /// <summary>The innermost loop ends, or the function.</summary>
    /// <returns>Where its first instruction is, and how many run each time.</returns>
    internal (int At, int Count) End(int position)
    {
        Run run = runs[--open];
        if (run.Paused == None) run.Count += Math.Max(0, position - run.Start);
        if (open > 0 && run.Leaves < run.Frame) runs[open - 1].Skip(run.Leaves, position);
        return (run.At, run.Count);
    }
}
