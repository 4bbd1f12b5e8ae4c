namespace WasmJit.Components;

/// <summary>What a stream or future carries, for comparing ends that come from different components.</summary>
internal sealed class PayloadType
{
    private PayloadType(ComponentValType? element, InstanceState instance)
    {
        Element = element;
        Scope = instance;
        Shape = new TypeShape([element]);
        Resources = Transfer.Resolve(Shape, instance);
        Payloads = Transfer.ResolvePayloads(Shape, instance);
    }

    /// <summary>There is one for each type of an instance.</summary>
    internal static PayloadType Of(StreamType type, InstanceState instance)
    {
        Dictionary<StreamType, PayloadType> own = instance.Payloads;
        var key = (StreamType)type.Canonical;
        lock (own)
        {
            if (own.TryGetValue(key, out PayloadType? known)) return known;
        }
        var made = new PayloadType(type.Element, instance);
        lock (own) own[key] = made;
        return made;
    }

    internal ComponentValType? Element { get; }

    /// <summary>The instance whose types it is made of.</summary>
    internal InstanceState Scope { get; }

    internal TypeShape Shape { get; }

    internal RuntimeResource[] Resources { get; }

    internal PayloadType[] Payloads { get; }

    internal bool Matches(PayloadType other)
    {
        if (ReferenceEquals(this, other)) return true;
        if (Shape.Key != other.Shape.Key || !Resources.AsSpan().SequenceEqual(other.Resources)) return false;
        for (int i = 0; i < Payloads.Length; i++)
            if (!Payloads[i].Matches(other.Payloads[i])) return false;
        return true;
    }

    /// <summary>Whether both ends may be in one instance: nothing is carried, or numbers.</summary>
    internal bool IsNumber => Element is null
        or PrimitiveType { Primitive: >= PrimitiveKind.S8 and <= PrimitiveKind.F64 };
}
