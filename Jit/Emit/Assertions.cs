using System.Reflection.Emit;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>
/// The verifying mode: code asserts the facts that it otherwise relies on (<see cref="EmitterAssertions"/>). Besides, it asserts that each reference
/// that an operator leaves is of the type that the validator gives it. Decisions to leave out a check are made here, so that none can be made without
/// its assertion.
/// </summary>
internal sealed class Assertions(EmitterContext context, ControlStack control)
{
    private readonly IlBuffer il = context.Il;
    private readonly OperandStack stack = context.Stack;
    private readonly ICodeTarget target = context.Target;

    /// <summary>How many references of a block are looked at behind an operator that leaves several.</summary>
    private const int MostAsserted = 16;

    /// <summary>The beginning of assertions of the current operator.</summary>
    private string where = "";

    /// <summary>Whether an operand is proved not to be null, so that it is not compared with null.</summary>
    internal bool IsNonNull(int fromTop) =>
        context.Proven.IsNonNull(fromTop) && Assume(fromTop, context.Proven[fromTop], "a comparison with null that was left out");

    /// <summary>A check is left out because of an operand's type. In the verifying mode the type is asserted.</summary>
    /// <returns>True, for use in conditions.</returns>
    internal bool Assume(int fromTop, ValType type, string what)
    {
        if (target.Verifies) AssertReference(fromTop, type, what);
        return true;
    }

    private void AssertReference(int fromTop, ValType type, string what)
    {
        if (ReferenceEquals(type.Heap, HeapType.Bottom)) return;
        bool isOnStack = stack[fromTop].Kind == OperandKind.Stack;
        int at = isOnStack ? il.EmitAt(stack.EndOf(fromTop), OpCodes.Dup) : stack.LoadAt(il.Tail, stack[fromTop]);
        // The method's own instance: that of code which is put into it may not be there yet.
        at = il.LdcI4At(il.LdargAt(at, 0), EmitterAssertions.NumberOf(context.Root.Module, type));
        at = AssertAt(at, nameof(EmitterAssertions.Reference), what);
        if (isOnStack) stack.MoveEnd(fromTop, at);
    }

    /// <summary>Calls an assertion whose operands are on the IL stack.</summary>
    private int AssertAt(int at, string assertion, string what) =>
        il.CallAt(il.LdstrAt(at, where + what), Members.Assertion(assertion));

    /// <summary>Before an operator: assertions name it from now on.</summary>
    internal void Begin(in Instr instr)
    {
        where = $"{instr.Op.Mnemonic} at {instr.Offset:x} of function {context.Current.Index}: ";
        stack.Shadows!.Where = where;
    }

    /// <summary>Behind an operator: emitter and validator agree on what there is, and references are what they must be.</summary>
    internal void End(in Instr instr)
    {
        if (control.Depth == context.Current.FrameBase || control.Top.Unreachable) return;
        if (stack.Count - context.Current.StackBase != context.Proven.Count)
            throw new InvalidOperationException($"{where}there are {stack.Count - context.Current.StackBase} operands, not {context.Proven.Count}.");
        Begin(instr);
        bool several = instr.Id is not (OpId.Plain or OpId.LocalGet or OpId.LocalTee or OpId.GlobalGet or OpId.RefFunc or OpId.RefNull);
        int count = Math.Min(context.Proven.CountInBlock, several ? MostAsserted : 1);
        for (int i = 0; i < count; i++)
            if (context.Proven[i].IsRef) AssertReference(i, context.Proven[i], "an operand that it left");
    }

    /// <summary>The base on the IL stack is that of the memory that the local beside it holds.</summary>
    internal int BaseAt(int at, in MemoryAccess access)
    {
        if (!target.Verifies) return at;
        at = stack.LoadAt(il.EmitAt(at, OpCodes.Dup), access.Reference);
        string assertion = access.IsSlice ? nameof(EmitterAssertions.SliceBase)
            : target.NeedsChecks(access.Type!) ? nameof(EmitterAssertions.MemoryBase) : nameof(EmitterAssertions.GuardedMemoryBase);
        return AssertAt(at, assertion, "the base beside a local");
    }

    /// <summary>The memory on the IL stack, with whose length an access is compared, is that in the local beside it.</summary>
    internal int CheckedMemoryAt(int at, in MemoryAccess access)
    {
        if (!target.Verifies) return at;
        at = stack.LoadAt(il.EmitAt(at, OpCodes.Dup), access.Reference);
        return AssertAt(at, nameof(EmitterAssertions.CheckedMemory), "the memory beside a local");
    }

    /// <summary>The limit on the IL stack is that of the slice that the local beside it holds.</summary>
    internal int LimitAt(int at, in MemoryAccess access, ulong extent, bool writes)
    {
        if (!target.Verifies) return at;
        at = stack.LoadAt(il.EmitAt(at, OpCodes.Dup), access.Reference);
        at = il.LdcI4At(il.LdcI8At(at, (long)extent), writes ? 1 : 0);
        return AssertAt(at, nameof(EmitterAssertions.SliceLimit), "the limit beside a local");
    }

