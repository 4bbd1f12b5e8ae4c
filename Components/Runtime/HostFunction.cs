namespace WasmJit.Components;

/// <summary>A function of the host, with the type that a component imports it with.</summary>
/// <param name="type">The type.</param>
/// <param name="scope">The instance that imports it.</param>
/// <param name="function">What it does, on values; null if there is a delegate.</param>
/// <param name="target">What it does, on .NET types.</param>
internal sealed class HostFunction(FunctionType type, HostScope scope, HostDelegate? function, Delegate? target = null) : ComponentFunc(type)
{
    /// <summary>The instance whose types the function's type is made of.</summary>
    internal InstanceState Types => scope.State;

    internal HostDelegate? Function { get; } = function;

    internal Delegate? Target { get; } = target;
}

/// <summary>The instance that imports functions of the host: it is made after them.</summary>
internal sealed class HostScope
{
    private InstanceState? state;

    internal InstanceState State
    {
        get => state ?? throw new InvalidOperationException("The instance has not been made yet.");
        set => state = value;
    }
}

/// <summary>A function of the host on values; its result may come later.</summary>
internal delegate ValueTask<ComponentValue> HostDelegate(ComponentValue[] arguments);
