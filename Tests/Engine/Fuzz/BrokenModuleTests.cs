using WasmJit.Text;
using Xunit;

namespace WasmJit.Tests;

/// <summary>A sample of broken modules; <c>wasmjit fuzz</c> tries them all.</summary>
public sealed class BrokenModuleTests
{
    private static byte[][] Modules(params string[] files) =>
        [.. files.SelectMany(f => ModuleFuzzer.ModulesOf(WastReader.Read(File.ReadAllBytes(Path.Combine(Suite.Folder!, f)), f)))];

    [SuiteTheory]
    [InlineData(MemoryChecks.Guard)]
    [InlineData(MemoryChecks.Explicit)]
    public void TruncatedModulesAreRefusedOrValid(MemoryChecks checks)
    {
        var fuzzer = new ModuleFuzzer(new EngineOptions { MemoryChecks = checks });
        foreach (byte[] module in Modules("call_indirect.wast", "elem.wast", "memory64.wast", "return_call_ref.wast", "struct.wast", "try_table.wast"))
            fuzzer.Truncate(module, 3);
        Assert.Empty(fuzzer.Result.Escaped);
        Assert.True(fuzzer.Result.Tried > 1000);
    }

    [SuiteTheory]
    [InlineData(MemoryChecks.Guard)]
    [InlineData(MemoryChecks.Explicit)]
    public void MutatedModulesAreRefusedOrValid(MemoryChecks checks)
    {
        var fuzzer = new ModuleFuzzer(new EngineOptions { MemoryChecks = checks });
        fuzzer.Mutate(Modules("block.wast", "br_table.wast", "table_init.wast", "global.wast", "type-rec.wast", "simd_lane.wast", "custom/branch_hint.wast"), 3000, 42);
        Assert.Empty(fuzzer.Result.Escaped);
        Assert.InRange(fuzzer.Result.Valid, 1, fuzzer.Result.Tried - 1);
    }

    /// <summary>Modules that have modules in them.</summary>
    [Theory]
    [InlineData(MemoryChecks.Guard)]
    [InlineData(MemoryChecks.Explicit)]
    public void BrokenModulesOfTheExtensionAreRefusedOrValid(MemoryChecks checks)
    {
        byte[][] modules =
        [
            .. Directory.GetFiles(Golden.InRepository("Tests/Conformance"), "static-*.wast")
                .SelectMany(f => ModuleFuzzer.ModulesOf(WastReader.Read(File.ReadAllBytes(f), f))),
        ];
        var fuzzer = new ModuleFuzzer(new EngineOptions { MemoryChecks = checks });
        foreach (byte[] module in modules) fuzzer.Truncate(module, 7);
        fuzzer.Mutate(modules, 5000, 42);
        Assert.Empty(fuzzer.Result.Escaped);
        Assert.InRange(fuzzer.Result.Valid, 1, fuzzer.Result.Tried - 1);
    }
}
