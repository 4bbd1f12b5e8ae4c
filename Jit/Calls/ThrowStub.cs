using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Runtime;

namespace WasmJit.Jit.Calls;

/// <summary>
/// The method that generated code calls before it throws: <c>object f(InstanceCore, object exception)</c>. If <see cref="Unwinder"/> has a plan, it
/// does not return. Otherwise it gives the exception back, to be thrown. It is a method of its own with a known frame, so that all registers of the
/// throwing function are either in place or in that frame.
/// </summary>
internal static class ThrowStub
{
    private static readonly DynamicMethod Method = Make();

    /// <summary>The signature as generated code calls it.</summary>
    internal static readonly Signature Signature = Signature.Of(new FuncType([ValType.ExternRef], [ValType.ExternRef]));

    /// <summary>The signature of <see cref="UnwindCode.Land"/>.</summary>
    internal static readonly Signature LandSignature = Signature.Of(new FuncType([ValType.I64, ValType.ExternRef], [ValType.ExternRef]));

    /// <summary>The address of the code.</summary>
    internal static readonly nint Code = Compile();

    private static nint Compile()
    {
        nint code = CodeAddress.Of(Method);
        Unwinder.ThrowFrame = FrameShape.Of(code);
        return code;
    }

    private static DynamicMethod Make()
    {
        var method = RuntimeCode.Method(Unwinder.ThrowMethod, typeof(object), [typeof(InstanceCore), typeof(object)], typeof(ThrowStub).Module);
        ILGenerator il = method.GetILGenerator();
        LocalBuilder plan = il.DeclareLocal(typeof(nint));
        Label none = il.DefineLabel();
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldc_I8, (long)UnwindCode.ReadStackPointer);
        il.EmitCalli(OpCodes.Calli, CallingConventions.Standard, typeof(nint), [], null);
        il.Emit(OpCodes.Call, EntryThunk.Method(typeof(Unwinder), nameof(Unwinder.PlanFor)));
        il.Emit(OpCodes.Stloc, plan);
        il.Emit(OpCodes.Ldloc, plan);
        il.Emit(OpCodes.Brfalse, none);
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Ldloc, plan);
        il.Emit(OpCodes.Ldc_I8, (long)UnwindCode.Transfer);
        il.EmitCalli(OpCodes.Calli, CallingConventions.Standard, typeof(void), [typeof(object), typeof(nint)], null);
        il.MarkLabel(none);
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Ret);
        return method;
    }
}
