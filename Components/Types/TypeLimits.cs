namespace WasmJit.Components;

/// <summary>The limits of types: what the specification sets, and this implementation's where types could grow out of proportion to their bytes.</summary>
internal static class TypeLimits
{
    /// <summary>A value of any type takes less memory than this, with pointers of 64 bits (Binary.md).</summary>
    internal const long ValueSize = 1 << 28;

    /// <summary>Types that a type is made of, every use counted.</summary>
    internal const int Size = 1_000_000;

    /// <summary>How deep value types, and component and instance types, may be nested.</summary>
    internal const int Depth = 100;

    /// <summary>The flags of a flags type.</summary>
    internal const int Flags = 32;

    /// <summary>Flattened parameters and results that are passed as core values; more are passed in memory.</summary>
    internal const int FlatParameters = 16, FlatResults = 1, FlatAsyncParameters = 4;

    internal static int Saturate(long size) => (int)Math.Min(size, Size + 1);
}
