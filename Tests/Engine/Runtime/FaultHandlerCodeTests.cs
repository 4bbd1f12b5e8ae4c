using Iced.Intel;
using WasmJit.Runtime;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace WasmJit.Tests;

/// <summary>The fault handler's machine code, which the library has as bytes, is what its assembler text says.</summary>
public class FaultHandlerCodeTests
{
    [Theory]
    [InlineData(0x1122334455667788, 0x2233445566778899, 0x33445566778899aa)]
    [InlineData(0x1122334455667788, 0x2233445566778899, 0)]
    [InlineData(0x10, 0x20, 0x30)]
    public void BytesAreWhatIsAssembled(long ranges, long table, long old) =>
        Assert.Equal(Assemble((ulong)ranges, (ulong)table, (ulong)old), FaultHandler.CodeOf((nint)ranges, (nint)table, (nint)old));

    private static byte[] Assemble(ulong ranges, ulong table, ulong old)
    {
        var a = new Assembler(64);
        Label chain = a.CreateLabel(), range = a.CreateLabel(), next = a.CreateLabel(), hit = a.CreateLabel();
        Label find = a.CreateLabel(), probe = a.CreateLabel(), store = a.CreateLabel();
        // Signals that a process sent carry no address (si_code <= 0).
        a.cmp(__dword_ptr[rsi + 8], 0);
        a.jle(chain);
        a.xor(r8d, r8d);
        a.mov(rax, __qword_ptr[rsi + 16]);
        a.mov(rcx, ranges);
        a.mov(r9, __qword_ptr[rcx]);
        a.Label(ref range);
        a.test(r9, r9);
        a.jz(find);
        a.cmp(rax, __qword_ptr[rcx + 8]);
        a.jb(next);
        a.cmp(rax, __qword_ptr[rcx + 16]);
        a.jb(hit);
        a.Label(ref next);
        a.add(rcx, 16);
        a.dec(r9);
        a.jmp(range);
        a.Label(ref hit);
        a.mov(r8, rax);
        a.mov(__qword_ptr[rsi + 16], FaultHandler.NullAddress);
        a.Label(ref find);
        a.xor(r9d, r9d);
        a.mov(r9, __qword_ptr.fs[r9]);
        a.mov(r10, r9);
        a.shr(r10, 6);
        a.and(r10, FaultHandler.Records - 1);
        a.shl(r10, 4);
        a.mov(rcx, table);
        a.Label(ref probe);
        a.mov(r11, __qword_ptr[rcx + r10]);
        a.cmp(r11, r9);
        a.je(store);
        a.test(r11, r11);
        a.jz(chain);
        a.add(r10, 16);
        a.and(r10, (FaultHandler.Records * 16) - 1);
        a.jmp(probe);
        a.Label(ref store);
        a.mov(__qword_ptr[rcx + r10 + 8], r8);
        a.Label(ref chain);
        if (old == 0)
        {
            a.ret();
        }
        else
        {
            a.mov(rax, old);
            a.jmp(rax);
        }
        var stream = new MemoryStream();
        a.Assemble(new StreamCodeWriter(stream), 0);
        return stream.ToArray();
    }
}
