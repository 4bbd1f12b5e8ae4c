using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace WasmJit;

/// <summary>Lists of value types.</summary>
internal static class ValTypes
{
    /// <summary>No types. .NET compiles what makes its own empty lists and arrays of a structure of ours, when a program first asks for one.</summary>
    internal static readonly ImmutableArray<ValType> None = Of(0);

    /// <summary>A list of so many types, which is not written to later.</summary>
    private static ImmutableArray<ValType> Of(int count) => Of(new ValType[count]);

    /// <summary>The list that an array is, which is not written to later.</summary>
    internal static ImmutableArray<ValType> Of(ValType[] types) => ImmutableCollectionsMarshal.AsImmutableArray(types);
}
