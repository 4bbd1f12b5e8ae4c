namespace WasmJit.Jit.Emit;

internal enum NeedEventKind : byte
{
    /// <summary>Something that cannot be left out.</summary>
    Sink,

    /// <summary>A local is read.</summary>
    Read,

    /// <summary>A local gets a value.</summary>
    Define,

    /// <summary>A branch chooses what locals get.</summary>
    Condition,

    /// <summary>Control may end here, and the JIT may know that it does: nothing that comes later is needed.</summary>
    Trap,
}

/// <summary>
/// An event in a block: needs, a read or definition of a local, or a condition that is needed if what it chooses is.
/// </summary>
internal readonly record struct NeedEvent(NeedEventKind Kind, int Local, int[] Whole, int[] Live, int Merge = 0, ChosenLocal[]? Chosen = null);

/// <summary>A local that a branch chooses something for.</summary>
/// <param name="Local">The local.</param>
/// <param name="First">The instruction that stores to it last on the one way; the complement of what is in it (<see cref="NeedForms"/>) if there is none.</param>
/// <param name="Second">The same of the other way.</param>
internal readonly record struct ChosenLocal(int Local, int First, int Second);

/// <summary>A basic block, and what happens in it.</summary>
internal sealed class NeedBlock
{
    internal List<NeedEvent> Events { get; } = [];

    /// <summary>The blocks behind it; while blocks are read, the complement of a label's number.</summary>
    internal List<int> Successors { get; } = [];

    /// <summary>Whether control does not go on behind it.</summary>
    internal bool Leaves { get; set; }

    /// <summary>Whether the JIT cannot know which way control goes at the end.</summary>
    internal bool Splits { get; set; }

    /// <summary>As <see cref="Splits"/>, and the two successors begin with different effects. (The JIT merges equal code.)</summary>
    internal bool Parts { get; set; }

    /// <summary>As <see cref="Splits"/>, and the condition is computed in this block: no earlier code can know it, so what either successor needs is needed.</summary>
    internal bool IsEither { get; set; }

    /// <summary>Whether the JIT keeps a block border here, so that a local that is live across it holds its whole value in a register.</summary>
    internal bool EndsForCertain { get; set; }

    /// <summary>What is needed at its beginning: two bits for each followed local, live and whole.</summary>
    internal ulong[] In { get; set; } = [];

    /// <summary>Whether the JIT may know that control ends in this block (<see cref="NeedEventKind.Trap"/>).</summary>
    internal bool MayEnd { get; set; }

    /// <summary>Whether control may come here as far as the JIT can tell.</summary>
    internal bool IsReached { get; set; }

    internal void Clear()
    {
        Events.Clear();
        Successors.Clear();
        Leaves = Splits = Parts = IsEither = EndsForCertain = MayEnd = IsReached = false;
        In = [];
    }
}
