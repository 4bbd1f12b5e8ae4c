using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using WasmJit.Runtime;

namespace WasmJit.Jit.Calls;

/// <summary>The code of a module, for calls of host functions: it may have been saved with the methods that call them.</summary>
internal interface IHostAdapters
{
    /// <summary>Whether methods that the module needs and does not have may be made in this process.</summary>
    bool MayMakeCode { get; }

    /// <summary>The code of the method that calls host functions of a signature, 0 if it is to be made.</summary>
    nint FindHostAdapter(Signature signature);
}

/// <summary>
/// The way from wasm to host delegates. If the signature needs no conversion, a host function is called through the delegate's own target and code.
/// If function references cross or results must be checked, an adapter for each signature does it.
/// </summary>
internal sealed class HostAdapter
{
    internal static readonly MethodInfo FromDelegate = EntryThunk.Method(typeof(HostValues), nameof(HostValues.FromDelegateOrNull));
    internal static readonly MethodInfo ToDelegate = EntryThunk.Method(typeof(FuncRef), nameof(FuncRef.ToDelegate));

    private readonly object? codeOwner;

    private HostAdapter(Delegate target, DefType type, object? codeOwner)
    {
        Target = target;
        Type = type;
        this.codeOwner = codeOwner;
    }

    internal readonly Delegate Target;

    internal readonly DefType Type;

    /// <summary>The reference to a host function of a wasm type.</summary>
    /// <param name="target">The function.</param>
    /// <param name="type">Its type.</param>
    /// <param name="module">The code of the module that it is for, which may have been saved with an adapter.</param>
    /// <exception cref="ArgumentException">The delegate's signature is not the type's.</exception>
    internal static FuncRef MakeFunc(Delegate target, DefType type, IHostAdapters? module = null)
    {
        Signature signature = Signature.Of(type);
        MethodInfo? other = target is BoxedFunction || target.GetType() == signature.DelegateType ? null : target.GetType().GetMethod("Invoke")!;
        if (other is not null && !HasSignature(other, signature))
        {
            target = NumberDelegates.As(target, signature.DelegateType) ?? throw new ArgumentException($"A host function for {type} must be {signature.DelegateName}, not {CSharpName.Of(target.GetType())}.");
            other = null;
        }
        if (RuntimeCode.IsCompiledWhole) return InSlots(target, type);
        if (other is not null && AsyncHost.IsNeeded(other))
            target = AsyncHost.Wrap(target, signature.HostParameters, signature.HostReturn, signature.DelegateType, module?.MayMakeCode ?? true);
        else if (other is not null && !signature.IsSameForHost)
            target = Delegate.CreateDelegate(signature.DelegateType, target, "Invoke");
        // Code of a saved module calls functions that take objects, too, where there is some.
        Delegate called = target is BoxedFunction boxed ? SlotDelegates.Interpret(signature.DelegateType, signature.HostParameters, boxed.Invoke) : target;
        if (signature.IsSameForHost)
        {
            // An instance as the first argument is what tells a guest's functions from the host's.
            if (called.Target is InstanceCore) called = Delegate.CreateDelegate(signature.DelegateType, called, "Invoke");
            return new FuncRef(target, DelegateParts.TargetOf(called), DelegateParts.CodeOf(called), type);
        }
        // The adapter of a saved module, this one or another, if there is none made here.
        IHostAdapters? owner = module;
        nint code = owner?.FindHostAdapter(signature) ?? 0;
        if (code == 0 && !RuntimeCode.IsAvailable && !signature.HasSavedAdapter) return InSlots(target, type);
        if (code == 0) code = signature.GetHostAdapter(out owner);
        return new FuncRef(target, new HostAdapter(called, type, owner), code, type);
    }

    /// <summary>A host function that the interpreter alone can call.</summary>
    private static FuncRef InSlots(Delegate target, DefType type) => new(target, ValueHost.Of(target, type.AsFunc!), SlotCalls.Code, type);

    /// <summary>Whether a delegate's method, without what makes a host function asynchronous, has parameters and results of a signature.</summary>
    /// <param name="invoke">The method.</param>
    /// <param name="signature">The signature.</param>
    /// <param name="before">How many parameters stand before those of the signature.</param>
    internal static bool HasSignature(MethodInfo invoke, Signature signature, int before = 0)
    {
        Type result = AsyncHost.ResultOf(invoke.ReturnType);
        // The signature's own tuple is not in every program that is compiled whole.
        bool hasResults = signature.HostResults.Length < 2 ? result == signature.HostReturn : FlattenResult(result).SequenceEqual(signature.HostResults);
        return hasResults && AsyncHost.ParametersOf(invoke).Skip(before).SequenceEqual(signature.HostParameters);
    }

