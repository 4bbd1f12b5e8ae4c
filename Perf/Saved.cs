using System.Diagnostics;
using System.Globalization;

namespace WasmJit.Perf;

/// <summary>
/// A module saved as an assembly against the same compiled from its bytes: until it is there, until its first result, and how
/// fast it runs then. Both ways by turns in this process; the processes are the tool's.
/// </summary>
internal static class Saved
{
    private const int Rounds = 7;
    private const double LargeMegabytes = 4;

    internal static void Run(IReadOnlyList<Kernel> kernels, EngineOptions options)
    {
        var compiler = new Engine(options);
        var loader = new Engine(options with { Compilation = Compilation.Never });
        Loading(kernels, compiler, loader);
        Console.WriteLine();
        Large(options, compiler, loader);
        Console.WriteLine();
        Speed(kernels, compiler, loader);
    }

    private static byte[] Save(Engine engine, byte[] bytes)
    {
        var file = new MemoryStream();
        engine.Compile(bytes).Save(file);
        return file.ToArray();
    }

    private static Func<int, long> Function(Module module) => module.Instantiate().GetExport<Func<int, long>>("run");

    // ---- until the first result ----

    private static void Loading(IReadOnlyList<Kernel> kernels, Engine compiler, Engine loader)
    {
        Console.WriteLine($"{"µs",-14}{"compile",10}{"load",10}{"ratio",8}{"compile+run",14}{"load+run",11}{"ratio",8}{"wasm, KB",10}{"saved, KB",11}");
        double there = 0, result = 0;
        foreach (Kernel kernel in kernels)
        {
            byte[] bytes = kernel.ReadModule(), file = Save(compiler, bytes);
            (double compile, double compileRun) = (double.MaxValue, double.MaxValue);
            (double load, double loadRun) = (double.MaxValue, double.MaxValue);
            for (int round = 0; round <= Rounds; round++)
            {
                (double c, double cr) = TimeFirst(() => compiler.Compile(bytes));
                (double l, double lr) = TimeFirst(() => loader.LoadSaved(new MemoryStream(file)));
                if (round == 0) continue;
                (compile, compileRun, load, loadRun) = (Math.Min(compile, c), Math.Min(compileRun, cr), Math.Min(load, l), Math.Min(loadRun, lr));
            }
            there += Math.Log(load / compile);
            result += Math.Log(loadRun / compileRun);
            Console.WriteLine(
                $"{kernel.Name,-14}{compile,10:f0}{load,10:f0}{load / compile,8:f2}{compileRun,14:f0}{loadRun,11:f0}{loadRun / compileRun,8:f2}{bytes.Length / 1e3,10:f1}{file.Length / 1e3,11:f1}");
        }
        Console.WriteLine($"{"geometric mean",-14}{"",20}{Math.Exp(there / kernels.Count),8:f2}{"",25}{Math.Exp(result / kernels.Count),8:f2}");
    }

    /// <summary>Microseconds until the module is there, and until its function has given a result.</summary>
    private static (double Module, double Result) TimeFirst(Func<Module> make)
    {
        long start = Stopwatch.GetTimestamp();
        Module module = make();
        double there = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        Function(module)(1);
        return (there, Stopwatch.GetElapsedTime(start).TotalMicroseconds);
    }

    // ---- a large module ----

    private static void Large(EngineOptions options, Engine compiler, Engine loader)
    {
        byte[] bytes = LargeModule.Make((int)(LargeMegabytes * 1e6));
        string folder = Directory.CreateTempSubdirectory("wasmjit-perf").FullName;
        try
        {
            string wasm = Path.Combine(folder, "large.wasm"), saved = Path.Combine(folder, "large.dll");
            File.WriteAllBytes(wasm, bytes);
            long begin = Stopwatch.GetTimestamp();
            compiler.Compile(bytes).Save(saved);
            double save = Stopwatch.GetElapsedTime(begin).TotalSeconds;
            double compile = double.MaxValue, load = double.MaxValue;
            string checks = options.MemoryChecks == MemoryChecks.Guard ? "guard" : "explicit";
            var processes = new double[2, 2];
            for (int round = 0; round < Rounds; round++)
            {
                compile = Math.Min(compile, Time(() => compiler.CompileFile(wasm)));
                load = Math.Min(load, Time(() => loader.LoadSaved(saved)));
                for (int i = 0; i < 2; i++)
                    for (int j = 0; j < 2; j++)
                    {
                        string[] command = [Startup.Tool(), "run", i == 0 ? wasm : saved, "--memory-checks", checks, "--invoke", j == 0 ? "first" : "many", "7"];
                        double time = Startup.Measure(command).Seconds * 1e3;
                        if (round == 0 || time < processes[i, j]) processes[i, j] = time;
                    }
            }
            string size = (bytes.Length / 1e6).ToString("f1", CultureInfo.InvariantCulture);
            Console.WriteLine($"A module of {size} MB, saved in {save:f1} s as {new FileInfo(saved).Length / 1e6:f1} MB; ms");
            Console.WriteLine($"{"",-34}{"from bytes",12}{"saved",10}{"ratio",8}");
            Print("Compile, LoadSaved", compile, load);
            Print("wasmjit run --invoke first", processes[0, 0], processes[1, 0]);
            Print("wasmjit run --invoke many", processes[0, 1], processes[1, 1]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double Time(Func<Module> make)
    {
        long start = Stopwatch.GetTimestamp();
        make();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static void Print(string what, double compiled, double saved) =>
        Console.WriteLine($"{what,-34}{compiled,12:f1}{saved,10:f1}{saved / compiled,8:f2}");

    // ---- in the long run ----

    private static void Speed(IReadOnlyList<Kernel> kernels, Engine compiler, Engine loader)
    {
        Console.WriteLine($"{"run, ms",-14}{"compiled",12}{"saved",10}{"ratio",8}");
        double logarithms = 0;
        foreach (Kernel kernel in kernels)
        {
            byte[] bytes = kernel.ReadModule();
            Func<int, long> compiled = Function(compiler.Compile(bytes)), saved = Function(loader.LoadSaved(new MemoryStream(Save(compiler, bytes))));
            double best = double.MaxValue, bestSaved = double.MaxValue;
            for (int round = 0; round <= Rounds; round++)
            {
                double time = Time(kernel, "compiled", compiled), timeSaved = Time(kernel, "saved", saved);
                if (round == 0) continue;
                (best, bestSaved) = (Math.Min(best, time), Math.Min(bestSaved, timeSaved));
            }
            logarithms += Math.Log(bestSaved / best);
            Console.WriteLine($"{kernel.Name,-14}{best,12:f2}{bestSaved,10:f2}{bestSaved / best,8:f2}");
        }
        Console.WriteLine($"{"geometric mean",-14}{"",22}{Math.Exp(logarithms / kernels.Count),8:f3}");
    }

    private static double Time(Kernel kernel, string way, Func<int, long> run)
    {
        long start = Stopwatch.GetTimestamp();
        long result = run(kernel.N);
        double time = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        kernel.Check(way, result);
        return time;
    }
}
