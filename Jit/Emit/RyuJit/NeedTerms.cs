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

    /// <summary>Numbers of values are below.</summary>
    private const int MostValues = 1 << 23;

    /// <summary>A local as it is read.</summary>
    /// <param name="value">A positive number that no other value of a local has.</param>
    internal static NeedTerms Of(int value) => value < MostValues ? new NeedTerms(value << 8) : default;

    /// <summary>Counts are below 32. What has been shifted twice is not followed, nor what has not been shifted.</summary>
    private NeedTerms As(Form form, long count) =>
        First == 0 || Others is not null || (First & 0xff) != 0 || count is <= 0 or >= 32 ? default : new NeedTerms(First | ((int)form << 6) | (int)count);

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
