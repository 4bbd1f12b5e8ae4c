using System.Reflection.PortableExecutable;
using System.Security.Cryptography;
using WasmJit.Jit.Saved;
using Xunit;

namespace WasmJit.Tests.Saved;

/// <summary>What is read of a saved module's file without .NET's own readers and digests.</summary>
public sealed class HeaderTests
{
    /// <summary>All ways in which data ends in a block.</summary>
    [Fact]
    public void DigestsAreThoseOfDotnet()
    {
        byte[] data = new byte[5000];
        new Random(1).NextBytes(data);
        byte[] digest = new byte[Sha256.Size];
        foreach (int length in Enumerable.Range(0, 300).Append(data.Length))
        {
            Sha256.Hash(data.AsSpan(0, length), digest);
            Assert.Equal(SHA256.HashData(data.AsSpan(0, length)), digest);
        }
    }

    public static TheoryData<string> Assemblies => [typeof(object).Assembly.Location, typeof(Engine).Assembly.Location, typeof(HeaderTests).Assembly.Location, typeof(FactAttribute).Assembly.Location];

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void PartsAreWhereDotnetFindsThem(string path)
    {
        using FileStream file = File.OpenRead(path);
        using var reader = new PEReader(file, PEStreamOptions.LeaveOpen);
        ImageHeaders headers = ImageHeaders.Read(file)!;
        CorHeader cor = reader.PEHeaders.CorHeader!;
        Assert.Equal(reader.PEHeaders.PEHeader!.SizeOfHeaders, headers.Size);
        foreach ((DirectoryEntry expected, ImageHeaders.Part part) in new[]
        {
            (reader.PEHeaders.PEHeader.CorHeaderTableDirectory, headers.Clr), (cor.MetadataDirectory, headers.Metadata), (cor.ResourcesDirectory, headers.Resources), (cor.ManagedNativeHeaderDirectory, headers.Native),
        })
        {
            Assert.Equal((expected.RelativeVirtualAddress, expected.Size), (part.Address, part.Size));
            if (expected.Size == 0) continue;
            Assert.True(reader.PEHeaders.TryGetDirectoryOffset(expected, out int offset));
            Assert.Equal(offset, headers.OffsetOf(part.Address));
        }
    }

    /// <summary>Files that end early, or whose headers are damaged, are refused, and fail in no other way.</summary>
    [Fact]
    public void DamagedHeadersAreRefused()
    {
        byte[] file = Saved(), start = file[..1024];
        Assert.NotNull(ImageHeaders.Read(new MemoryStream(file)));
        Assert.Null(ImageHeaders.Read(new MemoryStream(file[..256])));
        var random = new Random(2);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] damaged = [.. start, .. file.AsSpan(start.Length, Math.Min(4096, file.Length - 1 - start.Length))];
            for (int changes = random.Next(1, 4); changes > 0; changes--) damaged[random.Next(start.Length)] = (byte)random.Next(256);
            if (i < start.Length) damaged = damaged[..i];
            Assert.Throws<SavedModuleException>(() => SavedHeader.ReadStart(new MemoryStream(damaged)));
        }
    }

    /// <summary>What is read of a file is completed by the same file alone, whose header need not be read again.</summary>
    [Fact]
    public void HeadersAreCompletedByTheirOwnFile()
    {
        byte[] file = Saved();
        SavedHeader whole = SavedHeader.ReadFile(file), header = SavedHeader.ReadStart(new MemoryStream(file));
        Assert.True(header.Module.IsEmpty);
        int at = file.AsSpan().IndexOf("wasmjit: saved module"u8), module = file.AsSpan().LastIndexOf("\0asm"u8);
        byte[] resource = file[at..(module + whole.Module.Length)];
        foreach (byte[] other in new[] { [], resource[..100], resource[..(module - at - 1)], [.. resource[..30], (byte)~resource[30], .. resource[31..]], new byte[] { 1 } })
            Assert.Equal(SavedModuleProblem.Damaged, Assert.Throws<SavedModuleException>(() => header.Complete(other)).Problem);
        header.Complete(resource);
        Assert.True(header.Module.Span.SequenceEqual(whole.Module.Span));
        Assert.Equal((whole.Digest, whole.Classes.Length, string.Join(' ', whole.Entries)), (header.Digest, header.Classes.Length, string.Join(' ', header.Entries)));
    }

    private static byte[] Saved()
    {
        var stream = new MemoryStream();
        new Engine().CompileText("(module (func (export \"f\")))").Save(stream);
        return stream.ToArray();
    }
}