    /// <summary>The wasm type of a host function: its own, or that of its delegate.</summary>
    internal static DefType TypeOf(Delegate host) => host.Target is IUntypedHost untyped ? DefType.Of(untyped.Type) : TypeOf(host.GetType());

    /// <summary>The wasm type of a host delegate whose type is not given: the final type of its parameters and results.</summary>
    /// <exception cref="ArgumentException">A parameter or result is of no wasm type.</exception>
    internal static DefType TypeOf(Type delegateType) => TypeOf(delegateType.GetMethod("Invoke")!);

    /// <summary>The same of the delegate's method.</summary>
    /// <param name="invoke">The method.</param>
    /// <param name="before">How many parameters stand before those of the type.</param>
    /// <exception cref="ArgumentException">A parameter or result is of no wasm type.</exception>
    internal static DefType TypeOf(MethodInfo invoke, int before = 0)
    {
        Type result = AsyncHost.ResultOf(invoke.ReturnType);
        return DefType.Of(new FuncType(
            [.. AsyncHost.ParametersOf(invoke).Skip(before).Select(ValTypeOf)],
            result == typeof(void) ? [] : [.. FlattenResult(result).Select(ValTypeOf)]));
    }

    private static Type[] FlattenResult(Type type)
    {
        if (!typeof(ITuple).IsAssignableFrom(type) || !type.IsValueType) return [type];
        Type[] parts = type.GetGenericArguments();
        return parts.Length < 8 ? parts : [.. parts[..7], .. FlattenResult(parts[7])];
    }

    private static ValType ValTypeOf(Type type)
    {
        if (NumberDelegates.KindOf(type) is { } kind) return ValType.OfNumber(kind);
        if (type == typeof(Delegate)) return ValType.FuncRef;
        if (type == typeof(object)) return ValType.ExternRef;
        throw new ArgumentException($"{type} is not the .NET form of a WebAssembly type.");
    }

    internal static string NameOf(Signature signature) => "wasm host " + signature.Key;

    internal static DynamicMethod Make(Signature signature)
    {
        var method = RuntimeCode.Method(NameOf(signature), signature.Return, signature.Parameters, typeof(HostAdapter).Module);
        Write(method.GetILGenerator(), signature);
        return method;
    }

    /// <summary>The body: static R(adapter, args...) in the form of generated code.</summary>
    internal static void Write(ILGenerator il, Signature signature)
    {
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldfld, typeof(HostAdapter).GetField(nameof(Target), BindingFlags.Instance | BindingFlags.NonPublic)!);
        for (int i = 0; i < signature.ValueTypes.Length; i++)
        {
            il.Emit(OpCodes.Ldarg, (short)(i + 1));
            if (signature.Key[i] is 'F' or 'T') il.Emit(OpCodes.Call, ToDelegate);
        }
        il.Emit(OpCodes.Callvirt, signature.DelegateType.GetMethod("Invoke")!);
        ReadOnlySpan<char> letters = signature.Key.AsSpan(signature.Key.IndexOf(':') + 1);
        var checks = new MethodInfo?[letters.Length];
        for (int i = 0; i < checks.Length; i++)
            checks[i] = letters[i] switch
            {
                'F' or 'T' => EntryThunk.Method(typeof(HostAdapter), nameof(ResultFunc)),
                'R' => EntryThunk.Method(typeof(HostAdapter), nameof(ResultRef)),
                _ => null,
            };
        ValueConversion.Results(il, signature.HostResults, signature.ResultTypes, i => checks[i] is not null, (generator, i) =>
        {
            generator.Emit(OpCodes.Ldarg_0);
            generator.Emit(OpCodes.Ldc_I4, i);
            generator.Emit(OpCodes.Call, checks[i]!);
        });
        il.Emit(OpCodes.Ret);
    }

    private static FuncRef? ResultFunc(Delegate? value, HostAdapter host, int index) =>
        HostValues.ToFunc(value, host.Type.AsFunc!.Results[index]);

    private static object? ResultRef(object? value, HostAdapter host, int index) =>
        HostValues.ToRef(value, host.Type.AsFunc!.Results[index]);
}
