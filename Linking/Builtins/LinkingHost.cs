using WasmJit.Linking;
using WasmJit.Runtime;

namespace WasmJit.Builtins;

/// <summary>
/// The built-in module <c>wasm:linking</c> for one guest, or several that trust one another: the runtime-linking extension as functions on handles, for toolchains
/// that cannot emit its instructions, and for hosts that grant it to one guest and not to another. The functions are described in
/// Docs/linking-builtins.md.
/// </summary>
/// <example><code>
/// var linking = new LinkingHost(new LinkingOptions { Namespace = plugins, AllowCompile = true });
/// Instance guest = module.Instantiate(linking.Imports);
/// </code></example>
public sealed class LinkingHost
{
    /// <summary>The name of the module.</summary>
    public const string ModuleName = "wasm:linking";

    private readonly LinkingState state;

    /// <summary>Makes the module for a guest.</summary>
    /// <param name="options">What the guest may do; very little if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of handles is out of range.</exception>
    public LinkingHost(LinkingOptions? options = null)
    {
        Options = options ?? new LinkingOptions();
        ArgumentOutOfRangeException.ThrowIfNegative(Options.MaximumHandles, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(Options.MaximumHandles, HandleTable.First, nameof(options));
        state = new LinkingState(Options);
        Imports = [];
        foreach ((string name, Delegate function, Delegate? wide) in LinkingFunctions.All(state))
        {
            Imports.Add(ModuleName, name, function);
            if (wide is not null) HostFunctions.AddForm(function, wide);
        }
    }

    /// <summary>What the guest may do.</summary>
    public LinkingOptions Options { get; }

    /// <summary>The functions, for <see cref="Module.Instantiate"/>.</summary>
    public Imports Imports { get; }

    /// <summary>
    /// Says which instance is the guest if the host itself calls the functions. In the calls of an instance it is that instance: addresses are in its
    /// memory (the export <c>memory</c>, or else its first), indices in its table (the export <c>__indirect_function_table</c>, or else its first
    /// table of functions), and its engine compiles.
    /// </summary>
    /// <param name="instance">The guest.</param>
    public void Attach(Instance instance) => state.Attached = instance;

    /// <summary>The message of the last error, as <c>last_error</c> gives it to the guest; null if there was none.</summary>
    public string? LastError => state.LastError;

    /// <summary>The object behind a handle: a function as its delegate, a module, an instance and so on; null if there is none.</summary>
    /// <param name="handle">The handle.</param>
    public object? Find(int handle) => state.Handles.Find(handle) is var item && item is FuncRef func ? func.Delegate : item;

    /// <summary>Gives the guest an object: a delegate of the guest's world, a module, an instance, a memory, a table, a global or a tag.</summary>
    /// <param name="value">The object.</param>
    /// <returns>Its handle.</returns>
    /// <exception cref="ArgumentException">The object is not of a kind that guests can use.</exception>
    /// <exception cref="InvalidOperationException">The guest has all handles that it may have.</exception>
    public int Give(object value)
    {
        object item = value switch
        {
            Delegate d => HostValues.FromDelegate(d, null),
            Module or Instance or Memory or Table or Global or Tag or ModuleNamespace => value,
            _ => throw new ArgumentException($"A {value.GetType()} cannot be given to a guest.", nameof(value)),
        };
        try
        {
            return state.Handles.Add(item);
        }
        catch (LinkingFailure e)
        {
            throw new InvalidOperationException(e.Message, e);
        }
    }
}
