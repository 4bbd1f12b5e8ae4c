using System.Reflection;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>What instructions need of their operands.</summary>
internal sealed partial class NeedReader
{
    /// <summary>How many values an instruction takes and gives.</summary>
    private static (int Pops, int Pushes) EffectOf(in IlBuffer.Node n, int depth)
    {
        if (ReferenceEquals(n.Object, Members.KeepAlive)) return (1, 0);
        switch (n.Object)
        {
            case Signature signature: return (signature.Parameters.Length + 1, signature.Return == typeof(void) ? 0 : 1);
            case ConstructorInfo constructor: return (constructor.GetParameters().Length, 1);
            case MethodInfo method:
                return (method.GetParameters().Length + (method.IsStatic ? 0 : 1), method.ReturnType == typeof(void) ? 0 : 1);
        }
        if (n.Op == IlOp.Ret) return (depth, 0);
        return (StackEffect.Popped(n.Code.StackBehaviourPop), StackEffect.Pushed(n.Code.StackBehaviourPush));
    }

    private void FollowLocal(in IlBuffer.Node n, int at, List<NeedValue> stack, NeedBlock block)
    {
        int local = graph.LocalOf(n);
        if (n.IsLocalStore)
        {
            NeedValue value = Pop(stack);
            if (n.Form == IlBuffer.Form.Local && Is(local, Local.Exposed))
            {
                Sink(block, value);
                return;
            }
            ref Local known = ref Of(local);
            values[local] = 0;
            Give(local, value.Form, at);
            if (!value.IsOpaque) known |= Local.Knowable;
            defined[local] = (blockNumber * 2) + (value.IsOpaque ? 1 : 0);
            if (value.Whole.Length + value.Live.Length > 0) graph.Follow(local);
            block.Events.Add(new NeedEvent(NeedEventKind.Define, local, value.Whole, value.Live));
        }
        else if (n.Op == IlOp.Ldloca || (n.Form == IlBuffer.Form.Local && Is(local, Local.Exposed)))
        {
            // Two reads of a local whose address was taken may be equal, whatever is between them.
            stack.Add(NeedValue.Unknown with { Form = forms.Made(n.Op, nameof(Local.Exposed), forms.Constant(local)) });
        }
        else
        {
            graph.Reads.Add(local);
            block.Events.Add(new NeedEvent(NeedEventKind.Read, local, [], [], graph.Reads.Count - 1));
            stack.Add(new NeedValue(
                Needs.One(Need.LocalWhole, graph.Reads.Count - 1), Needs.One(Need.LocalLive, graph.Reads.Count - 1),
                IsDefined(local, out bool isOpaque) ? isOpaque : !IsKnowable(local),
                Terms: NeedTerms.Of(ValueOf(local)), Form: FormIn(local),
                IsFloat: local < graph.ArgBase && (graph.Il.Locals[local] == typeof(float) || graph.Il.Locals[local] == typeof(double))));
        }
    }

    /// <summary>The number of what is in a local: code without labels that does not write it reads the same.</summary>
    private int ValueOf(int local)
    {
        _ = Of(local);
        return values[local] != 0 ? values[local] : values[local] = ++lastValue;
    }

    /// <summary>Whether a local has got something in the block being read, and whether that is opaque.</summary>
    private bool IsDefined(int local, out bool isOpaque)
    {
        int got = local < defined.Length ? defined[local] : 0;
        isOpaque = (got & 1) != 0;
        return got >> 1 == blockNumber;
    }

    /// <summary>What of a value is needed if only its lowest bytes are.</summary>
    private NeedValue LowBytes(in NeedValue value, int bytes)
    {
        if (value.Whole.Length == 0) return new NeedValue([], value.Live, value.IsOpaque, IsFresh: value.IsFresh);
        var whole = new List<int>();
        foreach (int need in value.Whole)
        {
            (bool isLoad, int index) = graph.Source(need);
            if (isLoad ? graph.Loads[index].Width <= bytes : bytes == 4 && index < graph.ArgBase && graph.Il.Locals[index] == typeof(int)) whole.Add(need);
        }
        return new NeedValue([.. whole], value.Live, value.IsOpaque, IsFresh: value.IsFresh);
    }

    /// <summary>What of a value is needed if a constant masks it: where the mask has bits of its last byte, the load cannot be narrowed.</summary>
    private NeedValue Masked(in NeedValue value, long mask)
    {
        if (mask == 0) return NeedValue.Knowable;
        if (value.Whole.Length == 0) return new NeedValue([], value.Live, value.IsOpaque, IsFresh: value.IsFresh);
        var whole = new List<int>();
        foreach (int need in value.Whole)
            if ((Need)(need & 3) == Need.Load ? (byte)(mask >> (8 * Math.Min(graph.Loads[need >> 2].Width - 1, 7))) != 0 : mask < 0) whole.Add(need);
        return new NeedValue([.. whole], value.Live, value.IsOpaque, IsFresh: value.IsFresh);
    }

