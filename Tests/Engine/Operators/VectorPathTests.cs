using System.Globalization;
using System.Text;
using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// Every operator on float lanes against the software model, its vectors reaching it as literals, through locals, blocks, calls, memory and
/// operators on constants.
/// </summary>
public sealed class VectorPathTests
{
    private static readonly string[] Ways =
    [
        "literal", "local", "default", "select", "block", "identity", "memory", "global", "splat", "integer sum", "lanes", "loop", "parameter",
    ];

    private static readonly string[] Names =
    [
        "add", "sub", "mul", "div", "min", "max", "pmin", "pmax", "abs", "neg", "sqrt", "ceil", "floor", "trunc", "nearest",
        "promote_low_f32x4", "demote_f64x2_zero", "eq", "lt",
    ];

    private static readonly Operator[] Operators =
    [
        .. OperatorTable.All.Where(op => op.Prefix == OperatorPrefix.Vector && op.Immediates.IsEmpty && op.Mnemonic[0] == 'f'
            && Names.Contains(VectorReference.Name(op.Mnemonic))),
    ];

    private static readonly ulong[] Floats = [0, 0x80000000, 0x3f800000, 0xbf800000, 0x7fa00001, 0xffa00002, 0x7fc00000, 0x40490fdb];

    private static readonly ulong[] Doubles =
    [
        0, 1UL << 63, 0x3ff0000000000000, 0xbff0000000000000, 0x7ff4000000000001, 0xfff4000000000002, 0x7ff8000000000000, 0x400921fb54442d18,
    ];

    private sealed record Case(Operator Op, UInt128 A, UInt128 B, string WayA, string WayB, string Name);

    public static TheoryData<int> Parts => new(Enumerable.Range(0, 4));

    [Fact]
    public void ThereAreAllOfThem() => Assert.Equal((2 * 17) + 2, Operators.Length);

    [Theory]
    [MemberData(nameof(Parts))]
    public void EachWayGivesTheSame(int part) => PathRuns.Run<Case>(
        part, Make, Run, Tiers.Compiled, Tiers.Compiled with { Inlining = false }, Tiers.Interpreted);

    private static (string Text, List<Case> Cases) Make(Random random, int count)
    {
        var cases = new List<Case>();
        var text = new StringBuilder(
            """
            (module (memory 1) (global $g (mut v128) (v128.const i64x2 5 6))
            (func $id (param v128) (result v128) local.get 0)

            """);
        while (cases.Count < count)
        {
            Operator op = Operators[random.Next(Operators.Length)];
            bool is32 = op.Mnemonic == "f64x2.promote_low_f32x4" || (op.Mnemonic.StartsWith("f32", StringComparison.Ordinal) && op.Mnemonic != "f32x4.demote_f64x2_zero");
            UInt128 a = Vector(random, is32), b = random.Next(4) == 0 ? a : Vector(random, is32);
            string wayA = Ways[random.Next(Ways.Length)], wayB = Ways[random.Next(Ways.Length)];
            if (Instructions(wayA, is32, a, 0) is not { } left) continue;
            string? right = op.Params.Length > 1 ? Instructions(wayB, is32, b, 1) : "";
            if (right is null) continue;
            string name = cases.Count.ToString(CultureInfo.InvariantCulture);
            cases.Add(new Case(op, a, b, wayA, wayB, name));
            // A lane is read as a float, too: that is one more thing that RyuJIT may fold.
            string lane = random.Next(2) == 0 || op.Mnemonic[0] != 'f' ? "" : LaneByLane(op);
            text.Append(CultureInfo.InvariantCulture, $"(func (export \"{name}\") (param v128 v128 v128 i32) (result v128) (local v128 v128 v128) ");
            text.AppendLine(CultureInfo.InvariantCulture, $"{left} {right} {op.Mnemonic} {lane})");
        }
        return (text.Append(')').ToString(), cases);
    }

    /// <summary>Takes the result apart and puts it together again.</summary>
    private static string LaneByLane(Operator op)
    {
        bool is32 = op.Mnemonic.StartsWith("f32", StringComparison.Ordinal);
        string shape = is32 ? "f32x4" : "f64x2";
        var text = new StringBuilder("local.set 6 v128.const i64x2 0 0 ");
        for (int i = 0; i < (is32 ? 4 : 2); i++) text.Append(CultureInfo.InvariantCulture, $"local.get 6 {shape}.extract_lane {i} {shape}.replace_lane {i} ");
        return text.ToString();
    }

