using System.Reflection.PortableExecutable;
using System.Security.Cryptography;
using WasmJit.Jit.Format;

namespace WasmJit.Jit.Saved;

/// <summary>
/// The parts of an assembly's file by which everything else in it is found: the headers, the metadata, the tables of its machine code, and the module but for its code. Who
/// maps a file has these compared, and not the code, which is most of the file and is read page by page when it runs.
/// </summary>
internal static class SavedTables
{
    private const int Signature = 0x00525452; // "RTR"

    /// <summary>In the header of machine code: the number of its sections, and where they begin. Each has its kind, its address and its size.</summary>
    private const int CountAt = 12, SectionsAt = 16, SectionBytes = 12, MostSections = 1000;

    /// <summary>What is read at a time.</summary>
    private const int Piece = 64 << 10;

    /// <summary>The digest of these parts.</summary>
    /// <param name="file">The file.</param>
    /// <param name="module">Where the module is in it.</param>
    /// <returns>Null if the file is damaged.</returns>
    internal static byte[]? Digest(Stream file, Range module)
    {
        try
        {
            file.Position = 0;
            using var pe = new PEReader(file, PEStreamOptions.LeaveOpen);
            if (pe.PEHeaders is not { CorHeader: { } cor, PEHeader: { } header }) return null;
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var buffer = new byte[Piece];
            Append(hash, file, 0, header.SizeOfHeaders, buffer);
            AppendDirectory(header.CorHeaderTableDirectory);
            AppendDirectory(cor.MetadataDirectory);
            if (cor.ManagedNativeHeaderDirectory is { Size: > 0 } native)
                foreach (DirectoryEntry section in Sections(pe, file, native)) AppendDirectory(section);
            foreach ((int start, int length) in WithoutCode(file, module.Start.Value, module.End.Value)) Append(hash, file, start, length, buffer);
            return hash.GetHashAndReset();

            void AppendDirectory(DirectoryEntry directory) => Append(hash, file, OffsetOf(pe, directory), directory.Size, buffer);
        }
        catch (Exception e) when (e is BadImageFormatException or OverflowException or ArgumentException or InvalidOperationException or EndOfStreamException)
        {
            return null;
        }
    }

    private static int OffsetOf(PEReader pe, DirectoryEntry directory) => pe.PEHeaders.TryGetDirectoryOffset(directory, out int offset) ? offset : throw new BadImageFormatException();

    /// <summary>The header of the machine code, and its sections.</summary>
    private static IEnumerable<DirectoryEntry> Sections(PEReader pe, Stream file, DirectoryEntry native)
    {
        int at = OffsetOf(pe, native);
        var start = new byte[SectionsAt];
        file.Position = at;
        file.ReadExactly(start);
        int count = BitConverter.ToInt32(start, CountAt);
        if (BitConverter.ToInt32(start) != Signature || count is < 0 or > MostSections) throw new BadImageFormatException();
        var sections = new byte[count * SectionBytes];
        file.ReadExactly(sections);
        yield return new DirectoryEntry(native.RelativeVirtualAddress, start.Length + sections.Length);
        for (int i = 0; i < sections.Length; i += SectionBytes)
            yield return new DirectoryEntry(BitConverter.ToInt32(sections, i + sizeof(int)), BitConverter.ToInt32(sections, i + (2 * sizeof(int))));
    }

    /// <summary>The parts of a module that are not its code section. What cannot be read as a module is one part.</summary>
    private static IEnumerable<(int Start, int Length)> WithoutCode(Stream file, int start, int end)
    {
        const int header = 8, longestNumber = 5;
        var first = new byte[1 + longestNumber];
        int from = start;
        for (int at = start + header; at < end;)
        {
            file.Position = at;
            int read = file.ReadAtLeast(first.AsSpan(0, Math.Min(first.Length, end - at)), first.Length, throwOnEndOfStream: false);
            long size = 0;
            int used = 1;
            for (int shift = 0; used < read; shift += 7)
            {
                byte part = first[used++];
                size |= (long)(part & 0x7f) << shift;
                if (part < 0x80) break;
            }
            if (size > end - at - used) break;
            if (first[0] == SectionId.Code)
            {
                yield return (from, at + used - from);
                from = at + used + (int)size;
            }
            at += used + (int)size;
        }
        yield return (from, end - from);
    }

    private static void Append(IncrementalHash hash, Stream file, int start, int length, byte[] buffer)
    {
        if (start < 0 || length < 0 || length > file.Length - start) throw new BadImageFormatException();
        file.Position = start;
        for (int count; length > 0; length -= count)
        {
            count = Math.Min(length, buffer.Length);
            file.ReadExactly(buffer, 0, count);
            hash.AppendData(buffer, 0, count);
        }
    }
}
