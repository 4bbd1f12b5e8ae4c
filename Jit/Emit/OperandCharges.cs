using System.Reflection.Emit;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Emit;

/// <summary>
/// Charges of fuel that are not known when code is made: an operator whose work depends on an operand charges for it itself, before it begins, as its
/// row says.
/// </summary>
internal sealed class OperandCharges(EmitterContext context)
{
    private readonly IlBuffer il = context.Il;
    private readonly OperandStack stack = context.Stack;

    /// <summary>Charges an operator for its topmost operand, which stays where it is, or for the type of the object that it makes.</summary>
    /// <returns>A temporary with an operand that <see cref="ChargeGrowth"/> wants; -1 if there is none.</returns>
    internal int Charge(in Instr instr)
    {
        switch (instr.Op.Cost.Unit)
        {
            case CostUnit.Bytes: ChargeTop(nameof(Fuel.ChargeBytes)); return -1;
            case CostUnit.Items: ChargeTop(nameof(Fuel.ChargeItems)); return -1;
            case CostUnit.Code: ChargeTop(nameof(Fuel.ChargeCode)); return -1;
            case CostUnit.Entity:
                il.LdcI8((long)CostOf(context.Entity(instr.A)));
                context.LoadInstance();
                il.Call(Members.FuelCharge(nameof(Fuel.ChargeItems)));
                return -1;
            case CostUnit.Pages:
                ValType type = stack[0].Type;
                int delta = stack.TakeTemp(Signature.ClrType(type));
                int start = stack.Take(1);
                il.Emit(OpCodes.Dup);
                il.Stloc(delta);
                stack.PushStack(type, start);
                return delta;
            default: return -1;
        }
    }

    private static ulong CostOf(ExternType made) =>
        made.Kind == ExternKind.Memory ? Fuel.NewMemory + Fuel.OfPages(made.Memory.Minimum, made.Memory.PageSizeLog2) : made.Table.Minimum;

    private void ChargeTop(string charge)
    {
        ValType type = stack[0].Type;
        int start = stack.Take(1);
        il.Emit(OpCodes.Dup);
        if (type == ValType.I32) il.Emit(OpCodes.Conv_U8);
        context.LoadInstance();
        il.Call(Members.FuelCharge(charge));
        stack.PushStack(type, start);
    }

    /// <summary>Charges a memory that has grown: the result is topmost. Growth that was refused costs nothing.</summary>
    internal void ChargeGrowth(in Instr instr, int delta)
    {
        MemoryType memory = instr.Id == OpId.MemoryGrow ? context.Module.Memories[(int)instr.A] : context.Entity(instr.A).Memory;
        int start = stack.Take(1);
        il.Emit(OpCodes.Dup);
        if (!memory.Is64) il.Emit(OpCodes.Conv_I8);
        il.Ldloc(delta);
        if (!memory.Is64) il.Emit(OpCodes.Conv_U8);
        il.LdcI4(memory.PageSizeLog2);
        context.LoadInstance();
        il.Call(Members.FuelCharge(nameof(Fuel.ChargeGrowth)));
        stack.PushStack(memory.AddressType, start);
        stack.FreeTemp(delta);
    }
}
