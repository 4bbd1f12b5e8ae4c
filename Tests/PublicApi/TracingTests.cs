using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Tracing;
using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>The activities and events of the source <c>WasmJit</c>, as listeners see them. Other tests cause some as well: these look for their own modules.</summary>
[Collection(nameof(ProcessWide))]
public sealed class TracingTests
{
    /// <summary>A module whose name no other test's module has.</summary>
    private static byte[] Named(string name) =>
        Wat.ToBinary($"(module ${name} (memory 1) (func (export \"f\") (result i32) (i32.const 1)) (func (export \"trap\") (unreachable)))");

    /// <summary>Listens to the library's activities from now on.</summary>
    /// <param name="seen">Those that have ended.</param>
    private static ActivityListener Listen(out ConcurrentQueue<Activity> seen)
    {
        var ended = new ConcurrentQueue<Activity>();
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "WasmJit",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = ended.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        // The source is made by another thread.
        Assert.True(Eventually.Holds(() =>
        {
            new Engine().Compile(Named("first"));
            return !ended.IsEmpty;
        }));
        seen = ended;
        return listener;
    }

    [Fact]
    public void CompilingAndInstantiatingAreActivities()
    {
        using ActivityListener listener = Listen(out ConcurrentQueue<Activity> seen);
        var engine = new Engine();
        using var request = new Activity("request");
        request.Start();
        byte[] bytes = Named("traced");
        engine.Compile(bytes).Instantiate();
        Assert.Throws<MalformedModuleException>(() => engine.Compile([1, 2, 3]));
        Assert.Throws<TrapException>(() => engine.CompileText("(module $stops (func $f unreachable) (start $f))").Instantiate());
        using (ComponentInstance _ = engine.CompileComponent(Wat.ToBinary("(component (core module $inner) (core instance (instantiate $inner)))")).Instantiate())
        {
        }
        request.Stop();
        Activity[] own = [.. seen.Where(a => a.ParentId == request.Id)];
        Assert.Equal(
            ["wasmjit.compile", "wasmjit.instantiate", "wasmjit.compile", "wasmjit.compile", "wasmjit.instantiate", "wasmjit.compile", "wasmjit.instantiate"],
            own.Select(a => a.OperationName));
        Assert.Equal(["traced", "traced", null, "stops", "stops", null, null], own.Select(a => a.GetTagItem("wasm.module")));
        Assert.Equal(bytes.Length, own[0].GetTagItem("wasm.bytes"));
        Assert.Equal([2, 4], own.Index().Where(a => a.Item.Status == ActivityStatusCode.Error).Select(a => a.Index));
        Assert.Equal("unreachable", own[4].StatusDescription);
        // What a component instantiates is within.
        Activity inner = Assert.Single(seen, a => a.ParentId == own[6].Id);
        Assert.Equal(("wasmjit.instantiate", "inner"), (inner.OperationName, inner.GetTagItem("wasm.module")));
    }

    /// <summary>What making an instance has cost: memories, tables and the start function. Of an engine that does not count it says nothing.</summary>
    [Fact]
    public void AnInstantiationSaysItsFuel()
    {
        using ActivityListener listener = Listen(out ConcurrentQueue<Activity> seen);
        using var request = new Activity("request");
        request.Start();
        const string text = "(module (memory 1) (func $f (nop) (nop)) (start $f))";
        Module counted = new Engine(new EngineOptions { CountFuel = true }).CompileText(text);
        var fuel = new Fuel(1_000_000);
        counted.Instantiate(fuel: fuel);
        counted.Instantiate();
        new Engine().CompileText(text).Instantiate();
        request.Stop();
        long used = 1_000_000 - fuel.Remaining;
        Assert.InRange(used, 1, 999_999);
        Assert.Equal([used, used, null], seen.Where(a => a.ParentId == request.Id && a.OperationName == "wasmjit.instantiate").Select(a => a.GetTagItem("wasm.fuel")));
    }

