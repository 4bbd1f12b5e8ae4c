using WasmJit.Jit.Binary;
using WasmJit.Jit.Interpreter;
using WasmJit.Jit.Tiers;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests;

/// <summary>What a guest sees is the same whichever tier runs it: traps and their stacks, fuel, cancellation, the end of the stack.</summary>
public sealed class TierTests
{
    private static readonly EngineOptions Compiled = new() { Compilation = Compilation.Lazy, Inlining = false };
    private static readonly EngineOptions Interpreted = Compiled with { Compilation = Compilation.Interpreted };

    /// <summary>The tiers, and mixtures of them.</summary>
    public static TheoryData<int> Mixtures() => [.. Enumerable.Range(0, 9)];

    private static EngineOptions Mixture(int number) => number switch
    {
        0 => Compiled,
        1 => Interpreted,
        8 => Interpreted with { SlotsOfSpilling = 2 },
        _ => Compiled with { Compilation = Compilation.Tiered, TierSeed = number },
    };

    private const string Work = """
        (module $work
          (memory 1)
          (table 4 funcref)
          (type $f (func (param i32) (result i32)))
          (elem (i32.const 0) $leaf $loop $divide $load)
          (func $leaf (type $f) (i32.add (local.get 0) (i32.const 1)))
          (func $loop (type $f) (local $sum i32)
            (loop $l
              (local.set $sum (i32.add (local.get $sum) (call $leaf (local.get 0))))
              (memory.fill (i32.const 8) (local.get 0) (i32.and (local.get 0) (i32.const 63)))
              (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
            (local.get $sum))
          (func $divide (type $f) (i32.div_u (i32.const 100) (local.get 0)))
          (func $load (type $f) (i32.load offset=65530 (local.get 0)))
          (func $through (export "through") (param i32 i32) (result i32)
            (i32.add (call_indirect (type $f) (local.get 0) (local.get 1)) (i32.const 0)))
          (func (export "run") (param i32 i32) (result i32)
            (i32.mul (call $through (local.get 0) (local.get 1)) (i32.const 2)))
          (func $deep (export "deep") (param i32) (result i32)
            (if (result i32) (local.get 0)
              (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))
              (else (unreachable))))
          (func $endless (export "endless") (call $endless) (call $endless))
          (func (export "spin") (loop $l (br $l))))
        """;

