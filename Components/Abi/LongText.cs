using System.Text;
using System.Text.Unicode;
using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>
/// Conversions of texts that may have 256 MiB, which take some tenths of a second: in pieces, between which a guest can be stopped. Texts that are converted have been checked.
/// </summary>
internal static class LongText
{
    /// <summary>A piece in bytes or characters: about a millisecond.</summary>
    internal const int Piece = 1 << 20;

    /// <summary>Where a piece of UTF-8 ends: between characters, if the text is valid.</summary>
    private static int EndOf(ReadOnlySpan<byte> text)
    {
        if (text.Length <= Piece) return text.Length;
        int end = Piece;
        while (end > Piece - 3 && (text[end] & 0xc0) == 0x80) end--;
        return end;
    }

    /// <summary>The same of UTF-16.</summary>
    private static int EndOf(ReadOnlySpan<char> text) => text.Length <= Piece ? text.Length : char.IsHighSurrogate(text[Piece - 1]) ? Piece - 1 : Piece;

    /// <summary>Where a text is that is not valid UTF-8: a piece begins there. The length of the text if it is valid.</summary>
    internal static int FirstInvalid(ReadOnlySpan<byte> text)
    {
        for (int at = 0; at < text.Length;)
        {
            int end = EndOf(text[at..]);
            if (!Utf8.IsValid(text.Slice(at, end))) return at;
            at += end;
            if (at < text.Length) CancellationScope.ThrowIfStopped();
        }
        return text.Length;
    }

    /// <summary>Converts UTF-8 to characters; gives how many.</summary>
    internal static int ToChars(ReadOnlySpan<byte> text, Span<char> chars)
    {
        int count = 0;
        while (!text.IsEmpty)
        {
            int end = EndOf(text);
            count += Encoding.UTF8.GetChars(text[..end], chars[count..]);
            text = text[end..];
            if (!text.IsEmpty) CancellationScope.ThrowIfStopped();
        }
        return count;
    }

    /// <summary>Converts characters to UTF-8; gives how many bytes.</summary>
    internal static int ToBytes(ReadOnlySpan<char> text, Span<byte> bytes)
    {
        int count = 0;
        while (!text.IsEmpty)
        {
            int end = EndOf(text);
            count += Encoding.UTF8.GetBytes(text[..end], bytes[count..]);
            text = text[end..];
            if (!text.IsEmpty) CancellationScope.ThrowIfStopped();
        }
        return count;
    }

    /// <summary>How many bytes characters have in UTF-8.</summary>
    internal static int CountBytes(ReadOnlySpan<char> text)
    {
        int count = 0;
        while (!text.IsEmpty)
        {
            int end = EndOf(text);
            count += Encoding.UTF8.GetByteCount(text[..end]);
            text = text[end..];
            if (!text.IsEmpty) CancellationScope.ThrowIfStopped();
        }
        return count;
    }

    /// <summary>Converts characters, all below 256, to bytes.</summary>
    internal static void ToLatin1(ReadOnlySpan<char> text, Span<byte> bytes)
    {
        for (; text.Length > Piece; text = text[Piece..], bytes = bytes[Piece..])
        {
            Encoding.Latin1.GetBytes(text[..Piece], bytes);
            CancellationScope.ThrowIfStopped();
        }
        Encoding.Latin1.GetBytes(text, bytes);
    }

    /// <summary>Converts bytes to as many characters.</summary>
    internal static void FromLatin1(ReadOnlySpan<byte> text, Span<char> chars)
    {
        for (; text.Length > Piece; text = text[Piece..], chars = chars[Piece..])
        {
            Encoding.Latin1.GetChars(text[..Piece], chars);
            CancellationScope.ThrowIfStopped();
        }
        Encoding.Latin1.GetChars(text, chars);
    }

    /// <summary>A string of as many characters as there are bytes.</summary>
    internal static string FromLatin1(ReadOnlySpan<byte> text) => text.Length <= Piece
        ? Encoding.Latin1.GetString(text) : string.Create(text.Length, text, static (chars, bytes) => FromLatin1(bytes, chars));

    /// <summary>A string of UTF-8.</summary>
    internal static string ToString(ReadOnlySpan<byte> text)
    {
        if (text.Length <= Piece) return Encoding.UTF8.GetString(text);
        int count = 0;
        for (ReadOnlySpan<byte> rest = text; !rest.IsEmpty; rest = rest[EndOf(rest)..])
        {
            count += Encoding.UTF8.GetCharCount(rest[..EndOf(rest)]);
            CancellationScope.ThrowIfStopped();
        }
        return string.Create(count, text, static (chars, bytes) => ToChars(bytes, chars));
    }

    /// <summary>A string of UTF-16.</summary>
    internal static string ToString(ReadOnlySpan<char> text)
    {
        if (text.Length <= Piece) return new string(text);
        return string.Create(text.Length, text, static (chars, from) =>
        {
            for (int at = 0; at < from.Length; at += Piece)
            {
                from[at..Math.Min(at + Piece, from.Length)].CopyTo(chars[at..]);
                CancellationScope.ThrowIfStopped();
            }
        });
    }
}