    private sealed class Events : EventListener
    {
        private volatile EventSource? source;

        internal ConcurrentQueue<(string Name, object?[] Values)> Seen { get; } = [];

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name == "WasmJit") source = eventSource;
        }

        /// <summary>Begins to listen when the source is there: another thread makes it.</summary>
        internal void Enable(EventLevel level, EventKeywords keywords = EventKeywords.All)
        {
            Assert.True(Eventually.Holds(() => source is not null));
            EnableEvents(source!, level, keywords);
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData) => Seen.Enqueue((eventData.EventName!, [.. eventData.Payload!]));

        internal object?[][] Of(string name, string first) => [.. Seen.Where(e => e.Name == name && first.Equals(e.Values[0])).Select(e => e.Values)];
    }

    [Fact]
    public void ModulesFunctionsTrapsAndRefusalsAreEvents()
    {
        _ = new Engine();
        using var events = new Events();
        events.Enable(EventLevel.Verbose);
        byte[] bytes = Named("told");
        Instance lazy = new Engine(new EngineOptions { Compilation = Compilation.Lazy }).Compile(bytes).Instantiate();
        Instance interpreted = new Engine(new EngineOptions { Compilation = Compilation.Interpreted }).Compile(bytes).Instantiate();
        Assert.Equal(2, lazy.GetExport<Func<int>>("f")() + interpreted.GetExport<Func<int>>("f")());
        Assert.Throws<TrapException>(lazy.GetExport<Action>("trap"));
        Assert.Throws<LinkException>(() => new Engine(new EngineOptions { Limits = new ResourceLimits { MaximumMemories = 0 } }).Compile(bytes).Instantiate());
        object?[][] modules = events.Of("ModuleCompiled", "told");
        Assert.Equal(3, modules.Length);
        Assert.All(modules, m => Assert.Equal(((long)bytes.Length, 2, true), (m[1], m[2], (double)m[3]! > 0)));
        Assert.Equal(2, events.Of("InstanceMade", "told").Length);
        Assert.Equal(["compiler", "interpreter"], events.Of("FunctionCompiled", "told!f").Select(e => (string)e[1]!).Order());
        Assert.NotEmpty(events.Of("Trapped", "Unreachable"));
        Assert.NotEmpty(events.Of("Refused", "Memories"));
    }

    [Fact]
    public void ListenersGetWhatTheyAskFor()
    {
        _ = new Engine();
        using var events = new Events();
        events.Enable(EventLevel.Informational, (EventKeywords)1);
        Instance instance = new Engine().Compile(Named("chosen")).Instantiate();
        Assert.Equal(1, instance.GetExport<Func<int>>("f")());
        Assert.Throws<TrapException>(instance.GetExport<Action>("trap"));
        Assert.Single(events.Of("ModuleCompiled", "chosen"));
        Assert.All(events.Seen, e => Assert.DoesNotContain(e.Name, (string[])["InstanceMade", "FunctionCompiled", "Trapped", "Refused"]));
    }

    /// <summary>Tools that read the source's description (a manifest) find no mistake in it.</summary>
    [Fact]
    public void TheSourceDescribesItself()
    {
        _ = new Engine();
        Assert.True(Eventually.Holds(() => EventSource.GetSources().Any(s => s.Name == "WasmJit")));
        EventSource source = Assert.Single(EventSource.GetSources(), s => s.Name == "WasmJit");
        string? manifest = EventSource.GenerateManifest(source.GetType(), null, EventManifestOptions.Strict);
        foreach (string name in (string[])["FastPathIsOff", "GuardPagesAreOff", "FunctionIsNotOptimised", "ModuleCompiled", "InstanceMade", "FunctionCompiled", "Trapped", "Refused"])
            Assert.Contains($"symbol=\"{name}\"", manifest, StringComparison.Ordinal);
        Assert.Null(source.ConstructionException);
    }
}
