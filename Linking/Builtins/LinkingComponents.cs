namespace WasmJit.Builtins;

/// <summary>
/// The components that a guest can compile, load and instantiate through <c>wasm:linking</c>: <c>WasmJit.Components.ComponentLinkingHost</c> is one, and says what the guest may do.
/// </summary>
public abstract class LinkingComponents
{
    internal LinkingComponents()
    {
    }

    /// <summary>Compiles bytes of a guest.</summary>
    /// <exception cref="Linking.LinkingFailure">The guest may not, or the bytes are no component.</exception>
    internal abstract ILinkedComponent CompileFor(Instance guest, ReadOnlySpan<byte> bytes);

    /// <summary>Gives the guest a component of the host's.</summary>
    /// <exception cref="Linking.LinkingFailure">There is none of this name.</exception>
    internal abstract ILinkedComponent LoadFor(Instance guest, string name);
}

/// <summary>What a guest has by number and owns: the end of the number is its end.</summary>
internal interface ILinkedObject
{
    /// <summary>The names of what it imports; none of an instance.</summary>
    IReadOnlyList<string> ImportNames { get; }

    /// <summary>The names of what it exports.</summary>
    IReadOnlyList<string> ExportNames { get; }

    /// <summary>The guest has dropped it.</summary>
    void End();
}

/// <summary>A component that a guest has.</summary>
internal interface ILinkedComponent : ILinkedObject
{
    /// <summary>Makes an instance, with instances of the guest's as imports.</summary>
    /// <exception cref="Linking.LinkingFailure">It cannot be linked, or the guest may have no more.</exception>
    ILinkedInstance InstantiateFor(Instance guest, IReadOnlyList<(string Name, ILinkedInstance Instance)> imports);
}

/// <summary>An instance of a component that a guest has.</summary>
internal interface ILinkedInstance : ILinkedObject
{
    /// <summary>Calls an exported function with arguments in the binary format of values; gives its result in the same format.</summary>
    /// <exception cref="Linking.LinkingFailure">There is no such function, the arguments do not fit, or the component has trapped.</exception>
    byte[] CallFor(string name, byte[] arguments);
}
