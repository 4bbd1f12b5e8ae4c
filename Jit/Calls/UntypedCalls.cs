using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using WasmJit.Runtime;

namespace WasmJit.Jit.Calls;

/// <summary>Calls a delegate of a signature with arguments whose kinds have been compared, and puts its results behind one another.</summary>
internal delegate void UntypedInvoker(Delegate function, ref Value arguments, ref Value results);

/// <summary>What stands behind the delegate of a host function without a .NET type.</summary>
internal interface IUntypedHost
{
    /// <summary>Its type.</summary>
    FuncType Type { get; }

    /// <summary>Calls it. The arguments stand before the room for the results.</summary>
    void Call(Value[] values);

    /// <summary>Calls it with objects, as a <see cref="BoxedFunction"/>.</summary>
    object? CallBoxed(object?[] arguments);
}

/// <summary>
/// Methods between typed delegates and arrays of <see cref="Value"/>, one of each kind for a signature. Where no code can be made, values go to slots of the
/// interpreter as they are (<see cref="SlotCalls"/>).
/// </summary>
internal static class UntypedCalls
{
    private static readonly ConditionalWeakTable<Signature, UntypedInvoker> Invokers = [];
    private static readonly ConditionalWeakTable<Signature, DynamicMethod> Hosts = [];

    /// <summary>The method that calls delegates of a signature.</summary>
    internal static UntypedInvoker InvokerOf(Signature signature) => Invokers.GetValue(signature, MakeInvoker);