    /// <summary>The address on the IL stack is inside the range that the access may reach.</summary>
    internal int AddressAt(int at, in MemoryAccess access, int width)
    {
        if (!target.Verifies) return at;
        at = il.EmitAt(at, OpCodes.Dup);
        at = access.IsReference ? stack.LoadAt(at, access.Reference) : context.LoadMemoryAt(at, access.Memory);
        at = il.LdcI4At(at, width);
        at = il.LdcI4At(at, access.IsSlice || access.IsProved || target.NeedsChecks(access.Type!) ? 1 : 0);
        return AssertAt(at, nameof(EmitterAssertions.Address), "the address of an access");
    }

    /// <summary>An index on the IL stack is a sum that does not wrap around. In the verifying mode that is asserted, and the sum stays as it is.</summary>
    /// <returns>Whether this is the verifying mode.</returns>
    internal bool AddsUp(ref int at, IndexParts parts)
    {
        if (!target.Verifies) return false;
        const string What = "an index that does not wrap around";
        if (parts.Sum != 0) at = AssertAt(il.LdcI4At(il.EmitAt(at, OpCodes.Dup), (int)parts.Addend), nameof(EmitterAssertions.Sum), What);
        if (parts.Number != 0) AssertAt(il.LdcI4At(il.EmitAt(parts.Number, OpCodes.Dup), parts.Shift), nameof(EmitterAssertions.Shift), What);
        return true;
    }

    /// <summary>The number on the IL stack is what is left of the fuel.</summary>
    internal int LeftAt(int at, int fuel)
    {
        if (!target.Verifies) return at;
        at = il.LdlocAt(il.EmitAt(at, OpCodes.Dup), fuel);
        return AssertAt(il.FieldAt(at, OpCodes.Ldfld, Members.FuelLeft), nameof(EmitterAssertions.SameI64), "what is left of the fuel");
    }

    /// <summary>In front of a loop that does not store what is left of the fuel.</summary>
    /// <returns>The local with what is left; -1 if this is not the verifying mode.</returns>
    internal int Before(int at, int left)
    {
        if (!target.Verifies) return -1;
        int before = il.DeclareLocal(typeof(long));
        il.StlocAt(il.LdlocAt(at, left), before);
        return before;
    }

    /// <summary>Behind such a loop: nothing in it has changed the fuel.</summary>
    internal int StillLeftAt(int at, int before, int fuel)
    {
        at = il.FieldAt(il.LdlocAt(at, fuel), OpCodes.Ldfld, Members.FuelLeft);
        return AssertAt(il.LdlocAt(at, before), nameof(EmitterAssertions.SameI64), "the fuel behind a loop that does not store what is left");
    }

    /// <summary>A loop runs no more often without a poll.</summary>
    /// <returns>The local with the iterations since the last poll; -1 if this is not the verifying mode.</returns>
    internal int Iterations(PolledLoop loop, long most)
    {
        if (!target.Verifies) return -1;
        int count = il.DeclareLocal(typeof(int));
        il.StlocAt(il.LdcI4At(loop.Before, 0), count);
        int at = il.EmitAt(il.LdcI4At(il.LdlocAt(loop.Head, count), 1), OpCodes.Add);
        at = il.StlocAt(at, count);
        at = il.LdcI4At(il.LdlocAt(at, count), (int)most);
        il.CallAt(il.LdstrAt(at, $"loop at {loop.Offset:x} of function {context.Root.Index}: the iterations without a poll"), Members.Assertion(nameof(EmitterAssertions.Iterations)));
        return count;
    }

    /// <summary>A frame that is about to call is not at the end of the stack: the function has looked when it was entered.</summary>
    internal void StackIsLeft()
    {
        if (!target.Verifies || !target.HasStackMap) return;
        il.EmitAt(context.StackMarkAt(il.Tail), OpCodes.Ldind_U1);
        AssertAt(il.Tail, nameof(EmitterAssertions.StackMark), "the stack");
    }

    /// <summary>
    /// Compares the operands on the IL stack and asserts the result: the JIT may take the wrong flags (see Rotations).
    /// </summary>
    internal void EmitComparison(Operator op, Emission emission)
    {
        Type type = Signature.ClrType(op.Params[0]);
        var operands = new int[op.Params.Length];
        for (int i = operands.Length - 1; i >= 0; i--) il.Stloc(operands[i] = stack.TakeTemp(type));
        foreach (int operand in operands) il.Ldloc(operand);
        emission.WriteSteps(il, 0);
        AssertComparison(operands, op.Comparison!.Value);
        foreach (int operand in operands) stack.FreeTemp(operand);
    }

    /// <summary>The condition on the IL stack, about to be tested, as a comparison with zero.</summary>
    internal void Condition()
    {
        if (!target.Verifies) return;
        int condition = stack.TakeTemp(typeof(int));
        il.Stloc(condition);
        il.Ldloc(condition);
        il.LdcI4(0);
        il.Emit(OpCodes.Cgt_Un);
        AssertComparison([condition], IntegerComparison.Ne);
        stack.FreeTemp(condition);
    }

    private void AssertComparison(int[] operands, IntegerComparison kind)
    {
        il.Emit(OpCodes.Dup);
        for (int i = 0; i < 2; i++)
        {
            if (i < operands.Length) il.Ldloc(operands[i]);
            else il.LdcI4(0);
            if (i >= operands.Length || il.Locals[operands[i]] == typeof(int)) il.Emit(OpCodes.Conv_I8);
        }
        il.LdcI4((int)kind);
        AssertAt(il.Tail, nameof(EmitterAssertions.Comparison), "a comparison");
    }
}
