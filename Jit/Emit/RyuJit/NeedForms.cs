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

    /// <summary>How many pairs of values are compared for one answer, and how many values a local may get.</summary>
    private const int MostPairs = 256, MostValues = 24;

    private const int MostParts = 6;

    private enum Kind : byte { Unknown, Nothing, Fresh, Constant, Local, Operation }

    /// <param name="Kind">What it is.</param>
    /// <param name="Op">The instruction of an operation.</param>
    /// <param name="What">The method, type or field that it names.</param>
    /// <param name="A">An operand.</param>
    /// <param name="B">Another, or <see cref="Nothing"/>.</param>
    /// <param name="Number">A constant, or the number of a local.</param>
    /// <param name="HasFresh">Whether a load or call is in it.</param>
    private readonly record struct Form(Kind Kind, IlOp Op, object? What, int A, int B, long Number, bool HasFresh = false);

    private readonly List<Form> forms = [default, new Form(Kind.Nothing, default, null, 0, 0, 0)];

    /// <summary>The number of the next form.</summary>
    private int next = 2;

    /// <summary>All that locals get, and the form that stands for what a local holds where control comes together.</summary>
    private readonly Dictionary<int, List<int>> values = [];
    private readonly Dictionary<int, int> held = [];

    /// <summary>Pairs that were different as far as was known then.</summary>
    private readonly List<(int A, int B)> different = [];

    /// <summary>The same forms are made again, in the same order: what locals get stays known.</summary>
    internal void Restart()
    {
        next = 2;
        held.Clear();
        different.Clear();
    }

    internal void Clear()
    {
        Restart();
        forms.RemoveRange(2, forms.Count - 2);
        values.Clear();
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
    internal int Held(int local)
    {
        if (!held.TryGetValue(local, out int form)) held[local] = form = Add(new Form(Kind.Local, default, null, 0, 0, local));
        return form;
    }

    /// <summary>A local gets a value.</summary>
    internal void Give(int local, int form)
    {
        if (!values.TryGetValue(local, out List<int>? all)) values[local] = all = [];
        if (all.Count <= MostValues && !all.Contains(form)) all.Add(form);
    }

    private bool IsConstant(int form, long number) => forms[form] is { Kind: Kind.Constant, What: null } constant && constant.Number == number;

    /// <summary>What an instruction makes of its operands.</summary>
    internal int Made(IlOp op, object? what, int a, int b = Nothing)
    {
        if (a == Unknown || b == Unknown) return Unknown;
        if (what is not null) return Operation(op, what, a, b);
        if (forms[a].Kind == Kind.Constant && (op == IlOp.Conv_I8 || op == IlOp.Conv_I4)) return a;
        bool adds = op == IlOp.Add || op == IlOp.Or || op == IlOp.Xor;
        if (IsConstant(b, 0) && (adds || op == IlOp.Sub || op == IlOp.Shl || op == IlOp.Shr || op == IlOp.Shr_Un || op == IlOp.Ceq)) return a;
        if (IsConstant(a, 0) && adds) return b;
        if (IsConstant(b, 1) && (op == IlOp.Mul || op == IlOp.Div)) return a;
        if (IsConstant(a, 1) && op == IlOp.Mul) return b;
        if (a == b && (op == IlOp.And || op == IlOp.Or)) return a;
        if (a == b && op == IlOp.Add) return Made(IlOp.Shl, null, a, Constant(1));
        if (op == IlOp.Mul && forms[b] is { Kind: Kind.Constant } factor && long.IsPow2(factor.Number)) return Made(IlOp.Shl, null, a, Constant(long.TrailingZeroCount(factor.Number)));
        if ((op == IlOp.Or || op == IlOp.Xor || op == IlOp.Add) && IsRotation(a, b, out int of, out long count)) return Rotated(of, count);
        return Operation(op, null, a, b);
    }

    private int Operation(IlOp op, object? what, int a, int b) => Add(new Form(Kind.Operation, op, what, a, b, 0, forms[a].HasFresh || forms[b].HasFresh));

    /// <summary>A comparison: one is taken for its contrary, and for what it is with the operands the other way round.</summary>
    internal int Compared(int a, int b) => IsConstant(b, 0) && forms[a] is { Op: IlOp.Ceq } ? a : Made(IlOp.Ceq, null, a, b);

    /// <summary>A value rotated to the left.</summary>
    internal int Rotated(int form, long count) => count == 0 ? form : Made(IlOp.Shl, nameof(Rotated), form, Constant(count));

    /// <summary>Whether two parts that are put together are a rotated value: each is shifted out of the other's way.</summary>
    private bool IsRotation(int a, int b, out int of, out long count)
    {
        Form left = forms[a], right = forms[b];
        if (left.Op == IlOp.Shr_Un) (left, right) = (right, left);
        of = left.A;
        count = 0;
        if (left.Op != IlOp.Shl || right.Op != IlOp.Shr_Un || forms[left.B].Kind != Kind.Constant || forms[right.B].Kind != Kind.Constant) return false;
        count = forms[left.B].Number;
        return left.A == right.A && count + forms[right.B].Number is 32 or 64;
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

    /// <summary>A value as it is in the code being read, or as it was when a local got it.</summary>
    private readonly record struct Side(int Form, bool IsOld);

    private readonly List<(Side, Side)> inWork = [];
    private int pairs;

    /// <summary>Whether a local was looked into, and whether one may hold several values.</summary>
    private bool looksInto, isOneOfSeveral;

    /// <summary>Whether RyuJIT may find two values to be equal. Constants that are the same in some cases do not count: no load is in those.</summary>
    internal bool MayBeEqual(int a, int b)
    {
        bool may = Compare(new Side(a, false), new Side(b, false));
        if (!may && looksInto) different.Add((a, b));
        return may;
    }

    /// <summary>The same for what was read in two places.</summary>
    internal bool MayBeEqualApart(int a, int b) => Compare(new Side(a, true), new Side(b, true));

    /// <summary>Whether what was found later contradicts an answer.</summary>
    internal bool WasMistaken()
    {
        foreach ((int a, int b) in different)
            if (Compare(new Side(a, false), new Side(b, false))) return true;
        return false;
    }

    private bool Compare(Side a, Side b)
    {
        inWork.Clear();
        pairs = 0;
        looksInto = isOneOfSeveral = false;
        Match match = MatchOf(a, b);
        return match == Match.Yes || (match == Match.Constant && !isOneOfSeveral);
    }

    private Match MatchOf(Side a, Side b)
    {
        if (a.Form == Unknown || b.Form == Unknown || ++pairs > MostPairs) return Match.Yes;
        Form first = forms[a.Form], second = forms[b.Form];
        if (a == b && first.Kind is not (Kind.Constant or Kind.Nothing)) return Match.Yes;
        if (first.Kind == Kind.Local) return first == second ? Match.Yes : MatchHeld(first, b, a);
        if (second.Kind == Kind.Local) return MatchHeld(second, a, b);
        Match match = first.Kind == second.Kind ? MatchOfSame(a, first, b, second) : Match.No;
        if (match == Match.No) match = MatchOfOperand(first, a.IsOld, b);
        return match == Match.No ? MatchOfOperand(second, b.IsOld, a) : match;
    }

    private Match MatchOfSame(Side a, in Form first, Side b, in Form second)
    {
        switch (first.Kind)
        {
            case Kind.Nothing: return Match.Constant;
            case Kind.Constant: return first.Number == second.Number && Equals(first.What, second.What) ? Match.Constant : Match.No;
            case Kind.Fresh: return a == b ? Match.Yes : Match.No;
        }
        if (first.Op != second.Op || !Equals(first.What, second.What)) return Match.No;
        Match match = Both(a, first.A, first.B, b, second);
        return match == Match.No && first.What is null ? Both(a, first.B, first.A, b, second) : match;
    }

    /// <summary>An operation is its operand if the other operand is a local that may turn out to be the neutral constant.</summary>
    private Match MatchOfOperand(in Form operation, bool isOld, Side other)
    {
        if (operation is not { Kind: Kind.Operation, What: null }) return Match.No;
        Match match = IsConstantLocal(operation.B) ? MatchOf(new Side(operation.A, isOld), other) : Match.No;
        return match == Match.No && IsConstantLocal(operation.A) ? MatchOf(new Side(operation.B, isOld), other) : match;
    }

    private bool IsConstantLocal(int form)
    {
        if (forms[form] is not { Kind: Kind.Local } local) return false;
        looksInto = true;
        return !values.TryGetValue((int)local.Number, out List<int>? all) || all.TrueForAll(value => forms[value].Kind == Kind.Constant);
    }

    private Match Both(Side a, int first, int second, Side b, in Form other)
    {
        Match one = MatchOf(a with { Form = first }, b with { Form = other.A });
        if (one == Match.No) return Match.No;
        Match two = MatchOf(a with { Form = second }, b with { Form = other.B });
        return two == Match.No ? Match.No : one > two ? one : two;
    }

    /// <summary>Compares all that a local gets with a value.</summary>
    private Match MatchHeld(in Form local, Side other, Side self)
    {
        // What was just loaded is not what a local has got before.
        if (!other.IsOld && forms[other.Form].HasFresh) return Match.No;
        looksInto = true;
        if (!values.TryGetValue((int)local.Number, out List<int>? all)) return Match.No;
        if (all.Count > MostValues) return Match.Yes;
        if (inWork.Contains((self, other))) return Match.No;
        inWork.Add((self, other));
        isOneOfSeveral |= all.Count > 1;
        Match match = Match.No;
        foreach (int form in all)
        {
            Match found = MatchOf(new Side(form, true), other);
            if (found > match) match = found;
            if (match == Match.Yes) break;
        }
        inWork.RemoveAt(inWork.Count - 1);
        return match;
    }

    /// <summary>Whether a value is computed directly from another, as its complement is.</summary>
    internal bool MayHold(int whole, int part) => forms[whole] is { Kind: Kind.Operation } made && (MayBeEqual(made.A, part) || (made.B != Nothing && MayBeEqual(made.B, part)));

    // ---- what cancels itself ----

    /// <summary>Whether RyuJIT may drop part of an operand, or both: equal values in an exclusive-or, a difference, a comparison, or beside their complement.</summary>
    internal bool MayCancel(IlOp op, int a, int b)
    {
        if (op == IlOp.And || op == IlOp.Or) return IsComplement(a, b) || IsComplement(b, a);
        if (op != IlOp.Add && op != IlOp.Sub && op != IlOp.Xor) return MayBeEqual(a, b);
        Span<(int Form, bool IsNegative)> parts = stackalloc (int, bool)[MostParts * 2];
        int first = 0;
        if (!Split(op, a, false, parts, ref first)) return true;
        int count = first;
        if (!Split(op, b, op == IlOp.Sub, parts, ref count)) return true;
        for (int i = 0; i < first; i++)
        {
            for (int j = first; j < count; j++)
                if ((op == IlOp.Xor || parts[i].IsNegative != parts[j].IsNegative) && MayBeEqual(parts[i].Form, parts[j].Form)) return true;
        }
        return false;
    }

    private bool IsComplement(int a, int b) => forms[b] is { Op: IlOp.Not or IlOp.Xor, What: null } complement
        && (complement.Op == IlOp.Not || IsConstant(complement.B, -1)) && MayBeEqual(a, complement.A);

    /// <summary>The parts of a sum, or of an exclusive-or.</summary>
    /// <returns>Whether there is room for them.</returns>
    private bool Split(IlOp op, int form, bool isNegative, Span<(int Form, bool IsNegative)> parts, ref int count)
    {
        Form made = forms[form];
        bool isSum = made.Op == IlOp.Add || made.Op == IlOp.Sub;
        if (made is { Kind: Kind.Operation, What: null } && (op == IlOp.Xor ? made.Op == IlOp.Xor : isSum))
            return Split(op, made.A, isNegative, parts, ref count) && Split(op, made.B, isNegative != (made.Op == IlOp.Sub), parts, ref count);
        if (made is { Kind: Kind.Operation, Op: IlOp.Not })
            return Split(op, made.A, !isNegative, parts, ref count);
        if (count == parts.Length) return false;
        parts[count++] = (form, isNegative);
        return true;
    }
}
