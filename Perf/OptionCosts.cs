namespace WasmJit.Perf;

/// <summary>
/// What options cost: the kernels with each, by turns in this process, as ratios to the engine without any. Processor time, where the system tells that of
/// a thread, so that what else runs on the machine matters less.
/// </summary>
internal static class OptionCosts
{
    private const int Rounds = 5;
    private const int RunsEach = 2;
    private const int HostCalls = 1_000_000;

    private static readonly (string Name, EngineOptions Options)[] Subjects =
    [
        ("(none)", new EngineOptions()),
        ("Interruptible", new EngineOptions { Interruptible = true }),
        ("CountFuel", new EngineOptions { CountFuel = true }),
        ("Explicit", new EngineOptions { MemoryChecks = MemoryChecks.Explicit }),
        ("no Inlining", new EngineOptions { Inlining = false }),
    ];

    public static void Run(IReadOnlyList<Kernel> kernels, FigureSet? figures = null)
    {
        Console.WriteLine(string.Concat(Subjects.Select(s => $"{s.Name,16}").Prepend($"{"kernel",-12}")));
        double[] logarithms = new double[Subjects.Length];
        foreach (Kernel kernel in kernels)
        {
            Figure[] measured = Measure(kernel);
            double[] times = [.. measured.Select(m => m.Best)];
            for (int i = 0; i < measured.Length; i++)
                figures?.Record(PartDescription.Options, kernel.Name, i == 0 ? PartDescription.NoOption : Subjects[i].Name, measured[i].Best, measured[i].Worst);
            Console.Write($"{kernel.Name,-12}{times[0],13:f1} ms");
            for (int i = 1; i < times.Length; i++)
            {
                logarithms[i] += Math.Log(times[i] / times[0]);
                Console.Write($"{times[i] / times[0],16:f2}");
            }
            Console.WriteLine();
        }
        Console.WriteLine(string.Concat(logarithms.Skip(1).Select(l => $"{Math.Exp(l / kernels.Count),16:f3}").Prepend($"{"mean",-28}")));
        Console.WriteLine();
        HostFunctions();
    }

    /// <summary>Each round compiles and instantiates anew: where code and memory lie makes a difference of a third, which would be taken for an option's.</summary>
    private static Figure[] Measure(Kernel kernel)
    {
        byte[] bytes = kernel.ReadModule();
        double[] best = [.. Subjects.Select(_ => double.MaxValue)], worst = new double[Subjects.Length];
        for (int round = 0; round < Rounds; round++)
        {
            Instance[] instances = [.. Subjects.Select(s => new Engine(s.Options).Compile(bytes).Instantiate(fuel: s.Options.CountFuel ? new Fuel(long.MaxValue) : null))];
            Func<int, long>[] runs = [.. instances.Select(i => i.GetExport<Func<int, long>>("run"))];
            double[] times = [.. runs.Select(_ => double.MaxValue)];
            // The first run compiles and touches memory; it is not counted.
            for (int run = 0; run <= RunsEach; run++)
            {
                for (int i = 0; i < runs.Length; i++)
                {
                    double start = ThreadClock.Milliseconds();
                    kernel.Check(Subjects[i].Name, runs[i](kernel.N));
                    if (run > 0) times[i] = Math.Min(times[i], ThreadClock.Milliseconds() - start);
                }
            }
            foreach (Instance instance in instances) instance.Dispose();
            for (int i = 0; i < times.Length; i++) (best[i], worst[i]) = (Math.Min(best[i], times[i]), Math.Max(worst[i], times[i]));
        }
        return [.. best.Zip(worst, (b, w) => new Figure(b, w))];
    }

    /// <summary>Calls of a guest into the host, of functions that return a value, and such as return one that is there already.</summary>
    private static void HostFunctions()
    {
        (string Name, Delegate Function)[] kinds =
        [
            ("value", (Func<int, int>)(n => n + 1)),
            ("completed ValueTask", (Func<int, ValueTask<int>>)(n => ValueTask.FromResult(n + 1))),
            ("completed Task", (Func<int, Task<int>>)(n => Task.FromResult(n + 1))),
        ];
        Module module = new Engine().Compile(TinyModules.HostCaller());
        Func<int, int>[] runs = [.. kinds.Select(k => module.Instantiate(new Imports { { "env", "host", k.Function } }).GetExport<Func<int, int>>("loop"))];
        double[] best = ByTurns.Nanoseconds(Rounds + 1, [.. runs.Select(run => (new Action<int>(n => run(n)), HostCalls))]);
        Console.WriteLine("host function that returns a");
        for (int i = 0; i < kinds.Length; i++) Console.WriteLine($"  {kinds[i].Name,-24}{best[i],8:f1} ns a call");
    }
}
