using System.Reflection.Emit;
using System.Runtime.InteropServices;
using Iced.Intel;
using WasmJit.Jit.Il;

namespace WasmJit.Jit.Calls;

/// <summary>
/// The stack check of functions with large frames. The usual check comes after the frame is made and needs the frame to be
/// smaller than the red zone, and functions that call nothing have none. A larger frame is asked for by a method that stands
/// before the function, from which it is reached by a tail call.
/// </summary>
/// <remarks>
/// Unsafe: reads machine code, which its caller keeps alive. Only what the processor itself would run into is read: an
/// instruction follows another in the method only if that one goes on to it, so nothing is read behind the first that may not.
/// </remarks>
internal static unsafe class FrameGuard
{
    /// <summary>Frames up to this size, in bytes, fit into any red zone.</summary>
    private const int AlwaysFits = 16 << 10;

    /// <summary>Where the code cannot be read, no frame is taken to be larger.</summary>
    private const int LargestGuess = 256 << 10;

    private const int PrologueInstructions = 48;

    /// <summary>Stubs of the runtime jump to where the code is.</summary>
    private const int MaxJumps = 4;

    /// <summary>More than a method needs that hands on its arguments: it has 32 at most.</summary>
    private const int LongestCall = 2_000;

    /// <summary>Calls that pass no more than this, in bytes, fit into the red zone with all that is between caller and callee.</summary>
    private const int SmallCall = 1 << 10;

    /// <summary>
    /// No less than the frame of a function takes: locals, what each instruction may leave in a temporary, arguments and results
    /// of calls, and the locals of methods that are put into it.
    /// </summary>
    internal static long Estimate(IlBuffer il)
    {
        long bytes = (il.Instructions * 16L) + (il.MethodCalls * 256L) + (2 * il.Passed);
        foreach (Type local in il.Locals) bytes += SizeOf(local);
        return bytes;
    }

    private static long SizeOf(Type type) =>
        type.IsGenericType && type.IsValueType ? 16L * Math.Max(1, type.GetGenericArguments().Sum(SizeOf)) : 8;

    /// <summary>
    /// The stack, in bytes, that a function with large calls asks for when it is entered; 0 if it has none. A tail call that needs
    /// more room for arguments than its caller has goes by way of two methods of the runtime, and adapters and stubs stand before
    /// functions of the host and those that are not compiled: arguments and results may be on the stack four times over.
    /// </summary>
    /// <param name="passed">What its largest call passes.</param>
    internal static long RoomFor(int passed) => passed <= SmallCall ? 0 : (4L * passed) + (4 << 10);

    /// <summary>Whether a function of this estimate may need a guard at all.</summary>
    internal static bool MayBeLarge(long estimate) => estimate > AlwaysFits;

    /// <summary>The method to call in place of a function, null if the function's frame is small.</summary>
    /// <param name="code">The function's code.</param>
    /// <param name="estimate">What <see cref="Estimate"/> says of it.</param>
    /// <param name="signature">Its signature.</param>
    internal static DynamicMethod? For(nint code, long estimate, Signature signature)
    {
        long frame = LargeFrame(code, estimate);
        if (frame == 0) return null;
        var method = new DynamicMethod("wasm frame", signature.Return, signature.Parameters, typeof(FrameGuard).Module, true);
        ILGenerator il = method.GetILGenerator();
        il.Emit(OpCodes.Ldc_I8, frame);
        il.Emit(OpCodes.Call, Members.StackSpace);
        for (int i = 0; i < signature.Parameters.Length; i++) il.Emit(OpCodes.Ldarg, (short)i);
        il.Emit(OpCodes.Ldc_I8, (long)code);
        il.Emit(OpCodes.Conv_I);
        il.Emit(OpCodes.Tailcall);
        il.EmitCalli(OpCodes.Calli, System.Reflection.CallingConventions.Standard, signature.Return, signature.Parameters, null);
        il.Emit(OpCodes.Ret);
        return method;
    }

    /// <summary>The frame's bytes if there are too many to go without a guard, otherwise 0.</summary>
    /// <param name="code">The function's code.</param>
    /// <param name="estimate">What <see cref="Estimate"/> says of it; asked where the code cannot be read.</param>
    internal static long LargeFrame(nint code, long estimate)
    {
        long frame = CanRead ? QuickFrameOf((byte*)code) ?? (estimate > AlwaysFits ? FrameOf(code) : 0) : Math.Min(estimate, LargestGuess);
        return frame <= AlwaysFits ? 0 : frame;
    }

    /// <summary>
    /// The frame where the code begins as nearly all does: pushes, then a subtraction from the stack pointer. Null for other code. The
    /// decoder would take 20 ms of a process that needs it for nothing else.
    /// </summary>
    private static long? QuickFrameOf(byte* at)
    {
        // push register, some with a prefix; vzeroupper
        while (true)
        {
            if (*at is >= 0x50 and <= 0x57) at++;
            else if (*at == 0x41 && at[1] is >= 0x50 and <= 0x57) at += 2;
            else if (*at == 0xc5 && at[1] == 0xf8 && at[2] == 0x77) at += 3;
            else break;
        }
        if (*at != 0x48) return null;
        // sub rsp, imm8 and imm32
        if (at[1] == 0x83 && at[2] == 0xec) return *(sbyte*)(at + 3);
        return at[1] == 0x81 && at[2] == 0xec ? *(int*)(at + 3) : null;
    }

    private static bool CanRead => RuntimeInformation.ProcessArchitecture == Architecture.X64;

    /// <summary>What the code subtracts from the stack pointer before anything else.</summary>
    internal static long FrameOf(nint code)
    {
        for (int jumps = 0; ; jumps++)
        {
            var decoder = Decoder.Create(64, new MemoryReader((byte*)code), (ulong)code);
            decoder.Decode(out Instruction instruction);
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

    private static long Taken(in Instruction instruction) => instruction.Mnemonic switch
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
    private static nint TargetOf(in Instruction instruction)
    {
        if (instruction.Mnemonic != Mnemonic.Jmp) return 0;
        if (instruction.Op0Kind == OpKind.NearBranch64) return (nint)instruction.NearBranchTarget;
        return instruction.IsIPRelativeMemoryOperand ? *(nint*)instruction.IPRelativeMemoryAddress : 0;
    }

    /// <summary>
    /// Whether a method does nothing but call another: without any condition it comes to its end, or goes elsewhere. So it is seen
    /// that RyuJIT has not put an outlined body into its caller; a body asks first whether there is stack, which is a condition.
    /// </summary>
    internal static bool IsOnlyACall(nint code)
    {
        if (!CanRead) return false;
        var decoder = Decoder.Create(64, new MemoryReader((byte*)code), (ulong)code);
        for (int i = 0; i < LongestCall; i++)
        {
            decoder.Decode(out Instruction instruction);
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

    /// <summary>Bytes one by one, as the decoder asks for them: it takes none behind the end of an instruction.</summary>
    private sealed class MemoryReader(byte* at) : Iced.Intel.CodeReader
    {
        public override int ReadByte() => *at++;
    }
}
