using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using WasmJit.Runtime;

namespace WasmJit.Jit.Calls;

/// <summary>
/// Delegates in processes that can make no code. Those of usual signatures call functions through generic methods that are instantiated here, so that the compiler
/// of a program that is compiled whole sees them. Others are interpreted expressions, which work with objects.
/// </summary>
/// <remarks>Unsafe: the classes of host functions read and write the slots of their signature.</remarks>
internal static unsafe class SlotDelegates
{
    /// <summary>How delegates of a type cross.</summary>
    /// <param name="Key">The signature, see <see cref="Signature.Key"/>.</param>
    /// <param name="Type">The delegate type.</param>
    /// <param name="Make">Makes one of a guest's function.</param>
    /// <param name="ToSlots">Makes what calls one of the host.</param>
    internal sealed record Crossing(string Key, Type Type, Func<FuncRef, Delegate> Make, Func<Delegate, SlotHost> ToSlots);

    private static readonly Dictionary<Type, Crossing> ByType = [];
    private static readonly Dictionary<string, Crossing> ByKey = [];

    static SlotDelegates()
    {
        None();
        One<int>();
        One<long>();
        One<float>();
        One<double>();
        // More parameters are mostly addresses and lengths.
        Add<Action<int, int, int>>("iii:", static f => f.Run, static d => new Procedure<int, int, int>(d));
        Add<Func<int, int, int, int>>("iii:i", static f => f.Get<int, int, int, int>, static d => new Function<int, int, int, int>(d));
        Add<Func<int, int, int, long>>("iii:l", static f => f.Get<int, int, int, long>, static d => new Function<int, int, int, long>(d));
        Add<Action<int, int, int, int>>("iiii:", static f => f.Run, static d => new Procedure<int, int, int, int>(d));
        Add<Func<int, int, int, int, int>>("iiii:i", static f => f.Get<int, int, int, int, int>, static d => new Function<int, int, int, int, int>(d));
        Add<Func<int, int, int, int, long>>("iiii:l", static f => f.Get<int, int, int, int, long>, static d => new Function<int, int, int, int, long>(d));
    }

    private static void Add<T>(string key, Func<FuncRef, T> make, Func<T, SlotHost> toSlots)
        where T : Delegate
    {
        var crossing = new Crossing(key, typeof(T), f => make(f), d => toSlots((T)d));
        ByType.Add(typeof(T), crossing);
        ByKey.Add(key, crossing);
    }

    private static char Letter<T>() => typeof(T) == typeof(int) ? 'i' : typeof(T) == typeof(long) ? 'l' : typeof(T) == typeof(float) ? 'f' : 'd';

    private static void None()
    {
        Add<Action>(":", static f => f.Enter, static d => new Procedure(d));
        NoneTo<int>();
        NoneTo<long>();
        NoneTo<float>();
        NoneTo<double>();
    }

    private static void NoneTo<TResult>()
        where TResult : unmanaged =>
        Add<Func<TResult>>($":{Letter<TResult>()}", static f => f.Get<TResult>, static d => new Function<TResult>(d));

    private static void One<T1>()
        where T1 : unmanaged
    {
        Add<Action<T1>>($"{Letter<T1>()}:", static f => f.Run, static d => new Procedure<T1>(d));
        OneTo<T1, int>();
        OneTo<T1, long>();
        OneTo<T1, float>();
        OneTo<T1, double>();
        Two<T1, int>();
        Two<T1, long>();
        Two<T1, float>();
        Two<T1, double>();
    }

    private static void OneTo<T1, TResult>()
        where T1 : unmanaged
        where TResult : unmanaged =>
        Add<Func<T1, TResult>>($"{Letter<T1>()}:{Letter<TResult>()}", static f => f.Get<T1, TResult>, static d => new Function<T1, TResult>(d));

    private static void Two<T1, T2>()
        where T1 : unmanaged
        where T2 : unmanaged
    {
        Add<Action<T1, T2>>($"{Letter<T1>()}{Letter<T2>()}:", static f => f.Run, static d => new Procedure<T1, T2>(d));
        TwoTo<T1, T2, int>();
        TwoTo<T1, T2, long>();
        TwoTo<T1, T2, float>();
        TwoTo<T1, T2, double>();
    }

    private static void TwoTo<T1, T2, TResult>()
        where T1 : unmanaged
        where T2 : unmanaged
        where TResult : unmanaged =>
        Add<Func<T1, T2, TResult>>(
            $"{Letter<T1>()}{Letter<T2>()}:{Letter<TResult>()}", static f => f.Get<T1, T2, TResult>, static d => new Function<T1, T2, TResult>(d));

    /// <summary>The delegate type of a signature that is in every program; null if there is none.</summary>
    internal static Type? TypeOf(string key) => ByKey.TryGetValue(key, out Crossing? known) ? known.Type : null;

    /// <summary>How delegates of a type cross for functions of a wasm type; null if it is none of the usual ones.</summary>
    internal static Crossing? Find(Type delegateType, FuncType type) =>
        ByType.TryGetValue(delegateType, out Crossing? known) && known.Key == Signature.Of(type).Key ? known : null;

