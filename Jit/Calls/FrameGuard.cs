using System.Reflection.Emit;
using WasmJit.Jit.Il;
using WasmJit.Runtime;

namespace WasmJit.Jit.Calls;

/// <summary>
/// The stack check of functions with large frames. The usual check comes after the frame is made and needs the frame to be smaller than the red zone,
/// and functions that call nothing have none. For a larger frame, a method in front of the function asks for the stack, and then reaches the function
/// by a tail call.
/// </summary>
internal static class FrameGuard
{
    /// <summary>Frames up to this size, in bytes, fit into any red zone.</summary>
    private const int AlwaysFits = 16 << 10;

    /// <summary>The largest frame that is assumed if the code cannot be read.</summary>
    private const int LargestGuess = 256 << 10;

    /// <summary>Calls that pass no more than this, in bytes, fit into the red zone with all that is between caller and callee.</summary>
    private const int SmallCall = 1 << 10;

    /// <summary>
    /// An upper bound of a function's frame: locals, temporaries of each instruction, arguments and results of calls, and the locals of methods that
    /// are inlined into it.
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
    /// The stack, in bytes, that a function with large calls asks for when it is entered; 0 if it has none. A tail call that needs more room for
    /// arguments than its caller has goes through two methods of the runtime, and adapters and stubs stand before functions of the host and those
    /// that are not compiled. So arguments and results may be on the stack four times.
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
        var method = RuntimeCode.Method("wasm frame", signature.Return, signature.Parameters, typeof(FrameGuard).Module);
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

    /// <summary>The frame's bytes if it needs a guard, otherwise 0.</summary>
    /// <param name="code">The function's code.</param>
    /// <param name="estimate">What <see cref="Estimate"/> says of it; asked where the code cannot be read.</param>
    internal static unsafe long LargeFrame(nint code, long estimate)
    {
        long frame = Prologue.CanRead ? Prologue.QuickFrameOf(code) ?? (estimate > AlwaysFits ? Prologue.FrameOf(code) : 0)
            : (Arm64Prologue.CanRead ? Arm64Prologue.FrameOf((uint*)code) : null) ?? Math.Min(estimate, LargestGuess);
        return frame <= AlwaysFits ? 0 : frame;
    }
}
