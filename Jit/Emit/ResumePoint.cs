using System.Reflection.Emit;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;

namespace WasmJit.Jit.Emit;

/// <summary>
/// Functions that begin at the head of a loop: machine code goes on with an iteration that the interpreter has begun. The function has its own
/// signature; parameters are passed with their current values, and all other values come from the interpreter's frame.
/// </summary>
/// <param name="context">The function.</param>
/// <param name="loop">The offset of the loop; -1 for none.</param>
/// <param name="next">
/// Where the address of better code for the same loop will be: each iteration of this code looks whether it is there, and goes on in it. 0 for none.
/// </param>
internal sealed class ResumePoint(EmitterContext context, int loop, nint next)
{
    private readonly IlBuffer il = context.Il;
    private readonly OperandStack stack = context.Stack;

    /// <summary>Whether the function begins at a loop, and not at its beginning.</summary>
    internal bool IsLoop => loop >= 0;

    /// <summary>Whether the function begins at the loop of an offset in it.</summary>
    internal bool Is(int offset, Activation activation) => offset == loop && activation.Caller is null;

    private int label = -1;

    /// <summary>The interpreter's frame.</summary>
    private int frame = -1;

    /// <summary>The temporaries of operands below and at the loop's head, and where the interpreter has them.</summary>
    private readonly List<(int Temp, ValType Type, int Slot)> operands = [];

    /// <summary>Notes where everything is at the loop's head. No operand is on the IL stack here.</summary>
    /// <returns>Whether code may leave the function here.</returns>
    internal bool Note(int head)
    {
        label = head;
        int slots = 0, refs = 0;
        foreach (Operand local in context.Current.Locals) _ = local.Type.IsRef ? refs++ : slots++;
        for (int i = 0; i < stack.Count; i++)
        {
            Operand operand = stack.At(i);
            int slot = operand.Type.IsRef ? refs++ : slots++;
            if (operand.Kind != OperandKind.Const) operands.Add((operand.Index, operand.Type, slot));
        }
        if (next != 0) EmitLeave();
        return next != 0;
    }

    /// <summary>If there is better code, everything goes back to the interpreter's frame, and that code begins with it.</summary>
    private void EmitLeave()
    {
        frame = il.DeclareLocal(typeof(nint));
        int over = il.DefineLabel(), code = il.DeclareLocal(typeof(nint));
        il.LdcI8(next);
        il.Emit(OpCodes.Ldind_I);
        il.Stloc(code);
        il.Ldloc(code);
        il.Branch(OpCodes.Brfalse, over);
        int slots = 0;
        foreach (Operand local in context.Root.Locals)
        {
            (bool isArg, int index) = context.Places[local.Index];
            if (!isArg) Store(index, local.Type, slots);
            if (!local.Type.IsRef) slots++;
        }
        foreach ((int temp, ValType type, int slot) in operands) Store(temp, type, slot);
        il.Ldloc(frame);
        il.Call(Members.ResumeWith);
        for (int i = 0; i < context.Signature.Parameters.Length; i++) il.Ldarg(i);
        il.Ldloc(code);
        il.Calli(context.Signature, tail: true);
        il.Emit(OpCodes.Ret);
        il.Mark(over);
    }

    private void Store(int local, ValType type, int slot)
    {
        if (type.IsRef) throw new UnsupportedModuleException("references do not go back to the interpreter's frame");
        il.Ldloc(frame);
        il.LdcI4(slot * 8);
        il.Emit(OpCodes.Add);
        il.Ldloc(local);
        il.StoreIndirectAt(il.Tail, Signature.ClrType(type));
    }

    /// <summary>Loads everything from the interpreter's frame.</summary>
    internal int LoadAt(int at)
    {
        if (label < 0) throw new UnsupportedModuleException("the loop is never reached");
        if (frame < 0) frame = il.DeclareLocal(typeof(nint));
        at = il.StlocAt(il.CallAt(at, Members.ResumedSlots), frame);
        int slots = 0, refs = 0;
        foreach (Operand local in context.Root.Locals)
        {
            (bool isArg, int index) = context.Places[local.Index];
            int slot = local.Type.IsRef ? refs++ : slots++;
            if (!isArg) at = ResumeAt(at, index, local.Type, slot);
        }
        foreach ((int temp, ValType type, int slot) in operands) at = ResumeAt(at, temp, type, slot);
        return at;
    }

    /// <summary>Goes to the loop's head.</summary>
    internal void GoAt(int at) => il.BranchAt(at, OpCodes.Br, label);

    private int ResumeAt(int at, int local, ValType type, int slot)
    {
        if (type.IsRef)
        {
            at = il.CallAt(il.LdcI4At(at, slot), Members.ResumedRef);
        }
        else
        {
            at = il.LdlocAt(at, frame);
            at = il.EmitAt(il.LdcI4At(at, slot * 8), OpCodes.Add);
            at = il.LoadIndirectAt(at, Signature.ClrType(type));
        }
        return il.StlocAt(at, local);
    }
}
