using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>What a guest executes is counted, and ends when the fuel does.</summary>
public sealed class FuelTests
{
    private static readonly Engine Counting = new(new EngineOptions { CountFuel = true });

    private static Instance Make(string fields, Fuel fuel) => Counting.CompileText($"(module $fuel {fields})").Instantiate(fuel: fuel);

    private static void RunsOut(Action call)
    {
        var trap = Assert.Throws<TrapException>(call);
        Assert.Equal(TrapKind.OutOfFuel, trap.Kind);
        Assert.Equal("out of fuel", trap.Message);
        Assert.Equal("fuel", trap.WasmStack[0].Module);
    }

    [Theory]
    [InlineData("(func (export \"f\") (loop $l (br $l)))")]
    [InlineData("(func (export \"f\") (loop $a (loop $b (br_if $b (i32.const 0)) (br $a))))")]
    [InlineData("(func $f (export \"f\") (return_call $f))")]
    [InlineData("(func $f (export \"f\") (call $f) (call $f))")]
    [InlineData("(memory 16) (func (export \"f\") (loop $l (memory.fill (i32.const 0) (i32.const 0) (i32.const 1048576)) (br $l)))")]
    [InlineData("(type $t (table 1000000 funcref)) (func (export \"f\") (loop $l (drop (table.new $t (ref.null func))) (br $l)))")]
    [InlineData("(type $m (memory 1)) (func (export \"f\") (loop $l (drop (memory.new $m)) (br $l)))")]
    [InlineData("(func (export \"f\") (loop $l (slice.fill (slice.new (i32.const 0) (i32.const 65536)) (i64.const 0) (i32.const 0) (i64.const 65536)) (br $l))) (memory 1)")]
    [InlineData("(type $T (module)) (memory 1) (data (i32.const 0) (module)) (func (export \"f\") (loop $l (drop (compile $T (i32.const 0) (i32.const 8))) (br $l)))")]
    [InlineData("(type $T (module)) (memory 1) (data (i32.const 0) (module)) (global $t (mut (ref null $T)) (ref.null $T)) (func (export \"f\") (global.set $t (compile $T (i32.const 0) (i32.const 8))) (loop $l (drop (instantiate $T (global.get $t))) (br $l)))")]
    [InlineData("(module $m (table 1000000 funcref)) (func (export \"f\") (loop $l (drop (instantiate (module $m))) (br $l)))")]
    public void EndlessFunctionsRunOut(string fields)
    {
        var fuel = new Fuel(100_000);
        Instance instance = Make(fields, fuel);
        Assert.Same(fuel, instance.Fuel);
        RunsOut(instance.GetExport<Action>("f"));
        Assert.Equal(0, fuel.Remaining);
        RunsOut(instance.GetExport<Action>("f"));
        instance.Fuel = new Fuel(1000);
        RunsOut(instance.GetExport<Action>("f"));
    }

    /// <summary>Instances whose parts have no elements are objects all the same: each part is paid for.</summary>
    [Theory]
    [InlineData("(tag)", 16)]
    [InlineData("(global anyref (ref.null any))", 16)]
    [InlineData("(table 0 funcref)", 64)]
    [InlineData("(func)", 1)]
    public void EachPartOfAnInstanceCosts(string part, int units)
    {
        long Cost(int parts)
        {
            var fuel = new Fuel(10_000_000);
            Make($"(module $m {string.Concat(Enumerable.Repeat(part, parts))}) (func (export \"f\") (drop (instantiate (module $m))))", fuel)
                .GetExport<Action>("f")();
            return 10_000_000 - fuel.Remaining;
        }
        Assert.InRange(Cost(1001) - Cost(1), 1000L * units, 1000L * (units + 4));
    }

    [Fact]
    public void AUnitPaysForAnInstructionAtLeast()
    {
        // Entry 1 and 2 instructions outside the loop; each iteration 1 and 7 instructions of its own.
        var fuel = new Fuel(1_000_000);
        Instance instance = Make("""
            (func (export "sum") (param i32) (result i32) (local i32)
              (loop $l
                (local.set 1 (i32.add (local.get 1) (local.get 0)))
                (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
              (local.get 1))
            """, fuel);
        var sum = instance.GetExport<Func<int, int>>("sum");
        long Cost(int n)
        {
            long before = fuel.Remaining;
            Assert.Equal(n * (n + 1) / 2, sum(n));
            return before - fuel.Remaining;
        }
        long one = Cost(1), two = Cost(2), thousand = Cost(1000);
        Assert.Equal(one, Cost(1));
        long iteration = two - one;
        Assert.Equal(one + (999 * iteration), thousand);
        Assert.Equal(10, iteration);
        Assert.Equal(13, one);
    }

