using System.Globalization;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The frame of tests that make random functions, a hundred to a module, and run them in several ways.</summary>
internal static class PathRuns
{
    private const int InModule = 100;

    /// <summary>How many functions a test makes; <c>WASMJIT_FLOAT_COUNT</c> for longer runs.</summary>
    private static readonly int Count = Variable("WASMJIT_FLOAT_COUNT", 500);

    private static readonly int Seed = Variable("WASMJIT_RANDOM_SEED", 1);

    private static int Variable(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out int value) ? value : otherwise;

    /// <summary>Makes and runs modules until there were enough functions.</summary>
    /// <param name="part">Which of several tests this is: each has numbers of its own.</param>
    /// <param name="make">Makes a module's text and its cases, so many.</param>
    /// <param name="run">Runs a case of an instance; what is wrong, or null.</param>
    /// <param name="tiers">The options with which each module runs.</param>
    internal static void Run<TCase>(
        int part, Func<Random, int, (string Text, List<TCase> Cases)> make, Func<Instance, TCase, string?> run, params EngineOptions[] tiers)
    {
        var random = new Random((Seed * 10) + part);
        var failures = new List<string>();
        for (int made = 0; made < Count; made += InModule)
        {
            (string text, List<TCase> cases) = make(random, InModule);
            foreach (EngineOptions options in tiers)
            {
                Instance instance = new Engine(options).CompileText(text).Instantiate();
                failures.AddRange(cases.Select(test => run(instance, test)).OfType<string>());
            }
        }
        Assert.True(failures.Count == 0, $"{failures.Count} of {Count}: {string.Join('\n', failures.Take(20))}");
    }
}
