using System.Collections.Immutable;

namespace WasmJit.Components;

/// <summary>
/// A type in the type index space of a component, with all indices resolved. Types are immutable; equality by structure is
/// reference equality of their canonical objects. A type that is imported or exported gets an object of its own with the same
/// canonical type, since it is by that object that it has a name outside.
/// </summary>
internal abstract class DefinedType
{
    /// <summary>What is in the type, its parts included.</summary>
    internal TypeTraits Traits { get; private protected init; }

    /// <summary>How many types it is made of if every use of one counts, up to a limit: what a comparison or substitution may cost.</summary>
    internal int Size { get; private protected init; } = 1;

    /// <summary>Levels of types below it, and itself.</summary>
    internal int Depth { get; private protected init; } = 1;

    /// <summary>The object that this one was made of, to be named.</summary>
    internal DefinedType? Origin { get; private protected set; }

    /// <summary>The word for it in messages.</summary>
    internal abstract string Kind { get; }
}

/// <summary>What is somewhere in a type.</summary>
[Flags]
internal enum TypeTraits
{
    None = 0,

    /// <summary>A handle of a resource, or a resource itself.</summary>
    HasResource = 1,
    HasBorrow = 2,
    HasOwn = 4,
    HasString = 8,

    /// <summary>A pointer into memory when it is lowered: strings and lists.</summary>
    HasPointer = 16,
    HasStreamOrFuture = 32,

    /// <summary>A type that needs a name in imports and exports.</summary>
    HasNamed = 64,
}

/// <summary>
/// A resource type. Imports, definitions and instantiations make new ones, which equal no other; an equality bound makes another object with
/// the same <see cref="Canonical"/>.
/// </summary>
internal sealed class ResourceType : DefinedType
{
    private ResourceType(ResourceType? origin, ResourceDefinition? definition)
    {
        Canonical = origin is null ? this : origin.Canonical;
        Definition = origin is null ? definition : origin.Definition;
        Origin = origin;
        Traits = TypeTraits.HasResource;
    }

    /// <summary>A type that is equal to no other.</summary>
    internal static ResourceType Fresh(ResourceDefinition? definition = null) => new(null, definition);

    /// <summary>The same type under another name.</summary>
    internal ResourceType Alias() => new(this, null);

    /// <summary>The object that stands for all that are equal.</summary>
    internal ResourceType Canonical { get; }

    /// <summary>How the component itself defined it; null for an abstract one.</summary>
    internal ResourceDefinition? Definition { get; }

    internal override string Kind => "resource";
}

/// <summary>A function type.</summary>
internal sealed class FunctionType : DefinedType
{
    internal FunctionType(ImmutableArray<LabelledType> parameters, ComponentValType? result, bool isAsync)
    {
        Parameters = parameters;
        Result = result;
        IsAsync = isAsync;
        long size = 1;
        TypeTraits traits = default;
        foreach (LabelledType parameter in parameters)
        {
            traits |= parameter.Type.Traits;
            size += parameter.Type.Size;
            Depth = Math.Max(Depth, parameter.Type.Depth + 1);
        }
        if (result is not null)
        {
            traits |= result.Traits;
            size += result.Size;
            Depth = Math.Max(Depth, result.Depth + 1);
        }
        Traits = traits;
        Size = TypeLimits.Saturate(size);
    }

    internal ImmutableArray<LabelledType> Parameters { get; }

    internal ComponentValType? Result { get; }

    /// <summary>Whether a call may block.</summary>
    internal bool IsAsync { get; }

    /// <summary>How its values are passed.</summary>
    internal FunctionShape Shape => shape ??= new FunctionShape(this);

    private FunctionShape? shape;

    internal override string Kind => "func";
}

/// <summary>A parameter or field.</summary>
internal readonly record struct LabelledType(string Label, ComponentValType Type);

/// <summary>A case of a variant.</summary>
internal readonly record struct CaseType(string Label, ComponentValType? Type);

/// <summary>How a component defines a resource type.</summary>
/// <param name="Representation">The core type of its representation: <c>i32</c> or <c>i64</c>.</param>
/// <param name="Destructor">A core function index in the component's own index space.</param>
internal sealed record ResourceDefinition(ValType Representation, uint? Destructor);
