using System.Collections.Immutable;
using WasmJit.Jit.Format;

namespace WasmJit.Components;

/// <summary>Makes types of what is written, and validates them (Explainer.md, type definitions).</summary>
internal sealed class TypeResolver(ComponentValidator validator, TypeTable table)
{
    /// <summary>A value type where it is used.</summary>
    /// <exception cref="InvalidModuleException">The index is beyond the types, or the type is not a value type.</exception>
    internal static ComponentValType Use(ComponentScope scope, TypeUse use)
    {
        if (use.Primitive is { } primitive) return PrimitiveType.Of(primitive);
        return scope.GetType(use.Index, use.Offset) as ComponentValType
            ?? throw new InvalidModuleException($"type index {use.Index} is not a defined type", use.Offset);
    }

    private static ComponentValType? Use(ComponentScope scope, TypeUse? use) => use is { } there ? Use(scope, there) : null;

    internal DefinedType Resolve(ComponentScope scope, TypeSyntax syntax)
    {
        DefinedType type = syntax switch
        {
            ResourceSyntax resource => Resource(scope, resource),
            FunctionSyntax func => Function(scope, func),
            InstanceTypeSyntax instance => validator.InstanceType(scope, instance),
            ComponentTypeSyntax component => validator.ComponentType(scope, component),
            _ => table.Intern(Value(scope, syntax)),
        };
        CheckLimits(type, syntax.Offset);
        return type;
    }

    /// <exception cref="InvalidModuleException">The type is too large.</exception>
    /// <exception cref="UnsupportedModuleException">The type is too deep.</exception>
    internal static void CheckLimits(DefinedType type, int at)
    {
        if (type is ComponentValType { Layout64.Size: >= TypeLimits.ValueSize })
            throw new InvalidModuleException($"type exceeds maximum byte size: a value takes less than {TypeLimits.ValueSize} bytes", at);
        if (type.Size > TypeLimits.Size) throw new InvalidModuleException($"effective type size exceeds the limit of {TypeLimits.Size}", at);
        Limits.Check(type.Depth, TypeLimits.Depth, "levels of types", at);
    }

    private static ComponentValType Value(ComponentScope scope, TypeSyntax syntax)
    {
        switch (syntax)
        {
            case PrimitiveSyntax primitive: return PrimitiveType.Of(primitive.Primitive);
            case RecordSyntax record:
                NotEmpty(record.Fields.Length, "record type must have at least one field", syntax);
                return new RecordType(Labelled(scope, record.Fields, "record field", "field"));
            case VariantSyntax variant:
                NotEmpty(variant.Cases.Length, "variant type must have at least one case", syntax);
                var cases = ImmutableArray.CreateBuilder<CaseType>(variant.Cases.Length);
                var caseLabels = new LabelSet("variant case", "case");
                foreach (CaseUse item in variant.Cases)
                {
                    caseLabels.Add(item.Label);
                    cases.Add(new CaseType(item.Label.Text, Use(scope, item.Type)));
                }
                return new VariantType(cases.MoveToImmutable());
            case ListSyntax list:
                if (list.Length == 0) throw new InvalidModuleException("fixed-length list must have at least one element", syntax.Offset);
                return new ListType(Use(scope, list.Element), list.Length);
            case TupleSyntax tuple:
                NotEmpty(tuple.Elements.Length, "tuple type must have at least one type", syntax);
                return new TupleType([.. tuple.Elements.Select(e => Use(scope, e))]);
            case FlagsSyntax flags:
                NotEmpty(flags.Labels.Length, "flags must have at least one entry", syntax);
                if (flags.Labels.Length > TypeLimits.Flags) throw new InvalidModuleException($"cannot have more than {TypeLimits.Flags} flags", syntax.Offset);
                return new FlagsType(Labels(flags.Labels, "flag", "flag"));
            case EnumSyntax enumeration:
                NotEmpty(enumeration.Labels.Length, "enum type must have at least one variant", syntax);
                return new EnumType(Labels(enumeration.Labels, "enum tag", "tag"));
            case OptionSyntax option: return new OptionType(Use(scope, option.Payload));
            case ResultSyntax result: return new ResultType(Use(scope, result.Ok), Use(scope, result.Error));
            case HandleSyntax handle: return new HandleType(scope.GetResource(handle.Resource, syntax.Offset), handle.IsBorrow);
            case StreamSyntax stream: return Stream(Use(scope, stream.Element), stream);
            default:
                var map = (MapSyntax)syntax;
                ComponentValType key = Use(scope, map.Key);
                if (key is not PrimitiveType { Primitive: not (PrimitiveKind.F32 or PrimitiveKind.F64 or PrimitiveKind.ErrorContext) })
                    throw new InvalidModuleException($"{key.Kind} is not a valid map key type", map.Key.Offset);
                return new MapType(key, Use(scope, map.Value));
        }
    }

