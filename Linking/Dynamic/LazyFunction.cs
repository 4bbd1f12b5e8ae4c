using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using WasmJit.DynamicLinking;
using WasmJit.Jit.Calls;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>
/// Stands for a function that is imported before there is an instance that has it: of a library of the same cycle, or one that no library defines, if
/// that is allowed. Each call looks the symbol up. As soon as the definition is known, it replaces this function in the importing instance. Only
/// references that were taken earlier still come here.
/// </summary>
internal sealed class LazyFunction(DynamicLinker linker, DynamicLibrary library, string name, DefType type, Func<FuncRef, FuncRef>? here = null)
{
    private static readonly MethodInfo TargetMethod =
        typeof(LazyFunction).GetMethod(nameof(Target), BindingFlags.Instance | BindingFlags.NonPublic)!;

    private static readonly ConditionalWeakTable<FuncRef, LazyFunction> Made = [];

    /// <summary>Makes the delegates, by signature: a library can have a hundred thousand missing functions, and a compiled expression takes a millisecond.</summary>
    private static readonly ConditionalWeakTable<Signature, Func<LazyFunction, Delegate>> Makers = [];

    /// <summary>Its price in fuel.</summary>
    internal const ulong Cost = 1000;

    private Delegate? target;

    /// <summary>Whether a function stands for one that was not known.</summary>
    internal static bool IsOne(FuncRef func) => Made.TryGetValue(func, out _);

    /// <summary>A function of the type that forwards to the definition.</summary>
    internal FuncRef Make()
    {
        FuncRef func = HostAdapter.MakeFunc(Forward(), type, library.Module.SavedCode);
        Made.Add(func, this);
        return func;
    }

    private Delegate Forward()
    {
        if (!RuntimeCode.IsAvailable && library.Module.SavedCode is null)
            return new UntypedHost(type.AsFunc!, (_, arguments, results) => UntypedFunction.Of(Target()).Invoke(arguments, results), null).Delegate;
        Signature signature = Signature.Of(type);
        // Where no code may be made, calls are interpreted until the definition takes this one's place.
        return library.Module.SavedCode is not null ? Maker(signature, isInterpreted: true)(this)
            : Makers.GetValue(signature, static s => Maker(s, isInterpreted: false))(this);
    }

    private static Func<LazyFunction, Delegate> Maker(Signature signature, bool isInterpreted)
    {
        ParameterExpression self = Expression.Parameter(typeof(LazyFunction));
        ParameterExpression[] parameters = [.. signature.HostParameters.Select(p => Expression.Parameter(p))];
        Expression function = Expression.Convert(Expression.Call(self, TargetMethod), signature.DelegateType);
        LambdaExpression forward = Expression.Lambda(signature.DelegateType, Expression.Invoke(function, parameters), parameters);
        return Expression.Lambda<Func<LazyFunction, Delegate>>(forward, self).Compile(isInterpreted);
    }

    private Delegate Target()
    {
        if (target is not null) return target;
        if (linker.Symbols.FindFunction(library, name) is not { } found)
            throw Trap.Make(TrapKind.UnknownImport, $"{library.Name}: undefined symbol: {name}");
        if (!Subtyping.Matches(ExternType.OfFunc(found.Type, true), ExternType.OfFunc(type)))
            throw Trap.Make(TrapKind.IndirectCallTypeMismatch, $"{name} is {found.Type}, {library.Name} needs {type}");
        return target = (here is null ? found : here(found)).Delegate;
    }
}
