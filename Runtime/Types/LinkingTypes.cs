using System.Collections.Immutable;

namespace WasmJit;

/// <summary>A module type of the runtime-linking extension.</summary>
public sealed class ModuleType : CompositeType
{
    private DefType? instanceType;
    private Dictionary<string, ImportGroup>? groups;

    /// <summary>Makes a module type.</summary>
    public ModuleType(ImmutableArray<ImportType> imports, ImmutableArray<ExportType> exports)
    {
        Imports = imports;
        Exports = WasmJit.InstanceType.ByName(exports);
    }

    /// <summary>The imports.</summary>
    public ImmutableArray<ImportType> Imports { get; }

    /// <summary>The exports of its instances, by name: types that differ only in the order of exports are the same.</summary>
    public ImmutableArray<ExportType> Exports { get; }

    /// <inheritdoc/>
    public override AbstractHeapType Top => HeapType.Module;

    /// <summary>The type of its instances.</summary>
    internal DefType InstanceType => instanceType ??= DefType.Of(new InstanceType(Exports));

    /// <summary>The imports by their first name: two-level imports of one name are an import of an instance (Subtyping.md).</summary>
    internal Dictionary<string, ImportGroup> Groups
    {
        get
        {
            if (groups is not null) return groups;
            var made = new Dictionary<string, ImportGroup>();
            foreach (ImportType import in Imports)
            {
                if (!made.TryGetValue(import.Module, out ImportGroup? group)) made[import.Module] = group = new ImportGroup();
                group.Add(import);
            }
            return groups = made;
        }
    }

    /// <inheritdoc/>
    public override string ToString() =>
        TypePrinter.List("(module", Imports.Select(Text).Concat(Exports.Select(WasmJit.InstanceType.Text)));

    private static string Text(ImportType import) =>
        $" (import {TypePrinter.Quote(import.Module)}{(import.Name is null ? "" : $" {TypePrinter.Quote(import.Name)}")} {import.Type})";
}

/// <summary>
/// The imports of a module with one first name: one thing, or things with second names, which together are an import of an instance. A core module
/// may ask for one name with several types; all of them must be met.
/// </summary>
internal sealed class ImportGroup
{
    private readonly List<ExternType> wholes = [];
    private readonly List<ImportType> items = [];
    private ExternType? instance;

    internal void Add(ImportType import)
    {
        if (import.Name is null) wholes.Add(import.Type);
        else items.Add(import);
    }

    /// <summary>The types that are asked for. The given thing must be of all of them.</summary>
    internal IEnumerable<ExternType> Needed => items.Count == 0 ? wholes : wholes.Append(Instance);

    /// <summary>The type that a holder of the imports can rely on: the first of several, which only core modules have.</summary>
    internal ExternType Given => wholes.Count > 0 ? wholes[0] : Instance;

    private ExternType Instance => instance ??= ExternType.OfInstance(DefType.Of(new InstanceType([.. items.Select(i => new ExportType(i.Name!, i.Type))])));
}

/// <summary>An instance type of the runtime-linking extension.</summary>
public sealed class InstanceType : CompositeType
{
    private Dictionary<string, ExternType>? byName;

    /// <summary>Makes an instance type.</summary>
    public InstanceType(ImmutableArray<ExportType> exports) => Exports = ByName(exports);

    /// <summary>The exports, by name: types that differ only in their order are the same.</summary>
    public ImmutableArray<ExportType> Exports { get; }

    /// <inheritdoc/>
    public override AbstractHeapType Top => HeapType.Instance;

    /// <summary>The type of an export, null if there is none of this name.</summary>
    internal ExternType? Find(string name)
    {
        if (byName is null)
        {
            // A few names are compared faster than hashed.
            if (Exports.Length <= 8)
            {
                foreach (ExportType export in Exports)
                    if (export.Name == name) return export.Type;
                return null;
            }
            var made = new Dictionary<string, ExternType>(Exports.Length);
            foreach (ExportType export in Exports) made.TryAdd(export.Name, export.Type);
            byName = made;
        }
        return byName.GetValueOrDefault(name);
    }

