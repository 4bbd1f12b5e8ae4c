using System.Reflection.Emit;
using System.Runtime.InteropServices;
using Iced.Intel;

namespace WasmJit.Jit;

/// <summary>
/// The stack check of functions with large frames. The usual check comes after the frame is made and needs the frame to be
/// smaller than the red zone, and functions that call nothing have none. A larger frame is asked for by a method that stands
/// before the function, from which it is reached by a tail call.
/// </summary>
/// <remarks>Unsafe: reads the first instructions of a method's machine code, which its caller keeps alive.</remarks>
internal static unsafe class FrameGuard
{
    /// <summary>Frames up to this size, in bytes, fit into any red zone.</summary>
    private const int AlwaysFits = 16 << 10;

    /// <summary>Where the code cannot be read, no frame is taken to be larger.</summary>
    private const int LargestGuess = 256 << 10;

    private const int PrologueInstructions = 48;

    /// <summary>No less than the frame of a function takes: locals, and what each instruction may leave in a temporary.</summary>
    internal static long Estimate(IlBuffer il)
    {
        long bytes = il.Instructions * 16L;
        foreach (Type local in il.Locals) bytes += SizeOf(local);
        return bytes;
    }

    private static long SizeOf(Type type) =>
        type.IsGenericType && type.IsValueType ? 16L * Math.Max(1, type.GetGenericArguments().Sum(SizeOf)) : 8;

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
    internal static long LargeFrame(nint code, long estimate)
    {
        if (estimate <= AlwaysFits) return 0;
        long frame = RuntimeInformation.ProcessArchitecture == Architecture.X64
            ? FrameOf(code)
            : Math.Min(estimate, LargestGuess);
        return frame <= AlwaysFits ? 0 : frame;
    }

    /// <summary>What the code subtracts from the stack pointer before anything else.</summary>
    private static long FrameOf(nint code)
    {
        using var stream = new UnmanagedMemoryStream((byte*)code, PrologueInstructions * 15);
        var decoder = Decoder.Create(64, new StreamCodeReader(stream));
        long frame = 0;
        for (int i = 0; i < PrologueInstructions; i++)
        {
            decoder.Decode(out Instruction instruction);
            if (instruction.IsInvalid || instruction.FlowControl == Iced.Intel.FlowControl.Return) break;
            long taken = instruction.Mnemonic switch
            {
                Mnemonic.Sub when instruction.Op0Register == Register.RSP
                    && instruction.Op1Kind is OpKind.Immediate8to64 or OpKind.Immediate32to64 =>
                    (long)instruction.GetImmediate(1),
                // Large frames: lea r11, [rsp - size]; call probe; mov rsp, r11
                Mnemonic.Lea when instruction.MemoryBase == Register.RSP && instruction.MemoryIndex == Register.None =>
                    -(long)instruction.MemoryDisplacement64,
                _ => 0,
            };
            frame = Math.Max(frame, taken);
            if (taken > 0) break;
        }
        return frame;
    }
}
