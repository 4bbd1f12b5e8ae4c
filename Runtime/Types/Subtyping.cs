using WasmJit.Runtime;

namespace WasmJit;

/// <summary>
/// The one place with the rules of subtyping: spec 3.3 for Wasm 3.0, Subtyping.md of module linking for modules and
/// instances, import matching for memories, tables, globals and tags.
/// </summary>
internal static class Subtyping
{
    internal static bool IsSubtype(ValType sub, ValType super)
    {
        if (sub.Kind == ValKind.Bottom) return true;
        if (sub.Kind != super.Kind) return false;
        if (sub.Kind != ValKind.Ref) return true;
        return (!sub.IsNullable || super.IsNullable) && IsSubtype(sub.Heap!, super.Heap!);
    }

    internal static bool IsSubtype(HeapType sub, HeapType super)
    {
        if (ReferenceEquals(sub, super) || ReferenceEquals(sub, HeapType.Bottom)) return true;
        switch (sub, super)
        {
            case (ExactModuleType a, _): return super is not ExactModuleType && IsSubtype(a.InstanceType, super);
            case (AbstractHeapType bottom, ExactModuleType): return IsBottomOf(bottom, HeapType.Instance);
            case (_, ExactModuleType): return false;
            case (ExactType a, ExactType b): return ReferenceEquals(a.Type, b.Type);
            case (ExactType a, _): return IsSubtype(a.Type, super);
            case (AbstractHeapType bottom, ExactType b): return IsBottomOf(bottom, b.Type.Composite.Top);
            case (_, ExactType): return false;
            case (DefType a, DefType b): return IsSubtype(a, b);
            case (DefType a, AbstractHeapType b): return IsAbstractSubtype(a.Composite.Top, b);
            case (AbstractHeapType a, DefType b): return IsBottomOf(a, b.Composite.Top);
            case (AbstractHeapType a, AbstractHeapType b): return IsAbstractSubtype(a, b);
            default: return false;
        }
    }

    /// <summary>Declared subtyping of core types, structural subtyping of the extension's.</summary>
    internal static bool IsSubtype(DefType sub, DefType super)
    {
        if (ReferenceEquals(sub, super)) return true;
        if (sub.Nests) return super.Nests && IsStructuralSubtype(sub, super);
        DefType? type = sub;
        while (type is not null && type.Depth > super.Depth) type = type.Super;
        return ReferenceEquals(type, super);
    }

    private static readonly object Yes = new(), No = new();

    /// <summary>
    /// Subtyping of the extension's types. Each pair of module or instance types is compared once, and the answer is kept with the lower one as long
    /// as both are alive. Otherwise types that share their parts would be walked through again and again.
    /// </summary>
    private static bool IsStructuralSubtype(DefType sub, DefType super)
    {
        if (sub.Composite is EntityType entity) return super.Composite is EntityType other && Matches(entity.Entity, other.Entity);
        if (sub.Composite.GetType() != super.Composite.GetType()) return false;
        var known = sub.Compared;
        if (known is not null && known.TryGetValue(super, out object? answer)) return ReferenceEquals(answer, Yes);
        // Guests ask with casts, too, anywhere on their stack. A level takes some hundred bytes.
        bool result = DeepStack.HasSpace(StackForLevels) ? CompareStructure(sub, super) : DeepStack.RunElsewhere(() => CompareStructure(sub, super));
        known ??= Interlocked.CompareExchange(ref sub.Compared, [], null) ?? sub.Compared;
        known.AddOrUpdate(super, result ? Yes : No);
        return result;
    }

    /// <summary>The stack that must be left for another level, and for everything that the last of them calls.</summary>
    private const int StackForLevels = 48 << 10;

    private static bool CompareStructure(DefType sub, DefType super)
    {
        CancellationScope.ThrowIfStopped();
        return (sub.Composite, super.Composite) switch
        {
            (ModuleType a, ModuleType b) => ImportsMatch(a, b) && ExportsMatch(a.InstanceType, b.InstanceType),
            (InstanceType a, InstanceType b) => ExportsMatch(a, b),
            _ => false,
        };
    }

    private static bool ExportsMatch(DefType sub, DefType super) =>
        ReferenceEquals(sub, super) || ExportsMatch((InstanceType)sub.Composite, (InstanceType)super.Composite);

    private static bool ExportsMatch(InstanceType sub, InstanceType super)
    {
        foreach (ExportType wanted in super.Exports)
            if (sub.Find(wanted.Name) is not { } given || !Matches(given, wanted.Type)) return false;
        return true;
    }

    /// <summary>The instantiation of the upper type gives what the lower type needs.</summary>
    private static bool ImportsMatch(ModuleType sub, ModuleType super)
    {
        if (sub.Imports.IsEmpty) return true;
        Dictionary<string, ImportGroup> given = super.Groups;
        foreach ((string name, ImportGroup needed) in sub.Groups)
        {
            if (!given.TryGetValue(name, out ImportGroup? group)) return false;
            foreach (ExternType type in needed.Needed)
                if (!Matches(group.Given, type)) return false;
        }
        return true;
    }

    /// <summary>
    /// Whether the values that an instance definition gives by name meet all imports of a module (Subtyping.md, instantiation); the reason if not.
    /// Two-level imports of one name are an import of an instance (import elaboration).
    /// </summary>
    internal static string? CheckArguments(ModuleType module, IReadOnlyDictionary<string, ExternType> arguments)
    {
        foreach ((string name, ImportGroup group) in module.Groups)
        {
            if (!arguments.TryGetValue(name, out ExternType? given)) return $"missing import \"{name}\"";
            foreach (ExternType needed in group.Needed)
                if (!Matches(given, needed)) return $"type mismatch: the import \"{name}\" is {given}, {needed} is needed";
        }
        return null;
    }

