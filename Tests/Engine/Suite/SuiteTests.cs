using WasmJit.Jit.Emit;
using WasmJit.Text;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The official suite with its directories, in both memory modes: whole files, no assertion failed or skipped.</summary>
public sealed class SuiteTests
{
    /// <summary>The suite's own directory and those below it.</summary>
    private static readonly string[] Folders =
    [
        "", "custom", "legacy", "proposals/custom-descriptors", "proposals/custom-page-sizes", "proposals/threads",
        "proposals/wide-arithmetic",
    ];

    public static TheoryData<string> Files()
    {
        var data = new TheoryData<string>();
        foreach (string file in Folders.SelectMany(Suite.Scripts)) data.Add(file);
        if (data.Count == 0) data.Add(Suite.HowTo);
        return data;
    }

    /// <summary>None is left out: so many are in each folder, and there are no other folders with scripts.</summary>
    [SuiteFact]
    public void AreAllThere()
    {
        Assert.Equal([257, 3, 4, 14, 5, 4, 1], Folders.Select(f => Suite.Scripts(f).Count()));
        Assert.Equal(288, Directory.GetFiles(Suite.Folder!, "*.wast", SearchOption.AllDirectories).Length);
    }

    [SuiteTheory]
    [MemberData(nameof(Files))]
    public void Guard(string file) => Run(file, MemoryChecks.Guard);

    [SuiteTheory]
    [MemberData(nameof(Files))]
    public void Explicit(string file) => Run(file, MemoryChecks.Explicit);

    private static void Run(string file, MemoryChecks checks) =>
        Run(file, Tiers.Compiled with { MemoryChecks = checks });

    /// <summary>Code that polls and counts computes the same.</summary>
    [SuiteTheory]
    [MemberData(nameof(Files))]
    public void Limited(string file) => Run(file, Tiers.Compiled with { Interruptible = true, CountFuel = true });

    /// <summary>Nothing that code relies on is other than it is taken to be, in both memory modes.</summary>
    [SuiteTheory]
    [MemberData(nameof(Files))]
    public void Verified(string file)
    {
        Run(file, new EngineOptions { Verify = true });
        Run(file, new EngineOptions { Verify = true, Interruptible = true, MemoryChecks = MemoryChecks.Explicit });
    }

    /// <summary>The interpreter computes the same, and so do functions that begin in it and go on in machine code anywhere.</summary>
    [SuiteTheory]
    [MemberData(nameof(Files))]
    public void Interpreted(string file)
    {
        Run(file, Tiers.Interpreted);
        foreach (int seed in Tiers.Seeds(file.Length)) Run(file, new EngineOptions { Compilation = Compilation.Tiered, TierSeed = seed });
    }

    /// <summary>Functions split into parts compute the same.</summary>
    [SuiteTheory]
    [InlineData("block.wast")]
    [InlineData("br.wast")]
    [InlineData("br_if.wast")]
    [InlineData("br_table.wast")]
    [InlineData("call.wast")]
    [InlineData("call_indirect.wast")]
    [InlineData("float_exprs.wast")]
    [InlineData("func.wast")]
    [InlineData("global.wast")]
    [InlineData("if.wast")]
    [InlineData("labels.wast")]
    [InlineData("left-to-right.wast")]
    [InlineData("legacy/rethrow.wast")]
    [InlineData("legacy/try_catch.wast")]
    [InlineData("legacy/try_delegate.wast")]
    [InlineData("local_set.wast")]
    [InlineData("local_tee.wast")]
    [InlineData("loop.wast")]
    [InlineData("memory_grow.wast")]
    [InlineData("memory_trap.wast")]
    [InlineData("nop.wast")]
    [InlineData("return.wast")]
    [InlineData("select.wast")]
    [InlineData("simd_lane.wast")]
    [InlineData("simd_linking.wast")]
    [InlineData("simd_load.wast")]
    [InlineData("simd_select.wast")]
    [InlineData("switch.wast")]
    [InlineData("table_copy.wast")]
    [InlineData("throw_ref.wast")]
    [InlineData("try_table.wast")]
    [InlineData("unreachable.wast")]
    [InlineData("unwind.wast")]
    public void Split(string file)
    {
        Run(file, new EngineOptions { PartSize = new PartSize(12, 5, 30) });
        // In the interpreter operands are spilled, vectors among them.
        Run(file, Tiers.Interpreted with { SlotsOfSpilling = 2, InterpretsAll = true });
        Run(file, Tiers.Interpreted with { InterpretsAll = true });
    }

    private static void Run(string file, EngineOptions options)
    {
        WastResult result = WastRunner.Run(Path.Combine(Suite.Folder!, file), options);
        Assert.Empty(result.Failures.Select(f => $"{file}:{f.Line}: {f.Reason}"));
        Assert.Equal(0, result.Skipped);
        Assert.True(result.Passed > 0 || new FileInfo(Path.Combine(Suite.Folder!, file)).Length < 2000);
    }
}
