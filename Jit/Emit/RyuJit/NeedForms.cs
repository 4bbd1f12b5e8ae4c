using System.Runtime.InteropServices;
using WasmJit.Jit.Il;

namespace WasmJit.Jit.Emit;

/// <summary>
/// What the values of a function are computed from. RyuJIT reduces <c>x ^ x</c>, <c>x - x</c> and <c>x == x</c> whatever locals the two have gone through, and then drops the load that
/// both come from. So this answers whether it may find two values to be equal. It never takes two loads, or two results of calls, for one.
/// </summary>
/// <remarks>
/// Code without labels is followed exactly. What a local holds where control comes together is one of all that is stored to it anywhere. Where that is too much to go through, values may be equal.
/// </remarks>
internal sealed class NeedForms
{
    /// <summary>A value that may be equal to any other.</summary>
    internal const int Unknown = 0;

    /// <summary>An operand that there is not.</summary>
    internal const int Nothing = 1;

    /// <summary>The form of what the first local holds where control comes together; there are less forms of other kinds.</summary>
    private const int FirstHeld = 1 << 28;

    /// <summary>How many values are compared for one answer, and for each instruction of a function.</summary>
    private const int MostPairs = 1 << 14, MostOfEach = 64;

    /// <summary>The most parts of two sums that are compared.</summary>
    private const int MostParts = 12;

    /// <summary>How deep expressions are compared.</summary>
    private const int MostDepth = 64;

    /// <summary>Of locals that get more values only the nearest are looked at.</summary>
    private const int MostGifts = 48;

    private enum Kind : byte { Unknown, Nothing, Fresh, Constant, Local, Operation }

    /// <param name="Kind">What it is.</param>
    /// <param name="Op">The instruction of an operation.</param>
    /// <param name="What">The method, type or field that it names; or a name that keeps operations of one instruction apart.</param>
    /// <param name="A">An operand.</param>
    /// <param name="B">Another, or <see cref="Nothing"/>.</param>
    /// <param name="Number">A constant, or the number of a local.</param>
    /// <param name="HasFresh">Whether a load or call is in it.</param>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Form(Kind Kind, IlOp Op, object? What, int A, int B, long Number, bool HasFresh = false);

    private readonly List<Form> forms = [default, new Form(Kind.Nothing, default, null, 0, 0, 0)];

    /// <summary>The number of the next form.</summary>
    private int next = 2;

    /// <summary>What a local gets.</summary>
    /// <param name="Form">The value.</param>
    /// <param name="Stretch">The stretch of code without labels in which it gets it.</param>
    /// <param name="Time">Which of all the times it is at which locals get something.</param>
    private readonly record struct Gift(int Form, int Stretch, int Time);

    /// <summary>All that locals get, in its order.</summary>
    private readonly Dictionary<int, List<Gift>> gifts = [];

    /// <summary>The time of what is being read or compared.</summary>
    private int now;

    /// <summary>The stretch of code at each time.</summary>
    private readonly List<int> stretches = [0];

    /// <summary>Whether all code was read, so that all gifts are known.</summary>
    private bool isComplete;

    /// <summary>Pairs that are different if what locals hold is, and when.</summary>
    private readonly List<(int A, int B, int Time)> different = [];

    /// <summary>What is known of two locals where control comes together, by <see cref="KeyOf"/>.</summary>
    private readonly Dictionary<long, Match> knownPairs = [];

    /// <summary>Those that are different if the pairs are that are being compared.</summary>
    private readonly List<long> provisional = [];

    /// <summary>How many values may still be compared: so many for a function that no guest makes this take long.</summary>
    private long left;

    /// <summary>The same forms are made again, in the same order: what locals get stays known.</summary>
    /// <param name="instructions">How many instructions the function has.</param>
    internal void Restart(int instructions)
    {
        if (next == 2) left = MostPairs + ((long)MostOfEach * instructions);
        next = 2;
        different.Clear();
        isComplete = stretches.Count > 1;
        now = 0;
    }

