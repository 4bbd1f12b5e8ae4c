using System.Collections.Immutable;

namespace WasmJit.Components;

/// <summary>
/// Puts types in the place of others: of resource types, and of objects that have names where the same types are others'. A type that has none of them
/// in it stays the same object; every type is made anew once.
/// </summary>
internal sealed class TypeSubstitution(TypeTable table, WorkBudget budget)
{
    private readonly Dictionary<ResourceType, ResourceType> map = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<DefinedType, DefinedType> done = new(ReferenceEqualityComparer.Instance);

    /// <summary>What types must have in them to be others.</summary>
    private TypeTraits affected;

    /// <summary>Says what takes the place of a resource type. Whatever has that type in it comes later.</summary>
    internal void Map(ResourceType from, ResourceType to)
    {
        map[from.Canonical] = to;
        affected |= TypeTraits.HasResource;
    }

    /// <summary>Says what takes the place of one object of a type, which has the same structure. Whatever has that type in it comes later.</summary>
    internal void Rename(DefinedType from, DefinedType to)
    {
        if (ReferenceEquals(from, to) || from is not (ResourceType or ComponentValType { NeedsName: true })) return;
        done[from] = to;
        affected |= from.Traits & (TypeTraits.HasResource | TypeTraits.HasNamed);
    }

    /// <summary>A resource that equals no other takes the place of each.</summary>
    internal ImmutableArray<ResourceType> MapToFresh(ImmutableArray<ResourceType> from)
    {
        if (from.IsEmpty) return [];
        budget.SpendOnObjects(from.Length);
        var made = ImmutableArray.CreateBuilder<ResourceType>(from.Length);
        foreach (ResourceType resource in from)
        {
            var fresh = ResourceType.Fresh();
            Map(resource, fresh);
            made.Add(fresh);
        }
        return made.MoveToImmutable();
    }

    internal ComponentExternType Apply(ComponentExternType type) => NeedsNothing(type.Traits) ? type : type.With(Apply(type.Type));

    internal ImmutableArray<ExternItem> Apply(ImmutableArray<ExternItem> items)
    {
        budget.Spend(items.Length);
        var result = ImmutableArray.CreateBuilder<ExternItem>(items.Length);
        bool changed = false;
        foreach (ExternItem item in items)
        {
            ExternItem made = item with { Type = Apply(item.Type) };
            changed |= !ReferenceEquals(made.Type, item.Type);
            result.Add(made);
        }
        if (!changed) return items;
        budget.SpendOnObjects(items.Length);
        return result.MoveToImmutable();
    }

    internal T Apply<T>(T type)
        where T : DefinedType
    {
        if (NeedsNothing(type.Traits)) return type;
        if (done.TryGetValue(type, out DefinedType? known)) return (T)known;
        DefinedType made = type switch
        {
            ResourceType resource => Replace(resource),
            ComponentValType value => Rebuild(value),
            FunctionType func => Rebuild(func),
            ComponentInstanceType instance => Rebuild(instance),
            _ => Rebuild((ComponentSignature)(DefinedType)type),
        };
        done[type] = made;
        return (T)made;
    }

    private bool NeedsNothing(TypeTraits traits) => (traits & affected) == 0;

    private ResourceType Replace(ResourceType type)
    {
        if (!map.TryGetValue(type.Canonical, out ResourceType? replacement)) return type;
        return ReferenceEquals(type, type.Canonical) ? replacement : replacement.Alias();
    }

    private ComponentValType Rebuild(ComponentValType type)
    {
        bool changed = false;
        int parts = 1;
        ComponentValType made = type.Rebuild(part => Changed(part), resource => Changed(resource));
        if (changed) budget.SpendOnObjects(parts);
        else budget.Spend(parts);
        if (!changed) return type;
        made.SetOrigin(type.Origin is null ? null : Apply(type.Origin));
        return table.Intern(made);

        T Changed<T>(T part)
            where T : DefinedType
        {
            T result = Apply(part);
            changed |= !ReferenceEquals(result, part);
            parts++;
            return result;
        }
    }

    private FunctionType Rebuild(FunctionType type)
    {
        budget.SpendOnObjects(type.Parameters.Length + 1);
        ImmutableArray<LabelledType> parameters = [.. type.Parameters.Select(p => p with { Type = Apply(p.Type) })];
        ComponentValType? result = type.Result is null ? null : Apply(type.Result);
        bool changed = !ReferenceEquals(result, type.Result);
        for (int i = 0; i < parameters.Length && !changed; i++) changed = !ReferenceEquals(parameters[i].Type, type.Parameters[i].Type);
        return changed ? new FunctionType(parameters, result, type.IsAsync) : type;
    }

    private ComponentInstanceType Rebuild(ComponentInstanceType type)
    {
        ImmutableArray<ExternItem> exports = Apply(type.Exports);
        return exports == type.Exports ? type : new ComponentInstanceType(exports, type.Bound);
    }

    private ComponentSignature Rebuild(ComponentSignature type)
    {
        ImmutableArray<ExternItem> imports = Apply(type.Imports), exports = Apply(type.Exports);
        return imports == type.Imports && exports == type.Exports ? type : new ComponentSignature(imports, exports, type.Imported, type.Made);
    }
}
