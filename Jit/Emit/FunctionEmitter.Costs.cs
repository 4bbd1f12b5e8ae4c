using System.Reflection.Emit;

namespace WasmJit.Jit;

/// <summary>
/// What operators cost where fuel is counted, as their rows say. What is known when code is made is counted with the
/// instructions; what depends on an operand is charged by the operator itself, before it works.
/// </summary>
internal sealed partial class FunctionEmitter
{
    /// <summary>What entering the function costs besides its instructions: a call, and locals that are cleared.</summary>
    private long EntryCost => FuelCosts.OfEntry(func, current.Locals.Length);

    /// <summary>What an instruction costs whatever its operands are.</summary>
    private long KnownCost(in Instr instr)
    {
        int values = FuelCosts.LabelOf(instr) is { } label ? LabelTypes(Target(label)).Length
            : FuelCosts.EndsPart(instr) ? frames[depth - 1].End.Length : 0;
        return FuelCosts.Known(instr, module, func, values);
    }

    /// <summary>Charges an operator for its topmost operand, which stays where it is, or for the type that it makes something of.</summary>
    /// <returns>A temporary with an operand that <see cref="ChargeGrowth"/> wants; -1 if there is none.</returns>
    private int ChargeOperand(in Instr instr)
    {
        switch (instr.Op.Cost.Unit)
        {
            case CostUnit.Bytes: ChargeTop("Bytes"); return -1;
            case CostUnit.Items: ChargeTop("Items"); return -1;
            case CostUnit.Code: ChargeTop("Compiled"); return -1;
            case CostUnit.Entity:
                il.LdcI8((long)CostOf(Entity(instr.A)));
                LoadInstance();
                il.Call(Members.FuelCharge("Items64"));
                il.Emit(OpCodes.Pop);
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

    private void ChargeTop(string what)
    {
        ValType type = stack[0].Type;
        int start = stack.Take(1);
        LoadInstance();
        il.Call(Members.FuelCharge(what + (type == ValType.I64 ? "64" : "32")));
        stack.PushStack(type, start);
    }

    /// <summary>Charges a memory that has grown: the result is topmost. Growth that was refused costs nothing.</summary>
    private void ChargeGrowth(in Instr instr, int delta)
    {
        MemoryType memory = instr.Id == OpId.MemoryGrow ? module.Memories[(int)instr.A] : Entity(instr.A).Memory;
        int start = stack.Take(1);
        il.Ldloc(delta);
        il.LdcI4(memory.PageSizeLog2);
        LoadInstance();
        il.Call(Members.FuelCharge(Sized(memory.Is64, nameof(Fuel.Grown32), nameof(Fuel.Grown64))));
        stack.PushStack(memory.AddressType, start);
        stack.FreeTemp(delta);
    }
}
