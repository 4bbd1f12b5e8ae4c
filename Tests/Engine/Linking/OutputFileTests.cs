using System.Text;
using WasmJit.Linking;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Files that are written whole or not at all.</summary>
public sealed class OutputFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-output").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string File(string name, string? text = null)
    {
        string path = Path.Combine(folder, name);
        if (text is not null) System.IO.File.WriteAllText(path, text);
        return path;
    }

    private static Action<Stream> Text(string text) => stream => stream.Write(Encoding.UTF8.GetBytes(text));

    [Fact]
    public void AFileIsMadeAndReplaced()
    {
        string path = File("out");
        OutputFile.Write(path, Text("first"));
        Assert.Equal("first", System.IO.File.ReadAllText(path));
        OutputFile.Write(path, Text("2"));
        Assert.Equal("2", System.IO.File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(folder));
    }

    /// <summary>What fails in the middle leaves the old file, and nothing beside it.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData("old")]
    public void AFailureLeavesWhatWasThere(string? before)
    {
        string path = File("out", before);
        Assert.Throws<InvalidDataException>(() => OutputFile.Write(path, stream =>
        {
            stream.Write("half of it"u8);
            throw new InvalidDataException();
        }));
        Assert.Equal(before is null ? [] : [path], Directory.GetFileSystemEntries(folder));
        if (before is not null) Assert.Equal(before, System.IO.File.ReadAllText(path));
    }

    /// <summary>Who reads the old file goes on with it.</summary>
    [LinuxFact]
    public void AnOpenFileStaysAsItWas()
    {
        string path = File("out", "the old file");
        using FileStream open = System.IO.File.OpenRead(path);
        OutputFile.Write(path, Text("new"));
        using var reader = new StreamReader(open);
        Assert.Equal("the old file", reader.ReadToEnd());
        Assert.Equal("new", System.IO.File.ReadAllText(path));
    }

    [Fact]
    public void NoFileCanBeThere()
    {
        Assert.Throws<DirectoryNotFoundException>(() => OutputFile.Write(File("none/out"), Text("x")));
        Assert.Throws<IOException>(() => OutputFile.Write(folder, Text("x")));
        Assert.Empty(Directory.GetFileSystemEntries(folder));
    }

    /// <summary>A device is not replaced by a file, nor is a link: what it leads to is written.</summary>
    [LinuxFact]
    public void DevicesAndLinksStay()
    {
        string real = File("real", "old"), link = File("link"), dangling = File("dangling");
        System.IO.File.CreateSymbolicLink(link, "real");
        System.IO.File.CreateSymbolicLink(dangling, "made");
        OutputFile.Write(link, Text("new"));
        Assert.Equal(("real", "new"), (new FileInfo(link).LinkTarget, System.IO.File.ReadAllText(real)));
        OutputFile.Write(dangling, Text("made by it"));
        Assert.Equal(("made", "made by it"), (new FileInfo(dangling).LinkTarget, System.IO.File.ReadAllText(File("made"))));
        string device = File("null");
        System.IO.File.CreateSymbolicLink(device, "/dev/null");
        OutputFile.Write(device, Text("lost"));
        Assert.Equal(("/dev/null", ""), (new FileInfo(device).LinkTarget, System.IO.File.ReadAllText("/dev/null")));
        // What is open already has a name among the devices.
        using FileStream open = new(File("open"), FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite);
        OutputFile.Write($"/dev/fd/{open.SafeFileHandle.DangerousGetHandle()}", Text("by its number"));
        Assert.Equal("by its number".Length, open.Length);
    }

    /// <summary>A pipe with a name gets what is written, in one opening: its reader sees the end behind that.</summary>
    [LinuxFact]
    public async Task APipeIsWrittenTo()
    {
        string pipe = File("pipe");
        Assert.Equal(0, (await ChildProcess.Run(new System.Diagnostics.ProcessStartInfo("mkfifo", [pipe]))).Code);
        Task<string> read = Task.Run(() => System.IO.File.ReadAllText(pipe));
        await Task.Run(() => OutputFile.Write(pipe, Text("through the pipe"))).WaitAsync(Eventually.Patience);
        Assert.Equal("through the pipe", await read.WaitAsync(Eventually.Patience));
        Assert.Equal([pipe], Directory.GetFileSystemEntries(folder));
    }

    /// <summary>The new file has the permissions of the old one, and what may not be written is not replaced either.</summary>
    [LinuxFact]
    public void PermissionsStay()
    {
        if (OperatingSystem.IsWindows()) return;
        string path = File("out", "old");
        const UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead;
        System.IO.File.SetUnixFileMode(path, mode);
        OutputFile.Write(path, Text("new"));
        Assert.Equal((mode, "new"), (System.IO.File.GetUnixFileMode(path), System.IO.File.ReadAllText(path)));
    }

    /// <summary>Saved modules and components are such files.</summary>
    [Fact]
    public void SavedModulesAreWrittenSo()
    {
        Module module = new Engine().CompileText("(module (func (export \"f\")))");
        string path = File("module.dll", "old");
        module.Save(path);
        Assert.Equal([path], Directory.GetFileSystemEntries(folder));
        Assert.Single(new Engine().LoadSaved(path).Exports);
        Assert.Throws<DirectoryNotFoundException>(() => module.Save(File("none/module.dll")));
    }
}
