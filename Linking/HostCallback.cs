using WasmJit.Linking;

namespace WasmJit;

/// <summary>A host function whose type is known at run time.</summary>
/// <param name="caller">The instance that calls; null if the call comes from no instance that imports the function.</param>
/// <param name="arguments">The arguments, of the types of the parameters. They are valid during the call.</param>
/// <param name="results">Where the results go. They are zero or null before the call.</param>
public delegate void HostCallback(Caller? caller, ReadOnlySpan<Value> arguments, Span<Value> results);

/// <summary>Host functions whose type is known at run time. Those whose type is known before are delegates as they are.</summary>
public static class HostFunction
{
    /// <summary>
    /// Makes a host function of a type and a callback. The delegate can be given wherever a host function can: as an import, in tables and globals,
    /// as an argument.
    /// </summary>
    /// <param name="type">Its type.</param>
    /// <param name="callback">What is called. An <see cref="InvalidCastException"/> goes to the host if a result is of another kind.</param>
    public static Delegate Create(FuncType type, HostCallback callback)
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(callback);
        return new UntypedHost(type, callback, null).Delegate;
    }
}
