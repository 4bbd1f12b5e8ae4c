using System.Collections.Immutable;

namespace WasmJit.Components;

/// <summary>Finds the resource types that types refer to and do not bring in themselves, in the order in which they stand.</summary>
internal sealed class FreeResources(WorkBudget budget)
{
    private readonly HashSet<DefinedType> seen = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<ResourceType> bound = new(ReferenceEqualityComparer.Instance);
    private readonly List<ResourceType> found = [];

    internal static bool HasAny(DefinedType type, WorkBudget budget)
    {
        var free = new FreeResources(budget);
        free.Visit(type);
        return !free.Found.IsEmpty;
    }

    internal ImmutableArray<ResourceType> Found => [.. found.Where(r => !bound.Contains(r))];

    /// <summary>Those that were found since the last time.</summary>
    internal ImmutableArray<ResourceType> TakeFound()
    {
        ImmutableArray<ResourceType> taken = Found;
        found.Clear();
        return taken;
    }

    internal void Visit(ImmutableArray<ExternItem> items)
    {
        foreach (ExternItem item in items)
            if (item.Type.Type is not null) Visit(item.Type.Type);
    }

    /// <summary>These are brought in from elsewhere.</summary>
    internal void Bind(IEnumerable<ResourceType> resources)
    {
        foreach (ResourceType resource in resources) bound.Add(resource.Canonical);
    }

    internal void Visit(DefinedType type)
    {
        if ((type.Traits & TypeTraits.HasResource) == 0 || !seen.Add(type)) return;
        budget.Spend(1);
        switch (type)
        {
            case ResourceType resource:
                if (ReferenceEquals(resource, resource.Canonical)) found.Add(resource);
                else Visit(resource.Canonical);
                break;
            case HandleType handle:
                Visit(handle.Resource);
                break;
            case ComponentValType value:
                foreach (ComponentValType part in value.Parts) Visit(part);
                break;
            case FunctionType func:
                foreach (LabelledType parameter in func.Parameters) Visit(parameter.Type);
                if (func.Result is not null) Visit(func.Result);
                break;
            case ComponentInstanceType instance:
                Bind(instance.Bound);
                Visit(instance.Exports);
                break;
            case ComponentSignature component:
                Bind(component.Imported);
                Bind(component.Made);
                Visit(component.Imports);
                Visit(component.Exports);
                break;
        }
    }
}
