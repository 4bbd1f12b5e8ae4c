using System.Text;
using WasmJit.Components;
using WasmJit.Wasi;
using WasmJit.Wasi.Preview2;
using WasmJit.Wasi.Preview3;
using Xunit;
using DescriptorFlags = WasmJit.Wasi.Preview2.DescriptorFlags;
using FileError = WasmJit.Wasi.Preview3.FileError;
using NewTimestamp = WasmJit.Wasi.Preview3.NewTimestamp;

namespace WasmJit.Tests;

/// <summary>Functions of WASI 0.3 for programs: the command line, clocks, random numbers, files. They are called from a component, through the canonical ABI.</summary>
public sealed class WasiLaterTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("wasi3-").FullName;
    private readonly MemoryStream output = new(), error = new();
    private readonly WasiMirror mirror;

    public WasiLaterTests() => mirror = new WasiMirror(
        new WasiOptions
        {
            Arguments = ["app", "one"],
            Environment = new Dictionary<string, string> { ["A"] = "1" },
            Input = new MemoryStream(Encoding.UTF8.GetBytes("typed")),
            Output = output,
            Error = error,
            Directories = [new WasiDirectory(folder, "/")],
        },
        isLater: true);

    public void Dispose()
    {
        mirror.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private T F<T>(string function)
        where T : Delegate => mirror.Function<T>("wasi:" + function);

    // ---- command line ----

    [Fact]
    public void ArgumentsAndEnvironment()
    {
        Assert.Equal(["app", "one"], F<Func<string[]>>("cli/environment#get-arguments")());
        Assert.Equal([("A", "1")], F<Func<(string, string)[]>>("cli/environment#get-environment")());
        Assert.Null(F<Func<string?>>("cli/environment#get-initial-cwd")());
    }

    [Fact]
    public void ExitEndsTheGuest()
    {
        Assert.Equal(1, Assert.Throws<WasiExitException>(() => F<Action<ComponentResult<NoValue, NoValue>>>("cli/exit#exit")(ComponentResult<NoValue, NoValue>.Fail(default))).ExitCode);
        using var other = new WasiMirror(new WasiOptions { Input = Stream.Null }, isLater: true);
        Assert.Equal(7, Assert.Throws<WasiExitException>(() => other.Function<Action<byte>>("wasi:cli/exit#exit-with-code")(7)).ExitCode);
    }

    [Fact]
    public async Task StandardStreams()
    {
        (Stream input, Task<ComponentResult<NoValue, CliError>> outcome) = F<Func<(Stream, Task<ComponentResult<NoValue, CliError>>)>>("cli/stdin#read-via-stream")();
        Assert.Equal("typed", await new StreamReader(input).ReadToEndAsync());
        Assert.True((await outcome).IsOk);
        await Write("cli/stdout#write-via-stream", "printed", output);
        await Write("cli/stderr#write-via-stream", "said", error);

        async Task Write(string function, string text, MemoryStream to)
        {
            Assert.True((await F<Func<Stream, Task<ComponentResult<NoValue, CliError>>>>(function)(new MemoryStream(Encoding.UTF8.GetBytes(text)))).IsOk);
            Assert.Equal(text, Encoding.UTF8.GetString(to.ToArray()));
        }
    }

    [Theory]
    [InlineData("cli/terminal-stdin#get-terminal-stdin")]
    [InlineData("cli/terminal-stdout#get-terminal-stdout")]
    [InlineData("cli/terminal-stderr#get-terminal-stderr")]
    public void StreamsAreNoTerminals(string function) => Assert.Null(F<Func<ComponentResource?>>(function)());

    // ---- clocks, random numbers ----

    [Fact]
    public async Task Clocks()
    {
        ulong before = F<Func<ulong>>("clocks/monotonic-clock#now")();
        Assert.NotEqual(0u, F<Func<ulong>>("clocks/monotonic-clock#get-resolution")());
        await F<Func<ulong, Task>>("clocks/monotonic-clock#wait-for")(3_000_000);
        ulong after = F<Func<ulong>>("clocks/monotonic-clock#now")();
        Assert.True(after >= before + 3_000_000);
        await F<Func<ulong, Task>>("clocks/monotonic-clock#wait-until")(after + 2_000_000);
        Assert.True(F<Func<ulong>>("clocks/monotonic-clock#now")() >= after + 2_000_000);
        await F<Func<ulong, Task>>("clocks/monotonic-clock#wait-until")(1);
        Instant now = F<Func<Instant>>("clocks/system-clock#now")();
        Assert.InRange(now.Seconds, 1_700_000_000, long.MaxValue);
        Assert.InRange(now.Nanoseconds, 0u, 999_999_999u);
        Assert.NotEqual(0u, F<Func<ulong>>("clocks/system-clock#get-resolution")());
        Assert.Equal("UTC", F<Func<string?>>("clocks/timezone#iana-id")());
        Assert.Equal(0L, F<Func<Instant, long?>>("clocks/timezone#utc-offset")(now));
        Assert.Equal("UTC", F<Func<string>>("clocks/timezone#to-debug-string")());
    }

    [Fact]
    public void RandomNumbers()
    {
        Assert.Equal(100, F<Func<ulong, byte[]>>("random/random#get-random-bytes")(100).Length);
        Assert.NotEmpty(F<Func<ulong, byte[]>>("random/random#get-random-bytes")(ulong.MaxValue));
        Assert.NotEqual(F<Func<ulong>>("random/random#get-random-u64")(), F<Func<ulong>>("random/random#get-random-u64")());
        Assert.Equal(10, F<Func<ulong, byte[]>>("random/insecure#get-insecure-random-bytes")(10).Length);
        F<Func<ulong>>("random/insecure#get-insecure-random-u64")();
        Assert.Equal(F<Func<(ulong, ulong)>>("random/insecure-seed#get-insecure-seed")(), F<Func<(ulong, ulong)>>("random/insecure-seed#get-insecure-seed")());
    }

    // ---- files ----

    private ComponentResource Root => F<Func<(ComponentResource, string)[]>>("filesystem/preopens#get-directories")()[0].Item1;

    private T D<T>(string method)
        where T : Delegate => F<T>($"filesystem/types#[method]descriptor.{method}");

    private async Task<ComponentResource> Open(ComponentResource root, string path, OpenFlags open = OpenFlags.None, DescriptorFlags flags = DescriptorFlags.Read | DescriptorFlags.Write) =>
        (await D<Func<ComponentResource, PathFlags, string, OpenFlags, DescriptorFlags, Task<ComponentResult<ComponentResource, FileError>>>>("open-at")(root, PathFlags.None, path, open, flags)).Value;

    [Fact]
    public async Task FilesAreWrittenAndRead()
    {
        using ComponentResource root = Root, file = await Open(root, "f", OpenFlags.Create);
        var written = D<Func<ComponentResource, Stream, ulong, Task<ComponentResult<NoValue, FileError>>>>("write-via-stream");
        Assert.True((await written(file, new MemoryStream("hello world"u8.ToArray()), 0)).IsOk);
        Assert.True((await D<Func<ComponentResource, Stream, Task<ComponentResult<NoValue, FileError>>>>("append-via-stream")(file, new MemoryStream("!"u8.ToArray()))).IsOk);
        (Stream read, Task<ComponentResult<NoValue, FileError>> outcome) = D<Func<ComponentResource, ulong, (Stream, Task<ComponentResult<NoValue, FileError>>)>>("read-via-stream")(file, 6);
        Assert.Equal("world!", await new StreamReader(read).ReadToEndAsync());
        Assert.True((await outcome).IsOk);
        Assert.True((await D<Func<ComponentResource, ulong, Task<ComponentResult<NoValue, FileError>>>>("set-size")(file, 5)).IsOk);
        Assert.True((await D<Func<ComponentResource, Task<ComponentResult<NoValue, FileError>>>>("sync")(file)).IsOk);
        Assert.True((await D<Func<ComponentResource, Task<ComponentResult<NoValue, FileError>>>>("sync-data")(file)).IsOk);
        Assert.True((await D<Func<ComponentResource, ulong, ulong, Advice, Task<ComponentResult<NoValue, FileError>>>>("advise")(file, 0, 5, Advice.Sequential)).IsOk);
        Assert.Equal("hello", WasiFolder.ReadShared(Path.Combine(folder, "f")));
        // What was not opened for writing is not written, and the stream is read no more.
        using ComponentResource readOnly = await Open(root, "f", flags: DescriptorFlags.Read);
        Assert.IsType<FileError.BadDescriptor>((await written(readOnly, new MemoryStream([1]), 0)).Error);
        Assert.Equal(DescriptorFlags.Read, (await D<Func<ComponentResource, Task<ComponentResult<DescriptorFlags, FileError>>>>("get-flags")(readOnly)).Value);
    }

    [Fact]
    public async Task StatusOfFiles()
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "f"), "12345");
        using ComponentResource root = Root, file = await Open(root, "f"), again = await Open(root, "f");
        Assert.IsType<Wasi.Preview3.DescriptorType.RegularFile>((await D<Func<ComponentResource, Task<ComponentResult<Wasi.Preview3.DescriptorType, FileError>>>>("get-type")(file)).Value);
        Wasi.Preview3.DescriptorStat status = (await D<Func<ComponentResource, Task<ComponentResult<Wasi.Preview3.DescriptorStat, FileError>>>>("stat")(file)).Value;
        Assert.Equal((5u, 1u), ((uint)status.Size, (uint)status.LinkCount));
        var statAt = D<Func<ComponentResource, PathFlags, string, Task<ComponentResult<Wasi.Preview3.DescriptorStat, FileError>>>>("stat-at");
        Assert.Equal(5u, (await statAt(root, PathFlags.None, "f")).Value.Size);
        Assert.IsType<FileError.NoEntry>((await statAt(root, PathFlags.None, "none")).Error);
        var then = new NewTimestamp.Timestamp(new Instant(1_000_000_000, 0));
        Assert.True((await D<Func<ComponentResource, NewTimestamp, NewTimestamp, Task<ComponentResult<NoValue, FileError>>>>("set-times")(file, then, then)).IsOk);
        Assert.Equal(DateTime.UnixEpoch.AddSeconds(1_000_000_000), File.GetLastWriteTimeUtc(Path.Combine(folder, "f")));
        Assert.True((await D<Func<ComponentResource, PathFlags, string, NewTimestamp, NewTimestamp, Task<ComponentResult<NoValue, FileError>>>>("set-times-at")(
            root, PathFlags.None, "f", new NewTimestamp.NoChange(), new NewTimestamp.Now())).IsOk);
        Assert.True(File.GetLastWriteTimeUtc(Path.Combine(folder, "f")).Year > 2020);
        Assert.True(await D<Func<ComponentResource, ComponentResource, Task<bool>>>("is-same-object")(file, again));
        Assert.False(await D<Func<ComponentResource, ComponentResource, Task<bool>>>("is-same-object")(file, root));
        var hash = (await D<Func<ComponentResource, Task<ComponentResult<MetadataHashValue, FileError>>>>("metadata-hash")(file)).Value;
        Assert.Equal(hash, (await D<Func<ComponentResource, PathFlags, string, Task<ComponentResult<MetadataHashValue, FileError>>>>("metadata-hash-at")(root, PathFlags.None, "f")).Value);
    }

    /// <summary>A listing counts as opened, as with version 0.2: it is in memory until it is not wanted any more.</summary>
    [Fact]
    public async Task ListingsCount()
    {
        using var few = new WasiMirror(new WasiOptions { Directories = [new WasiDirectory(folder, "/")], MaximumDescriptors = 3 }, isLater: true);
        using ComponentResource root = few.Function<Func<(ComponentResource, string)[]>>("wasi:filesystem/preopens#get-directories")()[0].Item1;
        var list = few.Function<Func<ComponentResource, (IAsyncEnumerable<Wasi.Preview3.ListedEntry>, Task<ComponentResult<NoValue, FileError>>)>>(
            "wasi:filesystem/types#[method]descriptor.read-directory");
        (IAsyncEnumerable<Wasi.Preview3.ListedEntry> Entries, Task<ComponentResult<NoValue, FileError>> Outcome) first = list(root), second = list(root), third = list(root);
        Assert.IsType<FileError.InsufficientMemory>((await third.Outcome).Error);
        // One that is not wanted any more, and one that is read to its end.
        await first.Entries.GetAsyncEnumerator().DisposeAsync();
        Assert.True((await first.Outcome).IsOk);
        (IAsyncEnumerable<Wasi.Preview3.ListedEntry> entries, Task<ComponentResult<NoValue, FileError>> outcome) = list(root);
        await foreach (Wasi.Preview3.ListedEntry _ in entries) { }
        Assert.True((await outcome).IsOk);
        Assert.False(second.Outcome.IsCompleted);
    }

    [Fact]
    public async Task DirectoriesAndHardLinks()
    {
        using ComponentResource root = Root;
        async Task Fine(Task<ComponentResult<NoValue, FileError>> done) => Assert.True((await done).IsOk);
        await Fine(D<Func<ComponentResource, string, Task<ComponentResult<NoValue, FileError>>>>("create-directory-at")(root, "d"));
        await File.WriteAllTextAsync(Path.Combine(folder, "d/f"), "x");
        await Fine(D<Func<ComponentResource, string, ComponentResource, string, Task<ComponentResult<NoValue, FileError>>>>("rename-at")(root, "d/f", root, "d/g"));
        await Fine(D<Func<ComponentResource, PathFlags, string, ComponentResource, string, Task<ComponentResult<NoValue, FileError>>>>("link-at")(root, PathFlags.None, "d/g", root, "d/h"));
        using (ComponentResource directory = await Open(root, "d", OpenFlags.Directory, DescriptorFlags.Read))
        {
            (IAsyncEnumerable<Wasi.Preview3.ListedEntry> entries, Task<ComponentResult<NoValue, FileError>> outcome) =
                D<Func<ComponentResource, (IAsyncEnumerable<Wasi.Preview3.ListedEntry>, Task<ComponentResult<NoValue, FileError>>)>>("read-directory")(directory);
            var names = new List<string>();
            await foreach (Wasi.Preview3.ListedEntry entry in entries) names.Add(entry.Name);
            Assert.Equal(["g", "h"], names.Order(StringComparer.Ordinal));
            Assert.True((await outcome).IsOk);
        }
        var unlink = D<Func<ComponentResource, string, Task<ComponentResult<NoValue, FileError>>>>("unlink-file-at");
        await Fine(unlink(root, "d/g"));
        await Fine(unlink(root, "d/h"));
        Assert.IsType<FileError.IsDirectory>((await unlink(root, "d")).Error);
        await Fine(D<Func<ComponentResource, string, Task<ComponentResult<NoValue, FileError>>>>("remove-directory-at")(root, "d"));
        // No path leads out.
        Assert.IsType<FileError.NotPermitted>((await unlink(root, "../f")).Error);
    }

    [Fact]
    public async Task LinksAreMadeAndRead()
    {
        using ComponentResource root = Root;
        Assert.True((await D<Func<ComponentResource, string, string, Task<ComponentResult<NoValue, FileError>>>>("symlink-at")(root, "d/g", "l")).IsOk);
        Assert.Equal("d/g", (await D<Func<ComponentResource, string, Task<ComponentResult<string, FileError>>>>("readlink-at")(root, "l")).Value);
    }
}
