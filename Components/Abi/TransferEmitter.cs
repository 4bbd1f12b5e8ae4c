using System.Collections.Immutable;
using System.Reflection.Emit;
using IlLabel = System.Reflection.Emit.Label;

namespace WasmJit.Components;

/// <summary>
/// Writes the IL of a copy between two guests: what is loaded from the one memory is checked and stored into the other, with nothing in
/// between. Types that are large get a method of their own, once, so that the code is never longer than the types' definitions.
/// </summary>
internal sealed unsafe class TransferEmitter
{
    /// <summary>Types of so many parts are copied by a method of their own.</summary>
    private const int LargeType = 40;

    /// <summary>In a loop over elements a guest can be stopped after so many parts of values: some hundreds of microseconds.</summary>
    private const uint PartsBetweenPolls = 4096;

    /// <summary>Fixed-length lists up to this length are copied without a loop.</summary>
    private const int Unrolled = 4;

    private readonly TypeShape shape;
    private readonly bool from64, to64;
    private readonly Dictionary<(ComponentValType Type, bool FromMemory, bool ToMemory), DynamicMethod> helpers;
    private readonly Queue<(DynamicMethod Method, ComponentValType Type, bool FromMemory, bool ToMemory)> pending;
    private readonly ILGenerator il;
    private readonly bool isElements;
    private readonly LocalBuilder? transfer, scope;
    private readonly bool isResult;

    /// <summary>Writes a method of its own.</summary>
    /// <param name="shape">The shape of the types.</param>
    /// <param name="from64">Whether pointers of the source have 64 bits.</param>
    /// <param name="to64">Whether those of the target have.</param>
    /// <param name="isElements">Whether it copies elements, with the parameters of an <see cref="ElementsMethod"/>, and not those of a <see cref="TransferMethod"/>.</param>
    internal TransferEmitter(TypeShape shape, bool from64, bool to64, bool isElements)
        : this(shape, from64, to64, isElements
            ? NewMethod("component elements", typeof(Transfer), typeof(byte*), typeof(byte*), typeof(ulong)) : NewCopy("component copy"), null, false, null) => this.isElements = isElements;

    /// <summary>Writes a part of a fused call, whose types are all small.</summary>
    /// <param name="shape">The shape of the types.</param>
    /// <param name="from64">Whether pointers of the source have 64 bits.</param>
    /// <param name="to64">Whether those of the target have.</param>
    /// <param name="method">The method.</param>
    /// <param name="transfer">Where it has the <see cref="Transfer"/>.</param>
    /// <param name="isResult">Whether that is the result's.</param>
    /// <param name="scope">Where it has the <see cref="CallScope"/>, if the values have borrowed handles.</param>
    internal TransferEmitter(TypeShape shape, bool from64, bool to64, DynamicMethod method, LocalBuilder? transfer, bool isResult, LocalBuilder? scope)
    {
        this.isResult = isResult;
        this.scope = scope;
        this.shape = shape;
        this.from64 = from64;
        this.to64 = to64;
        helpers = [];
        pending = new();
        Helpers = [];
        Made = method;
        il = method.GetILGenerator();
        this.transfer = transfer;
    }

    private TransferEmitter(TransferEmitter outer, DynamicMethod method)
    {
        shape = outer.shape;
        from64 = outer.from64;
        to64 = outer.to64;
        helpers = outer.helpers;
        pending = outer.pending;
        Helpers = outer.Helpers;
        Made = method;
        il = method.GetILGenerator();
    }

    private static DynamicMethod NewMethod(string name, params Type[] parameters) => new(name, typeof(void), parameters, typeof(TransferEmitter).Module, true);

    private static DynamicMethod NewCopy(string name) => NewMethod(name, typeof(Transfer), typeof(CallScope), typeof(ulong*), typeof(ulong*));

    /// <summary>The method that is written.</summary>
    internal DynamicMethod Made { get; }

    /// <summary>The methods of large types.</summary>
    internal List<DynamicMethod> Helpers { get; }

    /// <summary>Whether a function's values are copied without methods of their own, so that they can be kept in locals.</summary>
    internal static bool IsSmall(IEnumerable<ComponentValType> types) => types.Sum(t => (long)t.Size) <= LargeType;

    // ---- whole methods ----

