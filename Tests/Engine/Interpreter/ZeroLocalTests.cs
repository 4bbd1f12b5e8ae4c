using WasmJit.Jit.Binary;
using WasmJit.Jit.Interpreter;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Locals begin as zero where they may be read before they are written. What is written first is not set to zero.</summary>
public sealed class ZeroLocalTests
{
    private static readonly EngineOptions[] Ways =
    [
        Tiers.Compiled, Tiers.Interpreted, Tiers.Interpreted with { InterpretsAll = true }, Tiers.Interpreted with { InterpretsAll = true, SlotsOfSpilling = 2 },
    ];

    /// <summary>A call before it leaves numbers where the locals are. What the function gives for 0, 1 and 2.</summary>
    [Theory]
    [InlineData("(local.get $x)", "0 0 0")]
    [InlineData("(local.set $x (i64.const 5)) (local.get $x)", "5 5 5")]
    [InlineData("(if (local.get $c) (then (local.set $x (i64.const 7)))) (local.get $x)", "0 7 7")]
    [InlineData("(if (local.get $c) (then) (else (local.set $x (i64.const 7)))) (local.get $x)", "7 0 0")]
    [InlineData("(if (result i64) (local.get $c) (then (local.set $x (i64.const 7)) (local.get $x)) (else (local.get $x)))", "0 7 7")]
    [InlineData("(if (local.get $c) (then (local.set $x (i64.const 7))) (else (local.set $x (i64.const 8)))) (local.get $x)", "8 7 7")]
    [InlineData("(block (br_if 0 (local.get $c)) (local.set $x (i64.const 7))) (local.get $x)", "7 0 0")]
    [InlineData("(block (block (br_if 1 (local.get $c)) (local.set $x (i64.const 7))) (local.set $y (local.get $x))) (local.get $y)", "7 0 0")]
    [InlineData("(block (block (br_table 0 1 (local.get $c))) (local.set $x (i64.const 7))) (local.get $x)", "7 0 0")]
    [InlineData("(block (local.set $x (i64.const 7)) (br_if 0 (local.get $c)) (local.set $y (local.get $x))) (i64.add (local.get $x) (local.get $y))", "14 7 7")]
    [InlineData("(loop (local.set $y (i64.add (local.get $y) (local.get $x))) (local.set $x (i64.const 7)) (br_if 0 (local.tee $c (i32.sub (local.get $c) (i32.const 1))))) (local.get $y)", "- 0 7")]
    [InlineData("(loop (local.set $x (i64.add (local.get $x) (i64.const 3))) (br_if 0 (local.tee $c (i32.sub (local.get $c) (i32.const 1))))) (local.get $x)", "- 3 6")]
    [InlineData("(block (drop (local.tee $x (i64.const 7)))) (local.get $x)", "7 7 7")]
    [InlineData("(local.get $x) (local.set $x (i64.const 7))", "0 0 0")]
    [InlineData("(local.set $x (local.get $x)) (local.get $x)", "0 0 0")]
    [InlineData("(block (br 0) (local.set $x (i64.const 7))) (local.get $x)", "0 0 0")]
    [InlineData("(local.set $v (v128.const i64x2 1 2)) (i64x2.extract_lane 1 (local.get $v))", "2 2 2")]
    [InlineData("(if (local.get $c) (then (local.set $v (v128.const i64x2 1 2)))) (i64x2.extract_lane 1 (local.get $v))", "0 2 2")]
    [InlineData("(block (try_table (catch_all 0) (if (local.get $c) (then (throw $e))) (local.set $x (i64.const 7)))) (local.get $x)", "7 0 0")]
    [InlineData("(try (do (if (local.get $c) (then (throw $e))) (local.set $x (i64.const 7))) (catch_all (local.set $y (local.get $x)))) (local.get $y)", "0 0 0")]
    [InlineData("(try (do (if (local.get $c) (then (throw $e)))) (catch $e (local.set $x (i64.const 7))) (catch_all (local.set $x (i64.const 8)))) (local.get $x)", "0 7 7")]
    public void UnwrittenLocalsAreZero(string body, string expected)
    {
        // A function with vectors is translated by other code.
        string vector = body.Contains("$v", StringComparison.Ordinal) ? "(local $v v128)" : "";
        string text = $"""
            (module
              (tag $e)
              (func $fill (param i32) (result i64) (local i64 i64 i64 i64 i64 i64 i64 i64)
                {string.Concat(Enumerable.Range(1, 8).Select(local => $"(local.set {local} (i64.const -{local}))"))}
                {string.Concat(Enumerable.Range(1, 8).Select(local => $"(local.get {local})"))} {string.Concat(Enumerable.Repeat("i64.add ", 7))})
              (func $f (param $c i32) (result i64) (local $x i64) (local $y i64) {vector} {body})
              (func (export "f") (param i32) (result i64)
                (drop (call $fill (local.get 0)))
                (call $f (local.get 0))))
            """;
        string[] values = expected.Split(' ');
        foreach (EngineOptions options in Ways)
        {
            Instance instance = new Engine(options).CompileText(text).Instantiate();
            var f = instance.GetExport<Func<int, long>>("f");
            for (int c = 0; c < values.Length; c++)
                if (values[c] != "-") Assert.Equal(long.Parse(values[c], System.Globalization.CultureInfo.InvariantCulture), f(c));
        }
    }

    /// <summary>Which slots begin as zeros.</summary>
    [Theory]
    [InlineData("", 0)]
    [InlineData("(local.set 1 (i32.const 1)) (drop (local.get 1))", 0)]
    [InlineData("(block (local.set 2 (i32.const 1)) (block (drop (local.get 2))) (loop (drop (local.get 2))))", 0)]
    [InlineData("(block (local.set 2 (i32.const 1))) (block (local.set 2 (i32.const 1)) (drop (local.get 2)))", 0)]
    [InlineData("(drop (local.get 0))", 0)]
    [InlineData("(drop (local.get 2))", 1)]
    [InlineData("(drop (local.get 2)) (drop (local.get 2))", 1)]
    [InlineData("(block (local.set 2 (i32.const 1))) (drop (local.get 2))", 1)]
    [InlineData("(loop (drop (local.get 2)) (local.set 2 (i32.const 1)))", 1)]
    [InlineData("(drop (local.get 1)) (drop (local.get 3))", 3)]
    public void WhatIsWrittenFirstIsNotSetToZero(string body, int slots)
    {
        ModuleInfo module = ModuleDecoder.Decode(Wat.ToBinary($"(module (func (param i32) (local i32 i32 i32) {body}))"));
        RegisterCode code = Translation.TryTranslate(module, 0, new NoTarget())!;
        Assert.Equal(slots, Math.Max(code.EndZero - (long)code.FirstZero, 0));
    }
}
