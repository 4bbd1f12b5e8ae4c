using System.Runtime.InteropServices;
using Iced.Intel;

namespace WasmJit.Runtime;

/// <summary>Reads from the beginning of a method's machine code how large its frame is, and whether it only calls another.</summary>
/// <remarks>
/// Unsafe: reads machine code, which the caller keeps alive. Only what the processor itself would run into is read: an
/// instruction follows another in the method only if that one goes on to it, so nothing is read behind the first that may not.
/// </remarks>
internal static unsafe class Prologue
{
    private const int PrologueInstructions = 48;

    /// <summary>Stubs of the runtime jump to where the code is.</summary>
    private const int MaxJumps = 4;

    /// <summary>More instructions than a method has that only passes on its arguments, of which it has 32 at most.</summary>
    private const int LongestCall = 2_000;

    /// <summary>Whether the machine code of this process is of the kind that is read here.</summary>
    internal static bool CanRead => RuntimeInformation.ProcessArchitecture == Architecture.X64;

    /// <summary>
    /// The frame of code that begins as nearly all does: it pushes registers, then subtracts from the stack pointer or sets the frame pointer. Null for other code. The decoder reads
    /// all forms, but would take 20 ms of a process that uses it for nothing else.
    /// </summary>
    internal static long? QuickFrameOf(nint code)
    {
        var at = (byte*)code;
        // push register, some with a prefix; vzeroupper
        while (true)
        {
            if (*at is >= 0x50 and <= 0x57) at++;
            else if (*at == 0x41 && at[1] is >= 0x50 and <= 0x57) at += 2;
            else if (*at == 0xc5 && at[1] == 0xf8 && at[2] == 0x77) at += 3;
            // test [rsp - size], eax: frames of a few pages touch each before they are made
            else if (*at == 0x85 && at[1] == 0x84 && at[2] == 0x24 && *(int*)(at + 3) < 0) at += 7;
            else break;
        }
        // lea r11, [rsp - size]: larger ones leave that to a helper
        if (*at == 0x4c && at[1] == 0x8d && at[2] == 0x9c && at[3] == 0x24) return -*(int*)(at + 4);
        if (*at != 0x48) return null;
        // lea rbp, [rsp + size] and mov rbp, rsp: the frame has nothing but what has been pushed
        if ((at[1] == 0x8d && at[2] is 0x6c or 0xac && at[3] == 0x24) || (at[1] == 0x8b && at[2] == 0xec)) return 0;
        // sub rsp, imm8 and imm32
        if (at[1] == 0x83 && at[2] == 0xec) return *(sbyte*)(at + 3);
        return at[1] == 0x81 && at[2] == 0xec ? *(int*)(at + 3) : null;
    }

    /// <summary>What the code subtracts from the stack pointer before anything else.</summary>
    internal static long FrameOf(nint code)
    {
        for (int jumps = 0; ; jumps++)
        {
            var decoder = Decoder.Create(64, new MemoryReader((byte*)code), (ulong)code);
            decoder.Decode(out Iced.Intel.Instruction instruction);
            if (jumps < MaxJumps && TargetOf(instruction) is var target and not 0)
            {
                code = target;
                continue;
            }
            for (int i = 0; i < PrologueInstructions; i++)
            {
                if (Taken(instruction) is var taken and > 0) return taken;
                if (instruction.FlowControl != Iced.Intel.FlowControl.Next) break;
                decoder.Decode(out instruction);
            }
            return 0;
        }
    }

    private static long Taken(in Iced.Intel.Instruction instruction) => instruction.Mnemonic switch
    {
        Mnemonic.Sub when instruction.Op0Register == Register.RSP
            && instruction.Op1Kind is OpKind.Immediate8to64 or OpKind.Immediate32to64 =>
            (long)instruction.GetImmediate(1),
        // Large frames: lea r11, [rsp - size]; call probe; mov rsp, r11
        Mnemonic.Lea when instruction.MemoryBase == Register.RSP && instruction.MemoryIndex == Register.None =>
            -(long)instruction.MemoryDisplacement64,
        _ => 0,
    };

    /// <summary>The target of a jump at the start of a method; 0 if the method does not start with one.</summary>
    private static nint TargetOf(in Iced.Intel.Instruction instruction)
    {
        if (instruction.Mnemonic != Mnemonic.Jmp) return 0;
        if (instruction.Op0Kind == OpKind.NearBranch64) return (nint)instruction.NearBranchTarget;
        return instruction.IsIPRelativeMemoryOperand ? *(nint*)instruction.IPRelativeMemoryAddress : 0;
    }

    /// <summary>
    /// Whether a method does nothing but call another: it comes to its end, or goes elsewhere, without any condition. This tells whether RyuJIT has
    /// inlined an outlined body. The body first tests whether there is stack, which is a condition.
    /// </summary>
    internal static bool IsOnlyACall(nint code)
    {
        if (!CanRead) return false;
        var decoder = Decoder.Create(64, new MemoryReader((byte*)code), (ulong)code);
        for (int i = 0; i < LongestCall; i++)
        {
            decoder.Decode(out Iced.Intel.Instruction instruction);
            if (instruction.IsInvalid) return false;
            switch (instruction.FlowControl)
            {
                case Iced.Intel.FlowControl.Next or Iced.Intel.FlowControl.Call or Iced.Intel.FlowControl.IndirectCall: continue;
                case Iced.Intel.FlowControl.ConditionalBranch: return false;
                default: return true;
            }
        }
        return false;
    }

    /// <summary>Gives bytes one by one. The decoder asks for none behind the end of an instruction.</summary>
    internal sealed class MemoryReader(byte* at) : Iced.Intel.CodeReader
    {
        public override int ReadByte() => *at++;
    }
}
