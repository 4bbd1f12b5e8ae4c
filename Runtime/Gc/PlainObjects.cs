using WasmJit.Gc;

namespace WasmJit.Runtime;

/// <summary>A struct of a guest in a process that makes no classes: all types have this one. The type says where a field is.</summary>
/// <param name="type">The type.</param>
internal sealed class PlainStruct(GcClass type) : WasmStruct
{
    /// <summary>The type.</summary>
    internal GcClass PlainType { get; } = type;

    /// <summary>Numbers of up to 64 bits, vectors in two.</summary>
    internal readonly ulong[] Words = type.Layout!.Words == 0 ? [] : new ulong[type.Layout.Words];

    internal readonly object?[] References = type.Layout!.References == 0 ? [] : new object?[type.Layout.References];

    /// <summary>The descriptor, if the type has one.</summary>
    internal WasmStruct? Described;
}

/// <summary>An array of a guest in a process that makes no classes.</summary>
/// <param name="type">The type.</param>
/// <param name="items">The elements: numbers of their size, or <see cref="GcArrays.Slot"/>.</param>
internal sealed class PlainArray(GcClass type, Array items)
{
    internal GcClass Type => type;

    internal Array Items => items;
}

/// <summary>Where a <see cref="PlainStruct"/> has its fields. A subtype has those of its supertype at the same places.</summary>
internal sealed class PlainLayout
{
    internal PlainLayout(StructType type)
    {
        Places = new int[type.Fields.Length];
        for (int i = 0; i < Places.Length; i++)
        {
            ValType storage = type.Fields[i].Type;
            Places[i] = storage.IsRef ? References : Words;
            if (storage.IsRef) References++;
            else Words += storage.Kind == ValKind.V128 ? 2 : 1;
        }
    }

    /// <summary>For each field its first word, or its reference.</summary>
    internal int[] Places { get; }

    internal int Words { get; }

    internal int References { get; }
}
