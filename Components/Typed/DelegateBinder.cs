using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using WasmJit.Jit.Calls;

namespace WasmJit.Components;

/// <summary>A function of the host with its arguments in slots; gives the task of its result if that comes later.</summary>
internal delegate Task? TypedInvoke(TypedContext context, Delegate target, nint arguments, nint result);

/// <summary>Lowers the result of a task that has ended.</summary>
internal delegate void TypedResult(TypedContext context, Task ended, nint result);

/// <summary>What calls a delegate of the host, and lowers its result if that comes with a task.</summary>
internal sealed record HostCode(TypedInvoke Invoke, TypedResult? Result);

/// <summary>
/// Makes delegates over .NET types of exported functions, and functions for guests of delegates. What it makes is kept for each function type of a
/// component and each delegate type.
/// </summary>
internal static class DelegateBinder
{
    /// <summary>Types of more parts are not made into code for .NET types.</summary>
    private const int LargestType = 5000;

    private const BindingFlags Members = BindingFlags.Instance | BindingFlags.Static | BindingFlags.NonPublic;

    /// <summary>What was made, by the delegate type, by what it is, and by what else it depends on: numbers of one kind are not those of another.</summary>
    private static readonly ConditionalWeakTable<FunctionType, Dictionary<(Type Delegate, Type Made, int Variant), object>> Known = [];

    private static T Get<T>(FunctionType type, Type delegateType, int variant, Func<T> make)
        where T : class
    {
        Dictionary<(Type, Type, int), object> known = Known.GetOrCreateValue(type);
        lock (known)
        {
            if (known.TryGetValue((delegateType, typeof(T), variant), out object? made)) return (T)made;
            if (type.Size > LargestType) throw new ArgumentException("The function's type is too large for .NET types; values can be passed as ComponentValue.");
            made = make();
            known.Add((delegateType, typeof(T), variant), made);
            return (T)made;
        }
    }

    /// <summary>What a delegate's signature says.</summary>
    /// <param name="Parameters">Its parameters.</param>
    /// <param name="Result">The result as it crosses: of a result whose errors are exceptions the <see cref="ComponentResult{TOk, TError}"/>.</param>
    /// <param name="IsTask">Whether it comes with a task.</param>
    /// <param name="Declared">What the delegate says; void for nothing.</param>
    private readonly record struct DelegateSignature(Type[] Parameters, Type Result, bool IsTask, Type Declared)
    {
        /// <summary>Whether errors are exceptions.</summary>
        internal bool Throws => Result != Declared;
    }

    private static DelegateSignature Signature(FunctionType type, Type delegateType)
    {
        MethodInfo invoke = delegateType.GetMethod("Invoke") ?? throw new ArgumentException($"{CSharpName.Of(delegateType)} is not a delegate type");
        Type[] parameters = [.. invoke.GetParameters().Select(p => p.ParameterType)];
        Type result = invoke.ReturnType;
        bool isTask = result == typeof(Task) || (result.IsGenericType && result.GetGenericTypeDefinition() == typeof(Task<>));
        // A future is a task itself; a function that may wait for one gives a task of it.
        if (isTask && type.Result is StreamType { IsFuture: true } && result.IsGenericType && !typeof(Task).IsAssignableFrom(result.GetGenericArguments()[0])) isTask = false;
        if (isTask) result = result == typeof(Task) ? typeof(void) : result.GetGenericArguments()[0];
        if (parameters.Length != type.Parameters.Length)
            throw new ArgumentException($"the function has {type.Parameters.Length} parameters, {CSharpName.Of(delegateType)} has {parameters.Length}");
        Type wire = result;
        if (type.Result is ResultType fallible && result != typeof(ComponentValue) && !(result.IsGenericType && result.GetGenericTypeDefinition() == typeof(ComponentResult<,>)))
        {
            if (fallible.Ok is null != (result == typeof(void)))
                throw new ArgumentException($"the function's result has {(fallible.Ok is null ? "no" : "a")} value, {CSharpName.Of(delegateType)} has {(fallible.Ok is null ? "one" : "none")}");
            wire = typeof(ComponentResult<,>).MakeGenericType(fallible.Ok is null ? typeof(NoValue) : result, fallible.Error is null ? typeof(NoValue) : typeof(ComponentValue));
        }
        if (type.Result is null != (wire == typeof(void)))
            throw new ArgumentException($"the function has {(type.Result is null ? "no" : "a")} result, {CSharpName.Of(delegateType)} has {(type.Result is null ? "one" : "none")}");
        return new(parameters, wire, isTask, result);
    }

