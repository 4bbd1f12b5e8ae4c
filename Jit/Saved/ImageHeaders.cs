using System.Buffers.Binary;

namespace WasmJit.Jit.Saved;

/// <summary>
/// What the headers of an assembly's file say of its parts. .NET's own reader of such files would be loaded and started for these few numbers alone, which takes longer
/// than all else that loading a small module does.
/// </summary>
internal sealed class ImageHeaders
{
    /// <summary>A part of the image: where it begins, relative to the beginning of that, and its bytes.</summary>
    internal readonly record struct Part(int Address, int Size);

    /// <summary>More than the headers of any file take that was saved here.</summary>
    private const int MostHeaders = 4096;

    // Offsets in the DOS header, the headers of a portable executable, a header of a section, and the CLR's header.
    private const int HeadersAt = 0x3c, SectionCountAt = 6, OptionalSizeAt = 20, OptionalAt = 24;
    private const int Magic32 = 0x10b, Magic64 = 0x20b, Directories32 = 96, Directories64 = 112, ClrDirectory = 14, DirectorySize = 8, SizeOfHeadersAt = 60;
    private const int SectionSize = 40, VirtualSizeAt = 8, VirtualAddressAt = 12, RawSizeAt = 16, RawAddressAt = 20;
    private const int ClrHeaderSize = 72, MetadataAt = 8, ResourcesAt = 24, NativeAt = 64;

    private readonly byte[] sections;

    private ImageHeaders(byte[] sections) => this.sections = sections;

    /// <summary>The bytes of all headers at the beginning of the file.</summary>
    internal int Size { get; private init; }

    /// <summary>The CLR's header.</summary>
    internal Part Clr { get; private init; }

    /// <summary>The metadata.</summary>
    internal Part Metadata { get; private init; }

    /// <summary>The resources, of which a saved module is the first.</summary>
    internal Part Resources { get; private init; }

    /// <summary>The header of the machine code; its size is 0 if there is none.</summary>
    internal Part Native { get; private init; }

    /// <summary>Reads the headers of an assembly.</summary>
    /// <param name="file">The file, at any position.</param>
    /// <returns>Null if the file is no assembly.</returns>
    /// <exception cref="EndOfStreamException">The file has become shorter meanwhile.</exception>
    internal static ImageHeaders? Read(Stream file)
    {
        var headers = new byte[MostHeaders];
        file.Position = 0;
        return Read(file, headers.AsSpan(0, file.ReadAtLeast(headers, headers.Length, throwOnEndOfStream: false)));
    }

    private static ImageHeaders? Read(Stream file, ReadOnlySpan<byte> headers)
    {
        if (!headers.StartsWith("MZ"u8) || Int32(headers, HeadersAt) is not { } start || start < 0 || start > headers.Length - OptionalAt) return null;
        headers = headers[start..];
        if (!headers.StartsWith("PE\0\0"u8)) return null;
        int sections = OptionalAt + BinaryPrimitives.ReadUInt16LittleEndian(headers[OptionalSizeAt..]);
        int bytes = BinaryPrimitives.ReadUInt16LittleEndian(headers[SectionCountAt..]) * SectionSize;
        if (sections + bytes > headers.Length) return null;
        ReadOnlySpan<byte> optional = headers[OptionalAt..sections];
        int directories = optional.Length < sizeof(ushort) ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(optional) switch { Magic32 => Directories32, Magic64 => Directories64, _ => 0 };
        int clrAt = directories + (ClrDirectory * DirectorySize);
        if (directories == 0 || clrAt > optional.Length - DirectorySize) return null;
        Part clr = PartAt(optional, clrAt);
        byte[] table = headers.Slice(sections, bytes).ToArray();
        if (OffsetOf(table, clr.Address) is not { } at || at > file.Length - ClrHeaderSize) return null;
        Span<byte> header = stackalloc byte[ClrHeaderSize];
        file.Position = at;
        file.ReadExactly(header);
        return new ImageHeaders(table)
        {
            Size = Int32(optional, SizeOfHeadersAt) ?? 0,
            Clr = clr,
            Metadata = PartAt(header, MetadataAt),
            Resources = PartAt(header, ResourcesAt),
            Native = PartAt(header, NativeAt),
        };
    }

    private static int? Int32(ReadOnlySpan<byte> bytes, int at) => at <= bytes.Length - sizeof(int) ? BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]) : null;

    private static Part PartAt(ReadOnlySpan<byte> bytes, int at) =>
        new(BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[(at + sizeof(int))..]));

    /// <summary>Where an address of the image is in the file; null if it is in no section of it.</summary>
    internal long? OffsetOf(int address) => OffsetOf(sections, address);

    private static long? OffsetOf(ReadOnlySpan<byte> sections, int address)
    {
        for (; !sections.IsEmpty; sections = sections[SectionSize..])
        {
            uint first = BinaryPrimitives.ReadUInt32LittleEndian(sections[VirtualAddressAt..]), raw = BinaryPrimitives.ReadUInt32LittleEndian(sections[RawAddressAt..]);
            uint size = Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(sections[VirtualSizeAt..]), BinaryPrimitives.ReadUInt32LittleEndian(sections[RawSizeAt..]));
            if ((uint)address >= first && (uint)address - first < size) return (long)raw + ((uint)address - first);
        }
        return null;
    }
}