    private static UInt128 Vector(Random random, bool is32)
    {
        ulong[] numbers = is32 ? Floats : Doubles;
        UInt128 vector = 0;
        ulong same = numbers[random.Next(numbers.Length)];
        bool isSplat = random.Next(2) == 0;
        int width = is32 ? 32 : 64;
        for (int i = 0; i < 128; i += width) vector |= (UInt128)(isSplat ? same : numbers[random.Next(numbers.Length)]) << i;
        return vector;
    }

    private static string Literal(UInt128 bits) => $"v128.const i64x2 0x{(ulong)bits:x} 0x{(ulong)(bits >> 64):x}";

    private static string? Instructions(string way, bool is32, UInt128 bits, int side)
    {
        string literal = Literal(bits), other = Literal(7);
        int local = 4 + side;
        string shape = is32 ? "f32x4" : "f64x2";
        ValType type = is32 ? ValType.F32 : ValType.F64;
        int width = is32 ? 32 : 64;
        switch (way)
        {
            case "literal": return literal;
            case "local": return $"{literal} local.set {local} local.get {local}";
            case "default": return bits == 0 ? $"local.get {local}" : null;
            case "select": return $"{literal} {other} i32.const 1 select";
            case "block": return $"(block (result v128) {literal} i32.const 1 br_if 0 drop {other})";
            case "identity": return $"{literal} call $id";
            case "memory": return $"i32.const {side * 16} {literal} v128.store i32.const {side * 16} v128.load";
            case "global": return $"{literal} global.set $g global.get $g";
            case "splat":
                ulong lane = VectorReference.Lane(bits, 0, width);
                return Enumerable.Range(0, 128 / width).All(i => VectorReference.Lane(bits, i, width) == lane)
                    ? $"{ScalarOperatorTests.Constant(type, lane)} {shape}.splat" : null;
            case "integer sum": return $"{Literal(bits ^ 3)} {Literal(3)} v128.xor";
            case "lanes":
                var text = new StringBuilder(other + " ");
                for (int i = 0; i < 128 / width; i++)
                    text.Append(CultureInfo.InvariantCulture, $"{ScalarOperatorTests.Constant(type, VectorReference.Lane(bits, i, width))} {shape}.replace_lane {i} ");
                return text.ToString();
            case "loop":
                return $"{literal} local.set {local} i32.const 3 local.set 3 (loop (br_if 0 (local.tee 3 (i32.sub (local.get 3) (i32.const 1))))) local.get {local}";
            case "parameter": return $"local.get {side}";
            default: throw new InvalidOperationException(way);
        }
    }

    private static string? Run(Instance instance, Case test)
    {
        var run = instance.GetExport<VectorFunction>(test.Name);
        UInt128 expected = VectorReference.Apply(test.Op.Mnemonic, test.A, test.B, 0, 0, 0);
        UInt128 actual = VectorOperatorTests.ToNumber(run(VectorOperatorTests.ToVector(test.A), VectorOperatorTests.ToVector(test.B), default, 0));
        if (Agree(test.Op, expected, actual)) return null;
        string second = test.Op.Params.Length > 1 ? $", {test.B:x32} as {test.WayB}" : "";
        return $"{test.Op.Mnemonic} {test.A:x32} as {test.WayA}{second}: {actual:x32} instead of {expected:x32}";
    }

    private delegate System.Runtime.Intrinsics.Vector128<byte> VectorFunction(
        System.Runtime.Intrinsics.Vector128<byte> a, System.Runtime.Intrinsics.Vector128<byte> b, System.Runtime.Intrinsics.Vector128<byte> c, int count);

    private static bool Agree(Operator op, UInt128 expected, UInt128 actual)
    {
        if (expected == actual) return true;
        if (!VectorReference.HasLooseNaNs(op.Mnemonic)) return false;
        int width = VectorReference.Width(op.Mnemonic[..5]);
        ValType type = width == 32 ? ValType.F32 : ValType.F64;
        for (int i = 0; i < 128 / width; i++)
        {
            ulong e = VectorReference.Lane(expected, i, width), a = VectorReference.Lane(actual, i, width);
            if (e != a && !(ScalarReference.IsNaN(type, e) && ScalarReference.IsNaN(type, a) && ScalarReference.IsQuiet(type, a))) return false;
        }
        return true;
    }
}
