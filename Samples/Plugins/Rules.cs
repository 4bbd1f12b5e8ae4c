using System.Collections.Concurrent;
using WasmJit;
using WasmJit.Components;

namespace Shop;

/// <summary>An item of a cart: the record of rule.wit.</summary>
public sealed record Item(string Name, uint Cents, uint Quantity);

/// <summary>What a rule changes.</summary>
public sealed record Change(string Reason, int Cents);

/// <summary>The interface <c>shop:rules/rule</c>, as plug-ins export it. An error of <c>apply</c> is a <see cref="ComponentErrorException"/>.</summary>
public interface IRule : IDisposable
{
    /// <summary>What the rule is.</summary>
    string Describe();

    /// <summary>What it changes of a cart.</summary>
    Change[] Apply(Item[] items);
}

/// <summary>The interface <c>shop:rules/stock</c>, which plug-ins may import.</summary>
public sealed class Stock(IReadOnlyDictionary<string, uint> items)
{
    /// <summary>How many of an item are left; null if there is no such item.</summary>
    public uint? Left(string name) => items.TryGetValue(name, out uint count) ? count : null;
}

/// <summary>
/// The shop's rules by name. A rule is a component; it can be added, replaced and removed while the shop runs. It gets a fresh instance for each cart: what it learns of
/// one customer it does not have when the next one comes.
/// </summary>
public sealed class Rules
{
    /// <summary>What a rule may execute for a cart: some tenths of a second. What it may have is beside it.</summary>
    private const long MostFuel = 200_000_000;
    private static readonly ResourceLimits Limits = new() { MaximumInstances = 100, MaximumMemories = 10, MaximumMemoryBytes = 32 << 20, MaximumTables = 20, MaximumTableElements = 100_000 };

    private readonly Engine engine = new(new EngineOptions { CountFuel = true, MaximumStack = 1 << 20, RuntimeLinking = false });
    private readonly ComponentHost host = [];
    private readonly ConcurrentDictionary<string, WasmComponent> components = new();

    /// <summary>Makes an empty set of rules.</summary>
    /// <param name="stock">What rules may ask.</param>
    public Rules(Stock stock) => host.Interface("shop:rules/stock@1.0.0").AddObject(stock);

    /// <summary>The rules that there are now, in the order of their names.</summary>
    public IReadOnlyList<KeyValuePair<string, WasmComponent>> Current => [.. components.ToArray().OrderBy(rule => rule.Key, StringComparer.Ordinal)];

    /// <summary>Adds a rule, or puts it in the place of another. Carts that are being looked at keep the one that they have.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="bytes">A component, in its binary or text format.</param>
    /// <exception cref="ModuleException">It is no valid component.</exception>
    /// <exception cref="LinkException">It imports something else.</exception>
    /// <exception cref="BindingException">It is no rule.</exception>
    public void Put(string name, byte[] bytes)
    {
        WasmComponent component = engine.CompileComponent(bytes is [0, (byte)'a', (byte)'s', (byte)'m', ..] ? bytes : Wat.ToBinary(bytes));
        Run(component, static rule => rule.Describe());
        components[name] = component;
    }

    /// <summary>Removes a rule.</summary>
    /// <returns>Whether there was one of this name.</returns>
    public bool Remove(string name) => components.TryRemove(name, out _);

    /// <summary>Calls a rule, in an instance of its own. It may have been removed in the meantime.</summary>
    public T Run<T>(WasmComponent component, Func<IRule, T> call)
    {
        var options = new ComponentInstanceOptions { Fuel = new Fuel(MostFuel), MaximumCopiedBytes = 1 << 20, Resources = new GuestResources(Limits) };
        using IRule rule = component.Instantiate<IRule>(host, options);
        return call(rule);
    }
}
