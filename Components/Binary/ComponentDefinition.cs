using WasmJit.Jit.Binary;

namespace WasmJit.Components;

/// <summary>
/// A decoded component: its definitions in the order of the bytes, which is the order in which instantiation goes through them. A nested
/// component's bytes are those of the whole, so that every offset is one of the whole.
/// </summary>
internal sealed class ComponentDefinition
{
    /// <summary>How deep components and types may be nested in each other.</summary>
    internal const int MaxNesting = 100;

    private readonly List<Definition> definitions = [];
    private readonly List<ComponentCustomSection> customSections = [];

    internal ComponentDefinition(ReadOnlyMemory<byte> bytes, int begin, int end, ComponentDefinition? parent)
    {
        Bytes = bytes;
        Begin = begin;
        End = end;
        Parent = parent;
        Nesting = parent is null ? 0 : parent.Nesting + 1;
    }

    internal ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>Where the component begins and ends in the bytes.</summary>
    internal int Begin { get; }

    internal int End { get; }

    /// <summary>The component around this one.</summary>
    internal ComponentDefinition? Parent { get; }

    /// <summary>The number of components around this one.</summary>
    internal int Nesting { get; }

    internal Items<Definition> Definitions => new(definitions);

    internal Items<ComponentCustomSection> CustomSections => new(customSections);

    internal void Add(Definition definition) => definitions.Add(definition);

    internal void Add(ComponentCustomSection section) => customSections.Add(section);

    private ComponentSpaces? spaces;

    /// <summary>What validation has found out: the index spaces with their types.</summary>
    /// <exception cref="InvalidOperationException">The component has not been validated.</exception>
    internal ComponentSpaces Spaces
    {
        get => spaces ?? throw new InvalidOperationException("The component has not been validated.");
        set => spaces = value;
    }
}

/// <summary>A custom section.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Start">Where its content is.</param>
/// <param name="Length">The length of the content.</param>
/// <param name="After">How many definitions stand before it.</param>
internal sealed record ComponentCustomSection(string Name, int Start, int Length, int After);
