using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace WasmJit.Runtime;

/// <summary>
/// The machine instructions of the fast path from a throw to its handler. To the runtime they are not managed code, so it cannot stop a thread in
/// them, and the collector waits until they are done. They take no time.
/// </summary>
internal static unsafe class UnwindCode
{
    // A plan: the address to go to and its stack pointer, where each register comes from, how many return addresses to compare, the current registers
    // (for those that no frame has saved), and pairs of a place and the return address there.
    internal const int Target = 0, StackPointer = 1, Sources = 2, Checks = 8, Current = 9, Pairs = 15;

    private static readonly (nint Read, nint Land, nint Transfer) Code = Assemble();

    /// <summary><c>nint f()</c>: the stack pointer of the caller.</summary>
    internal static nint ReadStackPointer => Code.Read;

    /// <summary>
    /// <c>object f(InstanceCore, nint* cell, object exception)</c>: stores where it returns to in the cell, and gives the
    /// exception back.
    /// </summary>
    internal static nint Land => Code.Land;

    /// <summary>
    /// <c>void f(object exception, nint* plan)</c>: carries a plan out, unless a return address has changed: then it returns.
    /// The runtime changes a return address to stop a thread, and would later restore it in a frame that is gone.
    /// </summary>
    internal static nint Transfer => Code.Transfer;

    private static (nint Read, nint Land, nint Transfer) Assemble()
    {
        var a = new Assembler(64);
        Label read = a.CreateLabel(), land = a.CreateLabel(), transfer = a.CreateLabel();
        Label next = a.CreateLabel(), go = a.CreateLabel(), stay = a.CreateLabel();
        a.Label(ref read);
        a.lea(rax, __[rsp + 8]);
        a.ret();
        a.Label(ref land);
        a.mov(rax, __qword_ptr[rsp]);
        a.mov(__qword_ptr[rsi], rax);
        a.mov(rax, rdx);
        a.ret();
        a.Label(ref transfer);
        a.mov(rcx, __qword_ptr[rsi + (8 * Checks)]);
        a.lea(rdx, __[rsi + (8 * Pairs)]);
        a.Label(ref next);
        a.test(rcx, rcx);
        a.jz(go);
        a.mov(rax, __qword_ptr[rdx]);
        a.mov(rax, __qword_ptr[rax]);
        a.cmp(rax, __qword_ptr[rdx + 8]);
        a.jne(stay);
        a.add(rdx, 16);
        a.dec(rcx);
        a.jmp(next);
        a.Label(ref go);
        AssemblerRegister64[] registers = [rbx, rbp, r12, r13, r14, r15];
        for (int i = 0; i < registers.Length; i++) a.mov(__qword_ptr[rsi + (8 * (Current + i))], registers[i]);
        for (int i = 0; i < registers.Length; i++)
        {
            a.mov(rax, __qword_ptr[rsi + (8 * (Sources + i))]);
            a.mov(registers[i], __qword_ptr[rax]);
        }
        a.mov(rsp, __qword_ptr[rsi + (8 * StackPointer)]);
        a.mov(rax, rdi);
        a.jmp(__qword_ptr[rsi + (8 * Target)]);
        a.Label(ref stay);
        a.ret();
        var stream = new MemoryStream();
        AssemblerResult result = a.Assemble(new StreamCodeWriter(stream), 0, BlockEncoderOptions.ReturnNewInstructionOffsets);
        nint code = Pages.PublishCode(stream.ToArray());
        return (code + (nint)result.GetLabelRIP(read), code + (nint)result.GetLabelRIP(land), code + (nint)result.GetLabelRIP(transfer));
    }
}
