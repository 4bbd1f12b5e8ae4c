using System.Diagnostics;
using System.Globalization;

namespace Twig;

/// <summary>
/// Programs that take some time, interpreted and compiled by turns. Each defines a function <c>run</c>, whose result is the same
/// both ways.
/// </summary>
public static class Speed
{
    private const int Rounds = 20;

    /// <summary>The names of the programs.</summary>
    public static readonly IReadOnlyList<string> Programs = ["fib", "mandelbrot", "sieve", "closures", "strings", "sort"];

    /// <summary>Measures and writes a table.</summary>
    public static void Run(TextWriter output)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"",-12}{"interpreted",14}{"compiled",12}{"ratio",9}"));
        double product = 1;
        foreach (string name in Programs)
        {
            Func<object?> interpreted = Prepare(name, jit: false), compiled = Prepare(name, jit: true);
            double slow = double.MaxValue, fast = double.MaxValue;
            for (int i = 0; i < Rounds; i++)
            {
                slow = Math.Min(slow, Time(interpreted, out object? a));
                fast = Math.Min(fast, Time(compiled, out object? b));
                if (!Equals(a, b)) throw new InvalidOperationException($"{name}: {a} interpreted, {b} compiled");
            }
            product *= slow / fast;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-12}{slow,11:f1} ms{fast,9:f2} ms{slow / fast,8:f1}x"));
        }
        double mean = Math.Pow(product, 1.0 / Programs.Count);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"geometric mean",-38}{mean,8:f1}x"));
    }

    /// <summary>A program's function <c>run</c>, called often enough to be compiled if it ever is.</summary>
    /// <param name="name">The program.</param>
    /// <param name="jit">Whether hot functions are compiled.</param>
    public static Func<object?> Prepare(string name, bool jit)
    {
        // A small threshold, because run itself is called a few times only.
        var engine = new ScriptEngine(jit ? 10 : 0);
        engine.Run(ScriptGuest.ReadResource(name + ".twig"));
        Func<object?> run = engine.GetFunction<Func<object?>>("run");
        run();
        if (jit) run();
        return run;
    }

    private static double Time(Func<object?> run, out object? result)
    {
        long start = Stopwatch.GetTimestamp();
        result = run();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}
