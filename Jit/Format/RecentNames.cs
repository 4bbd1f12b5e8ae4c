namespace WasmJit.Jit.Format;

/// <summary>
/// Short names that were read lately. A guest that makes code gives all its modules the same few names: each is one string in the process then. A name may
/// be forgotten at any time, so threads need not agree.
/// </summary>
internal static class RecentNames
{
    private const int Places = 256, Longest = 16;

    private static readonly string?[] Known = new string?[Places];

    /// <summary>The name of these bytes, if it is remembered.</summary>
    internal static string? Find(ReadOnlySpan<byte> bytes) =>
        bytes.Length is > 0 and <= Longest && Known[PlaceOf(bytes)] is { } known && System.Text.Ascii.Equals(bytes, known) ? known : null;

    /// <summary>Remembers a name.</summary>
    internal static string Add(ReadOnlySpan<byte> bytes, string name)
    {
        // Other characters than those of ASCII would not be found.
        if (bytes.Length is > 0 and <= Longest && bytes.Length == name.Length) Known[PlaceOf(bytes)] = name;
        return name;
    }

    private static int PlaceOf(ReadOnlySpan<byte> bytes)
    {
        uint hash = (uint)bytes.Length;
        foreach (byte b in bytes) hash = (hash * 31) + b;
        return (int)((hash ^ (hash >> 8)) % Places);
    }
}
