namespace WasmJit.Components;

/// <summary>Compares values with types, without a guest that they would be written into.</summary>
/// <param name="resolve">What a resource type is.</param>
internal sealed class ValueCheck(Func<ResourceType, RuntimeResource?> resolve)
{
    /// <summary>Why a value is not of a type; null if it is.</summary>
    internal string? Problem(ComponentValue value, ComponentValType type) => type switch
    {
        PrimitiveType primitive => value.Kind == KindOf(primitive.Primitive) ? null : Wrong(value, primitive.Name),
        RecordType record => value.Kind != ComponentValueKind.Record ? Wrong(value, "record")
            : !value.Names.Order(StringComparer.Ordinal).SequenceEqual(record.Labels.Order(StringComparer.Ordinal)) ? "it is a record of other fields"
            : First(record.Fields, field => Problem(value[field.Label], field.Type)),
        TupleType tuple => value.Kind != ComponentValueKind.Tuple ? Wrong(value, "tuple")
            : value.Items.Length != tuple.Elements.Length ? $"a tuple has {tuple.Elements.Length} elements"
            : First(tuple.Elements.Zip(value.Items), pair => Problem(pair.Second, pair.First)),
        ListType list => value.Kind != ComponentValueKind.List ? Wrong(value, "list")
            : list.Length is { } length && length != value.Items.Length ? $"the list has {length} items" : First(value.Items, item => Problem(item, list.Element)),
        MapType map => value.Kind != ComponentValueKind.Map ? Wrong(value, "map") : First(value.Items, item => Problem(item, map.Entry)),
        FlagsType flags => value.Kind != ComponentValueKind.Flags ? Wrong(value, "flags")
            : First(value.Names, name => flags.Labels.Contains(name) ? null : $"there is no flag \"{name}\""),
        EnumType labels => value.Kind != ComponentValueKind.Enum ? Wrong(value, "enum") : labels.Labels.Contains(value.CaseName) ? null : NoCase(value),
        AlternativesType alternatives => value.Kind != alternatives.ValueKind ? Wrong(value, alternatives.Kind)
            : alternatives.IndexOf(value) is >= 0 and var index ? Payload(value, alternatives.Payloads[index]) : NoCase(value),
        HandleType handle => value.Kind != ComponentValueKind.Resource ? Wrong(value, handle.Kind)
            : resolve(handle.Resource) is { } resource && value.AsResource().IsOf(resource) ? null : "it is a resource of another type, or gone",
        StreamType => $"there are no such values of the type {type.Kind}",
        _ => throw type.Unhandled(),
    };

    private string? Payload(ComponentValue value, ComponentValType? type) => type is null
        ? value.Payload.Kind == ComponentValueKind.None ? null : "the case has no value"
        : value.Payload.Kind == ComponentValueKind.None ? "the case has a value" : Problem(value.Payload, type);

    private static string? First<T>(IEnumerable<T> items, Func<T, string?> problem) => items.Select(problem).FirstOrDefault(p => p is not null);

    private static string Wrong(ComponentValue value, string wanted) => $"it is {value.Kind}, not {wanted}";

    private static string NoCase(ComponentValue value) => $"there is no case \"{value.CaseName}\"";

    /// <summary>The kind of values that a primitive type has.</summary>
    internal static ComponentValueKind KindOf(PrimitiveKind kind) => kind switch
    {
        PrimitiveKind.Bool => ComponentValueKind.Bool,
        PrimitiveKind.S8 => ComponentValueKind.S8,
        PrimitiveKind.U8 => ComponentValueKind.U8,
        PrimitiveKind.S16 => ComponentValueKind.S16,
        PrimitiveKind.U16 => ComponentValueKind.U16,
        PrimitiveKind.S32 => ComponentValueKind.S32,
        PrimitiveKind.U32 => ComponentValueKind.U32,
        PrimitiveKind.S64 => ComponentValueKind.S64,
        PrimitiveKind.U64 => ComponentValueKind.U64,
        PrimitiveKind.F32 => ComponentValueKind.F32,
        PrimitiveKind.F64 => ComponentValueKind.F64,
        PrimitiveKind.Char => ComponentValueKind.Char,
        PrimitiveKind.String => ComponentValueKind.String,
        PrimitiveKind.ErrorContext => ComponentValueKind.ErrorContext,
    };
}
