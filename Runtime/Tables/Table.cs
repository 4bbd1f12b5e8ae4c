using System.Globalization;
using System.Runtime.CompilerServices;
using WasmJit.Runtime;

namespace WasmJit;

/// <summary>
/// A table. The array is at least as long as the table, so that the one compare of generated code is also the array's bounds check: behind the last
/// function there are empty slots, whose type fits no call. A table that has grown has room to grow again, so that growing one by one does not copy
/// it each time. Tables of functions hold <see cref="FuncRef"/>, all others objects.
/// </summary>
public sealed class Table
{
    /// <summary>The most elements that any table can have.</summary>
    internal const int HardMaximum = 10_000_000;

    private readonly Lock gate = new();
    private readonly ResourceLease? lease;
    private int size;

    /// <summary>Functions; empty slots hold <see cref="FuncRef.Empty"/>, and so do those behind the table's end. Empty array in tables of other references.</summary>
    internal FuncRef[] Funcs = [];

    /// <summary>Other references.</summary>
    internal object?[] Refs = [];

    /// <summary>Makes a table.</summary>
    /// <param name="type">Its type; its minimum is the first size.</param>
    /// <param name="initial">The first value of every slot: a delegate in tables of functions, else an object.</param>
    /// <exception cref="ArgumentException">
    /// The value is not of the element type; a table of references that are never null needs one, unless it is empty.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">The minimum is beyond what this engine can hold.</exception>
    public Table(TableType type, object? initial = null)
        : this(type, Check(type, initial, type.Minimum), default)
    {
    }

    /// <summary>Makes a table, its first value in the form of generated code; it counts in the resources of a guest.</summary>
    /// <exception cref="ResourceLimitException">The guest may have no such table.</exception>
    internal Table(TableType type, object? initial, ValueTuple internalForm, GuestResources? owner = null)
    {
        _ = internalForm;
        Type = type;
        IsFunc = ReferenceEquals(Subtyping.TopOf(type.Element.Heap!), HeapType.Func);
        if (type.Minimum > HardMaximum)
            throw new InsufficientMemoryException($"A table of {type.Minimum} elements is larger than the {HardMaximum} supported.");
        lease = owner?.Take(ResourceKind.Tables, ResourceKind.TableElements, type.Minimum);
        size = (int)type.Minimum;
        if (IsFunc)
        {
            Funcs = new FuncRef[type.Minimum];
            LongWork.Fill(Funcs.AsSpan(), (FuncRef?)initial ?? FuncRef.Empty);
        }
        else
        {
            Refs = new object?[type.Minimum];
            if (initial is not null) LongWork.Fill(Refs.AsSpan(), initial);
        }
    }

    /// <summary>A host's value for so many elements, in the form of generated code. With no elements, none need be given.</summary>
    private static object? Check(TableType type, object? value, ulong count)
    {
        if (!type.Element.IsRef) throw new ArgumentException($"A table cannot have elements of the type {type.Element}.", nameof(type));
        if (value is null && count == 0) return null;
        return HostValues.ToGuest(value, type.Element);
    }

    /// <summary>The declared type.</summary>
    public TableType Type { get; }

    /// <summary>The instance that made it has been disposed of: it counts in no resources any more.</summary>
    internal void EndLease() => lease?.End();

    /// <summary>The declared type with the size of now as minimum: what import matching compares.</summary>
    internal TableType CurrentType => Type with { Minimum = (ulong)Size };

    /// <summary>Whether the elements are functions.</summary>
    internal bool IsFunc { get; }

    /// <summary>The number of elements.</summary>
    public int Size => Volatile.Read(ref size);

