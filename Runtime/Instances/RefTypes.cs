namespace WasmJit.Runtime;

/// <summary>The dynamic type of references: what <c>ref.test</c>, <c>ref.cast</c> and the host boundary ask.</summary>
internal static class RefTypes
{
    /// <summary>Whether a reference value belongs to a type; the value is of the type's hierarchy.</summary>
    internal static bool Matches(object? value, ValType type) => value is null ? type.IsNullable : Matches(value, type.Heap!);

    internal static bool Matches(object value, HeapType type)
    {
        if (ReferenceEquals(type, HeapType.Extern) || ReferenceEquals(type, HeapType.Any)) return true;
        HeapType? own = TypeOf(value);
        if (type is ExactType exact) return ReferenceEquals(own, exact.Type);
        return own is not null && Subtyping.IsSubtype(own, type);
    }

    /// <summary>The most precise heap type of a value, null for a host object.</summary>
    internal static HeapType? TypeOf(object value) => value switch
    {
        FuncRef func => func.Type,
        WasmStruct or Array => GcClass.OfObject(value)?.Type,
        I31 => HeapType.I31,
        WasmException => HeapType.Exn,
        ILinkable linkable => linkable.DynamicType,
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
