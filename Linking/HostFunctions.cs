using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Tiers;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>
/// Host functions as references. A function that takes a <see cref="Caller"/> becomes a function of its own for each instance that imports it. All
/// others pay nothing for that.
/// </summary>
internal static class HostFunctions
{
    private static readonly ConditionalWeakTable<Delegate, CallerThunk> Thunks = [];

    /// <summary>Host functions that have a second form, with other parameters.</summary>
    private static readonly ConditionalWeakTable<Delegate, Delegate> Forms = [];

    /// <summary>Gives a host function a second form: modules that import it with this one's type get it.</summary>
    internal static void AddForm(Delegate host, Delegate other) => Forms.Add(host, other);

    private static Delegate FormFor(Delegate host, FuncType wanted) => Forms.TryGetValue(host, out Delegate? other) && Takes(other, wanted) ? other : host;

    /// <summary>Whether a host function of whole numbers has the parameters of a type. Its own type need not be made for that.</summary>
    private static bool Takes(Delegate host, FuncType wanted) => host.GetType().GetMethod("Invoke")!.GetParameters()
        .Where(p => p.ParameterType != typeof(Caller)).Select(p => p.ParameterType == typeof(long) ? ValType.I64 : ValType.I32).SequenceEqual(wanted.Params);

    /// <summary>The reference to a host function of a type. <see cref="ForCaller"/> says which instance calls it.</summary>
    /// <param name="host">The function.</param>
    /// <param name="type">Its type.</param>
    /// <param name="code">The code of the module that it is for.</param>
    /// <exception cref="ArgumentException">The delegate's signature is not the type's.</exception>
    internal static FuncRef Make(Delegate host, DefType type, FunctionCode? code)
    {
        if (UntypedHost.Of(host) is { } untyped && !untyped.Fits(type.AsFunc!)) throw new ArgumentException($"The host function is {untyped.Type}, not {type}.");
        host = FormFor(host, type.AsFunc!);
        if (RuntimeCode.IsCompiledWhole && WantsCaller(host))
        {
            // The function without the caller has no type of its own there.
            Signature wanted = Signature.Of(type);
            if (!HostAdapter.HasSignature(host.GetType().GetMethod("Invoke")!, wanted, before: 1))
                throw new ArgumentException($"A host function for {type} must be {wanted.DelegateName} behind its caller, not {CSharpName.Of(host.GetType())}.");
        }
        return HostAdapter.MakeFunc(WantsCaller(host) ? ThunkOf(host, code?.MayMakeCode ?? true).Bound : host, type, code);
    }

    /// <summary>Whether a host function's first parameter is its caller.</summary>
    internal static bool WantsCaller(Delegate host)
    {
        // Such functions alone have thunks. Reflection would be slower.
        if (Thunks.TryGetValue(host, out _)) return true;
        Type type = host.GetType();
        // The usual types have it as a type argument.
        if (type.IsGenericType && type.Assembly == typeof(Action).Assembly && type.GenericTypeArguments[0] != typeof(Caller)) return false;
        ParameterInfo[] parameters = type.GetMethod("Invoke")!.GetParameters();
        return parameters.Length > 0 && parameters[0].ParameterType == typeof(Caller);
    }

    /// <summary>The type that a host function has by itself.</summary>
    /// <exception cref="ArgumentException">A parameter or result has no type of WebAssembly.</exception>
    internal static DefType TypeOf(Delegate host) => UntypedHost.Of(host) is { } untyped ? DefType.Of(untyped.Type)
        : HostAdapter.TypeOf(host.GetType().GetMethod("Invoke")!, WantsCaller(host) ? 1 : 0);

    /// <summary>The function for an instance that is about to import it: the same one, unless it takes its caller.</summary>
    internal static FuncRef ForCaller(FuncRef func, Instance instance)
    {
        if (func.Host is not { } host) return func;
        if (UntypedHost.Of(host) is { } untyped)
        {
            return ReferenceEquals(untyped.Caller, instance.Caller) ? func
                : HostAdapter.MakeFunc(untyped.For(instance.Caller).Delegate, func.Type, instance.Module.SavedCode);
        }
        if (host.Target is not CallerThunk thunk || ReferenceEquals(thunk.Caller, instance.Caller)) return func;
        return HostAdapter.MakeFunc(thunk.For(instance.Caller).Bound, func.Type, instance.Module.SavedCode);
    }

    /// <summary>Gives a host function the thunk that would be made of it by reflection.</summary>
    internal static void Know(Delegate host, CallerThunk thunk) => Thunks.Add(host, thunk);

    private static CallerThunk ThunkOf(Delegate host, bool mayMakeCode) =>
        Thunks.TryGetValue(host, out CallerThunk? known) ? known : Thunks.GetValue(host, h => MakeThunk(h, mayMakeCode));

    private static CallerThunk MakeThunk(Delegate host, bool mayMakeCode)
    {
        if (RuntimeCode.IsCompiledWhole) return new CallerThunk.Boxed(host, null);
        host = NumberDelegates.InHostForm(host);
        MethodInfo invoke = host.GetType().GetMethod("Invoke")!;
        Type[] parameters = AsyncHost.ParametersOf(invoke);
        Type result = AsyncHost.ResultOf(invoke.ReturnType);
        Type usual = Expression.GetDelegateType([.. parameters, result]);
        if (AsyncHost.IsNeeded(invoke)) host = AsyncHost.Wrap(host, parameters, result, usual, mayMakeCode);
        else if (host.GetType() != usual) host = Delegate.CreateDelegate(usual, host, "Invoke");
        bool hasResult = result != typeof(void);
        return CallerThunk.Make(host, hasResult ? [.. parameters[1..], result] : parameters[1..], hasResult);
    }
}
