using System.Diagnostics;
using WasmJit.Cli;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// <c>run --cache</c>: what is kept, and that nothing is taken from the cache that anyone but the tool could have written. Each run is a
/// process, since the cache's place comes from the environment.
/// </summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class CodeCacheTests : IDisposable
{
    private const string Long = """
        (module (func (export "f") (param $n i32) (result i32) (local $i i32)
          (loop $l (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))) (local.get $i)))
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-cache").FullName;

    private string Cache => Path.Combine(folder, "caches", "cache");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [LinuxFact]
    public async Task KeepsWhatRanForLong()
    {
        string file = await Write(Long);
        var clock = Stopwatch.StartNew();
        Assert.Equal("1000\n", await Run("--cache", "--invoke", "f", file, "1000"));
        // What ended in so little time used less than that of a processor; on a slow machine starting alone may take more.
        if (clock.Elapsed < CodeCache.LongRun) Assert.Empty(Directory.GetFiles(Cache));
        foreach (string early in Directory.GetFiles(Cache)) File.Delete(early);
        string kept = await Keep(file);
        // The same bytes with the same options are the same file; with others another.
        await Run("--cache", "--invoke", "f", file, "2000000000");
        Assert.Equal([kept], Directory.GetFiles(Cache));
        await Run("--cache", "--fuel", "100000000000", "--invoke", "f", file, "2000000000");
        Assert.Equal(2, Directory.GetFiles(Cache).Length);
        // All of it can be deleted at any time.
        Directory.Delete(Cache, recursive: true);
        Assert.Equal("7\n", await Run("--cache", "--invoke", "f", file, "7"));
    }

    [LinuxFact]
    public async Task TakesOnlyWhatNobodyElseCouldWrite()
    {
        string kept = await Keep(await Write(Long));
        // Another program in the place of the kept one shows whether it is taken.
        string other = Path.Combine(folder, "other.wat"), saved = Path.Combine(folder, "other.dll");
        await File.WriteAllTextAsync(other, Long.Replace("(local.get $i)))", "(i32.const -1)))", StringComparison.Ordinal));
        Assert.Equal(0, Tool.Run(["compile", other, "-o", saved], TextWriter.Null, TextWriter.Null));
        string file = Path.Combine(folder, "long.wat");
        File.Delete(kept);
        File.Copy(saved, kept);
        File.SetUnixFileMode(kept, UnixFileMode.UserRead);
        // It has everything that the tool's own files have, but it is of another module.
        Assert.Equal("7\n", await Run("--cache", "--invoke", "f", file, "7"));
        await Keep(file);
        Assert.True(IsTaken(file));
        // Files that can be written, as all are that guests make, and folders that others may enter count for nothing.
        File.SetUnixFileMode(kept, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.False(IsTaken(file));
        File.SetUnixFileMode(kept, UnixFileMode.UserRead);
        Assert.True(IsTaken(file));
        File.SetUnixFileMode(Cache, (UnixFileMode)0b111_101_101);
        Assert.False(IsTaken(file));
        File.SetUnixFileMode(Cache, (UnixFileMode)0b111_000_000);
        Assert.True(IsTaken(file));
        // A link to a folder could lead anywhere.
        Directory.Move(Cache, Cache + "-moved");
        Directory.CreateSymbolicLink(Cache, Cache + "-moved");
        Assert.False(IsTaken(file));
    }

    [LinuxFact]
    public async Task IsEmptiedBeforeAGuestThatCouldWriteIt()
    {
        string file = await Write(Long);
        foreach (string given in new[] { folder, Path.Combine(folder, "caches"), Cache })
        {
            await Keep(file);
            await Run("--dir", given + "::/data::ro", "--invoke", "f", file, "1");
            Assert.Single(Directory.GetFiles(Cache));
            await Run("--cache", "--dir", given + "::/data", "--invoke", "f", file, "2000000000");
            Assert.Empty(Directory.GetFileSystemEntries(Cache));
        }
        // Through a link, too.
        await Keep(file);
        string link = Path.Combine(folder, "..", Path.GetFileName(folder) + "-link");
        Directory.CreateSymbolicLink(link, folder);
        try
        {
            await Run("--dir", link + "::/data", "--invoke", "f", file, "1");
            Assert.Empty(Directory.GetFileSystemEntries(Cache));
        }
        finally
        {
            Directory.Delete(link);
        }
    }

    private async Task<string> Write(string text)
    {
        string path = Path.Combine(folder, "long.wat");
        await File.WriteAllTextAsync(path, text);
        return path;
    }

    private async Task<string> Keep(string file)
    {
        await Run("--cache", "--invoke", "f", file, "2000000000");
        string kept = Assert.Single(Directory.GetFiles(Cache));
        Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(kept));
        return kept;
    }

    /// <summary>Whether the cache gives code for a module: looked at from inside, since a run tells the same with and without.</summary>
    private bool IsTaken(string file)
    {
        string? before = Environment.GetEnvironmentVariable("WASMJIT_CACHE");
        Environment.SetEnvironmentVariable("WASMJIT_CACHE", Cache);
        try
        {
            return CodeCache.Open()?.Of(ModuleFile.Read(file).Bytes, new EngineOptions())?.Load() is not null;
        }
        finally
        {
            Environment.SetEnvironmentVariable("WASMJIT_CACHE", before);
        }
    }

    private async Task<string> Run(params string[] args)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, [typeof(Tool).Assembly.Location, "run", .. args]);
        start.Environment["WASMJIT_CACHE"] = Cache;
        start.Environment["WASMJIT_CONFIG"] = "";
        (int code, string output, string error) = await ChildProcess.Run(start);
        Assert.Equal((0, ""), (code, error));
        return output;
    }
}
