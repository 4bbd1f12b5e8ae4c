using System.Numerics;
using System.Runtime.InteropServices;
using WasmJit.Jit.Format;

namespace WasmJit.Jit.Saved;

/// <summary>
/// The parts of an assembly's file by which all else in it is found: its headers, its metadata, the tables of its machine code, and the module without its code, data and custom
/// sections. They are compared before .NET maps the file. The rest, most of the file, is read page by page when it is used: the code, what debuggers ask of it, and the sections left
/// out, whose readers check what they read.
/// </summary>
/// <remarks>The sum finds damage, as fast as the bytes are read. It is no digest: the digest of the whole file is compared where all of it is read.</remarks>
internal ref struct SavedTables
{
    private const int Signature = 0x00525452; // "RTR"

    /// <summary>In the header of machine code: the number of its sections, and where they begin. Each has its kind, its address and its size.</summary>
    private const int CountAt = 12, SectionsAt = 16, SectionBytes = 12, MostSections = 1000;

    /// <summary>The section with what debuggers and stack traces ask for: which IL an instruction comes from. It takes as much as all other tables several times over.</summary>
    private const int DebugSection = 105;

    /// <summary>What is read at a time, and the bytes of a block of the sum.</summary>
    private const int Piece = 64 << 10, Block = 4 * sizeof(ulong);

    /// <summary>An odd number with bits everywhere, and others to begin with.</summary>
    private const ulong Factor = 0x9e3779b97f4a7c15, FirstSeed = 0xbf58476d1ce4e5b9, SecondSeed = 0x94d049bb133111eb;

    private readonly Stream file;
    private readonly byte[] buffer = new byte[Piece];
    private ulong a = FirstSeed, b = SecondSeed, c = ~FirstSeed, d = ~SecondSeed;

    private SavedTables(Stream file) => this.file = file;

    /// <summary>Adds these parts up.</summary>
    /// <param name="file">The file.</param>
    /// <param name="headers">Its headers.</param>
    /// <param name="module">Where the module is in it.</param>
    /// <param name="sum">The sum.</param>
    /// <returns>Whether the file has the parts.</returns>
    internal static bool TrySum(Stream file, ImageHeaders headers, Range module, Span<byte> sum)
    {
        var tables = new SavedTables(file);
        try
        {
            if (!tables.Add(headers, module)) return false;
        }
        catch (EndOfStreamException)
        {
            return false;
        }
        Span<ulong> words = MemoryMarshal.Cast<byte, ulong>(sum);
        (words[0], words[1], words[2], words[3]) = (tables.a, tables.b, tables.c, tables.d);
        return true;
    }

    private bool Add(ImageHeaders headers, Range module)
    {
        if (!Add(0, headers.Size) || !Add(headers, headers.Clr) || !Add(headers, headers.Metadata)) return false;
        if (headers.Native.Size > 0 && !AddNative(headers)) return false;
        return AddModule(module.Start.Value, module.End.Value);
    }

    private bool Add(ImageHeaders headers, ImageHeaders.Part part) => headers.OffsetOf(part.Address) is { } offset && Add(offset, part.Size);

    /// <summary>The header of the machine code, and its sections.</summary>
    private bool AddNative(ImageHeaders headers)
    {
        if (headers.OffsetOf(headers.Native.Address) is not { } at || at > file.Length - SectionsAt) return false;
        Span<byte> start = stackalloc byte[SectionsAt];
        file.Position = at;
        file.ReadExactly(start);
        int count = BitConverter.ToInt32(start[CountAt..]);
        if (BitConverter.ToInt32(start) != Signature || count is < 0 or > MostSections) return false;
        var sections = new byte[count * SectionBytes];
        file.ReadExactly(sections);
        if (!Add(at, SectionsAt + sections.Length)) return false;
        for (int i = 0; i < sections.Length; i += SectionBytes)
        {
            int size = BitConverter.ToInt32(sections, i + (2 * sizeof(int)));
            if (size != 0 && BitConverter.ToInt32(sections, i) != DebugSection && !Add(headers, new ImageHeaders.Part(BitConverter.ToInt32(sections, i + sizeof(int)), size))) return false;
        }
        return true;
    }

    /// <summary>The parts of a module. What cannot be read as a module is one part.</summary>
    private bool AddModule(int start, int end)
    {
        const int Header = 8, LongestNumber = 5, Bits = 7, More = 1 << Bits;
        Span<byte> first = stackalloc byte[1 + LongestNumber];
        int from = start;
        for (int at = start + Header; at < end;)
        {
            file.Position = at;
            int read = file.ReadAtLeast(first[..Math.Min(first.Length, end - at)], 1, throwOnEndOfStream: false);
            long size = 0;
            int used = 1;
            for (int shift = 0; used < read; shift += Bits)
            {
                byte part = first[used++];
                size |= (long)(part & (More - 1)) << shift;
                if (part < More) break;
            }
            if (size > end - at - used) break;
            if (first[0] is SectionId.Custom or SectionId.Code or SectionId.Data)
            {
                if (!Add(from, at + used - from)) return false;
                from = at + used + (int)size;
            }
            at += used + (int)size;
        }
        return Add(from, end - from);
    }

    private bool Add(long start, int length)
    {
        if (start < 0 || length < 0 || length > file.Length - start) return false;
        file.Position = start;
        for (int count; length > 0; length -= count)
        {
            count = Math.Min(length, buffer.Length);
            file.ReadExactly(buffer, 0, count);
            int blocks = (count + Block - 1) / Block * Block;
            // The last block is filled up, and the length added.
            buffer.AsSpan(count, blocks - count).Clear();
            Add(MemoryMarshal.Cast<byte, ulong>(buffer.AsSpan(0, blocks)));
            a = BitOperations.RotateLeft((a ^ (ulong)count) * Factor, 29);
        }
        return true;
    }

    private void Add(ReadOnlySpan<ulong> words)
    {
        (ulong p, ulong q, ulong r, ulong s) = (a, b, c, d);
        for (; words.Length >= 4; words = words[4..])
        {
            p = BitOperations.RotateLeft((p ^ words[0]) * Factor, 29);
            q = BitOperations.RotateLeft((q ^ words[1]) * Factor, 29);
            r = BitOperations.RotateLeft((r ^ words[2]) * Factor, 29);
            s = BitOperations.RotateLeft((s ^ words[3]) * Factor, 29);
        }
        (a, b, c, d) = (p, q, r, s);
    }
}
