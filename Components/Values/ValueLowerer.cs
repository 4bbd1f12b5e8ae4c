using System.Collections.Immutable;

namespace WasmJit.Components;

/// <summary>
/// Writes <see cref="ComponentValue"/>s into a guest: into slots, or into its memory. Values of another kind than the type's are the host's mistake.
/// </summary>
/// <remarks>Unsafe: as <see cref="ValueLifter"/>.</remarks>
internal readonly unsafe ref struct ValueLowerer(GuestSide side, CallScope? scope, InstanceState types)
{
    /// <summary>Values in a form; the address of memory that was allocated goes into the first slot.</summary>
    internal void Lower(IReadOnlyList<ComponentValue> values, IReadOnlyList<ComponentValType> types, ValueForm form, ulong* slots)
    {
        if (form == ValueForm.Flat)
        {
            for (int i = 0; i < types.Count; i++)
            {
                Flat(values[i], types[i], slots);
                slots += types[i].FlatCount;
            }
            return;
        }
        ValueLayout layout = CompoundType.Sequence(types, side.Is64);
        ulong address = form == ValueForm.Memory
            ? side.Is64 ? *slots : (uint)*slots
            : side.Allocate((ulong)layout.Size, (uint)layout.Alignment, ComponentTrap.ReallocBeyond, ComponentTrap.ReallocUnaligned);
        byte* at = side.Check(address, (ulong)layout.Size, (uint)layout.Alignment, ComponentTrap.ResultOutOfBounds);
        if (form == ValueForm.Allocated) *slots = address;
        long offset = 0;
        for (int i = 0; i < types.Count; i++)
        {
            ValueLayout own = types[i].Layout(side.Is64);
            offset = ValueLayout.Align(offset, own.Alignment);
            Store(values[i], types[i], at + offset);
            offset += own.Size;
        }
    }

    private void Flat(ComponentValue value, ComponentValType type, ulong* slots)
    {
        switch (type)
        {
            case PrimitiveType { Primitive: PrimitiveKind.String }:
                slots[0] = GuestStrings.Lower(side, value.AsString(), out slots[1]);
                break;
            case PrimitiveType primitive: slots[0] = Number(value, primitive.Primitive); break;
            case RecordType or TupleType:
                ImmutableArray<ComponentValue> parts = Product(value, type);
                int index = 0;
                foreach (ComponentValType part in type.Parts)
                {
                    Flat(parts[index++], part, slots);
                    slots += part.FlatCount;
                }
                break;
            case ListType { Length: { } length } list:
                foreach (ComponentValue item in Fixed(value, length))
                {
                    Flat(item, list.Element, slots);
                    slots += list.Element.FlatCount;
                }
                break;
            case ListType list: slots[0] = List(value, ComponentValueKind.List, list.Element, out slots[1]); break;
            case MapType map: slots[0] = List(value, ComponentValueKind.Map, map.Entry, out slots[1]); break;
            case FlagsType flags: slots[0] = Flags(value, flags); break;
            case EnumType labels: slots[0] = (uint)Enum(value, labels); break;
            case HandleType or StreamType: slots[0] = Handle(value, type); break;
            case AlternativesType alternatives:
                int number = Case(value, alternatives, out ComponentValType? payload);
                slots[0] = (uint)number;
                new Span<ulong>(slots + 1, type.FlatCount - 1).Clear();
                if (payload is not null) Flat(value.Payload, payload, slots + 1);
                break;
            default: throw type.Unhandled();
        }
    }

    /// <summary>Stores a value; the caller has checked the place.</summary>
    internal void Store(ComponentValue value, ComponentValType type, byte* at)
    {
        switch (type)
        {
            case PrimitiveType { Primitive: PrimitiveKind.String }:
                ulong text = GuestStrings.Lower(side, value.AsString(), out ulong units);
                Pair(at, text, units);
                break;
            case PrimitiveType primitive: Bits(at, Number(value, primitive.Primitive), (int)primitive.Layout32.Size); break;
            case RecordType or TupleType:
                ImmutableArray<ComponentValue> parts = Product(value, type);
                int index = 0;
                long offset = 0;
                foreach (ComponentValType part in type.Parts)
                {
                    ValueLayout layout = part.Layout(side.Is64);
                    offset = ValueLayout.Align(offset, layout.Alignment);
                    Store(parts[index++], part, at + offset);
                    offset += layout.Size;
                }
                break;
            case ListType { Length: { } length } list:
                Elements(Fixed(value, length), list.Element, at);
                break;
            case ListType list:
                ulong start = List(value, ComponentValueKind.List, list.Element, out ulong count);
                Pair(at, start, count);
                break;
            case MapType map:
                ulong first = List(value, ComponentValueKind.Map, map.Entry, out ulong pairs);
                Pair(at, first, pairs);
                break;
            case FlagsType flags: Bits(at, Flags(value, flags), (int)flags.Layout32.Size); break;
            case EnumType labels: Bits(at, (uint)Enum(value, labels), (int)labels.Layout32.Size); break;
            case HandleType or StreamType: Bits(at, Handle(value, type), 4); break;
            case AlternativesType alternatives:
                int number = Case(value, alternatives, out ComponentValType? payload);
                Bits(at, (uint)number, AlternativesType.DiscriminantSize(alternatives.Payloads.Length));
                if (payload is not null) Store(value.Payload, payload, at + alternatives.PayloadOffset(side.Is64));
                break;
            default: throw type.Unhandled();
        }
    }

    private void Pair(byte* at, ulong address, ulong length)
    {
        if (side.Is64)
        {
            ((ulong*)at)[0] = address;
            ((ulong*)at)[1] = length;
            return;
        }
        ((uint*)at)[0] = (uint)address;
        ((uint*)at)[1] = (uint)length;
    }

    private static void Bits(byte* at, ulong bits, int size)
    {
        switch (size)
        {
            case 1: *at = (byte)bits; break;
            case 2: *(ushort*)at = (ushort)bits; break;
            case 4: *(uint*)at = (uint)bits; break;
            default: *(ulong*)at = bits; break;
        }
    }

    private ulong Number(ComponentValue value, PrimitiveKind kind)
    {
        if (kind == PrimitiveKind.ErrorContext)
            return Noted(side.Instance.Handles.Add(value.Kind == ComponentValueKind.ErrorContext ? value.Content! : throw Wrong(value, "error-context")), null);
        if (value.Kind != ValueCheck.KindOf(kind)) throw Wrong(value, PrimitiveType.NameOf(kind));
        return kind is PrimitiveKind.S64 or PrimitiveKind.U64 or PrimitiveKind.F64 ? value.Bits : (uint)value.Bits;
    }

    private static ArgumentException Wrong(ComponentValue value, string wanted) => new($"A value of the type {wanted} is needed, not one of the kind {value.Kind}.");

    private static ImmutableArray<ComponentValue> Product(ComponentValue value, ComponentValType type)
    {
        if (type is RecordType record)
        {
            if (value.Kind != ComponentValueKind.Record) throw Wrong(value, "record");
            if (record.Labels.AsSpan().SequenceEqual(value.Names.AsSpan())) return value.Items;
            if (value.Names.Length != record.Labels.Length) throw new ArgumentException($"A record has {record.Labels.Length} fields, not {value.Names.Length}.");
            try
            {
                return [.. record.Labels.Select(label => value[label])];
            }
            catch (KeyNotFoundException e)
            {
                throw new ArgumentException(e.Message, e);
            }
        }
        int count = ((TupleType)type).Elements.Length;
        if (value.Kind != ComponentValueKind.Tuple) throw Wrong(value, "tuple");
        return value.Items.Length == count ? value.Items : throw new ArgumentException($"A tuple has {count} elements, not {value.Items.Length}.");
    }

    private static ImmutableArray<ComponentValue> Fixed(ComponentValue value, uint length)
    {
        if (value.Kind != ComponentValueKind.List) throw Wrong(value, "list");
        return (uint)value.Items.Length == length ? value.Items : throw new ArgumentException($"A list of {length} items is needed, not one of {value.Items.Length}.");
    }

    private ulong List(ComponentValue value, ComponentValueKind kind, ComponentValType element, out ulong count)
    {
        if (value.Kind != kind) throw Wrong(value, kind == ComponentValueKind.Map ? "map" : "list");
        ImmutableArray<ComponentValue> items = value.Items;
        ValueLayout layout = element.Layout(side.Is64);
        ulong size = (ulong)items.Length * (ulong)layout.Size;
        if (size > TransferHelpers.MostBytes) throw new ArgumentException("A list is larger than a component can take.", nameof(value));
        ulong address = side.Allocate(size, (uint)layout.Alignment, ComponentTrap.ReallocBeyond, ComponentTrap.ReallocUnaligned);
        side.Pay((ulong)items.Length);
        Elements(items, element, side.Base + address);
        count = (ulong)items.Length;
        return address;
    }

    private void Elements(ImmutableArray<ComponentValue> items, ComponentValType element, byte* at)
    {
        long size = element.Layout(side.Is64).Size;
        uint piece = TransferEmitter.ElementsBetweenPolls(element);
        for (int i = 0; i < items.Length; i++, at += size)
        {
            if (i % piece == piece - 1) Runtime.CancellationScope.ThrowIfStopped();
            Store(items[i], element, at);
        }
    }

    private static ulong Flags(ComponentValue value, FlagsType type)
    {
        if (value.Kind != ComponentValueKind.Flags) throw Wrong(value, "flags");
        uint bits = 0;
        foreach (string name in value.Names)
        {
            int index = type.Labels.IndexOf(name);
            if (index < 0) throw new ArgumentException($"There is no flag \"{name}\".");
            bits |= 1u << index;
        }
        return bits;
    }

    private static int Enum(ComponentValue value, EnumType type)
    {
        if (value.Kind != ComponentValueKind.Enum) throw Wrong(value, "enum");
        int index = type.Labels.IndexOf(value.CaseName);
        return index >= 0 ? index : throw NoCase(value);
    }

    private static ArgumentException NoCase(ComponentValue value) => new($"There is no case \"{value.CaseName}\".");

    private static int Case(ComponentValue value, AlternativesType type, out ComponentValType? payload)
    {
        if (value.Kind != type.ValueKind) throw Wrong(value, type.Kind);
        int index = type.IndexOf(value);
        if (index < 0) throw NoCase(value);
        payload = type.Payloads[index];
        if (payload is null != (value.Payload.Kind == ComponentValueKind.None))
            throw new ArgumentException(payload is null ? $"The case \"{value.CaseName}\" has no value." : $"The case \"{value.CaseName}\" has a value.");
        return index;
    }

    private uint Handle(ComponentValue value, ComponentValType type)
    {
        InstanceState instance = side.Instance;
        if (type is StreamType stream)
        {
            if (value.Kind != (stream.IsFuture ? ComponentValueKind.Future : ComponentValueKind.Stream)) throw Wrong(value, stream.Kind);
            return Noted((uint)StreamHandles.LowerShared(instance, (SharedCopy)value.Content!, PayloadType.Of(stream, types)), null);
        }
        var handle = (HandleType)type;
        if (value.Kind != ComponentValueKind.Resource) throw Wrong(value, handle.Kind);
        RuntimeResource resource = types.Resolve(handle.Resource);
        ComponentResource given = value.AsResource();
        if (!handle.IsBorrow) return Noted((uint)TransferHelpers.LowerOwn(instance, given.Give(resource), resource), given);
        uint lent = (uint)TransferHelpers.LowerBorrow(instance, given.Lend(resource), resource, scope!.Callee!);
        // The instance that defines a type gets the object itself, and no handle.
        return ReferenceEquals(resource.Definer, instance) ? lent : Noted(lent, null);
    }

    private uint Noted(uint handle, ComponentResource? given)
    {
        scope?.Lowered(handle, given);
        return handle;
    }
}