    private static void NotEmpty(int count, string rule, TypeSyntax syntax)
    {
        if (count == 0) throw new InvalidModuleException(rule, syntax.Offset);
    }

    private static StreamType Stream(ComponentValType? element, StreamSyntax syntax)
    {
        string name = syntax.IsFuture ? "future" : "stream";
        if (!syntax.IsFuture && element is PrimitiveType { Primitive: PrimitiveKind.Char })
            throw new InvalidModuleException("`stream<char>` is not valid at this time", syntax.Offset);
        if (element is not null && (element.Traits & TypeTraits.HasBorrow) != 0)
            throw new InvalidModuleException($"`{name}` element cannot contain a `borrow` type", syntax.Offset);
        return new StreamType(element, syntax.IsFuture);
    }

    private static ImmutableArray<string> Labels(ImmutableArray<Label> labels, string what, string shortly)
    {
        var set = new LabelSet(what, shortly);
        foreach (Label label in labels) set.Add(label);
        return [.. labels.Select(l => l.Text)];
    }

    private static ImmutableArray<LabelledType> Labelled(ComponentScope scope, ImmutableArray<LabelledUse> uses, string what, string shortly)
    {
        var set = new LabelSet(what, shortly);
        var types = ImmutableArray.CreateBuilder<LabelledType>(uses.Length);
        foreach (LabelledUse use in uses)
        {
            set.Add(use.Label);
            types.Add(new LabelledType(use.Label.Text, Use(scope, use.Type)));
        }
        return types.MoveToImmutable();
    }

    private static FunctionType Function(ComponentScope scope, FunctionSyntax syntax)
    {
        ImmutableArray<LabelledType> parameters = Labelled(scope, syntax.Parameters, "function parameter", "parameter");
        Limits.Check(parameters.Length, Limits.Parameters, "parameters", syntax.Offset);
        return new FunctionType(parameters, ResultOf(scope, syntax.Result, syntax.Offset), syntax.IsAsync);
    }

    /// <summary>The type of a function's result; null if it has none.</summary>
    internal static ComponentValType? ResultOf(ComponentScope scope, TypeUse? use, int at)
    {
        ComponentValType? result = Use(scope, use);
        return result is null || (result.Traits & TypeTraits.HasBorrow) == 0 ? result
            : throw new InvalidModuleException("function result cannot contain a `borrow` type", at);
    }

    private static ResourceType Resource(ComponentScope scope, ResourceSyntax syntax)
    {
        int at = syntax.Offset;
        if (!scope.IsComponent) throw new InvalidModuleException("resources can only be defined within a concrete component", at);
        ValType representation = syntax.Representation;
        if (representation != ValType.I32 && representation != ValType.I64)
            throw new InvalidModuleException("resources can only be represented by `i32` or `i64`", at);
        if (syntax.Destructor is { } destructor && scope.GetCoreFunc(destructor, at) is var func
            && (func.Params is not [var parameter] || parameter != representation || !func.Results.IsEmpty))
            throw new InvalidModuleException($"core function {destructor} has wrong signature for a destructor", at);
        var type = ResourceType.Fresh(new ResourceDefinition(representation, syntax.Destructor));
        scope.Defined.Add(type);
        return type;
    }

