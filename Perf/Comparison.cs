namespace WasmJit.Perf;

/// <summary>Runs the kernels on both engines by turns in this process and prints the best time of each; on V8, too, where figures are recorded.</summary>
internal static class Comparison
{
    private const int Rounds = 5;
    private const int RunsEach = 2;

    public static void Run(IReadOnlyList<Kernel> kernels, IPeer subject, IPeer reference, FigureSet? figures = null)
    {
        foreach (IGrouping<string, Kernel> group in kernels.GroupBy(k => k.Group))
        {
            Console.WriteLine($"{group.Key,-14}{subject.Name + " ms",14}{reference.Name + " ms",14}{"ratio",9}");
            double logarithms = 0;
            foreach (Kernel kernel in group)
            {
                (Figure own, Figure other) = Measure(kernel, subject, reference);
                (double mine, double theirs) = (own.Best, other.Best);
                logarithms += Math.Log(mine / theirs);
                Console.WriteLine($"{kernel.Name,-14}{mine,14:f2}{theirs,14:f2}{mine / theirs,9:f2}");
                if (figures is null) continue;
                figures.Record(PartDescription.Kernels, kernel.Name, subject.Name, own.Best, own.Worst);
                figures.Record(PartDescription.Kernels, kernel.Name, reference.Name, other.Best, other.Worst);
                if (NodeKernel.Measure(kernel, Rounds, RunsEach) is { } v8) figures.Record(PartDescription.Kernels, kernel.Name, PartDescription.V8, v8.Best, v8.Worst);
            }
            Console.WriteLine($"{"geometric mean",-14}{"",28}{Math.Exp(logarithms / group.Count()),9:f3}");
        }
    }

    /// <summary>
    /// Compiles anew for each round: the same code takes up to 1.4 times as long at one address as at another (a switch in a loop most of all), and
    /// one compilation would measure its luck.
    /// </summary>
    private static (Figure Mine, Figure Theirs) Measure(Kernel kernel, IPeer subject, IPeer reference)
    {
        byte[] bytes = kernel.ReadModule();
        double[] mine = new double[Rounds], theirs = new double[Rounds];
        for (int round = 0; round < Rounds; round++)
        {
            using IPeerModule module1 = subject.Compile(bytes), module2 = reference.Compile(bytes);
            using IPeerInstance instance1 = module1.Instantiate(), instance2 = module2.Instantiate();
            Func<int, long> run1 = instance1.GetLongFunction("run"), run2 = instance2.GetLongFunction("run");
            // The first run compiles and touches memory; it is not counted. State that a run leaves must not change the next.
            Time(kernel, subject.Name, run1);
            Time(kernel, reference.Name, run2);
            (mine[round], theirs[round]) = (double.MaxValue, double.MaxValue);
            for (int run = 0; run < RunsEach; run++)
            {
                mine[round] = Math.Min(mine[round], Time(kernel, subject.Name, run1));
                theirs[round] = Math.Min(theirs[round], Time(kernel, reference.Name, run2));
            }
        }
        return (new Figure(mine.Min(), mine.Max()), new Figure(theirs.Min(), theirs.Max()));
    }

    /// <summary>Both engines run a kernel on this thread alone, so the thread's processor time is all of it.</summary>
    private static double Time(Kernel kernel, string engine, Func<int, long> run)
    {
        double start = ThreadClock.Milliseconds();
        long result = run(kernel.N);
        double time = ThreadClock.Milliseconds() - start;
        kernel.Check(engine, result);
        return time;
    }
}
