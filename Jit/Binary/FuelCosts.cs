using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Binary;

/// <summary>
/// The part of an instruction's cost in fuel that is known when code is made for it, by any tier. An operator whose cost depends on an operand
/// charges that itself, before it works.
/// </summary>
internal static class FuelCosts
{
    /// <summary>Values are moved, and locals cleared, several in the time of one instruction: a power of two.</summary>
    private const int ValuesLog2 = 3;

    /// <summary>The price of entering a function besides its instructions: a call, and locals that are cleared.</summary>
    /// <param name="func">The function.</param>
    /// <param name="locals">How many locals it has, with its parameters.</param>
    internal static long OfEntry(FuncInfo func, int locals) => 1 + ((locals - func.Func.Params.Length) >> ValuesLog2);

    /// <summary>The label whose values the instruction's cost depends on, if there is one.</summary>
    internal static uint? LabelOf(in Instr instr) =>
        instr.Op.Cost.Unit == CostUnit.Values && instr.Op.Has(OpTraits.Branches) && instr.Id != OpId.Return ? instr.A : null;

    /// <summary>Whether the instruction ends a block, or one part of it, whose values its cost depends on.</summary>
    internal static bool EndsPart(in Instr instr) => instr.Op.Has(OpTraits.Closes | OpTraits.Divides);

    /// <summary>The price of an instruction whatever its operands are.</summary>
    /// <param name="instr">The instruction.</param>
    /// <param name="module">Its module.</param>
    /// <param name="func">Its function.</param>
    /// <param name="values">How many values its label has, or the block that it ends.</param>
    internal static long Known(in Instr instr, ModuleInfo module, FuncInfo func, int values)
    {
        OperatorCost cost = instr.Op.Cost;
        return cost.Unit switch
        {
            CostUnit.Values => cost.Units + (ValuesMoved(instr, module, func, values) >> ValuesLog2),
            CostUnit.Fields => cost.Units + Fuel.OfBytes((ulong)BytesOfStruct((StructType)module.Types[(int)instr.A].Composite)),
            CostUnit.Name => cost.Units + Fuel.OfBytes((ulong)instr.Name!.Length),
            _ => cost.Units,
        };
    }

    private static long ValuesMoved(in Instr instr, ModuleInfo module, FuncInfo func, int values)
    {
        switch (instr.Id)
        {
            case OpId.Catch or OpId.Throw: return ((FuncType)module.Tags[(int)instr.A].Composite).Params.Length;
            case OpId.Call or OpId.ReturnCall: return ValuesOf(module.Funcs[(int)instr.A].Func);
            case OpId.CallRef or OpId.ReturnCallRef or OpId.CallIndirect or OpId.ReturnCallIndirect:
                return ValuesOf((FuncType)module.Types[(int)instr.A].Composite);
            case OpId.CallIndirectRef: return ValuesOf((FuncType)module.Types[(int)instr.B].Composite);
            case OpId.CallExport or OpId.ReturnCallExport:
                var exports = (InstanceType)module.Modules[(int)instr.A].Exact.InstanceType.Composite;
                return ValuesOf(exports.Find(instr.Name!)!.Func);
            case OpId.Return: return func.Func.Results.Length;
            default: return values;
        }
    }

    private static int ValuesOf(FuncType type) => type.Params.Length + type.Results.Length;

    /// <summary>Kept with the type: a function may have many instructions of a large type.</summary>
    private static long BytesOfStruct(StructType type)
    {
        if (type.SizeCache == 0)
        {
            long bytes = 0;
            foreach (FieldType field in type.Fields) bytes += field.Type.Kind == ValKind.V128 ? 16 : 8;
            type.SizeCache = bytes + 1;
        }
        return type.SizeCache - 1;
    }
}
