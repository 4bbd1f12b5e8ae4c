using System.Globalization;
using System.Text;

namespace WasmJit.Components;

/// <summary>
/// The structure of types as far as copies depend on it: labels are left out, and resource types are numbers. Types that occur
/// several times are written once, so that a shape is never longer than the types' definitions.
/// </summary>
internal sealed class TypeShape
{
    private readonly StringBuilder key = new();
    private readonly Dictionary<ComponentValType, int> known = [];
    private readonly List<ResourceType> resources = [];
    private readonly List<StreamType> streams = [];
    private string? text;

    internal TypeShape(IEnumerable<ComponentValType?> types)
    {
        foreach (ComponentValType? type in types) Write(type);
    }

    internal string Key => text ??= key.ToString();

    /// <summary>The resource types, each once.</summary>
    internal IReadOnlyList<ResourceType> Resources => resources;

    /// <summary>The types of streams and futures, each once.</summary>
    internal IReadOnlyList<StreamType> Streams => streams;

    /// <summary>Whether there are handles in it: of resources, streams, futures or error contexts.</summary>
    internal bool HasHandles { get; private set; }

    internal int IndexOf(ResourceType type) => resources.FindIndex(r => ReferenceEquals(r.Canonical, type.Canonical));

    internal int IndexOf(StreamType type) => streams.FindIndex(s => ReferenceEquals(s.Canonical, type.Canonical));

    private void Write(ComponentValType? type)
    {
        if (type is null)
        {
            key.Append('_');
            return;
        }
        if (type is PrimitiveType primitive)
        {
            key.Append((char)('a' + (int)primitive.Primitive));
            HasHandles |= primitive.Primitive == PrimitiveKind.ErrorContext;
            return;
        }
        if (known.TryGetValue(type.Canonical, out int number))
        {
            key.Append('@').Append(number.ToString(CultureInfo.InvariantCulture)).Append(';');
            return;
        }
        known[type.Canonical] = known.Count;
        switch (type)
        {
            case RecordType or TupleType:
                key.Append('(');
                foreach (ComponentValType part in type.Parts) Write(part);
                key.Append(')');
                break;
            case ListType { Length: { } length } list:
                key.Append('[').Append(length.ToString(CultureInfo.InvariantCulture)).Append(':');
                Write(list.Element);
                break;
            case ListType list:
                key.Append('*');
                Write(list.Element);
                break;
            case MapType map:
                key.Append('%');
                Write(map.Key);
                Write(map.Value);
                break;
            case FlagsType flags: key.Append('#').Append(flags.Labels.Length.ToString(CultureInfo.InvariantCulture)).Append(';'); break;
            case EnumType labels: key.Append('=').Append(labels.Labels.Length.ToString(CultureInfo.InvariantCulture)).Append(';'); break;
            case HandleType handle:
                HasHandles = true;
                if (IndexOf(handle.Resource) < 0) resources.Add(handle.Resource);
                key.Append(handle.IsBorrow ? '&' : '!').Append(IndexOf(handle.Resource).ToString(CultureInfo.InvariantCulture)).Append(';');
                break;
            case StreamType stream:
                HasHandles = true;
                streams.Add(stream);
                key.Append(stream.IsFuture ? '?' : '>').Append((streams.Count - 1).ToString(CultureInfo.InvariantCulture)).Append(';');
                Write(stream.Element);
                break;
            case AlternativesType alternatives:
                key.Append('{');
                foreach (ComponentValType? payload in alternatives.Payloads) Write(payload);
                key.Append('}');
                break;
            default: throw type.Unhandled();
        }
    }
}