    /// <summary>Import matching (spec 3.4.7): may a thing of type <paramref name="given"/> stand where <paramref name="wanted"/> is asked for.</summary>
    internal static bool Matches(ExternType given, ExternType wanted)
    {
        if (given.Kind != wanted.Kind) return false;
        switch (given.Kind)
        {
            case ExternKind.Func when wanted.IsExact:
                return given.IsExact && ReferenceEquals(given.Def, wanted.Def);
            case ExternKind.Func or ExternKind.Module or ExternKind.Instance:
                return IsSubtype(given.Def, wanted.Def);
            case ExternKind.Tag:
                return ReferenceEquals(given.Def, wanted.Def);
            case ExternKind.Memory: return Matches(given.Memory, given.Memory.Minimum, wanted.Memory);
            case ExternKind.Table: return Matches(given.Table, given.Table.Minimum, wanted.Table);
            default: return Matches(given.Global, wanted.Global);
        }
    }

    /// <summary>The same for a memory that has a current size, in pages.</summary>
    internal static bool Matches(MemoryType given, ulong size, MemoryType wanted) =>
        given.Is64 == wanted.Is64 && given.IsShared == wanted.IsShared && given.PageSizeLog2 == wanted.PageSizeLog2
        && LimitsMatch(size, given.Maximum, wanted.Minimum, wanted.Maximum);

    /// <summary>The same for a table that has a current size.</summary>
    internal static bool Matches(TableType given, ulong size, TableType wanted) =>
        given.Is64 == wanted.Is64 && given.IsShared == wanted.IsShared && given.Element == wanted.Element
        && LimitsMatch(size, given.Maximum, wanted.Minimum, wanted.Maximum);

    internal static bool Matches(GlobalType given, GlobalType wanted) =>
        given.IsMutable == wanted.IsMutable && (given.IsMutable ? given.Type == wanted.Type : IsSubtype(given.Type, wanted.Type));

    private static bool LimitsMatch(ulong min, ulong? max, ulong wantedMin, ulong? wantedMax) =>
        min >= wantedMin && (wantedMax is null || (max is not null && max <= wantedMax));

    /// <summary>Whether the structure of a type may be declared below another's (spec 3.3.7, composite types).</summary>
    internal static bool IsCompositeSubtype(CompositeType sub, CompositeType super)
    {
        switch (sub, super)
        {
            case (FuncType a, FuncType b):
                if (a.Params.Length != b.Params.Length || a.Results.Length != b.Results.Length) return false;
                for (int i = 0; i < a.Params.Length; i++)
                    if (!IsSubtype(b.Params[i], a.Params[i])) return false;
                for (int i = 0; i < a.Results.Length; i++)
                    if (!IsSubtype(a.Results[i], b.Results[i])) return false;
                return true;
            case (StructType a, StructType b):
                if (a.Fields.Length < b.Fields.Length) return false;
                for (int i = 0; i < b.Fields.Length; i++)
                    if (!IsFieldSubtype(a.Fields[i], b.Fields[i])) return false;
                return true;
            case (ArrayType a, ArrayType b):
                return IsFieldSubtype(a.Element, b.Element);
            default:
                return false;
        }
    }

    private static bool IsFieldSubtype(FieldType sub, FieldType super) =>
        sub.IsMutable == super.IsMutable && (sub.IsMutable ? sub.Type == super.Type : IsSubtype(sub.Type, super.Type));

    /// <summary>The topmost type of a heap type's hierarchy: any, func, extern or exn.</summary>
    internal static AbstractHeapType TopOf(HeapType type)
    {
        AbstractHeapType top = type switch
        {
            ExactType exact => exact.Type.Composite.Top,
            ExactModuleType => HeapType.Instance,
            DefType def => def.Composite.Top,
            AbstractHeapType a => a,
            _ => HeapType.Any,
        };
        if (ReferenceEquals(top, HeapType.Func) || ReferenceEquals(top, HeapType.NoFunc)) return HeapType.Func;
        if (ReferenceEquals(top, HeapType.Extern) || ReferenceEquals(top, HeapType.NoExtern)) return HeapType.Extern;
        if (ReferenceEquals(top, HeapType.Exn) || ReferenceEquals(top, HeapType.NoExn)) return HeapType.Exn;
        return HeapType.Any;
    }

    private static bool IsBottomOf(AbstractHeapType bottom, AbstractHeapType top) =>
        ReferenceEquals(bottom, HeapType.Bottom) || (IsBottom(bottom) && ReferenceEquals(TopOf(bottom), TopOf(top)));

    private static bool IsBottom(AbstractHeapType type) =>
        ReferenceEquals(type, HeapType.None) || ReferenceEquals(type, HeapType.NoFunc)
        || ReferenceEquals(type, HeapType.NoExtern) || ReferenceEquals(type, HeapType.NoExn);

    private static bool IsAbstractSubtype(AbstractHeapType sub, AbstractHeapType super)
    {
        if (ReferenceEquals(sub, super) || ReferenceEquals(sub, HeapType.Bottom)) return true;
        if (IsBottom(sub)) return ReferenceEquals(TopOf(sub), TopOf(super));
        if (ReferenceEquals(super, HeapType.Any)) return ReferenceEquals(TopOf(sub), HeapType.Any);
        if (ReferenceEquals(super, HeapType.Eq))
            return ReferenceEquals(sub, HeapType.I31) || ReferenceEquals(sub, HeapType.Struct) || ReferenceEquals(sub, HeapType.Array);
        return false;
    }
}
