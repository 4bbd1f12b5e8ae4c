namespace WasmJit.Components;

/// <summary>
/// Finds a component's imports among the host's items, and lists all that do not match. What it finds is good for all instances: functions of the host are <see cref="FoundFunction"/>s,
/// which become functions of an instance, and instances in which there are some are <see cref="FoundInstance"/>s.
/// </summary>
internal sealed class ImportResolver
{
    private readonly Dictionary<ResourceType, RuntimeResource> resources = [];
    private readonly List<string> problems = [];
    private readonly Dictionary<ComponentHost, int> seen = new(ReferenceEqualityComparer.Instance);

    /// <exception cref="LinkException">Something is missing or of another type.</exception>
    internal LinkedImports Resolve(ComponentSignature signature, ComponentHost host)
    {
        seen[host] = host.Version;
        var found = new Dictionary<string, object>();
        foreach (ExternItem import in signature.Imports)
            if (Find(import, import.Name, host.Find(import.Name)) is { } item) found[import.Name] = item;
        if (problems.Count > 0) throw new LinkException($"imports do not match: {string.Join("; ", problems)}");
        return new LinkedImports(found, seen);
    }

    private object? Problem(string path, string what)
    {
        problems.Add($"\"{path}\" {what}");
        return null;
    }

    private object? Find(ExternItem wanted, string path, object? given)
    {
        ComponentExternType type = wanted.Type;
        if (type.Sort == Sort.Type && type.Type is not ResourceType) return type.Type;
        if (type.Sort == Sort.Type && given is null && resources.TryGetValue(((ResourceType)type.Type).Canonical, out RuntimeResource? known)) return known;
        if (given is null) return Problem(path, $"is missing: {Describe(type)}");
        if (type.Sort == Sort.Value && given is ComponentValue value)
        {
            return new ValueCheck(t => resources.GetValueOrDefault(t.Canonical)).Problem(value, (ComponentValType)type.Type) is { } problem
                ? Problem(path, $"is a value of another type: {problem}") : value;
        }
        switch (type.Sort, given)
        {
            case (Sort.Func, HostDelegate function): return new FoundFunction((FunctionType)type.Type, function, null);
            case (Sort.Func, Delegate target):
                try
                {
                    DelegateBinder.Check((FunctionType)type.Type, target.GetType());
                    return new FoundFunction((FunctionType)type.Type, null, target);
                }
                catch (ArgumentException e)
                {
                    return Problem(path, $"is of another type: {e.Message}");
                }
            case (Sort.Func, ExportedFunction function): return Function(path, (FunctionType)type.Type, function.Function);
            case (Sort.Type, HostResourceType resource): return Resource((ResourceType)type.Type, path, resource.Runtime);
            case (Sort.Instance, ComponentHost host):
                seen[host] = host.Version;
                return Instance((ComponentInstanceType)type.Type, path, host.Find);
            case (Sort.Instance, ComponentInstance instance): return Instance((ComponentInstanceType)type.Type, path, instance.Runtime.Find);
            case (Sort.CoreModule, Module module):
                return Subtyping.Matches(ExternType.OfModule(module.Info.ModuleType), ExternType.OfModule(type.Module)) ? module
                    : Problem(path, $"is a module of another type: {module.Type}, {type.Module} is needed");
            case (Sort.Component, WasmComponent component): return Component(path, (ComponentSignature)type.Type, component.Closure);
            // What instances of components export.
            case (Sort.Func, ComponentFunc function): return Function(path, (FunctionType)type.Type, function);
            case (Sort.Type, RuntimeResource resource): return Resource((ResourceType)type.Type, path, resource);
            case (Sort.Instance, RuntimeInstance instance): return Instance((ComponentInstanceType)type.Type, path, instance.Find);
            case (Sort.Component, ComponentClosure component): return Component(path, (ComponentSignature)type.Type, component);
            default: return Problem(path, $"is something else: {Describe(type)} is needed");
        }
    }

    private RuntimeResource? Resource(ResourceType type, string path, RuntimeResource given)
    {
        if (resources.TryAdd(type.Canonical, given) || ReferenceEquals(resources[type.Canonical], given)) return given;
        Problem(path, "is another resource type than the one that it must be equal to");
        return null;
    }

    private object? Function(string path, FunctionType wanted, ComponentFunc given)
    {
        Func<ResourceType, RuntimeResource?> own = given switch
        {
            LiftedFunction lifted => lifted.Instance.Find,
            HostFunction host => host.Types.Find,
            _ => static _ => null,
        };
        return new TypeComparer(own, type => resources.GetValueOrDefault(type.Canonical)).Same(given.Type, wanted) ? given
            : Problem(path, "is a function of another type");
    }

