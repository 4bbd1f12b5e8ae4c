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

    internal readonly object?[] References = type.Layout!.Refs == 0 ? [] : new object?[type.Layout.Refs];

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
