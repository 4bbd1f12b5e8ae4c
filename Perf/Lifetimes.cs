using System.Diagnostics;
using System.Globalization;

namespace WasmJit.Perf;

/// <summary>Very many instances: guests that all wait at once, and instances that come and go.</summary>
internal static class Lifetimes
{
    private const string Waiting = """
        (import "env" "answer" (func $answer (result i32)))
        (func (export "ask") (result i32) (i32.add (call $answer) (i32.const 1)))
        """;

    /// <summary>What guests take that wait: Docs/waiting.md has the figures.</summary>
    /// <param name="arguments">The number of guests, 10,000 if there is none; "bare" for guests without a memory.</param>
    /// <param name="options">Options of the engine.</param>
    internal static void RunWaiting(List<string> arguments, EngineOptions options)
    {
        bool isBare = arguments.Remove("bare");
        int count = arguments.Count == 0 ? 10_000 : int.Parse(arguments[0], CultureInfo.InvariantCulture);
        var answer = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        Module module = new Engine(options).CompileText($"(module {Waiting} {(isBare ? "" : "(memory 1 1)")})");
        var imports = new Imports { { "env", "answer", (Func<Task<int>>)(() => answer.Task) } };
        var quick = new Imports { { "env", "answer", (Func<Task<int>>)(() => Task.FromResult(41)) } };
        module.Instantiate(quick).InvokeAsync<int>("ask", CancellationToken.None).GetAwaiter().GetResult();
        State before = State.Now();
        Instance[] instances = [.. Enumerable.Range(0, count).Select(_ => module.Instantiate(imports))];
        int waiting = 0;
        var calls = new Task<int>[count];
        for (int i = 0; i < count; i++) calls[i] = instances[i].InvokeAsync<int>("ask", CancellationToken.None);
        // Each has a thread when it waits.
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromMinutes(5); Thread.Sleep(100))
        {
            waiting = Process.GetCurrentProcess().Threads.Count;
            if (waiting >= count || calls.Any(c => c.IsFaulted)) break;
        }
        State all = State.Now();
        Thread.Sleep(TimeSpan.FromSeconds(5));
        TimeSpan idle = Environment.CpuUsage.TotalTime - all.Processor;
        int failed = calls.Count(c => c.IsFaulted);
        Console.WriteLine($"{count:N0} guests that wait{(isBare ? ", without a memory" : "")}: {waiting:N0} threads, {failed:N0} failed");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"each: {(all.Resident - before.Resident) / 1e3 / count:N0} KB resident, {(all.Virtual - before.Virtual) / 1e6 / count:N0} MB of addresses, {(all.Heap - before.Heap) / 1e3 / count:N1} KB of objects"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"begun in {(all.Time - before.Time).TotalSeconds:N1} s ({(all.Processor - before.Processor).TotalMilliseconds / count:N2} ms of processors each); {idle.TotalMilliseconds:N0} ms of processors in 5 s of waiting"));
        var end = Stopwatch.StartNew();
        answer.SetResult(41);
        foreach (Task<int> call in calls)
            if (!call.IsFaulted && call.GetAwaiter().GetResult() != 42) throw new InvalidOperationException("A guest has gone wrong.");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ended in {end.Elapsed.TotalSeconds:N1} s"));
        GC.KeepAlive(instances);
    }

    /// <summary>What the process has, where Linux tells.</summary>
    private readonly record struct State(TimeSpan Time, TimeSpan Processor, double Resident, double Virtual, double Heap)
    {
        internal static State Now()
        {
            double heap = GC.GetTotalMemory(forceFullCollection: true);
            using var own = Process.GetCurrentProcess();
            return new State(Stopwatch.GetElapsedTime(0), Environment.CpuUsage.TotalTime, own.WorkingSet64, own.VirtualMemorySize64, heap);
        }
    }

    /// <summary>Instances with a page that are made, called once, and disposed of, dropped or given back to a pool, beside a large heap.</summary>
    /// <param name="arguments">Their number, 100,000 if there is none.</param>
    internal static void RunDisposal(List<string> arguments)
    {
        int count = arguments.Count == 0 ? 100_000 : int.Parse(arguments[0], CultureInfo.InvariantCulture);
        // What full collections would have to go through.
        object[] heap = [.. Enumerable.Range(0, 2_000_000).Select(i => new object[14])];
        GC.Collect();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count:N0} instances beside a heap of {GC.GetTotalMemory(false) / 1e6:N0} MB"));
        foreach (MemoryChecks checks in new[] { MemoryChecks.Guard, MemoryChecks.Explicit })
        {
            Module module = new Engine(new EngineOptions { MemoryChecks = checks })
                .CompileText("(module (memory (export \"memory\") 1) (func (export \"write\") (param i32 i32) (i32.store (local.get 0) (local.get 1))))");
            Measure($"{checks}, disposed of", count, i =>
            {
                using Instance instance = module.Instantiate();
                instance.GetExport<Action<int, int>>("write")(16, i);
            });
            Measure($"{checks}, dropped", count, i => module.Instantiate().GetExport<Action<int, int>>("write")(16, i));
            using var pool = new InstancePool(module);
            Measure($"{checks}, of a pool", count, i =>
            {
                using PooledInstance rented = pool.Rent();
                rented.Instance.GetExport<Action<int, int>>("write")(16, i);
            });
        }
        GC.KeepAlive(heap);
    }

    private static void Measure(string what, int count, Action<int> use)
    {
        for (int i = 0; i < 100; i++) use(i);
        GC.Collect();
        int[] before = [.. Enumerable.Range(0, 3).Select(GC.CollectionCount)];
        TimeSpan processor = Environment.CpuUsage.TotalTime;
        for (int i = 0; i < count; i++) use(i);
        processor = Environment.CpuUsage.TotalTime - processor;
        int[] collections = [.. before.Select((b, generation) => GC.CollectionCount(generation) - b)];
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{what,-24} {processor.TotalMicroseconds / count,6:N1} us of processors each; collections of generations 0, 1, 2: {string.Join(", ", collections)}"));
    }
}
