using System.Reflection.Emit;
using WasmJit.Jit.Il;

namespace WasmJit.Jit.Emit;

/// <summary>
/// Functions that begin at the head of a loop: machine code goes on with an iteration that the interpreter has begun. The function has its own
/// signature; parameters are passed with their current values, and all other values come from the interpreter's frame.
/// </summary>
internal sealed class ResumePoint(EmitterContext context, int loop)
{
    private readonly IlBuffer il = context.Il;
    private readonly OperandStack stack = context.Stack;

    /// <summary>Whether the function begins at a loop, and not at its beginning.</summary>
    internal bool IsLoop => loop >= 0;

    /// <summary>Whether the function begins at the loop of an offset in it.</summary>
    internal bool Is(int offset, Activation activation) => offset == loop && activation.Caller is null;

    private int label = -1;

    /// <summary>The temporaries of operands below and at the loop's head, and where the interpreter has them.</summary>
    private readonly List<(int Temp, ValType Type, int Slot)> operands = [];

    /// <summary>Notes where everything is at the loop's head. No operand is on the IL stack here.</summary>
    internal void Note(int head)
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
    }

    /// <summary>Loads everything from the interpreter's frame and goes to the loop's head.</summary>
    internal void EmitAt(int at)
    {
        if (label < 0) throw new UnsupportedModuleException("the loop is never reached");
        int frame = il.DeclareLocal(typeof(nint));
        at = il.StlocAt(il.CallAt(at, Members.ResumedSlots), frame);
        int slots = 0, refs = 0;
        foreach (Operand local in context.Root.Locals)
        {
            (bool isArg, int index) = context.Places[local.Index];
            int slot = local.Type.IsRef ? refs++ : slots++;
            if (!isArg) at = ResumeAt(at, frame, index, local.Type, slot);
        }
        foreach ((int temp, ValType type, int slot) in operands) at = ResumeAt(at, frame, temp, type, slot);
        il.BranchAt(at, OpCodes.Br, label);
    }

    private int ResumeAt(int at, int frame, int local, ValType type, int slot)
    {
        if (type.IsRef)
        {
            at = il.CallAt(il.LdcI4At(at, slot), Members.ResumedRef);
        }
        else
        {
            at = il.LdlocAt(at, frame);
            at = il.EmitAt(il.LdcI4At(at, slot * 8), OpCodes.Add);
            at = il.EmitAt(at, type.Kind switch
            {
                ValKind.I32 => OpCodes.Ldind_I4,
                ValKind.I64 => OpCodes.Ldind_I8,
                ValKind.F32 => OpCodes.Ldind_R4,
                _ => OpCodes.Ldind_R8,
            });
        }
        return il.StlocAt(at, local);
    }
}
