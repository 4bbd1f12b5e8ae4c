namespace WasmJit.Components;

/// <summary>
/// The types that have a name outside of a component (Explainer.md, external visibility of types): imports may use imported ones, exports those
/// and exported ones. It is the object that has the name, not every type that equals it.
/// </summary>
internal sealed class NamedTypes(WorkBudget budget)
{
    private readonly HashSet<DefinedType> imported = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<DefinedType> exported = new(ReferenceEqualityComparer.Instance);

    /// <summary>Types whose parts are known to have names: names come, and never go.</summary>
    private readonly HashSet<DefinedType> knownToImports = new(ReferenceEqualityComparer.Instance), knownToExports = new(ReferenceEqualityComparer.Instance);

    /// <summary>Whether all types of an import or export have names; those that it has itself are names from now on.</summary>
    internal bool Add(ComponentExternType type, bool isImport)
    {
        budget.Spend(1);
        switch (type.Sort)
        {
            case Sort.Func: return AreNamed((FunctionType)type.Type, isImport);
            case Sort.Value: return IsNamed((ComponentValType)type.Type, isImport);
            case Sort.Type:
                if (!type.IsAbstract && !ArePartsNamed(type.Type, isImport)) return false;
                if (type.Type is ResourceType or ComponentValType { NeedsName: true }) (isImport ? imported : exported).Add(type.Type);
                return true;
            case Sort.Instance:
                foreach (ExternItem export in ((ComponentInstanceType)type.Type).Exports)
                    if (!Add(export.Type, isImport)) return false;
                return true;
            // Components are checked where they are defined, and refer to no others' types.
            default: return true;
        }
    }

    private bool HasName(DefinedType type, bool isImport) => imported.Contains(type) || (!isImport && exported.Contains(type));

    private bool AreNamed(FunctionType type, bool isImport)
    {
        foreach (LabelledType parameter in type.Parameters)
            if (!IsNamed(parameter.Type, isImport)) return false;
        return type.Result is null || IsNamed(type.Result, isImport);
    }

    private bool IsNamed(ComponentValType type, bool isImport)
    {
        if (type is PrimitiveType) return true;
        return type.NeedsName ? HasName(type, isImport) : ArePartsNamed(type, isImport);
    }

    /// <summary>All that a type is made of, itself apart.</summary>
    private bool ArePartsNamed(DefinedType type, bool isImport)
    {
        switch (type)
        {
            case HandleType handle: return HasName(handle.Resource, isImport);
            case ComponentValType value:
                HashSet<DefinedType> known = isImport ? knownToImports : knownToExports;
                if (known.Contains(value)) return true;
                budget.Spend(1);
                foreach (ComponentValType part in value.Parts)
                    if (!IsNamed(part, isImport)) return false;
                known.Add(value);
                return true;
            case FunctionType func: return AreNamed(func, isImport);
            case ComponentInstanceType instance:
                // Its exports are names within it alone.
                var inside = new NamedTypes(budget);
                inside.imported.UnionWith(imported);
                if (!isImport) inside.imported.UnionWith(exported);
                budget.Spend(inside.imported.Count);
                return inside.Add(ComponentExternType.Of(instance), isImport);
            default: return true;
        }
    }
}
