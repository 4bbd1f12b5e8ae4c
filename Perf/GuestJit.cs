using System.Diagnostics;
using System.Globalization;
using W = Wasmtime;

namespace WasmJit.Perf;

/// <summary>
/// Guests that make code: functions (<c>func.new</c>) and tiny modules, from their bytes to the first result, live and dropped, on one thread and on
/// several, beside V8 and Wasmtime; and machine code, one function after the other or all at once.
/// </summary>
internal static class GuestJit
{
    private const int Warm = 500;

    /// <summary>Functions of a measurement of time.</summary>
    private const int Timed = 5_000, Rounds = 3;

    /// <summary>The other engines make module and instance of each, which takes long.</summary>
    private const int LiveElsewhere = 2_000;

    private enum Kind { Function, Named, Module }

    /// <summary>Runs all measurements.</summary>
    /// <param name="arguments"><c>--count N</c> made and dropped, <c>--live N</c>, <c>--threads N</c>; or a number of modules alone.</param>
    /// <param name="figures">Where the figures go, if they are kept.</param>
    public static void Run(List<string> arguments, FigureSet? figures = null)
    {
        int count = Take(arguments, "--count", 100_000), live = Take(arguments, "--live", 100_000), threads = Take(arguments, "--threads", 8);
        if (arguments.Count > 0) count = int.Parse(arguments[0], CultureInfo.InvariantCulture);
        Times(figures);
        Console.WriteLine();
        Live(live, figures);
        Console.WriteLine();
        Optimised(1_000);
        Console.WriteLine();
        Replaced();
        Console.WriteLine();
        Dropped(Kind.Function, count);
        Dropped(Kind.Module, count);
        Console.WriteLine();
        Beside(Kind.Function, live, count);
        Beside(Kind.Module, live, count);
        Console.WriteLine();
        Threads(Kind.Function, threads, count / threads);
        Threads(Kind.Module, threads, count / threads);
    }

    private static int Take(List<string> arguments, string name, int otherwise)
    {
        int at = arguments.IndexOf(name);
        if (at < 0) return otherwise;
        if (at + 1 >= arguments.Count || !int.TryParse(arguments[at + 1], out int number)) throw new ArgumentException($"{name} takes a number.");
        arguments.RemoveRange(at, 2);
        return number;
    }

    /// <summary>A guest and its function that makes functions.</summary>
    private sealed class Maker
    {
        private readonly Instance instance = Load("guest-functions.wat", new EngineOptions());
        private readonly Func<int, int, int, int, long> run;
        private int next = 1000;

        internal Maker(int slots = 16)
        {
            run = instance.GetExport<Func<int, int, int, int, long>>("run");
            if (slots > 16) instance.GetExport<Func<int, int>>("grow")(slots - 16);
        }

        /// <summary>Makes functions in turn in the first slots of the table, and calls each.</summary>
        internal void Make(Kind kind, int count, int slots = 16)
        {
            long first = next;
            next += count;
            long sum = run((int)kind, (int)first, count, slots);
            if (sum != (count * (1000 + first)) + ((long)count * (count - 1) / 2)) throw new InvalidOperationException("Wrong sum.");
        }

        internal Instance Instance => instance;
    }

    /// <summary>A guest of Samples/Linking.</summary>
    private static Instance Load(string name, EngineOptions options)
    {
        using Stream text = typeof(GuestJit).Assembly.GetManifestResourceStream(name)!;
        return new Engine(options).CompileText(new StreamReader(text).ReadToEnd()).Instantiate();
    }

    /// <summary>The guest that compiles modules, as other measurements use it.</summary>
    internal static Instance Make(EngineOptions options) => Load("guest-jit.wat", options);

    // ---- from bytes to the first result ----

