using Xunit;

namespace WasmJit.Tests;

/// <summary>A load half behind the end of memory traps, whatever becomes of its value.</summary>
public sealed class AbandonedLoadTests
{
    [Theory]
    [InlineData("(drop (i64.load (local.get 0)))")]
    [InlineData("(i64.load (local.get 0)) (block) (drop)")]
    [InlineData("(drop (block (result i64) (i64.load (local.get 0))))")]
    [InlineData("(drop (if (result i64) (local.get 0) (then (i64.load (local.get 0))) (else (i64.const 1))))")]
    [InlineData("(i64.load (local.get 0)) (return)")]
    [InlineData("(block (i64.load (local.get 0)) (br 0))")]
    [InlineData("(block (i64.load (local.get 0)) (br_if 0 (local.get 0)) (drop))")]
    [InlineData("(block (v128.load64_zero (local.get 0)) (i32.const 3) (br_if 0 (local.get 0)) (drop) (drop))")]
    [InlineData("(block (i64.load (local.get 0)) (br_table 0 0 (local.get 0)))")]
    [InlineData("(i64.load (local.get 0)) (unreachable)")]
    [InlineData("(drop (i64.add (i64.const 1) (i64.load (local.get 0))))")]
    [InlineData("(i64.load (local.get 0)) (block) (drop (i32.wrap_i64))")]
    [InlineData("(drop (call $load (local.get 0)))")]
    public void Traps(string body)
    {
        foreach (MemoryChecks checks in Enum.GetValues<MemoryChecks>())
        {
            foreach (EngineOptions tier in Tiers.Both)
            {
                var f = new Engine(tier with { MemoryChecks = checks }).CompileText($"""
                    (module (memory 1)
                      (func $load (param i32) (result i64) (i64.load (local.get 0)))
                      (func (export "f") (param i32) {body}))
                    """).Instantiate().GetExport<Action<int>>("f");
                foreach (int address in new[] { 65529, 65532, 65535 })
                    Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, Assert.Throws<TrapException>(() => f(address)).Kind);
            }
        }
    }
}