    [Fact]
    public void NestedLoopsPayForThemselves()
    {
        var fuel = new Fuel(1_000_000);
        var f = Make("""
            (func (export "f") (param $n i32) (param $m i32) (local $k i32)
              (loop $a
                (local.set $k (local.get $m))
                (loop $b (br_if $b (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))
                (br_if $a (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
            """, fuel).GetExport<Action<int, int>>("f");
        long Cost(int n, int m)
        {
            long before = fuel.Remaining;
            f(n, m);
            return before - fuel.Remaining;
        }
        long inner = Cost(1, 2) - Cost(1, 1), outer = Cost(2, 1) - Cost(1, 1);
        Assert.True(inner >= 5);
        Assert.True(outer > inner);
        Assert.Equal(Cost(1, 1) + (9 * outer) + (10 * 6 * inner), Cost(10, 7));
    }

    [Fact]
    public void AddingLetsItGoOn()
    {
        var fuel = new Fuel(0);
        var f = Make("(func (export \"f\"))", fuel).GetExport<Action>("f");
        RunsOut(f);
        fuel.Add(10);
        f();
        Assert.Equal(9, fuel.Remaining);
        fuel.Add(long.MaxValue);
        Assert.Equal(long.MaxValue, fuel.Remaining);
        Assert.Throws<ArgumentOutOfRangeException>(() => fuel.Add(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Fuel(-1));
    }

    [Fact]
    public void TheStartFunctionIsCharged()
    {
        Module module = Counting.CompileText("(module $fuel (func $f (loop $l (br $l))) (start $f))");
        RunsOut(() => module.Instantiate(fuel: new Fuel(1000)));
    }

    [Fact]
    public void HugeLengthsNeitherPayNorEarn()
    {
        var fuel = new Fuel(50);
        Instance instance = Make("""
            (memory i64 1) (table i64 1 funcref)
            (func (export "fill") (param i64) (memory.fill (i64.const 0) (i32.const 0) (local.get 0)))
            (func (export "grow") (param i64) (drop (table.grow (ref.null func) (local.get 0))))
            """, fuel);
        foreach (string name in new[] { "fill", "grow" })
            foreach (long length in new[] { -1, long.MinValue, long.MaxValue, 1L << 40 })
                for (int i = 0; i < 3; i++)
                {
                    RunsOut(() => instance.GetExport<Action<long>>(name)(length));
                    Assert.Equal(0, fuel.Remaining);
                }
    }

    [Theory]
    [InlineData("memory.fill (i32.const 0) (i32.const 0)", 8192)]
    [InlineData("memory.copy (i32.const 0) (i32.const 0)", 8192)]
    [InlineData("table.fill (i32.const 0) (ref.null func)", 65536)]
    [InlineData("table.copy (i32.const 0) (i32.const 0)", 65536)]
    [InlineData("drop (table.grow (ref.null func)", 65536)]
    [InlineData("drop (array.new $a (i32.const 1)", 65536)]
    [InlineData("drop (array.new_default $a", 65536)]
    public void BulkOperatorsPayByLength(string op, long cost)
    {
        var fuel = new Fuel(1_000_000);
        string close = op.StartsWith("drop", StringComparison.Ordinal) ? ")" : "";
        var f = Make($"""
            (type $a (array i32)) (memory 1) (table 65536 funcref)
            (func (export "f") (param i32) ({op} (local.get 0)){close})
            """, fuel).GetExport<Action<int>>("f");
        f(0);
        long before = fuel.Remaining, nothing = 1_000_000 - before;
        f(65536);
        Assert.Equal(cost, before - fuel.Remaining - nothing);
    }

    [Fact]
    public void InstancesMadeByGuestsShareTheirs()
    {
        byte[] bytes = Wat.ToBinary("(module (func (export \"f\") (loop $l (br $l))))");
        string data = string.Concat(bytes.Select(b => $"\\{b:x2}"));
        var fuel = new Fuel(1000);
        Instance instance = Make($"""
            (type $f (func))
            (type $M (module (export "f" (func (type $f)))))
            (type $I (instance (export "f" (func (type $f)))))
            (memory 1)
            (data (i32.const 0) "{data}")
            (func (export "run")
              (call_ref $f (get_export $I "f" (instantiate $M (compile $M (i32.const 0) (i32.const {bytes.Length}))))))
            """, fuel);
        var trap = Assert.Throws<TrapException>(instance.GetExport<Action>("run"));
        Assert.Equal(TrapKind.OutOfFuel, trap.Kind);
        Assert.Equal(0, fuel.Remaining);
    }

    /// <summary>The ways in which code that counts is made.</summary>
    private static readonly EngineOptions[] Ways =
    [
        new() { CountFuel = true, Compilation = Compilation.Interpreted },
        new() { CountFuel = true, Compilation = Compilation.Lazy, Inlining = false },
        new() { CountFuel = true, Compilation = Compilation.Lazy },
        new() { CountFuel = true, Compilation = Compilation.Lazy, Interruptible = true, MemoryChecks = MemoryChecks.Explicit },
    ];

    private const string Callees = """
        (import "host" "f" (func $host (param i32)))
        (memory (export "memory") 1 2) (global $g (export "g") (mut i32) (i32.const 0))
        (func $mark (param $at i32) (i32.store8 (local.get $at) (i32.add (i32.load8_u (local.get $at)) (i32.const 1))))
        (func $twice (param $at i32) (call $mark (local.get $at)) (call $mark (i32.add (local.get $at) (i32.const 1))))
        (func $never (param i32) (i32.store8 (i32.const 40) (i32.const 1)) (unreachable))
        (func $fails (param i32) (result i32 i64 v128) (if (local.get 0) (then (unreachable))) (unreachable))
        (func $early (param i32) (result i32) (local i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64)
          (if (i32.and (local.get 0) (i32.const 1)) (then (return (i32.const 5)))) (call $mark (i32.const 41)) (i32.const 6))
        (func $values (result i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)
          (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5) (i32.const 6) (i32.const 7) (i32.const 8) (i32.const 9) (i32.const 10))
        (func $long (param $n i32) (loop $l (call $mark (i32.const 42)) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
        """;

    /// <summary>
    /// A function costs the same wherever it is, and fuel ends at the same place, whatever the code that has it: interpreted or not, with callees in their callers or
    /// not, with what is left in a register or not.
    /// </summary>
    [Theory]
    [InlineData("(loop $l (call $mark (local.get $n)) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))")]
    [InlineData("(loop $l (call $twice (local.get $n)) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))) (call $mark (i32.const 9))")]
    [InlineData("(if (i32.gt_u (local.get $n) (i32.const 4)) (then (call $never (local.get $n)) (global.set $g (i32.const 3)) (call $mark (i32.const 1)))) (call $mark (i32.const 2))")]
    [InlineData("(call $fails (local.get $n)) (drop) (drop) (drop) (loop $l (br $l))")]
    [InlineData("(loop $l (global.set $g (i32.add (call $early (local.get $n)) (i32.mul (global.get $g) (call $early (global.get $g))))) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))")]
    [InlineData("(loop $a (call $long (local.get $n)) (loop $b (i32.store8 (local.get $n) (local.tee $i (i32.add (local.get $i) (i32.const 1)))) (br_if $b (i32.and (local.get $i) (i32.const 3)))) (call $mark (i32.const 3)) (br_if $a (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))")]
    [InlineData("(loop $a (local.set $i (i32.const 3)) (loop $b (call $mark (local.get $i)) (br_if $b (local.tee $i (i32.sub (local.get $i) (i32.const 1))))) (br_if $a (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))")]
    [InlineData("(call $values) (drop) (drop) (drop) (drop) (drop) (drop) (drop) (drop) (drop) (global.set $g) (call $mark (local.get $n))")]
    [InlineData("(loop $l (memory.fill (i32.const 8) (local.get $n) (i32.const 24)) (call $mark (i32.const 8)) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))")]
    [InlineData("(local.set $i (i32.const 65530)) (loop $l (call $mark (local.get $i)) (local.set $i (i32.add (local.get $i) (local.get $n))) (br $l))")]
    [InlineData("(loop $l (call $host (local.get $n)) (call $mark (local.get $n)) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))) (call $mark (i32.const 7))")]
    [InlineData("(call $host (local.get $n)) (loop $l (call $mark (local.get $n)) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))) (call $mark (i32.const 7))")]
    public void FuelEndsAtTheSamePlaceInEveryWay(string body)
    {
        string wat = $"(module $fuel {Callees} (func (export \"f\") (param $n i32) (local $i i32) {body}))";
        // A module with a shared memory asks for more when its share is used up.
        string shared = wat.Replace("(global $g", "(memory 1 1 shared) (global $g", StringComparison.Ordinal);
        string[] seen = [.. Ways.SelectMany(options => new[] { wat, shared }, (options, text) => string.Join('\n', Endings(text, options)))];
        Assert.All(seen, one => Assert.Equal(seen[0], one));
        Assert.Contains("OutOfFuel", seen[0], StringComparison.Ordinal);
    }

    /// <summary>What is left behind when a function is called with each amount of fuel up to more than it takes.</summary>
    private static IEnumerable<string> Endings(string wat, EngineOptions options)
    {
        Module module = new Engine(options).CompileText(wat);
        for (int amount = 0; amount < 400; amount += amount < 60 ? 1 : 7)
        {
            Fuel fuel = new(amount);
            Instance instance = module.Instantiate(new Imports { { "host", "f", (Action<int>)(n => fuel.Add(n)) } });
            instance.Fuel = fuel;
            string end = "returned";
            try
            {
                instance.GetExport<Action<int>>("f")(5);
            }
            catch (TrapException e)
            {
                end = e.Kind.ToString();
            }
            yield return $"{amount}: {end}, {fuel.Remaining} left, {instance.GetExport<Global>("g").Value}, {Convert.ToHexString(instance.GetExport<Memory>("memory").Slice(0, 48))}";
        }
    }

    [Fact]
    public void OtherEnginesDoNotCount()
    {
        Instance instance = new Engine().CompileText("(module (func (export \"f\")))").Instantiate();
        Assert.Null(instance.Fuel);
        Assert.Throws<InvalidOperationException>(() => instance.Fuel = new Fuel(1));
    }
}