    /// <summary>An element: a delegate in tables of functions, else the object.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The index is not below <see cref="Size"/>.</exception>
    /// <exception cref="ArgumentException">The value set is not of the element type.</exception>
    public object? this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Size, nameof(index));
            object? value = Get((ulong)index);
            return IsFunc ? ((FuncRef?)value)?.Delegate : value;
        }
        set
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Size, nameof(index));
            Set((ulong)index, IsFunc ? HostValues.ToFunc(value, Type.Element) : HostValues.ToRef(value, Type.Element));
        }
    }

    /// <summary>Adds elements.</summary>
    /// <param name="delta">How many.</param>
    /// <param name="value">What they hold.</param>
    /// <returns>The size before, or -1 if the table cannot grow so far.</returns>
    /// <exception cref="ArgumentException">The value is not of the element type.</exception>
    public long Grow(ulong delta, object? value = null) => GrowCore(delta, Check(Type, value, delta));

    /// <summary>The most elements that it can have.</summary>
    private ulong Limit => Math.Min(Type.Maximum ?? ulong.MaxValue, HardMaximum);

    internal long GrowCore(ulong delta, object? value)
    {
        if (lease is null || delta == 0) return GrowNow(delta, value);
        // An impossible growth is refused before the limits are asked. The question may not be asked inside the lock.
        if (delta > Limit - Math.Min(Limit, (ulong)Size) || !lease.TryGrow(delta)) return -1;
        long before = -1;
        try
        {
            return before = GrowNow(delta, value);
        }
        finally
        {
            if (before < 0) lease.Shrink(delta);
        }
    }

    private long GrowNow(ulong delta, object? value)
    {
        lock (gate)
        {
            int before = size;
            ulong limit = Limit;
            if (delta > limit || (ulong)before + delta > limit) return -1;
            int larger = before + (int)delta;
            try
            {
                // A thread that sees the new size sees the new array.
                if (IsFunc)
                {
                    FuncRef[] grown = WithRoom(Funcs, larger, (int)limit, FuncRef.Empty);
                    if (value is not null) FillAdded(grown.AsSpan(before, (int)delta), (FuncRef)value, FuncRef.Empty);
                    Volatile.Write(ref Funcs, grown);
                }
                else
                {
                    object?[] grown = WithRoom(Refs, larger, (int)limit, null);
                    if (value is not null) FillAdded(grown.AsSpan(before, (int)delta), value, null);
                    Volatile.Write(ref Refs, grown);
                }
            }
            catch (OutOfMemoryException)
            {
                return -1;
            }
            Volatile.Write(ref size, larger);
            return before;
        }
    }

    /// <summary>
    /// Fills slots that are not the table's yet. If the guest is stopped meanwhile, they are empty again: calls find them by the array's length, and the next growth takes them as
    /// they are.
    /// </summary>
    private static void FillAdded<T>(Span<T> added, T value, T empty)
        where T : class?
    {
        try
        {
            LongWork.Fill(added, value);
        }
        catch
        {
            for (int i = 0; i < added.Length && ReferenceEquals(added[i], value); i++) added[i] = empty;
            throw;
        }
    }

    /// <summary>An array for so many elements: the given one, or a copy with room for half as many again.</summary>
    private static T[] WithRoom<T>(T[] items, int length, int limit, T empty)
    {
        if (length <= items.Length) return items;
        int room = Math.Max(length, Math.Min(items.Length + (items.Length / 2), limit));
        var larger = new T[room];
        LongWork.Copy(items.AsSpan(), larger.AsSpan(0, items.Length));
        if (empty is not null) LongWork.Fill(larger.AsSpan(items.Length), empty);
        return larger;
    }

    // ---- what generated code calls ----

    /// <summary>The slow path of <c>call_indirect</c>, for a slot of another type: a subtype, or the trap that fits.</summary>
    internal static FuncRef ResolveSlow(Table table, ulong index, DefType type)
    {
        if (index >= (ulong)table.Size) throw Trap.Make(TrapKind.UndefinedElement, index.ToString(CultureInfo.InvariantCulture));
        FuncRef func = table.Funcs[index];
        if (ReferenceEquals(func, FuncRef.Empty)) throw Trap.Make(TrapKind.UninitializedElement, index.ToString(CultureInfo.InvariantCulture));
        if (!Subtyping.IsSubtype(func.Type, type)) throw (func.Context as ISlotTrap)?.Trap ?? Trap.Make(TrapKind.IndirectCallTypeMismatch);
        return func;
    }

    internal object? Get(ulong index)
    {
        if (index >= (ulong)Size) throw Trap.Make(TrapKind.OutOfBoundsTableAccess);
        if (!IsFunc) return Refs[index];
        FuncRef func = Funcs[index];
        return ReferenceEquals(func, FuncRef.Empty) ? null : func;
    }

    internal void Set(ulong index, object? value)
    {
        if (index >= (ulong)Size) throw Trap.Make(TrapKind.OutOfBoundsTableAccess);
        if (IsFunc) Funcs[index] = Unsafe.As<FuncRef?>(value) ?? FuncRef.Empty;
        else Refs[index] = value;
    }

    internal void Fill(ulong index, object? value, ulong count)
    {
        CheckRange(index, count);
        if (IsFunc) LongWork.Fill(Funcs.AsSpan((int)index, (int)count), Unsafe.As<FuncRef?>(value) ?? FuncRef.Empty);
        else LongWork.Fill(Refs.AsSpan((int)index, (int)count), value);
    }

    internal static void Copy(Table target, ulong to, Table source, ulong from, ulong count)
    {
        source.CheckRange(from, count);
        target.CheckRange(to, count);
        if (target.IsFunc) LongWork.Copy(source.Funcs.AsSpan((int)from, (int)count), target.Funcs.AsSpan((int)to, (int)count));
        else LongWork.Copy(source.Refs.AsSpan((int)from, (int)count), target.Refs.AsSpan((int)to, (int)count));
    }

    internal void Init(ulong to, object?[] segment, ulong from, ulong count)
    {
        if (from > (ulong)segment.Length || count > (ulong)segment.Length - from) throw Trap.Make(TrapKind.OutOfBoundsTableAccess);
        CheckRange(to, count);
        for (ulong i = 0; i < count; i++)
        {
            object? value = segment[from + i];
            if (IsFunc) Funcs[to + i] = Unsafe.As<FuncRef?>(value) ?? FuncRef.Empty;
            else Refs[to + i] = value;
            if ((i & 0xffff) == 0xffff) CancellationScope.ThrowIfStopped();
        }
    }

    private void CheckRange(ulong index, ulong count)
    {
        ulong size = (ulong)Size;
        if (index > size || count > size - index) throw Trap.Make(TrapKind.OutOfBoundsTableAccess);
    }
}
