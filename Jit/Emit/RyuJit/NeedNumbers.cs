using WasmJit.Jit.Il;

namespace WasmJit.Jit.Emit;

/// <summary>What a value is the exclusive-or of: numbers of values, see <see cref="NeedNumbers"/>.</summary>
/// <param name="First">The first; <see cref="NeedNumbers.Unknown"/> if nothing is known of the value.</param>
/// <param name="Others">The others; null if there are none.</param>
internal readonly record struct NeedTerms(int First, int[]? Others = null);

/// <summary>
/// Numbers for the values of a function. Values that RyuJIT may find to be equal have the same number, whatever locals they have gone through: it reduces <c>x ^ x</c>, <c>x - x</c> and
/// <c>x == x</c>. It never takes two loads for one. Others may have the same number, too, and then less is proved: those that differ by a constant that is added or masks, or by a conversion.
/// For reads in other blocks a local has the number of all locals and loads that are stored to it anywhere, and of what is computed if that is all that it gets.
/// </summary>
internal sealed class NeedNumbers
{
    /// <summary>The number of what may be equal to anything, and what stands for an operand that there is not.</summary>
    internal const int Unknown = 0, None = 1;

    /// <summary>Values of more terms are one.</summary>
    private const int MostTerms = 6;

    private enum Form { Constant, Instruction, Negative, ShiftLeft, ShiftRight, Rotation, ExclusiveOr, First }

    private readonly Dictionary<(int Form, object? What, int A, int B, long C), int> known = [];

    /// <summary>For each number one that is the same and not larger: itself, if that is the least.</summary>
    private readonly List<int> same = [Unknown, None];

    /// <summary>What a number that is a sum adds, and what it subtracts as negatives.</summary>
    private readonly Dictionary<int, int[]> sums = [];

    /// <summary>What a number that is shifted by a constant is, and by how much: to the right if that is negative.</summary>
    private readonly Dictionary<int, (int Of, long Count)> shifts = [];

    /// <summary>Numbers of what is computed from constants alone.</summary>
    private readonly HashSet<int> constants = [None];

    /// <summary>Numbers of what is not computed: what locals get, loads and results of calls.</summary>
    private readonly HashSet<int> plain = [];

    /// <summary>Whether numbers that had been told apart are the same now.</summary>
    internal bool HasChanged { get; set; }

    /// <summary>Whether all values may be equal, since it takes too long to tell them apart.</summary>
    internal bool AllAreSame { get; set; }

    /// <summary>Whether the negative of anything has a number.</summary>
    internal bool HasNegatives { get; private set; }

    internal void Clear()
    {
        known.Clear();
        same.RemoveRange(2, same.Count - 2);
        sums.Clear();
        shifts.Clear();
        constants.Clear();
        constants.Add(None);
        plain.Clear();
        HasChanged = AllAreSame = HasNegatives = false;
    }

    /// <summary>The number of something that is like nothing else so far, and not computed.</summary>
    internal int NewPlain()
    {
        int number = New();
        plain.Add(number);
        return number;
    }

    /// <summary>Whether a value is not computed, or not known at all.</summary>
    internal bool IsPlain(int number) => Find(number) is var least && (least == Unknown || plain.Contains(least));

    private int New()
    {
        same.Add(same.Count);
        return same.Count - 1;
    }

    private int Find(int number)
    {
        while (same[number] != number) number = same[number] = same[same[number]];
        return number;
    }

    /// <summary>
    /// Two numbers are of values that may be equal. Nothing is the same as a constant: RyuJIT puts that in place of a local which holds nothing else, and of all others it does not know.
    /// </summary>
    internal void Equate(int a, int b)
    {
        (a, b) = (Find(a), Find(b));
        if (a == b || constants.Contains(a) || constants.Contains(b)) return;
        (int least, int other) = (Math.Min(a, b), Math.Max(a, b));
        same[other] = least;
        if (plain.Contains(other)) plain.Add(least);
        if (sums.TryGetValue(other, out int[]? parts)) sums.TryAdd(least, parts);
        if (shifts.TryGetValue(other, out (int, long) shift)) shifts.TryAdd(least, shift);
        HasChanged = true;
    }

    private int Of(Form form, object? what, int a, int b, long c)
    {
        (a, b) = (Find(a), Find(b));
        if (a == Unknown || b == Unknown) return Unknown;
        if (known.TryGetValue(((int)form, what, a, b, c), out int number)) return Find(number);
        known[((int)form, what, a, b, c)] = number = New();
        if (constants.Contains(a) && constants.Contains(b)) constants.Add(number);
        return number;
    }

    /// <summary>The number of what an instruction makes of its operands.</summary>
    /// <param name="op">The instruction.</param>
    /// <param name="what">The method, field or type that it names.</param>
    /// <param name="a">An operand.</param>
    /// <param name="b">Another.</param>
    internal int Of(IlOp op, object? what, int a, int b) => Of(Form.First + (ushort)op, what, a, b, 0);

