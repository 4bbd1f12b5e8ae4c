using System.Text;
using System.Text.Json;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// The programs of WebAssembly/wasi-testsuite, where the variable WASI_TESTSUITE names a checkout of its branch
/// prod/testsuite-all, which has them compiled, those of the proposal wasi-threads among them. Each checks itself and ends with the exit code that its description demands.
/// </summary>
public sealed class WasiSuiteTests
{
    private const string HowTo = "not run: set WASI_TESTSUITE to a checkout of github.com/WebAssembly/wasi-testsuite, branch prod/testsuite-all";

    private static readonly string? Suite = Environment.GetEnvironmentVariable("WASI_TESTSUITE");

    public static TheoryData<string, bool> Programs
    {
        get
        {
            var data = new TheoryData<string, bool>();
            if (string.IsNullOrEmpty(Suite) || !Directory.Exists(Suite))
            {
                data.Add("", false);
                return data;
            }
            foreach (string file in Directory.GetFiles(Path.Combine(Suite, "tests"), "*.wasm", SearchOption.AllDirectories))
            {
                string name = Path.GetRelativePath(Suite, file);
                if (IsThreaded(name)) data.Add(name, false);
                if (!file.Contains("wasm32-wasip1", StringComparison.Ordinal)) continue;
                data.Add(name, false);
                // Hard links are what .NET alone cannot do.
                if (Path.GetFileNameWithoutExtension(file) != "path_link") data.Add(name, true);
            }
            return data;
        }
    }

    private static bool IsThreaded(string name) => name.Contains("wasi-threads", StringComparison.Ordinal);

    [WasiSuiteTheory]
    [MemberData(nameof(Programs))]
    public void ProgramsOfTheSuitePass(string program, bool portable)
    {
        string file = Path.Combine(Suite!, program), description = Path.ChangeExtension(file, ".json");
        var settings = File.Exists(description) ? JsonDocument.Parse(File.ReadAllText(description)).RootElement : default;
        string scratch = Directory.CreateTempSubdirectory("wasi-suite-").FullName;
        using var output = new MemoryStream();
        using var error = new MemoryStream();
        // Programs with threads expect that reading waits.
        using var silent = new SilentStream();
        try
        {
            var directories = new List<WasiDirectory>();
            if (Text("root") is { } root)
            {
                Copy(Path.Combine(Path.GetDirectoryName(file)!, root), scratch);
                directories.Add(new WasiDirectory(scratch, "/"));
            }
            // Newer descriptions have directories, each under its own name.
            foreach (string name in Items("dirs").Select(d => d.GetString()!))
            {
                string copy = Directory.CreateDirectory(Path.Combine(scratch, name)).FullName;
                Copy(Path.Combine(Path.GetDirectoryName(file)!, name), copy);
                directories.Add(new WasiDirectory(copy, name));
            }
            using var host = new WasiHost(
                new WasiOptions
                {
                    Arguments = [Path.GetFileName(file), .. Items("args").Select(a => a.GetString()!)],
                    Environment = Has("env", out JsonElement env) ? env.EnumerateObject().ToDictionary(e => e.Name, e => e.Value.GetString()!) : new(),
                    Directories = directories,
                    Input = IsThreaded(program) ? silent : Stream.Null,
                    MaximumThreads = IsThreaded(program) ? 8 : 0,
                    Output = output,
                    Error = error,
                },
                portable);
            int code = host.Run(new Engine(new EngineOptions { Interruptible = IsThreaded(program) }).Compile(File.ReadAllBytes(file)));
            int expected = Has("exit_code", out JsonElement given) ? given.GetInt32() : 0;
            Assert.True(code == expected, $"exit code {code}: {Encoding.UTF8.GetString(error.ToArray())}");
            if (Text("stdout") is { } text) Assert.Equal(text, Encoding.UTF8.GetString(output.ToArray()));
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }

        bool Has(string name, out JsonElement value)
        {
            value = default;
            return settings.ValueKind == JsonValueKind.Object && settings.TryGetProperty(name, out value);
        }

        string? Text(string name) => Has(name, out JsonElement value) ? value.GetString() : null;

        IEnumerable<JsonElement> Items(string name) => Has(name, out JsonElement value) ? value.EnumerateArray() : [];
    }

    /// <summary>Has nothing to read, until it is closed.</summary>
    private sealed class SilentStream : MemoryStream
    {
        private readonly ManualResetEventSlim closed = new();

        public override bool CanSeek => false;

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => Task.Run(
            () =>
            {
                closed.Wait(cancellationToken);
                return 0;
            }, cancellationToken);

        protected override void Dispose(bool disposing)
        {
            closed.Set();
            base.Dispose(disposing);
        }
    }

    private static void Copy(string from, string to)
    {
        foreach (string directory in Directory.GetDirectories(from, "*", SearchOption.AllDirectories))
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, directory)));
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
            File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)));
    }

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class WasiSuiteTheoryAttribute : TheoryAttribute
    {
        public WasiSuiteTheoryAttribute()
        {
            if (string.IsNullOrEmpty(Suite) || !Directory.Exists(Suite)) Skip = HowTo;
        }
    }
}
