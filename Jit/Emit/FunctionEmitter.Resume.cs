using System.Reflection.Emit;

namespace WasmJit.Jit;

/// <summary>
/// Functions that begin at the head of a loop: an iteration that was begun by the interpreter goes on in machine code. The
/// function has its own signature, parameters being what they are by then; all other values come from the interpreter's frame.
/// </summary>
internal sealed partial class FunctionEmitter
{
    /// <summary>The offset of the loop, -1 if the function begins at its beginning.</summary>
    private readonly int resumedLoop;

    private int resumeLabel = -1;

    /// <summary>The temporaries of operands below and at the loop's head, and where the interpreter has them.</summary>
    private readonly List<(int Temp, ValType Type, int Slot)> resumedOperands = [];

    /// <summary>Notes what is where at the loop's head. No operand is on the IL stack here.</summary>
    private void NoteResume(int label)
    {
        resumeLabel = label;
        int slots = 0, refs = 0;
        foreach (Operand local in current.Locals) _ = local.Type.IsRef ? refs++ : slots++;
        for (int i = 0; i < stack.Count; i++)
        {
            Operand operand = stack.At(i);
            int slot = operand.Type.IsRef ? refs++ : slots++;
            if (operand.Kind != OperandKind.Const) resumedOperands.Add((operand.Index, operand.Type, slot));
        }
    }

    /// <summary>Loads everything from the interpreter's frame and goes to the loop's head.</summary>
    private void EmitResume(int at)
    {
        if (resumeLabel < 0) throw new UnsupportedModuleException("the loop is never reached");
        int frame = il.DeclareLocal(typeof(nint));
        at = il.StlocAt(il.CallAt(at, Members.ResumedSlots), frame);
        int slots = 0, refs = 0;
        foreach (Operand local in root.Locals)
        {
            (bool isArg, int index) = places[local.Index];
            int slot = local.Type.IsRef ? refs++ : slots++;
            if (!isArg) at = ResumeAt(at, frame, index, local.Type, slot);
        }
        foreach ((int temp, ValType type, int slot) in resumedOperands) at = ResumeAt(at, frame, temp, type, slot);
        il.BranchAt(at, OpCodes.Br, resumeLabel);
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
