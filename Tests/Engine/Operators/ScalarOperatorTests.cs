using System.Globalization;
using System.Text;
using WasmJit.Jit.Operators;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// Every numeric operator of the table, as generated code computes it, against <see cref="ScalarReference"/>: on operands
/// that the compiler does not know, and on constants on either side or both, where RyuJIT folds and simplifies.
/// </summary>
public sealed class ScalarOperatorTests
{
    private static readonly string[] Proposals = ["core", "sign-extension", "sat-float-to-int"];

    private static IEnumerable<Operator> Numeric => OperatorTable.All.Where(
        op => op.Id == OpId.Plain && op.Immediates.IsEmpty && op.Params.Length > 0 && Proposals.Contains(op.Proposal.Name));

    public static TheoryData<string> Groups => new("i32", "i64", "f32", "f64");

    [Fact]
    public void ThereAreAllOfThem() => Assert.Equal(123 + 5 + 8, Numeric.Count());

    [Theory]
    [MemberData(nameof(Groups))]
    public void OnUnknownOperands(string type)
    {
        Operator[] operators = [.. Numeric.Where(op => op.Mnemonic.StartsWith(type, StringComparison.Ordinal))];
        var text = new StringBuilder("(module ");
        foreach (Operator op in operators)
        {
            text.Append(CultureInfo.InvariantCulture, $"(func (export \"{op.Mnemonic}\") (param i64 i64) (result i64) ");
            for (int i = 0; i < op.Params.Length; i++)
                text.Append(CultureInfo.InvariantCulture, $"local.get {i} {FromBits(op.Params[i])} ");
            text.AppendLine(CultureInfo.InvariantCulture, $"{op.Mnemonic} {ToBits(op.Results[0])})");
        }
        Instance[] instances = InEachTier(text.Append(')').ToString());
        var random = new Random(7);
        foreach (Operator op in operators)
            foreach (Instance instance in instances)
            {
                var run = instance.GetExport<Func<long, long, long>>(op.Mnemonic);
                foreach (ulong a in Values(op.Params[0], random, 60))
                    foreach (ulong b in op.Params.Length > 1 ? Values(op.Params[1], random, 10) : [0])
                        Check(op, a, b, run);
            }
    }

    [Theory]
    [MemberData(nameof(Groups))]
    public void OnConstants(string type)
    {
        Operator[] operators = [.. Numeric.Where(op => op.Mnemonic.StartsWith(type, StringComparison.Ordinal))];
        var random = new Random(8);
        foreach (Operator[] part in operators.Chunk(12))
        {
            var text = new StringBuilder("(module ");
            var checks = new List<(string Name, Operator Op, ulong? A, ulong? B)>();
            foreach (Operator op in part)
            {
                bool binary = op.Params.Length > 1;
                ulong[] sample = ScalarReference.Specials(op.Params[0]);
                foreach (ulong constant in sample)
                {
                    if (binary)
                    {
                        Add(op, constant, null);
                        Add(op, null, constant);
                        Add(op, constant, sample[random.Next(sample.Length)]);
                    }
                    else
                    {
                        Add(op, constant, 0);
                    }
                }
            }
            Instance[] instances = InEachTier(text.Append(')').ToString());
            foreach ((string name, Operator op, ulong? a, ulong? b) in checks)
                foreach (Instance instance in instances)
                {
                    var run = instance.GetExport<Func<long, long, long>>(name);
                    foreach (ulong other in a is null || b is null ? ScalarReference.Specials(op.Params[0]) : [0])
                        Check(op, a ?? other, b ?? other, run);
                }

            void Add(Operator op, ulong? a, ulong? b)
            {
                string name = $"{op.Mnemonic} {a:x} {b:x}";
                if (checks.Any(c => c.Name == name)) return;
                checks.Add((name, op, a, b));
                text.Append(CultureInfo.InvariantCulture, $"(func (export \"{name}\") (param i64 i64) (result i64) ");
                text.Append(a is { } left ? Constant(op.Params[0], left) : $"local.get 0 {FromBits(op.Params[0])}").Append(' ');
                if (op.Params.Length > 1)
                    text.Append(b is { } r ? Constant(op.Params[1], r) : $"local.get 1 {FromBits(op.Params[1])}").Append(' ');
                text.AppendLine(CultureInfo.InvariantCulture, $"{op.Mnemonic} {ToBits(op.Results[0])})");
            }
        }
    }

    private static readonly string[] Users = ["mul", "div_s", "rem_s", "shr_u", "add", "lt_s"];