    private static MethodInfo Helper(string name, params Type[] types) => typeof(ResultErrors).GetMethod(name, Members)!.MakeGenericMethod(types);

    /// <summary>A result's value; its error is thrown.</summary>
    private static MethodCallExpression Unwrap(Expression result, DelegateSignature signature)
    {
        Type[] parts = signature.Result.GetGenericArguments();
        bool isNothing = signature.Declared == typeof(void);
        return Expression.Call(
            (isNothing, signature.IsTask) switch
            {
                (true, true) => Helper(nameof(ResultErrors.CheckAsync), parts[1]),
                (true, false) => Helper(nameof(ResultErrors.Check), parts[1]),
                (false, true) => Helper(nameof(ResultErrors.ValueAsync), parts),
                _ => Helper(nameof(ResultErrors.Value), parts),
            }, result);
    }

    /// <summary>Assigns what a function of the host gives; errors that it throws become a result.</summary>
    private static Expression Assign(ParameterExpression value, Expression call, DelegateSignature signature)
    {
        if (!signature.Throws) return Expression.Assign(value, call);
        Type[] parts = signature.Result.GetGenericArguments();
        ParameterExpression error = Expression.Parameter(typeof(ComponentErrorException));
        Expression made = signature.Declared == typeof(void)
            ? Expression.Block(call, Expression.Call(Helper(nameof(ResultErrors.Ok), parts), Expression.Default(typeof(NoValue))))
            : Expression.Call(Helper(nameof(ResultErrors.Ok), parts), call);
        return Expression.TryCatch(
            Expression.Block(typeof(void), Expression.Assign(value, made)),
            Expression.Catch(error, Expression.Block(typeof(void), Expression.Assign(value, Expression.Call(Helper(nameof(ResultErrors.Failed), parts), error)))));
    }

    // ---- exports ----

    /// <summary>The delegate of an exported function.</summary>
    /// <param name="delegateType">Its type.</param>
    /// <param name="owner">The instance.</param>
    /// <param name="function">The function.</param>
    /// <param name="faces">The interfaces that stand for resources; null if none do.</param>
    /// <exception cref="ArgumentException">The delegate type does not fit.</exception>
    internal static Delegate ToExport(Type delegateType, ComponentInstance owner, LiftedFunction function, ResourceFaces? faces = null)
    {
        bool isPlain = function.IsPlain;
        int variant = (isPlain ? 1 : 0) | (function.Side.Is64 ? 2 : 0) | (function.PostReturn is null ? 0 : 4) | (TypedCall.MayEnterDirectly(function) ? 8 : 0);
        Func<TypedCall, Delegate> make = Get(function.Type, delegateType, variant, () => Make(delegateType, function, isPlain));
        return make(new TypedCall(owner, function, faces));
    }

    private static Func<TypedCall, Delegate> Make(Type delegateType, LiftedFunction function, bool isPlain)
    {
        // Expressions that are interpreted have no locals with an address.
        Runtime.RuntimeCode.Require();
        DelegateSignature signature = Signature(function.Type, delegateType);
        (Type[] types, Type result, bool isTask, _) = signature;
        FunctionShape shape = function.Shape;
        ValueForm form = shape.FlatParameters <= TypeLimits.FlatParameters ? ValueForm.Flat : ValueForm.Allocated;
        if (isPlain && !isTask && !signature.Throws && DirectCall.Fits(shape, types, result)) return DirectCall.Make(delegateType, function, types, result);
        var binding = new TypeBinding(function.Side.Is64);
        ParameterExpression call = Expression.Parameter(typeof(TypedCall), "call");
        ParameterExpression[] parameters = [.. types.Select((t, i) => Expression.Parameter(t, $"p{i}"))];
        Expression body = isPlain ? Plain(binding, function, call, parameters, form, result) : Task(binding, shape, call, parameters, form, result, isTask);
        if (isPlain && isTask)
        {
            // A function that cannot wait has ended when it returns.
            body = result == typeof(void)
                ? Expression.Block(body, Expression.Property(null, typeof(Task), nameof(System.Threading.Tasks.Task.CompletedTask)))
                : Expression.Call(typeof(Task), nameof(System.Threading.Tasks.Task.FromResult), [result], body);
        }
        if (signature.Throws) body = Unwrap(body, signature);
        return Expression.Lambda<Func<TypedCall, Delegate>>(Expression.Lambda(delegateType, body, parameters), call).Compile();
    }

