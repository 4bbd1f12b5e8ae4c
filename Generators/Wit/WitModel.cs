namespace WasmJit.Generators.Wit;

/// <summary>A type as it is written: a keyword with its arguments, or a name.</summary>
/// <param name="Name">The keyword or name.</param>
/// <param name="Arguments">What stands between angle brackets; null for <c>_</c>.</param>
internal sealed record WitType(string Name, IReadOnlyList<WitType?> Arguments)
{
    /// <summary>Whether it was written with a percent sign, and is a name even if it is a keyword.</summary>
    internal bool IsName { get; init; }
}

/// <summary>A field, parameter, case or label.</summary>
internal sealed record WitField(string Name, WitType? Type, string? Docs);

/// <summary>A function.</summary>
internal sealed record WitFunction(string Name, IReadOnlyList<WitField> Parameters, WitType? Result, bool IsAsync, bool IsStatic, string? Docs);

internal enum WitKind : byte { Alias, Record, Flags, Variant, Enum, Resource }

/// <summary>A type that an interface or world defines.</summary>
internal sealed record WitDefinition(WitKind Kind, string Name, string? Docs)
{
    /// <summary>The aliased type.</summary>
    internal WitType? Target { get; init; }

    /// <summary>Fields, cases, labels.</summary>
    internal IReadOnlyList<WitField> Fields { get; init; } = [];

    /// <summary>Of a resource.</summary>
    internal IReadOnlyList<WitFunction> Functions { get; init; } = [];

    /// <summary>The parameters of a resource's constructor; null without one.</summary>
    internal WitFunction? Constructor { get; init; }
}

/// <summary>A name that is used from another interface.</summary>
internal sealed record WitUse(string Interface, string Name, string As);

/// <summary>What an interface or world has.</summary>
internal sealed class WitScope(string name, WitPackage package, string? docs)
{
    internal string Name => name;

    internal WitPackage Package => package;

    internal string? Docs => docs;

    internal List<WitDefinition> Types { get; } = [];

    internal List<WitUse> Uses { get; } = [];

    private Dictionary<string, WitDefinition>? typesByName;
    private Dictionary<string, WitUse>? usesByName;

    /// <summary>The first type of a name, when all have been read; null if there is none.</summary>
    internal WitDefinition? FindType(string name) => (typesByName ??= FirstBy(Types, t => t.Name)).TryGetValue(name, out WitDefinition? found) ? found : null;

    /// <summary>The same of what is used from elsewhere.</summary>
    internal WitUse? FindUse(string name) => (usesByName ??= FirstBy(Uses, u => u.As)).TryGetValue(name, out WitUse? found) ? found : null;

    private static Dictionary<string, T> FirstBy<T>(List<T> items, Func<T, string> nameOf)
    {
        var found = new Dictionary<string, T>();
        foreach (T item in items)
            if (!found.ContainsKey(nameOf(item))) found.Add(nameOf(item), item);
        return found;
    }

    internal List<WitFunction> Functions { get; } = [];

    // ---- of a world ----

    /// <summary>Names of interfaces that are imported or exported: short, or with package and version.</summary>
    internal List<string> ImportedInterfaces { get; } = [];

    /// <summary>The same of those that are exported.</summary>
    internal List<string> ExportedInterfaces { get; } = [];

    /// <summary>Interfaces that are written in the world.</summary>
    internal List<WitScope> ImportedInline { get; } = [];

    /// <summary>The same of those that are exported.</summary>
    internal List<WitScope> ExportedInline { get; } = [];

    internal List<WitFunction> ImportedFunctions { get; } = [];

    /// <summary>Exported functions are <see cref="Functions"/>.</summary>
    internal List<(string World, IReadOnlyDictionary<string, string> Renamed)> Includes { get; } = [];

    /// <summary>The name by which components import and export it.</summary>
    internal string FullName => package.Name.Length == 0 ? name : package.Version is null ? $"{package.Name}/{name}" : $"{package.Name}/{name}@{package.Version}";
}

/// <summary>A package, or the part of it that is in one file.</summary>
internal sealed class WitPackage(string name, string? version)
{
    /// <summary>Namespace and name: <c>wasi:io</c>; empty if the file names none.</summary>
    internal string Name => name;

    internal string? Version => version;

    internal List<WitScope> Interfaces { get; } = [];

    internal List<WitScope> Worlds { get; } = [];

    /// <summary>Other names for interfaces, for all of the file.</summary>
    internal Dictionary<string, string> Aliases { get; } = [];
}

/// <summary>What a file cannot be read for.</summary>
internal sealed class WitException(string message, int line, int column) : Exception(message)
{
    internal int Line => line;

    internal int Column => column;
}