    private static UntypedInvoker MakeInvoker(Signature signature)
    {
        DynamicMethod method = RuntimeCode.Method("wasm untyped " + signature.Key, typeof(void), [typeof(Delegate), typeof(Value).MakeByRefType(), typeof(Value).MakeByRefType()], typeof(UntypedCalls).Module);
        ILGenerator il = method.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Castclass, signature.DelegateType);
        for (int i = 0; i < signature.HostParameters.Length; i++)
        {
            il.Emit(OpCodes.Ldarg_1);
            Move(il, i);
            il.Emit(OpCodes.Call, Reader(signature.HostParameters[i]));
        }
        il.Emit(OpCodes.Callvirt, signature.DelegateType.GetMethod("Invoke")!);
        Type[] results = signature.HostResults;
        if (results.Length > 0)
        {
            LocalBuilder result = il.DeclareLocal(signature.HostReturn);
            il.Emit(OpCodes.Stloc, result);
            var items = new TupleItems(il, result, results.Length);
            for (int i = 0; i < results.Length; i++)
            {
                il.Emit(OpCodes.Ldarg_2);
                Move(il, i);
                items.Load(i);
                il.Emit(OpCodes.Call, Writer(results[i]));
            }
        }
        il.Emit(OpCodes.Ret);
        return method.CreateDelegate<UntypedInvoker>();
    }

    /// <summary>The delegate of a host function.</summary>
    internal static Delegate MakeHost(Signature signature, IUntypedHost host) => RuntimeCode.IsAvailable
        ? Hosts.GetValue(signature, WriteHost).CreateDelegate(signature.DelegateType, host)
        : new BoxedFunction(host.CallBoxed);

    private static DynamicMethod WriteHost(Signature signature)
    {
        DynamicMethod method = RuntimeCode.Method("wasm untyped host " + signature.Key, signature.HostReturn, [typeof(IUntypedHost), .. signature.HostParameters], typeof(UntypedCalls).Module);
        ILGenerator il = method.GetILGenerator();
        Type[] parameters = signature.HostParameters, results = signature.HostResults;
        LocalBuilder values = il.DeclareLocal(typeof(Value[]));
        LocalBuilder? result = results.Length == 0 ? null : il.DeclareLocal(signature.HostReturn);
        il.Emit(OpCodes.Ldc_I4, parameters.Length + results.Length);
        il.Emit(OpCodes.Call, Own(nameof(Take)));
        il.Emit(OpCodes.Stloc, values);
        for (int i = 0; i < parameters.Length; i++)
        {
            LoadAddress(il, values, i);
            il.Emit(OpCodes.Ldarg, (short)(i + 1));
            il.Emit(OpCodes.Call, Writer(parameters[i]));
        }
        il.BeginExceptionBlock();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldloc, values);
        il.Emit(OpCodes.Callvirt, typeof(IUntypedHost).GetMethod(nameof(IUntypedHost.Call))!);
        if (result is not null)
        {
            var items = new TupleItems(il, result, results.Length);
            for (int i = 0; i < results.Length; i++)
            {
                int from = parameters.Length + i;
                items.Store(i, () =>
                {
                    LoadAddress(il, values, from);
                    il.Emit(OpCodes.Call, Reader(results[i]));
                });
            }
        }
        il.BeginFinallyBlock();
        il.Emit(OpCodes.Ldloc, values);
        il.Emit(OpCodes.Call, Own(nameof(Give)));
        il.EndExceptionBlock();
        if (result is not null) il.Emit(OpCodes.Ldloc, result);
        il.Emit(OpCodes.Ret);
        return method;
    }

    private static void LoadAddress(ILGenerator il, LocalBuilder values, int index)
    {
        il.Emit(OpCodes.Ldloc, values);
        il.Emit(OpCodes.Ldc_I4, index);
        il.Emit(OpCodes.Ldelema, typeof(Value));
    }

    private static void Move(ILGenerator il, int index)
    {
        if (index == 0) return;
        il.Emit(OpCodes.Ldc_I4, index);
        il.Emit(OpCodes.Sizeof, typeof(Value));
        il.Emit(OpCodes.Mul);
        il.Emit(OpCodes.Add);
    }

    private static MethodInfo Reader(Type type) => EntryThunk.Method(typeof(Value), NameOf(type) + "Of");

    private static MethodInfo Writer(Type type) => EntryThunk.Method(typeof(Value), "Set" + NameOf(type));

    private static string NameOf(Type type) => type switch
    {
        _ when type == typeof(int) => "Int32",
        _ when type == typeof(long) => "Int64",
        _ when type == typeof(float) => "Single",
        _ when type == typeof(double) => "Double",
        _ when type == typeof(Delegate) => "Function",
        _ when type.IsValueType => "Vector",
        _ => "Object",
    };

    private static MethodInfo Own(string name) => EntryThunk.Method(typeof(UntypedCalls), name);

    /// <summary>The items of a result, which is one value or a tuple. They are asked for in order.</summary>
    private sealed class TupleItems(ILGenerator il, LocalBuilder tuple, int count)
    {
        private LocalBuilder? at;
        private Type type = tuple.LocalType;
        private int group = -1;

        internal void Load(int index)
        {
            if (count == 1)
            {
                il.Emit(OpCodes.Ldloc, tuple);
                return;
            }
            Enter(index);
            il.Emit(OpCodes.Ldloc, at!);
            il.Emit(OpCodes.Ldfld, type.GetField($"Item{(index % 7) + 1}")!);
        }

        internal void Store(int index, Action load)
        {
            if (count == 1)
            {
                load();
                il.Emit(OpCodes.Stloc, tuple);
                return;
            }
            Enter(index);
            il.Emit(OpCodes.Ldloc, at!);
            load();
            il.Emit(OpCodes.Stfld, type.GetField($"Item{(index % 7) + 1}")!);
        }

        private void Enter(int index)
        {
            if (index / 7 == group) return;
            group = index / 7;
            at = at is null ? ValueConversion.AddressOf(il, tuple) : ValueConversion.Inside(il, at, ref type);
        }
    }

    [ThreadStatic]
    private static Value[]? spare;

    /// <summary>An array for at least so many values. A host function that is called in another one gets one of its own.</summary>
    private static Value[] Take(int count)
    {
        Value[]? values = spare;
        spare = null;
        return values is not null && values.Length >= count ? values : new Value[Math.Max(count, 8)];
    }

    private static void Give(Value[] values)
    {
        Array.Clear(values);
        spare = values;
    }
}