    private static MethodCallExpression Do(Expression call, string name, params Expression[] arguments) =>
        Expression.Call(call, typeof(TypedCall).GetMethod(name, Members)!, arguments);

    /// <summary>A call that needs no task: lowering, the core function with its arguments out of slots, lifting.</summary>
    private static Expression Plain(TypeBinding binding, LiftedFunction function, Expression outer, Expression[] parameters, ValueForm form, Type result)
    {
        FunctionShape shape = function.Shape;
        Signature core = Jit.Calls.Signature.Of(function.Core.Type);
        ParameterExpression call = Expression.Variable(typeof(TypedCall)), block = Expression.Variable(typeof(CallSlots)), slots = Expression.Variable(typeof(nint));
        List<ParameterExpression> locals = [TypeBinding.Context];
        Expression resultSlot = TypeBinding.At(slots, 8 * TypeLimits.FlatParameters);
        List<Expression> lower = binding.LowerAll(shape.Parameters, parameters, form, slots, locals);
        var steps = new List<Expression>();
        if (lower.Count > 0)
        {
            ParameterExpression error = Expression.Parameter(typeof(Exception));
            steps.Add(Expression.TryCatch(
                Expression.Block(typeof(void), lower),
                Expression.Catch(
                    error, Expression.Block(Do(call, nameof(TypedCall.Undo)), Expression.Rethrow()),
                    Expression.Call(typeof(TypedCall).GetMethod(nameof(TypedCall.IsMistake), Members)!, error))));
        }
        Expression invoked = Expression.Invoke(
            Expression.Convert(
                Expression.Property(
                    Expression.Field(call, typeof(TypedCall).GetField(nameof(TypedCall.Core), Members)!), typeof(Runtime.FuncRef).GetProperty(nameof(Runtime.FuncRef.Delegate), Members)!),
                core.DelegateType),
            core.HostParameters.Select((t, i) => TypeBinding.SlotValue(t, TypeBinding.At(slots, 8 * i))));
        if (core.HostReturn != typeof(void)) invoked = TypeBinding.ToSlot(invoked, resultSlot);
        ParameterExpression uncaught = Expression.Parameter(typeof(WasmException));
        steps.Add(Expression.TryCatch(
            Expression.Block(typeof(void), invoked),
            Expression.Catch(uncaught, Expression.Call(typeof(FusedCall).GetMethod(nameof(FusedCall.Uncaught), Members)!, uncaught))));
        if (shape.HasBorrows) steps.Add(Do(call, nameof(TypedCall.Returned)));
        ParameterExpression? value = null;
        if (result != typeof(void))
        {
            value = Expression.Variable(result);
            locals.Add(value);
            Expression lifted = binding.LiftAll(shape.Results, [result], shape.FlatResults <= TypeLimits.FlatResults, resultSlot, steps, locals)[0];
            steps.Add(Expression.Assign(value, lifted));
        }
        steps.Add(Do(call, nameof(TypedCall.Finish), resultSlot));
        if (value is not null) steps.Add(value);
        return Expression.Block(
            result, [call, block, slots, .. locals],
            Expression.Assign(call, outer),
            Expression.Assign(slots, Expression.Call(typeof(CallSlots).GetMethod(nameof(CallSlots.AddressOf), Members)!, block)),
            Expression.Assign(TypeBinding.Context, Expression.Property(call, typeof(TypedCall).GetProperty(nameof(TypedCall.Context), Members)!)),
            Do(call, nameof(TypedCall.Begin)),
            Expression.TryFinally(Expression.Block(result, steps), Do(call, nameof(TypedCall.Exit))));
    }