    // ---- imports and exports ----

    /// <summary>
    /// The type that an import or export has; resource types that it brings in are others each time, and become those of the scope. A type that
    /// equals another becomes an object of its own, which can have a name.
    /// </summary>
    internal ComponentExternType Open(ComponentScope scope, ExternSyntax syntax, List<ResourceType> into)
    {
        ComponentExternType type = Resolve(scope, syntax);
        switch (type.Type)
        {
            case ComponentInstanceType { Bound.IsEmpty: false } instance when type.Sort == Sort.Instance:
                TypeSubstitution fresh = validator.Subtyping.NewSubstitution();
                into.AddRange(fresh.MapToFresh(instance.Bound));
                return ComponentExternType.Of(new ComponentInstanceType(fresh.Apply(instance.Exports), []));
            case ResourceType resource when type.IsAbstract:
                into.Add(resource);
                return type;
            default:
                return type.Sort == Sort.Type ? Rename(type.Type) : type;
        }
    }

    /// <summary>A type as an object of its own.</summary>
    internal static ComponentExternType Rename(DefinedType type) => ComponentExternType.OfType(type switch
    {
        ResourceType resource => resource.Alias(),
        ComponentValType { NeedsName: true } value => value.Rename(),
        _ => type,
    });

    /// <summary>What the type of an import or export says, to be compared with something.</summary>
    internal static ComponentExternType Resolve(ComponentScope scope, ExternSyntax syntax)
    {
        int at = syntax.Offset;
        switch (syntax)
        {
            case TypeExtern { Equal: { } equal }: return ComponentExternType.OfType(scope.GetType(equal, at));
            case TypeExtern: return ComponentExternType.OfAbstract(ResourceType.Fresh());
            case ValueExtern value:
                return ComponentExternType.OfValue(value.Equal is { } other ? ComponentScope.Get(scope.Spaces.Values, other, "value", at) : Use(scope, value.Type!.Value));
        }
        uint index = ((IndexedExtern)syntax).Type;
        if (syntax.Sort == Sort.CoreModule)
        {
            DefType core = ComponentScope.Get(scope.Spaces.CoreTypes, index, "type", at);
            return core.Composite is ModuleType ? ComponentExternType.OfModule(core)
                : throw new InvalidModuleException($"core type index {index} is not a module type", at);
        }
        return (syntax.Sort, scope.GetType(index, at)) switch
        {
            (Sort.Func, FunctionType func) => ComponentExternType.Of(func),
            (Sort.Instance, ComponentInstanceType instance) => ComponentExternType.Of(instance),
            (Sort.Component, ComponentSignature component) => ComponentExternType.Of(component),
            (Sort.Func, _) => throw new InvalidModuleException($"type index {index} is not a function type", at),
            (Sort.Instance, _) => throw new InvalidModuleException($"type index {index} is not an instance type", at),
            _ => throw new InvalidModuleException($"type index {index} is not a component type", at),
        };
    }
}

/// <summary>The labels of a type: in kebab case, and different whatever the case.</summary>
internal sealed class LabelSet(string what, string shortly)
{
    private readonly Dictionary<string, string> taken = new(StringComparer.OrdinalIgnoreCase);

    /// <exception cref="InvalidModuleException">The name is not a label, or is taken.</exception>
    internal void Add(Label label)
    {
        if (label.Text.Length == 0) throw new InvalidModuleException($"{what} name cannot be empty", label.Offset);
        if (ExternNameSyntax.CheckLabel(label.Text) is { } wrong) throw new InvalidModuleException($"{what} name {wrong}", label.Offset);
        if (!taken.TryAdd(label.Text, label.Text))
            throw new InvalidModuleException($"{what} name `{label.Text}` conflicts with previous {shortly} name `{taken[label.Text]}`", label.Offset);
    }
}
