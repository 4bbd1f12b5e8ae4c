using System.Collections.Immutable;

namespace WasmJit.Components;

/// <summary>
/// Compares types of different components, whose resource types are the same if they are the same at run time. Each pair of types is looked at
/// once.
/// </summary>
internal sealed class TypeComparer(Func<ResourceType, RuntimeResource?> left, Func<ResourceType, RuntimeResource?> right)
{
    private readonly HashSet<(ComponentValType, ComponentValType)> known = [];

    internal bool Same(FunctionType a, FunctionType b)
    {
        if (a.IsAsync != b.IsAsync || a.Parameters.Length != b.Parameters.Length) return false;
        for (int i = 0; i < a.Parameters.Length; i++)
            if (a.Parameters[i].Label != b.Parameters[i].Label || !Same(a.Parameters[i].Type, b.Parameters[i].Type)) return false;
        return Same(a.Result, b.Result);
    }

    private bool Same(ResourceType a, ResourceType b) => left(a) is { } resource && ReferenceEquals(resource, right(b));

    internal bool Same(ComponentValType? a, ComponentValType? b)
    {
        if (a is null || b is null) return a is null && b is null;
        if (a is PrimitiveType || b is PrimitiveType) return ReferenceEquals(a, b);
        if (a.GetType() != b.GetType()) return false;
        if (!known.Add((a.Canonical, b.Canonical))) return true;
        return (a, b) switch
        {
            (RecordType x, RecordType y) => All(x.Fields, y.Fields, (f, g) => f.Label == g.Label && Same(f.Type, g.Type)),
            (TupleType x, TupleType y) => All(x.Elements, y.Elements, Same),
            (VariantType x, VariantType y) => All(x.Cases, y.Cases, (c, d) => c.Label == d.Label && Same(c.Type, d.Type)),
            (ListType x, ListType y) => x.Length == y.Length && Same(x.Element, y.Element),
            (MapType x, MapType y) => Same(x.Key, y.Key) && Same(x.Value, y.Value),
            (FlagsType x, FlagsType y) => x.Labels.AsSpan().SequenceEqual(y.Labels.AsSpan()),
            (EnumType x, EnumType y) => x.Labels.AsSpan().SequenceEqual(y.Labels.AsSpan()),
            (OptionType x, OptionType y) => Same(x.Payload, y.Payload),
            (ResultType x, ResultType y) => Same(x.Ok, y.Ok) && Same(x.Error, y.Error),
            (HandleType x, HandleType y) => x.IsBorrow == y.IsBorrow && Same(x.Resource, y.Resource),
            (StreamType x, StreamType y) => x.IsFuture == y.IsFuture && Same(x.Element, y.Element),
            _ => false,
        };
    }

    private static bool All<T>(ImmutableArray<T> a, ImmutableArray<T> b, Func<T, T, bool> same)
    {
        if (a.Length != b.Length) return false;
        for (int i = 0; i < a.Length; i++)
            if (!same(a[i], b[i])) return false;
        return true;
    }
}