    internal void Write(IReadOnlyList<ComponentValType> types, ValueForm source, ValueForm target)
    {
        LocalBuilder from = Argument(2), to = Argument(3);
        Values(types, Begin(types, source, Place.Slots(from), from64, AbiMembers.From), Begin(types, target, Place.Slots(to), to64, AbiMembers.To));
        il.Emit(OpCodes.Ret);
        WritePending();
    }

    /// <summary>Copies elements: static void (transfer, source, target, count).</summary>
    internal void WriteElements(ComponentValType type)
    {
        LocalBuilder from = Argument(1), to = Argument(2), count = il.DeclareLocal(typeof(ulong));
        il.Emit(OpCodes.Ldarg_3);
        il.Emit(OpCodes.Stloc, count);
        CopyElements(type, from, to, count);
        il.Emit(OpCodes.Ret);
        WritePending();
    }

    private void WritePending()
    {
        while (pending.TryDequeue(out (DynamicMethod Method, ComponentValType Type, bool FromMemory, bool ToMemory) next))
        {
            var emitter = new TransferEmitter(this, next.Method);
            LocalBuilder from = emitter.Argument(2), to = emitter.Argument(3);
            emitter.Parts(
                next.Type, next.FromMemory ? Place.Memory(from) : Place.Slots(from), next.ToMemory ? Place.Memory(to) : Place.Slots(to));
            emitter.il.Emit(OpCodes.Ret);
        }
    }

    private LocalBuilder Argument(int index)
    {
        LocalBuilder local = il.DeclareLocal(typeof(nint));
        il.Emit(OpCodes.Ldarg, (short)index);
        il.Emit(OpCodes.Stloc, local);
        return local;
    }

    /// <summary>Where values are that are passed in a form.</summary>
    internal Place Begin(IReadOnlyList<ComponentValType> types, ValueForm form, Place slots, bool is64, System.Reflection.FieldInfo side)
    {
        if (form == ValueForm.Flat) return slots;
        ValueLayout layout = CompoundType.Sequence(types, is64);
        LocalBuilder pointer = il.DeclareLocal(typeof(nint));
        LocalBuilder address = il.DeclareLocal(typeof(ulong));
        if (form == ValueForm.Memory)
        {
            PushPointer(slots, is64);
            il.Emit(OpCodes.Stloc, address);
            Side(side);
            il.Emit(OpCodes.Ldloc, address);
            il.Emit(OpCodes.Ldc_I8, layout.Size);
            il.Emit(OpCodes.Ldc_I4, layout.Alignment);
            il.Emit(OpCodes.Call, AbiMembers.Helper(nameof(TransferHelpers.Place)));
        }
        else
        {
            Side(side);
            il.Emit(OpCodes.Ldc_I8, layout.Size);
            il.Emit(OpCodes.Ldc_I4, layout.Alignment);
            il.Emit(OpCodes.Call, AbiMembers.Helper(nameof(TransferHelpers.AllocatePlace)));
            il.Emit(OpCodes.Stloc, address);
            StorePointer(slots, is64, address);
            Side(side);
            il.Emit(OpCodes.Ldloc, address);
            il.Emit(OpCodes.Call, AbiMembers.Helper(nameof(TransferHelpers.Pointer)));
        }
        il.Emit(OpCodes.Stloc, pointer);
        return Place.Memory(pointer);
    }

    /// <summary>Values one behind the other.</summary>
    internal void Values(IEnumerable<ComponentValType> types, Place from, Place to)
    {
        long fromOffset = 0, toOffset = 0;
        int slot = 0;
        foreach (ComponentValType type in types)
        {
            ValueLayout fromLayout = type.Layout(from64), toLayout = type.Layout(to64);
            fromOffset = ValueLayout.Align(fromOffset, fromLayout.Alignment);
            toOffset = ValueLayout.Align(toOffset, toLayout.Alignment);
            Value(type, from.At(fromOffset, slot), to.At(toOffset, slot));
            fromOffset += fromLayout.Size;
            toOffset += toLayout.Size;
            slot += type.FlatCount;
        }
    }

    // ---- values ----