    private object? Instance(ComponentInstanceType type, string path, Func<string, object?> find)
    {
        var items = new Dictionary<string, object>();
        int before = problems.Count;
        foreach (ExternItem export in type.Exports)
            if (Find(export, $"{path}\" \"{export.Name}", find(export.Name)) is { } item) items[export.Name] = item;
        if (problems.Count > before) return null;
        var found = new FoundInstance(items);
        return (object?)found.Fixed ?? found;
    }

    private object? Component(string path, ComponentSignature wanted, ComponentClosure given)
    {
        ComponentSignature own = given.Definition.Spaces.Signature;
        var subtyping = new ComponentSubtyping(new TypeTable(), new WorkBudget(given.Definition.End - given.Definition.Begin));
        return subtyping.Mismatch(ComponentExternType.Of(own), ComponentExternType.Of(wanted), subtyping.NewSubstitution()) is { } reason ? Problem(path, $"is a component of another type: {reason}") : given;
    }

    private static string Describe(ComponentExternType type) => type.Sort switch
    {
        Sort.Func => $"a function of {((FunctionType)type.Type).Parameters.Length} parameters",
        Sort.Type => "a resource type",
        Sort.CoreModule => "a core module",
        _ => $"a{(type.Sort == Sort.Instance ? "n" : "")} {type.Sort.Text()}",
    };
}

/// <summary>What a component imports of a host: found and compared once, for as long as nothing is added to the host.</summary>
/// <param name="items">What was found, by name.</param>
/// <param name="hosts">The host and the interfaces in it that were looked into, each with its version.</param>
internal sealed class LinkedImports(Dictionary<string, object> items, Dictionary<ComponentHost, int> hosts)
{
    /// <summary>Those of a component that imports nothing.</summary>
    internal static readonly RuntimeInstance None = new(new Dictionary<string, int>(), []);

    private readonly FoundInstance found = new(items);

    /// <summary>Whether the host is as it was.</summary>
    internal bool IsCurrent
    {
        get
        {
            foreach ((ComponentHost host, int version) in hosts)
                if (host.Version != version) return false;
            return true;
        }
    }

    /// <summary>The imports of an instance.</summary>
    internal RuntimeInstance For(HostScope scope) => found.For(scope);
}

/// <summary>A function of the host; each instance gets one of its own.</summary>
internal sealed class FoundFunction(FunctionType type, HostDelegate? function, Delegate? target)
{
    private LastCode? last;

    internal FunctionType Type => type;

    internal HostDelegate? Function => function;

    internal Delegate? Target => target;

    internal HostFunction For(HostScope scope) => new(this, scope);

    /// <summary>What calls the delegate. All instances of a component lower the function in the same way, so the last answer is kept.</summary>
    internal HostCode CodeFor(ValueForm parameters, bool hasPointer, bool is64)
    {
        if (Volatile.Read(ref last) is { } known && known.Parameters == parameters && known.HasPointer == hasPointer && known.Is64 == is64) return known.Code;
        HostCode code = DelegateBinder.ToHost(type, target!.GetType(), parameters, hasPointer, is64);
        Volatile.Write(ref last, new LastCode(parameters, hasPointer, is64, code));
        return code;
    }

    private sealed record LastCode(ValueForm Parameters, bool HasPointer, bool Is64, HostCode Code);
}

/// <summary>An interface of the host, or all that a component imports.</summary>
internal sealed class FoundInstance
{
    private readonly Dictionary<string, int> places;
    private readonly object[] items;

    internal FoundInstance(Dictionary<string, object> found)
    {
        places = new Dictionary<string, int>(found.Count);
        items = new object[found.Count];
        foreach ((string name, object item) in found)
        {
            items[places.Count] = item;
            places.Add(name, places.Count);
        }
        if (!items.Any(i => i is FoundFunction or FoundInstance)) Fixed = new RuntimeInstance(places, items);
    }

    /// <summary>What all instances have, if there is no function of the host in it; otherwise null.</summary>
    internal RuntimeInstance? Fixed { get; }

    internal RuntimeInstance For(HostScope scope)
    {
        if (Fixed is { } same) return same;
        var made = new object[items.Length];
        for (int i = 0; i < made.Length; i++)
        {
            made[i] = items[i] switch
            {
                FoundFunction function => function.For(scope),
                FoundInstance instance => instance.For(scope),
                var item => item,
            };
        }
        return new RuntimeInstance(places, made);
    }
}
