namespace WasmJit.Jit.Binary;

/// <summary>A use of the extension, and where it is.</summary>
internal sealed record LinkingUse(string What, int Offset);

/// <summary>A member of the module index space.</summary>
/// <param name="Index">Its index.</param>
/// <param name="Type">Its module type.</param>
/// <param name="Definition">The module itself, if it is nested here or in an enclosing module, and not imported.</param>
internal sealed record ModuleDecl(int Index, DefType Type, ModuleInfo? Definition)
{
    private ExactModuleType? exact;

    /// <summary>The type of instances made from it.</summary>
    internal ExactModuleType Exact =>
        exact ?? Interlocked.CompareExchange(ref exact, new ExactModuleType(Index, Type, Definition), null) ?? exact;
}

internal enum InitialiserKind : byte
{
    /// <summary>Takes an import.</summary>
    Import,

    /// <summary>Makes the closure of a nested module: the module with what it captures.</summary>
    Module,

    /// <summary>Makes an instance.</summary>
    Instance,

    /// <summary>Takes an export of an instance.</summary>
    Alias,

    /// <summary>Takes a module from the closure.</summary>
    Captured,
}

/// <summary>One step of instantiation; it adds an item to an index space.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="Sort">The index space.</param>
/// <param name="Source">The import, the nested module, the module to instantiate, the instance, or the capture.</param>
internal sealed record Initialiser(InitialiserKind Kind, ExternKind Sort, int Source)
{
    /// <summary>The export of an alias.</summary>
    internal string Name { get; init; } = "";

    /// <summary>An argument of an instance.</summary>
    internal InstanceArgument[] Arguments { get; init; } = [];
}

internal readonly record struct InstanceArgument(string Name, ExternKind Kind, int Index);

internal readonly record struct Capture(bool FromCaptures, int Index);

/// <summary>An item of one of the first sections, as it was written.</summary>
/// <param name="Section">The section's id.</param>
/// <param name="Offset">Where it is in the bytes.</param>
/// <param name="Index">Of types and imports the index of the first; of others that in their index space.</param>
/// <param name="Count">How many types it defines.</param>
internal readonly record struct EarlyItem(byte Section, int Offset, int Index, int Count = 1);