    private void Value(ComponentValType type, Place from, Place to)
    {
        if (type.Size <= LargeType || from.Locals is not null || to.Locals is not null || type is PrimitiveType)
        {
            Parts(type, from, to);
            return;
        }
        (ComponentValType, bool, bool) key = (type.Canonical, from.IsMemory, to.IsMemory);
        if (!helpers.TryGetValue(key, out DynamicMethod? helper))
        {
            helper = NewCopy("component copy of a type");
            helpers.Add(key, helper);
            Helpers.Add(helper);
            pending.Enqueue((helper, type, from.IsMemory, to.IsMemory));
        }
        LoadTransfer();
        il.Emit(isElements ? OpCodes.Ldnull : OpCodes.Ldarg_1);
        Address(from);
        Address(to);
        il.Emit(OpCodes.Call, helper);
    }

    private void LoadTransfer()
    {
        if (transfer is null) il.Emit(OpCodes.Ldarg_0);
        else il.Emit(OpCodes.Ldloc, transfer);
    }

    private void Parts(ComponentValType type, Place from, Place to)
    {
        switch (type)
        {
            case PrimitiveType { Primitive: PrimitiveKind.String }: String(from, to); break;
            case PrimitiveType { Primitive: PrimitiveKind.ErrorContext }:
                Handle(nameof(TransferHelpers.Error), false, -1, from, to);
                break;
            case PrimitiveType primitive: Scalar(primitive.Primitive, from, to); break;
            case RecordType or TupleType: Values(type.Parts, from, to); break;
            case ListType { Length: { } length } list: Fixed(list.Element, length, from, to); break;
            case ListType list: List(list.Element, from, to); break;
            case MapType map: List(map.Entry, from, to); break;
            case FlagsType flags:
                {
                    int size = flags.Layout32.Size switch { 1 => 1, 2 => 2, _ => 4 };
                    BeginStore(to);
                    Load(size, false, from);
                    il.Emit(OpCodes.Ldc_I4, (int)(uint)((1UL << flags.Labels.Length) - 1));
                    il.Emit(OpCodes.And);
                    EndStore(size, to);
                    break;
                }
            case EnumType labels: Discriminant(labels.Labels.Length, from, to); break;
            case HandleType handle:
                Handle(handle.IsBorrow ? nameof(TransferHelpers.Borrow) : nameof(TransferHelpers.Own), handle.IsBorrow, shape.IndexOf(handle.Resource), from, to);
                break;
            case StreamType stream: Handle(nameof(TransferHelpers.Stream), false, shape.IndexOf(stream), from, to); break;
            case AlternativesType alternatives: Cases(alternatives, from, to); break;
            default: throw type.Unhandled();
        }
    }

    private void Scalar(PrimitiveKind kind, Place from, Place to)
    {
        int size = SizeOf(kind);
        BeginStore(to);
        Load(size, kind is PrimitiveKind.S8 or PrimitiveKind.S16, from);
        if (kind == PrimitiveKind.Char) il.Emit(OpCodes.Call, AbiMembers.Helper(nameof(TransferHelpers.Char)));
        if (kind == PrimitiveKind.Bool)
        {
            il.Emit(OpCodes.Ldc_I4_0);
            il.Emit(OpCodes.Cgt_Un);
        }
        EndStore(size, to);
    }

    private static int SizeOf(PrimitiveKind kind) => kind switch
    {
        PrimitiveKind.S8 or PrimitiveKind.U8 => 1,
        PrimitiveKind.S16 or PrimitiveKind.U16 => 2,
        PrimitiveKind.S64 or PrimitiveKind.U64 or PrimitiveKind.F64 => 8,
        PrimitiveKind.Bool => 0,
        _ => 4,
    };

    /// <summary>
    /// Loads a number; floats as their bits. Size 0 is a bool: a byte in memory, but all bits of a slot.
    /// </summary>
    private void Load(int size, bool isSigned, Place from)
    {
        if (from.IsMemory)
        {
            Address(from);
            il.Emit(size switch
            {
                0 => OpCodes.Ldind_U1,
                1 => isSigned ? OpCodes.Ldind_I1 : OpCodes.Ldind_U1,
                2 => isSigned ? OpCodes.Ldind_I2 : OpCodes.Ldind_U2,
                4 => OpCodes.Ldind_I4,
                _ => OpCodes.Ldind_I8,
            });
            return;
        }
        LoadSlot(from);
        if (size == 8) return;
        il.Emit(size switch
        {
            1 => isSigned ? OpCodes.Conv_I1 : OpCodes.Conv_U1,
            2 => isSigned ? OpCodes.Conv_I2 : OpCodes.Conv_U2,
            _ => OpCodes.Conv_I4,
        });
    }

