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

    /// <summary>How often something was added.</summary>
    internal int Version { get; private set; }

    internal Scheduler? Scheduler { get; private set; }

    /// <summary>The interface of a name, to add to.</summary>
    /// <exception cref="ArgumentException">There is something else of this name already.</exception>
    public ComponentHost Interface(string name)
    {
        if (!items.TryGetValue(name, out object? found)) AddItem(name, found = new ComponentHost());
        return found as ComponentHost ?? throw new ArgumentException($"There is another import \"{name}\" already.", nameof(name));
    }

    private void CheckNew(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (items.ContainsKey(name)) throw new ArgumentException($"There is an import \"{name}\" already.", nameof(name));
    }

    private void AddItem(string name, object item)
    {
        ArgumentNullException.ThrowIfNull(item);
        CheckNew(name);
        items.Add(name, item);
        Version++;
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
    /// <exception cref="InvalidOperationException">Calls of two components that are linked so wait.</exception>
    public void Add(string name, ExportedFunction function)
    {
        ArgumentNullException.ThrowIfNull(function);
        CheckNew(name);
        Join(function.Owner);
        AddItem(name, function);
    }

    /// <summary>Adds an instance of another component, or one that it exports.</summary>
    /// <exception cref="InvalidOperationException">Calls of two components that are linked so wait.</exception>
    public void Add(string name, ComponentInstance instance)
    {
        ArgumentNullException.ThrowIfNull(instance);
        CheckNew(name);
        Join(instance);
        AddItem(name, instance);
    }

    /// <summary>Adds a resource type.</summary>
    public void Add(string name, HostResourceType type) => AddItem(name, type);

    /// <summary>Adds a core module.</summary>
    public void Add(string name, Module module) => AddItem(name, module);

    /// <summary>Adds a value.</summary>
    public void Add(string name, ComponentValue value) => AddItem(name, value);

    /// <summary>Adds a component, which the importing one may instantiate.</summary>
    public void Add(string name, WasmComponent component) => AddItem(name, component);

    /// <summary>
    /// Adds a function as a delegate over .NET types: see <see cref="ComponentInstance.GetFunction{T}"/>. One that returns a task may wait.
    /// </summary>
    public void Add(string name, Delegate function) => AddItem(name, function);

    private readonly List<HostMembers> members = [];

    /// <summary>
    /// Adds the public methods of an object as functions. A function is a method of its name, without hyphens and case, or of its <see cref="WasmNameAttribute"/>; one
    /// that waits may end in <c>Async</c>. Types are those of <see cref="ComponentInstance.GetFunction{T}"/>; lists of numbers may be a <see cref="ReadOnlySpan{T}"/>, a view of
    /// the guest's memory. A method whose function returns a <c>result</c> may return the value, and throw a <see cref="ComponentErrorException"/>.
    /// </summary>
    /// <typeparam name="T">The type whose methods count: an interface, or the object's class.</typeparam>
    /// <param name="target">The object.</param>
    public void AddObject<T>(T target)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(target);
        members.Add(new HostMembers(typeof(T), target, null));
        Version++;
    }

    /// <summary>
    /// Adds a class as a resource type: its public constructor, methods and static methods are the resource's. An object that is <see cref="IDisposable"/> is disposed of
    /// when its owner drops the handle. Functions of the host have objects of the class where their types have the resource.
    /// </summary>
    /// <typeparam name="T">The class.</typeparam>
    /// <param name="name">The resource's name.</param>
    /// <returns>The type.</returns>
    /// <exception cref="ArgumentException">There is an import of this name already.</exception>
    public HostResourceType AddResource<T>(string name)
        where T : class
    {
        var type = new HostResourceType(name);
        Add(name, type);
        members.Add(new HostMembers(typeof(T), null, name));
        Version++;
        return type;
    }

    /// <summary>Adds all that another has, or nothing. The other one is not used any more.</summary>
    /// <exception cref="ArgumentException">There is an import of one of its names already.</exception>
    internal void AddAll(ComponentHost other)
    {
        CheckAllNew(other);
        Take(other);
    }

    private void CheckAllNew(ComponentHost other)
    {
        foreach ((string name, object item) in other.items)
        {
            if (item is ComponentHost more && items.TryGetValue(name, out object? found) && found is ComponentHost face) face.CheckAllNew(more);
            else CheckNew(name);
        }
    }

    private void Take(ComponentHost other)
    {
        foreach ((string name, object item) in other.items)
        {
            if (item is ComponentHost more && items.TryGetValue(name, out object? found)) ((ComponentHost)found).Take(more);
            else AddItem(name, item);
        }
        members.AddRange(other.members);
        Version++;
    }

    /// <summary>Adds what another has and this one does not.</summary>
    internal void AddMissing(ComponentHost other)
    {
        foreach ((string name, object item) in other.items)
            if (!items.ContainsKey(name)) AddItem(name, item);
        members.AddRange(other.members);
        Version++;
        if (other.Scheduler is { } theirs) Scheduler = Scheduler is null ? theirs : Scheduler.Merge(Scheduler, theirs);
    }

    /// <summary>
    /// The item for an import: the one of that name, or else the newest version that is compatible by the rules of semantic versions. The types that a component
    /// uses of it are compared in any case.
    /// </summary>
    internal object? Find(string name)
    {
        if (items.TryGetValue(name, out object? found)) return found;
        if (InterfaceVersion.Of(name, out string track) is not null && tracks.TryGetValue(track, out var newest)) return newest.Item;
        foreach (HostMembers each in members)
            if (each.Find(name) is { } function) return function;
        return null;
    }

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