    internal void Clear()
    {
        Restart(0);
        forms.RemoveRange(2, forms.Count - 2);
        gifts.Clear();
        knownPairs.Clear();
        stretches.RemoveRange(1, stretches.Count - 1);
        isComplete = false;
    }

    private int Add(Form form)
    {
        if (next == forms.Count) forms.Add(form);
        else forms[next] = form;
        return next++;
    }

    /// <summary>A value that is equal to no other: of a load or a call.</summary>
    internal int Fresh() => Add(new Form(Kind.Fresh, default, null, 0, 0, 0, HasFresh: true));

    internal int Constant(long number, object? what = null) => Add(new Form(Kind.Constant, default, what, 0, 0, number));

    /// <summary>What a local holds where control comes together.</summary>
    internal static int Held(int local) => FirstHeld + local;

    private Form At(int form) => form >= FirstHeld ? new Form(Kind.Local, default, null, 0, 0, form - FirstHeld) : forms[form];

    /// <summary>Code behind labels hears what some locals have got.</summary>
    internal void Give(List<int> locals, int[] got, int stretch)
    {
        if (locals.Count == 0) return;
        now++;
        if (isComplete) return;
        stretches.Add(stretch);
        foreach (int local in locals)
        {
            if (!gifts.TryGetValue(local, out List<Gift>? all)) gifts[local] = all = [];
            all.Add(new Gift(got[local], stretch, now));
        }
    }

    private bool IsConstant(int form, long number) => At(form) is { Kind: Kind.Constant, What: null } constant && constant.Number == number;

    /// <summary>What an instruction makes of its operands.</summary>
    internal int Made(IlOp op, object? what, int a, int b = Nothing)
    {
        if (a == Unknown || b == Unknown) return Unknown;
        if (what is not null) return Operation(op, what, a, b);
        if (At(a).Kind == Kind.Constant && (op == IlOp.Conv_I8 || op == IlOp.Conv_I4)) return a;
        bool adds = op == IlOp.Add || op == IlOp.Or || op == IlOp.Xor;
        if (IsConstant(b, 0) && (adds || op == IlOp.Sub || op == IlOp.Shl || op == IlOp.Shr || op == IlOp.Shr_Un || op == IlOp.Ceq)) return a;
        if (IsConstant(a, 0) && adds) return b;
        if (IsConstant(b, 1) && (op == IlOp.Mul || op == IlOp.Div)) return a;
        if (IsConstant(a, 1) && op == IlOp.Mul) return b;
        if (a == b && (op == IlOp.And || op == IlOp.Or)) return a;
        if (a == b && op == IlOp.Add) return Made(IlOp.Shl, null, a, Constant(1));
        if (op == IlOp.Mul && At(b) is { Kind: Kind.Constant } factor && long.IsPow2(factor.Number)) return Made(IlOp.Shl, null, a, Constant(long.TrailingZeroCount(factor.Number)));
        if ((op == IlOp.Or || op == IlOp.Xor || op == IlOp.Add) && IsRotation(a, b, out int of, out long count)) return Rotated(of, count);
        return Operation(op, null, a, b);
    }

    private int Operation(IlOp op, object? what, int a, int b) => Add(new Form(Kind.Operation, op, what, a, b, 0, At(a).HasFresh || At(b).HasFresh));

    /// <summary>A comparison: one is taken for its contrary, and for what it is with the operands the other way round.</summary>
    internal int Compared(int a, int b) => IsConstant(b, 0) && At(a) is { Op: IlOp.Ceq } ? a : Made(IlOp.Ceq, null, a, b);

    /// <summary>A value rotated to the left.</summary>
    internal int Rotated(int form, long count) => count == 0 ? form : Made(IlOp.Shl, nameof(Rotated), form, Constant(count));

