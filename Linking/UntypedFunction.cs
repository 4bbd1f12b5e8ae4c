using System.Runtime.InteropServices;
using WasmJit.Jit.Calls;
using WasmJit.Linking;
using WasmJit.Runtime;

namespace WasmJit;

/// <summary>
/// A function of a guest or of the host, called with values whose types are known at run time. It costs some nanoseconds more than the typed delegate, and
/// allocates nothing.
/// </summary>
public sealed class UntypedFunction
{
    private readonly UntypedInvoker? invoker;

    /// <summary>The function, where values go to it without a method for its signature.</summary>
    private readonly FuncRef? target;

    private UntypedFunction(Delegate function, FuncType type)
    {
        Delegate = function;
        Type = type;
        invoker = UntypedCalls.InvokerOf(Signature.Of(type));
    }

    private UntypedFunction(FuncRef func)
    {
        Delegate = func.Delegate;
        Type = func.Type.AsFunc!;
        target = func;
    }

    /// <summary>The function behind a delegate: an export, a function reference of a guest, or a host function of WebAssembly types.</summary>
    /// <param name="function">The delegate.</param>
    /// <exception cref="ArgumentException">A parameter or result has no type of WebAssembly.</exception>
    public static UntypedFunction Of(Delegate function)
    {
        ArgumentNullException.ThrowIfNull(function);
        if (FuncRef.Behind(function) is { } func) return Of(func);
        return Of(HostFunctions.Make(function, HostFunctions.TypeOf(function), null));
    }

    internal static UntypedFunction Of(FuncRef func) =>
        !RuntimeCode.IsAvailable ? new(func) : new(func.Delegate.GetType() == Signature.Of(func.Type).DelegateType ? func.Delegate : System.Delegate.CreateDelegate(Signature.Of(func.Type).DelegateType, func.Delegate, "Invoke"), func.Type.AsFunc!);

    /// <summary>Its type.</summary>
    public FuncType Type { get; }

    /// <summary>The same function as a delegate of its own type.</summary>
    public Delegate Delegate { get; }

    /// <summary>Calls it.</summary>
    /// <param name="arguments">The arguments, each of the kind of its parameter.</param>
    /// <param name="results">Where the results go; as many as the type has.</param>
    /// <param name="cancellation">Stops the guest, as <see cref="Guest.Run(Action, CancellationToken)"/> does.</param>
    /// <exception cref="ArgumentException">The arguments, or the number of results, are not those of the type.</exception>
    /// <exception cref="InvalidOperationException">The token can be cancelled, and the engine has no <see cref="EngineOptions.Interruptible"/>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="TrapException">The guest trapped.</exception>
    public void Invoke(ReadOnlySpan<Value> arguments, Span<Value> results, CancellationToken cancellation = default)
    {
        Check(arguments, results.Length);
        if (!cancellation.CanBeCanceled)
        {
            Call(arguments, results);
            return;
        }
        Guest.CheckCanStop(Delegate, cancellation);
        cancellation.ThrowIfCancellationRequested();
        CancellationScope scope = CancellationScope.Enter(cancellation);
        try
        {
            Call(arguments, results);
        }
        finally
        {
            scope.Leave();
        }
    }

    private void Call(ReadOnlySpan<Value> arguments, Span<Value> results)
    {
        if (target is not null) SlotCalls.Invoke(target, arguments, results);
        else invoker!(Delegate, ref MemoryMarshal.GetReference(arguments), ref MemoryMarshal.GetReference(results));
    }

    /// <summary>As <see cref="Invoke(ReadOnlySpan{Value}, Span{Value}, CancellationToken)"/>; makes an array for the results.</summary>
    /// <param name="arguments">The arguments.</param>
    /// <exception cref="ArgumentException">The arguments are not those of the type.</exception>
    /// <exception cref="TrapException">The guest trapped.</exception>
    public Value[] Invoke(params ReadOnlySpan<Value> arguments)
    {
        var results = new Value[Type.Results.Length];
        Invoke(arguments, results);
        return results;
    }

    private void Check(ReadOnlySpan<Value> arguments, int results)
    {
        if (arguments.Length != Type.Params.Length)
            throw new ArgumentException($"The function takes {Type.Params.Length} arguments, not {arguments.Length}: {Type}", nameof(arguments));
        if (results != Type.Results.Length)
            throw new ArgumentException($"The function has {Type.Results.Length} results, not {results}: {Type}", nameof(results));
        for (int i = 0; i < arguments.Length; i++)
        {
            if (arguments[i].Kind != Type.Params[i].Kind)
                throw new ArgumentException($"Argument {i} is {Value.NameOf(arguments[i].Kind)}, not {Type.Params[i]}.", nameof(arguments));
        }
    }
}
