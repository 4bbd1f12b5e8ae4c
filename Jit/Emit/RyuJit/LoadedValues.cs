using System.Reflection.Emit;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>
/// Loads that RyuJIT must not narrow or leave out: an access that straddles the end of memory would no longer fault. Their values are
/// stored where the JIT must leave them.
/// </summary>
internal sealed class LoadedValues(EmitterContext context)
{
    private readonly IlBuffer il = context.Il;
    private readonly OperandStack stack = context.Stack;

    /// <summary>
    /// RyuJIT narrows a load whose upper bytes are not read, and an access that straddles the end of memory would no longer
    /// fault; the whole value is stored first.
    /// </summary>
    internal void GuardNarrowing(Operator op)
    {
        if (stack.Count == 0) return;
        ref Operand top = ref stack[0];
        bool narrows = op.Operation switch
        {
            Operation.Narrow8 => top.LoadWidth > 1,
            Operation.Narrow16 => top.LoadWidth > 2,
            Operation.Narrow32 => top.LoadWidth > 4,
            _ => false,
        };
        if (narrows) StoreLoaded(ref top);
        if (op.Operation != Operation.And || stack.Count < 2) return;
        ref Operand other = ref stack[1];
        if (top.Kind == OperandKind.Const && other.LoadWidth > 1) StoreLoaded(ref other);
    }

    /// <summary>Stores a loaded value, in a temporary or topmost on the IL stack, where the JIT must leave it.</summary>
    private void StoreLoaded(ref Operand operand)
    {
        if (operand.Kind is OperandKind.Temp or OperandKind.FrameTemp)
        {
            StoreScratch(operand.Type, operand.Index);
        }
        else
        {
            int temp = stack.TakeTemp(Signature.ClrType(operand.Type));
            il.Stloc(temp);
            StoreScratch(operand.Type, temp);
            il.Ldloc(temp);
            stack.FreeTemp(temp);
        }
        operand.LoadWidth = 0;
    }

    private void StoreScratch(ValType type, int temp)
    {
        context.LoadInstance();
        il.Ldloc(temp);
        switch (type.Kind)
        {
            case ValKind.I32: il.Emit(OpCodes.Conv_I8); il.Field(OpCodes.Stfld, Members.Scratch64); break;
            case ValKind.I64: il.Field(OpCodes.Stfld, Members.Scratch64); break;
            case ValKind.F32: il.Emit(OpCodes.Conv_R8); il.Field(OpCodes.Stfld, Members.ScratchF64); break;
            case ValKind.F64: il.Field(OpCodes.Stfld, Members.ScratchF64); break;
            default: il.Call(Members.Vector(nameof(Simd.Keep))); break;
        }
    }

    /// <summary>Drops the topmost operand.</summary>
    internal void Drop()
    {
        KeepLoad(ref stack[0]);
        if (stack[0].Kind == OperandKind.Stack) il.Emit(OpCodes.Pop);
        stack.Remove();
    }

    /// <summary>A load traps though its value is not read: the topmost operand on the IL stack, or one in a temporary.</summary>
    private void KeepLoad(ref Operand operand)
    {
        if (!operand.HasLoad || operand.Type.IsRef) return;
        if (operand.Kind == OperandKind.Stack) stack.SpillTop();
        StoreScratch(operand.Type, operand.Index);
        operand.HasLoad = false;
    }

    /// <summary>The same for operands that control leaves behind: those above a height, below the topmost.</summary>
    internal void KeepLoads(int height, int keep)
    {
        for (int i = height; i < stack.Count - keep; i++)
        {
            if (!stack.At(i).HasLoad) continue;
            if (stack.At(i).Kind == OperandKind.Stack) stack.FlushBelow(keep);
            KeepLoad(ref stack.At(i));
        }
    }

    /// <summary>
    /// The JIT narrows the load of a vector to the lanes that are read; without the last byte an access that straddles
    /// the end of memory would no longer fault. Such an operand is stored first.
    /// </summary>
    internal void KeepVectorWhole(int fromTop)
    {
        ref Operand operand = ref stack[fromTop];
        if (operand.Kind != OperandKind.Stack || operand.LoadWidth != 16) return;
        operand.LoadWidth = 0;
        int end = context.LoadInstanceAt(stack.EndOf(fromTop));
        stack.MoveEnd(fromTop, il.CallAt(end, Members.Vector(nameof(Simd.Whole))));
    }
}
