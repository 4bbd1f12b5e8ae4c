using System.Collections.Immutable;
using System.Numerics;
using System.Text;

namespace WasmJit.Components;

/// <summary>Reads <see cref="ComponentValue"/>s out of a guest: from slots, or from its memory.</summary>
/// <remarks>Unsafe: pointers into memory come from <see cref="GuestSide.Check"/>, whose range covers the type's layout; slots are as many as the type has.</remarks>
internal readonly unsafe ref struct ValueLifter(GuestSide side, CallScope? scope, InstanceState types)
{
    /// <summary>What a value takes here at least: a guest can name the same bytes many times.</summary>
    internal const ulong ValueBytes = 24;

    /// <summary>Values in a form.</summary>
    internal ComponentValue[] Lift(IReadOnlyList<ComponentValType> types, bool isFlat, ulong* slots)
    {
        var values = new ComponentValue[types.Count];
        if (isFlat)
        {
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = Flat(types[i], slots);
                slots += types[i].FlatCount;
            }
            return values;
        }
        ValueLayout layout = CompoundType.Sequence(types, side.Is64);
        byte* at = side.Check(side.Is64 ? *slots : (uint)*slots, (ulong)layout.Size, (uint)layout.Alignment, ComponentTrap.ResultOutOfBounds);
        long offset = 0;
        for (int i = 0; i < values.Length; i++)
        {
            ValueLayout own = types[i].Layout(side.Is64);
            offset = ValueLayout.Align(offset, own.Alignment);
            values[i] = Load(types[i], at + offset);
            offset += own.Size;
        }
        return values;
    }

    private ComponentValue Flat(ComponentValType type, ulong* slots)
    {
        switch (type)
        {
            case PrimitiveType { Primitive: PrimitiveKind.String }: return ComponentValue.From(GuestStrings.Lift(side, Pointer(slots[0]), Pointer(slots[1])));
            case PrimitiveType primitive: return Number(primitive.Primitive, slots[0]);
            case RecordType or TupleType:
                {
                    var items = ImmutableArray.CreateBuilder<ComponentValue>();
                    foreach (ComponentValType part in type.Parts)
                    {
                        items.Add(Flat(part, slots));
                        slots += part.FlatCount;
                    }
                    return Product(type, items.DrainToImmutable());
                }
            case ListType { Length: { } length } list:
                {
                    var items = ImmutableArray.CreateBuilder<ComponentValue>((int)length);
                    for (uint i = 0; i < length; i++, slots += list.Element.FlatCount) items.Add(Flat(list.Element, slots));
                    return ComponentValue.Of(ComponentValueKind.List, items.MoveToImmutable());
                }
            case ListType list: return List(ComponentValueKind.List, list.Element, Pointer(slots[0]), Pointer(slots[1]));
            case MapType map: return List(ComponentValueKind.Map, map.Entry, Pointer(slots[0]), Pointer(slots[1]));
            case FlagsType flags: return Flags(flags, (uint)slots[0]);
            case EnumType labels: return Enum(labels, (uint)slots[0]);
            case HandleType or StreamType: return Handle(type, (uint)slots[0]);
            case AlternativesType alternatives:
                {
                    ComponentValType? payload = Case(alternatives, (uint)slots[0]);
                    return Chosen(alternatives, (int)slots[0], payload is null ? default : Flat(payload, slots + 1));
                }
            default: throw type.Unhandled();
        }
    }

    private ulong Pointer(ulong slot) => side.Is64 ? slot : (uint)slot;

    /// <summary>A value in memory; the caller has checked the place.</summary>
    internal ComponentValue Load(ComponentValType type, byte* at)
    {
        switch (type)
        {
            case PrimitiveType { Primitive: PrimitiveKind.String }:
                (ulong address, ulong units) = Pair(at);
                return ComponentValue.From(GuestStrings.Lift(side, address, units));
            case PrimitiveType primitive: return Number(primitive.Primitive, Bits(at, (int)primitive.Layout32.Size));
            case RecordType or TupleType:
                {
                    var items = ImmutableArray.CreateBuilder<ComponentValue>();
                    long offset = 0;
                    foreach (ComponentValType part in type.Parts)
                    {
                        ValueLayout layout = part.Layout(side.Is64);
                        offset = ValueLayout.Align(offset, layout.Alignment);
                        items.Add(Load(part, at + offset));
                        offset += layout.Size;
                    }
                    return Product(type, items.DrainToImmutable());
                }
            case ListType { Length: { } length } list:
                side.Instance.Scheduler.Charge(length * ValueBytes);
                return ComponentValue.Of(ComponentValueKind.List, Elements(list.Element, at, length));
            case ListType list:
                (ulong start, ulong count) = Pair(at);
                return List(ComponentValueKind.List, list.Element, start, count);
            case MapType map:
                (ulong first, ulong pairs) = Pair(at);
                return List(ComponentValueKind.Map, map.Entry, first, pairs);
            case FlagsType flags: return Flags(flags, (uint)Bits(at, (int)flags.Layout32.Size));
            case EnumType labels: return Enum(labels, (uint)Bits(at, (int)labels.Layout32.Size));
            case HandleType or StreamType: return Handle(type, (uint)Bits(at, 4));
            case AlternativesType alternatives:
                {
                    uint number = (uint)Bits(at, AlternativesType.DiscriminantSize(alternatives.Payloads.Length));
                    ComponentValType? payload = Case(alternatives, number);
                    return Chosen(alternatives, (int)number, payload is null ? default : Load(payload, at + alternatives.PayloadOffset(side.Is64)));
                }
            default: throw type.Unhandled();
        }
    }

    private (ulong Address, ulong Length) Pair(byte* at) => side.Is64 ? (*(ulong*)at, ((ulong*)at)[1]) : (*(uint*)at, ((uint*)at)[1]);

    private static ulong Bits(byte* at, int size) => size switch
    {
        1 => *at,
        2 => *(ushort*)at,
        4 => *(uint*)at,
        _ => *(ulong*)at,
    };

    private ComponentValue Number(PrimitiveKind kind, ulong bits) => kind switch
    {
        PrimitiveKind.Bool => ComponentValue.From((uint)bits != 0),
        PrimitiveKind.S8 => ComponentValue.From((sbyte)bits),
        PrimitiveKind.U8 => ComponentValue.From((byte)bits),
        PrimitiveKind.S16 => ComponentValue.From((short)bits),
        PrimitiveKind.U16 => ComponentValue.From((ushort)bits),
        PrimitiveKind.S32 => ComponentValue.From((int)bits),
        PrimitiveKind.U32 => ComponentValue.From((uint)bits),
        PrimitiveKind.S64 => ComponentValue.From((long)bits),
        PrimitiveKind.U64 => ComponentValue.From(bits),
        PrimitiveKind.F32 => new(ComponentValueKind.F32, (uint)bits),
        PrimitiveKind.F64 => new(ComponentValueKind.F64, bits),
        PrimitiveKind.Char => ComponentValue.From(new Rune(TransferHelpers.Char((int)bits))),
        PrimitiveKind.ErrorContext => new(ComponentValueKind.ErrorContext, 0, side.Instance.Handles.Get<ErrorContext>((uint)bits)),
        PrimitiveKind.String => throw new InvalidOperationException("a string is an address and a length"),
    };

    private ComponentValue Product(ComponentValType type, ImmutableArray<ComponentValue> items)
    {
        side.Instance.Scheduler.Charge((ulong)items.Length * ValueBytes);
        return type is RecordType record ? ComponentValue.OfRecord(record.Labels, items) : ComponentValue.Of(ComponentValueKind.Tuple, items);
    }

    private ComponentValue List(ComponentValueKind kind, ComponentValType element, ulong address, ulong count)
    {
        ValueLayout layout = element.Layout(side.Is64);
        byte* at = side.CheckList(address, count, layout.Size, layout.Alignment, ComponentTrap.HostListOutOfBounds);
        side.Pay(count);
        side.Instance.Scheduler.Charge(count * Math.Max(ValueBytes, (ulong)layout.Size));
        return ComponentValue.Of(kind, Elements(element, at, count));
    }

    private ImmutableArray<ComponentValue> Elements(ComponentValType element, byte* at, ulong count)
    {
        long size = element.Layout(side.Is64).Size;
        uint piece = TransferEmitter.ElementsBetweenPolls(element);
        var items = ImmutableArray.CreateBuilder<ComponentValue>((int)count);
        for (ulong i = 0; i < count; i++, at += size)
        {
            if (i % piece == piece - 1) Runtime.CancellationScope.ThrowIfStopped();
            items.Add(Load(element, at));
        }
        return items.MoveToImmutable();
    }

    private ComponentValue Flags(FlagsType type, uint bits)
    {
        side.Instance.Scheduler.Charge(ValueBytes + ((ulong)BitOperations.PopCount(bits) * 8));
        var names = ImmutableArray.CreateBuilder<string>();
        for (int i = 0; i < type.Labels.Length; i++)
            if ((bits >> i & 1) != 0) names.Add(type.Labels[i]);
        return ComponentValue.OfFlags(names.DrainToImmutable());
    }

    private static ComponentValue Enum(EnumType type, uint number)
    {
        if (number >= (uint)type.Labels.Length) ComponentTrap.Throw(ComponentTrap.InvalidDiscriminant);
        return ComponentValue.OfCase(ComponentValueKind.Enum, (int)number, type.Labels[(int)number], default);
    }

    private static ComponentValType? Case(AlternativesType type, uint number)
    {
        if (number >= (uint)type.Payloads.Length) ComponentTrap.Throw(ComponentTrap.InvalidDiscriminant);
        return type.Payloads[(int)number];
    }

    private ComponentValue Chosen(AlternativesType type, int number, ComponentValue payload)
    {
        side.Instance.Scheduler.Charge(2 * ValueBytes);
        return ComponentValue.OfCase(type.ValueKind, number, type.LabelOf(number), payload);
    }

    private ComponentValue Handle(ComponentValType type, uint index)
    {
        InstanceState instance = side.Instance;
        if (type is StreamType stream)
            return new(stream.IsFuture ? ComponentValueKind.Future : ComponentValueKind.Stream, 0, StreamHandles.LiftShared(instance, index, PayloadType.Of(stream, types)));
        var handle = (HandleType)type;
        RuntimeResource resource = types.Resolve(handle.Resource);
        ulong representation = handle.IsBorrow
            ? TransferHelpers.LiftBorrow(instance, scope!, index, resource) : TransferHelpers.LiftOwn(instance, index, resource);
        return new(ComponentValueKind.Resource, 0, ComponentResource.Lifted(resource, representation, instance, handle.IsBorrow ? scope : null));
    }
}