    /// <summary>The delegate of a function.</summary>
    /// <param name="func">The function.</param>
    /// <param name="delegateType">The delegate's type; that of the signature if null.</param>
    /// <exception cref="ArgumentException">The delegate type has another signature.</exception>
    internal static Delegate Make(FuncRef func, Type? delegateType)
    {
        Signature signature = Signature.Of(func.Type);
        delegateType ??= signature.DelegateType;
        if (delegateType == typeof(BoxedFunction)) return new BoxedFunction(func.CallBoxed);
        if (Find(delegateType, func.Type.AsFunc!) is { } known) return known.Make(func);
        MethodInfo invoke = delegateType.GetMethod("Invoke")!;
        if (!HostAdapter.HasSignature(invoke, signature)) throw new ArgumentException($"{CSharpName.Of(delegateType)} is not {signature.DelegateName}.", nameof(delegateType));
        return func.Know(Interpret(delegateType, signature.HostParameters, func.CallBoxed));
    }

    /// <summary>A delegate that calls a function with objects.</summary>
    /// <param name="delegateType">Its type.</param>
    /// <param name="types">The types of its parameters.</param>
    /// <param name="function">The function; it gives several results as an array.</param>
    internal static Delegate Interpret(Type delegateType, Type[] types, Func<object?[], object?> function)
    {
        Type result = delegateType.GetMethod("Invoke")!.ReturnType;
        Func<object?[], object?> call = function;
        if (result.IsValueType && result.IsAssignableTo(typeof(ITuple))) call = arguments => Tuple(result, (object?[])function(arguments)!);
        ParameterExpression[] parameters = [.. types.Select(p => Expression.Parameter(p))];
        Expression body = Expression.Invoke(Expression.Constant(call), Expression.NewArrayInit(typeof(object), parameters.Select(p => Expression.Convert(p, typeof(object)))));
        body = result == typeof(void) ? Expression.Block(typeof(void), body) : Expression.Convert(body, result);
        return Expression.Lambda(delegateType, body, parameters).Compile(preferInterpretation: true);
    }

    private static object Tuple(Type type, ReadOnlySpan<object?> values)
    {
        object?[] items = values.Length < 8 ? values.ToArray() : [.. values[..7], Tuple(type.GetGenericArguments()[7], values[7..])];
        return Activator.CreateInstance(type, items)!;
    }

    private static void Store<T>(ulong* slot, T value)
        where T : unmanaged
    {
        *slot = 0;
        *(T*)slot = value;
    }

    private sealed class Procedure(Action call) : SlotHost
    {
        internal override void Call(InterpreterThread thread, ulong* fp, int rp) => call();
    }

    private sealed class Function<TResult>(Func<TResult> call) : SlotHost
        where TResult : unmanaged
    {
        internal override void Call(InterpreterThread thread, ulong* fp, int rp) => Store(fp, call());
    }

    private sealed class Procedure<T1>(Action<T1> call) : SlotHost
        where T1 : unmanaged
    {
        internal override void Call(InterpreterThread thread, ulong* fp, int rp) => call(*(T1*)fp);
    }

    private sealed class Function<T1, TResult>(Func<T1, TResult> call) : SlotHost
        where T1 : unmanaged
        where TResult : unmanaged
    {
        internal override void Call(InterpreterThread thread, ulong* fp, int rp) => Store(fp, call(*(T1*)fp));
    }

    private sealed class Procedure<T1, T2>(Action<T1, T2> call) : SlotHost
        where T1 : unmanaged
        where T2 : unmanaged
    {
        internal override void Call(InterpreterThread thread, ulong* fp, int rp) => call(*(T1*)fp, *(T2*)(fp + 1));
    }

    private sealed class Function<T1, T2, TResult>(Func<T1, T2, TResult> call) : SlotHost
        where T1 : unmanaged
        where T2 : unmanaged
        where TResult : unmanaged
    {
        internal override void Call(InterpreterThread thread, ulong* fp, int rp) => Store(fp, call(*(T1*)fp, *(T2*)(fp + 1)));
    }

    private sealed class Procedure<T1, T2, T3>(Action<T1, T2, T3> call) : SlotHost
        where T1 : unmanaged
        where T2 : unmanaged
        where T3 : unmanaged
    {
        internal override void Call(InterpreterThread thread, ulong* fp, int rp) => call(*(T1*)fp, *(T2*)(fp + 1), *(T3*)(fp + 2));
    }

    private sealed class Function<T1, T2, T3, TResult>(Func<T1, T2, T3, TResult> call) : SlotHost
        where T1 : unmanaged
        where T2 : unmanaged
        where T3 : unmanaged
        where TResult : unmanaged
    {
        internal override void Call(InterpreterThread thread, ulong* fp, int rp) => Store(fp, call(*(T1*)fp, *(T2*)(fp + 1), *(T3*)(fp + 2)));
    }

    private sealed class Procedure<T1, T2, T3, T4>(Action<T1, T2, T3, T4> call) : SlotHost
        where T1 : unmanaged
        where T2 : unmanaged
        where T3 : unmanaged
        where T4 : unmanaged
    {
        internal override void Call(InterpreterThread thread, ulong* fp, int rp) => call(*(T1*)fp, *(T2*)(fp + 1), *(T3*)(fp + 2), *(T4*)(fp + 3));
    }

    private sealed class Function<T1, T2, T3, T4, TResult>(Func<T1, T2, T3, T4, TResult> call) : SlotHost
        where T1 : unmanaged
        where T2 : unmanaged
        where T3 : unmanaged
        where T4 : unmanaged
        where TResult : unmanaged
    {
        internal override void Call(InterpreterThread thread, ulong* fp, int rp) => Store(fp, call(*(T1*)fp, *(T2*)(fp + 1), *(T3*)(fp + 2), *(T4*)(fp + 3)));
    }
}
