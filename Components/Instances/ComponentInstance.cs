namespace WasmJit.Components;

/// <summary>
/// An instance of a component. It shares nothing: what is passed is copied. It has an owner, who disposes of it; its memory goes back to the system
/// at once. Calls from several threads wait for one another. A trap leaves the instances that the call was in unusable.
/// </summary>
public sealed class ComponentInstance : IDisposable
{
    private readonly ComponentTree tree;
    private readonly RuntimeInstance instance;
    private readonly ComponentInstanceType type;

    private ComponentInstance(ComponentTree tree, RuntimeInstance instance, ComponentInstanceType type)
    {
        this.tree = tree;
        this.instance = instance;
        this.type = type;
    }

    internal static ComponentInstance Make(WasmComponent component, ComponentHost imports, ComponentInstanceOptions options)
    {
        if (options.Fuel is not null && !component.Engine.Options.CountFuel) throw Module.NothingCounts();
        Scheduler scheduler = imports.Scheduler?.Latest ?? new Scheduler();
        scheduler.MostCopied = options.MaximumCopiedBytes;
        var tree = new ComponentTree(component.Engine, scheduler, options.Fuel, options.Resources);
        var scope = new HostScope();
        RuntimeInstance arguments = component.ImportsOf(imports, scope);
        scheduler = tree.Enter();
        try
        {
            RuntimeInstance made = new Instantiator(tree).Instantiate(component.Closure, arguments, null, scope);
            return new ComponentInstance(tree, made, new ComponentInstanceType(component.Signature.Exports, []));
        }
        catch
        {
            tree.Free();
            throw;
        }
        finally
        {
            scheduler.Leave();
        }
    }

    internal ComponentTree Tree => tree;

    internal RuntimeInstance Runtime => instance;

    internal ComponentInstanceType Type => type;

    /// <summary>Whether it has been disposed of.</summary>
    public bool IsDisposed => tree.IsDisposed;

    /// <summary>The names of what it exports, in order.</summary>
    public IReadOnlyList<string> Exports => [.. type.Exports.Select(e => e.Name)];

    /// <summary>An exported function.</summary>
    /// <exception cref="KeyNotFoundException">There is none of this name.</exception>
    /// <exception cref="ObjectDisposedException">The instance has been disposed of.</exception>
    public ExportedFunction GetFunction(string name)
    {
        ObjectDisposedException.ThrowIf(tree.IsDisposed, this);
        return instance.Find(name) is ComponentFunc function
            ? new ExportedFunction(this, name, function) : throw new KeyNotFoundException($"The instance exports no function \"{name}\".");
    }

    /// <summary>An exported function as a delegate over .NET types, without boxing and reflection in its calls.</summary>
    /// <typeparam name="T">
    /// A delegate type. Numbers, <c>bool</c>, <c>string</c> are what they are called, <c>char</c> is a <see cref="System.Text.Rune"/>; lists are arrays, tuples value
    /// tuples, maps a <see cref="Dictionary{TKey, TValue}"/>; records a type with a constructor that has a parameter for each field, and properties to read;
    /// enumerations and flags an enumeration; options null or the value; results a <see cref="ComponentResult{TOk, TError}"/>; variants a base class with a derived class
    /// for each case; resources a <see cref="ComponentResource"/>; and anything a <see cref="ComponentValue"/>. A function that returns a <see cref="Task"/> holds no thread
    /// while it waits. Names are compared without hyphens and case.
    /// </typeparam>
    /// <param name="name">The export.</param>
    /// <exception cref="KeyNotFoundException">There is none of this name.</exception>
    /// <exception cref="InvalidCastException">The function's type does not fit: the message says why.</exception>
    /// <exception cref="ObjectDisposedException">The instance has been disposed of.</exception>
    public T GetFunction<T>(string name)
        where T : Delegate => (T)GetFunction(name).As(typeof(T));

    /// <summary>
    /// The instance as an interface: methods are exported functions, and properties whose type is an interface are exported interfaces. A method that returns a
    /// task stands for a function that may wait. If the function returns a <c>result</c> and the method its value, errors are thrown as a
    /// <see cref="ComponentErrorException"/>. Resources are interfaces, too, whose methods are those of the resource; a method of the name of a resource, or with
    /// <c>New</c> or <c>Create</c> before it, is the resource's constructor. All other types are as for <see cref="GetFunction{T}"/>.
    /// </summary>
    /// <typeparam name="T">
    /// The interface. If the component exports an interface of its name, without the <c>I</c>, or of that in its <see cref="WasmNameAttribute"/>, it stands for that, otherwise
    /// for the component itself.
    /// </typeparam>
    /// <exception cref="BindingException">It does not fit: the message says of each member why.</exception>
    /// <exception cref="ObjectDisposedException">The instance has been disposed of.</exception>
    public T As<T>()
        where T : class
    {
        ObjectDisposedException.ThrowIf(tree.IsDisposed, this);
        return (T)(object)FaceBinder.Make(typeof(T), this);
    }

    /// <summary>As <see cref="As{T}"/>; what it gives owns the instance.</summary>
    internal T Into<T>()
        where T : class
    {
        ComponentFace face = FaceBinder.Make(typeof(T), this);
        face.Owned = this;
        return (T)(object)face;
    }

    /// <summary>An instance that it exports, an interface for one. It belongs to this one, and is disposed of with it.</summary>
    /// <exception cref="KeyNotFoundException">There is none of this name.</exception>
    /// <exception cref="ObjectDisposedException">The instance has been disposed of.</exception>
    public ComponentInstance GetInstance(string name)
    {
        ObjectDisposedException.ThrowIf(tree.IsDisposed, this);
        return instance.Find(name) is RuntimeInstance inner
            ? new ComponentInstance(tree, inner, (ComponentInstanceType)type.Find(name)!.Type)
            : throw new KeyNotFoundException($"The instance exports no instance \"{name}\".");
    }

    /// <summary>A value that it exports.</summary>
    /// <exception cref="KeyNotFoundException">There is none of this name.</exception>
    public ComponentValue GetValue(string name) => instance.Find(name) is ComponentValue value
        ? value : throw new KeyNotFoundException($"The instance exports no value \"{name}\".");

    /// <summary>
    /// Frees its memories. A call that is in it ends first; calls that come later fail. It can be disposed of several times, in any order with those
    /// that it calls.
    /// </summary>
    public void Dispose()
    {
        if (!tree.IsDisposed) tree.Dispose();
    }
}
