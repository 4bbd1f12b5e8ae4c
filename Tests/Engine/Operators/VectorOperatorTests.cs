using System.Globalization;
using System.Runtime.Intrinsics;
using System.Text;
using CsCheck;
using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// Every operator on vectors, as generated code computes it, against <see cref="VectorReference"/>: on operands that the
/// compiler does not know, and on constants, where emitter and JIT fold and simplify. Relaxed operators are compared where all
/// processors agree.
/// </summary>
public sealed class VectorOperatorTests
{
    private static readonly ulong[] Bytes = [0, 1, 2, 15, 16, 0x70, 0x7f, 0x80, 0x81, 0xfe, 0xff];

    private static readonly ulong[] Words =
        [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x4000, 0x7ffe, 0x7fff, 0x8000, 0x8001, 0xff7f, 0xff80, 0xfffe, 0xffff];

    private static IEnumerable<Operator> Vectors => OperatorTable.All.Where(op =>
        op.Prefix == OperatorPrefix.Vector && op.MemArg is null && op.Mnemonic is not ("v128.const" or "i8x16.shuffle"));

    public static TheoryData<string> Groups => new("v128", "i8x16", "i16x8", "i32x4", "i64x2", "f32x4", "f64x2");

    private delegate Vector128<byte> Run(Vector128<byte> a, Vector128<byte> b, Vector128<byte> c, long scalar);

    private readonly record struct Operands(UInt128 A, UInt128 B, UInt128 C, ulong Scalar, int Lane);

    [Fact]
    public void ThereAreAllOfThem() => Assert.Equal(256 - 22 - 2, Vectors.Count());

    [Theory]
    [MemberData(nameof(Groups))]
    public void OnUnknownOperands(string group)
    {
        Operator[] operators = [.. Vectors.Where(op => op.Mnemonic.StartsWith(group + ".", StringComparison.Ordinal))];
        var text = new StringBuilder("(module ");
        foreach (Operator op in operators)
            for (int lane = 0; lane < Lanes(op); lane++)
                Define(text, $"{op.Mnemonic} {lane}", op, lane, i => $"local.get {i}");
        Instance instance = new Engine(Tiers.Compiled).CompileText(text.Append(')').ToString()).Instantiate();
        foreach (Operator op in operators)
        {
            Run[] run = [.. Enumerable.Range(0, Lanes(op)).Select(i => instance.GetExport<Run>($"{op.Mnemonic} {i}"))];
            Of(op).Check(300, o => Check(op, o, run[o.Lane]));
        }
    }

    /// <summary>One operand, or all of them, as constants.</summary>
    [Theory]
    [MemberData(nameof(Groups))]
    public void OnConstants(string group)
    {
        Operator[] operators = [.. Vectors.Where(op => op.Mnemonic.StartsWith(group + ".", StringComparison.Ordinal))];
        foreach (Operator op in operators)
        {
            int all = (1 << op.Params.Length) - 1;
            Of(op).Array[24].Check(
                1,
                samples =>
                {
                    var text = new StringBuilder("(module ");
                    for (int i = 0; i < samples.Length; i++)
                    {
                        int constants = i % 3 == 0 ? all : 1 << (i % op.Params.Length);
                        Define(text, $"{i}", op, samples[i].Lane, p => (constants >> p & 1) == 0
                            ? $"local.get {p}"
                            : Constant(op.Params[p], p switch { 0 => samples[i].A, 1 => samples[i].B, _ => samples[i].C }, samples[i].Scalar));
                    }
                    Instance instance = new Engine(Tiers.Compiled).CompileText(text.Append(')').ToString()).Instantiate();
                    for (int i = 0; i < samples.Length; i++) Check(op, samples[i], instance.GetExport<Run>($"{i}"));
                });
        }
    }

    private static int Lanes(Operator op) => op.Immediates.Length == 1 ? op.Immediates[0].Number : 1;

