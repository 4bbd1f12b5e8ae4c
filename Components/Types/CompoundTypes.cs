using System.Collections.Immutable;

namespace WasmJit.Components;

/// <summary>A value type made of others.</summary>
internal abstract class CompoundType : ComponentValType
{
    /// <param name="parts">The parts.</param>
    /// <param name="own">What is in the type itself.</param>
    /// <param name="apart">What of its parts is not in the type: it lies elsewhere.</param>
    private protected CompoundType(IEnumerable<ComponentValType?> parts, TypeTraits own = default, TypeTraits apart = default)
    {
        long size = 1;
        foreach (ComponentValType? part in parts)
        {
            if (part is null) continue;
            own |= part.Traits & ~apart;
            size += part.Size;
            Depth = Math.Max(Depth, part.Depth + 1);
        }
        Traits = own;
        Size = TypeLimits.Saturate(size);
    }

    /// <summary>Values one behind the other, as a tuple's.</summary>
    internal static ValueLayout Sequence(IEnumerable<ComponentValType> fields, bool is64)
    {
        long size = 0;
        int alignment = 1;
        foreach (ComponentValType field in fields)
        {
            ValueLayout layout = field.Layout(is64);
            size = ValueLayout.Align(size, layout.Alignment) + layout.Size;
            alignment = Math.Max(alignment, layout.Alignment);
        }
        return new(ValueLayout.Align(size, alignment), alignment);
    }

    private protected static int FlatSequence(IEnumerable<ComponentValType> fields)
    {
        int count = 0;
        foreach (ComponentValType field in fields) count = Flat((long)count + field.FlatCount);
        return count;
    }
}

/// <summary>
/// A value of one of several cases: a variant, an option, a result. It is a number that says which, and the value of the case, if that has one.
/// </summary>
internal abstract class AlternativesType : CompoundType
{
    private readonly long offset32, offset64;

    private protected AlternativesType(ImmutableArray<ComponentValType?> payloads, TypeTraits own = default)
        : base(payloads, own)
    {
        Payloads = payloads;
        Layout32 = LayoutOf(false, out offset32);
        Layout64 = LayoutOf(true, out offset64);
        int most = 0;
        foreach (ComponentValType? payload in payloads) most = Math.Max(most, payload?.FlatCount ?? 0);
        FlatCount = Flat(1L + most);
    }

    /// <summary>The type of each case's value; null of a case without one.</summary>
    internal ImmutableArray<ComponentValType?> Payloads { get; }

    /// <summary>The kind of its values, as the host has them.</summary>
    internal abstract ComponentValueKind ValueKind { get; }

    internal override IEnumerable<ComponentValType> Parts => Payloads.OfType<ComponentValType>();

    /// <summary>The name of a case.</summary>
    internal abstract string LabelOf(int number);

    /// <summary>The number of the case that a value has, which is of the kind; -1 if there is no such case.</summary>
    internal virtual int IndexOf(ComponentValue value) => (int)value.Bits;

    /// <summary>The bytes of the number that says which.</summary>
    internal static int DiscriminantSize(int cases) => cases <= 1 << 8 ? 1 : cases <= 1 << 16 ? 2 : 4;

    /// <summary>Where the value of a case is, behind the number that says which.</summary>
    internal long PayloadOffset(bool is64) => is64 ? offset64 : offset32;

    private ValueLayout LayoutOf(bool is64, out long offset)
    {
        int discriminant = DiscriminantSize(Payloads.Length), alignment = 1;
        long size = 0;
        foreach (ComponentValType? payload in Payloads)
        {
            if (payload is null) continue;
            ValueLayout layout = payload.Layout(is64);
            size = Math.Max(size, layout.Size);
            alignment = Math.Max(alignment, layout.Alignment);
        }
        offset = ValueLayout.Align(discriminant, alignment);
        alignment = Math.Max(alignment, discriminant);
        return new(ValueLayout.Align(offset + size, alignment), alignment);
    }
}

internal sealed class RecordType : CompoundType
{
    internal RecordType(ImmutableArray<LabelledType> fields)
        : base(fields.Select(f => f.Type), TypeTraits.HasNamed)
    {
        Fields = fields;
        Layout32 = Sequence(Parts, false);
        Layout64 = Sequence(Parts, true);
        FlatCount = FlatSequence(Parts);
        Labels = [.. fields.Select(f => f.Label)];
    }

