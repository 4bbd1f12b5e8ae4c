using WasmJit.Gc;

namespace WasmJit.Runtime;

/// <summary>The dynamic type of references, for <c>ref.test</c>, <c>ref.cast</c> and the host boundary.</summary>
internal static class RefTypes
{
    /// <summary>Whether a reference value belongs to a type; the value is of the type's hierarchy.</summary>
    internal static bool Matches(object? value, ValType type) => value is null ? type.IsNullable : Matches(value, type.Heap!);

    internal static bool Matches(object value, HeapType type)
    {
        if (ReferenceEquals(type, HeapType.Extern) || ReferenceEquals(type, HeapType.Any)) return true;
        if (type is DefType { Composite: EntityType { Entity: var entity } }) return Matches(value, entity);
        if (type is ExactModuleType made) return IsMadeOf(value, made);
        if (type is ExactType exact) return ReferenceEquals(TypeOf(value), exact.Type);
        HeapType? own = value switch
        {
            Memory => HeapType.Memory,
            Table => HeapType.Table,
            Global => HeapType.Global,
            Tag => HeapType.Tag,
            _ => TypeOf(value),
        };
        return own is not null && Subtyping.IsSubtype(own, type);
    }

    /// <summary>Whether a value is a memory, table, global or tag of a type. The current size counts. Nothing is allocated.</summary>
    private static bool Matches(object value, ExternType type) => type.Kind switch
    {
        ExternKind.Memory => value is Memory memory && Subtyping.Matches(memory.Type, memory.PageCount, type.Memory),
        ExternKind.Table => value is Table table && Subtyping.Matches(table.Type, (ulong)table.Size, type.Table),
        ExternKind.Global => value is Global global && Subtyping.Matches(global.Type, type.Global),
        _ => value is Tag tag && ReferenceEquals(tag.Type, type.Def),
    };

    /// <summary>
    /// At the host's boundary no instance says which module an index means. A module that is defined runs the same code in all its closures. An
    /// imported one has a known type, and code that calls through the type relies on no more.
    /// </summary>
    private static bool IsMadeOf(object value, ExactModuleType type) => value is InstanceCore instance
        && (type.Definition is { } definition ? ReferenceEquals(instance.Definition, definition) : Subtyping.IsSubtype(TypeOf(value)!, type.InstanceType));

    /// <summary>The most precise heap type of a value, null for a host object.</summary>
    internal static HeapType? TypeOf(object value) => value switch
    {
        FuncRef func => func.Type,
        WasmStruct or Array or PlainArray => GcClass.OfObject(value)?.Type,
        I31 => HeapType.I31,
        WasmException => HeapType.Exn,
        ILinkable linkable => linkable.DynamicType,
        MemorySlice => HeapType.Slice,
        Memory memory => DefType.Of(new EntityType(ExternType.Of(memory.CurrentType))),
        Table table => DefType.Of(new EntityType(ExternType.Of(table.CurrentType))),
        Global global => DefType.Of(new EntityType(ExternType.Of(global.Type))),
        Tag tag => DefType.Of(new EntityType(ExternType.OfTag(tag.Type))),
        _ => null,
    };
}

/// <summary>A module or instance, seen from below.</summary>
internal interface ILinkable
{
    /// <summary>Its module or instance type.</summary>
    DefType DynamicType { get; }
}
