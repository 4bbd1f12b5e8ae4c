using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>
/// Strings between memories, and between memories and the host, with the calls of <c>realloc</c> that the specification has for each pair of encodings.
/// </summary>
/// <remarks>
/// Unsafe: spans are made of ranges that <see cref="GuestSide.Check"/> has seen. Shared memories are copied first, since strings are read twice.
/// </remarks>
internal static unsafe class GuestStrings
{
    /// <summary>A string's bytes at most.</summary>
    internal const ulong MostBytes = (1 << 28) - 1;

    /// <summary>The bytes that a .NET string takes besides its characters.</summary>
    private const ulong StringBytes = 24;

    private enum Form { Utf8, Utf16, Latin1 }

    private static ulong Tag(GuestSide side) => side.Is64 ? 1UL << 63 : 1UL << 31;

    private static ReadOnlySpan<byte> Source(GuestSide side, ulong address, ulong units, bool isHost, out Form form)
    {
        form = side.Encoding switch
        {
            StringEncoding.Utf8 => Form.Utf8,
            StringEncoding.Utf16 => Form.Utf16,
            StringEncoding.Latin1OrUtf16 => (units & Tag(side)) != 0 ? Form.Utf16 : Form.Latin1,
        };
        if (side.Encoding == StringEncoding.Latin1OrUtf16) units &= ~Tag(side);
        string reason = isHost ? ComponentTrap.HostStringOutOfBounds : ComponentTrap.StringOutOfBounds;
        if (units > MostBytes) ComponentTrap.Throw(reason);
        ulong bytes = form == Form.Utf16 ? 2 * units : units;
        if (bytes > MostBytes) ComponentTrap.Throw(reason);
        byte* at = side.Check(address, bytes, side.Encoding == StringEncoding.Utf8 ? 1u : 2, reason);
        side.PayForBytes(bytes);
        if (!side.IsShared) return new ReadOnlySpan<byte>(at, (int)bytes);
        byte[] copy = GC.AllocateUninitializedArray<byte>((int)bytes);
        fixed (byte* to = copy) LongWork.Copy(at, to, bytes);
        return copy;
    }

    // ---- to the host ----

    internal static string Lift(GuestSide side, ulong address, ulong units)
    {
        ReadOnlySpan<byte> bytes = Source(side, address, units, true, out Form form);
        side.Instance.Scheduler.Charge(StringBytes + ((ulong)bytes.Length * 2));
        string text;
        switch (form)
        {
            case Form.Utf8:
                text = bytes.Length <= LongText.Piece && Ascii.IsValid(bytes) ? Encoding.Latin1.GetString(bytes) : bytes.Length <= ShortChars ? LiftShort(bytes) : LiftLong(bytes);
                break;
            case Form.Utf16:
                ReadOnlySpan<char> chars = MemoryMarshal.Cast<byte, char>(bytes);
                CheckUtf16(chars);
                text = LongText.ToString(chars);
                break;
            default:
                text = LongText.FromLatin1(bytes);
                break;
        }
        GC.KeepAlive(side);
        return text;
    }

    [SkipLocalsInit]
    private static string LiftShort(ReadOnlySpan<byte> bytes)
    {
        Span<char> chars = stackalloc char[ShortChars];
        if (Utf8.ToUtf16(bytes, chars, out _, out int length, replaceInvalidSequences: false) != OperationStatus.Done) CheckUtf8(bytes);
        return new string(chars[..length]);
    }

    private static string LiftLong(ReadOnlySpan<byte> bytes)
    {
        CheckUtf8(bytes);
        return LongText.ToString(bytes);
    }

    // ---- from the host ----