    /// <summary>A function of three vectors and a scalar's bits that gives a vector.</summary>
    private static void Define(StringBuilder text, string name, Operator op, int lane, Func<int, string> operand)
    {
        text.Append(CultureInfo.InvariantCulture, $"(func (export \"{name}\") (param v128 v128 v128 i64) (result v128) ");
        for (int i = 0; i < op.Params.Length; i++)
        {
            string from = operand(i);
            if (op.Params[i] != ValType.V128 && from.StartsWith("local", StringComparison.Ordinal))
                from = "local.get 3 " + ScalarOperatorTests.FromBits(op.Params[i]);
            text.Append(from).Append(' ');
        }
        text.Append(op.Mnemonic).Append(op.Immediates.IsEmpty ? " " : $" {lane} ");
        if (op.Results[0] != ValType.V128)
            text.Append(ScalarOperatorTests.ToBits(op.Results[0]))
                .Append(" local.set 3 v128.const i64x2 0 0 local.get 3 i64x2.replace_lane 0");
        text.AppendLine(")");
    }

    private static string Constant(ValType type, UInt128 vector, ulong scalar) => type.Kind == ValKind.V128
        ? $"v128.const i64x2 0x{(ulong)vector:x} 0x{(ulong)(vector >> 64):x}"
        : ScalarOperatorTests.Constant(type, type.Kind is ValKind.I32 or ValKind.F32 ? (uint)scalar : scalar);

    private static void Check(Operator op, Operands o, Run run)
    {
        UInt128 expected = VectorReference.Apply(op.Mnemonic, o.A, o.B, o.C, o.Scalar, o.Lane);
        UInt128 actual = ToNumber(run(ToVector(o.A), ToVector(o.B), ToVector(o.C), (long)o.Scalar));
        bool equal = expected == actual;
        if (!equal && VectorReference.HasLooseNaNs(op.Mnemonic)) equal = EqualFloats(op, o, expected, actual);
        Assert.True(equal, $"{op.Mnemonic} {o.Lane} {o.A:x32} {o.B:x32} {o.C:x32} {o.Scalar:x}: {actual:x32} instead of {expected:x32}");
    }

    /// <summary>NaNs may have any quiet payload, but where all those of the operands are canonical so is that of the result.</summary>
    private static bool EqualFloats(Operator op, Operands o, UInt128 expected, UInt128 actual)
    {
        int width = VectorReference.Width(op.Mnemonic[..5]);
        int from = op.Mnemonic.Contains("promote", StringComparison.Ordinal) ? 32
            : op.Mnemonic.Contains("demote", StringComparison.Ordinal) ? 64 : width;
        ValType type = width == 32 ? ValType.F32 : ValType.F64, fromType = from == 32 ? ValType.F32 : ValType.F64;
        for (int i = 0; i < 128 / width; i++)
        {
            ulong e = VectorReference.Lane(expected, i, width), a = VectorReference.Lane(actual, i, width);
            if (e == a) continue;
            if (!ScalarReference.IsNaN(type, e) || !ScalarReference.IsNaN(type, a) || !ScalarReference.IsQuiet(type, a)) return false;
            bool allCanonical = true;
            foreach (UInt128 operand in new[] { o.A, o.B, o.C }.AsSpan(0, op.Params.Length))
            {
                ulong lane = VectorReference.Lane(operand, i, from);
                allCanonical &= !ScalarReference.IsNaN(fromType, lane) || IsCanonical(lane, from);
            }
            if (allCanonical && !IsCanonical(a, width)) return false;
        }
        return true;

        static bool IsCanonical(ulong bits, int width) =>
            width == 32 ? (bits & 0x7fffffff) == 0x7fc00000 : (bits & long.MaxValue) == 0x7ff8000000000000;
    }

    /// <summary>Operands of relaxed operators, changed to some for which the specification allows one result.</summary>
    private static Operands Agreed(string mnemonic, Operands o)
    {
        string name = VectorReference.Name(mnemonic);
        if (!name.StartsWith("relaxed", StringComparison.Ordinal)) return o;
        switch (name)
        {
            case "relaxed_swizzle": return o with { B = Map(o.B, 8, index => index is < 16 or >= 128 ? index : index % 16) };
            case "relaxed_q15mulr_s": return o with { B = Map(o.B, 16, lane => lane == 0x8000 ? 1 : lane) };
            case "relaxed_dot_i8x16_i7x16_s" or "relaxed_dot_i8x16_i7x16_add_s": return o with { B = Map(o.B, 8, lane => lane & 0x7f) };
        }
        int width = VectorReference.Width(mnemonic);
        if (name == "relaxed_laneselect")
        {
            ulong all = width == 64 ? ulong.MaxValue : (1UL << width) - 1;
            return o with { C = Map(o.C, width, lane => lane % 2 != 0 ? all : 0) };
        }
        if (name is "relaxed_min" or "relaxed_max") return o with { A = Different(o.A, width), B = Different(o.B, width) };
        return name.Contains("trunc", StringComparison.Ordinal)
            ? o with { A = InRange(o.A, VectorReference.Width(VectorReference.SourceShape(mnemonic)!)) }
            : o;
    }

