using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>Compiles a DynamicMethod by <c>RuntimeHelpers.CompileMethod</c>, which is internal in .NET.</summary>
internal static class MethodCompiler
{
    private static readonly Action<object> CompileMethod = MakeCompileMethod();

    /// <summary>
    /// The address of the optimised code. The method is compiled before its pointer is asked for, so no stub stands between. The
    /// caller keeps <paramref name="method"/> alive for as long as it uses the address.
    /// </summary>
    internal static nint Compile(DynamicMethod method)
    {
        RuntimeMethodHandle handle = Descriptor(method);
        CompileMethod(InternalHandle(ref handle));
        return handle.GetFunctionPointer();
    }

    /// <summary>The address of a method's code that has been compiled.</summary>
    internal static nint AddressOf(DynamicMethod method) => Descriptor(method).GetFunctionPointer();

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "GetMethodDescriptor")]
    private static extern RuntimeMethodHandle Descriptor(DynamicMethod method);

    private static object InternalHandle(ref RuntimeMethodHandle handle) => handle;

    private static Action<object> MakeCompileMethod()
    {
        // CreateDelegate itself calls RuntimeHelpers.CompileMethod(RuntimeMethodHandleInternal). Method and type are internal.
        MethodInfo compile = typeof(RuntimeHelpers).GetMethod("CompileMethod", BindingFlags.Static | BindingFlags.NonPublic)
            ?? throw new PlatformNotSupportedException("This version of .NET has no RuntimeHelpers.CompileMethod.");
        Type internalHandle = compile.GetParameters()[0].ParameterType;
        MethodInfo value = typeof(RuntimeMethodHandle).GetProperty("Value", BindingFlags.Instance | BindingFlags.Public)!.GetMethod!;
        var caller = RuntimeCode.Method("wasm compile", typeof(void), [typeof(object)], typeof(MethodCompiler).Module);
        ILGenerator il = caller.GetILGenerator();
        LocalBuilder pointer = il.DeclareLocal(typeof(nint));
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Unbox, typeof(RuntimeMethodHandle));
        il.Emit(OpCodes.Call, value);
        il.Emit(OpCodes.Stloc, pointer);
        il.Emit(OpCodes.Ldloca, pointer);
        il.Emit(OpCodes.Ldobj, internalHandle);
        il.Emit(OpCodes.Call, compile);
        il.Emit(OpCodes.Ret);
        return caller.CreateDelegate<Action<object>>();
    }
}
