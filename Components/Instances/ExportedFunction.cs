using WasmJit.Jit.Calls;

namespace WasmJit.Components;

/// <summary>A function that a component instance exports, for calls with values whose types are not known when the program is written.</summary>
public sealed class ExportedFunction
{
    private readonly ComponentInstance owner;
    private readonly ComponentFunc function;

    internal ExportedFunction(ComponentInstance owner, string name, ComponentFunc function)
    {
        this.owner = owner;
        this.function = function;
        Name = name;
    }

    /// <summary>The name of the export.</summary>
    public string Name { get; }

    internal ComponentFunc Function => function;

    internal ComponentInstance Owner => owner;

    /// <summary>How many parameters it has.</summary>
    public int ParameterCount => function.Type.Parameters.Length;

    /// <summary>Whether it has a result.</summary>
    public bool HasResult => function.Type.Result is not null;

    /// <summary>Whether its type is that of a function that may wait.</summary>
    public bool IsAsync => function.Type.IsAsync;

    /// <summary>Calls it, and waits for the result if need be, on the calling thread.</summary>
    /// <param name="arguments">Of the types of the parameters.</param>
    /// <returns>The result; of the kind <see cref="ComponentValueKind.None"/> if there is none.</returns>
    /// <exception cref="ArgumentException">The arguments are not those of the function.</exception>
    /// <exception cref="TrapException">The guest trapped, or can never go on.</exception>
    /// <exception cref="ObjectDisposedException">The instance has been disposed of.</exception>
    public ComponentValue Call(params ReadOnlySpan<ComponentValue> arguments)
    {
        ComponentValue[] values = Check(arguments);
        Scheduler scheduler = owner.Tree.Enter();
        try
        {
            HostCaller call = Make(values);
            call.Begin();
            if (!call.IsResolved) scheduler.RunUntil(() => call.IsResolved);
            return call.Result;
        }
        finally
        {
            scheduler.Leave();
        }
    }

    /// <summary>
    /// Calls it without holding a thread while it waits; a guest that waits with frames on its stack keeps that stack.
    /// </summary>
    /// <param name="cancellation">Asks the guest to end the call early.</param>
    /// <param name="arguments">Of the types of the parameters.</param>
    /// <exception cref="ArgumentException">The arguments are not those of the function.</exception>
    /// <exception cref="OperationCanceledException">The guest has ended the call early.</exception>
    /// <exception cref="TrapException">The guest trapped, or can never go on.</exception>
    /// <exception cref="ObjectDisposedException">The instance has been disposed of.</exception>
    public async Task<ComponentValue> CallAsync(CancellationToken cancellation, params ComponentValue[] arguments)
    {
        ComponentValue[] values = Check(arguments);
        HostCaller call = Make(values);
        await Scheduler.RunAsync(owner.Tree, call, call.Begin, cancellation).ConfigureAwait(false);
        return call.Result;
    }

    private ComponentValue[] Check(ReadOnlySpan<ComponentValue> arguments)
    {
        ObjectDisposedException.ThrowIf(owner.IsDisposed, owner);
        if (arguments.Length != ParameterCount)
            throw new ArgumentException($"The function \"{Name}\" takes {ParameterCount} arguments, not {arguments.Length}.", nameof(arguments));
        return arguments.ToArray();
    }

    private HostCaller Make(ComponentValue[] values)
    {
        ObjectDisposedException.ThrowIf(owner.IsDisposed, owner);
        return new HostCaller(Lifted, values);
    }

    private LiftedFunction Lifted => function as LiftedFunction ?? throw new NotSupportedException("The function is one of the host.");

    /// <summary>The function as a delegate over .NET types; see <see cref="ComponentInstance.GetFunction{T}"/>.</summary>
    internal Delegate As(Type delegateType)
    {
        try
        {
            return DelegateBinder.ToExport(delegateType, owner, Lifted);
        }
        catch (ArgumentException e)
        {
            throw new InvalidCastException($"The function \"{Name}\" does not fit {CSharpName.Of(delegateType)}: {e.Message}.", e);
        }
    }
}

/// <summary>A call by the host.</summary>
/// <remarks>Unsafe: slots are as many as the core types have.</remarks>
internal sealed unsafe class HostCaller(LiftedFunction function, ComponentValue[] arguments) : HostTaskCaller
{
    private CallScope? scope;
    private ComponentValue result;

    internal ComponentValue Result
    {
        get
        {
            ThrowIfCancelled();
            return result;
        }
    }

    internal void Begin()
    {
        if (!function.IsPlain)
        {
            Task = function.Begin(this, function.Instance.FromHost);
            return;
        }
        InstanceState[] entered = function.Instance.FromHost;
        InstanceState.Enter(entered);
        BorrowScope? borrows = function.Shape.HasBorrows ? new BorrowScope() : null;
        scope = new CallScope(borrows);
        ulong* slots = stackalloc ulong[TypeLimits.FlatParameters];
        Lower(slots);
        ulong returned = 0;
        function.Call(slots, &returned);
        if (borrows is { Borrows: > 0 }) ComponentTrap.Throw(ComponentTrap.BorrowsRemain);
        Lift(&returned, function.IsResultFlat);
        function.AfterReturn(&returned);
        scope.Return();
        InstanceState.Leave(entered);
        Resolve();
    }

    private void Lower(ulong* slots)
    {
        FunctionShape shape = function.Shape;
        try
        {
            new ValueLowerer(function.Side, scope, function.Instance).Lower(
                arguments, shape.Parameters, shape.FlatParameters <= TypeLimits.FlatParameters ? ValueForm.Flat : ValueForm.Allocated, slots);
        }
        catch (Exception e) when (e is ArgumentException or InvalidCastException or InvalidOperationException)
        {
            // The host's own mistake: the guest has not run yet.
            IsMistaken = true;
            scope!.Undo(function.Instance);
            InstanceState.Leave(function.Instance.FromHost);
            throw e is ArgumentException ? e : new ArgumentException(e.Message, e);
        }
    }

    private void Lift(ulong* slots, bool isFlat)
    {
        if (function.Shape.Results.Length > 0)
            result = new ValueLifter(function.Side, scope, function.Instance).Lift(function.Shape.Results, isFlat, slots)[0];
    }

    internal override void Start(GuestTask callee, ulong* slots)
    {
        scope = new CallScope(callee);
        Lower(slots);
    }

    internal override void Return(GuestTask callee, ulong* slots, bool isFlat)
    {
        Lift(slots, isFlat);
        scope?.Return();
        Resolve();
    }
}
