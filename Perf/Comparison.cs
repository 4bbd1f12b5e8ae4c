using System.Diagnostics;

namespace WasmJit.Perf;

/// <summary>Runs the kernels on both engines by turns in this process and prints the best time of each.</summary>
internal static class Comparison
{
    private const int Rounds = 5;
    private const int RunsEach = 2;

    public static void Run(IReadOnlyList<Kernel> kernels, IPeer subject, IPeer reference)
    {
        foreach (IGrouping<string, Kernel> group in kernels.GroupBy(k => k.Group))
        {
            Console.WriteLine($"{group.Key,-14}{subject.Name + " ms",14}{reference.Name + " ms",14}{"ratio",9}");
            double logarithms = 0;
            foreach (Kernel kernel in group)
            {
                (double mine, double theirs) = Measure(kernel, subject, reference);
                logarithms += Math.Log(mine / theirs);
                Console.WriteLine($"{kernel.Name,-14}{mine,14:f2}{theirs,14:f2}{mine / theirs,9:f2}");
            }
            Console.WriteLine($"{"geometric mean",-14}{"",28}{Math.Exp(logarithms / group.Count()),9:f3}");
        }
    }

    /// <summary>
    /// Compiles anew for each round: the same code takes up to 1.4 times as long at one address as at another (a switch in a loop most of all), and
    /// one compilation would measure its luck.
    /// </summary>
    private static (double Mine, double Theirs) Measure(Kernel kernel, IPeer subject, IPeer reference)
    {
        byte[] bytes = kernel.ReadModule();
        double mine = double.MaxValue, theirs = double.MaxValue;
        for (int round = 0; round < Rounds; round++)
        {
            using IPeerModule module1 = subject.Compile(bytes), module2 = reference.Compile(bytes);
            using IPeerInstance instance1 = module1.Instantiate(), instance2 = module2.Instantiate();
            Func<int, long> run1 = instance1.GetLongFunction("run"), run2 = instance2.GetLongFunction("run");
            // The first run compiles and touches memory; it is not counted. State that a run leaves must not change the next.
            Time(kernel, subject.Name, run1);
            Time(kernel, reference.Name, run2);
            for (int run = 0; run < RunsEach; run++)
            {
                mine = Math.Min(mine, Time(kernel, subject.Name, run1));
                theirs = Math.Min(theirs, Time(kernel, reference.Name, run2));
            }
        }
        return (mine, theirs);
    }

    private static double Time(Kernel kernel, string engine, Func<int, long> run)
    {
        long start = Stopwatch.GetTimestamp();
        long result = run(kernel.N);
        double time = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        kernel.Check(engine, result);
        return time;
    }
}