    internal static ulong Lower(GuestSide side, string text, out ulong units)
    {
        if (text.Length > (int)(MostBytes / 2)) throw new ArgumentException("A string is longer than a component can take.", nameof(text));
        if (side.Encoding == StringEncoding.Utf8)
        {
            if (Ascii.IsValid(text)) return LowerAscii(side, text, out units);
            if (text.Length <= ShortChars) return LowerShort(side, text, out units);
        }
        CheckText(text);
        const string Beyond = ComponentTrap.ReallocBeyond, Unaligned = ComponentTrap.ReallocUnaligned;
        switch (side.Encoding)
        {
            case StringEncoding.Utf8:
                {
                    int length = LongText.CountBytes(text);
                    if ((ulong)length > MostBytes) throw new ArgumentException("A string is longer than a component can take.", nameof(text));
                    ulong address = side.Allocate((ulong)length, 1, Beyond, Unaligned);
                    LongText.ToBytes(text, new Span<byte>(side.Base + address, length));
                    units = (ulong)length;
                    return Kept(side, address);
                }
            case StringEncoding.Latin1OrUtf16 when IsLatin1(text):
                {
                    ulong address = side.Allocate((ulong)text.Length, 2, Beyond, Unaligned);
                    LongText.ToLatin1(text, new Span<byte>(side.Base + address, text.Length));
                    units = (ulong)text.Length;
                    return Kept(side, address);
                }
            default:
                {
                    ulong address = side.Allocate(2 * (ulong)text.Length, 2, Beyond, Unaligned);
                    CopyBytes(MemoryMarshal.AsBytes(text.AsSpan()), side, address);
                    units = (uint)text.Length | (side.Encoding == StringEncoding.Utf16 ? 0 : Tag(side));
                    return Kept(side, address);
                }
        }
    }

    private static ulong LowerAscii(GuestSide side, string text, out ulong units)
    {
        units = (ulong)text.Length;
        ulong address = side.Allocate(units, 1, ComponentTrap.ReallocBeyond, ComponentTrap.ReallocUnaligned);
        var bytes = new Span<byte>(side.Base + address, text.Length);
        if (text.Length <= LongText.Piece) Ascii.FromUtf16(text, bytes, out _);
        else LongText.ToBytes(text, bytes);
        return Kept(side, address);
    }

    /// <summary>The number of characters that are converted on the stack, so that they are read once.</summary>
    private const int ShortChars = 256;

    [SkipLocalsInit]
    private static ulong LowerShort(GuestSide side, string text, out ulong units)
    {
        Span<byte> bytes = stackalloc byte[3 * ShortChars];
        if (Utf8.FromUtf16(text, bytes, out _, out int length, replaceInvalidSequences: false) != OperationStatus.Done) throw HalfPairIn(nameof(text));
        ulong address = side.Allocate((ulong)length, 1, ComponentTrap.ReallocBeyond, ComponentTrap.ReallocUnaligned);
        bytes[..length].CopyTo(new Span<byte>(side.Base + address, length));
        units = (ulong)length;
        return Kept(side, address);
    }

    private static ArgumentException HalfPairIn(string name) => new("A string has half of a surrogate pair in it.", name);

    private static ulong Kept(GuestSide side, ulong address)
    {
        GC.KeepAlive(side.Memory);
        return address;
    }

    private static bool IsLatin1(ReadOnlySpan<char> text) => !text.ContainsAnyExceptInRange('\0', '\u00ff');

    // ---- between guests ----

    /// <summary>Copies a string; gives its address, and how long it is in the units of the other side.</summary>
    internal static ulong Copy(GuestSide from, GuestSide to, ulong address, ulong length, out ulong units)
    {
        if (from.Encoding != StringEncoding.Utf8 || to.Encoding != StringEncoding.Utf8 || from.IsShared || length > MostBytes || !from.Has(address, length))
            return CopyAny(from, to, address, length, out units);
        from.PayForBytes(length);
        ulong result = Allocate(to, length, 1);
        byte* source = from.Base + address;
        if (!AsciiCopy.Copy(source, to.Base + result, (int)length)) CheckUtf8(source, (int)length);
        units = length;
        GC.KeepAlive(from);
        GC.KeepAlive(to);
        return result;
    }

