using System.Runtime.CompilerServices;
using WasmJit.Text;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// Objects of guests while another thread forces collections without a pause: a reference that the collector does not see,
/// or sees in the wrong place, shows as a wrong result or ends the process.
/// </summary>
[Collection(nameof(GcStressTests))]
[CollectionDefinition(nameof(GcStressTests), DisableParallelization = true)]
public sealed class GcStressTests
{
    /// <summary>What the suite has of structs, arrays, references, casts and exceptions.</summary>
    private static readonly string[] Scripts =
    [
        "array.wast", "array_copy.wast", "array_fill.wast", "array_init_data.wast", "array_init_elem.wast", "array_new_data.wast",
        "array_new_elem.wast", "br_on_cast.wast", "br_on_cast_fail.wast", "br_on_non_null.wast", "br_on_null.wast", "call_ref.wast",
        "extern.wast", "i31.wast", "ref_as_non_null.wast", "ref_cast.wast", "ref_eq.wast", "ref_func.wast", "ref_is_null.wast",
        "ref_null.wast", "ref_test.wast", "return_call_ref.wast", "struct.wast", "table_get.wast", "table_set.wast", "table_copy.wast",
        "throw.wast", "throw_ref.wast", "try_table.wast", "type-equivalence.wast", "type-rec.wast", "type-subtyping.wast",
        "proposals/custom-descriptors/descriptors.wast", "proposals/custom-descriptors/ref_get_desc.wast",
        "proposals/custom-descriptors/struct_new_desc.wast",
    ];

    [SuiteFact]
    public void ScriptsOfTheSuite()
    {
        int collections = UnderPressure(() =>
        {
            Parallel.ForEach(Scripts, new ParallelOptions { MaxDegreeOfParallelism = 3 }, file =>
            {
                WastResult result = WastRunner.Run(Path.Combine(Suite.Folder!, file));
                Assert.Empty(result.Failures.Select(f => $"{file}:{f.Line}: {f.Reason}"));
                Assert.True(result.Passed > 0);
            });
        });
        Assert.True(collections > 100, $"only {collections} collections");
    }

    /// <summary>The kernels of Perf, with less to do than there.</summary>
    [Theory]
    [InlineData("gc_trees", 12)]
    [InlineData("gc_map", 60_000)]
    [InlineData("gc_sort", 5_000)]
    [InlineData("eh_depth1", 2_000)]
    [InlineData("eh_depth10", 1_000)]
    public void Kernels(string name, int n)
    {
        byte[] bytes = File.ReadAllBytes(Path.Combine(KernelFolder(), name + ".wasm"));
        long expected = Run(bytes, n);
        int collections = UnderPressure(() =>
        {
            for (int i = 0; i < 3; i++) Assert.Equal(expected, Run(bytes, n));
        });
        Assert.True(collections > 3, $"only {collections} collections");
    }

    private static long Run(byte[] bytes, int n) =>
        new Engine().Compile(bytes).Instantiate().GetExport<Func<int, long>>("run")(n);

    private static string KernelFolder([CallerFilePath] string test = "") =>
        Path.Combine(Path.GetDirectoryName(test)!, "..", "..", "..", "Perf", "Kernels");

    /// <summary>Does something while a thread collects one generation after the other, compacting; how often it did.</summary>
    private static int UnderPressure(Action action)
    {
        int collections = 0;
        using var stop = new ManualResetEventSlim();
        var collector = new Thread(() =>
        {
            for (; !stop.IsSet; collections++)
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
            action();
        }
        finally
        {
            stop.Set();
            collector.Join();
        }
        return collections;
    }
}