    /// <summary>Whether two parts that are put together are a rotated value: each is shifted out of the other's way.</summary>
    private bool IsRotation(int a, int b, out int of, out long count)
    {
        Form left = At(a), right = At(b);
        if (left.Op == IlOp.Shr_Un) (left, right) = (right, left);
        of = left.A;
        count = 0;
        if (left.Op != IlOp.Shl || right.Op != IlOp.Shr_Un || At(left.B).Kind != Kind.Constant || At(right.B).Kind != Kind.Constant) return false;
        count = At(left.B).Number;
        return left.A == right.A && count + At(right.B).Number is 32 or 64;
    }

    // ---- what may be equal ----

    private enum Match
    {
        /// <summary>RyuJIT cannot find them to be equal.</summary>
        No,

        /// <summary>They are the same constants, or made of such.</summary>
        Constant,

        /// <summary>RyuJIT may find them to be equal.</summary>
        Yes,
    }

    /// <summary>A value at some time.</summary>
    /// <param name="Form">The value.</param>
    /// <param name="Time">When locals get something that the form does not know of; 0 if it knows.</param>
    private readonly record struct Side(int Form, int Time = 0);

    private readonly List<(int, int)> inWork = [];
    private int pairs, depth;

    /// <summary>Whether it was too much to compare.</summary>
    private bool gaveUp;

    /// <summary>Whether a local was looked into, and whether one may hold several values.</summary>
    private bool looksInto, isOneOfSeveral;

    /// <summary>Whether the two values are from two places: a load may be the same.</summary>
    private bool isApart;

    /// <summary>Whether the operands of what a local gets are compared.</summary>
    private bool isInGift;

    /// <summary>Whether RyuJIT may find two values to be equal. Constants that are the same in some cases do not count: no load is in those.</summary>
    internal bool MayBeEqual(int a, int b)
    {
        bool may = Compare(a, b);
        if (!may && looksInto) different.Add((a, b, now));
        return may;
    }

    /// <summary>The same for what locals get in two places.</summary>
    internal bool MayBeEqualApart(int a, int b)
    {
        isApart = true;
        bool may = Compare(a, b);
        isApart = false;
        return may;
    }

    /// <summary>Whether what was found later contradicts an answer.</summary>
    internal bool WasMistaken()
    {
        isComplete = true;
        foreach ((int a, int b, int time) in different)
        {
            now = time;
            if (Compare(a, b)) return true;
        }
        return false;
    }

    private bool Compare(int a, int b)
    {
        if (left <= 0) return true;
        Forget(0);
        inWork.Clear();
        pairs = depth = 0;
        gaveUp = false;
        looksInto = isOneOfSeveral = false;
        Match match = MatchOf(new Side(a), new Side(b));
        left -= pairs;
        return match == Match.Yes || (match == Match.Constant && !isOneOfSeveral);
    }

    private Match MatchOf(Side a, Side b)
    {
        if (a.Form == Unknown || b.Form == Unknown || gaveUp) return Match.Yes;
        if (++pairs > MostPairs || depth == MostDepth)
        {
            gaveUp = true;
            return Match.Yes;
        }
        depth++;
        Match match = MatchOfKnown(a.Time == 0 ? a : Resolved(a), b.Time == 0 ? b : Resolved(b));
        depth--;
        return match;
    }

    private Side Resolved(Side side) => At(side.Form) is { Kind: Kind.Local } local ? HeldAt((int)local.Number, side.Time) : side;

    private Match MatchOfKnown(Side a, Side b)
    {
        Form first = At(a.Form), second = At(b.Form);
        if (a == b && first.Kind is not (Kind.Constant or Kind.Nothing)) return Match.Yes;
        if (first.Kind == Kind.Local && second.Kind == Kind.Local) return MatchOfLocals((int)first.Number, (int)second.Number);
        if (first.Kind == Kind.Local) return MatchHeld((int)first.Number, b);
        if (second.Kind == Kind.Local) return MatchHeld((int)second.Number, a);
        if (first.Kind != second.Kind) return Match.No;
        switch (first.Kind)
        {
            case Kind.Nothing: return Match.Constant;
            case Kind.Constant: return first.Number == second.Number && Equals(first.What, second.What) ? Match.Constant : Match.No;
            case Kind.Fresh: return a.Form == b.Form ? Match.Yes : Match.No;
        }
        if (first.Op != second.Op || !Equals(first.What, second.What)) return Match.No;
        Match match = Both(a, first.A, first.B, b, second);
        return match == Match.No && first.What is null ? Both(a, first.B, first.A, b, second) : match;
    }