    /// <summary>The same for all pairs of encodings; says what is wrong with the source.</summary>
    private static ulong CopyAny(GuestSide from, GuestSide to, ulong address, ulong length, out ulong units)
    {
        ReadOnlySpan<byte> source = Source(from, address, length, false, out Form form);
        ulong result;
        switch (to.Encoding, form)
        {
            case (StringEncoding.Utf8, Form.Utf8):
                result = Allocate(to, (ulong)source.Length, 1);
                CheckUtf8(source);
                CopyBytes(source, to, result);
                units = (ulong)source.Length;
                break;
            case (StringEncoding.Utf8, _): result = ToUtf8(source, form, to, out units); break;
            case (StringEncoding.Utf16, Form.Utf16):
                result = Allocate(to, (ulong)source.Length, 2);
                CheckUtf16(MemoryMarshal.Cast<byte, char>(source));
                CopyBytes(source, to, result);
                units = (ulong)source.Length / 2;
                break;
            case (StringEncoding.Utf16, Form.Latin1):
                result = Allocate(to, 2 * (ulong)source.Length, 2);
                LongText.FromLatin1(source, Chars(to, result, source.Length));
                units = (ulong)source.Length;
                break;
            case (StringEncoding.Utf16, _): result = Utf8ToUtf16(source, to, out units); break;
            case (_, Form.Latin1):
                result = Allocate(to, (ulong)source.Length, 2);
                CopyBytes(source, to, result);
                units = (ulong)source.Length;
                break;
            case (_, Form.Utf16) when from.Encoding == StringEncoding.Latin1OrUtf16: result = ProbablyUtf16(source, to, out units); break;
            default: result = ToLatin1OrUtf16(source, form, to, out units); break;
        }
        GC.KeepAlive(from);
        GC.KeepAlive(to);
        return result;
    }

    private static ulong Allocate(GuestSide to, ulong size, uint alignment) =>
        to.Allocate(size, alignment, ComponentTrap.StringOutOfBounds, ComponentTrap.Unaligned);

    private static ulong Checked(GuestSide to, ulong address, ulong size, uint alignment)
    {
        to.Check(address, size, alignment, ComponentTrap.StringOutOfBounds);
        return address;
    }

    private static void CopyBytes(ReadOnlySpan<byte> source, GuestSide to, ulong address)
    {
        fixed (byte* bytes = source) LongWork.Copy(bytes, to.Base + address, (ulong)source.Length);
    }

    private static Span<char> Chars(GuestSide side, ulong address, int count) => new(side.Base + address, count);

    /// <summary>The source in UTF-16; checked.</summary>
    private static ReadOnlySpan<char> AsChars(ReadOnlySpan<byte> source, Form form, out char[]? rented)
    {
        rented = null;
        if (form == Form.Utf16)
        {
            ReadOnlySpan<char> chars = MemoryMarshal.Cast<byte, char>(source);
            CheckUtf16(chars);
            return chars;
        }
        rented = ArrayPool<char>.Shared.Rent(Math.Max(source.Length, 1));
        if (form == Form.Latin1)
        {
            LongText.FromLatin1(source, rented);
            return rented.AsSpan(0, source.Length);
        }
        CheckUtf8(source);
        return rented.AsSpan(0, LongText.ToChars(source, rented));
    }

    private static void Return(char[]? rented)
    {
        if (rented is not null) ArrayPool<char>.Shared.Return(rented);
    }

    private static ulong ToUtf8(ReadOnlySpan<byte> source, Form form, GuestSide to, out ulong units)
    {
        ulong count = form == Form.Utf16 ? (ulong)source.Length / 2 : (ulong)source.Length;
        ulong address = Allocate(to, count, 1);
        ReadOnlySpan<char> chars = AsChars(source, form, out char[]? rented);
        int ascii = chars.IndexOfAnyExceptInRange('\0', '\u007f');
        if (ascii < 0)
        {
            LongText.ToBytes(chars, new Span<byte>(to.Base + address, chars.Length));
            Return(rented);
            units = count;
            return address;
        }
        LongText.ToBytes(chars[..ascii], new Span<byte>(to.Base + address, ascii));
        ulong worst = count * (form == Form.Utf16 ? 3u : 2u);
        address = Checked(to, to.Reallocate(address, count, 1, worst), worst, 1);
        int length = ascii + LongText.ToBytes(chars[ascii..], new Span<byte>(to.Base + address + ascii, (int)worst - ascii));
        Return(rented);
        units = (ulong)length;
        return units < worst ? Checked(to, to.Reallocate(address, worst, 1, units), units, 1) : address;
    }

