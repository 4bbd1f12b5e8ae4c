using System.Buffers;
using System.Runtime.InteropServices;
using System.Runtime.InteropServices.Marshalling;
using System.Text;

namespace WasmJit.Wasi;

/// <summary>
/// Names of files as text. Linux has names of any bytes, and a guest must find the file that it names, not one whose name reads alike. Each byte that
/// is not part of UTF-8 becomes a lone low surrogate, 0xDC00 and the byte, and that byte again on the way back. Text that is UTF-8 has no such
/// surrogates, so nothing else is written in this way.
/// </summary>
internal static class FileNames
{
    private const char Escape = '\udc00';

    /// <summary>The text of a name or path.</summary>
    internal static string Decode(ReadOnlySpan<byte> bytes)
    {
        if (System.Text.Unicode.Utf8.IsValid(bytes)) return Encoding.UTF8.GetString(bytes);
        var text = new StringBuilder();
        while (!bytes.IsEmpty)
        {
            OperationStatus status = Rune.DecodeFromUtf8(bytes, out Rune rune, out int length);
            if (status == OperationStatus.Done) text.Append(rune.ToString());
            else foreach (byte each in bytes[..length]) text.Append((char)(Escape + each));
            bytes = bytes[length..];
        }
        return text.ToString();
    }

    /// <summary>The bytes of a name or path.</summary>
    internal static byte[] Encode(string text)
    {
        if (!HasEscapes(text)) return Encoding.UTF8.GetBytes(text);
        var bytes = new List<byte>();
        Span<byte> one = stackalloc byte[4];
        for (int i = 0; i < text.Length;)
        {
            if (Rune.TryGetRuneAt(text, i, out Rune rune))
            {
                bytes.AddRange(one[..rune.EncodeToUtf8(one)]);
                i += rune.Utf16SequenceLength;
            }
            else
            {
                // An escaped byte, or a surrogate of the host's own, which no file system could have either.
                bytes.Add(text[i] is >= (char)(Escape + 0x80) and <= (char)(Escape + 0xff) ? (byte)(text[i] - Escape) : (byte)'?');
                i++;
            }
        }
        return [.. bytes];
    }

    /// <summary>Whether a name has bytes that are not UTF-8. Only Linux has such names.</summary>
    internal static bool HasEscapes(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1])) return true;
            i++;
        }
        return false;
    }

    /// <summary>Gives names to the C library.</summary>
    [CustomMarshaller(typeof(string), MarshalMode.ManagedToUnmanagedIn, typeof(ToNative))]
    internal static class Marshaller
    {
        internal static unsafe class ToNative
        {
            /// <returns>The name with a zero behind it.</returns>
            public static byte* ConvertToUnmanaged(string name)
            {
                byte[] bytes = Encode(name);
                byte* native = (byte*)NativeMemory.Alloc((nuint)bytes.Length + 1);
                bytes.CopyTo(new Span<byte>(native, bytes.Length));
                native[bytes.Length] = 0;
                return native;
            }

            public static void Free(byte* native) => NativeMemory.Free(native);
        }
    }
}
