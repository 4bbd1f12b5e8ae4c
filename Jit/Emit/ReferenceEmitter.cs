using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>Operators on references of any type (spec 4.6.2), and slices (runtime linking, section 4).</summary>
internal sealed class ReferenceEmitter(EmitterContext context)
{
    private readonly IlBuffer il = context.Il;
    private readonly OperandStack stack = context.Stack;

    /// <summary>Emits an operator on references.</summary>
    internal bool TryEmit(in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.RefNull:
                stack.PushConst(ValType.Ref(context.HeapTypeOf(instr.Heap1, instr.Offset), true), 0);
                return true;
            case OpId.RefIsNull:
                {
                    int start = stack.Take(1);
                    il.Emit(OpCodes.Ldnull);
                    il.Emit(OpCodes.Ceq);
                    stack.PushStack(ValType.I32, start);
                    return true;
                }
            case OpId.RefFunc:
                {
                    int start = il.Tail;
                    context.LoadInstance();
                    il.LdcI4((int)instr.A);
                    il.Call(Members.GetFunc);
                    stack.PushStack(ValType.Ref(context.Module.Funcs[(int)instr.A].Type, false), start);
                    return true;
                }
            case OpId.RefAsNonNull:
                {
                    ValType type = stack[0].Type;
                    int start = stack.Take(1);
                    il.Call(Members.Helper(nameof(CodeHelpers.NonNull)));
                    stack.PushStack(type, start);
                    return true;
                }
            default: return false;
        }
    }

    /// <summary>Emits an operator on slices.</summary>
    internal bool TryEmitSlices(in Instr instr)
    {
        var slice = ValType.Ref(HeapType.Slice, false);
        switch (instr.Id)
        {
            case OpId.SliceNew:
                {
                    MethodInfo helper = Members.Slice(nameof(Slices.New));
                    int start = context.TakeFor(helper, 2);
                    context.LoadMemory(instr.A);
                    return context.CallTaken(helper, start, slice);
                }
            case OpId.SliceNewRef: return context.CallHelper(3, Members.Slice(nameof(Slices.NewRef)), slice);
            case OpId.SliceSub: return context.CallHelper(3, Members.Slice(nameof(Slices.Sub)), slice);
            case OpId.SliceReadonly: return context.CallHelper(1, Members.Slice(nameof(Slices.ReadOnly)), slice);
            case OpId.SliceLen: return context.CallHelper(1, Members.Slice(nameof(Slices.Length)), ValType.I64);
            case OpId.SliceCopy: return context.CallHelper(5, Members.Slice(nameof(Slices.Copy)));
            case OpId.SliceFill: return context.CallHelper(4, Members.Slice(nameof(Slices.Fill)));
            default: return false;
        }
    }
}
