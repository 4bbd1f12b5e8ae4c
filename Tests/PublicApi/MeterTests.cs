using System.Diagnostics.Metrics;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>The meter <c>WasmJit</c>, as a listener sees it. Other tests of the process count, too: what is compared is at least what this one did.</summary>
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

    [Fact]
    public void MemoriesGoWhenTheyAreCollected()
    {
        using var reader = new Reader();
        // 1 GB each, of which nothing is touched: other tests have no such.
        double all = MakeAndRead(reader);
        Assert.True(all >= 4e9);
        for (int i = 0; i < 50 && reader["wasmjit.memory.size"] > all - 4e9; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Assert.True(reader["wasmjit.memory.size"] <= all - 4e9);

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