    private Match Both(Side a, int first, int second, Side b, in Form other)
    {
        Match one = MatchOf(a with { Form = first }, b with { Form = other.A });
        if (one == Match.No) return Match.No;
        Match two = MatchOf(a with { Form = second }, b with { Form = other.B });
        return two == Match.No ? Match.No : one > two ? one : two;
    }

    /// <summary>Compares each value that a local gets with another value, as that is at the time.</summary>
    private Match MatchHeld(int local, Side other)
    {
        // What was just loaded is not what a local has got before.
        if (!isApart && other.Time == 0 && At(other.Form).HasFresh) return Match.No;
        looksInto = true;
        if (!isComplete || isInGift || !gifts.TryGetValue(local, out List<Gift>? all) || inWork.Contains((~local, other.Form))) return Match.No;
        inWork.Add((~local, other.Form));
        isOneOfSeveral |= all.Count > 1;
        Match match = Match.No;
        int time = now;
        (int first, int last) = Near(all);
        for (int i = first; i < last && match != Match.Yes; i++)
        {
            // RyuJIT looks through copies. Operations are equal if their operands are.
            isInGift = At(all[i].Form).Kind == Kind.Operation;
            now = all[i].Time;
            Match found = MatchOf(new Side(all[i].Form), other with { Time = now });
            if (found > match) match = found;
        }
        isInGift = false;
        now = time;
        inWork.RemoveAt(inWork.Count - 1);
        return match;
    }

    /// <summary>
    /// Those of a local's values that are looked at: all, or the nearest in the code. What holds one of many values, as in interpreters, is seldom something that RyuJIT knows.
    /// </summary>
    private (int First, int Last) Near(List<Gift> all)
    {
        if (all.Count <= MostGifts) return (0, all.Count);
        int first = Math.Max(0, FirstAfter(all, now) - (MostGifts * 3 / 4));
        return (first, Math.Min(first + MostGifts, all.Count));
    }

