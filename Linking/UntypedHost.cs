using WasmJit.Jit.Calls;

namespace WasmJit.Linking;

/// <summary>A host function whose type is known at run time, and the instance whose calls it serves.</summary>
internal sealed class UntypedHost(FuncType type, HostCallback callback, Caller? caller) : IUntypedHost
{
    private Delegate? made;

    public FuncType Type => type;

    internal Caller? Caller => caller;

    /// <summary>The function as a delegate, whose target is this object.</summary>
    internal Delegate Delegate => made ?? Interlocked.CompareExchange(ref made, UntypedCalls.MakeHost(Signature.Of(type), this), null) ?? made;

    internal UntypedHost For(Caller own) => new(type, callback, own);

    /// <summary>What stands behind a delegate; null if it is another function.</summary>
    internal static UntypedHost? Of(Delegate function) => function.Target as UntypedHost;

    /// <summary>Whether it is a function of this type: parameters and results are the same.</summary>
    internal bool Fits(FuncType wanted) => type.Params.SequenceEqual(wanted.Params) && type.Results.SequenceEqual(wanted.Results);

    object? IUntypedHost.CallBoxed(object?[] arguments)
    {
        int parameters = type.Params.Length;
        if (arguments.Length != parameters) throw new ArgumentException($"The function takes {parameters} arguments, not {arguments.Length}: {type}", nameof(arguments));
        var values = new Value[parameters + type.Results.Length];
        for (int i = 0; i < parameters; i++) values[i] = Value.From(arguments[i], type.Params[i]);
        ((IUntypedHost)this).Call(values);
        object?[] results = [.. values[parameters..].Select(static value => value.ToObject())];
        return results.Length switch { 0 => null, 1 => results[0], _ => results };
    }

    void IUntypedHost.Call(Value[] values)
    {
        int parameters = type.Params.Length, count = type.Results.Length;
        Span<Value> results = values.AsSpan(parameters, count);
        for (int i = 0; i < count; i++) results[i] = Value.Zero(type.Results[i]);
        callback(caller, values.AsSpan(0, parameters), results);
        for (int i = 0; i < count; i++)
            if (results[i].Kind != type.Results[i].Kind)
                throw new InvalidCastException($"Result {i} of a host function is {Value.NameOf(results[i].Kind)}, not {type.Results[i]}.");
    }
}