    private bool FollowOperator(IlOp code, List<NeedValue> stack, int at)
    {
        if (code == IlOp.Neg || code == IlOp.Not)
        {
            if (stack.Count == 0) return false;
            int form = stack[^1].Form;
            stack[^1] = stack[^1] with { Terms = default, Form = code == IlOp.Not ? forms.Made(code, null, form) : forms.Made(IlOp.Sub, null, forms.Constant(0), form) };
            return true;
        }
        if (code == IlOp.Conv_I8 || code == IlOp.Conv_U8)
        {
            NeedValue value = Pop(stack);
            stack.Add(value with { IsExtended = true, Terms = default, Form = forms.Made(code, null, value.Form) });
            return true;
        }
        if (code == IlOp.Conv_I4 || code == IlOp.Conv_I1 || code == IlOp.Conv_I2)
        {
            NeedValue value = Pop(stack);
            stack.Add(LowBytes(value, code == IlOp.Conv_I4 ? 4 : code == IlOp.Conv_I2 ? 2 : 1) with { Form = forms.Made(code, null, value.Form) });
            return true;
        }
        if (code == IlOp.Conv_R4 || code == IlOp.Conv_R8 || code == IlOp.Conv_R_Un)
        {
            NeedValue value = Pop(stack);
            stack.Add(Opaque(value) with { IsFloat = true, Form = forms.Made(code, null, value.Form) });
            return true;
        }
        if (!IsBinary(code)) return false;
        NeedValue b = Pop(stack), a = Pop(stack);
        // The processor masks a shift count by itself, so the JIT drops the mask and loads the whole count.
        bool isCount = code == IlOp.And && b.Constant is 31 && at + 1 < graph.Order.Count && IsShift(graph.Il[graph.Order[at + 1]].Op);
        stack.Add(isCount ? a : Binary(code, a, b) with { Form = IsComparison(code) ? forms.Compared(a.Form, b.Form) : forms.Made(code, null, a.Form, b.Form) });
        return true;
    }

    private static bool IsBinary(IlOp code) =>
        code == IlOp.Add || code == IlOp.Sub || code == IlOp.Mul || code == IlOp.Div || code == IlOp.Xor || code == IlOp.And
        || code == IlOp.Or || code == IlOp.Shl || code == IlOp.Shr || code == IlOp.Shr_Un || IsComparison(code);

    private static bool IsShift(IlOp code) => code == IlOp.Shl || code == IlOp.Shr || code == IlOp.Shr_Un;

    private static bool IsComparison(IlOp code) =>
        code == IlOp.Ceq || code == IlOp.Cgt || code == IlOp.Cgt_Un || code == IlOp.Clt || code == IlOp.Clt_Un;

    private NeedValue Binary(IlOp code, in NeedValue a, in NeedValue b)
    {
        // A float that another is added to or multiplied with is always needed, and nothing narrows it.
        if ((a.IsFloat || b.IsFloat) && !IsComparison(code)) return Opaque(a, b) with { IsFloat = true };
        if (code == IlOp.Add || code == IlOp.Sub || code == IlOp.Xor || code == IlOp.Div) return Transparent(code, a, b);
        if (IsComparison(code)) return Compared(code, a, b);
        if (IsShift(code)) return Shifted(code, a, b);
        if (code == IlOp.And)
        {
            if (b.Constant is { } mask) return Masked(a, mask);
            if (a.Constant is { } other) return Masked(b, other);
        }
        if (code != IlOp.Mul && forms.MayCancel(code, a.Form, b.Form)) return NeedValue.Knowable;
        // One that the JIT may know to be zero, or all ones, makes the other superfluous.
        bool keepsA = b.IsOpaque || (b.Constant is { } right && right is not (0 or -1));
        bool keepsB = a.IsOpaque || (a.Constant is { } left && left is not (0 or -1));
        return new NeedValue(
            Needs.Union(keepsA ? a.Whole : [], keepsB ? b.Whole : []), Needs.Union(keepsA ? a.Live : [], keepsB ? b.Live : []), a.IsOpaque && b.IsOpaque);
    }