    /// <summary>Neither zeros nor NaNs.</summary>
    private static UInt128 Different(UInt128 v, int width) => Map(v, width, lane =>
    {
        double value = width == 32 ? BitConverter.UInt32BitsToSingle((uint)lane) : BitConverter.UInt64BitsToDouble(lane);
        return double.IsNaN(value) || value == 0 ? (width == 32 ? 0x3fc00000UL : 0x3ff8000000000000UL) : lane;
    });

    private static UInt128 InRange(UInt128 v, int width) => Map(v, width, lane =>
    {
        double value = width == 32 ? BitConverter.UInt32BitsToSingle((uint)lane) : BitConverter.UInt64BitsToDouble(lane);
        return value is >= 0 and < 2147483648.0 ? lane : lane % 1000;
    });

    private static UInt128 Map(UInt128 vector, int width, Func<ulong, ulong> map)
    {
        UInt128 result = 0;
        for (int i = 0; i < 128 / width; i++) result |= (UInt128)map(VectorReference.Lane(vector, i, width)) << (i * width);
        return result;
    }

    internal static Vector128<byte> ToVector(UInt128 number) => Vector128.Create((ulong)number, (ulong)(number >> 64)).AsByte();

    internal static UInt128 ToNumber(Vector128<byte> vector) =>
        new(vector.AsUInt64().GetElement(1), vector.AsUInt64().GetElement(0));

    // ---- operands ----

    private static Gen<Operands> Of(Operator op)
    {
        string name = VectorReference.Name(op.Mnemonic);
        string shape = VectorReference.SourceShape(op.Mnemonic) ?? op.Mnemonic[..op.Mnemonic.IndexOf('.')];
        Gen<UInt128> vector = Vector(name.StartsWith("relaxed_dot", StringComparison.Ordinal) ? "i8x16" : shape);
        ulong[] scalars = op.Params[^1].Kind == ValKind.V128 ? [0] : ScalarReference.Specials(op.Params[^1]);
        return Gen.Select(vector, vector, vector, Gen.OneOf(Gen.OneOfConst(scalars), Gen.ULong), Gen.Int[0, Lanes(op) - 1])
            .Select(t => Agreed(op.Mnemonic, new Operands(t.Item1, t.Item2, t.Item3, t.Item4, t.Item5)));
    }

    /// <summary>Vectors of a shape: random bits, lanes with special values, all lanes alike.</summary>
    private static Gen<UInt128> Vector(string shape)
    {
        if (shape == "v128") shape = "i32x4";
        int width = VectorReference.Width(shape);
        ulong[] specials = (shape[0], width) switch
        {
            ('f', 32) => ScalarReference.Floats32,
            ('f', 64) => ScalarReference.Floats64,
            (_, 8) => Bytes,
            (_, 16) => Words,
            (_, 32) => ScalarReference.Ints32,
            _ => ScalarReference.Ints64,
        };
        Gen<ulong> special = Gen.OneOfConst(specials), random = Gen.ULong.Select(bits => width == 64 ? bits : bits & ((1UL << width) - 1));
        Gen<ulong> lane = Gen.Frequency((4, special), (1, random));
        return Gen.Frequency(
            (4, lane.Array[128 / width].Select(lanes => Join(lanes, width))),
            (1, lane.Select(one => Join([.. Enumerable.Repeat(one, 128 / width)], width))));
    }

    private static UInt128 Join(ulong[] lanes, int width)
    {
        UInt128 result = 0;
        for (int i = 0; i < lanes.Length; i++) result |= (UInt128)lanes[i] << (i * width);
        return result;
    }
}
