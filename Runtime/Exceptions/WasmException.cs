using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using WasmJit.Runtime;

namespace WasmJit;

/// <summary>
/// An exception of WebAssembly: a tag and the values that its type names. Guests throw and catch it, and so can hosts. An exception that no guest
/// catches arrives at the caller of the export; one that a host function throws can be caught by the guest. An <c>exnref</c> refers to it, too.
/// Guests never catch any other .NET exception.
/// </summary>
public sealed class WasmException : WasmJitException
{
    /// <summary>The first words of numbers, if there are no more than <see cref="PayloadLayout.InlineWords"/>.</summary>
    internal ulong Word0, Word1;

    /// <summary>The reference, if there is one; functions as FuncRef.</summary>
    internal object? Ref0;

    /// <summary>All words, if there are more.</summary>
    internal ulong[]? Words;

    /// <summary>All references, if there are more.</summary>
    internal object?[]? Refs;

    /// <summary>The tag as generated code compares it.</summary>
    internal readonly Tag TagField;

    private IReadOnlyList<WasmFrame>? stack;

    /// <summary>Makes an exception that a host function can throw into the guest that called it.</summary>
    /// <param name="tag">The tag.</param>
    /// <param name="values">
    /// The values, one for each parameter of the tag's type, in the .NET form of their types: <see cref="int"/>,
    /// <see cref="long"/>, <see cref="float"/>, <see cref="double"/>, <c>Vector128&lt;byte&gt;</c>, a delegate, or an object.
    /// </param>
    /// <exception cref="ArgumentException">The values are not those of the tag's type.</exception>
    public WasmException(Tag tag, params ReadOnlySpan<object?> values)
        : this(tag)
    {
        PayloadLayout layout = tag.Layout;
        if (values.Length != layout.Types.Length)
            throw new ArgumentException($"The tag's type is {tag.Type}: {layout.Types.Length} values, not {values.Length}.", nameof(values));
        for (int i = 0; i < values.Length; i++) Set(layout, i, values[i]);
    }

    /// <summary>With room for the values, which the caller stores.</summary>
    internal WasmException(Tag tag)
    {
        TagField = tag;
        PayloadLayout layout = tag.Layout;
        if (layout.Words > PayloadLayout.InlineWords) Words = new ulong[layout.Words];
        if (layout.Refs > PayloadLayout.InlineRefs) Refs = new object?[layout.Refs];
    }

    /// <summary>The tag.</summary>
    public Tag Tag => TagField;

    /// <summary>The number of values.</summary>
    public int Count => TagField.Layout.Types.Length;

    /// <inheritdoc/>
    public override string Message => $"WebAssembly exception with a tag of type {TagField.Type.AsFunc}";

    /// <summary>
    /// The guest's functions between the place that threw and the place that caught, innermost first. If a guest has caught the exception and handed
    /// it out or thrown it again, the functions before that are missing.
    /// </summary>
    public IReadOnlyList<WasmFrame> WasmStack => stack ??= WasmStackTrace.Of(this);

    /// <summary>As for any exception, but of a deep stack only both ends.</summary>
    public override string? StackTrace => ExceptionFrames.Text(this, () => base.StackTrace);

    /// <summary>The values, in the .NET forms of their types.</summary>
    public object?[] GetValues()
    {
        var values = new object?[Count];
        for (int i = 0; i < values.Length; i++) values[i] = Get(i);
        return values;
    }

    /// <summary>A value; numbers are not boxed.</summary>
    /// <typeparam name="T">The .NET form of the value's type.</typeparam>
    /// <exception cref="ArgumentOutOfRangeException">There is no such value.</exception>
    /// <exception cref="InvalidCastException">The value is of another type.</exception>
    public T GetValue<T>(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
        PayloadLayout layout = TagField.Layout;
        int slot = layout.Slots[index];
        switch (layout.Types[index].Kind)
        {
            case ValKind.I32 when typeof(T) == typeof(int): return As<int, T>((int)Word(slot));
            case ValKind.I64 when typeof(T) == typeof(long): return As<long, T>((long)Word(slot));
            case ValKind.F32 when typeof(T) == typeof(float): return As<float, T>(BitConverter.UInt32BitsToSingle((uint)Word(slot)));
            case ValKind.F64 when typeof(T) == typeof(double): return As<double, T>(BitConverter.UInt64BitsToDouble(Word(slot)));
            case ValKind.V128 when typeof(T) == typeof(Vector128<byte>): return As<Vector128<byte>, T>(Vector(slot));
            default: return (T)Get(index)!;
        }
    }

    private static TTo As<TFrom, TTo>(TFrom value) => Unsafe.As<TFrom, TTo>(ref value);

    private object? Get(int index)
    {
        PayloadLayout layout = TagField.Layout;
        int slot = layout.Slots[index];
        switch (layout.Types[index].Kind)
        {
            case ValKind.I32: return (int)Word(slot);
            case ValKind.I64: return (long)Word(slot);
            case ValKind.F32: return BitConverter.UInt32BitsToSingle((uint)Word(slot));
            case ValKind.F64: return BitConverter.UInt64BitsToDouble(Word(slot));
            case ValKind.V128: return Vector(slot);
            default: return HostValues.ToHost(Ref(slot));
        }
    }

    private void Set(PayloadLayout layout, int index, object? value)
    {
        ValType type = layout.Types[index];
        int slot = layout.Slots[index];
        switch (type.Kind)
        {
            case ValKind.I32 when value is int v: Word(slot) = (uint)v; break;
            case ValKind.I64 when value is long v: Word(slot) = (ulong)v; break;
            case ValKind.F32 when value is float v: Word(slot) = BitConverter.SingleToUInt32Bits(v); break;
            case ValKind.F64 when value is double v: Word(slot) = BitConverter.DoubleToUInt64Bits(v); break;
            case ValKind.V128 when value is Vector128<byte> v:
                Word(slot) = v.AsUInt64().GetElement(0);
                Word(slot + 1) = v.AsUInt64().GetElement(1);
                break;
            case ValKind.Ref: Ref(slot) = HostValues.ToGuest(value, type); break;
            default:
                throw new ArgumentException($"Value {index} of the exception must be of type {type}, not {value ?? "null"}.", nameof(value));
        }
    }

    private Vector128<byte> Vector(int slot) => Vector128.Create(Word(slot), Word(slot + 1)).AsByte();

    /// <summary>A word of the numbers, of which the exception has as many as its tag's layout.</summary>
    internal ref ulong Word(int slot)
    {
        if (Words is not null) return ref Words[slot];
        if (slot == 0) return ref Word0;
        return ref Word1;
    }

    /// <summary>One of the references, likewise.</summary>
    internal ref object? Ref(int slot)
    {
        if (Refs is not null) return ref Refs[slot];
        return ref Ref0;
    }
}
