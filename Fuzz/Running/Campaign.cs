using System.Diagnostics;
using System.Globalization;

namespace WasmJit.Fuzz;

/// <summary>What an attack tries, and for how long.</summary>
internal sealed record CampaignPlan
{
    internal required IReadOnlyList<ModuleGenerator> Generators { get; init; }
    internal required IReadOnlyList<Mode> Modes { get; init; }

    /// <summary>The number of the first module.</summary>
    internal required int Seed { get; init; }

    /// <summary>How many modules of each generator; without end if null.</summary>
    internal int? Count { get; init; }

    /// <summary>For how long; without end if null.</summary>
    internal TimeSpan? Duration { get; init; }

    internal RunLimit Limit { get; init; } = RunLimit.Usual;

    /// <summary>Where reproducers are kept.</summary>
    internal required string Output { get; init; }

    /// <summary>How long a failure may be shrunk.</summary>
    internal TimeSpan Shrinking { get; init; } = TimeSpan.FromMinutes(1);
}

/// <summary>Runs random modules in child processes until somebody stops it, and keeps what fails.</summary>
/// <param name="plan">What to do.</param>
/// <param name="start">How children are started.</param>
/// <param name="log">Told of each failure, in a line.</param>
internal sealed class Campaign(CampaignPlan plan, Func<ProcessStartInfo> start, Action<string> log)
{
    private const int Batch = 200;

    /// <summary>Failures of a kind, generator and mode of which reproducers are shrunk and kept; more say nothing new.</summary>
    private const int KeptOfAKind = 10;

    private readonly Dictionary<(string Generator, FailureKind Kind, string Mode), int> counts = [];

    /// <summary>How many modules were run.</summary>
    internal int Modules { get; private set; }

    /// <summary>How many of them failed.</summary>
    internal int Failures => counts.Values.Sum();

    /// <summary>Runs it.</summary>
    /// <param name="cancellation">Ends it after the module that is running.</param>
    internal void Run(CancellationToken cancellation)
    {
        long begin = Stopwatch.GetTimestamp();
        using var worker = new WorkerProcess(start, Patience);
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

    /// <summary>How long a module may take in all modes; a loaded machine is no failure.</summary>
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

    /// <summary>The module's text, which broken ones may not have.</summary>
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

    /// <summary>A smaller module that fails as this one does: in a child of its own, which it may end.</summary>
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
