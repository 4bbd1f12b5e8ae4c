using System.Runtime.CompilerServices;
using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>What compiled code between .NET types and guests calls: numbers at an address, and what is more than a number.</summary>
/// <remarks>
/// Unsafe: addresses are slots, as many as the type has, or places in memory that <see cref="GuestSide.Check"/> has seen as a whole.
/// </remarks>
internal static unsafe class TypedMemory
{
    internal static nint At(nint place, long offset) => place + (nint)offset;

    internal static T ResultOf<T>(Task ended) => ((Task<T>)ended).GetAwaiter().GetResult();

    internal static void End(Task ended) => ended.GetAwaiter().GetResult();

    internal static T Read<T>(nint at)
        where T : unmanaged => Unsafe.ReadUnaligned<T>((void*)at);

    internal static void Write<T>(nint at, T value)
        where T : unmanaged => Unsafe.WriteUnaligned((void*)at, value);

    internal static bool Bool(nint at) => *(byte*)at != 0;

    internal static bool FlatBool(nint at) => *(uint*)at != 0;

    internal static System.Text.Rune Rune(nint at) => new(TransferHelpers.Char(*(int*)at));

    /// <summary>A slot's upper half is zero for what has 32 bits or fewer.</summary>
    internal static void WriteSlot(nint at, uint value) => *(ulong*)at = value;

    internal static uint Enum(nint at, int size, uint count)
    {
        uint number = ReadSized(at, size);
        if (number >= count) ComponentTrap.Throw(ComponentTrap.InvalidDiscriminant);
        return number;
    }

    internal static void WriteSized(nint at, uint value, int size)
    {
        if (size == 1) *(byte*)at = (byte)value;
        else if (size == 2) *(ushort*)at = (ushort)value;
        else *(uint*)at = value;
    }

    internal static uint ReadSized(nint at, int size) => size == 1 ? *(byte*)at : size == 2 ? *(ushort*)at : *(uint*)at;

    internal static void Clear(nint at, int slots) => new Span<ulong>((void*)at, slots).Clear();

    private static ulong Pointer(GuestSide side, nint at, bool isFlat) => side.Is64 ? *(ulong*)at : isFlat ? (uint)*(ulong*)at : *(uint*)at;

    private static nint Second(GuestSide side, nint at, bool isFlat) => at + (isFlat || side.Is64 ? 8 : 4);

    private static void WritePair(GuestSide side, nint at, bool isFlat, ulong address, ulong length)
    {
        if (isFlat || side.Is64)
        {
            *(ulong*)at = address;
            *(ulong*)(at + 8) = length;
            return;
        }
        *(uint*)at = (uint)address;
        *(uint*)(at + 4) = (uint)length;
    }

    internal static string String(GuestSide side, nint at, bool isFlat) => GuestStrings.Lift(side, Pointer(side, at, isFlat), Pointer(side, Second(side, at, isFlat), isFlat));

    internal static void WriteString(GuestSide side, nint at, bool isFlat, string value)
    {
        ulong address = LowerString(side, value, out ulong units);
        WritePair(side, at, isFlat, address, units);
    }

    /// <summary>A string as the two numbers that stand for it.</summary>
    internal static ulong LowerString(GuestSide side, string value, out ulong units)
    {
        ArgumentNullException.ThrowIfNull(value);
        return GuestStrings.Lower(side, value, out units);
    }

    /// <summary>A string that is the result of a function, which lies where the function says.</summary>
    internal static string ResultString(GuestSide side, ulong pointer) => String(side, PairAt(side, pointer), false);

    private static nint PairAt(GuestSide side, ulong pointer)
    {
        uint size = side.Is64 ? 8u : 4;
        return (nint)side.Check(pointer, 2 * size, size, ComponentTrap.ResultOutOfBounds);
    }

    // ---- lists ----

    private static nint Elements(GuestSide side, nint at, bool isFlat, long size, int alignment, out int count)
    {
        ulong length = Pointer(side, Second(side, at, isFlat), isFlat);
        var from = (nint)side.CheckList(Pointer(side, at, isFlat), length, size, alignment, ComponentTrap.HostListOutOfBounds);
        count = (int)length;
        return from;
    }

    /// <summary>A list of numbers, or of tuples of numbers that .NET lays out as the guest does.</summary>
    internal static T[] Numbers<T>(GuestSide side, nint at, bool isFlat, int alignment)
        where T : unmanaged
    {
        ReadOnlySpan<T> from = View<T>(side, at, isFlat, alignment);
        side.Instance.Scheduler.Charge((ulong)from.Length * (ulong)sizeof(T));
        T[] items = GC.AllocateUninitializedArray<T>(from.Length);
        fixed (T* source = from)
        fixed (T* target = items) LongWork.Copy((byte*)source, (byte*)target, (ulong)from.Length * (ulong)sizeof(T));
        GC.KeepAlive(side);
        return items;
    }

