using System.Globalization;
using System.Runtime.Intrinsics;
using System.Text;
using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// Accesses of vectors, in both memory modes, with 32 and 64 bits: their values, and that they trap if a single byte lies
/// beyond the end, even where only lanes inside are used.
/// </summary>
public sealed class VectorMemoryTests
{
    private const int Page = 65536;

    public static TheoryData<MemoryChecks, bool> Modes => new()
    {
        { MemoryChecks.Guard, false }, { MemoryChecks.Explicit, false }, { MemoryChecks.Guard, true }, { MemoryChecks.Explicit, true },
    };

    private delegate Vector128<byte> Access(long at, Vector128<byte> vector);

    private static IEnumerable<Operator> Accesses => OperatorTable.All.Where(op => op.Prefix == OperatorPrefix.Vector && op.MemArg is not null);

    private static Instance Compile(string text, MemoryChecks checks) =>
        new Engine(Tiers.Compiled with { MemoryChecks = checks }).CompileText(text).Instantiate();

    [Theory]
    [MemberData(nameof(Modes))]
    public void ValuesAndBounds(MemoryChecks checks, bool is64)
    {
        var text = new StringBuilder(is64 ? "(module (memory (export \"m\") i64 1 1)" : "(module (memory (export \"m\") 1 1)");
        string index = is64 ? "local.get 0" : "(i32.wrap_i64 (local.get 0))";
        Operator[] operators = [.. Accesses];
        Assert.Equal(22, operators.Length);
        foreach (Operator op in operators)
            for (int lane = 0; lane < Lanes(op); lane++)
                foreach (int offset in new[] { 0, 9 })
                {
                    // Operands in locals and on the stack, the index a local or what an operator gives.
                    string plain = op.Params.Length > 1 ? "local.get 1" : "", complex = op.Params.Length > 1 ? "(v128.not (v128.not (local.get 1)))" : "";
                    string access = $"{op.Mnemonic} {(offset > 0 ? "offset=9" : "")} {(op.Immediates.Length > 1 ? lane : "")}";
                    string end = op.Results.IsEmpty ? " local.get 1" : "";
                    Define(text, $"{op.Mnemonic} {lane} {offset}", $"{index} {plain} {access}{end}");
                    Define(text, $"{op.Mnemonic} {lane} {offset} complex", $"{index} {complex} {access}{end}");
                }
        Instance instance = Compile(text.Append(')').ToString(), checks);
        Memory memory = instance.GetExport<Memory>("m");
        var random = new Random(5);
        foreach (Operator op in operators)
            for (int lane = 0; lane < Lanes(op); lane++)
                foreach (string suffix in new[] { "0", "9", "0 complex", "9 complex" })
                {
                    int offset = suffix[0] - '0', width = 1 << op.MemArg!.Value.Number;
                    var run = instance.GetExport<Access>($"{op.Mnemonic} {lane} {suffix}");
                    foreach (int at in new[] { 0, 1, 7, 100, Page - width - offset })
                    {
                        random.NextBytes(memory.Span);
                        var bytes = new byte[16];
                        random.NextBytes(bytes);
                        Vector128<byte> vector = Vector128.Create<byte>(bytes);
                        byte[] before = memory.Span.ToArray();
                        Vector128<byte> actual = run(at, vector);
                        (Vector128<byte> expected, byte[]? stored) = Expected(op.Mnemonic, before.AsSpan(at + offset, width), vector, lane);
                        Assert.True(expected == actual, $"{op.Mnemonic} {lane} {suffix} {at}: {actual}, not {expected}");
                        stored?.CopyTo(before, at + offset);
                        Assert.True(memory.Span.SequenceEqual(before), $"{op.Mnemonic} {lane} {suffix} {at}: other bytes stored");
                    }
                    foreach (long at in new long[] { Page - width - offset + 1, Page - offset, Page, uint.MaxValue, is64 ? -1 : int.MaxValue, is64 ? -9 : int.MaxValue })
                        Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, Assert.Throws<TrapException>(() => run(at, default)).Kind);
                }
    }

    private static void Define(StringBuilder text, string name, string body) =>
        text.AppendLine(CultureInfo.InvariantCulture, $"(func (export \"{name}\") (param i64 v128) (result v128) {body})");

    private static int Lanes(Operator op) => op.Immediates.Length > 1 ? op.Immediates[1].Number : 1;

    /// <summary>What an access gives and what it stores, from the bytes that it touches.</summary>
    private static (Vector128<byte> Result, byte[]? Stored) Expected(
        string mnemonic, ReadOnlySpan<byte> bytes, Vector128<byte> vector, int lane)
    {
        string name = mnemonic["v128.".Length..];
        int size = bytes.Length;
        UInt128 value = 0, number = VectorOperatorTests.ToNumber(vector);
        for (int i = 0; i < size; i++) value |= (UInt128)bytes[i] << (8 * i);
        if (name == "store") return (vector, VectorBytes(number, 16));
        if (name.StartsWith("store", StringComparison.Ordinal)) return (vector, VectorBytes(number >> (lane * size * 8), size));
        UInt128 result = value;
        if (name.EndsWith("_splat", StringComparison.Ordinal))
            for (int i = 1; i < 16 / size; i++) result |= value << (i * size * 8);
        else if (name.EndsWith("_lane", StringComparison.Ordinal))
            result = (number & ~(((UInt128.One << (size * 8)) - 1) << (lane * size * 8))) | (value << (lane * size * 8));
        else if (name.Contains('x'))
        {
            int width = int.Parse(name.AsSpan(4, name.IndexOf('x') - 4), CultureInfo.InvariantCulture);
            result = VectorReference.Apply($"i{width * 2}x{64 / width}.extend_low_i{width}x{128 / width}_{name[^1]}", value, 0, 0, 0, 0);
        }
        return (VectorOperatorTests.ToVector(result), null);
    }

    private static byte[] VectorBytes(UInt128 number, int count) =>
        [.. Enumerable.Range(0, count).Select(i => (byte)(number >> (8 * i)))];

    /// <summary>Only a part of what was loaded is used, all of it without the last byte.</summary>
    [Theory]
    [MemberData(nameof(Modes))]
    public void LoadsOfWhichAPartIsUsed(MemoryChecks checks, bool is64)
    {
        string load = is64 ? "(v128.load (local.get 0))" : "(v128.load (i32.wrap_i64 (local.get 0)))";
        string[] bodies =
        [
            $"(drop {load})",
            $"(drop (i32x4.extract_lane 0 {load}))",
            $"(drop (i8x16.extract_lane_s 14 {load}))",
            $"(i64x2.splat (i64x2.extract_lane 0 {load})) (return)",
            $"(return (i16x8.extend_low_i8x16_s {load}))",
            $"(return (i64x2.extend_low_i32x4_u {load}))",
            $"(return (f64x2.convert_low_i32x4_s {load}))",
            $"(return (f64x2.convert_low_i32x4_u {load}))",
            $"(return (f64x2.promote_low_f32x4 {load}))",
            $"(return (i16x8.extmul_low_i8x16_s {load} (local.get 1)))",
            $"(return (i16x8.extmul_low_i8x16_u (local.get 1) {load}))",
            $"(return (i32x4.extmul_low_i16x8_u {load} (v128.not (local.get 1))))",
            $"(return (i64x2.extmul_low_i32x4_s (v128.not (local.get 1)) {load}))",
            $"(return (i64x2.replace_lane 1 {load} (i64.const 5)))",
            $"(return (f64x2.replace_lane 1 {load} (f64.const 5)))",
            $"(return (f32x4.replace_lane 3 {load} (f32.convert_i64_s (local.get 0))))",
            $"(return (i8x16.shuffle 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 {load} (local.get 1)))",
            $"(return (i8x16.shuffle 0 1 2 3 0 1 2 3 0 1 2 3 0 1 2 3 {load} {load}))",
            $"(return (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 {load} (v128.not (local.get 1))))",
            $"(return (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (v128.not (local.get 1)) {load}))",
            $"(return (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (v128.not (local.get 1)) {load}))",
            $"(return (i8x16.shuffle 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 {load} (v128.not (local.get 1))))",
            $"(return (v128.and {load} (v128.const i64x2 0 0)))",
            $"(return (v128.andnot (v128.const i64x2 0 0) {load}))",
            $"(return (v128.or {load} (v128.const i64x2 -1 -1)))",
            $"(return (i32x4.mul {load} (v128.const i64x2 0 0)))",
            $"(return (v128.bitselect {load} (local.get 1) (v128.const i64x2 0 0)))",
            $"(return (i8x16.lt_u {load} (v128.const i64x2 0 0)))",
            $"(v128.store64_lane 0 {(is64 ? "(i64.const 0)" : "(i32.const 0)")} {load})",
            $"(return (v128.load64_lane 1 {(is64 ? "(i64.const 0)" : "(i32.const 0)")} {load}))",
        ];
        var text = new StringBuilder(is64 ? "(module (memory i64 1 1)" : "(module (memory 1 1)");
        for (int i = 0; i < bodies.Length; i++) Define(text, $"{i}", bodies[i] + " local.get 1");
        Instance instance = Compile(text.Append(')').ToString(), checks);
        for (int i = 0; i < bodies.Length; i++)
        {
            var run = instance.GetExport<Access>($"{i}");
            run(Page - 16, default);
            foreach (int beyond in new[] { 1, 4, 7, 15 })
            {
                TrapException? trap = null;
                try
                {
                    run(Page - 16 + beyond, default);
                }
                catch (TrapException e)
                {
                    trap = e;
                }
                Assert.True(trap is { Kind: TrapKind.OutOfBoundsMemoryAccess }, $"{bodies[i]}: no trap with {beyond} bytes beyond the end");
            }
        }
    }

    /// <summary>A load traps beside a constant of zeros or of ones, too, with which its value may not matter: for every operator on vectors, and each of its operands.</summary>
    [Fact]
    public void LoadsBesideConstants()
    {
        var bodies = new List<string>();
        foreach (Operator op in OperatorTable.All.Where(op => op.Prefix == OperatorPrefix.Vector && op.Id == OpId.Plain && op.Immediates.IsEmpty && op.Params.Length > 1
            && op.Params.All(type => type == ValType.V128)))
        {
            for (int known = 0; known < op.Params.Length; known++)
                for (int load = 0; load < op.Params.Length; load++)
                    foreach (int bits in new[] { 0, -1 })
                    {
                        if (load == known) continue;
                        IEnumerable<string> operands = Enumerable.Range(0, op.Params.Length).Select(i => i == known ? $"(v128.const i64x2 {bits} {bits})"
                            : i == load ? "(v128.load (i32.wrap_i64 (local.get 0)))" : "(local.get 1)");
                        bodies.Add($"({op.Mnemonic} {string.Join(' ', operands)})");
                    }
        }
        Assert.True(bodies.Count > 400, $"{bodies.Count}");
        var text = new StringBuilder("(module (memory 1 1)");
        for (int i = 0; i < bodies.Count; i++) Define(text, $"{i}", bodies[i]);
        Instance instance = Compile(text.Append(')').ToString(), MemoryChecks.Guard);
        var wrong = new List<string>();
        for (int i = 0; i < bodies.Count; i++)
        {
            var run = instance.GetExport<Access>($"{i}");
            run(Page - 16, default);
            foreach (int beyond in new[] { 1, 8, 15 })
            {
                try
                {
                    run(Page - 16 + beyond, default);
                    wrong.Add($"{bodies[i]}: no trap with {beyond} bytes beyond the end");
                }
                catch (TrapException e) when (e.Kind == TrapKind.OutOfBoundsMemoryAccess)
                {
                }
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    /// <summary>What the operands do is done before an access traps.</summary>
    [Theory]
    [MemberData(nameof(Modes))]
    public void OperandsAreEvaluatedBeforeTheTrap(MemoryChecks checks, bool is64)
    {
        string zero = is64 ? "(i64.const 0)" : "(i32.const 0)", index = is64 ? "(local.get 0)" : "(i32.wrap_i64 (local.get 0))";
        Instance instance = Compile($"""
            (module (memory (export "m") {(is64 ? "i64" : "")} 1 1)
              (func $effect (result v128) (i32.store {zero} (i32.const 99)) (v128.const i64x2 1 2))
              (func (export "lane") (param i64 v128) (result v128) (v128.load8_lane 3 {index} (call $effect)))
              (func (export "store") (param i64 v128) (result v128) (v128.store16_lane 3 {index} (call $effect)) (local.get 1)))
            """, checks);
        foreach (string name in new[] { "lane", "store" })
        {
            Memory memory = instance.GetExport<Memory>("m");
            memory.Span[0] = 0;
            Assert.Throws<TrapException>(() => instance.GetExport<Access>(name)(Page, default));
            Assert.Equal(99, memory.Span[0]);
        }
    }
}
