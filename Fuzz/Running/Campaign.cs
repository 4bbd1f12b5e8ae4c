using System.Diagnostics;
using System.Globalization;

namespace WasmJit.Fuzz;

/// <summary>The settings of a campaign.</summary>
internal sealed record CampaignPlan
{
    internal required IReadOnlyList<ModuleGenerator> Generators { get; init; }
    internal required IReadOnlyList<Mode> Modes { get; init; }

    /// <summary>The number of the first module.</summary>
    internal required int Seed { get; init; }

    /// <summary>The number of modules of each generator; null for no limit.</summary>
    internal int? Count { get; init; }

    /// <summary>How long it runs; null for no limit.</summary>
    internal TimeSpan? Duration { get; init; }

    internal RunLimit Limit { get; init; } = RunLimit.Usual;

    /// <summary>Where reproducers are kept.</summary>
    internal required string Output { get; init; }

    /// <summary>How long a failure may be shrunk.</summary>
    internal TimeSpan Shrinking { get; init; } = TimeSpan.FromMinutes(1);
}

/// <summary>Runs random modules in child processes until it is stopped, and keeps those that fail.</summary>
/// <param name="plan">The settings.</param>
/// <param name="start">Starts a child process.</param>
/// <param name="log">Gets a line for each failure.</param>
internal sealed class Campaign(CampaignPlan plan, Func<ProcessStartInfo> start, Action<string> log)
{
    /// <summary>How many modules a child is asked for at a time: a campaign ends when it has run them.</summary>
    private const int Batch = 10;

    /// <summary>The number of reproducers that are shrunk and kept for each kind, generator and mode.</summary>
    private const int KeptOfAKind = 10;

    private readonly Dictionary<(string Generator, FailureKind Kind, string Mode), int> counts = [];

    /// <summary>The number of modules that were run.</summary>
    internal int Modules { get; private set; }

    /// <summary>The number of modules that failed.</summary>
    internal int Failures => counts.Values.Sum();

    /// <summary>Calls that went on after their time by the clock; those for which the machine is no excuse are failures too.</summary>
    internal LateRuns Late { get; private set; } = new();

    /// <summary>Runs it.</summary>
    /// <param name="cancellation">Stops it when the modules that a child was asked for have been run.</param>
    internal void Run(CancellationToken cancellation)
    {
        long begin = Stopwatch.GetTimestamp();
        using var worker = new WorkerProcess(start, Patience);
        Late = worker.Late;
        for (int done = 0; plan.Count is not { } count || done < count; done += Batch)
        {
            int size = Math.Min(Batch, (plan.Count ?? int.MaxValue) - done);
            foreach (ModuleGenerator generator in plan.Generators)
            {
                if (cancellation.IsCancellationRequested || Stopwatch.GetElapsedTime(begin) > plan.Duration) return;
                worker.Range(generator.Name, plan.Seed + done, size, (seed, failure) => Keep(generator, seed, failure));
                Modules += size;
            }
        }
    }

    /// <summary>How long a module may take in all modes, with time for a loaded machine.</summary>
    private TimeSpan Patience => (plan.Limit.Time * plan.Modes.Count) + TimeSpan.FromSeconds(20);

    private void Keep(ModuleGenerator generator, int seed, Failure failure)
    {
        var key = (generator.Name, failure.Kind, failure.Mode);
        counts[key] = counts.GetValueOrDefault(key) + 1;
        log($"{failure.Kind.ToString().ToLowerInvariant()}: {generator.Name} {seed.ToString(CultureInfo.InvariantCulture)}, mode {failure.Mode}: {failure.What}");
        if (counts[key] > KeptOfAKind || failure.Kind == FailureKind.Unmade) return;
        Directory.CreateDirectory(plan.Output);
        byte[] module = generator.Make(seed);
        string path = Path.Combine(plan.Output, string.Create(CultureInfo.InvariantCulture, $"{generator.Name}-{seed}"));
        File.WriteAllBytes(path + ".wasm", module);
        byte[] small = Shrink(module, seed, generator.MakesPrograms, failure);
        string text = $"generator {generator.Name}, seed {seed}, {failure.Kind} in mode {failure.Mode}: {failure.What}";
        if (small.Length < module.Length) File.WriteAllBytes(path + ".small.wasm", small);
        File.WriteAllText(path + ".wat", $";; {text.Replace('\n', ' ')}\n{Print(small)}");
        log($"  kept: {path}.wat, {small.Length} of {module.Length} bytes");
    }

    /// <summary>The module's text; null if it cannot be printed.</summary>
    private static string Print(byte[] module)
    {
        try
        {
            return Wat.FromBinary(module);
        }
        catch (ModuleException e)
        {
            return $";; {e.Message}\n;; {Convert.ToHexString(module)}\n";
        }
    }

    /// <summary>A smaller module that fails in the same way. It runs in a child process, which it may end.</summary>
    private byte[] Shrink(byte[] module, int seed, bool isProgram, Failure failure)
    {
        long begin = Stopwatch.GetTimestamp();
        using var worker = new WorkerProcess(start, Patience);
        var shrinker = new Shrinker(
            candidate => Stopwatch.GetElapsedTime(begin) < plan.Shrinking && worker.Module(candidate, seed, isProgram) is { } other && other.IsLike(failure),
            int.MaxValue);
        return shrinker.Shrink(module);
    }
}