    /// <summary>A shift to the right still needs the highest byte of the load; one to the left by 8 or more pushes it out.</summary>
    private NeedValue Shifted(IlOp code, in NeedValue a, in NeedValue b)
    {
        if (b.Constant is not { } count)
        {
            // The count is needed as it is, if the result is needed at all. The JIT narrows nothing that is shifted by an unknown count.
            bool keeps = b.IsOpaque;
            return new NeedValue(keeps ? a.Whole : [], Needs.Union(Needs.Union(a.Live, b.Whole), b.Live), a.IsOpaque);
        }
        NeedTerms terms = a.Terms.Shifted(code == IlOp.Shl, count);
        if (code == IlOp.Shl) return (count < 8 ? a with { Constant = null } : Narrowed(a)) with { Terms = terms };
        return new NeedValue([.. a.Whole.Where(need => (Need)(need & 3) != Need.Load || graph.Loads[need >> 2].Width * 8 > count)], a.Live, a.IsOpaque, Terms: terms);
    }

    private NeedValue Compared(IlOp code, in NeedValue a, in NeedValue b)
    {
        if (a.Constant is not null && b.Constant is null) return Compared(code, b, a);
        if (b.Constant is { } c)
        {
            bool known = a.IsExtended ? c is < 1 or > 0x7e && !(code == IlOp.Ceq && c == 0)
                : code != IlOp.Ceq && (code == IlOp.Cgt_Un || code == IlOp.Clt_Un
                    ? (c == 0 && code == IlOp.Clt_Un) || c == -1 : c is int.MinValue or int.MaxValue or long.MinValue or long.MaxValue);
            return known ? NeedValue.Knowable : Opaque(a);
        }
        if ((code != IlOp.Ceq && !(a.IsOpaque && b.IsOpaque)) || forms.MayCancel(code, a.Form, b.Form)) return NeedValue.Knowable;
        return new NeedValue([], Exclusive(Needs.Union(a.Whole, a.Live), Needs.Union(b.Whole, b.Live)), (a.IsOpaque || b.IsOpaque) && !ShareSource(a, b),
            IsFresh: (a.IsFresh || b.IsFresh) && !ShareSource(a, b));
    }

    // The JIT leaves out an object of the guest that nothing else has, and with it what is stored to it. Other objects are results, or the runtime's.

    private static bool IsObject(MemberInfo member) =>
        member.DeclaringType?.Assembly is var assembly && assembly != typeof(InstanceCore).Assembly && assembly != typeof(object).Assembly;

    private static bool IsFieldOfObject(in IlBuffer.Node n) => n.Op == IlOp.Stfld && IsObject((FieldInfo)n.Object!);

    // ---- calls ----

    private void FollowCall(in IlBuffer.Node n, List<NeedValue> stack, NeedBlock block)
    {
        if (n.Object is ConstructorInfo constructor && IsObject(constructor))
        {
            PopAll(n, stack, block, areNeeded: false);
            return;
        }
        if (n.Object is not MethodInfo method || ReferenceEquals(method, Members.KeepAlive) || PureMethod.Of(method) is not { } pure)
        {
            if (n.Object is MethodInfo other && MayTrap(other, stack)) TrapAt(stack, block);
            PopAll(n, stack, block);
            return;
        }
        var operands = new NeedValue[pure.Operands];
        for (int i = operands.Length - 1; i >= 0; i--) operands[i] = Pop(stack);
        if (MayTrap(pure, operands))
        {
            TrapAt(stack, block);
            for (int i = 0; i < operands.Length; i++) operands[i] = Unneeded(operands[i]);
        }
        stack.Add(Called(pure, operands) with { Form = FormOf(n.Op, method, pure, operands) });
    }

    /// <summary>The form of a method's result.</summary>
    private int FormOf(IlOp op, MethodInfo method, PureMethod pure, NeedValue[] operands)
    {
        // The JIT is not to know this value. Should it know, it is the operand.
        if (pure.Has(PureTraits.Hides)) return operands[0].Form;
        if (pure.Has(PureTraits.Rotates) && operands[1].Constant is { } count)
        {
            int bits = method.ReturnType == typeof(long) || method.ReturnType == typeof(ulong) ? 64 : 32;
            return forms.Rotated(operands[0].Form, (method.Name.Contains("Right", StringComparison.Ordinal) ? -count : count) & (bits - 1));
        }
        if (method.Name is "BitwiseAnd" or "BitwiseOr" or "And" or "Or" or "Min" or "Max" && operands[0].Form == operands[1].Form) return operands[0].Form;
        int form = NeedForms.Nothing;
        foreach (NeedValue operand in operands) form = forms.Made(op, method, operand.Form, form);
        return operands.Length == 0 ? forms.Constant(0, method) : form;
    }

    // ---- traps ----

    // A method that RyuJIT inlines may be known to trap. Then it drops what comes behind, and narrows loads whose values only that would have read: another trap would come first.

