using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace WasmJit;

/// <summary>
/// A value of any WebAssembly type, for programs that do not know at compile time which functions they call. The default is an i32 of 0. Numbers are kept
/// without boxing.
/// </summary>
public readonly struct Value : IEquatable<Value>
{
    private readonly Vector128<byte> bits;
    private readonly object? reference;
    private readonly ValKind kind;

    private Value(ValKind kind, Vector128<byte> bits, object? reference = null)
    {
        this.kind = kind;
        this.bits = bits;
        this.reference = reference;
    }

    /// <summary>An i32.</summary>
    public static Value FromInt32(int value) => new(ValKind.I32, Vector128.CreateScalar(value).AsByte());

    /// <summary>An i64.</summary>
    public static Value FromInt64(long value) => new(ValKind.I64, Vector128.CreateScalar(value).AsByte());

    /// <summary>An f32; the bits of a NaN are kept.</summary>
    public static Value FromSingle(float value) => new(ValKind.F32, Vector128.CreateScalar(BitConverter.SingleToInt32Bits(value)).AsByte());

    /// <summary>An f64; the bits of a NaN are kept.</summary>
    public static Value FromDouble(double value) => new(ValKind.F64, Vector128.CreateScalar(BitConverter.DoubleToInt64Bits(value)).AsByte());

    /// <summary>A v128.</summary>
    public static Value FromVector128(Vector128<byte> value) => new(ValKind.V128, value);

    /// <summary>A reference: a delegate if it is one to a function, otherwise any object, or null.</summary>
    /// <param name="reference">The reference.</param>
    public static Value FromReference(object? reference) => new(ValKind.Ref, default, reference);

    /// <summary>The value of a type that all bits 0 make: 0, or null.</summary>
    /// <param name="type">The type.</param>
    public static Value Zero(ValType type) => new(type.Unpacked.Kind, default);

    /// <summary>A value in the .NET form of its type.</summary>
    /// <param name="value">An int, long, float, double or <c>Vector128&lt;byte&gt;</c>, or a reference.</param>
    /// <param name="type">Its type.</param>
    /// <exception cref="ArgumentException">The value is not in the form of the type.</exception>
    public static Value From(object? value, ValType type) => (type.Kind, value) switch
    {
        (ValKind.I32, int v) => v,
        (ValKind.I64, long v) => v,
        (ValKind.F32, float v) => v,
        (ValKind.F64, double v) => v,
        (ValKind.V128, Vector128<byte> v) => v,
        (ValKind.Ref, not null) => FromReference(value),
        (ValKind.Ref, null) when type.IsNullable => FromReference(null),
        _ => throw new ArgumentException($"A value of type {type} was expected, not {value ?? "null"}.", nameof(value)),
    };

    /// <summary>The kind of its type.</summary>
    public ValKind Kind => kind == ValKind.Bottom ? ValKind.I32 : kind;

    /// <summary>The i32.</summary>
    /// <exception cref="InvalidCastException">It is something else.</exception>
    public int AsInt32() => Kind == ValKind.I32 ? bits.AsInt32().ToScalar() : throw Other(ValKind.I32);

    /// <summary>The i64.</summary>
    /// <exception cref="InvalidCastException">It is something else.</exception>
    public long AsInt64() => kind == ValKind.I64 ? bits.AsInt64().ToScalar() : throw Other(ValKind.I64);

    /// <summary>The f32.</summary>
    /// <exception cref="InvalidCastException">It is something else.</exception>
    public float AsSingle() => kind == ValKind.F32 ? BitConverter.Int32BitsToSingle(bits.AsInt32().ToScalar()) : throw Other(ValKind.F32);

    /// <summary>The f64.</summary>
    /// <exception cref="InvalidCastException">It is something else.</exception>
    public double AsDouble() => kind == ValKind.F64 ? BitConverter.Int64BitsToDouble(bits.AsInt64().ToScalar()) : throw Other(ValKind.F64);

    /// <summary>The v128.</summary>
    /// <exception cref="InvalidCastException">It is something else.</exception>
    public Vector128<byte> AsVector() => kind == ValKind.V128 ? bits : throw Other(ValKind.V128);

    /// <summary>The reference.</summary>
    /// <exception cref="InvalidCastException">It is something else.</exception>
    public object? AsReference() => kind == ValKind.Ref ? reference : throw Other(ValKind.Ref);

    /// <summary>The value in the .NET form of its type.</summary>
    public object? ToObject() => Kind switch
    {
        ValKind.I32 => AsInt32(),
        ValKind.I64 => AsInt64(),
        ValKind.F32 => AsSingle(),
        ValKind.F64 => AsDouble(),
        ValKind.V128 => bits,
        _ => reference,
    };

    private InvalidCastException Other(ValKind wanted) => new($"The value is {NameOf(Kind)}, not {NameOf(wanted)}.");

    internal static string NameOf(ValKind kind) => kind == ValKind.Ref ? "a reference" : kind.ToString().ToLowerInvariant();

    // ---- what generated code calls: the kinds have been compared ----

    internal static int Int32Of(ref Value value) => value.bits.AsInt32().ToScalar();

    internal static long Int64Of(ref Value value) => value.bits.AsInt64().ToScalar();

    internal static float SingleOf(ref Value value) => BitConverter.Int32BitsToSingle(value.bits.AsInt32().ToScalar());

    internal static double DoubleOf(ref Value value) => BitConverter.Int64BitsToDouble(value.bits.AsInt64().ToScalar());

    internal static Vector128<byte> VectorOf(ref Value value) => value.bits;

    internal static object? ObjectOf(ref Value value) => value.reference;

    internal static Delegate? FunctionOf(ref Value value)
    {
        // Read once: another thread of the host may write the value.
        object? reference = value.reference;
        return reference is null ? null : reference as Delegate ?? throw new ArgumentException($"A function was expected, not {reference}.");
    }

    internal static void SetInt32(ref Value to, int value) => to = value;

    internal static void SetInt64(ref Value to, long value) => to = value;

    internal static void SetSingle(ref Value to, float value) => to = value;

    internal static void SetDouble(ref Value to, double value) => to = value;

    internal static void SetVector(ref Value to, Vector128<byte> value) => to = value;

    internal static void SetObject(ref Value to, object? value) => to = FromReference(value);

    internal static void SetFunction(ref Value to, Delegate? value) => to = FromReference(value);

    // ---- equality, conversions ----

    /// <summary>An i32.</summary>
    public static implicit operator Value(int value) => FromInt32(value);

    /// <summary>An i64.</summary>
    public static implicit operator Value(long value) => FromInt64(value);

    /// <summary>An f32.</summary>
    public static implicit operator Value(float value) => FromSingle(value);

    /// <summary>An f64.</summary>
    public static implicit operator Value(double value) => FromDouble(value);

    /// <summary>A v128.</summary>
    public static implicit operator Value(Vector128<byte> value) => FromVector128(value);

    /// <inheritdoc/>
    /// <remarks>Numbers are equal if their bits are, references if they are the same object.</remarks>
    public bool Equals(Value other) => Kind == other.Kind && bits == other.bits && ReferenceEquals(reference, other.reference);

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is Value other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Kind, bits, reference is null ? 0 : RuntimeHelpers.GetHashCode(reference));

    /// <summary>Whether two values are equal.</summary>
    public static bool operator ==(Value left, Value right) => left.Equals(right);

    /// <summary>Whether two values differ.</summary>
    public static bool operator !=(Value left, Value right) => !left.Equals(right);

    /// <summary>Kind and value.</summary>
    public override string ToString() => kind == ValKind.Ref
        ? $"ref {reference ?? "null"}" : string.Create(CultureInfo.InvariantCulture, $"{NameOf(Kind)} {ToObject()}");
}
