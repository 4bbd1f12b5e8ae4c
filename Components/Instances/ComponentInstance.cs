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
        Scheduler scheduler = imports.Scheduler ?? new Scheduler();
        scheduler.MostCopied = options.MaximumCopiedBytes;
        var tree = new ComponentTree(component.Engine, scheduler, options.Fuel, options.Resources);
        var scope = new HostScope();
        IReadOnlyDictionary<string, object> arguments = imports.Resolve(component.Signature, scope);
        scheduler.Enter();
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
        return instance.Exports.TryGetValue(name, out object? found) && found is ComponentFunc function
            ? new ExportedFunction(this, name, function) : throw new KeyNotFoundException($"The instance exports no function \"{name}\".");
    }

    /// <summary>An instance that it exports, an interface for one. It belongs to this one, and is disposed of with it.</summary>
    /// <exception cref="KeyNotFoundException">There is none of this name.</exception>
    /// <exception cref="ObjectDisposedException">The instance has been disposed of.</exception>
    public ComponentInstance GetInstance(string name)
    {
        ObjectDisposedException.ThrowIf(tree.IsDisposed, this);
        return instance.Exports.TryGetValue(name, out object? found) && found is RuntimeInstance inner
            ? new ComponentInstance(tree, inner, (ComponentInstanceType)type.Find(name)!.Type)
            : throw new KeyNotFoundException($"The instance exports no instance \"{name}\".");
    }

    /// <summary>
    /// Frees its memories. A call that is in it ends first; calls that come later fail. It can be disposed of several times, in any order with those
    /// that it calls.
    /// </summary>
    public void Dispose()
    {
        if (!tree.IsDisposed) tree.Dispose();
    }
}
