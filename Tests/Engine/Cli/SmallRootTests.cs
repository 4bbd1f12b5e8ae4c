using System.Diagnostics;
using System.Globalization;
using WasmJit.Cli;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// The tool where images without a distribution run it: nothing can be written, there is no shell, no home, no folder for temporary files, and the user is nobody. .NET is this
/// machine's; with WASMJIT_SELF_CONTAINED the folder of a published tool that has .NET in it takes the place of both (Docs/deployment.md).
/// </summary>
public sealed class SmallRootTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-root").FullName;
    private SmallRoot root = null!;
    private string[] tool = [];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private async Task Prepare()
    {
        root = new SmallRoot(Directory.CreateDirectory(Path.Combine(folder, "root")).FullName);
        if (Environment.GetEnvironmentVariable("WASMJIT_SELF_CONTAINED") is { Length: > 0 } published)
        {
            root.Show(published, "/app");
            tool = ["/app/WasmJit.Cli"];
            await root.AddLibraries([Path.Combine(published, "WasmJit.Cli"), .. Directory.GetFiles(published, "lib*.so").Where(IsNeeded)]);
        }
        else
        {
            string runtime = Path.GetDirectoryName(typeof(object).Assembly.Location)!, dotnet = Path.GetFullPath(Path.Combine(runtime, "..", "..", ".."));
            root.Show(dotnet, "/dotnet");
            root.Show(Path.GetDirectoryName(typeof(Tool).Assembly.Location)!, "/app");
            tool = ["/dotnet/dotnet", "/app/WasmJit.Cli.dll"];
            await root.AddLibraries([Path.Combine(dotnet, "dotnet"), .. Directory.GetFiles(runtime, "lib*.so").Where(IsNeeded)]);
        }
        root.Show(Golden.InRepository("Docs/tool"), "/work");
        root.Show(Golden.InRepository("Samples/Dlopen"), "/libraries");

        // The tracer of LTTng is there for those who have that.
        static bool IsNeeded(string library) => !Path.GetFileName(library).StartsWith("libcoreclrtraceptprovider", StringComparison.Ordinal);
    }

    private Task<(int Code, string Output, string Error)> Run(params string[] args) => Run([], args);

    private Task<(int Code, string Output, string Error)> Run(string[] variables, params string[] args) => ChildProcess.Run(root.Start(variables, [.. tool, .. args]));

    [SmallRootFact]
    public async Task TheToolNeedsNothingElse()
    {
        await Prepare();
        Assert.Equal((0, "5050\n", ""), await Run("run", "--invoke", "sum", "/work/sum.wat", "1", "100"));
        // Guard pages find what is outside of the memory.
        (int code, string output, string error) = await Run("run", "--memory-checks", "guard", "--invoke", "peek", "/work/sum.wat", "-1");
        Assert.Equal((Tool.Trapped, "", "trap: out of bounds memory access\n    at sum!peek+0x3\n"), (code, output, error));
        (code, output, error) = await Run("run", "--library-dir", "/libraries", "/libraries/main.wasm");
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("\nmain: opened again, pong_count is 8\n", output, StringComparison.Ordinal);
        // What can be written nowhere is an error; a cache that can be nowhere is none.
        Assert.Equal((Tool.Failure, "", "error: Read-only file system : '/work/saved.dll'\n"), await Run("compile", "/work/sum.wat", "-o", "/work/saved.dll"));
        Assert.Equal((0, "5050\n", ""), await Run("run", "--cache", "--invoke", "sum", "/work/sum.wat", "1", "100"));
    }

    /// <summary>A folder that is mounted for it is all that a cache needs.</summary>
    [SmallRootFact]
    public async Task ACacheIsAFolderThatIsGiven()
    {
        await Prepare();
        string cache = Directory.CreateTempSubdirectory("wasmjit-cache").FullName;
        try
        {
            root.Show(cache, "/cache", isWritable: true);
            string[] given = ["WASMJIT_CACHE=/cache"];
            // Long enough to be kept on any machine; one that does much else may not save in the time that the tool has for it.
            for (int run = 0; run < 5 && Directory.GetFiles(cache).Length == 0; run++) Assert.Equal((0, "1073741825\n", ""), await Run(given, "run", "--cache", "--invoke", "sum", "/work/sum.wat", "1", "2147483646"));
            string kept = Assert.Single(Directory.GetFiles(cache));
            DateTime old = new(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);
            File.SetLastWriteTimeUtc(kept, old);
            Assert.Equal((0, "5050\n", ""), await Run(given, "run", "--cache", "--invoke", "sum", "/work/sum.wat", "1", "100"));
            // Who uses a file sets its time.
            Assert.Equal([kept], Directory.GetFiles(cache));
            Assert.NotEqual(old, File.GetLastWriteTimeUtc(kept));
        }
        finally
        {
            Directory.Delete(cache, recursive: true);
        }
    }

    [SmallRootFact]
    public async Task ItServes()
    {
        await Prepare();
        using Process process = Process.Start(root.Start([], [.. tool, "serve", "--addr", "0", "/work/hello.wat"]))!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string first = await process.StandardOutput.ReadLineAsync() ?? "";
        Assert.True(first.StartsWith("serving on ", StringComparison.Ordinal), first.Length > 0 ? first : await errors);
        using var client = new HttpClient { Timeout = Eventually.Patience };
        Assert.Equal("hello from /\n", await client.GetStringAsync(new Uri(first["serving on ".Length..]), CancellationToken.None));
        using (Process kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)])) await kill.WaitForExitAsync();
        await process.WaitForExitAsync();
        Assert.Equal((0, ""), (process.ExitCode, await errors));
    }
}
