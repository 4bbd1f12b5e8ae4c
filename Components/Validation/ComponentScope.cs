namespace WasmJit.Components;

/// <summary>What has index spaces of its own.</summary>
internal enum ScopeKind
{
    Component,
    ComponentType,
    InstanceType,
}

/// <summary>A component, or a component or instance type, while it is validated.</summary>
internal sealed class ComponentScope(ScopeKind kind, ComponentScope? parent, WorkBudget budget)
{
    internal ScopeKind Kind { get; } = kind;

    internal ComponentScope? Parent { get; } = parent;

    internal bool IsComponent => Kind == ScopeKind.Component;

    internal ComponentSpaces Spaces { get; } = new();

    internal List<ExternItem> Imports { get; } = [];

    internal List<ExternItem> Exports { get; } = [];

    internal ExternNames ImportNames { get; } = new("import");

    internal ExternNames ExportNames { get; } = new("export");

    internal NamedTypes Named { get; } = new(budget);

    /// <summary>The resource types that imports have brought in.</summary>
    internal List<ResourceType> Imported { get; } = [];

    /// <summary>The resource types that the exports of a type have brought in.</summary>
    internal List<ResourceType> Exported { get; } = [];

    /// <summary>The resource types that the component itself defines.</summary>
    internal HashSet<ResourceType> Defined { get; } = new(ReferenceEqualityComparer.Instance);

    /// <summary>Whether each value has been used; each must be, once.</summary>
    internal List<bool> ValueUsed { get; } = [];

    /// <summary>The core type of the slots of <c>context.get</c> and <c>context.set</c>, once there is one.</summary>
    internal ValType? SlotType { get; set; }

    /// <summary>The scope so many levels outside; 0 is this one.</summary>
    /// <param name="count">The levels.</param>
    /// <param name="crossesComponent">Whether a component is left on the way.</param>
    /// <returns>The scope; null if there are not so many.</returns>
    internal ComponentScope? Outer(uint count, out bool crossesComponent)
    {
        crossesComponent = false;
        ComponentScope? scope = this;
        for (uint i = 0; i < count && scope is not null; i++)
        {
            crossesComponent |= scope.IsComponent;
            scope = scope.Parent;
        }
        return scope;
    }

    /// <summary>An item of an index space.</summary>
    /// <exception cref="InvalidModuleException">The index is beyond the space.</exception>
    internal static T Get<T>(List<T> space, uint index, string what, int at)
    {
        if (index < space.Count) return space[(int)index];
        throw new InvalidModuleException($"unknown {what} {index}: {what} index out of bounds", at);
    }

    internal DefinedType GetType(uint index, int at) => Get(Spaces.Types, index, "type", at);

    /// <exception cref="InvalidModuleException">The index is beyond the types, or the type is not a function type.</exception>
    internal FunctionType GetFunctionType(uint index, int at) =>
        GetType(index, at) as FunctionType ?? throw new InvalidModuleException($"type index {index} is not a function type", at);

    /// <exception cref="InvalidModuleException">The index is beyond the types, or the type is not a resource type.</exception>
    internal ResourceType GetResource(uint index, int at) =>
        GetType(index, at) as ResourceType ?? throw new InvalidModuleException($"type index {index} is not a resource type", at);

    internal FuncType GetCoreFunc(uint index, int at) => (FuncType)Get(Spaces.CoreFuncs, index, "function", at).Composite;

    /// <summary>Adds an item to the index space of its sort.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="isUsed">Of a value: whether it counts as used.</param>
    internal void Add(ComponentExternType type, bool isUsed = false)
    {
        switch (type.Sort)
        {
            case Sort.CoreModule: Spaces.CoreModules.Add(type.Module); break;
            case Sort.Func: Spaces.Funcs.Add((FunctionType)type.Type); break;
            case Sort.Value: AddValue((ComponentValType)type.Type, isUsed); break;
            case Sort.Type: Spaces.Types.Add(type.Type); break;
            case Sort.Component: Spaces.Components.Add((ComponentSignature)type.Type); break;
            default: Spaces.Instances.Add((ComponentInstanceType)type.Type); break;
        }
    }

    internal void AddValue(ComponentValType type, bool isUsed)
    {
        Spaces.Values.Add(type);
        ValueUsed.Add(isUsed);
    }

    /// <summary>Uses a value.</summary>
    /// <exception cref="InvalidModuleException">The index is beyond the values, or the value has been used.</exception>
    internal ComponentValType UseValue(uint index, int at)
    {
        ComponentValType type = Get(Spaces.Values, index, "value", at);
        if (ValueUsed[(int)index]) throw new InvalidModuleException($"value {index} cannot be used more than once", at);
        ValueUsed[(int)index] = true;
        return type;
    }

    /// <summary>The type of an item.</summary>
    /// <exception cref="InvalidModuleException">The index is beyond the space, or the item has a core sort other than modules.</exception>
    internal ComponentExternType GetItem(SortIndex item, int at) => item.Sort switch
    {
        Sort.CoreModule => ComponentExternType.OfModule(Get(Spaces.CoreModules, item.Index, "module", at)),
        Sort.Func => ComponentExternType.Of(Get(Spaces.Funcs, item.Index, "function", at)),
        Sort.Value => ComponentExternType.OfValue(UseValue(item.Index, at)),
        Sort.Type => ComponentExternType.OfType(GetType(item.Index, at)),
        Sort.Component => ComponentExternType.Of(Get(Spaces.Components, item.Index, "component", at)),
        Sort.Instance => ComponentExternType.Of(Get(Spaces.Instances, item.Index, "instance", at)),
        _ => throw new InvalidModuleException($"a {item.Sort.Text()} can be neither imported nor exported by a component", at),
    };
}
