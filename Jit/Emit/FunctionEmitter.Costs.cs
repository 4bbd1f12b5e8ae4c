using System.Reflection.Emit;

namespace WasmJit.Jit;

/// <summary>
/// What operators cost where fuel is counted, as their rows say. What is known when code is made is counted with the
/// instructions; what depends on an operand is charged by the operator itself, before it works.
/// </summary>
internal sealed partial class FunctionEmitter
{
    /// <summary>Values are moved, and locals cleared, several in the time of one instruction: a power of two.</summary>
    private const int ValuesLog2 = 3;

    /// <summary>The bytes of each structure type that the function makes.</summary>
    private Dictionary<uint, long>? structBytes;

    /// <summary>What entering the function costs besides its instructions: a call, and locals that are cleared.</summary>
    private long EntryCost => 1 + ((current.Locals.Length - func.Func.Params.Length) >> ValuesLog2);

    /// <summary>What an instruction costs whatever its operands are.</summary>
    private long KnownCost(in Instr instr)
    {
        OperatorCost cost = instr.Op.Cost;
        return cost.Unit switch
        {
            CostUnit.Values => cost.Units + (ValuesMoved(instr) >> ValuesLog2),
            CostUnit.Fields => cost.Units + Fuel.OfBytes((ulong)BytesOfStruct(instr.A)),
            CostUnit.Name => cost.Units + Fuel.OfBytes((ulong)instr.Name!.Length),
            _ => cost.Units,
        };
    }

    private long ValuesMoved(in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.End or OpId.Else or OpId.Delegate: return frames[depth - 1].End.Length;
            case OpId.Catch or OpId.Throw: return ((FuncType)module.Tags[(int)instr.A].Composite).Params.Length;
            case OpId.Call or OpId.ReturnCall: return ValuesOf(module.Funcs[(int)instr.A].Func);
            case OpId.CallRef or OpId.ReturnCallRef or OpId.CallIndirect or OpId.ReturnCallIndirect:
                return ValuesOf((FuncType)module.Types[(int)instr.A].Composite);
            case OpId.CallIndirectRef: return ValuesOf((FuncType)module.Types[(int)instr.B].Composite);
            case OpId.CallExport or OpId.ReturnCallExport:
                var exports = (InstanceType)module.Modules[(int)instr.A].Exact.InstanceType.Composite;
                return ValuesOf(exports.Find(instr.Name!)!.Func);
            case OpId.Return: return func.Func.Results.Length;
            case OpId.BrTable: return LabelTypes(Target(instr.A)).Length;
            default: return LabelTypes(Target(instr.A)).Length;
        }
    }

    private static int ValuesOf(FuncType type) => type.Params.Length + type.Results.Length;

    private long BytesOfStruct(uint type)
    {
        structBytes ??= [];
        if (structBytes.TryGetValue(type, out long bytes)) return bytes;
        foreach (FieldType field in ((StructType)module.Types[(int)type].Composite).Fields)
            bytes += field.Type.Kind == ValKind.V128 ? 16 : 8;
        return structBytes[type] = bytes;
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
        il.Call(Members.FuelCharge("Grown" + Suffix(memory.Is64)));
        stack.PushStack(memory.AddressType, start);
        stack.FreeTemp(delta);
    }
}
