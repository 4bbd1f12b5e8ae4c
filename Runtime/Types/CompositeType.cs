using System.Collections.Immutable;
using System.Globalization;

namespace WasmJit;

/// <summary>The structure of a defined type, without its place in the subtype hierarchy.</summary>
public abstract class CompositeType
{
    private protected CompositeType() { }

    /// <summary>The abstract heap type directly above types of this structure.</summary>
    public abstract AbstractHeapType Top { get; }
}

/// <summary>A function type.</summary>
public sealed class FuncType : CompositeType
{
    /// <summary>How an exception with a tag of this type keeps its values.</summary>
    internal Runtime.PayloadLayout? PayloadCache;

    /// <summary>Makes a function type.</summary>
    public FuncType(ImmutableArray<ValType> parameters, ImmutableArray<ValType> results)
    {
        Params = parameters;
        Results = results;
    }

    /// <summary>The parameters' types.</summary>
    public ImmutableArray<ValType> Params { get; }

    /// <summary>The results' types.</summary>
    public ImmutableArray<ValType> Results { get; }

    /// <inheritdoc/>
    public override AbstractHeapType Top => HeapType.Func;

    /// <summary>The IL signature, filled in by the compiler at first need.</summary>
    internal Runtime.NativeSignature? SignatureCache;

    /// <inheritdoc/>
    public override string ToString() => TypePrinter.List("(func", Clause("param", Params).Concat(Clause("result", Results)));

    private static IEnumerable<string> Clause(string keyword, ImmutableArray<ValType> types) =>
        types.Select((type, i) => (i == 0 ? $" ({keyword} {type}" : $" {type}") + (i == types.Length - 1 ? ")" : ""));
}

/// <summary>A field of a struct, or the element of an array.</summary>
/// <param name="Type">The storage type; packed types allowed.</param>
/// <param name="IsMutable">Whether it can be written.</param>
public readonly record struct FieldType(ValType Type, bool IsMutable)
{
    /// <inheritdoc/>
    public override string ToString() => IsMutable ? $"(mut {Type})" : Type.ToString();
}

/// <summary>A struct type.</summary>
public sealed class StructType : CompositeType
{
    /// <summary>Makes a struct type.</summary>
    public StructType(ImmutableArray<FieldType> fields) => Fields = fields;

    /// <summary>The fields, inherited ones first.</summary>
    public ImmutableArray<FieldType> Fields { get; }

    /// <summary>What the compiler keeps with the type: the bytes of its fields and one, 0 before they are counted.</summary>
    internal long SizeCache;

    /// <inheritdoc/>
    public override AbstractHeapType Top => HeapType.Struct;

    /// <inheritdoc/>
    public override string ToString() => TypePrinter.List("(struct", Fields.Select(f => $" (field {f})"));
}

/// <summary>An array type.</summary>
public sealed class ArrayType : CompositeType
{
    /// <summary>Makes an array type.</summary>
    public ArrayType(FieldType element) => Element = element;

    /// <summary>The element.</summary>
    public FieldType Element { get; }

    /// <inheritdoc/>
    public override AbstractHeapType Top => HeapType.Array;

    /// <inheritdoc/>
    public override string ToString() => $"(array {Element})";
}

/// <summary>A memory's type.</summary>
/// <param name="Minimum">The smallest size, in pages.</param>
/// <param name="Maximum">The largest size in pages, or null.</param>
/// <param name="Is64">Whether addresses are i64.</param>
/// <param name="IsShared">Whether it is shared between threads.</param>
/// <param name="PageSizeLog2">The page size: 16 (64 KiB) or 0 (one byte), custom-page-sizes proposal.</param>
public sealed record MemoryType(ulong Minimum, ulong? Maximum = null, bool Is64 = false, bool IsShared = false, int PageSizeLog2 = 16)
{
    /// <summary>The type of addresses.</summary>
    public ValType AddressType => Is64 ? ValType.I64 : ValType.I32;

    /// <inheritdoc/>
    public override string ToString() =>
        $"(memory{(Is64 ? " i64" : "")} {LimitsText.Of(Minimum, Maximum)}{(IsShared ? " shared" : "")}"
        + $"{(PageSizeLog2 == 16 ? "" : $" (pagesize {1 << PageSizeLog2})")})";
}

/// <summary>A table's type.</summary>
/// <param name="Element">The reference type of its elements.</param>
/// <param name="Minimum">The smallest size, in elements.</param>
/// <param name="Maximum">The largest size in elements, or null.</param>
/// <param name="Is64">Whether indices are i64.</param>
/// <param name="IsShared">Whether it is shared between threads.</param>
public sealed record TableType(ValType Element, ulong Minimum, ulong? Maximum = null, bool Is64 = false, bool IsShared = false)
{
    /// <summary>The type of indices.</summary>
    public ValType AddressType => Is64 ? ValType.I64 : ValType.I32;

    /// <inheritdoc/>
    public override string ToString() => $"(table{(Is64 ? " i64" : "")} {LimitsText.Of(Minimum, Maximum)} {Element})";
}

/// <summary>A global's type.</summary>
/// <param name="Type">The value type.</param>
/// <param name="IsMutable">Whether it can be written.</param>
public sealed record GlobalType(ValType Type, bool IsMutable)
{
    /// <inheritdoc/>
    public override string ToString() => IsMutable ? $"(global (mut {Type}))" : $"(global {Type})";
}

internal static class LimitsText
{
    internal static string Of(ulong minimum, ulong? maximum) => maximum is { } m ? string.Create(CultureInfo.InvariantCulture, $"{minimum} {m}") : minimum.ToString(CultureInfo.InvariantCulture);
}
