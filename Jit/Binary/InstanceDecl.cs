namespace WasmJit.Jit.Binary;

/// <summary>
/// A member of the instance index space: an instance of a type, or the instance that two-level imports of one first name form (Subtyping.md, import
/// elaboration), at the place of the first of them. Core modules have the latter, too, and cannot name them, so its type is made when it is first asked for.
/// </summary>
internal sealed class InstanceDecl
{
    private readonly ModuleContents? contents;
    private Dictionary<string, ExternType>? byName;
    private DefType? type;
    private int typed, named;

    /// <summary>An instance of a type.</summary>
    internal InstanceDecl(DefType type) => this.type = type;

    /// <summary>The imports of a first name.</summary>
    internal InstanceDecl(ModuleContents contents, string first)
    {
        this.contents = contents;
        First = first;
    }

    /// <summary>The first name of the imports that are this instance; null for all others.</summary>
    internal string? First { get; }

    /// <summary>The imports that are this instance; while the module is being decoded, those that have been read.</summary>
    internal IReadOnlyList<ImportInfo> Parts => contents is null ? [] : contents.Group(First!);

    /// <summary>Its type.</summary>
    /// <exception cref="InvalidModuleException">The type is too large.</exception>
    internal DefType Type
    {
        get
        {
            if (contents is null) return type!;
            lock (contents)
            {
                IReadOnlyList<ImportInfo> parts = Parts;
                if (type is not null && typed == parts.Count) return type;
                type = DefType.Of(new InstanceType([.. parts.Select(p => new ExportType(p.Name!, p.Type))]));
                typed = parts.Count;
                return TypeSize.Problem(type) is { } problem ? throw new InvalidModuleException(problem, parts[^1].Offset) : type;
            }
        }
    }

    /// <summary>The type of an export, null if there is none of this name.</summary>
    internal ExternType? Find(string name)
    {
        if (contents is null) return ((InstanceType)type!.Composite).Find(name);
        lock (contents)
        {
            IReadOnlyList<ImportInfo> parts = Parts;
            for (; named < parts.Count; named++) (byName ??= []).TryAdd(parts[named].Name!, parts[named].Type);
            return byName?.GetValueOrDefault(name);
        }
    }
}
