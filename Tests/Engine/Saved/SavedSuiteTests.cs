using WasmJit.Text;
using Xunit;

namespace WasmJit.Tests.Saved;

/// <summary>
/// Scripts of the official suite with each module saved as an assembly and run as it is loaded from there, by an engine that
/// compiles nothing. These are some of each kind; `wasmjit wast --saved` runs all.
/// </summary>
public sealed class SavedSuiteTests
{
    private static readonly string[] Files =
    [
        "fac.wast", "i32.wast", "f64.wast", "conversions.wast", "float_exprs.wast", "left-to-right.wast", "unwind.wast", "traps.wast",
        "br_table.wast", "loop.wast", "switch.wast", "call.wast", "func.wast", "global.wast", "start.wast", "imports.wast", "linking.wast",
        "call_indirect.wast", "call_ref.wast", "return_call.wast", "return_call_indirect.wast", "return_call_ref.wast",
        "skip-stack-guard-page.wast", "memory_trap.wast", "memory64.wast", "memory_copy.wast", "bulk.wast", "load64.wast", "data.wast", "elem.wast",
        "table_grow.wast", "table_init.wast", "ref_func.wast", "select.wast", "memory-multi.wast", "try_table.wast", "throw_ref.wast",
        "legacy/try_catch.wast", "legacy/try_delegate.wast", "struct.wast", "array.wast", "array_new_data.wast", "array_init_elem.wast",
        "array_copy.wast", "i31.wast", "ref_test.wast", "ref_cast.wast", "br_on_cast.wast", "ref_eq.wast", "type-subtyping.wast", "type-rec.wast",
        "extern.wast", "simd_lane.wast", "simd_select.wast", "simd_load.wast", "simd_i32x4_arith.wast", "simd_linking.wast",
        "relaxed_madd_nmadd.wast", "proposals/threads/atomic.wast", "proposals/wide-arithmetic/wide-arithmetic.wast",
        "proposals/custom-descriptors/descriptors.wast", "proposals/custom-descriptors/ref_cast_desc_eq.wast",
        "proposals/custom-descriptors/br_on_cast_desc_eq.wast", "proposals/custom-page-sizes/custom-page-sizes.wast",
    ];

    public static TheoryData<string> Scripts => [.. Files];

    [SuiteTheory]
    [MemberData(nameof(Scripts))]
    public void Guard(string file) => Run(file, new EngineOptions());

    [SuiteTheory]
    [InlineData("memory_trap.wast")]
    [InlineData("unwind.wast")]
    [InlineData("call_indirect.wast")]
    [InlineData("struct.wast")]
    [InlineData("simd_load.wast")]
    public void Explicit(string file) => Run(file, new EngineOptions { MemoryChecks = MemoryChecks.Explicit });

    [SuiteTheory]
    [InlineData("loop.wast")]
    [InlineData("return_call.wast")]
    [InlineData("bulk.wast")]
    [InlineData("array_copy.wast")]
    public void Limited(string file) => Run(file, new EngineOptions { Interruptible = true, CountFuel = true });

    private static void Run(string file, EngineOptions options)
    {
        WastResult result = WastRunner.Run(Path.Combine(Suite.Folder!, file), options, saved: true);
        Assert.Empty(result.Failures.Select(f => $"{file}:{f.Line}: {f.Reason}"));
        Assert.Equal(0, result.Skipped);
        Assert.True(result.Passed > 1);
    }
}
