using System.Diagnostics.Metrics;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>The meter <c>WasmJit</c>, as a listener sees it. What it counts is the process's: nothing runs beside these tests.</summary>
[Collection(nameof(ProcessWide))]
public sealed class MeterTests
{
    private sealed class Reader : IDisposable
    {
        private readonly MeterListener listener = new();
        private readonly Dictionary<string, double> values = [];

        internal Reader()
        {
            listener.InstrumentPublished = (instrument, on) =>
            {
                if (instrument.Meter.Name == "WasmJit") on.EnableMeasurementEvents(instrument);
            };
            listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
            listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
            listener.Start();
            // The meter is there when an engine has been made; without one it comes a moment after the first use of metrics.
            _ = new Engine();
        }

        private void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
            values[instrument.Name + string.Concat(tags.ToArray().Select(t => $" {t.Key}={t.Value}"))] = value;

        internal double this[string name]
        {
            get
            {
                listener.RecordObservableInstruments();
                return values.GetValueOrDefault(name);
            }
        }

        public void Dispose() => listener.Dispose();
    }

    /// <summary>So many <c>try_table</c> in each other, with so many locals, would keep RyuJIT's optimiser busy for seconds.</summary>
    [Fact]
    public void CountsFunctionsThatAreNotOptimised()
    {
        using var reader = new Reader();
        const int depth = 100;
        string text = $"""
            (module (tag $e)
              (func (export "f") (param i32) (result i32) {string.Concat(Enumerable.Repeat("(local i32)", 100))}
                (block $c
                  {string.Concat(Enumerable.Range(0, depth).Select(i => $"(try_table (catch $e $c) (local.set {i + 1} (local.get 0))"))}
                  {new string(')', depth)})
                (i32.const 1)))
            """;
        Module module = new Engine(new EngineOptions { Compilation = Compilation.Lazy }).CompileText(text);
        double before = reader["wasmjit.functions.unoptimised reason=Cost"];
        Assert.Equal(1, module.Instantiate().GetExport<Func<int, int>>("f")(5));
        Assert.True(reader["wasmjit.functions.unoptimised reason=Cost"] >= before + 1);
    }

    [Fact]
    public void TellsWhatTheEngineDoes()
    {
        using var reader = new Reader();
        const string text = """
            (module (memory (export "memory") 3)
              (func (export "f") (result i32) (i32.const 1))
              (func (export "trap") unreachable))
            """;
        byte[] bytes = Wat.ToBinary(text);
        new Engine().Compile(bytes);
        double modules = reader["wasmjit.modules.compiled"], compiled = reader["wasmjit.functions.compiled tier=compiler"];
        double interpreted = reader["wasmjit.functions.compiled tier=interpreter"], traps = reader["wasmjit.traps kind=Unreachable"];
        double time = reader["wasmjit.compile.time tier=compiler"], refusals = reader["wasmjit.refusals"];
        Assert.True(modules >= 1);

        Instance lazy = new Engine(new EngineOptions { Compilation = Compilation.Lazy }).Compile(bytes).Instantiate();
        Assert.Equal(1, lazy.GetExport<Func<int>>("f")());
        Instance slow = new Engine(new EngineOptions { Compilation = Compilation.Interpreted }).Compile(bytes).Instantiate();
        Assert.Equal(1, slow.GetExport<Func<int>>("f")());
        Assert.Throws<TrapException>(lazy.GetExport<Action>("trap"));
        Assert.Throws<LinkException>(() => new Engine(new EngineOptions { Limits = new ResourceLimits { MaximumMemories = 0 } }).Compile(bytes).Instantiate());

        Assert.True(reader["wasmjit.modules.compiled"] >= modules + 3);
        Assert.True(reader["wasmjit.functions.compiled tier=compiler"] >= compiled + 2);
        Assert.True(reader["wasmjit.functions.compiled tier=interpreter"] >= interpreted + 1);
        Assert.True(reader["wasmjit.compile.time tier=compiler"] > time);
        Assert.True(reader["wasmjit.traps kind=Unreachable"] >= traps + 1);
        Assert.True(reader["wasmjit.refusals"] >= refusals + 1);
        Assert.True(reader["wasmjit.memories"] >= 2);
        Assert.True(reader["wasmjit.memory.size"] >= 2 * 3 * 65536);
        GC.KeepAlive(lazy);
        GC.KeepAlive(slow);
    }

