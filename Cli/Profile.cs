using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using WasmJit.Runtime;

namespace WasmJit.Cli;

/// <summary><c>--profile</c>: samples of a run, as a file that speedscope and its like open.</summary>
internal sealed class Profile
{
    /// <summary>A sample takes some tens of microseconds, so many units about 0.1 ms.</summary>
    private const long DefaultInterval = 200_000;

    private const int MostSamples = 50_000;

    internal static readonly Option<string> File = new("--profile")
    {
        Description = "Write a sampled profile of the program's functions to this file (- is the standard output), for speedscope.app. Functions are compiled, and not inlined.",
        HelpName = "FILE",
    };

    private static readonly Option<string> Every = new("--sample-every")
    {
        Description = "With --profile: take a sample after so many units of work (see --fuel); 200_000 if this is not given.",
        HelpName = "UNITS",
    };

    private readonly string file;
    private readonly GuestSampler sampler;

    private Profile(string file, long interval)
    {
        this.file = file;
        sampler = new GuestSampler(interval, MostSamples);
        Fuel = sampler.MakeFuel();
    }

    internal static IReadOnlyList<Option> Options { get; } = [File, Every];

    /// <summary>What a command line wants; null without <c>--profile</c>.</summary>
    /// <exception cref="ToolException">A value is not what its option takes, or options contradict each other.</exception>
    internal static Profile? Of(ParseResult parsed, RunLimits limits)
    {
        if (parsed.GetValue(File) is not { } file) return parsed.GetValue(Every) is null ? null : throw new ToolException("--sample-every needs --profile");
        if (limits.Fuel is not null) throw new ToolException("--profile counts what the program does, and cannot be used with --fuel");
        if (parsed.GetValue(EngineFlags.Tier) is { } tier and not ("ahead" or "compiler")) throw new ToolException($"--profile compiles functions, and cannot be used with --tier {tier}");
        long interval = DefaultInterval;
        if (parsed.GetValue(Every) is { } text
            && (!long.TryParse(text.Replace("_", "", StringComparison.Ordinal), NumberStyles.None, CultureInfo.InvariantCulture, out interval) || interval is < 100 or > 1L << 50))
            throw new ToolException($"--sample-every {text}: the value must be a number of units, at least 100");
        return new Profile(file, interval);
    }

    /// <summary>Whether the guest has done anything.</summary>
    internal bool HasBegun => sampler.Samples.Count > 0 || Fuel.Remaining < sampler.Interval;

    /// <summary>What the guest uses up.</summary>
    internal Fuel Fuel { get; }

    internal static EngineOptions Apply(EngineOptions options) =>
        options with { CountFuel = true, TakesSamples = true, Compilation = options.Compilation == Compilation.Ahead ? Compilation.Ahead : Compilation.Lazy };

    /// <summary>Writes the file.</summary>
    internal void Write(Terminal terminal, string program)
    {
        GuestSampler.Sample[] samples;
        lock (sampler.Samples) samples = [.. sampler.Samples.Where(s => s.Stack.Length > 0)];
        var frames = new Dictionary<string, int>();
        foreach (string name in samples.SelectMany(s => s.Stack)) frames.TryAdd(name, frames.Count);
        var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("$schema", "https://www.speedscope.app/file-format-schema.json");
            json.WriteString("exporter", "wasmjit");
            json.WriteString("name", program);
            json.WriteStartObject("shared");
            json.WriteStartArray("frames");
            foreach (string name in frames.Keys)
            {
                json.WriteStartObject();
                json.WriteString("name", name);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteStartArray("profiles");
            double perTick = 1e9 / Stopwatch.Frequency;
            WriteProfile(json, "time", "nanoseconds", samples, frames, s => (long)(s.Ticks * perTick));
            WriteProfile(json, "instructions", "none", samples, frames, s => s.Units);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        terminal.WriteFile(file, stream.ToArray());
        terminal.Note($"profile: {file}, {samples.Length} samples");
    }

    private static void WriteProfile(
        Utf8JsonWriter json, string name, string unit, GuestSampler.Sample[] samples, Dictionary<string, int> frames, Func<GuestSampler.Sample, long> weight)
    {
        json.WriteStartObject();
        json.WriteString("type", "sampled");
        json.WriteString("name", name);
        json.WriteString("unit", unit);
        json.WriteNumber("startValue", 0);
        json.WriteNumber("endValue", samples.Sum(weight));
        json.WriteStartArray("samples");
        foreach (GuestSampler.Sample sample in samples)
        {
            json.WriteStartArray();
            // Outermost function first.
            for (int i = sample.Stack.Length - 1; i >= 0; i--) json.WriteNumberValue(frames[sample.Stack[i]]);
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteStartArray("weights");
        foreach (GuestSampler.Sample sample in samples) json.WriteNumberValue(weight(sample));
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
