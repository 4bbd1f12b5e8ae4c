using System.Reflection.Emit;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>A core function's call with arguments and result in slots.</summary>
internal unsafe delegate void CoreCallMethod(Delegate function, ulong* arguments, ulong* result);

/// <summary>Between core functions, whose types are many, and slots: a method for each signature, made once.</summary>
/// <remarks>Unsafe: slots are as many as the signature has parameters, and one for its result.</remarks>
internal sealed unsafe class CoreCall : SignatureCode
{
    private readonly CoreCallMethod method;
    private readonly DynamicMethod import;
    private readonly nint importCode;

    private CoreCall(Signature signature)
    {
        method = MakeCall(signature);
        import = MakeImport(signature);
        importCode = CodeAddress.Of(import);
    }

    internal static CoreCall Of(DefType type)
    {
        Signature signature = Signature.Of(type);
        return (CoreCall)(signature.ComponentCall ?? Interlocked.CompareExchange(ref signature.ComponentCall, new CoreCall(signature), null) ?? signature.ComponentCall);
    }

    /// <summary>Calls a core function. An exception that it does not catch is a trap: none crosses the boundary of a component.</summary>
    /// <remarks>
    /// The stack is checked here, since a core function need not be code of a guest: a lowered function can be lifted again, and the destructor of a
    /// resource can be the built-in that drops another.
    /// </remarks>
    internal void Invoke(FuncRef function, ulong* arguments, ulong* result)
    {
        if (!System.Runtime.CompilerServices.RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw Trap.Make(TrapKind.CallStackExhausted);
        try
        {
            method(function.Delegate, arguments, result);
        }
        catch (WasmException)
        {
            ComponentTrap.Throw(ComponentTrap.UncaughtException);
        }
    }

    /// <summary>A core function that a guest imports: its arguments go through slots.</summary>
    /// <remarks>It needs no delegate: few imports are ever seen by the host, and to make one takes longer than all else that an import needs.</remarks>
    internal FuncRef Import(CoreImport target, DefType type)
    {
        target.Type = type;
        target.Code = this;
        return target.Function = new FuncRef(null, target, importCode, type);
    }

    private static CoreCallMethod MakeCall(Signature signature)
    {
        var method = new DynamicMethod("component core call", typeof(void), [typeof(Delegate), typeof(ulong*), typeof(ulong*)], typeof(CoreCall).Module, true);
        ILGenerator il = method.GetILGenerator();
        if (signature.Return != typeof(void)) il.Emit(OpCodes.Ldarg_2);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Castclass, signature.DelegateType);
        for (int i = 0; i < signature.ValueTypes.Length; i++)
        {
            LoadAddress(il, OpCodes.Ldarg_1, i);
            il.Emit(Indirect.LoadOf(signature.ValueTypes[i])!.Value);
        }
        il.Emit(OpCodes.Callvirt, signature.DelegateType.GetMethod("Invoke")!);
        if (signature.Return != typeof(void)) StoreValue(il, signature.Return);
        il.Emit(OpCodes.Ret);
        CodeAddress.Of(method);
        return (CoreCallMethod)method.CreateDelegate(typeof(CoreCallMethod));
    }

    private static DynamicMethod MakeImport(Signature signature)
    {
        var method = new DynamicMethod("component import", signature.Return, [typeof(CoreImport), .. signature.ValueTypes], typeof(CoreCall).Module, true);
        ILGenerator il = method.GetILGenerator();
        int count = signature.ValueTypes.Length;
        System.Reflection.FieldInfo fast = typeof(CoreImport).GetField(nameof(CoreImport.Fast), System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic)!;
        System.Reflection.Emit.Label slow = il.DefineLabel();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldfld, fast);
        il.Emit(OpCodes.Brfalse, slow);
        for (int i = 0; i <= count; i++) il.Emit(OpCodes.Ldarg, (short)i);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldfld, fast);
        il.EmitCalli(OpCodes.Calli, System.Reflection.CallingConventions.Standard, signature.Return, [typeof(CoreImport), .. signature.ValueTypes], null);
        il.Emit(OpCodes.Ret);
        il.MarkLabel(slow);
        LocalBuilder slots = il.DeclareLocal(typeof(nint)), result = il.DeclareLocal(typeof(ulong));
        il.Emit(OpCodes.Ldc_I4, Math.Max(8, count * 8));
        il.Emit(OpCodes.Conv_U);
        il.Emit(OpCodes.Localloc);
        il.Emit(OpCodes.Stloc, slots);
        for (int i = 0; i < count; i++)
        {
            il.Emit(OpCodes.Ldloc, slots);
            if (i > 0)
            {
                il.Emit(OpCodes.Ldc_I4, i * 8);
                il.Emit(OpCodes.Add);
            }
            il.Emit(OpCodes.Ldarg, (short)(i + 1));
            StoreValue(il, signature.ValueTypes[i]);
        }
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldloc, slots);
        il.Emit(OpCodes.Ldloca, result);
        il.Emit(OpCodes.Conv_U);
        il.Emit(OpCodes.Callvirt, typeof(CoreImport).GetMethod(nameof(CoreImport.Invoke), System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic)!);
        if (signature.Return != typeof(void))
        {
            il.Emit(OpCodes.Ldloca, result);
            il.Emit(Indirect.LoadOf(signature.Return)!.Value);
        }
        il.Emit(OpCodes.Ret);
        return method;
    }

    private static void LoadAddress(ILGenerator il, OpCode argument, int index)
    {
        il.Emit(argument);
        if (index == 0) return;
        il.Emit(OpCodes.Ldc_I4, index * 8);
        il.Emit(OpCodes.Add);
    }

    /// <summary>Stores a value into a slot, whose upper half is zero for values of 32 bits.</summary>
    private static void StoreValue(ILGenerator il, Type type)
    {
        if (type == typeof(float)) il.Emit(OpCodes.Call, EntryThunk.Method(typeof(CoreCall), nameof(BitsOf)));
        if (type == typeof(int) || type == typeof(float)) il.Emit(OpCodes.Conv_U8);
        il.Emit(type == typeof(double) ? OpCodes.Stind_R8 : OpCodes.Stind_I8);
    }

    private static int BitsOf(float value) => BitConverter.SingleToInt32Bits(value);
}

/// <summary>What stands behind a core function that a guest imports.</summary>
internal abstract unsafe class CoreImport
{
    /// <summary>Code that does the same with the core values themselves; 0 if there is none.</summary>
    internal nint Fast;

    /// <summary>The type of the core function.</summary>
    internal DefType? Type { get; set; }

    /// <summary>The function as guests have it.</summary>
    internal FuncRef? Function { get; set; }

    /// <summary>Keeps the method that the function begins with.</summary>
    internal CoreCall? Code { get; set; }

    internal abstract void Invoke(ulong* arguments, ulong* result);
}
