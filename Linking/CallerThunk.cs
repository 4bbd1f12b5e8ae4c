using WasmJit.Jit.Calls;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>
/// A host function that takes its <see cref="Caller"/>, closed over one. The class is written out for each usual number of parameters, so that
/// neither making nor calling a thunk needs code that is made at run time.
/// </summary>
internal abstract class CallerThunk(Caller? caller)
{
    private static readonly Type[] Functions =
    [
        typeof(Function<>),
        typeof(Function<,>),
        typeof(Function<,,>),
        typeof(Function<,,,>),
        typeof(Function<,,,,>),
        typeof(Function<,,,,,>),
        typeof(Function<,,,,,,>),
        typeof(Function<,,,,,,,>),
        typeof(Function<,,,,,,,,>),
        typeof(Function<,,,,,,,,,>),
        typeof(Function<,,,,,,,,,,>),
        typeof(Function<,,,,,,,,,,,>),
        typeof(Function<,,,,,,,,,,,,>),
        typeof(Function<,,,,,,,,,,,,,>),
        typeof(Function<,,,,,,,,,,,,,,>),
        typeof(Function<,,,,,,,,,,,,,,,>),
    ];

    private static readonly Type[] Procedures =
    [
        typeof(Procedure),
        typeof(Procedure<>),
        typeof(Procedure<,>),
        typeof(Procedure<,,>),
        typeof(Procedure<,,,>),
        typeof(Procedure<,,,,>),
        typeof(Procedure<,,,,,>),
        typeof(Procedure<,,,,,,>),
        typeof(Procedure<,,,,,,,>),
        typeof(Procedure<,,,,,,,,>),
        typeof(Procedure<,,,,,,,,,>),
        typeof(Procedure<,,,,,,,,,,>),
        typeof(Procedure<,,,,,,,,,,,>),
        typeof(Procedure<,,,,,,,,,,,,>),
        typeof(Procedure<,,,,,,,,,,,,,>),
        typeof(Procedure<,,,,,,,,,,,,,,>),
    ];

    private Delegate? function;

    /// <summary>The instance whose calls it serves; null if that is not known yet.</summary>
    internal Caller? Caller => caller;

    /// <summary>The function without the caller.</summary>
    internal Delegate Bound => function ??= Make();

    /// <summary>The same function for an instance.</summary>
    internal abstract CallerThunk For(Caller own);

    private protected abstract Delegate Make();

    /// <summary>Makes one of a host function.</summary>
    /// <param name="host">A Func or Action whose first parameter is the caller.</param>
    /// <param name="types">The types of the other parameters, and of the result if there is one.</param>
    /// <param name="hasResult">Whether there is a result.</param>
    internal static CallerThunk Make(Delegate host, Type[] types, bool hasResult)
    {
        Type[] kinds = hasResult ? Functions : Procedures;
        int count = types.Length - (hasResult ? 1 : 0);
        if (count >= kinds.Length)
            throw new ArgumentException($"A host function that takes its caller can have {kinds.Length - 1} more parameters, not {count}.");
        Type open = kinds[count];
        Type type = open.IsGenericTypeDefinition ? open.MakeGenericType(types) : open;
        return (CallerThunk)Activator.CreateInstance(type, host, null)!;
    }

    /// <summary>A function that is called with objects: programs that are compiled whole have no classes for its types.</summary>
    internal sealed class Boxed(Delegate host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Boxed(host, own);

        private protected override Delegate Make() => (BoxedFunction)Call;

        private object? Call(object?[] arguments) => BoxedCalls.Invoke(host, [Caller, .. arguments]);
    }

    internal sealed class Function<TResult>(Func<Caller, TResult> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Function<TResult>(host, own);

        private protected override Delegate Make() => (Func<TResult>)Call;

        private TResult Call() => host(Caller!);
    }

    internal sealed class Function<T1, TResult>(Func<Caller, T1, TResult> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Function<T1, TResult>(host, own);

        private protected override Delegate Make() => (Func<T1, TResult>)Call;

        private TResult Call(T1 v1) => host(Caller!, v1);
    }

    internal sealed class Function<T1, T2, TResult>(Func<Caller, T1, T2, TResult> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Function<T1, T2, TResult>(host, own);

        private protected override Delegate Make() => (Func<T1, T2, TResult>)Call;

        private TResult Call(T1 v1, T2 v2) => host(Caller!, v1, v2);
    }

