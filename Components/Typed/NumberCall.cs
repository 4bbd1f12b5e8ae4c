using System.Reflection;
using System.Reflection.Emit;
using System.Text;
using WasmJit.Jit.Calls;
using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>
/// Delegates of functions whose parameters and result are numbers, bools and characters: these are the core function's own values, and go through no
/// slots. It is IL and not an expression, because an expression's delegate finds the <see cref="TypedCall"/> through three objects.
/// </summary>
internal static class NumberCall
{
    private const BindingFlags Members = BindingFlags.Instance | BindingFlags.Static | BindingFlags.NonPublic;

    /// <summary>What makes the delegate of a call.</summary>
    internal static Func<TypedCall, Delegate> Make(Type delegateType, Type[] parameters, Type result, Signature core)
    {
        DynamicMethod method = RuntimeCode.Method("component call of numbers", result, [typeof(TypedCall), .. parameters], typeof(NumberCall).Module);
        ILGenerator il = method.GetILGenerator();
        LocalBuilder? value = result == typeof(void) ? null : il.DeclareLocal(result);
        Call(il, nameof(TypedCall.Begin));
        il.BeginExceptionBlock();
        il.BeginExceptionBlock();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldfld, typeof(TypedCall).GetField(nameof(TypedCall.CoreDelegate), Members)!);
        il.Emit(OpCodes.Castclass, core.DelegateType);
        for (int i = 0; i < parameters.Length; i++) ToCore(il, i + 1, parameters[i]);
        il.Emit(OpCodes.Callvirt, core.DelegateType.GetMethod("Invoke")!);
        if (value is not null)
        {
            FromCore(il, result);
            il.Emit(OpCodes.Stloc, value);
        }
        il.BeginCatchBlock(typeof(WasmException));
        il.Emit(OpCodes.Call, EntryThunk.Method(typeof(FusedCall), nameof(FusedCall.Uncaught)));
        il.EndExceptionBlock();
        Call(il, nameof(TypedCall.FinishNumbers));
        il.BeginFinallyBlock();
        Call(il, nameof(TypedCall.Exit));
        il.EndExceptionBlock();
        if (value is not null) il.Emit(OpCodes.Ldloc, value);
        il.Emit(OpCodes.Ret);
        return call => method.CreateDelegate(delegateType, call);
    }

    private static void Call(ILGenerator il, string name)
    {
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Call, typeof(TypedCall).GetMethod(name, Members)!);
    }

    /// <summary>Pushes an argument as the core function has it. Numbers of fewer than 32 bits are extended as their .NET type is on IL's stack.</summary>
    private static void ToCore(ILGenerator il, int index, Type type)
    {
        if (type == typeof(Rune))
        {
            il.Emit(OpCodes.Ldarga, (short)index);
            il.Emit(OpCodes.Call, typeof(Rune).GetProperty(nameof(Rune.Value))!.GetMethod!);
            return;
        }
        il.Emit(OpCodes.Ldarg, (short)index);
        if (type != typeof(bool)) return;
        // A bool of .NET may have any byte.
        il.Emit(OpCodes.Ldc_I4_0);
        il.Emit(OpCodes.Cgt_Un);
    }

    /// <summary>Makes a result of the core function's value, which is on the stack.</summary>
    private static void FromCore(ILGenerator il, Type type)
    {
        if (type == typeof(bool))
        {
            il.Emit(OpCodes.Ldc_I4_0);
            il.Emit(OpCodes.Cgt_Un);
        }
        else if (type == typeof(Rune))
        {
            il.Emit(OpCodes.Call, EntryThunk.Method(typeof(TransferHelpers), nameof(TransferHelpers.Char)));
            il.Emit(OpCodes.Newobj, typeof(Rune).GetConstructor([typeof(int)])!);
        }
        else if (type == typeof(sbyte)) il.Emit(OpCodes.Conv_I1);
        else if (type == typeof(byte)) il.Emit(OpCodes.Conv_U1);
        else if (type == typeof(short)) il.Emit(OpCodes.Conv_I2);
        else if (type == typeof(ushort)) il.Emit(OpCodes.Conv_U2);
    }
}
