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
            case OpId.MemoryAtomicNotify: Wait(instr, new(nameof(AtomicWaits.Notify32), nameof(AtomicWaits.Notify64), nameof(Slices.Notify))); return true;
            case OpId.MemoryAtomicWait32: Wait(instr, new(nameof(AtomicWaits.Wait32On32), nameof(AtomicWaits.Wait32On64), nameof(Slices.Wait32))); return true;
            case OpId.MemoryAtomicWait64: Wait(instr, new(nameof(AtomicWaits.Wait64On32), nameof(AtomicWaits.Wait64On64), nameof(Slices.Wait64))); return true;
            default: return false;
        }
    }

    /// <summary>The helpers of an operator that waits or wakes, by kind of memory. References to memories have those of memories.</summary>
    private readonly record struct WaitHelpers(string Of32, string Of64, string OfSlices);

    private void Wait(in Instr instr, in WaitHelpers helpers)
    {
        context.HasCalls = true;
        if (instr.HasMemoryRef)
        {
            WaitThroughReference(instr, helpers);
            return;
        }
        int start = stack.Take(instr.Op.Params.Length);
        context.LoadMemory(instr.Memory);
        il.LdcI8((long)instr.Bits);
        il.Call(Members.AtomicWait(AddressSize.Of(context.Module.Memories[(int)instr.Memory].Is64, helpers.Of32, helpers.Of64)));
        stack.PushStack(ValType.I32, start);
    }

    private void WaitThroughReference(in Instr instr, in WaitHelpers helpers)
    {
        HeapType heap = context.HeapTypeOf(instr.Heap1, instr.Offset);
        int start = stack.Take(instr.Op.Params.Length + 1);
        il.LdcI8((long)instr.Bits);
        if (heap is DefType { Composite: EntityType type })
            il.Call(Members.MemoryReference(AddressSize.Of(type.Entity.Memory.Is64, helpers.Of32, helpers.Of64)));
        else
            il.Call(Members.Slice(helpers.OfSlices));
        stack.PushStack(ValType.I32, start);
    }
}
