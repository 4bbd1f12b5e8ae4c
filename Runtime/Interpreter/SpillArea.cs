namespace WasmJit.Runtime;

/// <summary>
/// Operands of an interpreted function that has more of them than an instruction can name slots. A function has one from its beginning to its end, or
/// until an exception leaves it. It becomes as long as what has been written.
/// </summary>
/// <param name="outer">That of the function further out on the thread that has one.</param>
/// <param name="frames">How many frames there are with the function's own.</param>
internal sealed class SpillArea(SpillArea? outer, long frames)
{
    /// <summary>How many elements the areas of a thread may have: 64 MiB.</summary>
    private const int MostElements = 8 << 20;

    private const int FirstElements = 64;

    /// <summary>The elements of the areas further out. They do not change while this one is there.</summary>
    private readonly int before = outer?.Elements ?? 0;

    private ulong[] numbers = [];
    private object?[] references = [];

    internal SpillArea? Outer => outer;

    /// <summary>How many frames there are with the function's own.</summary>
    internal long Frames => frames;

    /// <summary>The elements of this area and of those further out.</summary>
    private int Elements => before + numbers.Length + references.Length;

    /// <summary>A part of the numbers.</summary>
    internal Span<ulong> Numbers(int first, int count)
    {
        if (first + count > numbers.Length) Array.Resize(ref numbers, NewLength(numbers.Length, first + count));
        return numbers.AsSpan(first, count);
    }

    /// <summary>A part of the references.</summary>
    internal Span<object?> References(int first, int count)
    {
        if (first + count > references.Length) Array.Resize(ref references, NewLength(references.Length, first + count));
        return references.AsSpan(first, count);
    }

    private int NewLength(int length, int needed)
    {
        int wanted = Math.Max(Math.Max(needed, length * 2), FirstElements);
        if (Elements - length + wanted > MostElements) throw Trap.Make(TrapKind.CallStackExhausted);
        return wanted;
    }
}