    internal sealed class Function<T1, T2, T3, TResult>(Func<Caller, T1, T2, T3, TResult> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Function<T1, T2, T3, TResult>(host, own);

        private protected override Delegate Make() => (Func<T1, T2, T3, TResult>)Call;

        private TResult Call(T1 v1, T2 v2, T3 v3) => host(Caller!, v1, v2, v3);
    }

    internal sealed class Function<T1, T2, T3, T4, TResult>(Func<Caller, T1, T2, T3, T4, TResult> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Function<T1, T2, T3, T4, TResult>(host, own);

        private protected override Delegate Make() => (Func<T1, T2, T3, T4, TResult>)Call;

        private TResult Call(T1 v1, T2 v2, T3 v3, T4 v4) => host(Caller!, v1, v2, v3, v4);
    }

    internal sealed class Function<T1, T2, T3, T4, T5, TResult>(Func<Caller, T1, T2, T3, T4, T5, TResult> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Function<T1, T2, T3, T4, T5, TResult>(host, own);

        private protected override Delegate Make() => (Func<T1, T2, T3, T4, T5, TResult>)Call;

        private TResult Call(T1 v1, T2 v2, T3 v3, T4 v4, T5 v5) => host(Caller!, v1, v2, v3, v4, v5);
    }

    internal sealed class Function<T1, T2, T3, T4, T5, T6, TResult>(
        Func<Caller, T1, T2, T3, T4, T5, T6, TResult> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Function<T1, T2, T3, T4, T5, T6, TResult>(host, own);

        private protected override Delegate Make() => (Func<T1, T2, T3, T4, T5, T6, TResult>)Call;

        private TResult Call(T1 v1, T2 v2, T3 v3, T4 v4, T5 v5, T6 v6) => host(Caller!, v1, v2, v3, v4, v5, v6);
    }

    internal sealed class Function<T1, T2, T3, T4, T5, T6, T7, TResult>(
        Func<Caller, T1, T2, T3, T4, T5, T6, T7, TResult> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Function<T1, T2, T3, T4, T5, T6, T7, TResult>(host, own);

        private protected override Delegate Make() => (Func<T1, T2, T3, T4, T5, T6, T7, TResult>)Call;

        private TResult Call(T1 v1, T2 v2, T3 v3, T4 v4, T5 v5, T6 v6, T7 v7) => host(Caller!, v1, v2, v3, v4, v5, v6, v7);
    }

    internal sealed class Function<T1, T2, T3, T4, T5, T6, T7, T8, TResult>(
        Func<Caller, T1, T2, T3, T4, T5, T6, T7, T8, TResult> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Function<T1, T2, T3, T4, T5, T6, T7, T8, TResult>(host, own);

        private protected override Delegate Make() => (Func<T1, T2, T3, T4, T5, T6, T7, T8, TResult>)Call;

        private TResult Call(T1 v1, T2 v2, T3 v3, T4 v4, T5 v5, T6 v6, T7 v7, T8 v8) => host(Caller!, v1, v2, v3, v4, v5, v6, v7, v8);
    }

    internal sealed class Function<T1, T2, T3, T4, T5, T6, T7, T8, T9, TResult>(
        Func<Caller, T1, T2, T3, T4, T5, T6, T7, T8, T9, TResult> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Function<T1, T2, T3, T4, T5, T6, T7, T8, T9, TResult>(host, own);

        private protected override Delegate Make() => (Func<T1, T2, T3, T4, T5, T6, T7, T8, T9, TResult>)Call;

        private TResult Call(T1 v1, T2 v2, T3 v3, T4 v4, T5 v5, T6 v6, T7 v7, T8 v8, T9 v9) => host(Caller!, v1, v2, v3, v4, v5, v6, v7, v8, v9);
    }

    internal sealed class Function<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, TResult>(
        Func<Caller, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, TResult> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Function<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, TResult>(host, own);

        private protected override Delegate Make() => (Func<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, TResult>)Call;

        private TResult Call(T1 v1, T2 v2, T3 v3, T4 v4, T5 v5, T6 v6, T7 v7, T8 v8, T9 v9, T10 v10) =>
            host(Caller!, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10);
    }

    internal sealed class Function<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, TResult>(
        Func<Caller, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, TResult> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Function<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, TResult>(host, own);

        private protected override Delegate Make() => (Func<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, TResult>)Call;

        private TResult Call(T1 v1, T2 v2, T3 v3, T4 v4, T5 v5, T6 v6, T7 v7, T8 v8, T9 v9, T10 v10, T11 v11) =>
            host(Caller!, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11);
    }

