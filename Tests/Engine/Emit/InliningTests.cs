using WasmJit.Jit.Il;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Small functions compiled into their callers do what calls of them do.</summary>
public sealed class InliningTests
{
    private const string Small = """
        (memory 1) (data (i32.const 65528) "\01\02\03\04\05\06\07\08")
        (global $g (mut i32) (i32.const 1))
        (type $s (struct (field i32)))
        (type $a (array i32))
        (func $load (param i32) (result i64) (i64.load (local.get 0)))
        (func $abs (param i32) (result i32)
          (if (i32.lt_s (local.get 0) (i32.const 0)) (then (return (i32.sub (i32.const 0) (local.get 0)))))
          (local.get 0))
        (func $max (param i32 i32) (result i32)
          (if (result i32) (i32.gt_s (local.get 0) (local.get 1)) (then (local.get 0)) (else (local.get 1))))
        (func $twice (param i32) (result i32)
          (local.set 0 (i32.mul (local.get 0) (i32.const 2))) (local.get 0))
        (func $fresh (param i32) (result i32) (local i32)
          (local.set 1 (i32.add (local.get 1) (local.get 0))) (local.get 1))
        (func $second (param i32 i32) (result i32) (local.get 1))
        (func $swap (param i32 i64) (result i64 i32) (local.get 1) (local.get 0))
        (func $bump (result i32) (global.set $g (i32.add (global.get $g) (i32.const 1))) (global.get $g))
        (func $pick (param i32) (result i32)
          (block (block (block (br_table 0 1 2 (local.get 0))) (return (i32.const 10))) (return (i32.const 20)))
          (i32.const 30))
        (func $hit (param i32)
          (block (br_table 0 1 (local.get 0)))
          (global.set $g (i32.add (global.get $g) (i32.const 100))))
        (func $never (param i32) (result i32) (unreachable))
        (func $both (param i32 i32) (result i32) (call $max (call $abs (local.get 0)) (call $abs (local.get 1))))
        (func $even (param i32) (result i32)
          (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 1)) (else (call $odd (i32.sub (local.get 0) (i32.const 1))))))
        (func $odd (param i32) (result i32)
          (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0)) (else (call $even (i32.sub (local.get 0) (i32.const 1))))))
        (func $fib (param i32) (result i32)
          (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
            (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
        (func $looped (param i32) (result i32) (local i32)
          (block $out
            (br_if $out (i32.lt_s (local.get 0) (i32.const 2)))
            (loop $l
              (local.set 1 (i32.add (call $looped (i32.sub (local.get 0) (i32.const 1))) (local.get 1)))
              (br_if $l (i32.gt_s (local.tee 0 (i32.sub (local.get 0) (i32.const 2))) (i32.const 1)))))
          (i32.add (local.get 0) (local.get 1)))
        (func $deep (param i32) (result i32)
          (if (i32.gt_s (local.get 0) (i32.const 60)) (then (return (i32.load (i32.add (i32.const 65400) (i32.mul (local.get 0) (i32.const 4)))))))
          (i32.add (call $deep (i32.add (local.get 0) (i32.const 3))) (i32.const 1)))
        (func $endless (param i32) (result i32) (i32.add (call $endless (local.get 0)) (i32.const 1)))
        (func $field (param (ref null $s)) (result i32) (struct.get $s 0 (local.get 0)))
        (func $item (param (ref null $a)) (result i32) (array.get $a (local.get 0) (i32.const 0)))
        (func $add128 (param v128 v128) (result v128) (local v128)
          (local.set 2 (i32x4.add (local.get 0) (local.get 1))) (local.get 2))
        """;

    /// <summary>Each body is a function from i32 to i32.</summary>
    public static TheoryData<string> Bodies => new(
        "(i32.add (call $abs (local.get 0)) (call $abs (i32.const -3)))",
        "(call $max (call $twice (local.get 0)) (local.get 0))",
        "(i32.sub (call $twice (local.get 0)) (call $twice (i32.const 5)))",
        // A local of the callee starts at zero each time round.
        """
        (local $i i32) (local $sum i32)
        (loop $l
          (local.set $sum (i32.add (local.get $sum) (call $fresh (local.get $i))))
          (br_if $l (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 9))))
        (local.get $sum)
        """,
        // Pending reads below, and of what the caller writes after.
        "(local.get 0) (call $twice (local.get 0)) (local.set 0 (i32.const 7)) (i32.sub) (i32.add (local.get 0))",
        "(call $second (local.get 0) (local.tee 0 (i32.const 3))) (local.set 0 (i32.const 4)) (i32.mul (local.get 0))",
        "(call $swap (local.get 0) (i64.const 40)) (i64.extend_i32_s) (i64.sub) (i32.wrap_i64)",
        // Effects in order: arguments, then the callee, then the rest.
        "(i32.sub (call $bump) (i32.mul (call $second (call $bump) (call $bump)) (global.get $g)))",
        "(i32.add (call $pick (local.get 0)) (call $pick (i32.const 1)))",
        "(i32.const 7) (call $hit (local.get 0)) (call $hit (i32.const 0)) (i32.add (global.get $g))",
        "(i32.add (i32.const 1000) (call $both (local.get 0) (i32.const -2)))",
        "(i32.add (call $even (i32.const 9)) (call $odd (i32.and (local.get 0) (i32.const 7))))",
        "(if (result i32) (i32.eq (local.get 0) (i32.const 5)) (then (call $never (local.get 0))) (else (i32.const 1)))",
        "(block $b (result i32) (drop (br_if $b (i32.const 8) (i32.eqz (local.get 0)))) (br $b (call $abs (local.get 0))))",
        "(call $fib (i32.add (local.get 0) (i32.const 6)))",
        "(call $looped (i32.add (local.get 0) (i32.const 6)))",
        // The last levels of a recursion trap, or not.
        "(call $deep (i32.mul (local.get 0) (i32.const 9)))",
        // The whole of a load must be there, however little of it is used.
        "(i32.wrap_i64 (call $load (i32.add (i32.const 65524) (local.get 0))))",
        "(drop (call $load (i32.add (i32.const 65524) (local.get 0)))) (i32.const 1)",
        "(call $field (struct.new $s (local.get 0)))",
        "(call $field (ref.null $s))",
        "(call $item (ref.null $a))",
        "(i32.add (call $item (array.new $a (i32.const 4) (i32.const 2))) (call $field (ref.null $s)))",
        "(i32.add (call $field (struct.new $s (i32.const 4))) (call $item (ref.null $a)))",
        "(i32x4.extract_lane 2 (call $add128 (v128.const i32x4 1 2 3 4) (i32x4.splat (local.get 0))))",
        """
        (block $out (try_table (result i32) (catch_all $out)
          (i32.add (call $abs (local.get 0)) (call $pick (local.get 0)))) (return))
        (i32.const -1)
        """);

