using System.Collections;

namespace WasmJit;

/// <summary>
/// The imports of modules, by module name and name. For a function give a delegate, of the host or from an instance. All other imports are a <see
/// cref="Memory"/>, <see cref="Table"/>, <see cref="Global"/>, <see cref="Tag"/>, <see cref="Module"/> or <see cref="Instance"/>. A whole instance
/// stands for all its exports under a module name, and values given one by one under a module name stand for an instance if a module imports one.
/// Single-level imports have one name.
/// </summary>
/// <example><code>new Imports { { "env", "print", (Action&lt;int&gt;)Console.WriteLine }, { "lib", instance } }</code></example>
public sealed class Imports : IEnumerable<KeyValuePair<(string Module, string? Name), object>>
{
    private readonly Dictionary<(string Module, string Name), object> items = [];
    private readonly Dictionary<string, Instance> instances = [];
    private readonly Dictionary<string, object> singles = [];

    /// <summary>The import of two names, from a whole instance, too. Setting it replaces an import, or adds it.</summary>
    /// <exception cref="KeyNotFoundException">Read, and there is none.</exception>
    /// <exception cref="ArgumentException">The value is not of a kind that modules can import.</exception>
    public object this[string module, string name]
    {
        get => Find(module, name) ?? throw new KeyNotFoundException($"There is no import \"{module}\" \"{name}\".");
        set => items[(module, name)] = Checked(value);
    }

    /// <summary>Adds one import.</summary>
    /// <exception cref="ArgumentException">There is one of these names already, or the value is not of a kind that modules can import.</exception>
    public void Add(string module, string name, object value)
    {
        if (!items.TryAdd((module, name), Checked(value))) throw new ArgumentException($"There is an import \"{module}\" \"{name}\" already.", nameof(name));
    }

    /// <summary>Adds a single-level import, of the runtime-linking extension: a module, or anything else.</summary>
    /// <exception cref="ArgumentException">There is one of this name already, or the value is not of a kind that modules can import.</exception>
    public void Add(string name, object value)
    {
        if (value is Instance instance) Add(name, instance);
        else if (!singles.TryAdd(name, Checked(value))) throw new ArgumentException($"There is an import \"{name}\" already.", nameof(name));
    }

    private static object Checked(object value) => value is Delegate or Memory or Table or Global or Tag or Module or Instance
        ? value : throw new ArgumentException($"A {value?.GetType().ToString() ?? "null"} cannot be imported.", nameof(value));

    /// <summary>Adds all exports of an instance under a module name. An import that is given by itself comes before them.</summary>
    /// <exception cref="ArgumentException">There is an instance of this name already.</exception>
    public void Add(string module, Instance instance)
    {
        if (!instances.TryAdd(module, instance)) throw new ArgumentException($"There is an instance \"{module}\" already.", nameof(module));
    }

    /// <summary>Adds all of another set, except those that are there already.</summary>
    public void AddRange(Imports other)
    {
        foreach (KeyValuePair<(string, string), object> item in other.items) items.TryAdd(item.Key, item.Value);
        foreach (KeyValuePair<string, Instance> item in other.instances) instances.TryAdd(item.Key, item.Value);
        foreach (KeyValuePair<string, object> item in other.singles) singles.TryAdd(item.Key, item.Value);
    }

    /// <summary>
    /// Adds the missing imports of a module, so that it can be linked: functions as asked for, memories and tables of the least size, globals that
    /// are zero or null.
    /// </summary>
    /// <returns>The imports that were added.</returns>
    /// <exception cref="LinkException">An import is of a type that has no value by default.</exception>
    public IReadOnlyList<ImportType> AddUnknown(Module module, UnknownImports functions)
    {
        var added = new List<ImportType>();
        foreach (ImportType import in module.Imports)
        {
            if (import.Name is null ? Find(import.Module) is not null : Find(import.Module, import.Name) is not null) continue;
            object value = UnknownImport.Make(import, functions, this, module.Engine);
            if (import.Name is null) Add(import.Module, value);
            else Add(import.Module, import.Name, value);
            added.Add(import);
        }
        return added;
    }

    /// <summary>The values of one name.</summary>
    internal object? Find(string name) => singles.TryGetValue(name, out object? value) ? value : instances.GetValueOrDefault(name);

    internal object? Find(string module, string name)
    {
        if (items.TryGetValue((module, name), out object? value)) return value;
        return instances.TryGetValue(module, out Instance? instance) ? instance.FindExport(name) : null;
    }

    /// <summary>All values that were added. Whole instances and single-level imports have one name.</summary>
    public IEnumerator<KeyValuePair<(string Module, string? Name), object>> GetEnumerator()
    {
        foreach (((string module, string name), object value) in items) yield return new((module, name), value);
        foreach ((string module, Instance instance) in instances) yield return new((module, null), instance);
        foreach ((string name, object value) in singles) yield return new((name, null), value);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