    internal sealed class Function<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, TResult>(
        Func<Caller, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, TResult> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Function<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, TResult>(host, own);

        private protected override Delegate Make() => (Func<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, TResult>)Call;

        private TResult Call(T1 v1, T2 v2, T3 v3, T4 v4, T5 v5, T6 v6, T7 v7, T8 v8, T9 v9, T10 v10, T11 v11, T12 v12) =>
            host(Caller!, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12);
    }

    internal sealed class Function<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, TResult>(
        Func<Caller, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, TResult> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Function<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, TResult>(host, own);

        private protected override Delegate Make() => (Func<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, TResult>)Call;

        private TResult Call(T1 v1, T2 v2, T3 v3, T4 v4, T5 v5, T6 v6, T7 v7, T8 v8, T9 v9, T10 v10, T11 v11, T12 v12, T13 v13) =>
            host(Caller!, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13);
    }

    internal sealed class Function<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, TResult>(
        Func<Caller, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, TResult> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Function<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, TResult>(host, own);

        private protected override Delegate Make() => (Func<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, TResult>)Call;

        private TResult Call(T1 v1, T2 v2, T3 v3, T4 v4, T5 v5, T6 v6, T7 v7, T8 v8, T9 v9, T10 v10, T11 v11, T12 v12, T13 v13, T14 v14) =>
            host(Caller!, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14);
    }

    internal sealed class Function<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, TResult>(
        Func<Caller, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, TResult> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Function<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, TResult>(host, own);

        private protected override Delegate Make() => (Func<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, TResult>)Call;

        private TResult Call(T1 v1, T2 v2, T3 v3, T4 v4, T5 v5, T6 v6, T7 v7, T8 v8, T9 v9, T10 v10, T11 v11, T12 v12, T13 v13, T14 v14, T15 v15) =>
            host(Caller!, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15);
    }

    private sealed class Procedure(Action<Caller> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Procedure(host, own);

        private protected override Delegate Make() => (Action)Call;

        private void Call() => host(Caller!);
    }

    private sealed class Procedure<T1>(Action<Caller, T1> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Procedure<T1>(host, own);

        private protected override Delegate Make() => (Action<T1>)Call;

        private void Call(T1 v1) => host(Caller!, v1);
    }

    private sealed class Procedure<T1, T2>(Action<Caller, T1, T2> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Procedure<T1, T2>(host, own);

        private protected override Delegate Make() => (Action<T1, T2>)Call;

        private void Call(T1 v1, T2 v2) => host(Caller!, v1, v2);
    }

    private sealed class Procedure<T1, T2, T3>(Action<Caller, T1, T2, T3> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Procedure<T1, T2, T3>(host, own);

        private protected override Delegate Make() => (Action<T1, T2, T3>)Call;

        private void Call(T1 v1, T2 v2, T3 v3) => host(Caller!, v1, v2, v3);
    }

    private sealed class Procedure<T1, T2, T3, T4>(Action<Caller, T1, T2, T3, T4> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Procedure<T1, T2, T3, T4>(host, own);

        private protected override Delegate Make() => (Action<T1, T2, T3, T4>)Call;

        private void Call(T1 v1, T2 v2, T3 v3, T4 v4) => host(Caller!, v1, v2, v3, v4);
    }

    private sealed class Procedure<T1, T2, T3, T4, T5>(Action<Caller, T1, T2, T3, T4, T5> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Procedure<T1, T2, T3, T4, T5>(host, own);

        private protected override Delegate Make() => (Action<T1, T2, T3, T4, T5>)Call;

        private void Call(T1 v1, T2 v2, T3 v3, T4 v4, T5 v5) => host(Caller!, v1, v2, v3, v4, v5);
    }

    private sealed class Procedure<T1, T2, T3, T4, T5, T6>(Action<Caller, T1, T2, T3, T4, T5, T6> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Procedure<T1, T2, T3, T4, T5, T6>(host, own);

        private protected override Delegate Make() => (Action<T1, T2, T3, T4, T5, T6>)Call;

        private void Call(T1 v1, T2 v2, T3 v3, T4 v4, T5 v5, T6 v6) => host(Caller!, v1, v2, v3, v4, v5, v6);
    }

