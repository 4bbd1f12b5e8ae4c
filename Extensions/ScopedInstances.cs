namespace WasmJit;

/// <summary>The instances that a scope has rented. The container disposes of this object when the scope ends.</summary>
internal sealed class ScopedInstances(WasmModules modules, IServiceProvider scope) : IDisposable
{
    private readonly Dictionary<string, PooledInstance> rented = new(StringComparer.Ordinal);

    /// <summary>The scope's instance of a module: one, however often it is asked for. Its state is the scope's services.</summary>
    internal PooledInstance Of(string name)
    {
        lock (rented)
        {
            if (rented.TryGetValue(name, out PooledInstance? known)) return known;
            PooledInstance instance = modules.Pool(name).Rent();
            instance.Instance.State = scope;
            return rented[name] = instance;
        }
    }

    public void Dispose()
    {
        lock (rented)
        {
            foreach (PooledInstance instance in rented.Values) instance.Dispose();
            rented.Clear();
        }
    }
}
