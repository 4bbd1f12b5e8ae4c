using WasmJit.Text;
using Xunit;
using Xunit.Abstractions;

namespace WasmJit.Tests;

/// <summary>
/// The scripts of our own in Tests/Conformance: every row, rule and trap of the runtime-linking extension, whole files, no
/// assertion failed or skipped. `wasmjit wast Tests/Conformance` runs the same.
/// </summary>
public sealed class ConformanceTests(ITestOutputHelper output)
{
    private static readonly string Folder = Golden.InRepository("Tests/Conformance");

    public static TheoryData<string> Files()
    {
        var data = new TheoryData<string>();
        foreach (string file in Scripts()) data.Add(file);
        return data;
    }

    private static IEnumerable<string> Scripts() =>
        Directory.GetFiles(Folder, "*.wast").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal);

    [Theory]
    [MemberData(nameof(Files))]
    public void Guard(string file) => Run(file, new EngineOptions { Compilation = Compilation.Lazy, MemoryChecks = MemoryChecks.Guard });

    [Theory]
    [MemberData(nameof(Files))]
    public void Explicit(string file) => Run(file, new EngineOptions { Compilation = Compilation.Lazy, MemoryChecks = MemoryChecks.Explicit });

    /// <summary>The scripts that are not written from the operator table: those are long, and other tests are about their rows.</summary>
    public static TheoryData<string> OwnFiles()
    {
        var data = new TheoryData<string>();
        foreach (string file in Scripts().Where(f => !f.StartsWith("access-rows", StringComparison.Ordinal))) data.Add(file);
        return data;
    }

    /// <summary>Each tier by itself, and functions that change from one to the other.</summary>
    [Theory]
    [MemberData(nameof(OwnFiles))]
    public void Tiers(string file)
    {
        Run(file, new EngineOptions { Compilation = Compilation.Interpreted });
        Run(file, new EngineOptions { Compilation = Compilation.Lazy });
        foreach (int seed in WasmJit.Tests.Tiers.Seeds(7)) Run(file, new EngineOptions { Compilation = Compilation.Tiered, TierSeed = seed });
    }

    /// <summary>Code that polls and counts computes the same.</summary>
    [Theory]
    [MemberData(nameof(OwnFiles))]
    public void Limited(string file) => Run(file, new EngineOptions { Compilation = Compilation.Lazy, Interruptible = true, CountFuel = true });

    /// <summary>Nothing that code relies on is other than it is taken to be.</summary>
    [Theory]
    [MemberData(nameof(Files))]
    public void Verified(string file)
    {
        Run(file, new EngineOptions { Verify = true });
        Run(file, new EngineOptions { Verify = true, Interruptible = true, MemoryChecks = MemoryChecks.Explicit });
    }

    /// <summary>Each module saved as an assembly, and run as it is loaded from there.</summary>
    [Theory]
    [MemberData(nameof(Files))]
    public void Saved(string file) => Run(file, new EngineOptions(), saved: true);

    private void Run(string file, EngineOptions options, bool saved = false)
    {
        WastResult result = WastRunner.Run(Path.Combine(Folder, file), options, saved);
        output.WriteLine($"{file}: {result.Passed} commands passed");
        Assert.Empty(result.Failures.Select(f => $"{file}:{f.Line}: {f.Reason}"));
        Assert.Equal(0, result.Skipped);
        Assert.True(result.Passed > 1, $"{file} asserts nothing");
    }

    /// <summary>Every module of the scripts: printed and read again, it has the same bytes.</summary>
    [Theory]
    [MemberData(nameof(Files))]
    public void RoundTrips(string file) => PrinterTests.RoundTripScript(Path.Combine(Folder, file), file);
}
