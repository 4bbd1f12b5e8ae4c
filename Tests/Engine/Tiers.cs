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

    /// <summary>Seeds of what is compiled when: one that is given, and with WASMJIT_TIER_SEEDS so many in all.</summary>
    internal static IEnumerable<int> Seeds(int first) =>
        Enumerable.Range(0, int.Parse(Environment.GetEnvironmentVariable("WASMJIT_TIER_SEEDS") ?? "1")).Select(i => first + (i * 1009));

    /// <summary>For tests of what code does, whatever runs it.</summary>
    internal static readonly EngineOptions[] Both = [Compiled, Interpreted];
}
