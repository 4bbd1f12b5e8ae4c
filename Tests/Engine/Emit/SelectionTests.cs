using Xunit;

namespace WasmJit.Tests;

/// <summary>A selection gives one of its values, in loops and outside.</summary>
public sealed class SelectionTests
{
    /// <summary>Conditions on <c>$c</c>, and what they are.</summary>
    private static readonly (string Text, Func<int, bool> Holds)[] Conditions =
    [
        ("(local.get $c)", c => c != 0),
        ("(i32.eqz (local.get $c))", c => c == 0),
        ("(i32.lt_s (local.get $c) (i32.const 3))", c => c < 3),
        ("(i32.gt_u (local.get $c) (i32.const 3))", c => (uint)c > 3),
        ("(i32.and (local.get $c) (i32.const 1))", c => (c & 1) != 0),
        ("(i32.and (local.get $c) (i32.const 64))", c => (c & 64) != 0),
        ("(i32.and (local.get $c) (i32.const 0x80000000))", c => c < 0),
        ("(i32.and (local.get $c) (i32.const 96))", c => (c & 96) != 0),
        ("(i32.rotl (local.get $c) (i32.const 4))", c => c != 0),
        ("(i32.load (local.get $zero))", _ => true),
        ("(i32.and (i32.load (local.get $zero)) (local.get $c))", c => (0x01020304 & c) != 0),
        ("(i64.ne (i64.extend_i32_s (local.get $c)) (i64.const -1))", c => c != -1),
    ];

    /// <summary>The two values, as texts and numbers.</summary>
    private static readonly (string First, string Second, long FirstValue, long SecondValue)[] Values =
    [
        ("(TYPE.const 5)", "(TYPE.const -9)", 5, -9),
        ("(TYPE.const 0)", "(TYPE.const 7)", 0, 7),
        ("(TYPE.const 7)", "(TYPE.const 0)", 7, 0),
        ("(TYPE.const 0)", "(TYPE.const 0)", 0, 0),
        ("(TYPE.load (local.get $zero))", "(TYPE.mul (TYPE.const 3) (TYPE.const 4))", 0x01020304, 12),
        ("(TYPE.mul (TYPE.const 3) (TYPE.const 4))", "(TYPE.load offset=8 (local.get $zero))", 12, 0x01020305),
        ("(local.get $TYPE)", "(local.tee $TYPE (TYPE.const 11))", -1, 11),
    ];

    private static readonly int[] Numbers = [0, 1, 2, 3, 4, 32, 63, 64, 65, 127, 0x10000000, int.MaxValue, int.MinValue, -1, -64, 0x01000000];

    public static TheoryData<string> Types => new("i32", "i64");

    [Theory]
    [MemberData(nameof(Types))]
    public void GivesOneOfItsValues(string type)
    {
        string functions = string.Concat(Conditions.SelectMany((condition, c) => Values.Select((value, v) => $"""
            (func (export "f{c}_{v}") (param $c i32) (result {type}) (local $zero i32) (local $i32 i32) (local $i64 i64)
              (local.set $i32 (i32.const -1)) (local.set $i64 (i64.const -1))
              (select {value.First.Replace("TYPE", type, StringComparison.Ordinal)} {value.Second.Replace("TYPE", type, StringComparison.Ordinal)} {condition.Text}))
            (func (export "g{c}_{v}") (param $c i32) (result {type}) (local $zero i32) (local $i32 i32) (local $i64 i64) (local $n i32) (local $sum {type})
              (loop $l
                (local.set $i32 (i32.const -1)) (local.set $i64 (i64.const -1))
                (local.set $sum ({type}.add (local.get $sum)
                  (select {value.First.Replace("TYPE", type, StringComparison.Ordinal)} {value.Second.Replace("TYPE", type, StringComparison.Ordinal)} {condition.Text})))
                (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 3))))
              (local.get $sum))
            """)));
        string text = $"""(module (memory 1) (data (i32.const 0) "\04\03\02\01\00\00\00\00\05\03\02\01") {functions})""";
        foreach (EngineOptions options in (EngineOptions[])[Tiers.Compiled, Tiers.Interpreted, Tiers.Compiled with { Verify = true }])
        {
            Instance instance = new Engine(options).CompileText(text).Instantiate();
            for (int c = 0; c < Conditions.Length; c++)
                for (int v = 0; v < Values.Length; v++)
                    foreach (int number in Numbers)
                    {
                        long expected = Conditions[c].Holds(number) ? Values[v].FirstValue : Values[v].SecondValue;
                        Assert.Equal(expected, Call(instance, type, $"f{c}_{v}", number));
                        Assert.Equal(3 * expected, Call(instance, type, $"g{c}_{v}", number));
                    }
        }
    }

    private static long Call(Instance instance, string type, string name, int argument) =>
        type == "i32" ? instance.GetExport<Func<int, int>>(name)(argument) : instance.GetExport<Func<int, long>>(name)(argument);

    /// <summary>A load is made, and traps, whether its value is selected or not.</summary>
    [Theory]
    [InlineData("(select (i64.load (local.get $at)) (i64.const 1) (local.get $c))")]
    [InlineData("(select (i64.const 1) (i64.load (local.get $at)) (local.get $c))")]
    [InlineData("(select (i64.const 0) (i64.load (local.get $at)) (i32.and (local.get $c) (i32.const 2)))")]
    [InlineData("(select (i64.load (local.get $at)) (i64.const 0) (i32.and (i32.const 4) (i32.const 2)))")]
    [InlineData("(drop (select (i64.const 0) (i64.const 1) (i32.load (local.get $at)))) (i64.const 0)")]
    [InlineData("(drop (select (i64.const 0) (i64.const 1) (i32.and (i32.load (local.get $at)) (i32.const 1)))) (i64.const 0)")]
    [InlineData("(select (i64.const 3) (i64.const 3) (i32.and (i32.load (local.get $at)) (i32.const 1)))")]
    public void LoadsTrap(string body)
    {
        string text = $"""
            (module (memory 1)
              (func (export "f") (param $at i32) (param $c i32) (result i64) (local $sum i64)
                (loop $l (local.set $sum (i64.add (local.get $sum) (block (result i64) {body}))) (br_if $l (i32.eq (local.get $c) (i32.const 99))))
                (local.get $sum)))
            """;
        foreach (MemoryChecks checks in Enum.GetValues<MemoryChecks>())
        {
            var f = new Engine(Tiers.Compiled with { MemoryChecks = checks }).CompileText(text).Instantiate().GetExport<Func<int, int, long>>("f");
            foreach (int condition in Numbers)
            {
                f(65528, condition);
                Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, Assert.Throws<TrapException>(() => f(65533, condition)).Kind);
            }
        }
    }
}