    [Theory]
    [MemberData(nameof(Mixtures))]
    public void TrapsHaveTheSameStack(int mixture)
    {
        Instance instance = new Engine(Mixture(mixture)).CompileText(Work).Instantiate();
        var run = instance.GetExport<Func<int, int, int>>("run");
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(4, run(1, 0));
            var divide = Assert.Throws<TrapException>(() => run(0, 2));
            Assert.Equal(TrapKind.IntegerDivideByZero, divide.Kind);
            Assert.Equal(["work!divide", "work!through", "work!run"], divide.WasmStack.Select(f => f.ToString()));
            var load = Assert.Throws<TrapException>(() => run(3, 3));
            Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, load.Kind);
            Assert.Equal(["work!load", "work!through", "work!run"], load.WasmStack.Select(f => f.ToString()));
            var undefined = Assert.Throws<TrapException>(() => run(3, 4));
            Assert.Equal((TrapKind.UndefinedElement, "work!through"), (undefined.Kind, undefined.WasmStack[0].ToString()));
        }
        var deep = Assert.Throws<TrapException>(() => instance.GetExport<Func<int, int>>("deep")(99));
        Assert.Equal((TrapKind.Unreachable, 100), (deep.Kind, deep.WasmStack.Count));
        var deeper = Assert.Throws<TrapException>(() => instance.GetExport<Func<int, int>>("deep")(9_999));
        Assert.InRange(deeper.WasmStack.Sum(f => f.Omitted + (f.Omitted == 0 ? 1 : 0)), 10_000, 10_050);
        Assert.InRange(deeper.WasmStack.Count, 50, 101);
    }

    [Theory]
    [MemberData(nameof(Mixtures))]
    public void FuelIsTheSameToTheUnit(int mixture)
    {
        static List<long> Costs(EngineOptions options)
        {
            Instance instance = new Engine(options with { CountFuel = true }).CompileText(Work).Instantiate(null, new Fuel(1_000_000_000));
            var run = instance.GetExport<Func<int, int, int>>("run");
            var costs = new List<long>();
            foreach ((int argument, int function) in new[] { (1, 0), (100, 1), (1, 1), (5, 2), (3000, 1), (0, 2), (3, 3), (9, 4), (700, 1) })
            {
                long before = instance.Fuel!.Remaining;
                try
                {
                    run(argument, function);
                }
                catch (TrapException)
                {
                }
                costs.Add(before - instance.Fuel.Remaining);
            }
            // What is not enough ends at the same place.
            for (int amount = 1; amount < 200; amount += 7)
            {
                instance.Fuel = new Fuel(amount);
                try
                {
                    run(20, 1);
                }
                catch (TrapException e) when (e.Kind == TrapKind.OutOfFuel)
                {
                }
                costs.Add(instance.Fuel.Left);
            }
            return costs;
        }

        Assert.Equal(Costs(Compiled), Costs(Mixture(mixture)));
    }

    [Theory]
    [MemberData(nameof(Mixtures))]
    public void RunawayRecursionIsATrap(int mixture)
    {
        Instance instance = new Engine(Mixture(mixture)).CompileText(Work).Instantiate();
        for (int i = 0; i < 3; i++)
        {
            var trap = Assert.Throws<TrapException>(instance.GetExport<Action>("endless"));
            Assert.Equal((TrapKind.CallStackExhausted, "endless"), (trap.Kind, trap.WasmStack[0].Function));
        }
        Assert.Equal(4, instance.GetExport<Func<int, int, int>>("run")(1, 0));
    }

    [Theory]
    [MemberData(nameof(Mixtures))]
    public void CancellationEndsLoopsAndCalls(int mixture)
    {
        Instance instance = new Engine(Mixture(mixture) with { Interruptible = true }).CompileText(Work).Instantiate();
        var spin = instance.GetExport<Action>("spin");
        using var source = new CancellationTokenSource();
        Assert.Throws<GuestCanceledException>(() => Guest.Run(
            () =>
            {
                source.CancelAfter(50);
                spin();
            },
            source.Token));
        Assert.Equal(4, instance.GetExport<Func<int, int, int>>("run")(1, 0));
    }

    /// <summary>A loop that runs for the first time, and for long, goes on in machine code with all that it had.</summary>
    [Fact]
    public void LoopsGoOnInMachineCode()
    {
        const string loops = """
            (module
              (func (export "run") (param $n i32) (param $r externref) (result i64 f64 externref) (local $i i32) (local $x i64) (local $d f64) (local $s externref)
                (i64.const 7)
                (f64.const 0.5)
                (local.set $s (local.get $r))
                (loop $outer (param i64 f64) (result i64 f64)
                  (local.set $d)
                  (local.set $x)
                  (i32.const 3)
                  (loop $inner (param i32)
                    (local.set $i)
                    (local.set $x (i64.add (local.get $x) (i64.extend_i32_u (local.get $i))))
                    (local.set $d (f64.add (local.get $d) (f64.const 0.25)))
                    (br_if $inner (local.tee $i (i32.sub (local.get $i) (i32.const 1))) (local.get $i))
                    (drop))
                  (local.get $x)
                  (local.get $d)
                  (br_if $outer (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (local.get $s)))
            """;
        object mark = new();
        (long, double, object)? expected = null;
        foreach (int mixture in Enumerable.Range(0, 40))
        {
            Instance instance = new Engine(Mixture(mixture)).CompileText(loops).Instantiate();
            var run = instance.GetExport<Func<int, object, (long, double, object)>>("run");
            for (int i = 0; i < 3; i++)
            {
                (long, double, object) result = run(500, mark);
                expected ??= result;
                Assert.Equal(expected, result);
            }
        }
        Assert.Same(mark, expected!.Value.Item3);
    }

    /// <summary>Machine code keeps bases and limits beside locals with memories and slices. It has them too where it begins at a loop.</summary>
    [Theory]
    [InlineData(MemoryChecks.Guard)]
    [InlineData(MemoryChecks.Explicit)]
    public void LoopsGoOnWithTheirMemoriesAndSlices(MemoryChecks checks)
    {
        const string loop = """
            (module
              (type $m (memory 1))
              (func (export "run") (param $n i32) (result i32) (local $r (ref null $m)) (local $s (ref null slice)) (local $i i32)
                (local.set $r (memory.new $m))
                (local.set $s (slice.new (ref $m) (local.get $r) (i32.const 8) (i32.const 8)))
                (loop $next
                  (i32.store (ref $m) (local.get $r) (i32.const 4) (i32.add (i32.load (ref $m) (local.get $r) (i32.const 4)) (i32.const 1)))
                  (i32.store (ref slice) (local.get $s) (i64.const 4) (i32.add (i32.load (ref slice) (local.get $s) (i64.const 4)) (i32.const 2)))
                  (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
                (i32.add (i32.load (ref $m) (local.get $r) (i32.const 4)) (i32.load (ref $m) (local.get $r) (i32.const 12)))))
            """;
        foreach (int mixture in Enumerable.Range(0, 20))
        {
            Instance instance = new Engine(Mixture(mixture) with { MemoryChecks = checks }).CompileText(loop).Instantiate();
            var run = instance.GetExport<Func<int, int>>("run");
            for (int i = 0; i < 3; i++) Assert.Equal(1500, run(500));
        }
    }

    /// <summary>
    /// A loop leaves the interpreter for code that is made quickly, and this for better code, in the same iteration here. Everything goes along, and
    /// there is one frame.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void LoopsGoFromQuickCodeToBetterCode(int seed)
    {
        const string text = """
            (module $m
              (func $next (param i32) (result i32) (i32.add (local.get 0) (i32.const 3)))
              (func (export "run") (param $n i32) (param $w i64) (param $end i32) (result i64) (local $i i32) (local $j i32) (local $l i64) (local $f f32) (local $d f64)
                (local.set $f (f32.const 0.5))
                (i64.const 77)
                (i64.extend_i32_s (call $next (local.get $n)))
                (f64.convert_i32_s (local.get $n))
                (loop $outer (param i64 i64 f64) (result i64 i64 f64)
                  (local.set $d (f64.add (local.get $d)))
                  (local.set $l (i64.add (local.get $l)))
                  (local.set $l (i64.rotl (local.get $l) (i64.const 3)))
                  (local.set $j (i32.const 0))
                  (i64.const 5)
                  (loop $inner (param i64) (result i64)
                    (i64.add (local.get $w))
                    (local.set $f (f32.add (local.get $f) (f32.const 1.5)))
                    (br_if $inner (i32.lt_u (local.tee $j (call $next (local.get $j))) (i32.const 300))))
                  (i64.add)
                  (local.get $l)
                  (local.get $d)
                  (br_if $outer (i32.lt_u (local.tee $i (call $next (local.get $i))) (local.get $n))))
                (if (local.get $end) (then (unreachable)))
                (drop) (i64.add)
                (i64.add (i64.trunc_sat_f32_s (local.get $f)))
                (i64.add (i64.trunc_sat_f64_s (local.get $d)))
                (i64.add (local.get $l))))
            """;
        var expected = new Engine(Compiled).CompileText(text).Instantiate().GetExport<Func<int, long, int, long>>("run");
        Module module = new Engine(Mixture(0) with { Compilation = Compilation.Tiered, TierSeed = seed }).CompileText(text);
        var run = module.Instantiate().GetExport<Func<int, long, int, long>>("run");
        for (int n = 1; n < 3000; n += 300)
        {
            Assert.Equal(expected(n, 11, 0), run(n, 11, 0));
            Assert.Equal(["m!run"], Assert.Throws<TrapException>(() => run(n, 12, 1)).WasmStack.Select(f => f.ToString()));
        }
    }

    /// <summary>With threads that compile: what is hot is compiled soon, what is not is never.</summary>
    [Fact]
    public void HotFunctionsAreCompiled()
    {
        Module module = new Engine(Compiled with { Compilation = Compilation.Tiered, BackgroundThreads = 1 }).CompileText(Work);
        Instance instance = module.Instantiate();
        var run = instance.GetExport<Func<int, int, int>>("run");
        Assert.True(Eventually.Holds(() =>
        {
            for (int i = 0; i < 100; i++) run(100, 1);
            return module.Code.IsCompiled(0);
        }));
        Assert.False(module.Code.IsCompiled(2));
        Assert.Equal(4, run(1, 0));
    }

    /// <summary>A function that is called once, and runs long, gets machine code for its loop alone; all of it when it is called again.</summary>
    [Fact]
    public void ALoopThatRunsOnceIsCompiledAlone()
    {
        Module module = new Engine(Compiled with { Compilation = Compilation.Tiered, BackgroundThreads = 0 }).CompileText("""
            (module
              (func (export "run") (param i32) (result i32) (local $sum i32)
                (loop $l
                  (local.set $sum (i32.add (local.get $sum) (local.get 0)))
                  (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
                (local.get $sum))
              (func (export "once") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))
            """);
        Instance instance = module.Instantiate();
        var run = instance.GetExport<Func<int, int>>("run");
        FuncInfo info = module.Info.Funcs[0];
        int hot = BreakEven.EventsOf(info.BodyEnd - info.BodyStart);
        run(hot - 10);
        Assert.Equal((0, false), (module.Code.Interpreted!.LoopsCompiled, module.Code.IsCompiled(0)));
        Assert.Equal(unchecked(50_000 * 100_001), run(100_000));
        Assert.Equal((1, false), (module.Code.Interpreted!.LoopsCompiled, module.Code.IsCompiled(0)));
        for (int i = 0; i < 3; i++) run(10);
        Assert.Equal((1, true), (module.Code.Interpreted!.LoopsCompiled, module.Code.IsCompiled(0)));
        Assert.Equal(2, instance.GetExport<Func<int, int>>("once")(1));
        Assert.False(module.Code.IsCompiled(1));
    }

    /// <summary>Functions of several instances call one another in both directions, with values of every kind.</summary>
    [Theory]
    [MemberData(nameof(Mixtures))]
    public void CallsCrossTiersAndInstances(int mixture)
    {
        var engine = new Engine(Mixture(mixture));
        Instance inner = new Engine(Mixture(7 - mixture)).CompileText("""
            (module
              (import "host" "mix" (func $mix (param f32 i32 f64 i64 i32) (result f64)))
              (func (export "mix") (param f32 i32 f64 i64 i32) (result f64) (call $mix (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)))
              (func (export "many") (param i32 i64 i32 i64 i32 i64 i32 i64 f32 f64 externref) (result i64 externref f32)
                (i64.add (i64.add (local.get 1) (local.get 3)) (i64.add (local.get 5) (i64.add (local.get 7) (i64.extend_i32_s
                  (i32.add (i32.add (local.get 0) (local.get 2)) (i32.add (local.get 4) (local.get 6)))))))
                (local.get 10)
                (f32.add (local.get 8) (f32.demote_f64 (local.get 9)))))
            """).Instantiate(new Imports
        {
            { "host", "mix", (Func<float, int, double, long, int, double>)((a, b, c, d, e) => a + (b * 10.0) + (c * 100) + (d * 1000) + (e * 10000.0)) },
        });
        Instance outer = engine.CompileText("""
            (module
              (import "m" "mix" (func $mix (param f32 i32 f64 i64 i32) (result f64)))
              (import "m" "many" (func $many (param i32 i64 i32 i64 i32 i64 i32 i64 f32 f64 externref) (result i64 externref f32)))
              (func $own (param f32 i32 f64 i64 i32) (result f64) (f64.neg (call $mix (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4))))
              (func (export "mix") (param i32) (result f64) (local $sum f64)
                (loop $l
                  (local.set $sum (f64.add (local.get $sum)
                    (call $own (f32.const 0.5) (i32.const -2) (f64.convert_i32_s (local.get 0)) (i64.const -4) (i32.const 5))))
                  (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
                (local.get $sum))
              (func (export "many") (param externref) (result i64 externref f32)
                (call $many (i32.const 1) (i64.const 2) (i32.const 3) (i64.const 4) (i32.const 5) (i64.const 6) (i32.const 7) (i64.const 8)
                  (f32.const 1.5) (f64.const 2.5) (local.get 0))))
            """).Instantiate(new Imports { { "m", inner } });
        Assert.Equal(-Enumerable.Range(1, 600).Sum(c => 0.5 - 20 + (c * 100) - 4000 + 50000), outer.GetExport<Func<int, double>>("mix")(600));
        object mark = new();
        for (int i = 0; i < 20; i++) Assert.Equal((36L, mark, 4f), outer.GetExport<Func<object, (long, object, float)>>("many")(mark));
    }

    /// <summary>Tail calls take no stack, whichever tiers and instances they go between.</summary>
    [Theory]
    [MemberData(nameof(Mixtures))]
    public void TailCallsTakeNoStack(int mixture)
    {
        var engine = new Engine(Mixture(mixture));
        Instance first = engine.CompileText("""
            (module
              (type $f (func (param i32 i64) (result i32)))
              (table (export "table") 2 funcref)
              (elem (i32.const 0) $down)
              (func $down (export "down") (type $f)
                (if (i32.eqz (local.get 0)) (then (return (i32.const 42))))
                (return_call_indirect (type $f) (i32.sub (local.get 0) (i32.const 1)) (i64.const 1) (i32.const 1)))
              ;; What the interpreter does not know.
              (func (export "vector") (type $f) (drop (v128.const i64x2 0 0)) (return_call $down (local.get 0) (local.get 1))))
            """).Instantiate();
        engine.CompileText("""
            (module
              (type $f (func (param i32 i64) (result i32)))
              (type $g (func (param f64 i32 i64) (result i32)))
              (import "m" "table" (table 2 funcref))
              (import "m" "vector" (func $vector (type $f)))
              (elem (i32.const 1) $back)
              (func $back (type $f) (return_call $other (f64.const 0) (local.get 0) (local.get 1)))
              (func $other (type $g) (return_call $vector (local.get 1) (local.get 2))))
            """).Instantiate(new Imports { { "m", first } });
        Assert.Equal(42, first.GetExport<Func<int, long, int>>("down")(1_000_000, 5));
    }

    /// <summary>Each operation that does what two instructions do is made of these two, and of no others.</summary>
    [Fact]
    public void PairsAreMadeOfTheirInstructions()
    {
        RegisterOp[] pairs = [.. Enum.GetValues<RegisterOp>().Where(op => op.ToString().Contains("Then", StringComparison.Ordinal))];
        Assert.True(pairs.Length > 20);
        foreach (RegisterOp pair in pairs)
        {
            RegisterOp[] parts = [.. pair.ToString().Split("Then").Select(Enum.Parse<RegisterOp>)];
            Instruction[] code = [.. parts.Append(RegisterOp.Return).Select((op, i) => new Instruction { Op = op, A = (ushort)((2 * i) + 1) })];
            RegisterPairs.Join(code);
            Assert.Equal([pair, .. parts[1..], RegisterOp.Return], code.Select(i => i.Op));
        }
        Assert.Equal(RegisterOps.Count, (int)Enum.GetValues<RegisterOp>().Max() + 1);
        foreach (RegisterOp op in Enum.GetValues<RegisterOp>())
        {
            Assert.Equal(op.ToString().Split("Then")[0], RegisterOps.FirstOf(op, out int length).ToString());
            Assert.Equal(op.ToString().Split("Then").Length, length);
        }
    }

    /// <summary>The second instruction of a pair may be the target of a branch; words behind an instruction are not instructions.</summary>
    [Fact]
    public void BranchesIntoAPairWork()
    {
        Instance instance = new Engine(Interpreted).CompileText("""
            (module (memory 1) (data (i32.const 8) "\05\00\00\00\07\00\00\00")
              (func (export "f") (param $n i32) (result i32) (local $a i32) (local $b i32)
                (block $second
                  (br_if $second (local.get $n))
                  (local.set $a (i32.load (i32.const 8))))
                (local.set $b (i32.load (i32.const 12)))
                (i32.add (i32.mul (local.get $a) (i32.const 10)) (local.get $b))))
            """).Instantiate();
        var f = instance.GetExport<Func<int, int>>("f");
        Assert.Equal((57, 7), (f(0), f(1)));
    }

    /// <summary>The text of a trap names interpreted functions where their run stands in .NET's stack.</summary>
    [Fact]
    public void TheTextOfATrapNamesInterpretedFunctions()
    {
        Instance instance = new Engine(Interpreted).CompileText(Work).Instantiate();
        var run = instance.GetExport<Func<int, int, int>>("run");
        foreach ((int argument, int function) in new[] { (0, 2), (3, 3) })
        {
            string text = Assert.Throws<TrapException>(() => run(argument, function)).ToString();
            Assert.Contains("at wasm:work!through", text, StringComparison.Ordinal);
            Assert.Contains(function == 2 ? "at wasm:work!divide" : "at wasm:work!load", text, StringComparison.Ordinal);
        }
    }

    /// <summary>A deep stack of both tiers has one gap.</summary>
    [Theory]
    [MemberData(nameof(Mixtures))]
    public void ADeepStackHasTwoEnds(int mixture)
    {
        Instance instance = new Engine(Mixture(mixture)).CompileText(Work).Instantiate();
        var deep = instance.GetExport<Func<int, int>>("deep");
        for (int i = 0; i < 3; i++)
        {
            var trap = Assert.Throws<TrapException>(() => deep(20_000));
            Assert.Single(trap.WasmStack, f => f.Omitted > 0);
            Assert.InRange(trap.WasmStack.Sum(f => Math.Max(f.Omitted, 1)), 20_001, 20_050);
        }
    }

    /// <summary>A branch moves the many values that it carries out of place with one instruction, numbers and references.</summary>
    [Theory]
    [MemberData(nameof(Mixtures))]
    public unsafe void ManyValuesMoveTogether(int mixture)
    {
        const int values = 40, branches = 200;
        string types = string.Concat(Enumerable.Range(0, values).Select(i => i % 20 < 10 ? "i32 " : "externref "));
        string text = $"""
            (module
              (type $many (func (result {types})))
              (func $all (param i32 externref) (result {types})
                {string.Concat(Enumerable.Range(0, values).Select(i => i % 20 < 10 ? $"(i32.add (local.get 0) (i32.const {i}))" : "(local.get 1)"))})
              (func (export "f") (param i32 externref) (result {types})
                (block (type $many)
                  (i32.const 5) (ref.null extern) (call $all (local.get 0) (local.get 1))
                  {string.Concat(Enumerable.Repeat("(br_if 0 (i32.eqz (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))", branches))}
                  (br 0))))
            """;
        Module module = new Engine(Mixture(mixture)).CompileText(text);
        object mark = new();
        Instance instance = module.Instantiate();
        var f = instance.GetExport<Delegate>("f");
        for (int round = 0; round < 3; round++)
        {
            object?[] results = Flatten(f.DynamicInvoke(7, mark)!);
            Assert.Equal(values, results.Length);
            for (int i = 0; i < values; i++) Assert.Equal(i % 20 < 10 ? 7 + i : mark, results[i]);
        }
        if (mixture != 1) return;
        FunctionState* state = module.Code.Interpreted!.States + 1;
        int moves = 0;
        for (Instruction* at = state->Code; at->Op != RegisterOp.Return; at++) moves += at->Op is RegisterOp.MoveMany or RegisterOp.MoveRefs ? 1 : 0;
        Assert.InRange(moves, (branches + 1) * 2, (branches + 3) * 2);
    }

    private static object?[] Flatten(object tuple)
    {
        var fields = (System.Runtime.CompilerServices.ITuple)tuple;
        return [.. Enumerable.Range(0, fields.Length).Select(i => fields[i])];
    }

    /// <summary>A branch of two bytes that carries a thousand constants is a few instructions, and the function is interpreted.</summary>
    [Fact]
    public void RegisterCodeIsBounded()
    {
        const int branches = 20_000, values = 1000;
        string results = string.Concat(Enumerable.Repeat("i32 ", values));
        string text = $"""
            (module
              (type $many (func (result {results})))
              (func (export "f") (param i32) (result i32)
                (block (type $many)
                  (i32.const 5) (i32.const 7) {string.Concat(Enumerable.Repeat("(i32.const 0)", values - 1))}
                  {string.Concat(Enumerable.Repeat("(br_if 0 (local.get 0))", branches))}
                  (br 0))
                {string.Concat(Enumerable.Repeat("drop ", values - 1))}))
            """;
        Module module = new Engine(Interpreted).CompileText(text);
        var f = module.Instantiate().GetExport<Func<int, int>>("f");
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(7, f(1));
        Assert.False(module.Code.IsCompiled(0));
        // 20 million instructions of 16 bytes otherwise, and as much again while the list grows.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 40 << 20);
    }
}
