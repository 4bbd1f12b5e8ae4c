namespace WasmJit;

/// <summary>
/// The WebAssembly name of a member, where it is not the member's own in one of the usual spellings. Of an interface: the interface or resource of a
/// component that it stands for.
/// </summary>
/// <param name="name">The export or import.</param>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Property | AttributeTargets.Event | AttributeTargets.Interface)]
public sealed class WasmNameAttribute(string name) : Attribute
{
    /// <summary>The export or import.</summary>
    public string Name { get; } = name;

    /// <summary>For events: the module that the import is of; any if null.</summary>
    public string? Module { get; init; }
}

/// <summary>The guest has allocated what is returned for its caller: it is given back with the guest's <c>free</c> when it has been copied.</summary>
[AttributeUsage(AttributeTargets.ReturnValue)]
public sealed class WasmOwnedAttribute : Attribute;

/// <summary>An interface and a module, or an object and a module's imports, do not fit. The message has a line for each member that does not.</summary>
public sealed class BindingException : WasmJitException
{
    internal BindingException(string what, IReadOnlyList<string> problems)
        : base($"{what}:{string.Concat(problems.Select(p => "\n  " + p))}") => Problems = problems;

    /// <summary>What is wrong, by member.</summary>
    public IReadOnlyList<string> Problems { get; }
}
