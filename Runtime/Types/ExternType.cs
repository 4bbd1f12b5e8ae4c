namespace WasmJit;

/// <summary>The kinds of things that modules import and export.</summary>
public enum ExternKind : byte
{
    /// <summary>A function.</summary>
    Func,
    /// <summary>A table.</summary>
    Table,
    /// <summary>A memory.</summary>
    Memory,
    /// <summary>A global.</summary>
    Global,
    /// <summary>An exception tag.</summary>
    Tag,
    /// <summary>A module, of the runtime-linking extension.</summary>
    Module,
    /// <summary>An instance, of the runtime-linking extension.</summary>
    Instance,
}

/// <summary>The type of an import or export.</summary>
public sealed class ExternType
{
    private readonly object type;

    private ExternType(ExternKind kind, object type, bool isExact = false)
    {
        Kind = kind;
        IsExact = isExact;
        this.type = type;
    }

    /// <summary>The kind.</summary>
    public ExternKind Kind { get; }

    /// <summary>Whether a function is of exactly this type, not of a declared subtype (custom-descriptors).</summary>
    public bool IsExact { get; }

    /// <summary>The defined type of a function or tag, or of an extension's module or instance.</summary>
    /// <exception cref="InvalidCastException">Another kind.</exception>
    public DefType Def => (DefType)type;

    /// <summary>The type of a module.</summary>
    /// <exception cref="InvalidCastException">Another kind.</exception>
    public ModuleType Module => (ModuleType)Def.Composite;

    /// <summary>The type of an instance.</summary>
    /// <exception cref="InvalidCastException">Another kind.</exception>
    public InstanceType Instance => (InstanceType)Def.Composite;

    /// <summary>The function type of a function or tag.</summary>
    /// <exception cref="InvalidCastException">Another kind.</exception>
    public FuncType Func => (FuncType)Def.Composite;

    /// <summary>The type of a memory.</summary>
    /// <exception cref="InvalidCastException">Another kind.</exception>
    public MemoryType Memory => (MemoryType)type;

    /// <summary>The type of a table.</summary>
    /// <exception cref="InvalidCastException">Another kind.</exception>
    public TableType Table => (TableType)type;

    /// <summary>The type of a global.</summary>
    /// <exception cref="InvalidCastException">Another kind.</exception>
    public GlobalType Global => (GlobalType)type;

    internal static ExternType OfFunc(DefType type, bool isExact = false) => new(ExternKind.Func, type, isExact);

    internal static ExternType OfTag(DefType type) => new(ExternKind.Tag, type);

    internal static ExternType Of(MemoryType type) => new(ExternKind.Memory, type);

    internal static ExternType Of(TableType type) => new(ExternKind.Table, type);

    internal static ExternType Of(GlobalType type) => new(ExternKind.Global, type);

    internal static ExternType OfModule(DefType type) => new(ExternKind.Module, type);

    internal static ExternType OfInstance(DefType type) => new(ExternKind.Instance, type);

    /// <summary>The type's object, for identity of canonical types.</summary>
    internal object Payload => type;

    /// <inheritdoc/>
    public override string ToString() => Kind == ExternKind.Tag ? $"(tag{Func.ToString()[5..]}" : type.ToString()!;
}

/// <summary>An import of a module type; <see cref="Name"/> is null for a single-level import of the extension.</summary>
/// <param name="Module">The first name.</param>
/// <param name="Name">The second name, or null.</param>
/// <param name="Type">What is imported.</param>
public sealed record ImportType(string Module, string? Name, ExternType Type);

/// <summary>An export of a module or instance type.</summary>
/// <param name="Name">The name.</param>
/// <param name="Type">What is exported.</param>
public sealed record ExportType(string Name, ExternType Type);

/// <summary>A defined type that describes a linkable entity other than a function: memory, table, global or tag.</summary>
internal sealed class EntityType : CompositeType
{
    /// <summary>Makes the composite type of an entity.</summary>
    internal EntityType(ExternType entity) => Entity = entity;

    /// <summary>The entity's type.</summary>
    internal ExternType Entity { get; }

    /// <inheritdoc/>
    public override AbstractHeapType Top => Entity.Kind switch
    {
        ExternKind.Memory => HeapType.Memory,
        ExternKind.Table => HeapType.Table,
        ExternKind.Global => HeapType.Global,
        _ => HeapType.Tag,
    };

    /// <inheritdoc/>
    public override string ToString() => Entity.ToString();
}