    private static Expression Task(TypeBinding binding, FunctionShape shape, Expression call, Expression[] parameters, ValueForm form, Type result, bool isTask)
    {
        ParameterExpression slots = Expression.Parameter(typeof(nint), "slots");
        var locals = new List<ParameterExpression>();
        List<Expression> lower = binding.LowerAll(shape.Parameters, parameters, form, slots, locals);
        Expression lowering = Expression.Lambda<Action<TypedContext, nint>>(Expression.Block(typeof(void), locals, [.. lower, Expression.Empty()]), TypeBinding.Context, slots);
        Type value = result == typeof(void) ? typeof(NoValue) : result;
        Type liftType = typeof(Func<,,>).MakeGenericType(typeof(TypedContext), typeof(nint), value);
        Expression Lift(bool isFlat)
        {
            var own = new List<ParameterExpression>();
            var steps = new List<Expression>();
            if (result == typeof(void)) steps.Add(Expression.Default(value));
            else steps.Add(binding.LiftAll(shape.Results, [result], isFlat, slots, steps, own)[0]);
            return Expression.Constant(Expression.Lambda(liftType, Expression.Block(own, steps), TypeBinding.Context, slots).Compile());
        }
        // Only what fits into slots is ever lifted from them.
        Expression flat = Lift(shape.FlatResults <= TypeLimits.FlatParameters), memory = Lift(false);
        MethodInfo run = typeof(TypedCall).GetMethod(isTask ? nameof(TypedCall.RunTaskAsync) : nameof(TypedCall.RunTask), Members)!.MakeGenericMethod(value);
        Expression done = Expression.Call(call, run, lowering, flat, memory);
        return result == typeof(void) && !isTask ? Expression.Block(typeof(void), done) : done;
    }

    // ---- imports ----

    /// <summary>What calls a delegate of the host with arguments in slots.</summary>
    /// <exception cref="ArgumentException">The delegate does not fit.</exception>
    internal static HostCode ToHost(FunctionType type, Type delegateType, ValueForm parameters, bool hasPointer, bool is64)
    {
        int variant = (parameters == ValueForm.Flat ? 1 : 0) | (hasPointer ? 2 : 0) | (is64 ? 4 : 0);
        return Get(type, delegateType, variant, () => new HostCode(
            MakeInvoke(type, delegateType, parameters, hasPointer, is64),
            Signature(type, delegateType).IsTask ? MakeResult(type, delegateType, hasPointer, is64) : null));
    }

    /// <summary>Compares types. Nothing is compiled: of the functions that a component imports it may call a few.</summary>
    /// <exception cref="ArgumentException">The delegate does not fit.</exception>
    internal static void Check(FunctionType type, Type delegateType) => Get(type, delegateType, 0, () =>
    {
        InvokeOf(type, delegateType, ValueForm.Flat, true, false);
        return Checked;
    });

    private static readonly Action Checked = static () => { };

    private static readonly ParameterExpression Target = Expression.Parameter(typeof(Delegate), "target"), Arguments = Expression.Parameter(typeof(nint), "arguments"),
        Result = Expression.Parameter(typeof(nint), "result"), Ended = Expression.Parameter(typeof(Task), "ended");

    private static TypedInvoke MakeInvoke(FunctionType type, Type delegateType, ValueForm parameters, bool hasPointer, bool is64) =>
        InvokeOf(type, delegateType, parameters, hasPointer, is64).Compile();

