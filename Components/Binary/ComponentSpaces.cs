namespace WasmJit.Components;

/// <summary>
/// The index spaces of a validated component, in the order of its definitions, each item with its type. Instantiation fills spaces of the
/// same shape. What a definition adds: an import, alias or export one item of its sort; a recursion group of core types one for each type; an
/// instantiation, nested component or module, type, value one; a start function its results.
/// </summary>
internal sealed class ComponentSpaces
{
    /// <summary>Core types: function and other types, and module types.</summary>
    internal List<DefType> CoreTypes { get; } = [];

    /// <summary>Types of function types.</summary>
    internal List<DefType> CoreFuncs { get; } = [];

    internal List<TableType> CoreTables { get; } = [];

    internal List<MemoryType> CoreMemories { get; } = [];

    internal List<GlobalType> CoreGlobals { get; } = [];

    internal List<DefType> CoreTags { get; } = [];

    /// <summary>Types of module types.</summary>
    internal List<DefType> CoreModules { get; } = [];

    /// <summary>What each core instance exports: the instance types of module linking.</summary>
    internal List<InstanceType> CoreInstances { get; } = [];

    internal List<FunctionType> Funcs { get; } = [];

    internal List<ComponentValType> Values { get; } = [];

    internal List<DefinedType> Types { get; } = [];

    internal List<ComponentSignature> Components { get; } = [];

    internal List<ComponentInstanceType> Instances { get; } = [];

    /// <summary>The type of the component itself.</summary>
    internal ComponentSignature Signature { get; set; } = null!;
}
