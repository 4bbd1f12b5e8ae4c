using System.Reflection;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>Atomic operators (threads): a method of <see cref="Atomics"/> each, inlined, with the native address as its first argument.</summary>
internal sealed class AtomicEmitter(EmitterContext context, MemoryEmitter memory)
{
    private readonly IlBuffer il = context.Il;
    private readonly OperandStack stack = context.Stack;

    /// <summary>Emits a plain operator that is an atomic access.</summary>
    internal void Emit(in Instr instr, Emission emission)
    {
        int operands = instr.Op.Params.Length;
        MemoryAccess access;
        if (operands == 3)
        {
            // What is expected and what replaces it come above the address.
            stack.Flush();
            access = memory.AccessOf(instr);
            Operand replacement = stack[0], expected = stack[1], index = stack[2];
            stack.LoadAt(il.Tail, index);
            memory.AddressAt(il.Tail, instr, access, emission.Width);
            stack.LoadAt(il.Tail, expected);
            stack.LoadAt(il.Tail, replacement);
            for (int i = 0; i < operands; i++) stack.Remove();
        }
        else if (operands == 2)
        {
            memory.TakeAccess(instr, emission.Width, out access);
        }
        else
        {
            access = memory.AccessOf(instr);
            stack.Take(1);
            memory.AddressAt(il.Tail, instr, access, emission.Width);
        }
        il.Call(emission.Method!);
        if (instr.Op.Results.IsEmpty)
        {
            memory.EndAccess(access);
            return;
        }
        // Later operators must not be moved before it: its result is not left on the IL stack.
        int temp = stack.TakeTemp(Signature.ClrType(instr.Op.Results[0]));
        il.Stloc(temp);
        memory.EndAccess(access);
        stack.PushTemp(instr.Op.Results[0], temp);
    }

    /// <summary>Emits an operator that waits, wakes or orders.</summary>
    internal bool TryEmit(in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.AtomicFence:
                stack.Flush();
                il.Call(Members.AtomicWait(nameof(AtomicWaits.Fence)));
                return true;
            case OpId.MemoryAtomicNotify: return Wait(instr, nameof(AtomicWaits.Notify));
            case OpId.MemoryAtomicWait32: return Wait(instr, nameof(AtomicWaits.Wait32));
            case OpId.MemoryAtomicWait64: return Wait(instr, nameof(AtomicWaits.Wait64));
            default: return false;
        }
    }

    /// <summary>Waits or wakes. The helpers for memories, for references to memories and for slices have the same name.</summary>
    private bool Wait(in Instr instr, string name)
    {
        context.HasCalls = true;
        MethodInfo helper = !instr.HasMemoryRef ? Members.AtomicWait(name)
            : context.HeapTypeOf(instr.Heap1, instr.Offset) is DefType ? Members.MemoryReference(name) : Members.Slice(name);
        int start = context.TakeFor(helper, instr.Op.Params.Length + (instr.HasMemoryRef ? 1 : 0));
        if (!instr.HasMemoryRef) context.LoadMemory(instr.Memory);
        il.LdcI8((long)instr.Bits);
        return context.CallTaken(helper, start, ValType.I32);
    }
}