    private static void Times(FigureSet? figures)
    {
        var maker = new Maker();
        foreach (Kind kind in Enum.GetValues<Kind>()) maker.Make(kind, Warm);
        double[] best = ByTurns.Nanoseconds(
            Rounds,
            (n => maker.Make(Kind.Function, n), Timed),
            (n => maker.Make(Kind.Named, n), Timed),
            (n => maker.Make(Kind.Module, n), Timed),
            (n => OnWasmtime(n, keep: false), Timed / 10));
        double v8 = OnV8(Timed, keep: false)?.Microseconds ?? double.NaN;
        Console.WriteLine($"from bytes to the first result, best of {Rounds} rounds of {Timed}, us each");
        string[] names = ["func.new", "func.new_named", "compile, instantiate, get_export", "Wasmtime: module, instance"];
        for (int i = 0; i < names.Length; i++) Console.WriteLine($"  {names[i],-36}{best[i] / 1000,10:f1}");
        Console.WriteLine($"  {"V8: module, instance",-36}{v8,10:f1}");
        foreach ((string subject, double time) in new[] { ("func.new", best[0] / 1000), ("compile", best[2] / 1000), (PartDescription.Wasmtime, best[3] / 1000), (PartDescription.V8, v8) })
            figures?.Record(PartDescription.GuestCode, "from bytes to the first result", subject, time);
    }

    // ---- live ----

    private static void Live(int count, FigureSet? figures)
    {
        Console.WriteLine($"{"live",-32}{"number",10}{"us each",10}{"heap KB each",14}{"process KB each",17}");
        // Each kind in a guest of its own, and the process's memory before and after.
        foreach (Kind kind in Enum.GetValues<Kind>())
        {
            var maker = new Maker(count);
            maker.Make(kind, Warm);
            (long heap, long process) = Memory();
            int full = GC.CollectionCount(2);
            TimeSpan paused = GC.GetTotalPauseDuration();
            long start = Stopwatch.GetTimestamp();
            maker.Make(kind, count, count);
            double time = Stopwatch.GetElapsedTime(start).TotalMicroseconds / count;
            Console.WriteLine($"{GC.CollectionCount(2) - full} full collections, {(GC.GetTotalPauseDuration() - paused).TotalMilliseconds:f0} ms of pauses in all");
            (long heapAfter, long processAfter) = Memory();
            PrintLive(kind.ToString(), count, time, heapAfter - heap, processAfter - process);
            if (kind != Kind.Named) Record(kind == Kind.Function ? "func.new" : "compile", count, processAfter - process);
            GC.KeepAlive(maker);
        }
        (_, long before) = Memory();
        long started = Stopwatch.GetTimestamp();
        object kept = OnWasmtime(LiveElsewhere, keep: true);
        double wasmtime = Stopwatch.GetElapsedTime(started).TotalMicroseconds / LiveElsewhere;
        (_, long after) = Memory();
        PrintLive("Wasmtime", LiveElsewhere, wasmtime, 0, after - before);
        Record(PartDescription.Wasmtime, LiveElsewhere, after - before);
        GC.KeepAlive(kept);
        if (OnV8(LiveElsewhere, keep: true) is not { } v8) return;
        PrintLive("V8", LiveElsewhere, v8.Microseconds, 0, v8.Bytes);
        Record(PartDescription.V8, LiveElsewhere, v8.Bytes);

        void Record(string subject, int of, long bytes) => figures?.Record(PartDescription.GuestMemory, "each of many live", subject, bytes / 1024.0 / of);
    }

    private static void PrintLive(string name, int count, double time, long heap, long process) =>
        Console.WriteLine($"{name,-32}{count,10}{time,10:f1}{heap / 1024.0 / count,14:f2}{process / 1024.0 / count,17:f2}");

    private static (long Heap, long Process) Memory()
    {
        for (int i = 0; i < 2; i++)
        {
            GC.Collect(2, GCCollectionMode.Aggressive);
            GC.WaitForPendingFinalizers();
        }
        using var process = Process.GetCurrentProcess();
        return (GC.GetTotalMemory(true), process.WorkingSet64);
    }

    // ---- machine code ----

