using System.Collections;

namespace WasmJit.Components;

/// <summary>
/// What components import: functions and resource types of the host, instances of other components, core modules, components. Names are those of the
/// component, as in <c>wasi:io/streams@0.2.0</c>; what is in an interface is added to <see cref="Interface"/>. An interface of another version stands for one that is
/// not there if their versions are compatible: 0.2.8 for 0.2.0, 1.4.0 for 1.0.0.
/// </summary>
public sealed class ComponentHost : IEnumerable<KeyValuePair<string, object>>
{
    private readonly Dictionary<string, object> items = [];

    /// <summary>The newest of the interfaces that can stand for one another, by what they have in common.</summary>
    private readonly Dictionary<string, (InterfaceVersion Version, object Item)> tracks = [];

    internal Scheduler? Scheduler { get; private set; }

    /// <summary>The interface of a name, to add to.</summary>
    /// <exception cref="ArgumentException">There is something else of this name already.</exception>
    public ComponentHost Interface(string name)
    {
        if (!items.TryGetValue(name, out object? found)) AddItem(name, found = new ComponentHost());
        return found as ComponentHost ?? throw new ArgumentException($"There is another import \"{name}\" already.", nameof(name));
    }

    private void AddItem(string name, object item)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(item);
        if (!items.TryAdd(name, item)) throw new ArgumentException($"There is an import \"{name}\" already.", nameof(name));
        if (InterfaceVersion.Of(name, out string track) is { } version && (!tracks.TryGetValue(track, out var newest) || newest.Version < version))
            tracks[track] = (version, item);
    }

    /// <summary>Adds a function on values.</summary>
    /// <param name="name">The name.</param>
    /// <param name="function">Gets the arguments; gives the result, or <c>default</c> if the function has none.</param>
    /// <exception cref="ArgumentException">There is an import of this name already; so with the others.</exception>
    public void Add(string name, Func<ComponentValue[], ComponentValue> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        AddItem(name, (HostDelegate)(values => new ValueTask<ComponentValue>(function(values))));
    }

    /// <summary>Adds a function on values that may wait: a guest that calls it can do something else.</summary>
    public void Add(string name, Func<ComponentValue[], Task<ComponentValue>> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        AddItem(name, (HostDelegate)(values => new ValueTask<ComponentValue>(function(values))));
    }

    /// <summary>Adds a function that another component exports.</summary>
    public void Add(string name, ExportedFunction function)
    {
        ArgumentNullException.ThrowIfNull(function);
        Join(function.Owner);
        AddItem(name, function);
    }

    /// <summary>Adds an instance of another component, or one that it exports.</summary>
    public void Add(string name, ComponentInstance instance)
    {
        ArgumentNullException.ThrowIfNull(instance);
        Join(instance);
        AddItem(name, instance);
    }

    /// <summary>Adds a resource type.</summary>
    public void Add(string name, HostResourceType type) => AddItem(name, type);

    /// <summary>Adds a core module.</summary>
    public void Add(string name, Module module) => AddItem(name, module);

    /// <summary>Adds a component, which the importing one may instantiate.</summary>
    public void Add(string name, WasmComponent component) => AddItem(name, component);

    /// <summary>
    /// Adds a function as a delegate over .NET types: see <see cref="ComponentInstance.GetFunction{T}"/>. One that returns a task may wait.
    /// </summary>
    public void Add(string name, Delegate function) => AddItem(name, function);

    /// <summary>
    /// What stands for an import: that of the name, or else the newest version that is compatible with it by the rules of semantic versions. What a component uses of
    /// it is compared in any case.
    /// </summary>
    internal object? Find(string name) => items.GetValueOrDefault(name)
        ?? (InterfaceVersion.Of(name, out string track) is not null && tracks.TryGetValue(track, out var newest) ? newest.Item : null);

    internal IReadOnlyDictionary<string, object> Resolve(ComponentSignature signature, HostScope scope) => new ImportResolver(scope).Resolve(signature, this);

    /// <summary>Components that call one another take turns together.</summary>
    private void Join(ComponentInstance instance)
    {
        Scheduler own = instance.Tree.Scheduler;
        Scheduler = Scheduler is null ? own : Scheduler.Merge(Scheduler, own);
    }

    /// <summary>All that was added; interfaces as a <see cref="ComponentHost"/>.</summary>
    public IEnumerator<KeyValuePair<string, object>> GetEnumerator() => items.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
