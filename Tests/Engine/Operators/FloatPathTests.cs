using System.Globalization;
using System.Text;
using WasmJit.Jit.Operators;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// Every float operator against the software model, its operands reaching it in each of the ways of <see cref="FloatSource"/>: known to
/// RyuJIT on one, both or no side. Neutral elements and signalling NaNs are what it folds in its own way.
/// </summary>
public sealed class FloatPathTests
{
    private static readonly ulong[] Numbers32 =
        [0, 0x80000000, 0x3f800000, 0xbf800000, 0x7fa00001, 0xffa00001, 0x7fc00000, 0x7f800000, 0x40490fdb];

    private static readonly ulong[] Numbers64 =
    [
        0, 1UL << 63, 0x3ff0000000000000, 0xbff0000000000000, 0x7ff4000000000001, 0xfff4000000000001, 0x7ff8000000000000, 0x7ff0000000000000,
        0x400921fb54442d18,
    ];

    private static readonly Operator[] Operators =
    [
        .. OperatorTable.All.Where(op => op.Prefix == 0 && op.Immediates.IsEmpty && op.HasSignature && op.Params.Length is 1 or 2
            && (op.Params[0].Kind is ValKind.F32 or ValKind.F64)),
    ];

    public static TheoryData<string, int> Groups
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (string kind in new[] { "f32", "f64" })
                for (int part = 0; part < 4; part++) data.Add(kind, part);
            return data;
        }
    }

    private sealed record Case(Operator Op, ulong A, ulong B, int WayA, int WayB, string Name);

    [Theory]
    [MemberData(nameof(Groups))]
    public void EachWayGivesTheSame(string kind, int part)
    {
        bool is32 = kind == "f32";
        Operator[] operators = [.. Operators.Where(op => op.Params[0].Kind == (is32 ? ValKind.F32 : ValKind.F64))];
        ulong[] numbers = is32 ? Numbers32 : Numbers64;
        PathRuns.Run<Case>(part, (random, count) => Make(random, count, is32, operators, numbers), Run,
            Tiers.Compiled, Tiers.Compiled with { Inlining = false }, Tiers.Interpreted);
    }

    private static (string Text, List<Case> Cases) Make(Random random, int count, bool is32, Operator[] operators, ulong[] numbers)
    {
        var cases = new List<Case>();
        var functions = new List<string>();
        var text = new StringBuilder("(module ").Append(FloatSource.Fields);
        while (cases.Count < count)
        {
            Operator op = operators[random.Next(operators.Length)];
            ulong a = numbers[random.Next(numbers.Length)], b = random.Next(6) == 0 ? a : numbers[random.Next(numbers.Length)];
            int wayA = random.Next(FloatSource.Ways.Length), wayB = random.Next(FloatSource.Ways.Length);
            if (FloatSource.Instructions(wayA, is32, a, 0, functions) is not { } left) continue;
            string? right = op.Params.Length > 1 ? FloatSource.Instructions(wayB, is32, b, 1, functions) : "";
            if (right is null) continue;
            string name = cases.Count.ToString(CultureInfo.InvariantCulture);
            cases.Add(new Case(op, a, b, wayA, wayB, name));
            text.Append(CultureInfo.InvariantCulture, $"(func (export \"{name}\") (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64) {FloatSource.Locals} ");
            text.AppendLine(CultureInfo.InvariantCulture, $"{left} {right} {op.Mnemonic} {ScalarOperatorTests.ToBits(op.Results[0])})");
        }
        foreach (string function in functions) text.AppendLine(function);
        return (text.Append(')').ToString(), cases);
    }

    /// <summary>A demotion of a promoted signalling NaN gives a quiet one, wherever the promoted number has been in between.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("local.set 1 local.get 1")]
    [InlineData("local.tee 1")]
    [InlineData("call $id")]
    [InlineData("f64.const 7 i32.const 1 select")]
    [InlineData("struct.new $s struct.get $s 0")]
    [InlineData("local.set 1 (block (result f64) (br_if 0 (local.get 1) (i32.const 1)))")]
    [InlineData("f64.neg f64.neg")]
    [InlineData("f64.abs")]
    [InlineData("f64x2.splat f64x2.extract_lane 1")]
    public void DemotedPromotionsAreQuiet(string between)
    {
        string text = $$"""
            (module (type $s (struct (field f64)))
              (func $id (param f64) (result f64) local.get 0)
              (func $promote (param f32) (result f64) (local f64) (local.set 1 (f64.promote_f32 (local.get 0))) local.get 1)
              (func (export "f") (param f32) (result i32) (local f64)
                (block (result f64) (f64.promote_f32 (local.get 0)) {{between}}) f32.demote_f64 i32.reinterpret_f32)
              (func (export "g") (param f32) (result i32) (local f64)
                (call $promote (local.get 0)) f32.demote_f64 i32.reinterpret_f32))
            """;
        Instance instance = new Engine(Tiers.Compiled).CompileText(text).Instantiate();
        float signalling = BitConverter.UInt32BitsToSingle(0x7fa00001);
        Assert.Equal(0x7fe00001, instance.GetExport<Func<float, int>>("f")(signalling));
        Assert.Equal(0x7fe00001, instance.GetExport<Func<float, int>>("g")(signalling));
    }

    /// <summary>The inputs of two reports.</summary>
    [Fact]
    public void ReportedNumbers()
    {
        Instance reinterpreted = new Engine(Tiers.Compiled).CompileText(
            "(module (func (export \"f\") (result i32) (i32.reinterpret_f32 (f32.reinterpret_i32 (i32.const 0x7fa00001)))))").Instantiate();
        Assert.Equal(0x7fa00001, reinterpreted.GetExport<Func<int>>("f")());
        Instance maximum = new Engine(Tiers.Compiled).CompileText(
            """
            (module
              (func (export "k") (result i32) (local v128)
                (local.set 0 (v128.const i32x4 0x7fa00001 0x7fa00001 0x7fa00001 0x7fa00001))
                (i32x4.extract_lane 0 (f32x4.max (local.get 0) (local.get 0))))
              (func (export "d") (result i64) (local v128)
                (local.set 0 (v128.const i64x2 0x7ff4000000000001 0x7ff4000000000001))
                (i64x2.extract_lane 0 (f64x2.max (local.get 0) (local.get 0)))))
            """).Instantiate();
        int k = maximum.GetExport<Func<int>>("k")();
        long d = maximum.GetExport<Func<long>>("d")();
        Assert.True(float.IsNaN(BitConverter.Int32BitsToSingle(k)) && (k & 0x400000) != 0, $"{k:x}");
        Assert.True(double.IsNaN(BitConverter.Int64BitsToDouble(d)) && (d & (1L << 51)) != 0, $"{d:x}");
    }

    private static string? Run(Instance instance, Case test)
    {
        var run = instance.GetExport<Func<long, long, long, long, long, long, long, long, long, long, long>>(test.Name);
        ulong? expected = ScalarReference.Apply(test.Op.Mnemonic, test.A, test.B);
        ulong? actual;
        try
        {
            actual = (ulong)run((long)test.A, (long)test.B, 1, 0, 0, 0, 0, 0, 0, 0);
        }
        catch (TrapException trap) when (trap.Kind is TrapKind.IntegerOverflow or TrapKind.InvalidConversionToInteger)
        {
            actual = null;
        }
        if (Agree(test.Op, expected, actual)) return null;
        string second = test.Op.Params.Length > 1 ? $", {test.B:x} as {FloatSource.Ways[test.WayB]}" : "";
        return $"{test.Op.Mnemonic} {test.A:x} as {FloatSource.Ways[test.WayA]}{second}: {actual:x} instead of {expected:x}";
    }

    private static bool Agree(Operator op, ulong? expected, ulong? actual)
    {
        ValType type = op.Results[0];
        bool keepsPayload = op.Mnemonic[4..] is "abs" or "neg" or "copysign" || op.Mnemonic.Contains("reinterpret", StringComparison.Ordinal);
        return !keepsPayload && expected is { } e && ScalarReference.IsNaN(type, e)
            ? actual is { } r && ScalarReference.IsNaN(type, r) && ScalarReference.IsQuiet(type, r)
            : expected == actual;
    }
}
