using System.Reflection;
using System.Runtime.CompilerServices;
using WasmJit.Runtime;

namespace WasmJit.Jit.Calls;

/// <summary>A function of any signature for calls from the interpreter, by values: a delegate of the host, or a guest's function that is not interpreted.</summary>
/// <remarks>Unsafe: slots of the signature alone.</remarks>
internal sealed unsafe class ValueHost(FuncType type, Action<Value[]> call) : SlotHost
{
    /// <summary>What calls a function behind a reference, which the host or a saved module defines.</summary>
    internal static SlotHost Of(FuncRef func) => Of(func.Delegate, func.Type.AsFunc!);

    /// <summary>What calls a delegate.</summary>
    /// <param name="target">The delegate.</param>
    /// <param name="type">The type by which guests call it.</param>
    internal static SlotHost Of(Delegate target, FuncType type)
    {
        if (target.Target is IUntypedHost untyped) return new ValueHost(type, untyped.Call);
        if (SlotDelegates.Find(target.GetType(), type) is { } known) return known.ToSlots(target);
        Func<object?[], object?> boxed = BoxedCalls.Of(target);
        return new ValueHost(type, values => BoxedCalls.Call(boxed, type, values));
    }

    /// <inheritdoc/>
    internal override void Call(InterpreterThread thread, ulong* fp, int rp)
    {
        int parameters = type.Params.Length;
        var values = new Value[parameters + type.Results.Length];
        SlotCalls.Read(thread, fp, rp, type.Params.AsSpan(), values);
        call(values);
        ReadOnlySpan<Value> results = values.AsSpan(parameters);
        SlotCalls.Write(thread, fp, rp, type.Results.AsSpan(), results, SlotCalls.ToGuest(results, type.Results.AsSpan()));
    }
}

/// <summary>Calls of delegates with objects, where no method is made for their signature.</summary>
internal static class BoxedCalls
{
    /// <summary>Calls a function with arguments that stand before the room for its results.</summary>
    internal static void Call(Func<object?[], object?> function, FuncType type, Value[] values)
    {
        var arguments = new object?[type.Params.Length];
        for (int i = 0; i < arguments.Length; i++) arguments[i] = values[i].ToObject();
        object? result = function(arguments);
        int count = type.Results.Length;
        if (count == 1) values[^1] = Value.From(result, type.Results[0]);
        for (int i = 0; i < count && count > 1; i++)
            values[arguments.Length + i] = Value.From(result is object?[] several ? several[i] : ((ITuple)result!)[i], type.Results[i]);
    }

    /// <summary>Calls a delegate once.</summary>
    internal static object? Invoke(Delegate function, object?[] arguments) => Of(function)(arguments);

    /// <summary>What calls a delegate, and waits for a task that it returns. What it throws comes as it is.</summary>
    internal static Func<object?[], object?> Of(Delegate function)
    {
        if (function is BoxedFunction boxed) return boxed.Invoke;
        MethodInfo invoke = function.GetType().GetMethod("Invoke")!;
        return AsyncHost.IsNeeded(invoke) ? arguments => AsyncHost.Invoke(function, invoke, arguments)
            : arguments => invoke.Invoke(function, BindingFlags.DoNotWrapExceptions, null, arguments, null);
    }
}