    internal ImmutableArray<LabelledType> Fields { get; }

    /// <summary>The names of the fields.</summary>
    internal ImmutableArray<string> Labels { get; }

    internal override IEnumerable<ComponentValType> Parts => Fields.Select(f => f.Type);

    internal override bool NeedsName => true;

    internal override string Kind => "record";

    internal override ComponentValType Rebuild(Func<ComponentValType, ComponentValType> part, Func<ResourceType, ResourceType> resource) =>
        new RecordType([.. Fields.Select(f => f with { Type = part(f.Type) })]);
}

internal sealed class TupleType : CompoundType
{
    internal TupleType(ImmutableArray<ComponentValType> elements)
        : base(elements)
    {
        Elements = elements;
        Layout32 = Sequence(elements, false);
        Layout64 = Sequence(elements, true);
        FlatCount = FlatSequence(elements);
    }

    internal ImmutableArray<ComponentValType> Elements { get; }

    internal override IEnumerable<ComponentValType> Parts => Elements;

    internal override string Kind => "tuple";

    internal override ComponentValType Rebuild(Func<ComponentValType, ComponentValType> part, Func<ResourceType, ResourceType> resource) =>
        new TupleType([.. Elements.Select(part)]);
}

internal sealed class VariantType : AlternativesType
{
    internal VariantType(ImmutableArray<CaseType> cases)
        : base([.. cases.Select(c => c.Type)], TypeTraits.HasNamed) => Cases = cases;

    internal ImmutableArray<CaseType> Cases { get; }

    internal override ComponentValueKind ValueKind => ComponentValueKind.Variant;

    internal override bool NeedsName => true;

    internal override string Kind => "variant";

    internal override string LabelOf(int number) => Cases[number].Label;

    /// <summary>By the name: the host makes values without the type.</summary>
    internal override int IndexOf(ComponentValue value)
    {
        for (int i = 0; i < Cases.Length; i++)
            if (Cases[i].Label == value.CaseName) return i;
        return -1;
    }

    internal override ComponentValType Rebuild(Func<ComponentValType, ComponentValType> part, Func<ResourceType, ResourceType> resource) =>
        new VariantType([.. Cases.Select(c => c.Type is null ? c : c with { Type = part(c.Type) })]);
}

/// <summary>A list; of a fixed length if it has one.</summary>
internal sealed class ListType : CompoundType
{
    internal ListType(ComponentValType element, uint? length)
        : base([element], length is null ? TypeTraits.HasPointer : default)
    {
        Element = element;
        Length = length;
        Layout32 = length is { } n ? Fixed(element.Layout32, n) : new(8, 4);
        Layout64 = length is { } m ? Fixed(element.Layout64, m) : new(16, 8);
        FlatCount = length is { } count ? Flat(count * (long)element.FlatCount) : 2;
    }

    /// <summary>A size that is too large is not counted exactly, so that products of them do not overflow.</summary>
    private static ValueLayout Fixed(ValueLayout element, uint length) =>
        new(Math.Min(element.Size * length, TypeLimits.ValueSize), element.Alignment);

    internal ComponentValType Element { get; }

    internal uint? Length { get; }

    internal override IEnumerable<ComponentValType> Parts => [Element];

    internal override string Kind => "list";

    internal override ComponentValType Rebuild(Func<ComponentValType, ComponentValType> part, Func<ResourceType, ResourceType> resource) =>
        new ListType(part(Element), Length);
}

/// <summary>A map: a list of pairs in memory.</summary>
internal sealed class MapType : CompoundType
{
    internal MapType(ComponentValType key, ComponentValType value)
        : base([key, value], TypeTraits.HasPointer)
    {
        Key = key;
        Value = value;
        Layout32 = new(8, 4);
        Layout64 = new(16, 8);
        FlatCount = 2;
        Entry = new TupleType([key, value]);
    }

    internal ComponentValType Key { get; }

    internal ComponentValType Value { get; }

    /// <summary>What it is a list of.</summary>
    internal TupleType Entry { get; }

    internal override IEnumerable<ComponentValType> Parts => [Key, Value];

    internal override string Kind => "map";

