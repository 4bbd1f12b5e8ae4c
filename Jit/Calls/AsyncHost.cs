using System.Linq.Expressions;
using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Runtime;

namespace WasmJit.Jit.Calls;

/// <summary>
/// Host functions that return a task, or take a cancellation token behind the wasm parameters. The guest's thread waits for the task, because frames
/// of compiled code cannot be put aside. The token is that of the running <see cref="Guest"/> call.
/// </summary>
internal sealed class AsyncHost
{
    private AsyncHost(Delegate target) => Target = target;

    internal readonly Delegate Target;

    /// <summary>The value that a host function gives to the guest: the result of its task.</summary>
    internal static Type ResultOf(Type type)
    {
        if (type == typeof(Task) || type == typeof(ValueTask)) return typeof(void);
        if (!type.IsGenericType) return type;
        Type open = type.GetGenericTypeDefinition();
        return open == typeof(Task<>) || open == typeof(ValueTask<>) ? type.GetGenericArguments()[0] : type;
    }

    /// <summary>The parameters that the guest gives.</summary>
    internal static Type[] ParametersOf(MethodInfo invoke)
    {
        Type[] types = [.. invoke.GetParameters().Select(p => p.ParameterType)];
        return types.Length > 0 && types[^1] == typeof(CancellationToken) ? types[..^1] : types;
    }

    internal static bool IsNeeded(MethodInfo invoke) =>
        ResultOf(invoke.ReturnType) != invoke.ReturnType || ParametersOf(invoke).Length < invoke.GetParameters().Length;

