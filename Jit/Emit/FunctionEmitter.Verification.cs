using System.Reflection.Emit;
using WasmJit.Runtime;

namespace WasmJit.Jit;

/// <summary>
/// The verifying mode: code asserts what it otherwise relies on (<see cref="EmitterAssertions"/>). Besides, each reference that an operator
/// leaves is of the type that the validator gives it. Where something is left out elsewhere in the emitter, the decision stands here, so
/// that it cannot be taken without its assertion.
/// </summary>
internal sealed partial class FunctionEmitter
{
    /// <summary>How many references of a block are looked at behind an operator that leaves several.</summary>
    private const int MostAsserted = 16;

    /// <summary>What assertions of the operator being emitted begin with.</summary>
    private string where = "";

    /// <summary>Whether an operand is proved not to be null, so that it is not compared with null.</summary>
    private bool IsNonNull(int fromTop) =>
        Proven.IsNonNull(fromTop) && Assume(fromTop, Proven[fromTop], "a comparison with null that was left out");

    /// <summary>What is left out relies on an operand's type: in verifying mode that is asserted.</summary>
    /// <returns>True, for use in conditions.</returns>
    private bool Assume(int fromTop, ValType type, string what)
    {
        if (target.Verifies) AssertReference(fromTop, type, what);
        return true;
    }

    private void AssertReference(int fromTop, ValType type, string what)
    {
        if (ReferenceEquals(type.Heap, HeapType.Bottom)) return;
        bool isOnStack = stack[fromTop].Kind == OperandKind.Stack;
        int at = isOnStack ? il.EmitAt(stack.EndOf(fromTop), OpCodes.Dup) : stack.LoadAt(il.Tail, stack[fromTop]);
        at = il.LdcI4At(at, EmitterAssertions.NumberOf(type));
        at = AssertAt(at, nameof(EmitterAssertions.Reference), what);
        if (isOnStack) stack.MoveEnd(fromTop, at);
    }

    /// <summary>Calls an assertion whose operands are on the IL stack.</summary>
    private int AssertAt(int at, string assertion, string what) =>
        il.CallAt(il.LdstrAt(at, where + what), Members.Assertion(assertion));

    private void BeginVerified(in Instr instr)
    {
        where = $"{instr.Op.Mnemonic} at {instr.Offset:x} of function {current.Index}: ";
        stack.Shadows!.Where = where;
    }

    /// <summary>Behind an operator: emitter and validator agree on what there is, and references are what they must be.</summary>
    private void EndVerified(in Instr instr)
    {
        if (depth == current.FrameBase || frames[depth - 1].Unreachable) return;
        if (stack.Count - current.StackBase != Proven.Count)
            throw new InvalidOperationException($"{where}there are {stack.Count - current.StackBase} operands, not {Proven.Count}.");
        BeginVerified(instr);
        bool several = instr.Id is not (OpId.Plain or OpId.LocalGet or OpId.LocalTee or OpId.GlobalGet or OpId.RefFunc or OpId.RefNull);
        int count = Math.Min(Proven.CountInBlock, several ? MostAsserted : 1);
        for (int i = 0; i < count; i++)
            if (Proven[i].IsRef) AssertReference(i, Proven[i], "an operand that it left");
    }

    /// <summary>The base on the IL stack is that of the memory that the local beside it holds.</summary>
    private int AssertBaseAt(int at, in MemoryAccess access)
    {
        if (!target.Verifies) return at;
        at = stack.LoadAt(il.EmitAt(at, OpCodes.Dup), access.Reference);
        string assertion = access.IsSlice ? nameof(EmitterAssertions.SliceBase)
            : target.NeedsChecks(access.Type!) ? nameof(EmitterAssertions.MemoryBase) : nameof(EmitterAssertions.GuardedMemoryBase);
        return AssertAt(at, assertion, "the base beside a local");
    }

    /// <summary>The memory on the IL stack, with whose length an access is compared, is that in the local beside it.</summary>
    private int AssertCheckedAt(int at, in MemoryAccess access)
    {
        if (!target.Verifies) return at;
        at = stack.LoadAt(il.EmitAt(at, OpCodes.Dup), access.Reference);
        return AssertAt(at, nameof(EmitterAssertions.CheckedMemory), "the memory beside a local");
    }

    /// <summary>The limit on the IL stack is that of the slice that the local beside it holds.</summary>
    private int AssertLimitAt(int at, in MemoryAccess access, ulong extent, bool writes)
    {
        if (!target.Verifies) return at;
        at = stack.LoadAt(il.EmitAt(at, OpCodes.Dup), access.Reference);
        at = il.LdcI4At(il.LdcI8At(at, (long)extent), writes ? 1 : 0);
        return AssertAt(at, nameof(EmitterAssertions.SliceLimit), "the limit beside a local");
    }

    /// <summary>The address on the IL stack is in what the access may reach.</summary>
    private int AssertAddressAt(int at, in MemoryAccess access, int width)
    {
        if (!target.Verifies) return at;
        at = il.EmitAt(at, OpCodes.Dup);
        at = access.IsReference ? stack.LoadAt(at, access.Reference) : LoadMemoryAt(at, access.Memory);
        at = il.LdcI4At(at, width);
        at = il.LdcI4At(at, access.IsSlice || target.NeedsChecks(access.Type!) ? 1 : 0);
        return AssertAt(at, nameof(EmitterAssertions.Address), "the address of an access");
    }

    /// <summary>A frame that is about to call is not at the end of the stack: the function has looked when it was entered.</summary>
    private void AssertStack()
    {
        if (!target.Verifies || !target.HasStackMap) return;
        il.EmitAt(EmitMarkAddress(il.Tail), OpCodes.Ldind_U1);
        AssertAt(il.Tail, nameof(EmitterAssertions.StackMark), "the stack");
    }

    /// <summary>
    /// Compares the operands on the IL stack and asserts the result: the JIT takes flags for what they are not (see Rotations).
    /// </summary>
    private void EmitComparison(Operator op, Emission emission)
    {
        Type type = Signature.ClrType(op.Params[0]);
        var operands = new int[op.Params.Length];
        for (int i = operands.Length - 1; i >= 0; i--) il.Stloc(operands[i] = stack.TakeTemp(type));
        foreach (int operand in operands) il.Ldloc(operand);
        EmitSteps(emission, 0);
        AssertComparison(operands, (int)op.Code);
        foreach (int operand in operands) stack.FreeTemp(operand);
    }

    /// <summary>The condition on the IL stack, about to be tested, as a comparison with zero.</summary>
    private void EmitCondition()
    {
        if (!target.Verifies) return;
        int condition = stack.TakeTemp(typeof(int));
        il.Stloc(condition);
        il.Ldloc(condition);
        il.LdcI4(0);
        il.Emit(OpCodes.Cgt_Un);
        AssertComparison([condition], 0x47);
        stack.FreeTemp(condition);
    }

    private void AssertComparison(int[] operands, int code)
    {
        il.Emit(OpCodes.Dup);
        for (int i = 0; i < 2; i++)
        {
            if (i < operands.Length) il.Ldloc(operands[i]);
            else il.LdcI4(0);
            if (i >= operands.Length || il.Locals[operands[i]] == typeof(int)) il.Emit(OpCodes.Conv_I8);
        }
        il.LdcI4(code);
        AssertAt(il.Tail, nameof(EmitterAssertions.Comparison), "a comparison");
    }
}