    private void LoadSlot(Place from)
    {
        if (from.Locals is { } locals)
        {
            il.Emit(OpCodes.Ldloc, locals[from.Offset]);
            return;
        }
        Address(from);
        il.Emit(OpCodes.Ldind_I8);
    }

    private void BeginStore(Place to)
    {
        if (to.Locals is null) Address(to);
    }

    private void EndStore(int size, Place to)
    {
        if (to.IsMemory)
        {
            il.Emit(size switch
            {
                0 or 1 => OpCodes.Stind_I1,
                2 => OpCodes.Stind_I2,
                4 => OpCodes.Stind_I4,
                _ => OpCodes.Stind_I8,
            });
            return;
        }
        if (size != 8) il.Emit(OpCodes.Conv_U8);
        if (to.Locals is { } locals) il.Emit(OpCodes.Stloc, locals[to.Offset]);
        else il.Emit(OpCodes.Stind_I8);
    }

    private void Address(Place place)
    {
        il.Emit(OpCodes.Ldloc, place.Pointer!);
        if (place.Offset == 0) return;
        il.Emit(OpCodes.Ldc_I8, place.Offset);
        il.Emit(OpCodes.Conv_I);
        il.Emit(OpCodes.Add);
    }

    private void Side(System.Reflection.FieldInfo side)
    {
        LoadTransfer();
        il.Emit(OpCodes.Ldfld, side);
    }

    private void PushPointer(Place from, bool is64)
    {
        Load(is64 ? 8 : 4, false, from);
        if (!is64) il.Emit(OpCodes.Conv_U8);
    }

    private void StorePointer(Place to, bool is64, LocalBuilder value)
    {
        BeginStore(to);
        il.Emit(OpCodes.Ldloc, value);
        if (!is64) il.Emit(OpCodes.Conv_I4);
        EndStore(is64 ? 8 : 4, to);
    }

    // ---- strings and lists ----

    private (LocalBuilder Address, LocalBuilder Length) Pair(Place from)
    {
        LocalBuilder address = il.DeclareLocal(typeof(ulong)), length = il.DeclareLocal(typeof(ulong));
        PushPointer(from, from64);
        il.Emit(OpCodes.Stloc, address);
        PushPointer(from.At(from64 ? 8 : 4, 1), from64);
        il.Emit(OpCodes.Stloc, length);
        return (address, length);
    }

    private void String(Place from, Place to)
    {
        (LocalBuilder address, LocalBuilder length) = Pair(from);
        LocalBuilder units = length;
        if (transfer is null || from64 || to64)
        {
            units = il.DeclareLocal(typeof(ulong));
            LoadTransfer();
            il.Emit(OpCodes.Ldloc, address);
            il.Emit(OpCodes.Ldloc, length);
            il.Emit(OpCodes.Ldloca, units);
            il.Emit(OpCodes.Call, AbiMembers.Helper(nameof(TransferHelpers.CopyString)));
        }
        else
        {
            // A fused call has its function for the first argument.
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(isResult ? OpCodes.Ldc_I4_1 : OpCodes.Ldc_I4_0);
            il.Emit(OpCodes.Ldloc, address);
            il.Emit(OpCodes.Ldloca, length);
            il.Emit(OpCodes.Call, AbiMembers.Helper(nameof(TransferHelpers.CopyText)));
        }
        il.Emit(OpCodes.Stloc, address);
        StorePointer(to, to64, address);
        StorePointer(to.At(to64 ? 8 : 4, 1), to64, units);
    }