    private static Expression<TypedInvoke> InvokeOf(FunctionType type, Type delegateType, ValueForm parameters, bool hasPointer, bool is64)
    {
        DelegateSignature signature = Signature(type, delegateType);
        (Type[] types, Type result, bool isTask, _) = signature;
        FunctionShape shape = type.Shape;
        var binding = new TypeBinding(is64, allowsViews: true);
        var locals = new List<ParameterExpression>();
        var steps = new List<Expression>();
        bool isFlat = parameters == ValueForm.Flat && shape.FlatParameters <= TypeLimits.FlatParameters;
        List<Expression> lifted = binding.LiftAll(shape.Parameters, types, isFlat, Arguments, steps, locals);
        Expression call = Expression.Invoke(Expression.Convert(Target, delegateType), lifted);
        if (isTask)
        {
            steps.Add(Expression.Convert(call, typeof(Task)));
        }
        else
        {
            if (result == typeof(void))
            {
                steps.Add(call);
            }
            else
            {
                ParameterExpression value = Expression.Variable(result);
                locals.Add(value);
                steps.Add(Assign(value, call, signature));
                steps.AddRange(LowerOrDiscard(binding, shape, value, hasPointer, locals));
            }
            steps.Add(Expression.Constant(null, typeof(Task)));
        }
        return Expression.Lambda<TypedInvoke>(Expression.Block(typeof(Task), locals, steps), TypeBinding.Context, Target, Arguments, Result);
    }

    /// <summary>What discards the result of a delegate's task that has ended, since it is not taken.</summary>
    internal static Action<Task> DiscardOf(FunctionType type, Type delegateType) => Get(type, delegateType, 0, () => MakeDiscard(type, delegateType));

    private static Action<Task> MakeDiscard(FunctionType type, Type delegateType)
    {
        DelegateSignature signature = Signature(type, delegateType);
        if (signature.Declared == typeof(void)) return static task => _ = task.Exception;
        Expression task = Expression.Convert(Ended, typeof(Task<>).MakeGenericType(signature.Declared));
        MethodInfo discard = typeof(LeftValues).GetMethod(nameof(LeftValues.DiscardResultAs), Members)!.MakeGenericMethod(signature.Declared);
        ComponentValType? given = signature.Throws ? ((ResultType)type.Result!).Ok : type.Result;
        return Expression.Lambda<Action<Task>>(Expression.Call(discard, task, Expression.Constant(given, typeof(ComponentValType))), Ended).Compile();
    }

    /// <summary>Lowers a result; one that cannot be given to the guest is discarded.</summary>
    private static List<Expression> LowerOrDiscard(TypeBinding binding, FunctionShape shape, ParameterExpression value, bool hasPointer, List<ParameterExpression> locals)
    {
        List<Expression> lower = binding.LowerAll(shape.Results, [value], hasPointer ? ValueForm.Memory : ValueForm.Flat, Result, locals);
        if (!shape.ResultShape.HasHandles && shape.ResultShape.Streams.Count == 0) return lower;
        MethodInfo discard = typeof(LeftValues).GetMethod(nameof(LeftValues.DiscardAs), Members)!;
        return
        [
            Expression.TryCatch(
                Expression.Block(typeof(void), lower),
                Expression.Catch(
                    typeof(Exception), Expression.Block(typeof(void), Expression.Call(discard, Expression.Convert(value, typeof(object)), Expression.Constant(shape.Results[0], typeof(ComponentValType))), Expression.Rethrow()))),
        ];
    }

    private static TypedResult MakeResult(FunctionType type, Type delegateType, bool hasPointer, bool is64)
    {
        DelegateSignature signature = Signature(type, delegateType);
        Type result = signature.Result;
        FunctionShape shape = type.Shape;
        var locals = new List<ParameterExpression>();
        var steps = new List<Expression>();
        if (result == typeof(void))
        {
            steps.Add(Expression.Call(typeof(TypedMemory).GetMethod(nameof(TypedMemory.End), Members)!, Ended));
        }
        else
        {
            ParameterExpression value = Expression.Variable(result);
            locals.Add(value);
            Expression ended = signature.Declared == typeof(void)
                ? Expression.Call(typeof(TypedMemory).GetMethod(nameof(TypedMemory.End), Members)!, Ended)
                : Expression.Call(typeof(TypedMemory).GetMethod(nameof(TypedMemory.ResultOf), Members)!.MakeGenericMethod(signature.Declared), Ended);
            steps.Add(Assign(value, ended, signature));
            steps.AddRange(LowerOrDiscard(new TypeBinding(is64), shape, value, hasPointer, locals));
        }
        return Expression.Lambda<TypedResult>(Expression.Block(typeof(void), locals, steps), TypeBinding.Context, Ended, Result).Compile();
    }
}