    internal override ComponentValType Rebuild(Func<ComponentValType, ComponentValType> part, Func<ResourceType, ResourceType> resource) =>
        new MapType(part(Key), part(Value));
}

/// <summary>A type that is nothing but labels, which has a number of its own in the core.</summary>
internal abstract class LabelsType : CompoundType
{
    private protected LabelsType(ImmutableArray<string> labels, int size)
        : base([], TypeTraits.HasNamed)
    {
        Labels = labels;
        Layout32 = Layout64 = new(size, size);
    }

    internal ImmutableArray<string> Labels { get; }

    internal override IEnumerable<ComponentValType> Parts => [];

    internal override bool NeedsName => true;

    internal override ComponentValType Rebuild(Func<ComponentValType, ComponentValType> part, Func<ResourceType, ResourceType> resource) =>
        this;
}

/// <summary>Any number of the labels: a bit for each.</summary>
internal sealed class FlagsType(ImmutableArray<string> labels) : LabelsType(labels, labels.Length <= 8 ? 1 : labels.Length <= 16 ? 2 : 4)
{
    internal override string Kind => "flags";
}

/// <summary>One of the labels.</summary>
internal sealed class EnumType(ImmutableArray<string> labels) : LabelsType(labels, AlternativesType.DiscriminantSize(labels.Length))
{
    internal override string Kind => "enum";
}

internal sealed class OptionType : AlternativesType
{
    internal OptionType(ComponentValType payload)
        : base([null, payload]) => Payload = payload;

    internal ComponentValType Payload { get; }

    internal override ComponentValueKind ValueKind => ComponentValueKind.Option;

    internal override string Kind => "option";

    internal override string LabelOf(int number) => number == 0 ? "none" : "some";

    internal override ComponentValType Rebuild(Func<ComponentValType, ComponentValType> part, Func<ResourceType, ResourceType> resource) =>
        new OptionType(part(Payload));
}

internal sealed class ResultType : AlternativesType
{
    internal ResultType(ComponentValType? ok, ComponentValType? error)
        : base([ok, error])
    {
        Ok = ok;
        Error = error;
    }

    internal ComponentValType? Ok { get; }

    internal ComponentValType? Error { get; }

    internal override ComponentValueKind ValueKind => ComponentValueKind.Result;

    internal override string Kind => "result";

    internal override string LabelOf(int number) => number == 0 ? "ok" : "error";

    internal override ComponentValType Rebuild(Func<ComponentValType, ComponentValType> part, Func<ResourceType, ResourceType> resource) =>
        new ResultType(Ok is null ? null : part(Ok), Error is null ? null : part(Error));
}

/// <summary>A handle: <c>own</c> or <c>borrow</c>.</summary>
internal sealed class HandleType : CompoundType
{
    internal HandleType(ResourceType resource, bool isBorrow)
        : base([], TypeTraits.HasResource | (isBorrow ? TypeTraits.HasBorrow : TypeTraits.HasOwn))
    {
        Resource = resource;
        IsBorrow = isBorrow;
        Layout32 = Layout64 = new(4, 4);
    }

    internal ResourceType Resource { get; }

    internal bool IsBorrow { get; }

    internal override IEnumerable<ComponentValType> Parts => [];

    internal override string Kind => IsBorrow ? "borrow" : "own";

    internal override ComponentValType Rebuild(Func<ComponentValType, ComponentValType> part, Func<ResourceType, ResourceType> resource) =>
        new HandleType(resource(Resource), IsBorrow);
}

/// <summary>A stream or future.</summary>
internal sealed class StreamType : CompoundType
{
    internal StreamType(ComponentValType? element, bool isFuture)
        : base([element], TypeTraits.HasStreamOrFuture, TypeTraits.HasPointer | TypeTraits.HasString)
    {
        Element = element;
        IsFuture = isFuture;
        Layout32 = Layout64 = new(4, 4);
    }

    internal ComponentValType? Element { get; }

    internal bool IsFuture { get; }

    internal override IEnumerable<ComponentValType> Parts => Element is null ? [] : [Element];

    internal override string Kind => IsFuture ? "future" : "stream";

    internal override ComponentValType Rebuild(Func<ComponentValType, ComponentValType> part, Func<ResourceType, ResourceType> resource) =>
        new StreamType(Element is null ? null : part(Element), IsFuture);
}
