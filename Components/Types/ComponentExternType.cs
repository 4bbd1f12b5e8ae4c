using System.Collections.Immutable;

namespace WasmJit.Components;

/// <summary>The type of an import or export, with all indices resolved.</summary>
internal sealed class ComponentExternType
{
    private ComponentExternType(Sort sort, DefinedType? type, DefType? module, bool isAbstract)
    {
        Sort = sort;
        Type = type!;
        Module = module!;
        IsAbstract = isAbstract;
    }

    internal static ComponentExternType OfModule(DefType module) => new(Sort.CoreModule, null, module, false);

    internal static ComponentExternType Of(FunctionType type) => new(Sort.Func, type, null, false);

    internal static ComponentExternType OfValue(ComponentValType type) => new(Sort.Value, type, null, false);

    internal static ComponentExternType Of(ComponentInstanceType type) => new(Sort.Instance, type, null, false);

    internal static ComponentExternType Of(ComponentSignature type) => new(Sort.Component, type, null, false);

    /// <summary>A type that is equal to one that there is.</summary>
    internal static ComponentExternType OfType(DefinedType type) => new(Sort.Type, type, null, false);

    /// <summary>A resource type that begins to be here.</summary>
    internal static ComponentExternType OfAbstract(ResourceType type) => new(Sort.Type, type, null, true);

    internal Sort Sort { get; }

    /// <summary>The type of a function, value, instance or component, or the type that a type is; null for core modules.</summary>
    internal DefinedType Type { get; }

    /// <summary>The type of a core module: imports and exports as those of module linking.</summary>
    internal DefType Module { get; }

    /// <summary>For a type: whether its bound is <c>(sub resource)</c>.</summary>
    internal bool IsAbstract { get; }

    internal TypeTraits Traits => Type is null ? default : Type.Traits;

    internal int Size => Type is null ? 1 : Type.Size;

    internal int Depth => Type is null ? 1 : Type.Depth;

    /// <summary>The same with other types in it.</summary>
    internal ComponentExternType With(DefinedType type) => ReferenceEquals(type, Type) ? this : new(Sort, type, Module, IsAbstract);

    /// <summary>The word for it in messages.</summary>
    internal string Kind => Sort == Sort.CoreModule ? "module" : Sort.Text();
}

/// <summary>An import or export of a type.</summary>
internal readonly record struct ExternItem(string Name, ComponentExternType Type);

/// <summary>Items by name.</summary>
internal sealed class ItemIndex
{
    private readonly Dictionary<string, ComponentExternType>? map;
    private readonly ImmutableArray<ExternItem> items;

    internal ItemIndex(ImmutableArray<ExternItem> items)
    {
        this.items = items;
        // A few names are compared faster than hashed.
        if (items.Length <= 8) return;
        map = new Dictionary<string, ComponentExternType>(items.Length);
        foreach (ExternItem item in items) map[item.Name] = item.Type;
    }

    internal ComponentExternType? Find(string name)
    {
        if (map is not null) return map.GetValueOrDefault(name);
        foreach (ExternItem item in items)
            if (item.Name == name) return item.Type;
        return null;
    }
}

/// <summary>An instance type: what its instances export.</summary>
internal sealed class ComponentInstanceType : DefinedType
{
    private ItemIndex? byName;

    internal ComponentInstanceType(ImmutableArray<ExternItem> exports, ImmutableArray<ResourceType> bound)
    {
        Exports = exports;
        Bound = bound;
        long size = 1;
        TypeTraits traits = default;
        foreach (ExternItem export in exports)
        {
            size += export.Type.Size;
            Depth = Math.Max(Depth, export.Type.Depth + 1);
            traits |= export.Type.Traits;
        }
        Size = TypeLimits.Saturate(size);
        Traits = traits;
    }

    internal ImmutableArray<ExternItem> Exports { get; }

    /// <summary>The resource types that its exports bring in, those of instances in it included: others for each import or export of the type.</summary>
    internal ImmutableArray<ResourceType> Bound { get; }

    internal ComponentExternType? Find(string name) => (byName ??= new ItemIndex(Exports)).Find(name);

    internal override string Kind => "instance";
}

/// <summary>The type of a component: what it imports and exports.</summary>
internal sealed class ComponentSignature : DefinedType
{
    private ItemIndex? importsByName, exportsByName;

    internal ComponentSignature(
        ImmutableArray<ExternItem> imports, ImmutableArray<ExternItem> exports, ImmutableArray<ResourceType> imported, ImmutableArray<ResourceType> made)
    {
        Imports = imports;
        Exports = exports;
        Imported = imported;
        Made = made;
        long size = 1;
        TypeTraits traits = default;
        foreach (ExternItem item in imports.Concat(exports))
        {
            size += item.Type.Size;
            Depth = Math.Max(Depth, item.Type.Depth + 1);
            traits |= item.Type.Traits;
        }
        Size = TypeLimits.Saturate(size);
        Traits = traits;
    }

    internal ImmutableArray<ExternItem> Imports { get; }

    internal ImmutableArray<ExternItem> Exports { get; }

    /// <summary>The resource types that its imports bring in; instantiation gives others for them.</summary>
    internal ImmutableArray<ResourceType> Imported { get; }

    /// <summary>The resource types that its exports show and that are others in every instance.</summary>
    internal ImmutableArray<ResourceType> Made { get; }

    internal ComponentExternType? FindImport(string name) => (importsByName ??= new ItemIndex(Imports)).Find(name);

    internal ComponentExternType? FindExport(string name) => (exportsByName ??= new ItemIndex(Exports)).Find(name);

    internal override string Kind => "component";
}
