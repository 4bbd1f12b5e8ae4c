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
    public void ResourcesAreWhereDotnetFindsThem(string path)
    {
        using FileStream file = File.OpenRead(path);
        using var reader = new PEReader(file, PEStreamOptions.LeaveOpen);
        DirectoryEntry resources = reader.PEHeaders.CorHeader!.ResourcesDirectory;
        bool has = reader.PEHeaders.TryGetDirectoryOffset(resources, out int offset) && resources.Size > 0;
        Assert.Equal(has, ImageHeaders.FindResources(file, out long found, out int address));
        if (has) Assert.Equal((offset, resources.RelativeVirtualAddress), (found, address));
    }

    /// <summary>Files that end early, or whose headers say something else, are refused without an exception but the one of the end.</summary>
    [Fact]
    public void DamagedHeadersAreRefused()
    {
        byte[] file = Saved(), start = file[..1024];
        Assert.True(ImageHeaders.FindResources(new MemoryStream(file), out _, out _));
        for (int length = 0; length < start.Length; length++) Finds(file[..length]);
        Assert.False(Finds(file[..256]));
        var random = new Random(2);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] damaged = [.. start, .. file.AsSpan(start.Length, Math.Min(4096, file.Length - start.Length))];
            for (int changes = random.Next(1, 4); changes > 0; changes--) damaged[random.Next(start.Length)] = (byte)random.Next(256);
            Finds(damaged);
        }
    }

    private static byte[] Saved()
    {
        var stream = new MemoryStream();
        new Engine().CompileText("(module (func (export \"f\")))").Save(stream);
        return stream.ToArray();
    }

    private static bool Finds(byte[] file)
    {
        try
        {
            return ImageHeaders.FindResources(new MemoryStream(file), out _, out _);
        }
        catch (EndOfStreamException)
        {
            return false;
        }
    }
}
