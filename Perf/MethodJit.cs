using System.Diagnostics;
using System.Globalization;
using Sprig;

namespace WasmJit.Perf;

/// <summary>The programs of Samples/MethodJit: interpreted and compiled by the guest, and the same in C.</summary>
internal static class MethodJit
{
    private const int Rounds = 5;

    private static readonly (string Name, long Argument)[] Programs =
        [("fib", 30), ("sieve", 500_000), ("collatz", 300_000), ("matrix", 200), ("mandelbrot", 300)];

    public static void Run(FigureSet? figures)
    {
        Console.WriteLine($"best of {Rounds}, ms{"interpreted",16}{"compiled",12}{"ratio",8}{"C, cc -O2",12}{"ratio",8}");
        double product = 1;
        foreach ((string name, long argument) in Programs)
        {
            string text = Machine.Resource(name + ".sprig");
            Machine interpreter = new(text, compiles: false), compiler = new(text);
            long expected = 0, result = 0;
            // The machine's own code is warm after the first turn. Sprig's programs run on this thread alone, and the time of those in C is processor time, too.
            double[] best = ByTurns.Nanoseconds(
                Rounds + 1, ThreadClock.Milliseconds, (_ => expected = interpreter.Run("main", argument), 1), (_ => result = compiler.Run("main", argument), 1));
            double interpreted = best[0] / 1e6, compiled = best[1] / 1e6;
            if (result != expected) throw new InvalidOperationException($"{name}: {result}, not {expected}.");
            (double native, result) = Native(name, argument) ?? (double.NaN, expected);
            if (result != expected) throw new InvalidOperationException($"{name}: C has {result}, not {expected}.");
            product *= interpreted / compiled;
            foreach ((string subject, double time) in new[] { ("interpreted", interpreted), ("compiled", compiled), ("C", native) })
                figures?.Record(PartDescription.MethodJit, name, subject, time);
            Console.WriteLine($"{name,-15}{interpreted,16:f1}{compiled,12:f1}{interpreted / compiled,8:f1}{native,12:f1}{compiled / native,8:f2}");
        }
        Console.WriteLine($"compiled is faster by {Math.Pow(product, 1.0 / Programs.Length):f1} in the mean");
    }

    /// <summary>The program in C; null where there is no compiler.</summary>
    private static (double Milliseconds, long Result)? Native(string name, long argument)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("method-jit");
        try
        {
            foreach (string file in new[] { name + ".c", "program.h" }) File.WriteAllText(Path.Combine(folder.FullName, file), Machine.Resource(file));
            string program = Path.Combine(folder.FullName, name);
            using (Process compiler = Process.Start("cc", ["-O2", "-o", program, program + ".c"])) compiler.WaitForExit();
            double best = double.MaxValue;
            long result = 0;
            for (int round = 0; round < Rounds; round++)
            {
                using Process process = Process.Start(new ProcessStartInfo(program, [argument.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardOutput = true })!;
                string[] lines = process.StandardOutput.ReadToEnd().Split('\n');
                process.WaitForExit();
                result = long.Parse(lines[0], CultureInfo.InvariantCulture);
                best = Math.Min(best, long.Parse(lines[1], CultureInfo.InvariantCulture) / 1000.0);
            }
            return (best, result);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
