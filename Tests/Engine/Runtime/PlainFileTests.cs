using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Files looked for and opened by the system's calls are those that .NET finds.</summary>
public sealed class PlainFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-plain-files").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("plain.bin")]
    [InlineData("with a space.bin")]
    [InlineData("gr\u00fc\u00dfe.bin")]
    [InlineData("\ud83d\ude00.bin")]
    public void FilesAreFound(string name)
    {
        string path = Path.Combine(folder, name);
        Assert.Null(PlainFile.LengthOf(path));
        Assert.Throws<FileNotFoundException>(() => PlainFile.Open(path));
        File.WriteAllBytes(path, [1, 2, 3]);
        Assert.Equal(3, PlainFile.LengthOf(path));
        using (FileStream file = PlainFile.Open(path))
        {
            Assert.Equal((3, true, false), (file.Length, file.CanSeek, file.CanWrite));
            Assert.Equal([1, 2, 3], new BinaryReader(file).ReadBytes(10));
            // Nobody is kept from writing.
            File.WriteAllBytes(path, []);
        }
        Assert.Equal(0, PlainFile.LengthOf(path));
        PlainFile.Open(path).Dispose();
    }

    [Fact]
    public void OthersAreNotTaken()
    {
        Assert.Null(PlainFile.LengthOf(folder));
        Assert.Throws<UnauthorizedAccessException>(() => PlainFile.Open(folder));
        Assert.Null(PlainFile.LengthOf(Path.Combine(folder, new string('a', 3000))));
        Assert.Throws<DirectoryNotFoundException>(() => PlainFile.Open(Path.Combine(folder, "none", "file")));
        Assert.Null(PlainFile.LengthOf("plain\0.bin"));
        if (!OperatingSystem.IsLinux()) return;
        // Opening a pipe would wait for its other end, or begin what belongs to others.
        Assert.Null(PlainFile.LengthOf("/dev/null"));
        using (PlainFile.OpenHandle("/dev/null")) Assert.Throws<DirectoryNotFoundException>(() => PlainFile.OpenHandle(Path.Combine(folder, "none", "file")));
        string link = Path.Combine(folder, "link"), target = Path.Combine(folder, "target");
        File.CreateSymbolicLink(link, target);
        Assert.Null(PlainFile.LengthOf(link));
        File.WriteAllBytes(target, [1]);
        Assert.Equal(1, PlainFile.LengthOf(link));
    }

    [Theory]
    [InlineData("file")]
    [InlineData("a/b.c")]
    [InlineData("./file")]
    [InlineData("file.dll")]
    [InlineData("a/.b")]
    [InlineData("../file")]
    [InlineData("a//b")]
    [InlineData("/x/y")]
    [InlineData("\u00fc")]
    public void FullPathsAreDotNets(string path) => Assert.Equal(Path.GetFullPath(path), PlainFile.FullPathOf(path));
}