    /// <summary>Needs that come from behind the instruction count no more, neither for what waits on the stack nor for locals.</summary>
    private static void TrapAt(List<NeedValue> stack, NeedBlock block)
    {
        for (int i = 0; i < stack.Count; i++) stack[i] = Unneeded(stack[i]);
        block.Events.Add(new NeedEvent(NeedEventKind.Trap, 0, [], []));
        block.MayEnd = true;
    }

    private static NeedValue Unneeded(in NeedValue value) => value with { Whole = [], Live = [] };

    /// <summary>Whether the JIT may know a value where it is used: by what was stored, or by a branch before.</summary>
    private static bool MayBeKnown(in NeedValue value) => !(value.IsOpaque && value.IsFresh);

    private static bool MayTrap(PureMethod pure, NeedValue[] operands)
    {
        if (pure.Has(PureTraits.Truncates)) return MayBeKnown(operands[0]);
        if (!pure.Has(PureTraits.Divides)) return false;
        return operands[1].Constant is { } divisor ? divisor is 0 or -1 : MayBeKnown(operands[1]);
    }

    /// <summary>Whether what comes of a method depends on a table of the instance, which the JIT does not know. A base is null in place of a trap.</summary>
    private static bool IsUnforeseeable(MethodInfo method) =>
        (method.DeclaringType == typeof(CodeHelpers) && method.Name is (nameof(CodeHelpers.Resolve32) or nameof(CodeHelpers.Resolve64)))
        || method.Name == nameof(MemoryReferences.GuardedBaseOrNull);

    /// <summary>Methods of .NET, and those that only compute, do not trap. What is not inlined tells the JIT nothing.</summary>
    private static bool MayTrap(MethodInfo method, List<NeedValue> stack)
    {
        if (method.DeclaringType?.Assembly == typeof(object).Assembly || PureMethod.Classes.Contains(method.DeclaringType!)
            || (method.MethodImplementationFlags & MethodImplAttributes.NoInlining) != 0 || IsUnforeseeable(method))
            return false;
        int operands = method.GetParameters().Length + (method.IsStatic ? 0 : 1);
        for (int i = Math.Max(stack.Count - operands, 0); i < stack.Count; i++)
            if (MayBeKnown(stack[i])) return true;
        return false;
    }

    /// <summary>Whether operands may be equal, or one may be the other's complement: a selection between equal values needs no mask, and <c>x &amp; ~x</c> is 0.</summary>
    private bool MayHideItself(NeedValue[] operands)
    {
        for (int i = 0; i < operands.Length; i++)
        {
            for (int j = 0; j < operands.Length; j++)
                if (i != j && (forms.MayBeEqual(operands[i].Form, operands[j].Form) || forms.MayHold(operands[i].Form, operands[j].Form))) return true;
        }
        return false;
    }

    private NeedValue Called(PureMethod method, NeedValue[] operands)
    {
        if (operands.Length == 0) return NeedValue.Unknown;
        if (method.Has(PureTraits.IsSameBits)) return operands[0] with { IsFloat = false, Terms = default };
        if (method.Has(PureTraits.Rotates))
            return Opaque(operands[0], LowBytes(operands[1], 4)) with { Terms = operands[0].Terms.Rotated(operands[1].Constant ?? 0) };
        if (method.Has(PureTraits.Creates) && operands.Length == 2 && operands[0].Constant is { } low && operands[1].Constant is { } high)
            return new NeedValue([], [], !(low == high && low is 0 or -1));
        int[] all = [];
        int[] live = [];
        bool isOpaque = false;
        foreach (NeedValue operand in operands)
        {
            all = Needs.Union(all, Needs.Union(operand.Whole, operand.Live));
            live = Needs.Union(live, operand.Live);
            isOpaque |= operand.IsOpaque;
        }
        if (method.Has(PureTraits.Narrows)) return new NeedValue([], live, isOpaque);
        if (method.Has(PureTraits.CancelsItself))
        {
            for (int i = 1; i < operands.Length; i++)
                if (ShareSource(operands[i], operands[0]) || forms.MayBeEqual(operands[i].Form, operands[0].Form)) return NeedValue.Knowable;
        }
        if (method.Has(PureTraits.Masks) && MayHideItself(operands)) return NeedValue.Knowable;
        if (method.Has(PureTraits.Masks) && operands.Any(operand => !operand.IsOpaque && operand.Constant is null or 0 or -1)) return NeedValue.Knowable;
        if (method.Has(PureTraits.IsRemainder) && !operands[1].IsOpaque
            && !(operands[1].Constant is { } divisor && divisor > 1 && !long.IsPow2(divisor)))
            return new NeedValue([], live, isOpaque);
        return new NeedValue([], all, isOpaque);
    }
}
