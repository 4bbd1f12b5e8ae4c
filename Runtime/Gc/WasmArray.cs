using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using WasmJit.Runtime;

namespace WasmJit.Gc;

/// <summary>
/// A view of an array of the guest's garbage-collected heap. The array itself, which is what guests and delegates pass, is
/// <see cref="Object"/>. Two views are equal if they are of the same array.
/// </summary>
public readonly struct WasmArray : IEquatable<WasmArray>
{
    private readonly GcClass type;
    private readonly Array array;

    /// <summary>The reference, where that is not the array itself.</summary>
    private readonly PlainArray? plain;

    private WasmArray(GcClass type, object reference)
    {
        this.type = type;
        array = GcClass.ItemsOf(reference);
        plain = reference as PlainArray;
    }

    /// <summary>The array as a reference, for guests.</summary>
    public object Object => plain ?? (object)array;

    /// <summary>Whether the other view is of the same array.</summary>
    public bool Equals(WasmArray other) => ReferenceEquals(array, other.array);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is WasmArray other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => RuntimeHelpers.GetHashCode(array);

    /// <summary>Whether both views are of the same array.</summary>
    public static bool operator ==(WasmArray left, WasmArray right) => left.Equals(right);

    /// <summary>Whether the views are of different arrays.</summary>
    public static bool operator !=(WasmArray left, WasmArray right) => !left.Equals(right);

    /// <summary>The array's type.</summary>
    public DefType Type => type.Type;

    /// <summary>The number of elements.</summary>
    public int Length => array.Length;

    private FieldType Element => ((ArrayType)type.Type.Composite).Element;

    /// <summary>An element, in the .NET form of its type: packed ones as <see cref="int"/> without sign, functions as delegates.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The index is not below <see cref="Length"/>.</exception>
    /// <exception cref="InvalidOperationException">Set on an immutable array.</exception>
    /// <exception cref="ArgumentException">Set to a value of another type.</exception>
    public object? this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Length, nameof(index));
            return HostValues.ToHost(GcObjects.GetElement(type, array, index));
        }

        set
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Length, nameof(index));
            if (!Element.IsMutable) throw new InvalidOperationException("The array is immutable.");
            GcObjects.SetElement(type, array, index, GcObjects.FromHost(value, type.StorageOf(0)));
        }
    }

    /// <summary>The elements of a mutable array of numbers, where they lie.</summary>
    /// <typeparam name="T">A number type of the elements' size, for instance <see cref="byte"/> for <c>i8</c>.</typeparam>
    /// <exception cref="InvalidOperationException">The elements are references or have another size, or are immutable.</exception>
    public Span<T> AsSpan<T>()
        where T : unmanaged
    {
        if (!Element.IsMutable) throw new InvalidOperationException("The array is immutable.");
        return Span<T>();
    }

    /// <summary>The elements of an array of numbers, to read.</summary>
    /// <typeparam name="T">A number type of the elements' size, for instance <see cref="byte"/> for <c>i8</c>.</typeparam>
    /// <exception cref="InvalidOperationException">The elements are references or have another size.</exception>
    public ReadOnlySpan<T> AsReadOnlySpan<T>()
        where T : unmanaged => Span<T>();

    private Span<T> Span<T>()
        where T : unmanaged
    {
        if (Element.Type.IsRef || Unsafe.SizeOf<T>() != Element.Type.ByteSize)
            throw new InvalidOperationException($"The elements are {Element.Type}, not {typeof(T)}.");
        // The element's value type has no other field than a number of this size.
        return MemoryMarshal.CreateSpan(ref MemoryMarshal.GetArrayDataReference(Unsafe.As<T[]>(array)), array.Length);
    }

    /// <summary>The view of an object that a guest has given.</summary>
    /// <exception cref="InvalidCastException">The object is not an array of a guest.</exception>
    public static WasmArray Of(object value) =>
        TryOf(value, out WasmArray view) ? view : throw new InvalidCastException($"{value} is not a WebAssembly array.");

    /// <summary>The view of an object, if it is an array of a guest.</summary>
    public static bool TryOf([NotNullWhen(true)] object? value, out WasmArray view)
    {
        GcClass? known = value is Array or PlainArray ? GcClass.OfObject(value) : null;
        view = known is null ? default : new WasmArray(known, value!);
        return known is not null;
    }

    /// <summary>Makes an array of default elements.</summary>
    /// <exception cref="ArgumentException">No array type, or its elements have no default.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative.</exception>
    /// <exception cref="TrapException">The array would be larger than 1 GiB.</exception>
    public static WasmArray Create(DefType type, int length)
    {
        if (type.Composite is not ArrayType composite) throw new ArgumentException($"{type} is not an array type.", nameof(type));
        if (!composite.Element.Type.IsDefaultable && length > 0)
            throw new ArgumentException($"The elements of {type} have no default; give the values.", nameof(type));
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        GcClass c = GcClass.Of(type, new GcBatch());
        return new WasmArray(c, c.NewArray(length));
    }

    /// <summary>Makes an array of values, each in the .NET form of the element's type.</summary>
    /// <exception cref="ArgumentException">No array type, or a value of another type.</exception>
    public static WasmArray Create(DefType type, ReadOnlySpan<object?> values)
    {
        if (type.Composite is not ArrayType) throw new ArgumentException($"{type} is not an array type.", nameof(type));
        GcClass c = GcClass.Of(type, new GcBatch());
        var made = new WasmArray(c, c.NewArray(values.Length));
        for (int i = 0; i < values.Length; i++) GcObjects.SetElement(c, made.array, i, GcObjects.FromHost(values[i], c.StorageOf(0)));
        return made;
    }
}
