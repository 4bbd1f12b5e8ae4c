namespace WasmJit.Components;

/// <summary>A function of the host, with the type that a component imports it with.</summary>
/// <param name="found">What was found of the host for the import.</param>
/// <param name="scope">The instance that imports it.</param>
internal sealed class HostFunction(FoundFunction found, HostScope scope) : ComponentFunc(found.Type)
{
    /// <summary>The instance whose types the function's type is made of.</summary>
    internal InstanceState Types => scope.State;

    /// <summary>What it does, on values; null if there is a delegate.</summary>
    internal HostDelegate? Function => found.Function;

    /// <summary>What it does, on .NET types.</summary>
    internal Delegate? Target => found.Target;

    /// <summary>What calls the delegate.</summary>
    internal HostCode CodeFor(ValueForm parameters, bool hasPointer, bool is64) => found.CodeFor(parameters, hasPointer, is64);
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
