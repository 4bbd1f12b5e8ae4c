namespace WasmJit;

/// <summary>What a <see cref="ValType"/> is, before its details.</summary>
public enum ValKind : byte
{
    /// <summary>The empty operand of unreachable code; below every type. Never part of a module's own types.</summary>
    Bottom,
    /// <summary>32-bit integer; <see cref="int"/> in .NET.</summary>
    I32,
    /// <summary>64-bit integer; <see cref="long"/> in .NET.</summary>
    I64,
    /// <summary>32-bit float; <see cref="float"/> in .NET.</summary>
    F32,
    /// <summary>64-bit float; <see cref="double"/> in .NET.</summary>
    F64,
    /// <summary>128-bit vector; <c>Vector128&lt;byte&gt;</c> in .NET.</summary>
    V128,
    /// <summary>Packed 8-bit storage of structs and arrays; not a value type.</summary>
    I8,
    /// <summary>Packed 16-bit storage of structs and arrays; not a value type.</summary>
    I16,
    /// <summary>A reference; <see cref="ValType.Heap"/> says to what.</summary>
    Ref,
}

/// <summary>A value type, or the storage type of a field. Equality is type equality, because heap types are canonical.</summary>
public readonly struct ValType : IEquatable<ValType>
{
    private ValType(ValKind kind, HeapType? heap, bool nullable)
    {
        Kind = kind;
        Heap = heap;
        IsNullable = nullable;
    }

    /// <summary>The kind.</summary>
    public ValKind Kind { get; }

    /// <summary>The heap type of a reference, otherwise null.</summary>
    public HeapType? Heap { get; }

    /// <summary>Whether null belongs to a reference type.</summary>
    public bool IsNullable { get; }

    /// <summary><c>i32</c></summary>
    public static ValType I32 => new(ValKind.I32, null, false);

    /// <summary><c>i64</c></summary>
    public static ValType I64 => new(ValKind.I64, null, false);

    /// <summary><c>f32</c></summary>
    public static ValType F32 => new(ValKind.F32, null, false);

    /// <summary><c>f64</c></summary>
    public static ValType F64 => new(ValKind.F64, null, false);

    /// <summary><c>v128</c></summary>
    public static ValType V128 => new(ValKind.V128, null, false);

    /// <summary><c>i8</c>, storage only.</summary>
    public static ValType I8 => new(ValKind.I8, null, false);

    /// <summary><c>i16</c>, storage only.</summary>
    public static ValType I16 => new(ValKind.I16, null, false);

    /// <summary>The type of a kind that is not a reference.</summary>
    internal static ValType OfNumber(ValKind kind) => new(kind, null, false);

    /// <summary>The operand of unreachable code.</summary>
    internal static ValType Bottom => default;

    /// <summary><c>funcref</c></summary>
    public static ValType FuncRef => new(ValKind.Ref, HeapType.Func, true);

    /// <summary><c>externref</c></summary>
    public static ValType ExternRef => new(ValKind.Ref, HeapType.Extern, true);

    /// <summary><c>(ref heap)</c> or <c>(ref null heap)</c>.</summary>
    public static ValType Ref(HeapType heap, bool nullable) => new(ValKind.Ref, heap, nullable);

    /// <summary>Whether this is a reference type.</summary>
    public bool IsRef => Kind == ValKind.Ref;

    /// <summary>Whether this is a packed storage type.</summary>
    public bool IsPacked => Kind is ValKind.I8 or ValKind.I16;

    /// <summary>Whether a local of this type starts with a value: all but non-null references (spec 3.4.3).</summary>
    public bool IsDefaultable => Kind != ValKind.Ref || IsNullable;

    /// <summary>The value type that a packed storage type is read as; other types are themselves.</summary>
    public ValType Unpacked => IsPacked ? I32 : this;

    /// <summary>The same reference type without null.</summary>
    public ValType AsNonNull => new(Kind, Heap, false);

    /// <summary>The size of a number or vector in bytes, 0 for references.</summary>
    internal int ByteSize => Kind switch
    {
        ValKind.I8 => 1,
        ValKind.I16 => 2,
        ValKind.I32 or ValKind.F32 => 4,
        ValKind.I64 or ValKind.F64 => 8,
        ValKind.V128 => 16,
        _ => 0,
    };

    /// <summary>How many words of 64 bits a number takes: a vector two. 0 for references.</summary>
    internal int Words => IsRef ? 0 : Kind == ValKind.V128 ? 2 : 1;

    /// <inheritdoc/>
    public bool Equals(ValType other) =>
        Kind == other.Kind && IsNullable == other.IsNullable && HeapType.Same(Heap, other.Heap);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ValType other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Kind, IsNullable, Heap);

    /// <summary>Type equality.</summary>
    public static bool operator ==(ValType left, ValType right) => left.Equals(right);

    /// <summary>Type inequality.</summary>
    public static bool operator !=(ValType left, ValType right) => !left.Equals(right);

    /// <summary>The type in the text format; concrete types print their structure.</summary>
    public override string ToString() => Kind switch
    {
        ValKind.Bottom => "bot",
        ValKind.Ref when IsNullable && Heap is AbstractHeapType a => a.NullableShorthand,
        ValKind.Ref => IsNullable ? $"(ref null {Heap})" : $"(ref {Heap})",
        _ => Kind.ToString().ToLowerInvariant(),
    };
}
