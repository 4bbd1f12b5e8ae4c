using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>Values that cross between .NET and generated code: the checks and conversions that references need.</summary>
internal static class HostValues
{
    /// <summary>Makes the function reference of a host delegate; set by the compiler.</summary>
    internal static Func<Delegate, DefType?, FuncRef> HostFuncFactory = null!;

    private static readonly ConditionalWeakTable<Delegate, FuncRef> HostFuncs = [];

    /// <summary>
    /// The function reference behind a delegate: that of the guest if the delegate came from there, otherwise a new one for the host's function.
    /// </summary>
    /// <exception cref="ArgumentException">Not a function of the type.</exception>
    internal static FuncRef? ToFunc(object? value, ValType type)
    {
        switch (value)
        {
            case null when type.IsNullable:
                return null;
            case Delegate d:
                FuncRef func = FromDelegate(d, type.Heap as DefType);
                if (RefTypes.Matches(func, type.Heap!)) return func;
                break;
        }
        throw new ArgumentException($"A value of type {type} was expected, not {value ?? "null"}.", nameof(value));
    }

    /// <summary>The same without a type to check, for results of host functions of type <c>funcref</c>.</summary>
    internal static FuncRef? FromDelegateOrNull(Delegate? d) => d is null ? null : FromDelegate(d, null);

    internal static FuncRef FromDelegate(Delegate d, DefType? wanted)
    {
        if (FuncRef.Behind(d) is { } func && ReferenceEquals(func.Delegate, d)) return func;
        return HostFuncs.GetValue(d, key => HostFuncFactory(key, wanted));
    }

    /// <summary>A reference of any type in the form of generated code.</summary>
    /// <exception cref="ArgumentException">Not of the type.</exception>
    internal static object? ToGuest(object? value, ValType type) =>
        ReferenceEquals(Subtyping.TopOf(type.Heap!), HeapType.Func) ? ToFunc(value, type) : ToRef(value, type);

    /// <summary>A reference as the host sees it: a function is its delegate.</summary>
    internal static object? ToHost(object? reference) => reference is FuncRef func ? func.Delegate : reference;

    /// <summary>A reference other than to a function.</summary>
    /// <exception cref="ArgumentException">Not of the type.</exception>
    internal static object? ToRef(object? value, ValType type)
    {
        if (RefTypes.Matches(value, type)) return value;
        throw new ArgumentException($"A value of type {type} was expected, not {value ?? "null"}.", nameof(value));
    }
}