    /// <summary>
    /// A number that RyuJIT computes from constants is used by another operator. It has to be the number in the form that its own
    /// constants have: .NET 10 multiplied and divided by rotated constants as if they had 64 bits.
    /// </summary>
    [Theory]
    [InlineData("i32")]
    [InlineData("i64")]
    public void OnComputedConstants(string type)
    {
        var random = new Random(9);
        string fromBits = FromBits(type == "i32" ? ValType.I32 : ValType.I64);
        foreach (Operator[] part in Numeric.Where(op => op.Results[0].ToString() == type).Chunk(20))
        {
            var text = new StringBuilder("(module ");
            var checks = new List<(string Name, ulong Computed, string User)>();
            foreach (Operator op in part)
            {
                ulong[] sample = ScalarReference.Specials(op.Params[0]);
                foreach (ulong a in sample)
                {
                    ulong b = sample[random.Next(sample.Length)];
                    if (ScalarReference.Apply(op.Mnemonic, a, b) is not { } computed) continue;
                    string user = Users[random.Next(Users.Length)], name = $"{op.Mnemonic} {a:x} {b:x} {user}";
                    checks.Add((name, computed, $"{type}.{user}"));
                    text.Append(CultureInfo.InvariantCulture, $"(func (export \"{name}\") (param i64) (result i64) (local {type}) ");
                    text.Append(Constant(op.Params[0], a)).Append(' ');
                    if (op.Params.Length > 1) text.Append(Constant(op.Params[1], b)).Append(' ');
                    text.Append(op.Mnemonic).Append(random.Next(2) == 0 ? " local.set 1 local.get 1 " : " ");
                    text.Append(CultureInfo.InvariantCulture, $"local.get 0 {fromBits} {type}.{user} ");
                    text.AppendLine(type == "i32" || user == "lt_s" ? "i64.extend_i32_u)" : ")");
                }
            }
            foreach (Instance instance in InEachTier(text.Append(')').ToString()))
                foreach ((string name, ulong computed, string user) in checks)
                {
                    var run = instance.GetExport<Func<long, long>>(name);
                    foreach (ulong other in new ulong[] { 1, 3, 4, type == "i32" ? 0xfffffffe : ulong.MaxValue - 1 })
                    {
                        if (ScalarReference.Apply(user, computed, other) is { } expected)
                            Assert.True(expected == (ulong)run((long)other), $"{name} {other:x}");
                    }
                }
        }
    }

    /// <summary>As machine code, and interpreted.</summary>
    private static Instance[] InEachTier(string text) =>
    [
        new Engine(Tiers.Compiled).CompileText(text).Instantiate(),
        new Engine(Tiers.Interpreted).CompileText(text).Instantiate(),
    ];

    private static void Check(Operator op, ulong a, ulong b, Func<long, long, long> run)
    {
        ulong? expected = ScalarReference.Apply(op.Mnemonic, a, b);
        ulong? actual;
        try
        {
            actual = (ulong)run((long)a, (long)b);
        }
        catch (TrapException)
        {
            actual = null;
        }
        ValType type = op.Results[0];
        bool signs = op.Mnemonic[4..] is "abs" or "neg" or "copysign"
            || op.Mnemonic.Contains("reinterpret", StringComparison.Ordinal);
        bool equal = !signs && expected is { } e && ScalarReference.IsNaN(type, e)
            ? actual is { } r && ScalarReference.IsNaN(type, r) && ScalarReference.IsQuiet(type, r)
            : expected == actual;
        Assert.True(equal, $"{op.Mnemonic} {a:x} {b:x}: {Text(actual)} instead of {Text(expected)}");

        static string Text(ulong? bits) => bits?.ToString("x", CultureInfo.InvariantCulture) ?? "trap";
    }

    private static IEnumerable<ulong> Values(ValType type, Random random, int count)
    {
        ulong mask = type.Kind is ValKind.I32 or ValKind.F32 ? uint.MaxValue : ulong.MaxValue;
        foreach (ulong value in ScalarReference.Specials(type)) yield return value;
        // All magnitudes alike, so that shifts, divisions and roundings meet small and large numbers.
        for (int i = 0; i < count; i++) yield return ((ulong)random.NextInt64() * 2 >> random.Next(64)) & mask;
    }

    internal static string FromBits(ValType type) => type.Kind switch
    {
        ValKind.I32 => "i32.wrap_i64",
        ValKind.F32 => "i32.wrap_i64 f32.reinterpret_i32",
        ValKind.F64 => "f64.reinterpret_i64",
        _ => "",
    };

    internal static string ToBits(ValType type) => type.Kind switch
    {
        ValKind.I32 => "i64.extend_i32_u",
        ValKind.F32 => "i32.reinterpret_f32 i64.extend_i32_u",
        ValKind.F64 => "i64.reinterpret_f64",
        _ => "",
    };

    internal static string Constant(ValType type, ulong bits)
    {
        switch (type.Kind)
        {
            case ValKind.I32: return $"i32.const {bits}";
            case ValKind.I64: return $"i64.const {bits}";
        }
        bool single = type.Kind == ValKind.F32;
        double value = single ? BitConverter.UInt32BitsToSingle((uint)bits) : BitConverter.UInt64BitsToDouble(bits);
        string sign = (bits >> (single ? 31 : 63)) != 0 ? "-" : "";
        string number = double.IsNaN(value) ? $"nan:0x{bits & (single ? 0x7ffffful : (1ul << 52) - 1):x}"
            : double.IsInfinity(value) ? "inf"
            : Math.Abs(value).ToString("E17", CultureInfo.InvariantCulture);
        return $"{type.Kind.ToString().ToLowerInvariant()}.const {sign}{number}";
    }
}