    /// <summary>The place of an export that exists.</summary>
    internal int IndexOf(string name)
    {
        // Guests may ask again and again, of instances of many types.
        if (Exports.Length > 8)
        {
            if (indices is null)
            {
                var made = new Dictionary<string, int>(Exports.Length);
                for (int i = 0; i < Exports.Length; i++) made.TryAdd(Exports[i].Name, i);
                indices = made;
            }
            return indices[name];
        }
        int index = 0;
        while (Exports[index].Name != name) index++;
        return index;
    }

    private Dictionary<string, int>? indices;

    internal static ImmutableArray<ExportType> ByName(ImmutableArray<ExportType> exports)
    {
        for (int i = 1; i < exports.Length; i++)
            if (string.CompareOrdinal(exports[i - 1].Name, exports[i].Name) > 0) return [.. exports.OrderBy(e => e.Name, StringComparer.Ordinal)];
        return exports;
    }

    /// <inheritdoc/>
    public override string ToString() => TypePrinter.List("(instance", Exports.Select(Text));

    internal static string Text(ExportType export) => $" (export {TypePrinter.Quote(export.Name)} {export.Type})";
}

/// <summary>
/// The size of types, counted with everything they contain: what subtyping and printing may have to walk through. References in functions, structs
/// and arrays are compared by identity and contain nothing in this sense.
/// </summary>
internal static class TypeSize
{
    /// <summary>More than the interface of any program has. Nesting that doubles reaches it after some twenty levels.</summary>
    internal const int MaxSize = 1_000_000;

    /// <summary>Subtyping goes down one level of nesting at a time.</summary>
    internal const int MaxDepth = 200;

    internal sealed record Measure(int Size, int Depth);

    /// <summary>Why a type may not be used; null if it may.</summary>
    internal static string? Problem(DefType type)
    {
        if (!type.Nests) return null;
        if (Of(type, null) is not { } measure) return "type contains itself";
        if (measure.Size > MaxSize) return $"type too large: more than {MaxSize} parts, counted with everything it contains";
        return measure.Depth > MaxDepth ? $"type too deep: more than {MaxDepth} levels of nesting" : null;
    }

    /// <summary>The size and depth; null if the type contains itself. <paramref name="open"/> has the types around it.</summary>
    private static Measure? Of(DefType type, HashSet<DefType>? open)
    {
        if (type.NestingMeasure is { } known) return known;
        open ??= [];
        if (!type.IsDefined || open.Count > MaxDepth + 1 || !open.Add(type)) return null;
        long size = 1;
        int depth = 0;
        foreach (ExternType part in Parts(type.Composite))
        {
            size++;
            if (Contained(part) is not { Nests: true } inner) continue;
            if (Of(inner, open) is not { } measure) return null;
            size += measure.Size;
            depth = Math.Max(depth, measure.Depth + 1);
        }
        open.Remove(type);
        var result = new Measure((int)Math.Min(size, MaxSize + 1), depth);
        type.NestingMeasure = result;
        return result;
    }

    private static IEnumerable<ExternType> Parts(CompositeType type) => type switch
    {
        EntityType entity => [entity.Entity],
        InstanceType instance => instance.Exports.Select(e => e.Type),
        ModuleType module => module.Imports.Select(i => i.Type).Concat(module.Exports.Select(e => e.Type)),
        _ => [],
    };

    private static DefType? Contained(ExternType part) => part.Kind switch
    {
        ExternKind.Module or ExternKind.Instance => part.Def,
        ExternKind.Global when part.Global.Type.Heap is ExactModuleType exact => exact.InstanceType,
        ExternKind.Global => part.Global.Type.Heap as DefType,
        _ => null,
    };
}
