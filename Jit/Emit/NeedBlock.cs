namespace WasmJit.Jit;

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
}

/// <summary>
/// What happens in a block: needs that are there, a read or definition of a local, or a condition that is needed if what it chooses is.
/// </summary>
internal readonly record struct NeedEvent(NeedEventKind Kind, int Local, int[] Whole, int[] Live, int Merge = 0, int[]? Chosen = null);

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

    /// <summary>The same, and the ways begin with different things: the JIT draws together what is equal.</summary>
    internal bool Parts { get; set; }

    /// <summary>The same, and nothing before can tell: what one way needs is needed.</summary>
    internal bool IsEither { get; set; }

    /// <summary>Whether a value that is in a local at the end is in a register there: the code behind is another block to the JIT, too.</summary>
    internal bool EndsForCertain { get; set; }

    /// <summary>What is needed at its beginning: two bits for each followed local, live and whole.</summary>
    internal ulong[] In { get; set; } = [];

    /// <summary>Whether control may come here as far as the JIT can tell.</summary>
    internal bool IsReached { get; set; }

    internal void Clear()
    {
        Events.Clear();
        Successors.Clear();
        Leaves = Splits = Parts = IsEither = EndsForCertain = IsReached = false;
        In = [];
    }
}