    private sealed class Procedure<T1, T2, T3, T4, T5, T6, T7>(Action<Caller, T1, T2, T3, T4, T5, T6, T7> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Procedure<T1, T2, T3, T4, T5, T6, T7>(host, own);

        private protected override Delegate Make() => (Action<T1, T2, T3, T4, T5, T6, T7>)Call;

        private void Call(T1 v1, T2 v2, T3 v3, T4 v4, T5 v5, T6 v6, T7 v7) => host(Caller!, v1, v2, v3, v4, v5, v6, v7);
    }

    private sealed class Procedure<T1, T2, T3, T4, T5, T6, T7, T8>(
        Action<Caller, T1, T2, T3, T4, T5, T6, T7, T8> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Procedure<T1, T2, T3, T4, T5, T6, T7, T8>(host, own);

        private protected override Delegate Make() => (Action<T1, T2, T3, T4, T5, T6, T7, T8>)Call;

        private void Call(T1 v1, T2 v2, T3 v3, T4 v4, T5 v5, T6 v6, T7 v7, T8 v8) => host(Caller!, v1, v2, v3, v4, v5, v6, v7, v8);
    }

    private sealed class Procedure<T1, T2, T3, T4, T5, T6, T7, T8, T9>(
        Action<Caller, T1, T2, T3, T4, T5, T6, T7, T8, T9> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Procedure<T1, T2, T3, T4, T5, T6, T7, T8, T9>(host, own);

        private protected override Delegate Make() => (Action<T1, T2, T3, T4, T5, T6, T7, T8, T9>)Call;

        private void Call(T1 v1, T2 v2, T3 v3, T4 v4, T5 v5, T6 v6, T7 v7, T8 v8, T9 v9) => host(Caller!, v1, v2, v3, v4, v5, v6, v7, v8, v9);
    }

    private sealed class Procedure<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>(
        Action<Caller, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Procedure<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>(host, own);

        private protected override Delegate Make() => (Action<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>)Call;

        private void Call(T1 v1, T2 v2, T3 v3, T4 v4, T5 v5, T6 v6, T7 v7, T8 v8, T9 v9, T10 v10) =>
            host(Caller!, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10);
    }

    private sealed class Procedure<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11>(
        Action<Caller, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Procedure<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11>(host, own);

        private protected override Delegate Make() => (Action<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11>)Call;

        private void Call(T1 v1, T2 v2, T3 v3, T4 v4, T5 v5, T6 v6, T7 v7, T8 v8, T9 v9, T10 v10, T11 v11) =>
            host(Caller!, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11);
    }

    private sealed class Procedure<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12>(
        Action<Caller, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Procedure<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12>(host, own);

        private protected override Delegate Make() => (Action<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12>)Call;

        private void Call(T1 v1, T2 v2, T3 v3, T4 v4, T5 v5, T6 v6, T7 v7, T8 v8, T9 v9, T10 v10, T11 v11, T12 v12) =>
            host(Caller!, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12);
    }

    private sealed class Procedure<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13>(
        Action<Caller, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Procedure<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13>(host, own);

        private protected override Delegate Make() => (Action<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13>)Call;

        private void Call(T1 v1, T2 v2, T3 v3, T4 v4, T5 v5, T6 v6, T7 v7, T8 v8, T9 v9, T10 v10, T11 v11, T12 v12, T13 v13) =>
            host(Caller!, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13);
    }

    private sealed class Procedure<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14>(
        Action<Caller, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Procedure<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14>(host, own);

        private protected override Delegate Make() => (Action<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14>)Call;

        private void Call(T1 v1, T2 v2, T3 v3, T4 v4, T5 v5, T6 v6, T7 v7, T8 v8, T9 v9, T10 v10, T11 v11, T12 v12, T13 v13, T14 v14) =>
            host(Caller!, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14);
    }

    private sealed class Procedure<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15>(
        Action<Caller, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15> host, Caller? caller) : CallerThunk(caller)
    {
        internal override CallerThunk For(Caller own) => new Procedure<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15>(host, own);

        private protected override Delegate Make() => (Action<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15>)Call;

        private void Call(T1 v1, T2 v2, T3 v3, T4 v4, T5 v5, T6 v6, T7 v7, T8 v8, T9 v9, T10 v10, T11 v11, T12 v12, T13 v13, T14 v14, T15 v15) =>
            host(Caller!, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15);
    }
}