    private static ulong Utf8ToUtf16(ReadOnlySpan<byte> source, GuestSide to, out ulong units)
    {
        ulong worst = 2 * (ulong)source.Length;
        ulong address = Allocate(to, worst, 2);
        CheckUtf8(source);
        int count = LongText.ToChars(source, Chars(to, address, source.Length));
        units = (ulong)count;
        ulong bytes = 2 * units;
        return bytes < worst ? Checked(to, to.Reallocate(address, worst, 2, bytes), bytes, 2) : address;
    }

    private static ulong ToLatin1OrUtf16(ReadOnlySpan<byte> source, Form form, GuestSide to, out ulong units)
    {
        ulong count = form == Form.Utf16 ? (ulong)source.Length / 2 : (ulong)source.Length;
        ulong address = Allocate(to, count, 2);
        ReadOnlySpan<char> chars = AsChars(source, form, out char[]? rented);
        int narrow = chars.IndexOfAnyExceptInRange('\0', '\u00ff');
        if (narrow < 0)
        {
            LongText.ToLatin1(chars, new Span<byte>(to.Base + address, chars.Length));
            units = (ulong)chars.Length;
            Return(rented);
            return units < count ? Checked(to, to.Reallocate(address, count, 2, units), units, 2) : address;
        }
        LongText.ToLatin1(chars[..narrow], new Span<byte>(to.Base + address, narrow));
        ulong worst = 2 * count;
        address = Checked(to, to.Reallocate(address, count, 2, worst), worst, 2);
        CopyBytes(MemoryMarshal.AsBytes(chars), to, address);
        ulong bytes = 2 * (ulong)chars.Length;
        units = (uint)chars.Length | Tag(to);
        Return(rented);
        return bytes < worst ? Checked(to, to.Reallocate(address, worst, 2, bytes), bytes, 2) : address;
    }

    private static ulong ProbablyUtf16(ReadOnlySpan<byte> source, GuestSide to, out ulong units)
    {
        ulong bytes = (ulong)source.Length;
        ulong address = Allocate(to, bytes, 2);
        ReadOnlySpan<char> chars = MemoryMarshal.Cast<byte, char>(source);
        CheckUtf16(chars);
        CopyBytes(source, to, address);
        units = (ulong)chars.Length;
        if (!IsLatin1(chars))
        {
            units |= Tag(to);
            return address;
        }
        LongText.ToLatin1(chars, new Span<byte>(to.Base + address, chars.Length));
        return Checked(to, to.Reallocate(address, bytes, 1, units), units, 1);
    }

    // ---- checks ----

    /// <summary>Traps if bytes are not UTF-8.</summary>
    internal static void CheckUtf8(byte* bytes, int count) => CheckUtf8(new ReadOnlySpan<byte>(bytes, count));

    private static void CheckUtf8(ReadOnlySpan<byte> bytes)
    {
        int at = LongText.FirstInvalid(bytes);
        if (at == bytes.Length) return;
        bytes = bytes[at..];
        // Which of the two it is depends on whether more bytes could make it right.
        while (true)
        {
            OperationStatus status = Rune.DecodeFromUtf8(bytes, out _, out int used);
            if (status == OperationStatus.NeedMoreData) ComponentTrap.Throw("incomplete utf-8 byte sequence");
            if (status != OperationStatus.Done) ComponentTrap.Throw("invalid utf-8");
            bytes = bytes[used..];
        }
    }

    private static void CheckUtf16(ReadOnlySpan<char> chars)
    {
        if (HalfPair(chars)) ComponentTrap.Throw("unpaired surrogate in a utf-16 string");
    }

    private static void CheckText(string text)
    {
        if (HalfPair(text)) throw HalfPairIn(nameof(text));
    }

    private static bool HalfPair(ReadOnlySpan<char> chars)
    {
        for (int pairs = 1; ; pairs++)
        {
            if (pairs % LongText.Piece == 0) CancellationScope.ThrowIfStopped();
            int at = chars.IndexOfAnyInRange('\ud800', '\udfff');
            if (at < 0) return false;
            if (!char.IsHighSurrogate(chars[at]) || at + 1 == chars.Length || !char.IsLowSurrogate(chars[at + 1])) return true;
            chars = chars[(at + 2)..];
        }
    }
}
