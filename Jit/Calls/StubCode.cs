using System.Runtime.InteropServices;
using WasmJit.Runtime;

namespace WasmJit.Jit.Calls;

/// <summary>
/// A page of stubs, machine code: each puts a number of its own into an argument register, and all jump to one place, whose address is at the end of the
/// page. There are such stubs where integers and floats are passed in registers of their own, whatever their order: the System V convention on x64, and
/// Linux on ARM64.
/// </summary>
/// <remarks>Unsafe: it writes pages that no other code knows yet, and no more than it has asked for.</remarks>
internal static class StubCode
{
    /// <summary>How many stubs a page has, its bytes, and those of a stub.</summary>
    internal const int PerPage = 255, PageSize = 4096, StubSize = 16;

    private const int TargetAt = PerPage * StubSize;

    private static readonly bool IsX64 = RuntimeInformation.ProcessArchitecture == Architecture.X64;

    /// <summary>The encodings of <c>mov register, imm32</c> for the integer argument registers, System V convention.</summary>
    private static readonly byte[][] MoveToRegister = [[0xbf], [0xbe], [0xba], [0xb9], [0x41, 0xb8], [0x41, 0xb9]];

    /// <summary>Makes a page for this process.</summary>
    /// <param name="register">The argument register, by its number among those of its kind.</param>
    /// <param name="isFloat">Whether it is one for floats; it gets the number as its bits.</param>
    /// <param name="target">Where all stubs go on.</param>
    /// <param name="first">The number of the first.</param>
    /// <returns>The address of the first stub.</returns>
    internal static nint MakePage(int register, bool isFloat, nint target, int first) => MakePages(register, isFloat, target, first, 1);

    /// <summary>Makes pages in a row, with numbers that follow one another.</summary>
    /// <param name="register">The argument register, by its number among those of its kind.</param>
    /// <param name="isFloat">Whether it is one for floats; it gets the number as its bits.</param>
    /// <param name="target">Where all stubs go on.</param>
    /// <param name="first">The number of the first.</param>
    /// <param name="count">How many pages.</param>
    /// <returns>The address of the first stub.</returns>
    internal static unsafe nint MakePages(int register, bool isFloat, nint target, int first, int count)
    {
        ulong bytes = (ulong)count * PageSize;
        byte* at = Pages.BeginCode(bytes);
        for (int page = 0; page < count; page++)
        {
            var code = new Span<byte>(at + (page * PageSize), PageSize);
            if (IsX64) WriteX64(code, register, isFloat, target, first + (page * PerPage));
            else WriteArm64(code, register, isFloat, target, first + (page * PerPage));
        }
        Pages.EndCode(at, bytes);
        return (nint)at;
    }

    internal static void WriteX64(Span<byte> code, int register, bool isFloat, nint target, int first)
    {
        // .NET's own way to fill a span is never compiled ahead.
        Span<ulong> words = MemoryMarshal.Cast<byte, ulong>(code);
        for (int i = 0; i < words.Length; i++) words[i] = 0xcccccccccccccccc;
        BitConverter.TryWriteBytes(code[TargetAt..], (long)target);
        for (int i = 0; i < PerPage; i++) WriteX64(code.Slice(i * StubSize, StubSize), register, isFloat, first + i, TargetAt - (i * StubSize));
    }

    /// <summary>Writes one stub.</summary>
    /// <param name="stub">Its bytes.</param>
    /// <param name="register">The argument register, by its number among those of its kind.</param>
    /// <param name="isFloat">Whether it is one for floats.</param>
    /// <param name="number">What the register gets.</param>
    /// <param name="distance">How far from the stub's beginning the address lies that it jumps to.</param>
    internal static void WriteX64(Span<byte> stub, int register, bool isFloat, int number, int distance)
    {
        int at = 0;
        if (isFloat)
        {
            stub[at++] = 0xb8; // mov eax, imm32
            BitConverter.TryWriteBytes(stub[at..], number);
            at += 4;
            ReadOnlySpan<byte> move = [0x66, 0x0f, 0x6e, (byte)(0xc0 | (register << 3))]; // movd xmm, eax
            move.CopyTo(stub[at..]);
            at += move.Length;
        }
        else
        {
            byte[] move = MoveToRegister[register];
            move.CopyTo(stub);
            at = move.Length;
            BitConverter.TryWriteBytes(stub[at..], number);
            at += 4;
        }
        stub[at] = 0xff; // jmp [rip + what is left of the distance behind this instruction]
        stub[at + 1] = 0x25;
        BitConverter.TryWriteBytes(stub[(at + 2)..], distance - (at + 6));
    }

    internal static void WriteArm64(Span<byte> code, int register, bool isFloat, nint target, int first)
    {
        const uint breakpoint = 0xd4200000, loadWord = 0x18000000, loadFloat = 0x1c000000, loadTarget = 0x58000010, jump = 0xd61f0200;
        Span<uint> words = MemoryMarshal.Cast<byte, uint>(code);
        words.Fill(breakpoint);
        BitConverter.TryWriteBytes(code[TargetAt..], (long)target);
        for (int i = 0; i < PerPage; i++)
        {
            Span<uint> stub = words.Slice(i * 4, 4);
            // Loads relative to the instruction: a distance of so many words, from bit 5 on. The number is behind the jump.
            stub[0] = (isFloat ? loadFloat : loadWord) | (3 << 5) | (uint)register; // ldr s, number or ldr w, number
            stub[1] = loadTarget | ((uint)((TargetAt / 4) - ((i * 4) + 1)) << 5); // ldr x16, target
            stub[2] = jump; // br x16
            stub[3] = (uint)(first + i);
        }
    }
}
