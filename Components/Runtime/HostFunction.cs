namespace WasmJit.Components;

/// <summary>A function of the host, with the type that a component imports it with.</summary>
internal sealed class HostFunction(FunctionType type, HostScope scope, HostDelegate function) : ComponentFunc(type)
{
    /// <summary>The instance whose types the function's type is made of.</summary>
    internal InstanceState Types => scope.State;

    internal HostDelegate Function { get; } = function;
}

/// <summary>The instance that imports functions of the host: it is made after them.</summary>
internal sealed class HostScope
{
    private InstanceState? state;

    internal InstanceState State
    {
        get => state ?? throw new InvalidOperationException("The instance is not there yet.");
        set => state = value;
    }
}

/// <summary>A function of the host on values; its result may come later.</summary>
internal delegate ValueTask<ComponentValue> HostDelegate(ComponentValue[] arguments);
