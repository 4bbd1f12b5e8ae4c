using Xunit;

namespace WasmJit.Tests;

/// <summary>A <c>local.get</c> is emitted late; it gives the value that the local had.</summary>
public sealed class PendingReadTests
{
    [Theory]
    [InlineData("(local.get 0) (i32.mul (local.get 0) (i32.const 2)) (local.set 0 (i32.const 7)) (i32.sub)", -10)]
    [InlineData("(local.get 0) (call $id (i32.const 4)) (local.set 0 (i32.const 7)) (i32.sub)", 6)]
    [InlineData("(local.get 0) (call $id (i32.const 4)) (local.tee 0 (i32.const 7)) (i32.sub) (i32.sub)", 13)]
    [InlineData("(local.get 0) (call $id (i32.const 1)) (call $id (i32.const 2)) (local.set 0 (i32.const 7)) (i32.add) (i32.sub)", 7)]
    [InlineData("(local.get 0) (call $id (i32.const 1)) (local.get 0) (call $id (i32.const 2)) (local.set 0 (i32.const 7)) (i32.sub) (i32.sub) (i32.sub)", 17)]
    [InlineData("(local.get 0) (local.get 0) (call $id (i32.const 2)) (local.set 0 (i32.const 7)) (i32.sub) (i32.sub)", 2)]
    [InlineData("(call $id (i32.const 3)) (local.get 0) (call $id (i32.const 2)) (local.set 0 (i32.const 7)) (call $three)", 3 + 100 + 200)]
    public void IsTheValueAtItsPlace(string body, int expected)
    {
        foreach (bool inlining in new[] { false, true })
        {
            foreach (EngineOptions tier in Tiers.Both)
            {
                var f = new Engine(tier with { Inlining = inlining }).CompileText($"""
                    (module
                      (func $id (param i32) (result i32) (local.get 0))
                      (func $three (param i32 i32 i32) (result i32)
                        (i32.add (local.get 0) (i32.add (i32.mul (local.get 1) (i32.const 10)) (i32.mul (local.get 2) (i32.const 100)))))
                      (func (export "f") (param i32) (result i32) {body}))
                    """).Instantiate().GetExport<Func<int, int>>("f");
                Assert.Equal(expected, f(10));
            }
        }
    }
}