    private void List(ComponentValType element, Place from, Place to)
    {
        (LocalBuilder address, LocalBuilder count) = Pair(from);
        LocalBuilder source = il.DeclareLocal(typeof(nint)), target = il.DeclareLocal(typeof(nint));
        ValueLayout fromLayout = element.Layout(from64), toLayout = element.Layout(to64);
        Side(AbiMembers.From);
        il.Emit(OpCodes.Ldloc, address);
        il.Emit(OpCodes.Ldloc, count);
        il.Emit(OpCodes.Ldc_I8, fromLayout.Size);
        il.Emit(OpCodes.Ldc_I4, fromLayout.Alignment);
        il.Emit(OpCodes.Call, AbiMembers.Helper(nameof(TransferHelpers.ListSource)));
        il.Emit(OpCodes.Stloc, source);
        Side(AbiMembers.To);
        il.Emit(OpCodes.Ldloc, count);
        il.Emit(OpCodes.Ldc_I8, toLayout.Size);
        il.Emit(OpCodes.Ldc_I4, toLayout.Alignment);
        il.Emit(OpCodes.Call, AbiMembers.Helper(nameof(TransferHelpers.ListTarget)));
        il.Emit(OpCodes.Stloc, address);
        Side(AbiMembers.To);
        il.Emit(OpCodes.Ldloc, address);
        il.Emit(OpCodes.Call, AbiMembers.Helper(nameof(TransferHelpers.Pointer)));
        il.Emit(OpCodes.Stloc, target);
        if (!IsPlain(element))
        {
            LoadTransfer();
            il.Emit(OpCodes.Ldloc, count);
            il.Emit(OpCodes.Call, AbiMembers.Helper(nameof(TransferHelpers.PayForElements)));
        }
        CopyElements(element, source, target, count);
        // Behind the elements, as the specification has it: a realloc that lies can have both in one place.
        StorePointer(to, to64, address);
        StorePointer(to.At(to64 ? 8 : 4, 1), to64, count);
    }

