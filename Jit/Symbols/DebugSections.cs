namespace WasmJit.Jit.Symbols;

/// <summary>The custom sections with debugging information (DWARF, versions 4 and 5); those that the module does not have are empty.</summary>
/// <param name="find">Gives the content of a custom section by its name.</param>
internal sealed class DebugSections(Func<string, ReadOnlyMemory<byte>> find)
{
    internal ReadOnlyMemory<byte> Info { get; } = find(".debug_info");

    internal ReadOnlyMemory<byte> Abbreviations { get; } = find(".debug_abbrev");

    internal ReadOnlyMemory<byte> Lines { get; } = find(".debug_line");

    internal ReadOnlyMemory<byte> Strings { get; } = find(".debug_str");

    internal ReadOnlyMemory<byte> LineStrings { get; } = find(".debug_line_str");

    internal ReadOnlyMemory<byte> StringOffsets { get; } = find(".debug_str_offsets");

    internal ReadOnlyMemory<byte> Ranges { get; } = find(".debug_ranges");

    internal ReadOnlyMemory<byte> RangeLists { get; } = find(".debug_rnglists");

    internal ReadOnlyMemory<byte> Addresses { get; } = find(".debug_addr");

    /// <summary>How many bytes those have that are read from their beginning on.</summary>
    internal long Length =>
        (long)Info.Length + Abbreviations.Length + Lines.Length + StringOffsets.Length + Ranges.Length + RangeLists.Length + Addresses.Length;

    /// <summary>A string of a section of strings.</summary>
    internal static string TextAt(ReadOnlyMemory<byte> section, ulong offset, DebugBudget budget)
    {
        var cursor = new DebugCursor(section.Span, 0, budget);
        cursor.Seek(offset);
        return cursor.Text();
    }
}
