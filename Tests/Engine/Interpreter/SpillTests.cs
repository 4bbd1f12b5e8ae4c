using Xunit;

namespace WasmJit.Tests;

/// <summary>Functions with more operands than an instruction of register code can name slots are interpreted, too, and do what all functions do.</summary>
public sealed class SpillTests
{
    /// <summary>More than there are slots.</summary>
    private const int Many = 66_000;

    private static readonly EngineOptions Interpreted = new() { Compilation = Compilation.Interpreted };

    private static string Repeat(string text, int count) => string.Concat(Enumerable.Repeat(text, count));

    private static Module Compile(string text, EngineOptions? options = null) => new Engine(options ?? Interpreted).CompileText(text);

    /// <summary>Constants, reads of locals that are written later, and results, each too many for slots.</summary>
    [Theory]
    [InlineData("(i32.const 3)", 3)]
    [InlineData("(local.get 0)", 5)]
    [InlineData("(i32.load8_u (i32.const 9))", 11)]
    [InlineData("(i32.mul (local.get 0) (i32.const 2))", 10)]
    [InlineData("(local.tee 0 (i32.const 4))", 4)]
    [InlineData("(call $seven)", 7)]
    public void ASumOfManyOperands(string operand, int value)
    {
        Module module = Compile($"""
            (module
              (memory 1)
              (data (i32.const 9) "\0b")
              (func $sum (export "sum") (param i32) (result i32)
                {Repeat(operand, Many)}
                (local.set 0 (i32.const 1000))
                {Repeat("i32.add ", Many - 1)})
              (func $seven (result i32) (i32.const 7)))
            """);
        var sum = module.Instantiate().GetExport<Func<int, int>>("sum");
        Assert.Equal(value * Many, sum(5));
        Assert.Equal(value * Many, sum(5));
        Assert.False(module.Code.IsCompiled(0));
    }

    /// <summary>Statements that leave a value, of all kinds of control, over a local $x and a table with $f.</summary>
    private static readonly string[] Statements =
    [
        "(block (result i32) (br_if 0 (i32.const 41) (local.get $x)) (local.set $x (i32.const 9)))",
        "(block (result i32) (i32.const 2) (br_if 0 (local.get $x) (i32.gt_s (local.get $x) (i32.const 100))) (i32.add))",
        "(if (result i32) (local.get $x) (then (i32.const 6)) (else (local.get $x)))",
        "(i32.const 12) (if (param i32) (result i32) (i32.eqz (local.get $x)) (then (i32.const 3) (i32.mul)) (else (local.get $x) (i32.sub)))",
        "(local.get $x) (i32.load (i32.const 8)) (i32.const 5) (loop $again (param i32 i32 i32) (result i32) (i32.add) (i32.add) (local.tee $y) (i32.const 7) (local.get $x) "
            + "(br_if $again (i32.lt_s (local.get $y) (i32.const 500))) (i32.mul) (i32.add))",
        "(i32.const 1) (i32.const 2) (i32.load (i32.const 8)) (block (param i32 i32 i32) (result i32 i32 i32) (block (param i32 i32 i32) (result i32 i32 i32) "
            + "(br_table 0 1 0 (local.get $x))) (local.set $x (i32.const 77))) (i32.sub) (i32.mul)",
        "(local.get $x) (call $f (local.get $x) (i32.load (i32.const 8)))  (local.set $x (i32.const 4)) (i32.sub)",
        "(local.get $x) (call_indirect (type $t) (i32.mul (local.get $x) (i32.const 3)) (i32.const 9) (i32.load (i32.const 12))) (i32.xor)",
        "(local.get $x) (call_ref $t (local.get $x) (i32.const 30) (ref.func $f)) (i32.xor)",
        "(call $two (local.get $x)) (i32.shl)",
        "(call $tail (local.get $x) (i32.const 99) (i32.const 3))",
        "(select (local.get $x) (i32.load (i32.const 8)) (i32.and (local.get $x) (i32.const 1)))",
        "(i64.add128 (i64.load (i32.const 8)) (i64.const 2) (i64.extend_i32_s (local.get $x)) (i64.const 7)) (i64.xor) (i32.wrap_i64)",
        "(local.get $x) (local.set $x (i32.add (local.get $x) (i32.const 1))) (local.get $x) (i32.mul)",
        "(local.get $x) (i32.load (i32.const 8)) (memory.fill (i32.const 100) (local.get $x) (i32.const 20)) (i32.load (i32.const 104)) (i32.sub) (i32.add)",
        "(local.get $r) (block (result i32) (i32.const 8) (br_on_null 0 (local.get $r)) (drop) (drop) (i32.const 70)) (local.set $y) (ref.is_null) (i32.add (local.get $y))",
        "(block $null (br_on_null $null (ref.null extern)) (drop)) (i32.const 1)",
        "(block $l (result funcref) (br_on_non_null $l (ref.func $f)) (ref.null func)) (ref.is_null)",
        "(table.set $e (i32.const 2) (local.get $r)) (ref.is_null (table.get $e (i32.const 2)))",
    ];