    /// <summary>Copies so many elements; the locals of the pointers are used up.</summary>
    private void CopyElements(ComponentValType element, LocalBuilder source, LocalBuilder target, LocalBuilder count)
    {
        ValueLayout fromLayout = element.Layout(from64), toLayout = element.Layout(to64);
        if (IsPlain(element))
        {
            il.Emit(OpCodes.Ldloc, source);
            il.Emit(OpCodes.Ldloc, target);
            il.Emit(OpCodes.Ldloc, count);
            il.Emit(OpCodes.Ldc_I8, fromLayout.Size);
            il.Emit(OpCodes.Mul);
            il.Emit(OpCodes.Call, AbiMembers.Helper(nameof(TransferHelpers.Copy)));
            return;
        }
        LocalBuilder left = il.DeclareLocal(typeof(ulong));
        IlLabel test = il.DefineLabel(), body = il.DefineLabel(), next = il.DefineLabel();
        il.Emit(OpCodes.Ldloc, count);
        il.Emit(OpCodes.Stloc, left);
        il.Emit(OpCodes.Br, test);
        il.MarkLabel(body);
        il.Emit(OpCodes.Ldloc, left);
        il.Emit(OpCodes.Ldc_I8, ElementsBetweenPolls(element) - 1L);
        il.Emit(OpCodes.And);
        il.Emit(OpCodes.Brtrue, next);
        il.Emit(OpCodes.Call, AbiMembers.Helper(nameof(TransferHelpers.Poll)));
        il.MarkLabel(next);
        Value(element, Place.Memory(source), Place.Memory(target));
        Advance(source, fromLayout.Size);
        Advance(target, toLayout.Size);
        il.Emit(OpCodes.Ldloc, left);
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Conv_I8);
        il.Emit(OpCodes.Sub);
        il.Emit(OpCodes.Stloc, left);
        il.MarkLabel(test);
        il.Emit(OpCodes.Ldloc, left);
        il.Emit(OpCodes.Brtrue, body);
    }

    /// <summary>A power of two; fewer if elements are large.</summary>
    internal static uint ElementsBetweenPolls(ComponentValType element) =>
        System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(1, PartsBetweenPolls / Math.Max(1, element.Size)));

    private void Advance(LocalBuilder pointer, long bytes)
    {
        il.Emit(OpCodes.Ldloc, pointer);
        il.Emit(OpCodes.Ldc_I8, bytes);
        il.Emit(OpCodes.Conv_I);
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Stloc, pointer);
    }

    private void Fixed(ComponentValType element, uint length, Place from, Place to)
    {
        ValueLayout fromLayout = element.Layout(from64), toLayout = element.Layout(to64);
        if (length <= Unrolled || !from.IsMemory || !to.IsMemory)
        {
            for (uint i = 0; i < length; i++)
                Value(element, from.At(i * fromLayout.Size, (int)i * element.FlatCount), to.At(i * toLayout.Size, (int)i * element.FlatCount));
            return;
        }
        LocalBuilder source = il.DeclareLocal(typeof(nint)), target = il.DeclareLocal(typeof(nint)), count = il.DeclareLocal(typeof(ulong));
        Address(from);
        il.Emit(OpCodes.Stloc, source);
        Address(to);
        il.Emit(OpCodes.Stloc, target);
        il.Emit(OpCodes.Ldc_I8, (long)length);
        il.Emit(OpCodes.Stloc, count);
        CopyElements(element, source, target, count);
    }

    /// <summary>Whether all bytes of a type are copied as they are: numbers, and what has nothing else and no gaps.</summary>
    internal static bool IsPlain(ComponentValType type) => type switch
    {
        PrimitiveType { Primitive: var kind } => kind is not (PrimitiveKind.Bool or PrimitiveKind.Char or PrimitiveKind.String or PrimitiveKind.ErrorContext),
        RecordType or TupleType => type.Size <= LargeType && type.Parts.All(IsPlain) && type.Parts.Sum(p => p.Layout32.Size) == type.Layout32.Size,
        ListType { Length: not null } list => IsPlain(list.Element),
        _ => false,
    };

    // ---- variants and handles ----

    private LocalBuilder Discriminant(int count, Place from, Place to)
    {
        int size = AlternativesType.DiscriminantSize(count);
        LocalBuilder number = il.DeclareLocal(typeof(int));
        IlLabel fine = il.DefineLabel();
        // All 32 bits of a slot count.
        Load(from.IsMemory ? size : 4, false, from);
        il.Emit(OpCodes.Stloc, number);
        il.Emit(OpCodes.Ldloc, number);
        il.Emit(OpCodes.Ldc_I4, count);
        il.Emit(OpCodes.Blt_Un, fine);
        il.Emit(OpCodes.Call, AbiMembers.Helper(nameof(TransferHelpers.BadDiscriminant)));
        il.MarkLabel(fine);
        BeginStore(to);
        il.Emit(OpCodes.Ldloc, number);
        EndStore(size, to);
        return number;
    }

    private void Cases(AlternativesType type, Place from, Place to)
    {
        ImmutableArray<ComponentValType?> cases = type.Payloads;
        LocalBuilder number = Discriminant(cases.Length, from, to);
        if (!to.IsMemory)
        {
            for (int i = 1; i < type.FlatCount; i++)
            {
                Place slot = to.At(0, i);
                BeginStore(slot);
                il.Emit(OpCodes.Ldc_I4_0);
                il.Emit(OpCodes.Conv_I8);
                EndStore(8, slot);
            }
        }
        Place fromPayload = from.At(type.PayloadOffset(from64), 1), toPayload = to.At(type.PayloadOffset(to64), 1);
        IlLabel end = il.DefineLabel();
        // Cases of one type share their code.
        var bodies = new Dictionary<ComponentValType, IlLabel>();
        var labels = new IlLabel[cases.Length];
        for (int i = 0; i < cases.Length; i++)
        {
            if (cases[i] is not { } payload) labels[i] = end;
            else if (!bodies.TryGetValue(payload.Canonical, out labels[i])) bodies.Add(payload.Canonical, labels[i] = il.DefineLabel());
        }
        if (bodies.Count > 0)
        {
            il.Emit(OpCodes.Ldloc, number);
            il.Emit(OpCodes.Switch, labels);
            il.Emit(OpCodes.Br, end);
            foreach ((ComponentValType payload, IlLabel label) in bodies)
            {
                il.MarkLabel(label);
                Value(payload, fromPayload, toPayload);
                il.Emit(OpCodes.Br, end);
            }
        }
        il.MarkLabel(end);
    }

    private void Handle(string helper, bool withScope, int number, Place from, Place to)
    {
        BeginStore(to);
        LoadTransfer();
        if (withScope && scope is not null) il.Emit(OpCodes.Ldloc, scope);
        else if (withScope) il.Emit(OpCodes.Ldarg_1);
        Load(4, false, from);
        if (number >= 0) il.Emit(OpCodes.Ldc_I4, number);
        il.Emit(OpCodes.Call, AbiMembers.Helper(helper));
        EndStore(4, to);
    }
}
