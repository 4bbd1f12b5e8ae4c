namespace WasmJit.Jit.Emit;

/// <summary>The kinds of needs.</summary>
internal enum Need
{
    /// <summary>All of a load's value is needed.</summary>
    Load,

    /// <summary>All of a local's value is needed, at one of its reads.</summary>
    LocalWhole,

    /// <summary>Some of a local's value is needed, at one of its reads.</summary>
    LocalLive,
}

/// <summary>Sets of needs: arrays of numbers, each a <see cref="Need"/> in the lowest two bits and the number of a load or of a read above.</summary>
internal static class Needs
{
    /// <summary>Larger sets lose the rest. A lost need only means that less is proved.</summary>
    internal const int Most = 48;

    internal static int Code(Need need, int index) => (index << 2) | (int)need;

    /// <summary>Sets of one need each, which nothing changes: those of small functions are made once.</summary>
    private static readonly int[]?[] Ones = new int[]?[1 << 13];

    /// <summary>The set of one need.</summary>
    internal static int[] One(Need need, int index)
    {
        int code = Code(need, index);
        return code < Ones.Length ? Ones[code] ??= [code] : [code];
    }

    internal static int[] Union(int[] a, int[] b)
    {
        if (a.Length == 0) return b;
        if (b.Length == 0) return a;
        Span<int> all = stackalloc int[Most];
        int count = 0;
        foreach (int need in a) Include(need, all, ref count);
        foreach (int need in b) Include(need, all, ref count);
        return count == a.Length ? a : all[..count].ToArray();
    }

    internal static void Include(int need, Span<int> all, ref int count)
    {
        if (count < all.Length && !all[..count].Contains(need)) all[count++] = need;
    }
}

/// <summary>What is needed if a value is whole, and if it is live; needs are numbers, see <see cref="Needs"/>.</summary>
/// <param name="Whole">What is needed if all of it is.</param>
/// <param name="Live">What is needed if some of it is.</param>
/// <param name="IsOpaque">Whether the JIT cannot find it out.</param>
/// <param name="IsExtended">Whether the JIT knows that it is less than its type can hold.</param>
/// <param name="Constant">An integer constant.</param>
/// <param name="IsFloat">Whether it is a float for certain.</param>
/// <param name="IsFresh">Whether it comes from a load or call in the expression itself: nothing before can have decided on it.</param>
/// <param name="Terms">What it is the exclusive-or of.</param>
/// <param name="Form">What it is computed from, a number of <see cref="NeedForms"/>.</param>
internal readonly record struct NeedValue(
    int[] Whole, int[] Live, bool IsOpaque = false, bool IsExtended = false, long? Constant = null, bool IsFloat = false,
    bool IsFresh = false, NeedTerms Terms = default, int Form = NeedForms.Unknown)
{
    internal static NeedValue Unknown { get; } = new([], [], true, IsFresh: true);

    /// <summary>A value that the JIT may find out, and that needs nothing.</summary>
    internal static NeedValue Knowable { get; } = new([], []);
}
