using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using WasmJit.Text;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// Objects of guests while another thread forces collections without a pause: a reference that the collector does not see,
/// or sees in the wrong place, shows as a wrong result or ends the process.
/// </summary>
[Collection(nameof(GcStressTests))]
[CollectionDefinition(nameof(GcStressTests), DisableParallelization = true)]
public sealed partial class GcStressTests
{
    /// <summary>What a script of structs, arrays, casts or exceptions has in it.</summary>
    [GeneratedRegex(@"\((struct|array|try_table|try|throw)\b|i31|anyref|eqref|exnref|(any|extern)\.convert")]
    private static partial Regex OfObjects();

    private static string[] Scripts() =>
    [
        .. new[] { "", "legacy", "proposals/custom-descriptors" }.SelectMany(Suite.Scripts)
            .Where(s => OfObjects().IsMatch(File.ReadAllText(Path.Combine(Suite.Folder!, s)))),
    ];

    [SuiteFact]
    public void ScriptsOfTheSuite()
    {
        string[] scripts = Scripts();
        Assert.True(scripts.Length >= 39, $"only {scripts.Length} scripts");
        UnderPressure(100, () =>
        {
            Parallel.ForEach(scripts, new ParallelOptions { MaxDegreeOfParallelism = 3 }, file =>
            {
                WastResult result = WastRunner.Run(Path.Combine(Suite.Folder!, file));
                Assert.Empty(result.Failures.Select(f => $"{file}:{f.Line}: {f.Reason}"));
            });
        });
    }

    /// <summary>The extension's scripts, which reach memories through references alone.</summary>
    [Fact]
    public void ScriptsOfReferences()
    {
        string folder = Golden.InRepository("Tests/Conformance");
        string[] scripts = ["memory-references.wast", "slices.wast", "reference-casts.wast", "get-export.wast", "two-guests.wast"];
        UnderPressure(20, () =>
        {
            foreach (string file in scripts)
            {
                foreach (MemoryChecks checks in new[] { MemoryChecks.Guard, MemoryChecks.Explicit })
                {
                    WastResult result = WastRunner.Run(Path.Combine(folder, file), Tiers.Compiled with { MemoryChecks = checks });
                    Assert.Empty(result.Failures.Select(f => $"{file}:{f.Line}: {f.Reason}"));
                }
            }
        });
    }

    /// <summary>The kernels of Perf, with less to do than there.</summary>
    [Theory]
    [InlineData("gc_trees", 12)]
    [InlineData("gc_map", 60_000)]
    [InlineData("gc_sort", 5_000)]
    [InlineData("eh_depth1", 2_000)]
    [InlineData("eh_depth10", 1_000)]
    [InlineData("eh_parser", 1)]
    [InlineData("eh_loop", 5_000_000)]
    public void Kernels(string name, int n)
    {
        byte[] bytes = File.ReadAllBytes(Path.Combine(KernelFolder(), name + ".wasm"));
        long expected = Run(bytes, n);
        UnderPressure(5, () => Assert.Equal(expected, Run(bytes, n)));
    }

    private static long Run(byte[] bytes, int n) =>
        new Engine(Tiers.Compiled).Compile(bytes).Instantiate().GetExport<Func<int, long>>("run")(n);

    private static string KernelFolder([CallerFilePath] string test = "") =>
        Path.Combine(Path.GetDirectoryName(test)!, "..", "..", "..", "Perf", "Kernels");

    /// <summary>Does something while a thread collects one generation after the other, compacting; again until it was often enough.</summary>
    private static void UnderPressure(int leastCollections, Action action)
    {
        int collections = 0;
        using var stop = new ManualResetEventSlim();
        var collector = new Thread(() =>
        {
            for (; !stop.IsSet; Interlocked.Increment(ref collections))
            {
                int generation = collections % 16 == 15 ? 2 : collections % 4 == 3 ? 1 : 0;
                GC.Collect(generation, GCCollectionMode.Forced, blocking: true, compacting: generation == 2);
                // Something must happen between two collections.
                Thread.SpinWait(3000);
            }
        });
        collector.Start();
        try
        {
            do action();
            while (Volatile.Read(ref collections) < leastCollections);
        }
        finally
        {
            stop.Set();
            collector.Join();
        }
    }
}
