using System.Collections;
using System.Diagnostics.CodeAnalysis;
using WasmJit.Linking;

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

    /// <summary>By module name, functions that are made when one is first looked for: most programs want few of what a host offers.</summary>
    private readonly Dictionary<string, Lazy<IReadOnlyDictionary<string, Delegate>>> deferred = [];

    /// <summary>The import of two names, from a whole instance, too. Setting it replaces an import, or adds it.</summary>
    /// <exception cref="KeyNotFoundException">The import is read, and does not exist.</exception>
    /// <exception cref="ArgumentException">The value is not of a kind that modules can import.</exception>
    public object this[string module, string name]
    {
        get => Find(module, name) ?? throw new KeyNotFoundException($"There is no import \"{module}\" \"{name}\".");
        set
        {
            ArgumentNullException.ThrowIfNull(module);
            ArgumentNullException.ThrowIfNull(name);
            items[(module, name)] = Checked(value);
        }
    }

    /// <summary>Adds one import.</summary>
    /// <exception cref="ArgumentException">There is one of these names already, or the value is not of a kind that modules can import.</exception>
    public void Add(string module, string name, object value)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(name);
        if (Has(module, name)) throw Duplicate(module, name);
        items.Add((module, name), Checked(value));
    }

    private bool Has(string module, string name) => items.ContainsKey((module, name)) || FindDeferred(module, name) is not null;

    private static ArgumentException Duplicate(string module, string name) => new($"There is an import \"{module}\" \"{name}\" already.", nameof(name));

    /// <summary>Adds a host function whose type is known at run time.</summary>
    /// <param name="module">The module name of the import.</param>
    /// <param name="name">The name.</param>
    /// <param name="type">Its type, which must be the import's.</param>
    /// <param name="callback">What is called.</param>
    /// <exception cref="ArgumentException">There is an import of these names already.</exception>
    public void Add(string module, string name, FuncType type, HostCallback callback) => Add(module, name, HostFunction.Create(type, callback));

    /// <summary>
    /// Adds what an object has: its public methods as functions, its properties that hold a memory, a delegate or the like. Each has its own name, in
    /// camel case, or with separators (<c>ReadLine</c> is <c>readLine</c>, <c>read_line</c> and <c>read-line</c>, too), or that of a <see cref="WasmNameAttribute"/>.
    /// A text, array or span is an address and a length (two i32) to the guest, a struct of numbers an address; what is returned in memory
    /// is allocated with the guest's <c>malloc</c> or <c>cabi_realloc</c>, and is the guest's to free.
    /// </summary>
    /// <typeparam name="T">The type whose members count: the object's class, or an interface.</typeparam>
    /// <param name="module">The module name of the imports.</param>
    /// <param name="value">The object.</param>
    /// <exception cref="BindingException">A method cannot be one for guests; the message tells all. Nothing is added then, nor with the other exceptions.</exception>
    /// <exception cref="ArgumentException">There is an import of a member's own name already.</exception>
    /// <exception cref="PlatformNotSupportedException">Code has to be made for a method, and this process can make none.</exception>
    public void AddObject<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicMethods | DynamicallyAccessedMemberTypes.PublicProperties | DynamicallyAccessedMemberTypes.Interfaces)] T>(string module, T value)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(value);
        List<(string[] Names, object Value)> found = HostObject.ItemsOf(value, typeof(T));
        foreach ((string[] names, _) in found)
            if (Has(module, names[0])) throw Duplicate(module, names[0]);
        foreach ((string[] names, object item) in found) Add(module, names[0], item);
        foreach ((string[] names, object item) in found)
            foreach (string name in names.Skip(1)) AddMissing((module, name), item);
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
        ArgumentNullException.ThrowIfNull(instance);
        if (!instances.TryAdd(module, instance)) throw new ArgumentException($"There is an instance \"{module}\" already.", nameof(module));
    }

    /// <summary>Adds functions under a module name that has none. They are made when they are needed.</summary>
    internal void AddLater(string module, Func<IReadOnlyDictionary<string, Delegate>> functions) => deferred.Add(module, new(functions));

    private Delegate? FindDeferred(string module, string name) =>
        deferred.TryGetValue(module, out Lazy<IReadOnlyDictionary<string, Delegate>>? functions) ? functions.Value.GetValueOrDefault(name) : null;

    private void AddMissing((string Module, string Name) names, object value)
    {
        if (FindDeferred(names.Module, names.Name) is null) items.TryAdd(names, value);
    }

    /// <summary>Adds all of another set, except those that are there already.</summary>
    public void AddRange(Imports other)
    {
        ArgumentNullException.ThrowIfNull(other);
        foreach (KeyValuePair<(string, string), object> item in other.items) AddMissing(item.Key, item.Value);
        foreach ((string module, Lazy<IReadOnlyDictionary<string, Delegate>> functions) in other.deferred)
        {
            if (deferred.TryAdd(module, functions)) continue;
            foreach ((string name, Delegate function) in functions.Value) AddMissing((module, name), function);
        }
        foreach (KeyValuePair<string, Instance> item in other.instances) instances.TryAdd(item.Key, item.Value);
        foreach (KeyValuePair<string, object> item in other.singles) singles.TryAdd(item.Key, item.Value);
    }

    /// <summary>
    /// Adds the missing imports of a module, so that it can be linked: functions as asked for, memories and tables of the least size, globals that
    /// are zero or null.
    /// </summary>
    /// <returns>The imports that were added.</returns>
    /// <exception cref="LinkException">An import is of a type that has no value by default. Nothing is added.</exception>
    public IReadOnlyList<ImportType> AddUnknown(Module module, UnknownImports functions)
    {
        ArgumentNullException.ThrowIfNull(module);
        var added = new List<ImportType>();
        try
        {
            foreach (ImportType import in module.Imports)
            {
                if (import.Name is null ? Find(import.Module) is not null : Find(import.Module, import.Name) is not null) continue;
                object value = UnknownImport.Make(import, functions, this, module.Engine);
                if (import.Name is null) Add(import.Module, value);
                else Add(import.Module, import.Name, value);
                added.Add(import);
            }
        }
        catch
        {
            foreach (ImportType import in added)
            {
                if (import.Name is not null) items.Remove((import.Module, import.Name));
                else if (!singles.Remove(import.Module)) instances.Remove(import.Module);
            }
            throw;
        }
        return added;
    }

    /// <summary>The values of one name.</summary>
    internal object? Find(string name) => singles.TryGetValue(name, out object? value) ? value : instances.GetValueOrDefault(name);

    internal object? Find(string module, string name)
    {
        if (items.TryGetValue((module, name), out object? value)) return value;
        if (FindDeferred(module, name) is { } function) return function;
        return instances.TryGetValue(module, out Instance? instance) ? instance.FindExport(name) : null;
    }

    /// <summary>All values that were added. Whole instances and single-level imports have one name.</summary>
    public IEnumerator<KeyValuePair<(string Module, string? Name), object>> GetEnumerator()
    {
        foreach (((string module, string name), object value) in items) yield return new((module, name), value);
        foreach ((string module, Lazy<IReadOnlyDictionary<string, Delegate>> functions) in deferred)
        {
            foreach ((string name, Delegate function) in functions.Value)
                if (!items.ContainsKey((module, name))) yield return new((module, name), function);
        }
        foreach ((string module, Instance instance) in instances) yield return new((module, null), instance);
        foreach ((string name, object value) in singles) yield return new((name, null), value);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
