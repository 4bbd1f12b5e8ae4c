using System.Collections.Immutable;

namespace WasmJit.Runtime;

/// <summary>
/// Where an exception keeps the values of a tag, and a <see cref="PlainStruct"/> its fields: numbers in words of 64 bits (two for a vector), references in
/// objects. A few of each lie in the exception itself, more in arrays.
/// </summary>
internal sealed class PayloadLayout
{
    /// <summary>Up to this many words lie in <see cref="WasmException.Word0"/> and <see cref="WasmException.Word1"/>.</summary>
    internal const int InlineWords = 2;

    /// <summary>Up to this many references lie in <see cref="WasmException.Ref0"/>.</summary>
    internal const int InlineRefs = 1;

    private PayloadLayout(ImmutableArray<ValType> types)
    {
        var slots = ImmutableArray.CreateBuilder<int>(types.Length);
        foreach (ValType type in types)
        {
            slots.Add(type.IsRef ? Refs : Words);
            if (type.IsRef) Refs++;
            Words += type.Words;
        }
        Types = types;
        Slots = slots.MoveToImmutable();
    }

    internal ImmutableArray<ValType> Types { get; }

    /// <summary>For each value its first word or its reference.</summary>
    internal ImmutableArray<int> Slots { get; }

    internal int Words { get; }

    internal int Refs { get; }

    /// <summary>The layout of a struct. A subtype has the fields of its supertype at the same places.</summary>
    internal static PayloadLayout Of(StructType type) => new([.. type.Fields.Select(field => field.Type)]);

    internal static PayloadLayout Of(FuncType type) => type.PayloadCache ??= new PayloadLayout(type.Params);
}
