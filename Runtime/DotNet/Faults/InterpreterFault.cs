namespace WasmJit.Runtime;

/// <summary>
/// Which instruction of register code a fault was in. Loads and stores do not note where they are, since a loop of them would take half as long again. But
/// the fault handler keeps the registers of the processor. Among them, or in the frame of the interpreter's loop, are the instruction's address and that
/// of the slots.
/// </summary>
/// <remarks>
/// Unsafe: it reads instructions of the function's own code and slots of the thread's own stack, since every address is compared with their ends, and
/// words of the native stack around the loop's frame: the frames that look for the exception's handler have made the stack deeper than that. An instruction
/// is given only if its access, with the slots as they are, is the one that faulted, so a word that looks like an address by chance does no harm.
/// </remarks>
internal static unsafe class InterpreterFault
{
    /// <summary>How far from one of its locals the others of the loop are looked for.</summary>
    private const int WordsOfFrame = 512;

    /// <summary>Whether an exception, which has just reached the filter of the innermost run, is a fault of a load or store of register code.</summary>
    internal static bool IsOne(Exception exception)
    {
        if (exception is not NullReferenceException || WasmThread.PeekFault() == 0) return false;
        var frames = new ExceptionFrames(exception);
        // The loop's frame and that of the run. Further out there are more.
        return frames.Count <= 2 && InterpretedStack.IsLoop(frames.MethodAt(0));
    }

    /// <summary>The instruction of a function; null if it is not known.</summary>
    /// <param name="function">The innermost function of the run.</param>
    /// <param name="thread">The thread's stack.</param>
    /// <param name="memory">Where the instance's first memory begins.</param>
    /// <param name="local">A local of the loop.</param>
    internal static Instruction* Find(FunctionState* function, InterpreterThread thread, byte* memory, ulong* local)
    {
        ulong address = WasmThread.PeekFault(), high = WasmThread.Current.StackHigh;
        ReadOnlySpan<ulong> registers = WasmThread.FaultRegisters;
        Span<ulong> words = stackalloc ulong[registers.Length + (2 * WordsOfFrame)];
        registers.CopyTo(words);
        int count = registers.Length;
        // Code of RyuJIT that is not optimised has locals on the stack, in the frame of the loop.
        ulong* end = (ulong)(local + WordsOfFrame) <= high ? local + WordsOfFrame : (ulong*)high;
        for (ulong* at = local - WordsOfFrame; at < end; at++)
            if (IsOf(function, *at) || thread.HasSlots(*at, function->Slots)) words[count++] = *at;
        words = words[..count];
        Instruction* found = null;
        foreach (ulong word in words)
        {
            if (!IsOf(function, word)) continue;
            foreach (ulong slots in words)
            {
                if (!thread.HasSlots(slots, function->Slots)) continue;
                Instruction* here = FaultOf(function, (Instruction*)word, (ulong*)slots, memory, address);
                if (here is null || here == found) continue;
                // Two instructions would have done the same.
                if (found is not null) return null;
                found = here;
            }
        }
        return found;
    }

    /// <summary>Whether a word is the address of an instruction of a function.</summary>
    private static bool IsOf(FunctionState* function, ulong word) =>
        word - (ulong)function->Translated is var offset
        && offset < (ulong)function->TranslatedLength * (ulong)sizeof(Instruction) && offset % (ulong)sizeof(Instruction) == 0;

    /// <summary>Which of the instructions that are executed together accesses an address; null if none does, or if it cannot be told.</summary>
    private static Instruction* FaultOf(FunctionState* function, Instruction* at, ulong* slots, byte* memory, ulong address)
    {
        RegisterOp first = RegisterOps.FirstOf(at->Op, out int length);
        if (at + length > function->Translated + function->TranslatedLength) length = 1;
        bool isFirst = IsAccess(at, first, slots, memory, address);
        for (int i = 1; i < length; i++)
        {
            if (!IsAccess(at + i, at[i].Op, slots, memory, address)) continue;
            if (!isFirst) return at + i;
            // The first would have faulted before, unless it has loaded what its address was in. Then it is no longer known where that was.
            return first <= RegisterOp.I64Load32U && at->A == at->B ? null : at;
        }
        return isFirst ? at : null;
    }

    /// <summary>Whether an instruction accesses an address.</summary>
    private static bool IsAccess(Instruction* at, RegisterOp op, ulong* slots, byte* memory, ulong address)
    {
        ulong from;
        if (op is >= RegisterOp.I32Load and <= RegisterOp.I64Store32)
        {
            from = (ulong)memory + (uint)slots[op <= RegisterOp.I64Load32U ? at->B : at->A] + (ulong)at->Imm;
        }
        else if (op is >= RegisterOp.RawI32Load and <= RegisterOp.RawI64Store32)
        {
            from = slots[op <= RegisterOp.RawI64Load32U ? at->B : at->A];
            op -= RegisterOp.RawI32Load - RegisterOp.I32Load;
        }
        else
        {
            return false;
        }
        return address - from < (ulong)RegisterOps.AccessSize(op);
    }
}
