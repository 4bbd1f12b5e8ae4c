namespace WasmJit.Jit.Format;

/// <summary>
/// Short text of ASCII, as nearly all names are. What .NET has for UTF-8 is written with vectors, whose types it loads for more than a millisecond when the first text is read.
/// </summary>
internal static class AsciiText
{
    private const int Longest = 128;

    /// <summary>The text of some bytes; null if they are many, or others than those of ASCII.</summary>
    internal static string? Of(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > Longest) return null;
        Span<char> text = stackalloc char[Longest];
        for (int i = 0; i < bytes.Length; i++)
        {
            if (!char.IsAscii((char)bytes[i])) return null;
            text[i] = (char)bytes[i];
        }
        return new string(text[..bytes.Length]);
    }
}