    private static void Optimised(int count)
    {
        var maker = new Maker(count);
        maker.Make(Kind.Function, count, count);
        var optimize = maker.Instance.GetExport<Action<int>>("optimize");
        var optimized = maker.Instance.GetExport<Func<int, int>>("optimized");
        long start = Stopwatch.GetTimestamp();
        optimize(count);
        double asked = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        while (optimized(count) < count) Thread.Sleep(1);
        double there = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        start = Stopwatch.GetTimestamp();
        var ahead = Load("guest-functions.wat", new EngineOptions { Compilation = Compilation.Lazy });
        ahead.GetExport<Func<int, int, int, int, long>>("run")(0, 1, count, 16);
        double each = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        Console.WriteLine($"machine code of {count} functions: asked for at once in {asked:f1} ms, there after {there:f0} ms on {new EngineOptions().BackgroundThreads} threads;");
        Console.WriteLine($"compiled one after the other, each at its first call (Compilation.Lazy): {each:f0} ms");
    }

    // ---- replaced ----

    /// <summary>Calls through a slot of the table, of a function of the module's own and of one made at run time; and while another thread replaces that.</summary>
    private static void Replaced()
    {
        const int calls = 100_000_000, pause = 1;
        var maker = new Maker();
        maker.Make(Kind.Function, Warm);
        var spin = maker.Instance.GetExport<Func<int, int, int>>("spin");
        var replace = maker.Instance.GetExport<Action<int, int>>("replace");
        maker.Instance.GetExport<Action<int>>("put_own")(0);
        replace(1, 5);
        for (int i = 0; i < 3; i++)
        {
            spin(0, calls / 10);
            spin(1, calls / 10);
        }
        double own = Nanoseconds(0), made = Nanoseconds(1);
        using var stop = new CancellationTokenSource();
        int replaced = 0;
        var replacing = new Thread(() =>
        {
            for (; !stop.IsCancellationRequested; Thread.Sleep(pause)) replace(1, ++replaced);
        });
        replacing.Start();
        double changing = Nanoseconds(1);
        stop.Cancel();
        replacing.Join();
        Console.WriteLine($"a call through a slot, ns: own function {own:f2}, one made at run time {made:f2}, one that another thread has replaced {replaced} times meanwhile {changing:f2}");

        double Nanoseconds(int slot)
        {
            long start = Stopwatch.GetTimestamp();
            spin(slot, calls);
            return Stopwatch.GetElapsedTime(start).TotalNanoseconds / calls;
        }
    }

    // ---- made and dropped ----

    /// <summary>What one costs that is made and dropped while many others live; with the full collections that there are.</summary>
    private static void Beside(Kind kind, int live, int count)
    {
        var keeper = new Maker(live);
        keeper.Make(kind, live, live);
        Memory();
        var maker = new Maker();
        maker.Make(kind, Warm);
        int full = GC.CollectionCount(2), all = GC.CollectionCount(0);
        TimeSpan paused = GC.GetTotalPauseDuration();
        long start = Stopwatch.GetTimestamp();
        maker.Make(kind, count);
        double time = Stopwatch.GetElapsedTime(start).TotalMicroseconds / count;
        Console.WriteLine($"{count} made and dropped beside {live} live, {kind}: {time:f1} us each; {GC.CollectionCount(2) - full} full collections of {GC.CollectionCount(0) - all}, "
            + $"{(GC.GetTotalPauseDuration() - paused).TotalMilliseconds:f0} ms in all");
        GC.KeepAlive(keeper);
    }

    private static void Dropped(Kind kind, int count)
    {
        var maker = new Maker();
        maker.Make(kind, Warm);
        Console.WriteLine($"{"made and dropped: " + kind,-32}{"us each",10}{"heap MB",10}{"process MB",12}{"assemblies",12}{"threads",9}");
        Print(0, 0);
        int step = Math.Max(1, count / 10);
        for (int done = 0; done < count; done += step)
        {
            long start = Stopwatch.GetTimestamp();
            maker.Make(kind, step);
            Print(done + step, Stopwatch.GetElapsedTime(start).TotalMicroseconds / step);
        }
        GC.KeepAlive(maker);
    }

    private static void Print(int done, double time)
    {
        (long heap, long working) = Memory();
        using var process = Process.GetCurrentProcess();
        Console.WriteLine(
            $"{done,32}{time,10:f1}{heap / 1048576.0,10:f1}{working / 1048576.0,12:f1}{AppDomain.CurrentDomain.GetAssemblies().Length,12}{process.Threads.Count,9}");
    }