    /// <summary>The same where the order of the operands does not matter.</summary>
    internal int OfEither(IlOp op, int a, int b) => Of(op, null, Math.Min(Find(a), Find(b)), Math.Max(Find(a), Find(b)));

    /// <summary>The number of what only one instruction makes.</summary>
    /// <param name="position">Where it is.</param>
    /// <param name="operand">Something that it takes.</param>
    internal int OfInstruction(int position, int operand)
    {
        int number = Of(Form.Instruction, null, operand, None, position);
        plain.Add(number);
        constants.Remove(number);
        return number;
    }

    /// <summary>Whether a value is computed from constants alone.</summary>
    internal bool IsConstant(int number) => constants.Contains(Find(number));

    internal int OfConstant(long constant) => Of(Form.Constant, null, None, None, constant);

    /// <summary>The number of a value with such terms.</summary>
    internal int Of(NeedTerms terms)
    {
        int number = terms.First;
        foreach (int other in terms.Others ?? []) number = Of(Form.ExclusiveOr, null, Math.Min(Find(number), Find(other)), Math.Max(Find(number), Find(other)), 0);
        return number;
    }

    /// <summary>The number of a value's negative. That of the negative is the value's.</summary>
    internal int Negative(int number)
    {
        HasNegatives = true;
        number = Find(number);
        int negative = Of(Form.Negative, null, number, None, 0);
        if (negative == Unknown) return Unknown;
        known[((int)Form.Negative, null, negative, None, 0)] = number;
        return negative;
    }

    /// <summary>The number of a value that is shifted by a constant.</summary>
    internal int Shifted(int number, bool isLeft, long count)
    {
        if (count == 0) return number;
        int shifted = Of(isLeft ? Form.ShiftLeft : Form.ShiftRight, null, number, None, count);
        shifts[shifted] = (number, isLeft ? count : -count);
        return shifted;
    }

    /// <summary>The number of two parts that are put together: of a rotated value, if each is shifted out of the other's way.</summary>
    internal int Joined(IlOp op, int a, int b)
    {
        if (!shifts.TryGetValue(Find(a), out (int Of, long Count) one) || !shifts.TryGetValue(Find(b), out (int Of, long Count) other)) return OfEither(op, a, b);
        long bits = Math.Abs(one.Count - other.Count);
        bool isRotated = bits is 32 or 64 && one.Count > 0 != other.Count > 0 && AreSame(one.Of, other.Of);
        return isRotated ? Rotated(one.Of, Math.Abs(one.Count), (int)bits) : OfEither(op, a, b);
    }

    /// <summary>The number of a sum or difference.</summary>
    internal int Sum(IlOp op, int a, int b)
    {
        bool adds = op == IlOp.Add;
        int sum = adds ? OfEither(op, a, b) : Of(op, null, a, b);
        if (sum == Unknown) return Unknown;
        int[] parts = [.. PartsOf(a), .. adds ? PartsOf(b) : PartsOf(b).Select(Negative)];
        if (parts.Length <= MostTerms) sums[sum] = parts;
        return sum;
    }

    private int[] PartsOf(int number) => sums.TryGetValue(Find(number), out int[]? parts) ? parts : [number];

    /// <summary>Whether a part of a sum may cancel one of another.</summary>
    internal bool CancelsInSum(IlOp op, int a, int b)
    {
        int[] parts = PartsOf(a), others = PartsOf(b);
        foreach (int part in parts)
            foreach (int other in others)
                if (AreSame(part, op == IlOp.Add ? Negative(other) : other)) return true;
        return false;
    }

    /// <summary>The number of a value that is rotated by a constant, to one side or the other.</summary>
    internal int Rotated(int number, long count, int bits)
    {
        count &= bits - 1;
        return count == 0 ? number : Of(Form.Rotation, null, number, None, Math.Min(count, bits - count));
    }

    internal bool AreSame(int a, int b)
    {
        (a, b) = (Find(a), Find(b));
        return a == b || a == Unknown || b == Unknown || AllAreSame;
    }

    /// <summary>Whether two values have a term that may be the same.</summary>
    internal bool Share(NeedTerms a, NeedTerms b) => Has(a, b.First) || (b.Others is not null && Array.Exists(b.Others, other => Has(a, other)));

    private bool Has(NeedTerms terms, int term) => AreSame(terms.First, term) || (terms.Others is not null && Array.Exists(terms.Others, other => AreSame(other, term)));

    /// <summary>The terms of the exclusive-or of values that share none.</summary>
    internal NeedTerms Both(NeedTerms a, NeedTerms b)
    {
        int[] others = [.. a.Others ?? [], b.First, .. b.Others ?? []];
        var both = new NeedTerms(a.First, others);
        return others.Length < MostTerms ? both : new NeedTerms(Of(both));
    }
}