    private static int FirstAfter(List<Gift> all, int time)
    {
        int low = 0, high = all.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (all[middle].Time <= time) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    /// <summary>What a local holds at a time at which it, or another, gets something.</summary>
    private Side HeldAt(int local, int at)
    {
        int last = gifts.TryGetValue(local, out List<Gift>? all) ? FirstAfter(all, at) - 1 : -1;
        return new Side(last >= 0 && all![last].Stretch == stretches[at] ? all[last].Form : Held(local));
    }

    /// <summary>Compares what two locals hold where control comes together: it is the same if it was wherever control comes from.</summary>
    private Match MatchOfLocals(int a, int b)
    {
        looksInto = true;
        if (!isComplete) return Match.No;
        if (a > b) (a, b) = (b, a);
        List<Gift> toA = gifts.GetValueOrDefault(a, []), toB = gifts.GetValueOrDefault(b, []);
        bool isNear = toA.Count > MostGifts || toB.Count > MostGifts;
        long key = KeyOf(a, b, isNear ? now / MostGifts : -1);
        if (knownPairs.TryGetValue(key, out Match match)) return match;
        if (inWork.Contains((~a, ~b))) return Match.No;
        (bool wasInGift, int assumed, int time) = (isInGift, provisional.Count, now);
        isInGift = false;
        inWork.Add((~a, ~b));
        isOneOfSeveral |= toA.Count > 1 || toB.Count > 1;
        (int i, int lastA) = Near(toA);
        (int j, int lastB) = Near(toB);
        while (match != Match.Yes && (i < lastA || j < lastB))
        {
            // The next time at which one of them gets something.
            now = Math.Min(i < lastA ? toA[i].Time : int.MaxValue, j < lastB ? toB[j].Time : int.MaxValue);
            if (i < lastA && toA[i].Time == now) i++;
            if (j < lastB && toB[j].Time == now) j++;
            Match found = MatchOf(HeldAt(a, now), HeldAt(b, now));
            if (found > match) match = found;
        }
        inWork.RemoveAt(inWork.Count - 1);
        (isInGift, now) = (wasInGift, time);
        if (gaveUp) return match;
        knownPairs[key] = match;
        // Others that were different because these were assumed to be are compared again.
        if (match == Match.Yes) Forget(assumed);
        else if (inWork.Count > 0) provisional.Add(key);
        else provisional.Clear();
        return match;
    }

    /// <summary>Two locals, of which a method has less than 2^17, and a part of the code, or -1. .NET would compile a comparison of tuples when the first function is compiled.</summary>
    private static long KeyOf(int a, int b, int part) => ((long)a << 47) | ((long)b << 30) | (uint)(part + 1);

    /// <summary>Forgets what depends on pairs that were being compared.</summary>
    private void Forget(int first)
    {
        for (int i = first; i < provisional.Count; i++) knownPairs.Remove(provisional[i]);
        provisional.RemoveRange(first, provisional.Count - first);
    }

    /// <summary>Whether a value is computed directly from another, as its complement is.</summary>
    internal bool MayHold(int whole, int part) => At(whole) is { Kind: Kind.Operation } made && (MayBeEqual(made.A, part) || (made.B != Nothing && MayBeEqual(made.B, part)));

    // ---- what cancels itself ----

    /// <summary>Whether RyuJIT may drop part of an operand, or both: equal values in an exclusive-or, a difference, a comparison, or beside their complement.</summary>
    internal bool MayCancel(IlOp op, int a, int b)
    {
        if (op == IlOp.And || op == IlOp.Or) return IsComplement(a, b) || IsComplement(b, a);
        if (op != IlOp.Add && op != IlOp.Sub && op != IlOp.Xor) return MayBeEqual(a, b);
        Span<(int Form, bool IsNegative)> parts = stackalloc (int, bool)[MostParts];
        int first = 0;
        if (!Split(op, a, false, parts, ref first, 0)) return true;
        int count = first;
        if (!Split(op, b, op == IlOp.Sub, parts, ref count, 0)) return true;
        for (int i = 0; i < first; i++)
        {
            for (int j = first; j < count; j++)
                if ((op == IlOp.Xor || parts[i].IsNegative != parts[j].IsNegative) && MayBeEqual(parts[i].Form, parts[j].Form)) return true;
        }
        return false;
    }

    private bool IsComplement(int a, int b) => At(b) is { Op: IlOp.Not or IlOp.Xor, What: null } complement
        && (complement.Op == IlOp.Not || IsConstant(complement.B, -1)) && MayBeEqual(a, complement.A);

    /// <summary>The parts of a sum, or of an exclusive-or.</summary>
    /// <returns>Whether there is room for them.</returns>
    private bool Split(IlOp op, int form, bool isNegative, Span<(int Form, bool IsNegative)> parts, ref int count, int depth)
    {
        if (count == parts.Length || depth == parts.Length) return false;
        Form made = At(form);
        bool isSum = made.Op == IlOp.Add || made.Op == IlOp.Sub;
        if (made is { Kind: Kind.Operation, What: null } && (op == IlOp.Xor ? made.Op == IlOp.Xor : isSum))
            return Split(op, made.A, isNegative, parts, ref count, depth + 1) && Split(op, made.B, isNegative != (made.Op == IlOp.Sub), parts, ref count, depth + 1);
        if (made is { Kind: Kind.Operation, Op: IlOp.Not })
            return Split(op, made.A, !isNegative, parts, ref count, depth + 1);
        parts[count++] = (form, isNegative);
        return true;
    }
}