    /// <summary>A growth is refused with -1, and counts as what is refused with an exception does. What goes wrong for other reasons is not counted as a refusal.</summary>
    [Theory]
    [InlineData("(memory 1)", "memory.grow (i32.const 9)", 1)]
    [InlineData("(memory 1 5)", "memory.grow (i32.const 9)", 0)]
    [InlineData("(table 1 funcref)", "table.grow (ref.null func) (i32.const 9)", 1)]
    [InlineData("(table 1 5 externref)", "table.grow (ref.null extern) (i32.const 9)", 0)]
    public void ARefusedGrowthIsARefusal(string entity, string grow, int each)
    {
        const int calls = 1000;
        var limits = new ResourceLimits { MaximumMemoryBytes = 5 << 16, MaximumTableElements = 5 };
        Instance instance = new Engine(new EngineOptions { Limits = limits })
            .CompileText($"(module {entity} (func (export \"f\") (result i32) ({grow})))").Instantiate();
        var f = instance.GetExport<Func<int>>("f");
        using var reader = new Reader();
        double before = reader["wasmjit.refusals"];
        for (int i = 0; i < calls; i++) Assert.Equal(-1, f());
        double counted = reader["wasmjit.refusals"] - before;
        // What tests before this one have left running may be refused some things, too, but not so many.
        Assert.InRange(counted, each * calls, (each * calls) + (calls / 2));
    }

    /// <summary>A trap that is found at the end of a deep stack becomes a shorter exception on its way. It is one trap.</summary>
    [Fact]
    public void ADeepTrapIsOneTrap()
    {
        const int calls = 100;
        var deep = new Engine(new EngineOptions { MaximumStack = 256 << 10 }).CompileText("(module (func $f (export \"f\") (call $f) (call $f)))").Instantiate().GetExport<Action>("f");
        using var reader = new Reader();
        double before = reader["wasmjit.traps kind=CallStackExhausted"];
        for (int i = 0; i < calls; i++) Assert.Equal(TrapKind.CallStackExhausted, Assert.Throws<TrapException>(deep).Kind);
        Assert.InRange(reader["wasmjit.traps kind=CallStackExhausted"] - before, calls, calls + (calls / 2));
    }

    private const string Work = "(module $work {0} (func (export \"f\") (param i32) (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))";

    /// <summary>
    /// Fuel counts while it lives, when it has been given more, and when it is gone: the sum never falls. What was made when nobody read the instrument does not count.
    /// Other guests may use fuel meanwhile, but not so much.
    /// </summary>
    [Theory]
    [InlineData("")]
    [InlineData("(memory 1 1 shared)")]
    public void CountsTheFuelThatIsUsed(string memory)
    {
        const int rounds = 1_000_000;
        Module module = new Engine(new EngineOptions { CountFuel = true }).CompileText(string.Format(System.Globalization.CultureInfo.InvariantCulture, Work, memory));
        var gone = new List<WeakReference>();
        double before;
        using (var first = new Reader()) before = first["wasmjit.fuel"];
        long early = Use(module, rounds, gone);
        using var reader = new Reader();
        double start = reader["wasmjit.fuel"];
        Assert.InRange(start - before, 0, early / 2);
        (Fuel kept, long used) = UseAndAdd(module, rounds);
        double once = reader["wasmjit.fuel"] - start;
        Assert.InRange(once, used, used * 1.5);
        // Many are dropped, and seen at each time: alive, found dead, finalized.
        long dropped = Enumerable.Range(0, 10).Sum(_ => Use(module, rounds, gone));
        double last = 0;
        Assert.True(Eventually.Collected(() =>
        {
            double now = reader["wasmjit.fuel"] - start;
            Assert.True(now >= last, $"{now} is below {last}");
            last = now;
            return gone.All(fuel => !fuel.IsAlive);
        }));
        Assert.InRange(last, used + dropped, (used + dropped) * 1.5);
        GC.KeepAlive(kept);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static (Fuel, long) UseAndAdd(Module module, int rounds)
        {
            var fuel = new Fuel(100);
            Instance instance = module.Instantiate(fuel: fuel);
            Assert.Equal(TrapKind.OutOfFuel, Assert.Throws<TrapException>(() => instance.GetExport<Action<int>>("f")(rounds)).Kind);
            fuel.Add(1_000_000_000);
            instance.GetExport<Action<int>>("f")(rounds);
            // All of the first fuel is used up.
            return (fuel, 100 + 1_000_000_000 - fuel.Remaining);
        }

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static long Use(Module module, int rounds, List<WeakReference> made)
        {
            const long amount = 1_000_000_000;
            var fuel = new Fuel(amount);
            made.Add(new WeakReference(fuel));
            module.Instantiate(fuel: fuel).GetExport<Action<int>>("f")(rounds);
            return amount - fuel.Remaining;
        }
    }

    [Fact]
    public void MemoriesGoWhenTheyAreCollected()
    {
        using var reader = new Reader();
        // 1 GB each, of which nothing is touched.
        double all = MakeAndRead(reader);
        Assert.True(all >= 4e9);
        Assert.True(Eventually.Collected(() => reader["wasmjit.memory.size"] <= all - 4e9));

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static double MakeAndRead(Reader reader)
        {
            Module module = new Engine().CompileText("(module (memory (export \"memory\") 16384))");
            Instance[] held = [module.Instantiate(), module.Instantiate(), module.Instantiate(), module.Instantiate()];
            double size = reader["wasmjit.memory.size"];
            GC.KeepAlive(held);
            return size;
        }
    }
}
