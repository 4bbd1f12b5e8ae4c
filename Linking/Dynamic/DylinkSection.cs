using System.Text;
using WasmJit.DynamicLinking;
using WasmJit.Jit.Binary;

namespace WasmJit.Linking;

/// <summary>
/// The custom section "dylink.0" (tool conventions, dynamic linking): the needs of a shared library, or of a position-independent program. Tools
/// before LLVM 13 wrote the section "dylink", which has the same numbers and only the needed libraries.
/// </summary>
internal sealed class DylinkSection
{
    internal const string Name = "dylink.0", OldName = "dylink";

    /// <summary>The largest alignment that is accepted: 64 KiB.</summary>
    private const int LargestAlignment = 16;

    /// <summary>The most libraries, and the most directories, that a library may name.</summary>
    private const int LongestList = 1000;

    private const byte MemoryInfo = 1, NeededLibraries = 2, ExportInfo = 3, ImportInfo = 4, RuntimePaths = 5;

    private const uint WeakFlag = 1, BindingMask = 3, TlsFlag = 0x100;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>How many bytes of memory it needs, and their alignment as a power of two.</summary>
    internal ulong MemorySize { get; private set; }

    internal int MemoryAlignment { get; private set; }

    /// <summary>How many slots of the table it needs, and their alignment as a power of two.</summary>
    internal uint TableSize { get; private set; }

    internal int TableAlignment { get; private set; }

    /// <summary>The libraries that it needs, in order.</summary>
    internal List<string> Needed { get; } = [];

    /// <summary>The directories in which these are looked for first.</summary>
    internal List<string> RuntimePath { get; } = [];

    /// <summary>Imports that may stay without a definition, by name. A symbol is weak as function, as address and as data alike.</summary>
    internal HashSet<string> Weak { get; } = [];

    /// <summary>Exports that are offsets in the memory of a thread.</summary>
    internal HashSet<string> ThreadLocal { get; } = [];

    /// <summary>Reads the section of a module; null if it has none.</summary>
    /// <exception cref="DynamicLinkException">The section is malformed.</exception>
    internal static DylinkSection? Of(ModuleInfo module, string name)
    {
        CustomSectionInfo? found = module.CustomSections.FirstOrDefault(s => s.Name == Name) ?? module.CustomSections.FirstOrDefault(s => s.Name == OldName);
        if (found is null) return null;
        var section = new DylinkSection();
        ReadOnlySpan<byte> bytes = module.Bytes.Span.Slice(found.Start, found.Length);
        try
        {
            if (found.Name == Name) section.Read(bytes);
            else section.ReadOld(bytes);
        }
        catch (Exception e) when (e is IndexOutOfRangeException or ArgumentOutOfRangeException or FormatException or DecoderFallbackException)
        {
            throw new DynamicLinkException($"{name}: malformed {found.Name} section");
        }
        return section;
    }

    private void Read(ReadOnlySpan<byte> bytes)
    {
        int at = 0;
        while (at < bytes.Length)
        {
            byte kind = bytes[at++];
            int length = Length(bytes, ref at);
            ReadOnlySpan<byte> content = bytes.Slice(at, length);
            at += length;
            int inside = 0;
            switch (kind)
            {
                case MemoryInfo: ReadSizes(content, ref inside); break;
                case NeededLibraries: Strings(content, ref inside, Needed); break;
                case RuntimePaths: Strings(content, ref inside, RuntimePath); break;
                case ExportInfo:
                    for (uint count = U32(content, ref inside); count > 0; count--)
                    {
                        string name = Text(content, ref inside);
                        if ((U32(content, ref inside) & TlsFlag) != 0) ThreadLocal.Add(name);
                    }
                    break;
                case ImportInfo:
                    for (uint count = U32(content, ref inside); count > 0; count--)
                    {
                        Text(content, ref inside);
                        string name = Text(content, ref inside);
                        if ((U32(content, ref inside) & BindingMask) == WeakFlag) Weak.Add(name);
                    }
                    break;
            }
        }
    }

    private void ReadOld(ReadOnlySpan<byte> bytes)
    {
        int at = 0;
        ReadSizes(bytes, ref at);
        Strings(bytes, ref at, Needed);
    }

    private void ReadSizes(ReadOnlySpan<byte> bytes, ref int at)
    {
        MemorySize = U64(bytes, ref at);
        MemoryAlignment = Alignment(bytes, ref at);
        TableSize = U32(bytes, ref at);
        TableAlignment = Alignment(bytes, ref at);
    }

    private static void Strings(ReadOnlySpan<byte> bytes, ref int at, List<string> list)
    {
        for (uint count = U32(bytes, ref at); count > 0; count--)
        {
            if (list.Count == LongestList) throw new FormatException();
            list.Add(Text(bytes, ref at));
        }
    }

    private static string Text(ReadOnlySpan<byte> bytes, ref int at)
    {
        int length = Length(bytes, ref at);
        string text = Strict.GetString(bytes.Slice(at, length));
        at += length;
        return text;
    }

    private static int Alignment(ReadOnlySpan<byte> bytes, ref int at) =>
        U32(bytes, ref at) is var value and <= LargestAlignment ? (int)value : throw new FormatException();

    private static int Length(ReadOnlySpan<byte> bytes, ref int at) =>
        U32(bytes, ref at) is var value && value <= (uint)(bytes.Length - at) ? (int)value : throw new FormatException();

    private static uint U32(ReadOnlySpan<byte> bytes, ref int at) =>
        U64(bytes, ref at) is var value and <= uint.MaxValue ? (uint)value : throw new FormatException();

    /// <summary>A number of a 64-bit library. Values above 63 bits are errors.</summary>
    private static ulong U64(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; shift < 63; shift += 7)
        {
            byte next = bytes[at++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80) return value;
        }
        throw new FormatException();
    }
}