    /// <summary>A view of a list of numbers in the guest's memory, for as long as a function of the host runs.</summary>
    internal static ReadOnlySpan<T> View<T>(GuestSide side, nint at, bool isFlat, int alignment)
        where T : unmanaged
    {
        nint from = Elements(side, at, isFlat, sizeof(T), alignment, out int count);
        return new ReadOnlySpan<T>((void*)from, count);
    }

    internal static void WriteNumbers<T>(GuestSide side, nint at, bool isFlat, T[] items, int alignment)
        where T : unmanaged
    {
        ulong address = LowerNumbers(side, items, alignment, out ulong count);
        WritePair(side, at, isFlat, address, count);
    }

    /// <summary>A list as the two numbers that stand for it.</summary>
    internal static ulong LowerNumbers<T>(GuestSide side, T[] items, int alignment, out ulong count)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(items);
        count = (ulong)items.Length;
        return CopyIn<T>(side, items, alignment);
    }

    /// <summary>A list that is the result of a function, which lies where the function says.</summary>
    internal static T[] ResultNumbers<T>(GuestSide side, ulong pointer, int alignment)
        where T : unmanaged => Numbers<T>(side, PairAt(side, pointer), false, alignment);

    internal static void WriteSpan<T>(GuestSide side, nint at, bool isFlat, ReadOnlySpan<T> items, int alignment)
        where T : unmanaged => WritePair(side, at, isFlat, CopyIn(side, items, alignment), (ulong)items.Length);

    private static ulong CopyIn<T>(GuestSide side, ReadOnlySpan<T> items, int alignment)
        where T : unmanaged
    {
        ulong address = Allocate(side, items.Length, sizeof(T), alignment);
        fixed (T* source = items) LongWork.Copy((byte*)source, side.Base + address, (ulong)items.Length * (ulong)sizeof(T));
        GC.KeepAlive(side);
        return address;
    }

    private static ulong Allocate(GuestSide side, int count, long size, int alignment)
    {
        ulong bytes = (ulong)count * (ulong)size;
        if (bytes > TransferHelpers.MostBytes) throw new ArgumentException("A list is larger than a component can take.");
        return side.Allocate(bytes, (uint)alignment, ComponentTrap.ReallocBeyond, ComponentTrap.ReallocUnaligned);
    }

    internal static T[] List<T>(TypedContext context, nint at, bool isFlat, long size, int alignment, ItemsMethod<T> method)
    {
        nint from = Elements(context.Side, at, isFlat, size, alignment, out int count);
        context.Side.Pay((ulong)count);
        context.Side.Instance.Scheduler.Charge((ulong)count * (ulong)Math.Max(Unsafe.SizeOf<T>(), size));
        return Items(context, from, count, size, method);
    }

    /// <summary>Elements one behind the other, in memory or in slots.</summary>
    internal static T[] Items<T>(TypedContext context, nint from, int count, long size, ItemsMethod<T> method)
    {
        var items = new T[count];
        InPieces(context, from, items, size, method);
        return items;
    }

    /// <summary>So many bytes of elements, of small ones, are read or written before it is asked whether the guest is to stop: some hundreds of microseconds.</summary>
    private const int Piece = 1 << 15;

    /// <summary>And so many elements at most.</summary>
    private const int MostOfPiece = 1 << 12;

    /// <summary>Reads or writes all elements of an array.</summary>
    internal static void InPieces<T>(TypedContext context, nint at, T[] items, long size, ItemsMethod<T> method)
    {
        int piece = (int)Math.Clamp(Piece / size, 1, MostOfPiece), first = 0;
        for (; items.Length - first > piece; first += piece)
        {
            method(context, at + (nint)(first * size), items, first, first + piece);
            CancellationScope.ThrowIfStopped();
        }
        method(context, at + (nint)(first * size), items, first, items.Length);
    }

    internal static void WriteList<T>(TypedContext context, nint at, bool isFlat, T[] items, long size, int alignment, ItemsMethod<T> method)
    {
        ArgumentNullException.ThrowIfNull(items);
        ulong address = Allocate(context.Side, items.Length, size, alignment);
        context.Side.Pay((ulong)items.Length);
        InPieces(context, (nint)context.Side.Base + (nint)address, items, size, method);
        WritePair(context.Side, at, isFlat, address, (ulong)items.Length);
    }

    internal static void WriteItems<T>(TypedContext context, nint to, T[] items, int count, long size, ItemsMethod<T> method)
    {
        if (items is null || items.Length != count) throw new ArgumentException($"A list of {count} items is needed.");
        InPieces(context, to, items, size, method);
    }

    private const int PairsBetweenPolls = 8;

    internal static Dictionary<TKey, TValue> Map<TKey, TValue>((TKey Key, TValue Value)[] pairs)
        where TKey : notnull
    {
        var map = new Dictionary<TKey, TValue>(pairs.Length);
        for (int i = 0; i < pairs.Length; i++)
        {
            // A guest may have chosen keys that all lie in one place of the map: one takes longer than a thousand others.
            if (i % PairsBetweenPolls == PairsBetweenPolls - 1) CancellationScope.ThrowIfStopped();
            map[pairs[i].Key] = pairs[i].Value;
        }
        return map;
    }

    internal static (TKey Key, TValue Value)[] Pairs<TKey, TValue>(Dictionary<TKey, TValue> map)
        where TKey : notnull => [.. map.Select(p => (p.Key, p.Value))];

    // ---- places, handles, values ----

    internal static nint Place(GuestSide side, nint slot, long size, int alignment) =>
        (nint)side.Check(Pointer(side, slot, true), (ulong)size, (uint)alignment, ComponentTrap.ResultOutOfBounds);

    internal static nint AllocatePlace(GuestSide side, nint slot, long size, int alignment)
    {
        ulong address = side.Allocate((ulong)size, (uint)alignment, ComponentTrap.ReallocBeyond, ComponentTrap.ReallocUnaligned);
        *(ulong*)slot = address;
        return (nint)side.Base + (nint)address;
    }

    internal static ComponentValue Value(TypedContext context, ComponentValType type, nint at, bool isFlat)
    {
        var lifter = new ValueLifter(context.Side, context.Scope, context.Types);
        return isFlat ? lifter.Lift([type], true, (ulong*)at)[0] : lifter.Load(type, (byte*)at);
    }

    internal static void WriteValue(TypedContext context, ComponentValType type, nint at, bool isFlat, ComponentValue value)
    {
        var lowerer = new ValueLowerer(context.Side, context.Scope, context.Types);
        if (isFlat) lowerer.Lower([value], [type], ValueForm.Flat, (ulong*)at);
        else lowerer.Store(value, type, (byte*)at);
    }

    /// <summary>What a handle takes in the host, about, with what remembers that it is lent.</summary>
    private const ulong HandleBytes = 64;

    internal static ComponentResource Resource(TypedContext context, ComponentValType type, nint at, bool isFlat)
    {
        context.Side.Instance.Scheduler.Charge(HandleBytes);
        return Value(context, type, at, isFlat).AsResource();
    }

    internal static void WriteResource(TypedContext context, ComponentValType type, nint at, bool isFlat, ComponentResource value) =>
        WriteValue(context, type, at, isFlat, ComponentValue.From(value));

    /// <summary>A resource as an object: one of the host itself, or a face of one of a component.</summary>
    internal static T Object<T>(TypedContext context, ComponentValType type, nint at, bool isFlat)
        where T : class
    {
        ComponentResource resource = Resource(context, type, at, isFlat);
        if (resource.IsOfHost) return resource.IsBorrowed ? resource.Get<T>() : resource.Take<T>();
        return context.Faces?.Of<T>(resource) ?? throw new InvalidOperationException($"{typeof(T).Name} stands for no resource of the component.");
    }

    internal static void WriteObject<T>(TypedContext context, ComponentValType type, nint at, bool isFlat, T value)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(value);
        var handle = (HandleType)type;
        if (value is ComponentFace { Resource: { } held })
        {
            WriteResource(context, type, at, isFlat, held);
            return;
        }
        HostResourceType host = context.Types.Resolve(handle.Resource).Host ?? throw new ArgumentException("The object is not a resource of the component.");
        ComponentResource made = host.New(value);
        // A handle that is only lent is gone when the call is; the object stays.
        if (handle.IsBorrow) context.Scope?.Forget(made);
        WriteResource(context, type, at, isFlat, made);
    }

    internal static void NoCase(object? value) => throw new ArgumentException($"A {value?.GetType().Name ?? "null"} is not a case of the variant.");
}

/// <summary>
/// Reads elements that lie one behind the other into a part of an array, or writes them out of it. Few at a time: <see cref="TypedMemory.InPieces"/> stops guests in between.
/// </summary>
internal delegate void ItemsMethod<T>(TypedContext context, nint at, T[] items, int first, int end);

/// <summary>One side of a call between .NET types and a guest.</summary>
internal sealed class TypedContext(GuestSide side, InstanceState types)
{
    internal GuestSide Side { get; } = side;

    internal InstanceState Types { get; } = types;

    /// <summary>The call that handles are borrowed for.</summary>
    internal CallScope? Scope { get; set; }

    /// <summary>The interfaces that stand for resources; null if none do.</summary>
    internal ResourceFaces? Faces { get; init; }
}
