namespace WasmJit.Components;

/// <summary>Finds a component's imports among the host's items, and lists all that do not match.</summary>
internal sealed class ImportResolver(HostScope scope)
{
    private readonly Dictionary<ResourceType, RuntimeResource> resources = [];
    private readonly List<string> problems = [];

    /// <exception cref="LinkException">Something is missing or of another type.</exception>
    internal IReadOnlyDictionary<string, object> Resolve(ComponentSignature signature, ComponentHost host)
    {
        var found = new Dictionary<string, object>();
        foreach (ExternItem import in signature.Imports)
            if (Find(import, import.Name, host.Find(import.Name)) is { } item) found[import.Name] = item;
        if (problems.Count > 0) throw new LinkException($"imports do not match: {string.Join("; ", problems)}");
        return found;
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
            case (Sort.Func, HostDelegate function): return new HostFunction((FunctionType)type.Type, scope, function);
            case (Sort.Func, Delegate target):
                try
                {
                    DelegateBinder.Check((FunctionType)type.Type, target.GetType());
                    return new HostFunction((FunctionType)type.Type, scope, null, target);
                }
                catch (ArgumentException e)
                {
                    return Problem(path, $"is of another type: {e.Message}");
                }
            case (Sort.Func, ExportedFunction function): return Function(path, (FunctionType)type.Type, function.Function);
            case (Sort.Type, HostResourceType resource): return Resource((ResourceType)type.Type, path, resource.Runtime);
            case (Sort.Instance, ComponentHost host): return Instance((ComponentInstanceType)type.Type, path, host.Find);
            case (Sort.Instance, ComponentInstance instance): return Instance((ComponentInstanceType)type.Type, path, instance.Runtime.Exports.GetValueOrDefault);
            case (Sort.CoreModule, Module module):
                return Subtyping.Matches(ExternType.OfModule(module.Info.ModuleType), ExternType.OfModule(type.Module)) ? module
                    : Problem(path, $"is a module of another type: {module.Type}, {type.Module} is needed");
            case (Sort.Component, WasmComponent component): return Component(path, (ComponentSignature)type.Type, component.Closure);
            // What instances of components export.
            case (Sort.Func, ComponentFunc function): return Function(path, (FunctionType)type.Type, function);
            case (Sort.Type, RuntimeResource resource): return Resource((ResourceType)type.Type, path, resource);
            case (Sort.Instance, RuntimeInstance instance): return Instance((ComponentInstanceType)type.Type, path, instance.Exports.GetValueOrDefault);
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

    private RuntimeInstance? Instance(ComponentInstanceType type, string path, Func<string, object?> find)
    {
        var items = new Dictionary<string, object>();
        int before = problems.Count;
        foreach (ExternItem export in type.Exports)
            if (Find(export, $"{path}\" \"{export.Name}", find(export.Name)) is { } item) items[export.Name] = item;
        return problems.Count == before ? new RuntimeInstance(items) : null;
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