    /// <summary>A delegate that calls the host function and waits for what it returns.</summary>
    /// <param name="target">The host function.</param>
    /// <param name="parameters">Its parameters, without the token.</param>
    /// <param name="returned">What it gives when it has waited.</param>
    /// <param name="delegateType">A type with these parameters and this result.</param>
    /// <param name="mayMakeCode">Whether code may be made for it; otherwise its calls are interpreted.</param>
    internal static Delegate Wrap(Delegate target, Type[] parameters, Type returned, Type delegateType, bool mayMakeCode)
    {
        MethodInfo invoke = target.GetType().GetMethod("Invoke")!;
        if (!mayMakeCode || !System.Runtime.CompilerServices.RuntimeFeature.IsDynamicCodeSupported) return Interpret(target, invoke, parameters, returned, delegateType);
        var method = RuntimeCode.Method(
            "wasm async host", returned, [typeof(AsyncHost), .. parameters], typeof(AsyncHost).Module);
        ILGenerator il = method.GetILGenerator();
        LocalBuilder? result = returned == typeof(void) ? null : il.DeclareLocal(returned);
        LocalBuilder context = WriteBegin(il);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldfld, typeof(AsyncHost).GetField(nameof(Target), BindingFlags.Instance | BindingFlags.NonPublic)!);
        il.Emit(OpCodes.Castclass, target.GetType());
        for (int i = 0; i < parameters.Length; i++) il.Emit(OpCodes.Ldarg, (short)(i + 1));
        if (invoke.GetParameters().Length > parameters.Length)
            il.Emit(OpCodes.Call, typeof(Guest).GetProperty(nameof(Guest.CancellationToken))!.GetMethod!);
        il.Emit(OpCodes.Callvirt, invoke);
        WriteEnd(il, context, invoke.ReturnType, returned, result);
        if (result is not null) il.Emit(OpCodes.Ldloc, result);
        il.Emit(OpCodes.Ret);
        return method.CreateDelegate(delegateType, new AsyncHost(target));
    }

    /// <summary>Begins a call of a host function that may return a task. Nothing is on the stack.</summary>
    /// <returns>What <see cref="WriteEnd"/> needs.</returns>
    internal static LocalBuilder WriteBegin(ILGenerator il)
    {
        LocalBuilder context = il.DeclareLocal(typeof(SynchronizationContext));
        il.Emit(OpCodes.Call, Own(nameof(Begin)));
        il.Emit(OpCodes.Stloc, context);
        il.BeginExceptionBlock();
        return context;
    }

    /// <summary>Waits for what it has returned, which is on the stack.</summary>
    /// <param name="il">Where to.</param>
    /// <param name="context">What <see cref="WriteBegin"/> gave.</param>
    /// <param name="returned">The function's own result.</param>
    /// <param name="result">What is waited for.</param>
    /// <param name="into">Where that goes; null if it is nothing.</param>
    internal static void WriteEnd(ILGenerator il, LocalBuilder context, Type returned, Type result, LocalBuilder? into)
    {
        if (WaiterFor(returned, result) is { } wait) il.Emit(OpCodes.Call, wait);
        if (into is not null) il.Emit(OpCodes.Stloc, into);
        il.BeginFinallyBlock();
        il.Emit(OpCodes.Ldloc, context);
        il.Emit(OpCodes.Call, Own(nameof(End)));
        il.EndExceptionBlock();
    }

    /// <summary>The method that waits for what a host function returns; null if it returns the result itself.</summary>
    private static MethodInfo? WaiterFor(Type returned, Type result)
    {
        if (returned == result) return null;
        Type open = returned.IsGenericType ? returned.GetGenericTypeDefinition() : returned;
        MethodInfo wait = Own(open == typeof(Task) || open == typeof(Task<>) ? nameof(Wait) : nameof(WaitValue), returned.IsGenericType);
        return returned.IsGenericType ? wait.MakeGenericMethod(result) : wait;
    }

    /// <summary>The same as an interpreted expression.</summary>
    private static Delegate Interpret(Delegate target, MethodInfo invoke, Type[] types, Type returned, Type delegateType)
    {
        ParameterExpression[] parameters = [.. types.Select(p => Expression.Parameter(p))];
        IEnumerable<Expression> arguments = parameters;
        if (invoke.GetParameters().Length > parameters.Length)
            arguments = arguments.Append(Expression.Property(null, typeof(Guest).GetProperty(nameof(Guest.CancellationToken))!));
        Expression call = Expression.Invoke(Expression.Constant(target), arguments);
        if (WaiterFor(invoke.ReturnType, returned) is { } wait) call = Expression.Call(wait, call);
        ParameterExpression context = Expression.Variable(typeof(SynchronizationContext));
        Expression body = Expression.Block(
            [context],
            Expression.Assign(context, Expression.Call(Own(nameof(Begin)))),
            Expression.TryFinally(call, Expression.Call(Own(nameof(End)), context)));
        return Expression.Lambda(delegateType, body, parameters).Compile(preferInterpretation: true);
    }

    /// <summary>Calls the host function with objects, and waits for what it returns.</summary>
    internal static object? Invoke(Delegate target, MethodInfo invoke, object?[] arguments)
    {
        if (invoke.GetParameters().Length > arguments.Length) arguments = [.. arguments, Guest.CancellationToken];
        SynchronizationContext? context = Begin();
        try
        {
            object? result = invoke.Invoke(target, BindingFlags.DoNotWrapExceptions, null, arguments, null);
            return invoke.ReturnType == ResultOf(invoke.ReturnType) ? result : Result(result!);
        }
        finally
        {
            End(context);
        }
    }

    /// <summary>The result of a task of any kind. Types of results that cannot be named here are found by reflection.</summary>
    private static object? Result(object task)
    {
        switch (task)
        {
            case ValueTask value: WaitValue(value); return null;
            case ValueTask<int> value: return WaitValue(value);
            case ValueTask<long> value: return WaitValue(value);
            case ValueTask<float> value: return WaitValue(value);
            case ValueTask<double> value: return WaitValue(value);
            case Task<int> value: return Wait(value);
            case Task<long> value: return Wait(value);
            case Task<float> value: return Wait(value);
            case Task<double> value: return Wait(value);
        }
        Task waited = task as Task ?? (Task)task.GetType().GetMethod(nameof(ValueTask<object>.AsTask))!.Invoke(task, null)!;
        Wait(waited);
        return waited.GetType().GetProperty(nameof(Task<object>.Result))?.GetValue(waited);
    }

    private static MethodInfo Own(string name, bool generic = false) =>
        typeof(AsyncHost).GetMethods(BindingFlags.Static | BindingFlags.NonPublic).Single(m => m.Name == name && m.IsGenericMethod == generic);

    /// <summary>The host function's continuations must not run in a context whose thread waits here.</summary>
    internal static SynchronizationContext? Begin()
    {
        SynchronizationContext? context = SynchronizationContext.Current;
        if (context is not null) SynchronizationContext.SetSynchronizationContext(null);
        return context;
    }

    internal static void End(SynchronizationContext? context)
    {
        if (context is not null) SynchronizationContext.SetSynchronizationContext(context);
    }

    private static void Wait(Task task)
    {
        // The task's own exception, not one that wraps it.
        if (!task.IsCompleted) WaitFor(task);
        task.GetAwaiter().GetResult();
    }

    internal static T Wait<T>(Task<T> task)
    {
        if (!task.IsCompleted) WaitFor(task);
        return task.GetAwaiter().GetResult();
    }

    private static void WaitValue(ValueTask task)
    {
        if (task.IsCompleted) task.GetAwaiter().GetResult();
        else Wait(task.AsTask());
    }

    internal static T WaitValue<T>(ValueTask<T> task) => task.IsCompleted ? task.GetAwaiter().GetResult() : Wait(task.AsTask());

    private static void WaitFor(Task task)
    {
        try
        {
            task.Wait(Guest.CancellationToken);
        }
        catch (AggregateException)
        {
            // It has ended; the caller takes what it ended with.
        }
    }
}
