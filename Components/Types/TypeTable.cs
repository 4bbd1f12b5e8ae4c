namespace WasmJit.Components;

/// <summary>
/// Gives every value type of a component, and of those nested in it, its canonical type: one object for each structure, whose parts are canonical
/// too. So types are compared by reference, whatever they are made of.
/// </summary>
internal sealed class TypeTable
{
    private readonly HashSet<ComponentValType> canonical = new(new Shapes());

    /// <summary>Finds the canonical type of a type whose parts have theirs.</summary>
    internal T Intern<T>(T type)
        where T : ComponentValType
    {
        if (type is PrimitiveType) return type;
        ComponentValType shape = HasCanonicalParts(type) ? type : type.Rebuild(part => part.Canonical, resource => resource.Canonical);
        if (!canonical.TryGetValue(shape, out ComponentValType? found))
        {
            canonical.Add(shape);
            found = shape;
        }
        type.SetCanonical(found);
        return type;
    }

    private static bool HasCanonicalParts(ComponentValType type)
    {
        if (type is HandleType handle) return ReferenceEquals(handle.Resource, handle.Resource.Canonical);
        foreach (ComponentValType part in type.Parts)
            if (!ReferenceEquals(part, part.Canonical)) return false;
        return true;
    }

    /// <summary>Compares types whose parts are canonical.</summary>
    private sealed class Shapes : IEqualityComparer<ComponentValType>
    {
        public bool Equals(ComponentValType? a, ComponentValType? b) => ReferenceEquals(a, b) || (a, b) switch
        {
            (RecordType x, RecordType y) => x.Fields.AsSpan().SequenceEqual(y.Fields.AsSpan()),
            (VariantType x, VariantType y) => x.Cases.AsSpan().SequenceEqual(y.Cases.AsSpan()),
            (ListType x, ListType y) => ReferenceEquals(x.Element, y.Element) && x.Length == y.Length,
            (TupleType x, TupleType y) => x.Elements.AsSpan().SequenceEqual(y.Elements.AsSpan()),
            (FlagsType x, FlagsType y) => x.Labels.AsSpan().SequenceEqual(y.Labels.AsSpan()),
            (EnumType x, EnumType y) => x.Labels.AsSpan().SequenceEqual(y.Labels.AsSpan()),
            (OptionType x, OptionType y) => ReferenceEquals(x.Payload, y.Payload),
            (ResultType x, ResultType y) => ReferenceEquals(x.Ok, y.Ok) && ReferenceEquals(x.Error, y.Error),
            (HandleType x, HandleType y) => ReferenceEquals(x.Resource, y.Resource) && x.IsBorrow == y.IsBorrow,
            (StreamType x, StreamType y) => ReferenceEquals(x.Element, y.Element) && x.IsFuture == y.IsFuture,
            (MapType x, MapType y) => ReferenceEquals(x.Key, y.Key) && ReferenceEquals(x.Value, y.Value),
            _ => false,
        };

        public int GetHashCode(ComponentValType type)
        {
            var hash = default(HashCode);
            hash.Add(type.Kind);
            foreach (ComponentValType part in type.Parts) hash.Add(part);
            switch (type)
            {
                case RecordType record:
                    foreach (LabelledType field in record.Fields) hash.Add(field.Label);
                    break;
                case VariantType variant:
                    foreach (CaseType item in variant.Cases) hash.Add(item.Label);
                    break;
                case FlagsType flags:
                    foreach (string label in flags.Labels) hash.Add(label);
                    break;
                case EnumType enumeration:
                    foreach (string label in enumeration.Labels) hash.Add(label);
                    break;
                case HandleType handle:
                    hash.Add(handle.Resource);
                    break;
                case ListType list:
                    hash.Add(list.Length);
                    break;
            }
            return hash.ToHashCode();
        }
    }
}
