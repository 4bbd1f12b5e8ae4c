using System.Collections.Concurrent;
using System.IO.Pipes;
using System.Text;
using Xunit;

namespace WasmJit.Programs;

/// <summary>Programs in C print here what they print natively.</summary>
public sealed class ProgramTests : IDisposable
{
    private static readonly Dictionary<string, EngineOptions> Modes = new()
    {
        ["guard pages"] = new EngineOptions(),
        ["explicit checks"] = new EngineOptions { MemoryChecks = MemoryChecks.Explicit },
        ["limits"] = new EngineOptions { CountFuel = true, Interruptible = true },
    };

    private static readonly ConcurrentDictionary<(string Program, string Mode), Lazy<Module>> Modules = [];

    private readonly DirectoryInfo directory = ProgramCase.MakeDirectory();

    public static TheoryData<string, string> Cases
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (ProgramCase item in ProgramCase.All.Where(c => !c.IsLong))
                foreach (string mode in Modes.Keys) data.Add(item.Name, mode);
            return data;
        }
    }

    public void Dispose() => directory.Delete(recursive: true);

    [Theory]
    [MemberData(nameof(Cases))]
    public void PrintsTheSame(string name, string mode)
    {
        ProgramCase program = ProgramCase.All.Single(c => c.Name == name);
        Assert.Equal(program.ReadExpected(), Run(Load(program.Program, mode), program.CommandLine, program.ReadInput()));
    }

    public static TheoryData<string, string> FileSystemCases
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string name in new[] { "files", "store", "sort", "json-pretty", "closures" })
                foreach (string system in new[] { "memory", "overlay", "archive" }) data.Add(name, system);
            return data;
        }
    }

    /// <summary>What programs do with files is the same on files in memory: over nothing, over a directory that stays as it is, beside an archive.</summary>
    [Theory]
    [MemberData(nameof(FileSystemCases))]
    public void FilesInMemoryServeThem(string name, string system)
    {
        ProgramCase program = ProgramCase.All.Single(c => c.Name == name);
        using var scripts = new HostFileSystem(ProgramCase.Scripts);
        using var below = new HostFileSystem(directory.FullName);
        MemoryFileSystem files = system == "overlay" ? new OverlayFileSystem(below) : new MemoryFileSystem();
        IWasiFileSystem sources = system == "archive" ? Zip(ProgramCase.Scripts) : scripts;
        MemoryStream output = new(), error = new();
        using (var wasi = new WasiHost(new WasiOptions
        {
            Arguments = program.CommandLine,
            Input = new MemoryStream(program.ReadInput()),
            Output = output,
            Error = error,
            FileSystems = [new WasiMount(files, "."), new WasiMount(sources, "scripts")],
        }))
        {
            int code = wasi.Run(Load(program.Program, "guard pages"));
            Assert.Equal(program.ReadExpected(), ProgramCase.Transcript(Encoding.UTF8.GetString(output.ToArray()), Encoding.UTF8.GetString(error.ToArray()), code));
        }
        Assert.Empty(directory.EnumerateFileSystemInfos());
    }

    private static ArchiveFileSystem Zip(string folder)
    {
        var stream = new MemoryStream();
        System.IO.Compression.ZipFile.CreateFromDirectory(folder, stream);
        stream.Position = 0;
        return ArchiveFileSystem.Open(stream);
    }

    [Fact]
    public void LibrariesAreInitialised()
    {
        var output = new MemoryStream();
        using var wasi = new WasiHost(new WasiOptions { Output = output });
        Instance library = wasi.Instantiate(Load("reactor", "guard pages"));
        Assert.Equal(7, library.GetExport<Func<int, int, int>>("add")(3, 4));
        Assert.Equal(0, library.GetExport<Func<int>>("greet")());
        Assert.Equal("ready, 2\n", Encoding.UTF8.GetString(output.ToArray()));
    }

    [Fact]
    public void OtherToolchainsImportsCanBeLeftOut()
    {
        Module module = Load("standalone", "guard pages");
        Assert.Throws<LinkException>(() => Run(module, ["standalone"], []));
        Assert.Equal("10485760 bytes, pid 0, zone 0\n--- exit 7\n", Run(module, ["standalone", "7"], [], unknown: UnknownImports.Default));
        Assert.Throws<TrapException>(() => Run(module, ["standalone"], [], unknown: UnknownImports.Trap));
    }

    /// <summary>Writing to a pipe that is not read does not wait where the program says so, with a token and without.</summary>
    [Theory]
    [InlineData("guard pages")]
    [InlineData("limits")]
    public async Task AFullPipeIsTriedAgain(string mode)
    {
        using var output = new AnonymousPipeServerStream(PipeDirection.Out);
        using var reader = new AnonymousPipeClientStream(PipeDirection.In, output.ClientSafePipeHandle);
        var error = new FirstWrite();
        using var stop = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        using var wasi = new WasiHost(new WasiOptions { Arguments = ["full_pipe"], Output = output, Error = error, Cancellation = mode == "limits" ? stop.Token : default });
        Module module = Load("full_pipe", mode);
        Task<int> run = Task.Run(() => wasi.Run(module));
        string message = await error.Text.WaitAsync(TimeSpan.FromMinutes(5));
        // What was taken has still to be written before the host's end.
        _ = reader.CopyToAsync(Stream.Null);
        Assert.Matches("^again after [1-9][0-9]* bytes; the longest write took no time\n$", message);
        Assert.Equal(0, await run.WaitAsync(TimeSpan.FromMinutes(5)));
    }

    /// <summary>Tells when a line has been written.</summary>
    private sealed class FirstWrite : MemoryStream
    {
        private readonly TaskCompletionSource<string> text = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task<string> Text => text.Task;

        public override void Write(byte[] buffer, int offset, int count)
        {
            base.Write(buffer, offset, count);
            string all = Encoding.UTF8.GetString(ToArray());
            if (all.EndsWith('\n')) text.TrySetResult(all);
        }

        public override void Write(ReadOnlySpan<byte> buffer) => Write(buffer.ToArray(), 0, buffer.Length);
    }

    private static Module Load(string program, string mode) => Modules.GetOrAdd(
        (program, mode), key => new Lazy<Module>(() => new Engine(Modes[key.Mode]).Compile(ProgramCase.ReadModule(key.Program)))).Value;

    private string Run(Module module, string[] arguments, byte[] input, UnknownImports? unknown = null)
    {
        MemoryStream output = new(), error = new();
        using var wasi = new WasiHost(new WasiOptions
        {
            Arguments = arguments,
            Input = new MemoryStream(input),
            Output = output,
            Error = error,
            Directories = [new WasiDirectory(directory.FullName, "."), new WasiDirectory(ProgramCase.Scripts, "scripts", ReadOnly: true)],
        });
        if (unknown is { } functions) wasi.Imports.AddUnknown(module, functions);
        int code = wasi.Run(module);
        return ProgramCase.Transcript(Encoding.UTF8.GetString(output.ToArray()), Encoding.UTF8.GetString(error.ToArray()), code);
    }
}
