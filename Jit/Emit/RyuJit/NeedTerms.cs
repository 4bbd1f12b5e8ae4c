namespace WasmJit.Jit.Emit;

/// <summary>
/// What a value is the exclusive-or of: locals as they were read, each perhaps shifted or rotated by a constant. RyuJIT reduces <c>x ^ x</c> to 0, but knows nothing of what has
/// different terms: a value that a constant has shifted or rotated is another one.
/// </summary>
/// <param name="First">A number for the first term; 0 if the value is something else.</param>
/// <param name="Others">The numbers of the others; null if there are none.</param>
internal readonly record struct NeedTerms(int First, int[]? Others = null)
{
    private enum Form { Read, Left, Right, Rotated }

    /// <summary>Values of more terms are not followed.</summary>
    private const int Most = 6;

    /// <summary>A term has the number of a value above bit 8, a <see cref="Form"/> in the two bits below that, and the count in the lowest six.</summary>
    private const int ValueAt = 8, FormAt = 6;

    /// <summary>Values with larger numbers are not followed.</summary>
    private const int MostValues = 1 << (31 - ValueAt);

    /// <summary>A local as it is read.</summary>
    /// <param name="value">A positive number that no other value of a local has.</param>
    internal static NeedTerms Of(int value) => value < MostValues ? new NeedTerms(value << ValueAt) : default;

    /// <summary>A local in another form. A value that is shifted twice is not followed, nor one that is shifted by 0 or by 32 and more.</summary>
    private NeedTerms As(Form form, long count) =>
        First == 0 || Others is not null || (First & ((1 << ValueAt) - 1)) != 0 || count is <= 0 or >= 32 ? default : new NeedTerms(First | ((int)form << FormAt) | (int)count);

    /// <summary>The same shifted by a constant.</summary>
    internal NeedTerms Shifted(bool isLeft, long count) => As(isLeft ? Form.Left : Form.Right, count);

    /// <summary>The same rotated by a constant, to one side or the other.</summary>
    internal NeedTerms Rotated(long count) => As(Form.Rotated, Math.Min(count, 32 - count));

    /// <summary>Whether a term is in both, as far as is known.</summary>
    internal bool Share(NeedTerms other) => First == 0 || other.First == 0 || other.Has(First) || (Others is not null && Array.Exists(Others, other.Has));

    private bool Has(int term) => term == First || (Others is not null && Array.IndexOf(Others, term) >= 0);

    /// <summary>The terms of both, which share none.</summary>
    internal NeedTerms With(NeedTerms other)
    {
        int[] others = [.. Others ?? [], other.First, .. other.Others ?? []];
        return others.Length < Most ? new NeedTerms(First, others) : default;
    }
}
