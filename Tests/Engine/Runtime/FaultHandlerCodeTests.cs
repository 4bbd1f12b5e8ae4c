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
        Assert.Equal(LinuxX64((ulong)ranges, (ulong)table, (ulong)old), FaultHandler.CodeOf(FaultPlatform.LinuxX64, (nint)ranges, (nint)table, (nint)old));

    [Theory]
    [InlineData(0x1122334455667788, 0x2233445566778899, 0x33445566778899aa)]
    [InlineData(0x1122334455667788, 0x2233445566778899, 0)]
    public void Arm64BytesAreWhatIsAssembled(long ranges, long table, long old) =>
        Assert.Equal(LinuxArm64((ulong)ranges, (ulong)table, (ulong)old), FaultHandler.CodeOf(FaultPlatform.LinuxArm64, (nint)ranges, (nint)table, (nint)old));

    /// <summary>
    /// The handler goes on to the runtime's with the arguments that it was called with: it writes no registers but those which a call may change and which carry no argument, x8 to x17.
    /// </summary>
    [Fact]
    public void Arm64ArgumentsReachTheNextHandler()
    {
        byte[] code = FaultHandler.CodeOf(FaultPlatform.LinuxArm64, 1, 2, 3);
        // Behind the instructions there are three constants.
        ReadOnlySpan<uint> words = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, uint>(code.AsSpan(0, code.Length - 24));
        var written = new SortedSet<uint>();
        foreach (uint word in words)
            if (WrittenByArm64(word) is { } register) written.Add(register);
        Assert.Contains(10u, written);
        Assert.All(written, register => Assert.InRange(register, 8u, 17u));
    }

    /// <summary>The register that an instruction of the handler writes: the lowest bits name it, but for stores, branches and comparisons.</summary>
    private static uint? WrittenByArm64(uint word)
    {
        bool isStore = (word & 0xffc00000) == 0xf9000000;
        bool isBranch = (word & 0x7c000000) == 0x14000000 || (word & 0xff000000) is 0x54000000 or 0xb4000000 || (word & 0xfffffc1f) == 0xd61f0000;
        return isStore || isBranch || (word & 31) == 31 ? null : word & 31;
    }

    [Theory]
    [InlineData(0xaa0203ebu, 11u)]
    [InlineData(0x91002042u, 2u)]
    [InlineData(0xf9405c49u, 9u)]
    [InlineData(0xf900082cu, null)]
    [InlineData(0x17fffff7u, null)]
    [InlineData(0xb40001abu, null)]
    [InlineData(0xeb0c013fu, null)]
    [InlineData(0xd61f0200u, null)]
    public void RegistersOfArm64AreRead(uint word, uint? register) => Assert.Equal(register, WrittenByArm64(word));

    /// <summary>The same of Linux on x64, where it can be called: with a next handler that says what it was given.</summary>
    [Fact]
    public unsafe void ArgumentsReachTheNextHandler()
    {
        if (FaultHandler.Platform != FaultPlatform.LinuxX64) return;
        const int Size = 65536;
        byte* info = stackalloc byte[256], context = stackalloc byte[512], page = Pages.Reserve(Size);
        new Span<byte>(info, 256).Clear();
        new Span<byte>(context, 512).Clear();
        *(int*)(info + 8) = 1;
        ulong thread = WasmThreadKey();
        ulong* ranges = stackalloc ulong[] { 1, (ulong)page, (ulong)(page + Size) };
        byte[] records = new byte[FaultHandler.Records * FaultHandler.RecordBytes];
        fixed (byte* table = records)
        {
            *(ulong*)(table + ((thread >> 6 & (FaultHandler.Records - 1)) * FaultHandler.RecordBytes)) = thread;
            delegate* unmanaged<int, byte*, byte*, void> next = &NextHandler;
            byte[] code = FaultHandler.CodeOf(FaultPlatform.LinuxX64, (nint)ranges, (nint)table, (nint)next);
            nint at = Pages.PublishCode(code);
            foreach (ulong address in new[] { (ulong)page + 0x1238, 0x10u })
            {
                *(ulong*)(info + 16) = address;
                ((delegate* unmanaged<int, byte*, byte*, void>)at)(11, info, context);
                Assert.Equal((11, (nint)info, (nint)context), given);
            }
            Pages.ReleaseCode(at, code.Length);
        }
        Pages.Release(page, Size);
    }

    [ThreadStatic]
    private static (int Signal, nint Info, nint Context) given;

    [System.Runtime.InteropServices.UnmanagedCallersOnly]
    private static unsafe void NextHandler(int signal, byte* info, byte* context) => given = (signal, (nint)info, (nint)context);

    [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "pthread_self")]
    private static extern ulong WasmThreadKey();

    [Fact]
    public void WindowsBytesAreWhatIsAssembled() =>
        Assert.Equal(WindowsX64(0x1122334455667788, 0x2233445566778899), FaultHandler.CodeOf(FaultPlatform.WindowsX64, unchecked((nint)0x1122334455667788), unchecked((nint)0x2233445566778899), 0));

    private static byte[] LinuxX64(ulong ranges, ulong table, ulong old)
    {
        var a = new Assembler(64);
        Label chain = a.CreateLabel();
        // Signals that a process sent carry no address (si_code <= 0).
        a.cmp(__dword_ptr[rsi + 8], 0);
        a.jle(chain);
        a.xor(r8d, r8d);
        a.mov(rax, __qword_ptr[rsi + 16]);
        Look(a, ranges, table, rsi + 16, FaultHandler.LinuxX64RegistersAt, chain, () =>
        {
            a.xor(r9d, r9d);
            a.mov(r9, __qword_ptr.fs[r9]);
        });
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
        return Bytes(a);
    }

    private static byte[] WindowsX64(ulong ranges, ulong table)
    {
        var a = new Assembler(64);
        Label chain = a.CreateLabel();
        // EXCEPTION_POINTERS has the EXCEPTION_RECORD first; that has the code, at 18h the number of parameters and at 28h the second of them.
        a.mov(rdx, __qword_ptr[rcx]);
        a.cmp(__dword_ptr[rdx], unchecked((int)0xc0000005));
        a.jne(chain);
        a.cmp(__dword_ptr[rdx + 0x18], 2);
        a.jb(chain);
        a.mov(r11, rcx);
        a.xor(r8d, r8d);
        a.mov(rax, __qword_ptr[rdx + 0x28]);
        Look(a, ranges, table, rdx + 0x28, FaultHandler.WindowsX64RegistersAt, chain, () =>
        {
            // The CONTEXT stands behind the record in EXCEPTION_POINTERS, the thread's number in its environment block.
            a.mov(rdx, __qword_ptr[r11 + 8]);
            a.mov(r9d, __dword_ptr.gs[0x48]);
        });
        a.Label(ref chain);
        a.xor(eax, eax);
        a.ret();
        return Bytes(a);
    }

    private static byte[] LinuxArm64(ulong ranges, ulong table, ulong old)
    {
        var a = new Arm64Assembler();
        a.LoadW(8, 1, 8);
        a.CompareW(8, 0);
        a.BranchIf(Arm64Assembler.LessOrEqual, "chain");
        a.MoveX(8, Arm64Assembler.Zero);
        a.LoadX(9, 1, 16);
        a.LoadXFrom(10, "ranges");
        a.LoadX(11, 10, 0);
        a.Label("range");
        a.BranchIfZero(11, "find");
        a.LoadX(12, 10, 8);
        a.CompareX(9, 12);
        a.BranchIf(Arm64Assembler.Lower, "next");
        a.LoadX(12, 10, 16);
        a.CompareX(9, 12);
        a.BranchIf(Arm64Assembler.Lower, "hit");
        a.Label("next");
        a.AddNumber(10, 10, 16);
        a.SubNumber(11, 11, 1);
        a.Branch("range");
        a.Label("hit");
        a.MoveX(8, 9);
        a.MoveNumber(12, FaultHandler.NullAddress);
        a.StoreX(12, 1, 16);
        a.Label("find");
        a.ThreadPointer(9);
        uint bits = (uint)int.Log2(FaultHandler.Records);
        a.Extract(11, 9, 6, bits);
        uint recordBits = (uint)int.Log2(FaultHandler.RecordBytes);
        a.ShiftLeft(11, 11, recordBits);
        a.LoadXFrom(10, "table");
        a.Label("probe");
        a.LoadXIndexed(12, 10, 11);
        a.CompareX(12, 9);
        a.BranchIf(Arm64Assembler.Equal, "store");
        a.BranchIfZero(12, "chain");
        a.AddNumber(11, 11, FaultHandler.RecordBytes);
        a.AndLowBits(11, 11, bits + recordBits);
        a.Branch("probe");
        a.Label("store");
        a.AddX(10, 10, 11);
        a.StoreX(8, 10, 8);
        a.BranchIfZero(8, "chain");
        a.MoveNumber(12, FaultHandler.Arm64Registers);
        a.MoveX(11, 2);
        a.Label("copy");
        a.LoadX(9, 11, FaultHandler.LinuxArm64RegistersAt);
        a.StoreX(9, 10, 16);
        a.AddNumber(11, 11, 8);
        a.AddNumber(10, 10, 8);
        a.SubNumber(12, 12, 1);
        a.BranchIfZero(12, "chain");
        a.Branch("copy");
        a.Label("chain");
        if (old == 0) a.Return();
        else a.LoadXFrom(16, "old");
        a.Jump(16);
        a.Label("ranges");
        a.Quad(ranges);
        a.Label("table");
        a.Quad(table);
        a.Label("old");
        a.Quad(old);
        return a.Assemble();
    }

    /// <summary>What the x64 handlers have in common: looks for the address (rax) in the ranges, and for the thread (r9) in the table, and copies the context's (rdx) registers.</summary>
    private static void Look(Assembler a, ulong ranges, ulong table, AssemblerMemoryOperand address, int registersAt, Label chain, Action thread)
    {
        Label range = a.CreateLabel(), next = a.CreateLabel(), hit = a.CreateLabel();
        Label find = a.CreateLabel(), probe = a.CreateLabel(), store = a.CreateLabel(), copy = a.CreateLabel();
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
        a.mov(__qword_ptr[address], FaultHandler.NullAddress);
        a.Label(ref find);
        thread();
        a.mov(r10, r9);
        a.shr(r10, 6);
        a.and(r10, FaultHandler.Records - 1);
        a.shl(r10, (byte)int.Log2(FaultHandler.RecordBytes));
        a.mov(rcx, table);
        a.Label(ref probe);
        a.mov(r11, __qword_ptr[rcx + r10]);
        a.cmp(r11, r9);
        a.je(store);
        a.test(r11, r11);
        a.jz(chain);
        a.add(r10, FaultHandler.RecordBytes);
        a.and(r10, (FaultHandler.Records * FaultHandler.RecordBytes) - 1);
        a.jmp(probe);
        a.Label(ref store);
        a.mov(__qword_ptr[rcx + r10 + 8], r8);
        a.test(r8, r8);
        a.jz(chain);
        a.xor(r9d, r9d);
        a.lea(r11, __[rcx + r10 + 16]);
        a.Label(ref copy);
        a.mov(rax, __qword_ptr[rdx + (r9 * 8) + registersAt]);
        a.mov(__qword_ptr[r11 + (r9 * 8)], rax);
        a.inc(r9);
        a.cmp(r9, FaultHandler.X64Registers);
        a.jb(copy);
    }

    private static byte[] Bytes(Assembler a)
    {
        var stream = new MemoryStream();
        a.Assemble(new StreamCodeWriter(stream), 0);
        return stream.ToArray();
    }
}
