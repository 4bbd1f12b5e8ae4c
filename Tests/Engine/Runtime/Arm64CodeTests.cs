using System.Runtime.InteropServices;
using WasmJit.Jit.Calls;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Machine code for ARM64 that the library writes or reads. It is looked at here, wherever the tests run.</summary>
public sealed unsafe class Arm64CodeTests
{
    private const ulong Target = 0x1122334455667788;

    /// <summary>Stubs put their number into the register and go where the end of the page says.</summary>
    [Theory]
    [InlineData(0, false)]
    [InlineData(5, false)]
    [InlineData(0, true)]
    [InlineData(7, true)]
    public void StubsAreWhatIsAssembled(int register, bool isFloat)
    {
        const int first = 510;
        var a = new Arm64Assembler();
        for (int i = 0; i < StubCode.PerPage; i++)
        {
            if (isFloat) a.LoadSFrom((uint)register, $"number {i}");
            else a.LoadWFrom((uint)register, $"number {i}");
            a.LoadXFrom(16, "target");
            a.Jump(16);
            a.Label($"number {i}");
            a.Word((uint)(first + i));
        }
        a.Label("target");
        a.Quad(Target);
        byte[] page = new byte[StubCode.PageSize];
        StubCode.WriteArm64(page, register, isFloat, unchecked((nint)Target), first);
        byte[] expected = a.Assemble();
        Assert.Equal(expected, page[..expected.Length]);
    }

    private static long? FrameOf(Action<Arm64Assembler> write)
    {
        var a = new Arm64Assembler();
        write(a);
        byte[] code = a.Assemble();
        fixed (byte* at = code) return Arm64Prologue.FrameOf((uint*)at);
    }

    /// <summary>The forms of RyuJIT's prologues, small to large.</summary>
    [Fact]
    public void FramesAreRead()
    {
        Assert.Equal(48, FrameOf(a =>
        {
            a.PushPair(29, 30, 48);
            a.Return();
        }));
        Assert.Equal(16 + 4096 + 32, FrameOf(a =>
        {
            a.PushPair(29, 30, 16);
            a.SubNumber(Arm64Assembler.Sp, Arm64Assembler.Sp, 1, pages: true);
            a.SubNumber(Arm64Assembler.Sp, Arm64Assembler.Sp, 32);
            a.Return();
        }));
        // The stack pointer less a number goes into another register; a helper then touches each page.
        Assert.Equal(16 + 0x123450, FrameOf(a =>
        {
            a.PushPair(29, 30, 16);
            a.MoveNumber(9, 0x3450);
            a.MoveInto(9, 0x12, 1);
            a.SubFromSp(9, 9);
            a.Return();
        }));
        // A loop touches each page, and only then the frame is made: what 990 vectors as arguments take, as RyuJIT writes it.
        Assert.Equal(16 + 16 + 0x3d60, FrameOf(a =>
        {
            a.MoveNot(9, 0xfff);
            a.MoveNot(1, 0x3d67);
            a.Label("page");
            a.Word(0xb8696bff);
            a.SubNumber(9, 9, 1, pages: true);
            a.CompareX(1, 9);
            a.BranchIf(Arm64Assembler.LowerOrSame, "page");
            a.SubNumber(Arm64Assembler.Sp, Arm64Assembler.Sp, 16);
            a.PushPair(29, 30, 16);
            a.MoveNumber(1, 0x3d60);
            a.SubFromSp(Arm64Assembler.Sp, 1);
            a.Return();
        }));
    }

    /// <summary>Nothing behind an instruction that may go elsewhere counts, and code without a frame is told from what cannot be read.</summary>
    [Fact]
    public void NothingBehindAJumpIsRead()
    {
        foreach (Action<Arm64Assembler> leave in (Action<Arm64Assembler>[])[a => a.Return(), a => a.Jump(16), a => a.Branch("end"), a => a.BranchIf(0, "end"), a => a.BranchIfZero(3, "end"), a => a.Word(0),
            // in front of the method
            a => a.Word(0x54ffffc0), a => a.Word(0x54ffff60)])
        {
            Assert.Null(FrameOf(a =>
            {
                a.MoveX(8, 9);
                leave(a);
                a.SubNumber(Arm64Assembler.Sp, Arm64Assembler.Sp, 64);
                a.Label("end");
                a.Return();
            }));
        }
    }

    /// <summary>
    /// Twins differ in the addresses that they name and in nothing else. A call's frame has the address behind it, a fault that of its instruction.
    /// </summary>
    [Fact]
    public void TwinsAreComparedWithoutTheirAddresses()
    {
        uint[] first = Twin(0x1234, 4, 0xd63f0020), other = Twin(0x5678, 9, 0xd63f0020);
        fixed (uint* a = first, b = other)
        {
            List<(int Offset, CodeKind Kind)> found = CodeTwins.MatchArm64(a, b, 12, isFault: true)!;
            Assert.Equal([(0, CodeKind.Other), (4, CodeKind.Call), (8, CodeKind.Divide), (12, CodeKind.Other)], found);
            Assert.Equal(found[..2], CodeTwins.MatchArm64(a, b, 8, isFault: false));
            Assert.Equal((16, CodeKind.Call), CodeTwins.MatchArm64(a, b, 20, isFault: false)![^1]);
            Assert.Null(CodeTwins.MatchArm64(a, b, 14, isFault: true));
        }
        // Another register is another instruction.
        uint[] different = Twin(0x1234, 4, 0xd63f0040);
        fixed (uint* a = first, b = different)
        {
            Assert.Equal(4, CodeTwins.MatchArm64(a, b, 12, isFault: true)!.Count);
            Assert.Null(CodeTwins.MatchArm64(a, b, 20, isFault: false));
        }

        // movz x1; bl; sdiv w0, w0, w1; ldr w0, [x1]; blr
        static uint[] Twin(uint number, uint by, uint call) => [0xd2800001 | (number << 5), 0x94000000 | by, 0x1ac10c00, 0xb9400020, call, 0xd65f03c0];
    }

    /// <summary>The stubs of x64, by the same description: the number, and a jump through the end of the page.</summary>
    [Theory]
    [InlineData(4, false, "41b8")]
    [InlineData(0, false, "bf")]
    [InlineData(7, true, "b8")]
    public void StubsOfX64HaveTheirNumbers(int register, bool isFloat, string begin)
    {
        byte[] page = new byte[StubCode.PageSize];
        StubCode.WriteX64(page, register, isFloat, unchecked((nint)Target), 1000);
        byte[] prefix = Convert.FromHexString(begin);
        for (int i = 0; i < StubCode.PerPage; i++)
        {
            Span<byte> stub = page.AsSpan(i * StubCode.StubSize, StubCode.StubSize);
            Assert.True(stub.StartsWith(prefix));
            Assert.Equal(1000 + i, MemoryMarshal.Read<int>(stub[prefix.Length..]));
            int jump = stub.IndexOf([(byte)0xff, (byte)0x25]);
            int end = (i * StubCode.StubSize) + jump + 6;
            Assert.Equal(Target, MemoryMarshal.Read<ulong>(page.AsSpan(end + MemoryMarshal.Read<int>(stub[(jump + 2)..]))));
        }
    }
}