    private static void Threads(Kind kind, int threads, int each)
    {
        Maker[] makers = [.. Enumerable.Range(0, threads).Select(_ => new Maker())];
        foreach (Maker maker in makers) maker.Make(kind, Warm);
        long start = Stopwatch.GetTimestamp();
        Thread[] running = [.. makers.Select(maker => new Thread(() => maker.Make(kind, each)))];
        foreach (Thread thread in running) thread.Start();
        foreach (Thread thread in running) thread.Join();
        double time = Stopwatch.GetElapsedTime(start).TotalMicroseconds / ((double)threads * each);
        (long heap, _) = Memory();
        Console.WriteLine($"{threads} threads make {each} each, {kind}: {time:f1} us for one on {Environment.ProcessorCount} processors, then {heap / 1048576.0:f1} MB");
    }

    // ---- other engines ----

    private static readonly byte[] Template = Wat.ToBinary("""
        (module (import "env" "memory" (memory 1))
          (func $added (export "f") (param i32) (result i32)
            (i32.add (i32.add (local.get 0) (i32.const 0x7fff_ffff)) (i32.load (i32.const 65536)))))
        """);

    private static List<object> OnWasmtime(int count, bool keep)
    {
        var engine = new W.Engine(new W.Config().WithCompilerStrategy(W.CompilerStrategy.Cranelift));
        var store = new W.Store(engine);
        var memory = new W.Memory(store, 2);
        var kept = new List<object> { engine, store, memory };
        byte[] bytes = [.. Template];
        ReadOnlySpan<byte> number = [0xff, 0xff, 0xff, 0xff, 0x07];
        int hole = bytes.AsSpan().IndexOf(number);
        for (int i = 0; i < count; i++)
        {
            Patch(bytes.AsSpan(hole), i);
            W.Module module = W.Module.FromBytes(engine, "m", bytes);
            var instance = new W.Instance(store, module, memory);
            if (instance.GetFunction<int, int>("f")!(1000) != 1000 + i) throw new InvalidOperationException("Wrong sum.");
            if (keep) kept.Add(module);
            else module.Dispose();
        }
        if (keep) return kept;
        store.Dispose();
        engine.Dispose();
        return [];
    }

    private static void Patch(Span<byte> hole, int value)
    {
        for (int i = 0; i < 5; i++, value >>= 7) hole[i] = (byte)(value & 0x7f | (i < 4 ? 0x80 : 0));
    }

    private const string Script = """
        const bytes = Buffer.from(process.argv[1], 'hex'), count = +process.argv[2], keep = process.argv[3] === 'True', kept = [];
        const hole = bytes.indexOf(Buffer.from('ffffffff07', 'hex')), memory = new WebAssembly.Memory({ initial: 2 });
        function make(value) {
          for (let i = 0, v = value; i < 5; i++, v >>= 7) bytes[hole + i] = (v & 0x7f) | (i < 4 ? 0x80 : 0);
          const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
          if (instance.exports.f(1000) !== 1000 + value) throw new Error('Wrong sum.');
          if (keep) kept.push(instance);
        }
        for (let i = 0; i < 500; i++) make(1e6 + i);
        if (global.gc) gc();
        const before = process.memoryUsage().rss, start = process.hrtime.bigint();
        for (let i = 0; i < count; i++) make(i);
        const time = Number(process.hrtime.bigint() - start) / 1000 / count;
        if (global.gc) gc();
        console.log(time + ' ' + (process.memoryUsage().rss - before));
        """;

    /// <summary>V8 in a process of node's; null where there is none.</summary>
    private static (double Microseconds, long Bytes)? OnV8(int count, bool keep)
    {
        try
        {
            string[] words = NodeKernel.Output("--expose-gc", "-e", Script, "--", Convert.ToHexString(Template), $"{count}", $"{keep}")
                .Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return words.Length != 2 ? null
                : (double.Parse(words[0], CultureInfo.InvariantCulture), long.Parse(words[1], CultureInfo.InvariantCulture));
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Console.WriteLine("There is no node on the path: no figures of V8.");
            return null;
        }
    }
}
