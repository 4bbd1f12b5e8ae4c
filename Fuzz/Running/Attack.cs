namespace WasmJit.Fuzz;

/// <summary>Runs modules in several modes and finds failures.</summary>
internal sealed class Attack
{
    private readonly IReadOnlyList<ModuleRunner> runners;
    private readonly IReadOnlyList<Mode> modes;
    private readonly RunLimit limit;

    internal Attack(IReadOnlyList<Mode> modes, RunLimit limit)
    {
        this.modes = modes;
        this.limit = limit;
        runners = [.. modes.Select(m => new ModuleRunner(m))];
    }

    /// <summary>The runs that were late in all modes since the last time, and the longest.</summary>
    internal LateRuns TakeLate()
    {
        var all = new LateRuns();
        foreach (ModuleRunner runner in runners)
        {
            all.Add(runner.Late.Most, runner.Late.Count);
            runner.Late = new LateRuns();
        }
        return all;
    }

    /// <summary>Runs one module in all modes.</summary>
    /// <param name="bytes">The module.</param>
    /// <param name="seed">The seed of the calls' arguments.</param>
    /// <param name="isProgram">Whether it is valid, ends by itself, and behaves the same in each mode.</param>
    internal Failure? Run(byte[] bytes, int seed, bool isProgram)
    {
        List<string>? expected = null;
        for (int i = 0; i < runners.Count; i++)
        {
            Failure? failure = runners[i].Run(bytes, seed, isProgram, limit);
            // A single delay may be a pause of the whole process.
            if (failure?.Kind == FailureKind.Late) failure = runners[i].Run(bytes, seed, isProgram, limit);
            if (failure is not null) return failure;
            List<string>? actual = runners[i].Lines;
            if (expected is null || actual is null)
            {
                expected ??= actual;
                continue;
            }
            // The states differ after the fuel is used up.
            foreach (List<string> lines in new[] { expected, actual })
            {
                int outOfFuel = lines.FindIndex(l => l.Contains($"= {nameof(TrapKind.OutOfFuel)},", StringComparison.Ordinal));
                if (outOfFuel >= 0 && outOfFuel < actual.Count) actual = actual[..outOfFuel];
            }
            int at = Enumerable.Range(0, actual.Count).FirstOrDefault(n => actual[n] != expected[n], -1);
            if (at >= 0) return new Failure(FailureKind.Differs, modes[i].Name, $"{actual[at]}; in mode {modes[0].Name} {expected[at]}");
        }
        return null;
    }
}
