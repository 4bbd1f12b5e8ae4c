using System.Runtime.InteropServices;

namespace WasmJit.Runtime;

/// <summary>Reads from the beginning of a method's ARM64 code how large its frame is, as <see cref="Prologue"/> does on x64.</summary>
/// <remarks>Unsafe: reads machine code, which the caller keeps alive. Nothing behind the first instruction that may go elsewhere is read.</remarks>
internal static unsafe class Arm64Prologue
{
    private const int PrologueInstructions = 64;

    private const uint StackPointer = 31;

    /// <summary>Whether the machine code of this process is of the kind that is read here.</summary>
    internal static bool CanRead => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    /// <summary>What the code takes from the stack pointer before its first jump; null if it takes nothing.</summary>
    /// <param name="code">The first instruction.</param>
    internal static long? FrameOf(uint* code)
    {
        var constants = new long[32];
        long frame = 0;
        for (int i = 0; i < PrologueInstructions && (!Jumps(code[i]) || IsLoop(code[i], i)); i++)
        {
            uint word = code[i], target = word & 31;
            long piece = (long)((word >> 5) & 0xffff) << (int)((word >> 21 & 3) * 16);
            switch (word & 0xff800000)
            {
                // movz, movn, movk
                case 0xd2800000: constants[target] = piece; break;
                case 0x92800000: constants[target] = ~piece; break;
                case 0xf2800000: constants[target] = (constants[target] & ~(0xffffL << (int)((word >> 21 & 3) * 16))) | piece; break;
            }
            if ((word >> 5 & 31) != StackPointer) continue;
            // sub register, sp, #number; large frames put it into another register than sp, and touch each page before they go on
            if ((word & 0xff800000) == 0xd1000000) frame += (long)(word >> 10 & 0xfff) << ((word & 0x400000) == 0 ? 0 : 12);
            // sub register, sp, register
            else if ((word & 0xffe00000) == 0xcb200000) frame += Math.Max(0, constants[word >> 16 & 31]);
            // add register, sp, register with a negative number
            else if ((word & 0xffe00000) == 0x8b200000) frame += Math.Max(0, -constants[word >> 16 & 31]);
            // stp pair, [sp, #-number]! of general and of float registers
            else if ((word & 0xffc00000) is 0xa9800000 or 0x6d800000) frame -= Signed(word >> 15, 7) * 8;
            // str register, [sp, #-number]!
            else if ((word & 0xffe00c00) is 0xf8000c00 or 0xfc000c00) frame -= Signed(word >> 12, 9);
        }
        return frame > 0 ? frame : null;
    }

    /// <summary>
    /// Whether a jump is the end of a loop within what has been read, as RyuJIT writes it before large frames to touch each of their pages. It has a condition, so the processor goes on
    /// behind it in the end.
    /// </summary>
    /// <param name="word">The instruction.</param>
    /// <param name="index">Where it is.</param>
    private static bool IsLoop(uint word, int index) => (word & 0xff000010) == 0x54000000 && Signed(word >> 5, 19) is var by and < 0 && index + by >= 0;

    private static long Signed(uint bits, int width) => (int)(bits << (32 - width)) >> (32 - width);

    /// <summary>Branches of all kinds, calls and returns among them, breakpoints, and what is not an instruction.</summary>
    private static bool Jumps(uint word) =>
        (word & 0x7c000000) is 0x14000000 or 0x34000000 || (word & 0xfe000000) is 0x54000000 or 0xd6000000 or 0xd4000000 || word >> 16 == 0;
}
