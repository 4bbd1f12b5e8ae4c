using Xunit;

namespace WasmJit.Tests;

/// <summary>A rotated number compared with zero: the processor's zero flag says nothing of a rotation.</summary>
public sealed class RotationTests
{
    [Theory]
    [InlineData("(if (result i32) (i32.rotl (local.get 0) (i32.const 4)) (then (i32.const 1)) (else (i32.const 0)))")]
    [InlineData("(i32.eqz (i32.eqz (i32.rotr (local.get 0) (i32.const 4))))")]
    [InlineData("(i32.ne (i32.rotr (local.get 0) (i32.const 7)) (i32.const 0))")]
    [InlineData("(i64.ne (i64.rotr (i64.extend_i32_u (local.get 0)) (i64.const 7)) (i64.const 0))")]
    [InlineData("(select (i32.const 1) (i32.const 0) (i32.rotl (local.get 0) (i32.const 31)))")]
    [InlineData("(local.set 1 (i32.rotl (local.get 0) (i32.const 4))) (i32.ne (local.get 1) (i32.const 0))")]
    [InlineData("(select (i32.const 1) (i32.const 0) (local.tee 1 (i32.rotl (local.get 0) (i32.const 4))))")]
    [InlineData("(local.set 1 (i32.rotl (local.get 0) (i32.const 4))) (local.set 2 (local.get 1)) (i32.eqz (i32.eqz (local.get 2)))")]
    [InlineData("(block (br_if 0 (i32.rotl (local.get 0) (i32.const 4))) (return (i32.const 0))) (i32.const 1)")]
    [InlineData("(i32.ne (call $rotated (local.get 0)) (i32.const 0))")]
    [InlineData("(i32.eqz (i32.eqz (i32.add (i32.rotl (local.get 0) (i32.const 4)) (local.get 3))))")]
    [InlineData("(i32.eqz (i32.eqz (i32.xor (i32.rotl (local.get 0) (i32.const 4)) (i32.const 0))))")]
    public void IsComparedByItsValue(string body)
    {
        foreach (EngineOptions tier in Tiers.Both)
        {
            var f = new Engine(tier).CompileText($"""
                (module
                  (func $rotated (param i32) (result i32) (i32.rotr (local.get 0) (i32.const 9)))
                  (func (export "f") (param i32) (result i32) (local i32 i32 i32) {body}))
                """).Instantiate().GetExport<Func<int, int>>("f");
            Assert.Equal(0, f(0));
            foreach (int value in new[] { 1, -1, 0x10, int.MinValue, 12345678 }) Assert.Equal(1, f(value));
        }
    }

    [Theory]
    [InlineData("i32.rotl")]
    [InlineData("i32.rotr")]
    public void TwoShiftsAreARotation(string op)
    {
        string bodies = string.Concat(Enumerable.Range(0, 70).Select(i =>
            $"(func (export \"f{i}\") (param i32) (result i32) ({op} (local.get 0) (i32.const {i})))"));
        foreach (EngineOptions tier in Tiers.Both)
        {
            Instance instance = new Engine(tier).CompileText($"(module {bodies})").Instantiate();
            for (int i = 0; i < 70; i++)
            {
                var f = instance.GetExport<Func<int, int>>($"f{i}");
                foreach (uint value in new[] { 1u, 0x80000000u, 0x12345678u })
                    Assert.Equal(
                        (int)(op == "i32.rotl" ? uint.RotateLeft(value, i) : uint.RotateRight(value, i)), f((int)value));
            }
        }
    }
}