    private static string Program(int below, int? statement = null) => $$"""
        (module
          (type $t (func (param i32 i32) (result i32)))
          (memory 1)
          (data (i32.const 8) "\15\00\00\00\00\00\00\00")
          (table funcref (elem $f))
          (table $e 4 externref)
          (func $f (type $t) (i32.sub (i32.mul (local.get 0) (i32.const 3)) (local.get 1)))
          (func $two (param i32) (result i32 i32) (i32.add (local.get 0) (i32.const 5)) (i32.const 3))
          (func $tail (param i32 i32 i32) (result i32)
            (i32.load (i32.const 8))
            (if (local.get 2) (then (return_call $tail (i32.add (local.get 0) (i32.load (i32.const 8))) (local.get 1) (i32.sub (local.get 2) (i32.const 1)))))
            (drop)
            (return_call_indirect (type $t) (local.get 0) (local.get 1) (i32.const 0)))
          (func (export "run") (param $x i32) (param $r externref) (result i32) (local $y i32)
            {{Repeat("(i32.load (i32.const 8))", below / 2)}}
            {{Repeat("(local.get $x)", below / 4)}}
            {{Repeat("(i32.const 21)", below / 4)}}
            {{string.Join('\n', statement is { } only ? [Statements[only]] : Statements)}}
            {{Repeat("i32.add ", below + (statement is null ? Statements.Length : 1) - 1)}}))
        """;

    public static TheoryData<int> Numbers => [.. Enumerable.Range(0, Statements.Length)];

    /// <summary>Whatever has slots, the value is the same.</summary>
    [Theory]
    [MemberData(nameof(Numbers))]
    public void StatementsDoTheSame(int statement)
    {
        string text = Program(12, statement);
        int[] numbers = [0, 1, 2, 40];
        int?[] expected = null!;
        foreach (EngineOptions options in new[]
            { Tiers.Compiled, Interpreted, Interpreted with { SlotsOfSpilling = 1 }, Interpreted with { SlotsOfSpilling = 4 }, Interpreted with { SlotsOfSpilling = 4000 } })
        {
            var run = Compile(text, options).Instantiate().GetExport<Func<int, object?, int>>("run");
            int?[] results = [.. numbers.SelectMany(n => new int?[] { run(n, null), run(n, "host") })];
            expected ??= results;
            Assert.Equal(expected, results);
        }
    }

    /// <summary>All of them in one function, above many operands: these add what they are.</summary>
    [Fact]
    public void StatementsWorkAboveManyOperands()
    {
        Module few = Compile(Program(0)), many = Compile(Program(Many * 4));
        var short1 = few.Instantiate().GetExport<Func<int, object?, int>>("run");
        var long1 = many.Instantiate().GetExport<Func<int, object?, int>>("run");
        foreach (int x in (int[])[0, 1, 21])
            Assert.Equal(short1(x, "host") + (Many * 2 * 21) + (Many * x) + (Many * 21), long1(x, "host"));
        Assert.False(many.Code.IsCompiled(3));
    }

    /// <summary>References are spilled like numbers.</summary>
    [Theory]
    [InlineData("(local.get 0)", "(ref.is_null)")]
    [InlineData("(table.get 0 (i32.const 0))", "(ref.is_null)")]
    public void ManyReferences(string operand, string use)
    {
        Module module = Compile($$"""
            (module
              (table (export "table") 1 externref)
              (func (export "count") (param externref) (result i32) (local $n i32)
                {{Repeat(operand, Many)}}
                (local.set 0 (ref.null extern))
                (block)
                {{Repeat($"{use} (local.set $n (i32.add (local.get $n)))", Many)}}
                (local.get $n)))
            """);
        Instance instance = module.Instantiate();
        var count = instance.GetExport<Func<object?, int>>("count");
        Assert.Equal(Many, count(null));
        instance.GetExport<Table>("table")[0] = "host";
        Assert.Equal(0, count("host"));
        Assert.False(module.Code.IsCompiled(0));
    }

    /// <summary>What is spilled goes with its frame, also when a trap ends that: otherwise the area of a thread would be used up.</summary>
    [Fact]
    public void TrapsForgetWhatIsSpilled()
    {
        var deep = Compile($$"""
            (module
              (memory 1)
              (func $deep (export "deep") (param i32) (result i32)
                {{Repeat("(i32.load (i32.const 0))", Many)}}
                (if (i32.eqz (local.get 0)) (then (unreachable)))
                (call $deep (i32.sub (local.get 0) (i32.const 1)))
                {{Repeat("i32.add ", Many)}}))
            """).Instantiate().GetExport<Func<int, int>>("deep");
        for (int i = 0; i < 30; i++)
            Assert.Equal(TrapKind.Unreachable, Assert.Throws<TrapException>(() => deep(10)).Kind);
        Assert.Equal(TrapKind.CallStackExhausted, Assert.Throws<TrapException>(() => deep(1_000_000)).Kind);
        Assert.Equal(TrapKind.Unreachable, Assert.Throws<TrapException>(() => deep(10)).Kind);
    }

    /// <summary>Vectors that are loaded through a reference to a memory, where all functions are interpreted.</summary>
    [Theory]
    [InlineData("(v128.load32x2_s (ref $m) (ref.memory $own) (i32.const 8))")]
    [InlineData("(v128.load32_lane (ref $m) 2 (ref.memory $own) (i32.const 8) (v128.const i32x4 1 2 0 4))")]
    public void VectorsThroughReferences(string load)
    {
        EngineOptions options = Interpreted with { InterpretsAll = true, SlotsOfSpilling = 3 };
        string text = $"""
            (module
              (type $m (memory 1))
              (memory $own 1)
              (data (memory $own) (i32.const 8) "\01\02\03\04\05\06\07\08")
              (func (export "run") (result i32) (i32x4.all_true {load})))
            """;
        Assert.Equal(new Engine(Tiers.Compiled).CompileText(text).Instantiate().GetExport<Func<int>>("run")(), Compile(text, options).Instantiate().GetExport<Func<int>>("run")());
    }
}
