namespace WasmJit.Tests;

/// <summary>Options of tests that mean machine code, or each tier. By default functions are interpreted until they have been called often.</summary>
internal static class Tiers
{
    internal static readonly EngineOptions Compiled = new() { Compilation = Compilation.Lazy };

    /// <summary>Functions with something that the interpreter does not know are compiled all the same.</summary>
    internal static readonly EngineOptions Interpreted = new() { Compilation = Compilation.Interpreted };

    /// <summary>Interpreted first, and compiled by another thread when they are hot.</summary>
    internal static readonly EngineOptions Tiered = new() { BackgroundThreads = 1 };

    /// <summary>For modules whose code was saved.</summary>
    internal static readonly EngineOptions Never = new() { Compilation = Compilation.Never };

    /// <summary>For tests of what code does, whatever runs it.</summary>
    internal static readonly EngineOptions[] Both = [Compiled, Interpreted];

    private static readonly int SeedCount = int.TryParse(Environment.GetEnvironmentVariable("WASMJIT_TIER_SEEDS"), out int count) ? count : 0;

    /// <summary>Functions and loops begin in the interpreter and go on in machine code, at points that a seed chooses. WASMJIT_TIER_SEEDS=N tries the seeds 1 to N.</summary>
    /// <param name="usual">The seed without the variable.</param>
    internal static IEnumerable<EngineOptions> Changing(int usual) =>
        (SeedCount == 0 ? [usual] : Enumerable.Range(1, SeedCount)).Select(seed => new EngineOptions { Compilation = Compilation.Tiered, TierSeed = seed });
}