    [Theory]
    [MemberData(nameof(Bodies))]
    public void SameAsCalled(string body)
    {
        string text = $"(module {Small} (func (export \"f\") (param i32) (result i32) {body}))";
        foreach (MemoryChecks checks in Enum.GetValues<MemoryChecks>())
        {
            for (int i = -6; i < 12; i++)
            {
                object called = Run(Tiers.Compiled with { MemoryChecks = checks, Inlining = false }, text, i);
                object inlined = Run(Tiers.Compiled with { MemoryChecks = checks }, text, i);
                Assert.Equal(called, inlined);
            }
        }
    }

    private static object Run(EngineOptions options, string text, int argument)
    {
        var f = new Engine(options).CompileText(text).Instantiate().GetExport<Func<int, int>>("f");
        try
        {
            return f(argument);
        }
        catch (TrapException e)
        {
            return e.Kind;
        }
    }

    [Theory]
    [InlineData("(call $abs (local.get 0))", true)]
    [InlineData("(call $both (local.get 0) (local.get 0))", true)]
    [InlineData("(call $even (local.get 0))", false)]
    public void NoCallIsLeft(string body, bool none)
    {
        Module module = new Engine(Tiers.Compiled).CompileText($"(module {Small} (func (export \"f\") (param i32) (result i32) {body}))");
        IlBuffer il = module.Code.EmitIl(module.Info.Funcs.Count - 1);
        Assert.Equal(none, !il.InOrder().Any(node => node.Form == IlBuffer.Form.Calli));
    }

    /// <summary>A function that calls itself is put into itself where that ends, as many levels deep as its size allows, and into no other.</summary>
    [Theory]
    [InlineData("$fib", 8)]
    [InlineData("$looped", 1)]
    [InlineData("$endless", 1)]
    [InlineData("$even", 1)]
    public void LevelsOfRecursion(string function, int calls)
    {
        Module module = new Engine(Tiers.Compiled).CompileText($"(module {Small} (func (export \"f\") (param i32) (result i32) (call {function} (local.get 0))))");
        int index = (int)module.Info.Names.Funcs.First(name => name.Value == function[1..]).Key;
        Assert.Equal(calls, Calls(index));
        Assert.Equal(1, Calls(module.Info.Funcs.Count - 1));

        int Calls(int func) => module.Code.EmitIl(func).InOrder().Count(node => node.Form == IlBuffer.Form.Calli);
    }

    /// <summary>What is charged for calls that are replaced is what they cost.</summary>
    [Theory]
    [InlineData("$fib")]
    [InlineData("$looped")]
    public void RecursionCostsTheSameFuel(string function)
    {
        string text = $"(module {Small} (func (export \"f\") (param i32) (result i32) (call {function} (local.get 0))))";
        long[] left = [.. new[] { true, false }.Select(inlines => FuelLeft(inlines))];
        Assert.Equal(left[1], left[0]);

        long FuelLeft(bool inlines)
        {
            var fuel = new Fuel(1_000_000);
            Instance instance = new Engine(Tiers.Compiled with { CountFuel = true, Inlining = inlines }).CompileText(text).Instantiate(fuel: fuel);
            instance.GetExport<Func<int, int>>("f")(15);
            return fuel.Remaining;
        }
    }

    /// <summary>Every function calls the one before it twice: taken in without a limit it would be 2^60 operators.</summary>
    [Fact]
    public void ChainsOfSmallFunctionsDoNotExplode()
    {
        string chain = string.Concat(Enumerable.Range(1, 60).Select(i =>
            $"(func $f{i} (param i32) (result i32) (if (result i32) (local.get 0) (then (call $f{i - 1} (i32.const 0))) (else (call $f{i - 1} (i32.const 0)))))"));
        Module module = new Engine(Tiers.Compiled).CompileText(
            $"(module (func $f0 (param i32) (result i32) (i32.const 7)) {chain} (func (export \"f\") (result i32) (call $f60 (i32.const 1))))");
        Assert.Equal(7, module.Instantiate().GetExport<Func<int>>("f")());
        for (int i = 0; i < module.Info.Funcs.Count; i++) Assert.True(module.Code.EmitIl(i).Instructions < 5_000);
    }
}
