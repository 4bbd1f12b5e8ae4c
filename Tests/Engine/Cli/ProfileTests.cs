using System.Text.Json;
using WasmJit.Cli;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests;

/// <summary><c>wasmjit profile</c>: the file that speedscope opens.</summary>
public sealed class ProfileTests : IDisposable
{
    /// <summary>Nine tenths of the work are below one of two callers.</summary>
    private const string Program = """
        (module $app
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (memory (export "memory") 1)
          (func $work (param $n i32)
            (loop $l (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
          (func $hot (call $work (i32.const 90000)))
          (func $cold (call $work (i32.const 10000)) (memory.fill (i32.const 0) (i32.const 1) (i32.const 60000)))
          (func (export "_start") (call $hot) (call $cold) (call $exit (i32.const 5))))
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-profile").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string File(string name, string text = "")
    {
        string path = Path.Combine(folder, name);
        if (text.Length > 0) System.IO.File.WriteAllText(path, text);
        return path;
    }

    private static (int Code, string Out, string Error) Run(params string[] args) => ToolRun.Of(args);

    /// <summary>The stacks of a file, outermost function first, and their weights.</summary>
    private static (List<string> Stacks, List<long> Weights) Read(string file, int profile)
    {
        using JsonDocument json = JsonDocument.Parse(System.IO.File.ReadAllText(file));
        string[] frames = [.. json.RootElement.GetProperty("shared").GetProperty("frames").EnumerateArray().Select(f => f.GetProperty("name").GetString()!)];
        JsonElement own = json.RootElement.GetProperty("profiles")[profile];
        Assert.Equal(("sampled", profile == 0 ? "nanoseconds" : "none"), (own.GetProperty("type").GetString(), own.GetProperty("unit").GetString()));
        List<string> stacks = [.. own.GetProperty("samples").EnumerateArray().Select(s => string.Join('>', s.EnumerateArray().Select(i => frames[i.GetInt32()])))];
        List<long> weights = [.. own.GetProperty("weights").EnumerateArray().Select(w => w.GetInt64())];
        Assert.Equal(stacks.Count, weights.Count);
        Assert.Equal(weights.Sum(), own.GetProperty("endValue").GetInt64());
        return (stacks, weights);
    }

    [Fact]
    public void SamplesSayWhereTheWorkIs()
    {
        string program = File("app.wat", Program), first = File("first.json"), second = File("second.json");
        (int code, string output, string error) = Run("profile", "-o", first, "--sample-every", "1000", program);
        (List<string> stacks, List<long> weights) = Read(first, 1);
        Assert.Equal((5, "", $"profile: {first}, {stacks.Count} samples\n"), (code, output, error));
        long Weight(string stack) => stacks.Zip(weights).Where(s => s.First == stack).Sum(s => s.Second);
        long hot = Weight("app!_start>app!hot>app!work"), cold = Weight("app!_start>app!cold>app!work"), fill = Weight("app!_start>app!cold"), all = weights.Sum();
        Assert.InRange(hot / (double)all, 0.8, 0.95);
        Assert.InRange(cold / (double)all, 0.05, 0.15);
        // What one operator does counts, too.
        Assert.True(fill > 5000, $"{fill}");
        // The same work is the same profile, and time is measured for each sample.
        Assert.Equal(5, Run("run", "--profile", second, "--sample-every", "1_000", program).Code);
        Assert.Equal(stacks, Read(second, 1).Stacks);
        Assert.Equal(weights, Read(second, 1).Weights);
        (List<string> timed, List<long> times) = Read(second, 0);
        Assert.Equal(stacks, timed);
        Assert.All(times, t => Assert.True(t > 0));
    }

    [Fact]
    public void ATrapHasAProfileToo()
    {
        string program = File("trap.wat", Program.Replace("(call $exit (i32.const 5))", "unreachable", StringComparison.Ordinal)), file = File("trap.json");
        (int code, _, string error) = Run("profile", "-o", file, "--sample-every", "1000", program);
        Assert.Equal(Tool.Trapped, code);
        Assert.StartsWith($"profile: {file}, ", error, StringComparison.Ordinal);
        Assert.True(Read(file, 1).Stacks.Count > 10);
    }

    /// <summary>A run with more samples than are kept has every other one, with the weights of both.</summary>
    [Fact]
    public void ThereAreNotTooManySamples()
    {
        var sampler = new GuestSampler(100, 100);
        Module module = new Engine(new EngineOptions { TakesSamples = true, CountFuel = true, Compilation = Compilation.Lazy })
            .CompileText("(module $app (func (export \"f\") (local i32) (loop $l (br_if $l (i32.ne (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 20000))))))");
        module.Instantiate(fuel: sampler.MakeFuel()).GetExport<Action>("f")();
        Assert.InRange(sampler.Samples.Count, 50, 100);
        Assert.InRange(sampler.Interval, 800, 6400);
        Assert.InRange(sampler.Samples.Sum(s => s.Units), 60_000, 200_000);
        Assert.All(sampler.Samples, s => Assert.Equal(["app!f"], s.Stack));
    }

    /// <summary>A run that is stopped has a profile of what it has done, though its loops look at no token.</summary>
    [Fact]
    public async Task ASampledRunCanBeStopped()
    {
        var sampler = new GuestSampler(1000, 1000);
        Module module = new Engine(new EngineOptions { TakesSamples = true, CountFuel = true, Compilation = Compilation.Lazy })
            .CompileText("(module $app (func (export \"f\") (param i64) (loop $l (br_if $l (i64.ne (local.tee 0 (i64.sub (local.get 0) (i64.const 1))) (i64.const 0))))))");
        Action<long> f = module.Instantiate(fuel: sampler.MakeFuel()).GetExport<Action<long>>("f");
        using var source = new CancellationTokenSource();
        Task stopped = Task.Run(() =>
        {
            Assert.True(Eventually.Holds(() =>
            {
                lock (sampler.Samples) return sampler.Samples.Count > 0;
            }));
            source.Cancel();
        });
        // Hours, if nothing stops it.
        Assert.Throws<GuestCanceledException>(() => Guest.Run(() => f(1L << 50), source.Token));
        await stopped;
    }

    [Theory]
    [InlineData("--profile counts what the program does, and cannot be used with --fuel", "--profile", "p.json", "--fuel", "10")]
    [InlineData("--profile compiles functions, and cannot be used with --tier interpreter", "--profile", "p.json", "--tier", "interpreter")]
    [InlineData("--sample-every needs --profile", "--sample-every", "1000")]
    [InlineData("--sample-every few: the value must be a number of units, at least 100", "--profile", "p.json", "--sample-every", "few")]
    [InlineData("--sample-every 99: the value must be a number of units, at least 100", "--profile", "p.json", "--sample-every", "99")]
    public void OptionsThatContradictAreErrors(string problem, params string[] options) =>
        Assert.Equal((1, "", $"error: {problem}\n"), Run(["run", .. options, File("app.wat", Program)]));

    /// <summary>The file may be named before and behind the options of the run.</summary>
    [Theory]
    [InlineData("-o", "FILE", "--sample-every", "1000")]
    [InlineData("--sample-every", "1000", "-o", "FILE")]
    [InlineData("--sample-every=1000", "--output=FILE", "--env", "A=1")]
    public void OptionsHaveNoOrder(params string[] options)
    {
        string file = File("out.json");
        (int code, string output, string error) = Run(["profile", .. options.Select(o => o.Replace("FILE", file, StringComparison.Ordinal)), File("app.wat", Program)]);
        Assert.Equal((5, ""), (code, output));
        Assert.StartsWith($"profile: {file}, ", error, StringComparison.Ordinal);
        Assert.NotEmpty(Read(file, profile: 1).Stacks);
        Assert.Equal((1, "", "error: -o needs a value\nhelp: wasmjit profile --help\n"), Run("profile", "-o"));
        Assert.Equal((1, "", "error: unknown option --outptu\nhelp: did you mean --output?\n"), Run("profile", "--outptu", "x", File("app.wat", Program)));
    }
}
