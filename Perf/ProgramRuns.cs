using System.Diagnostics;
using System.Text;
using WasmJit.Programs;
using W = Wasmtime;

namespace WasmJit.Perf;

/// <summary>
/// The long cases of Tests/Programs on both engines by turns in this process, each over files of its own: from the module's
/// bytes to the exit of the first run, and the best of those that follow on the compiled module. What they print is
/// compared with what they print natively.
/// </summary>
internal static class ProgramRuns
{
    private const int Rounds = 3;

    private static Func<TimeSpan> clock = () => TimeSpan.Zero;

    /// <param name="names">The cases; none for the long ones.</param>
    /// <param name="options">How the engine works.</param>
    /// <param name="processorTime">
    /// Whether to tell the time that processors spent on this process, in place of the time that went by: other processes
    /// disturb it less, but what engines do on other threads counts too.
    /// </param>
    /// <param name="figures">Where the figures go, if they are kept.</param>
    /// <exception cref="ArgumentException">There is no such case.</exception>
    /// <exception cref="InvalidOperationException">A program printed something else.</exception>
    internal static void Run(IReadOnlyList<string> names, EngineOptions options, bool processorTime, FigureSet? figures = null)
    {
        foreach (string name in names)
            if (ProgramCase.All.All(c => c.Name != name)) throw new ArgumentException($"There is no program \"{name}\".");
        ProgramCase[] cases = [.. ProgramCase.All.Where(c => names.Count == 0 ? c.IsLong : names.Contains(c.Name))];
        clock = processorTime ? () => Environment.CpuUsage.TotalTime : () => Stopwatch.GetElapsedTime(0);
        Console.WriteLine($"{"",-16}{"from bytes to exit, ms",30}{"",9}{"a later run, ms",30}{"",9}");
        Console.WriteLine($"{"",-16}{"WasmJit",15}{"Wasmtime",15}{"ratio",9}{"WasmJit",15}{"Wasmtime",15}{"ratio",9}");
        double first = 0, later = 0;
        foreach (ProgramCase program in cases)
        {
            byte[] bytes = program.ReadModule();
            using var subject = new Subject(options);
            using var peer = new Peer();
            double first1 = Time(() => subject.Compile(bytes)) + Check(program, subject), first2 = Time(() => peer.Compile(bytes)) + Check(program, peer);
            double[] later1 = new double[Rounds], later2 = new double[Rounds];
            for (int round = 0; round < Rounds; round++) (later1[round], later2[round]) = (Check(program, subject), Check(program, peer));
            double best1 = later1.Min(), best2 = later2.Min();
            figures?.Record(PartDescription.Programs, program.Name, PartDescription.Engine, first1);
            figures?.Record(PartDescription.Programs, program.Name, PartDescription.Wasmtime, first2);
            figures?.Record(PartDescription.LaterRuns, program.Name, PartDescription.Engine, best1, later1.Max());
            figures?.Record(PartDescription.LaterRuns, program.Name, PartDescription.Wasmtime, best2, later2.Max());
            Console.WriteLine($"{program.Name,-16}{first1,15:f0}{first2,15:f0}{first1 / first2,9:f2}{best1,15:f0}{best2,15:f0}{best1 / best2,9:f2}");
            first += Math.Log(first1 / first2);
            later += Math.Log(best1 / best2);
        }
        Console.WriteLine($"{"geometric mean",-16}{"",30}{Math.Exp(first / cases.Length),9:f2}{"",30}{Math.Exp(later / cases.Length),9:f2}");
    }

    private static double Time(Action action)
    {
        TimeSpan start = clock();
        action();
        return (clock() - start).TotalMilliseconds;
    }

    /// <summary>The time of a run whose result is right.</summary>
    private static double Check(ProgramCase program, IRunner runner)
    {
        DirectoryInfo directory = ProgramCase.MakeDirectory();
        try
        {
            string transcript = "";
            double time = Time(() => transcript = runner.Run(program, directory));
            string expected = program.ReadExpected();
            if (transcript != expected)
                throw new InvalidOperationException($"{program.Name} on {runner.GetType().Name} printed\n{transcript}\ninstead of\n{expected}");
            return time;
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private interface IRunner : IDisposable
    {
        void Compile(byte[] bytes);

        string Run(ProgramCase program, DirectoryInfo directory);
    }

    private sealed class Subject(EngineOptions options) : IRunner
    {
        private readonly Engine engine = new(options);
        private Module? module;

        public void Compile(byte[] bytes) => module = engine.Compile(bytes);

        public string Run(ProgramCase program, DirectoryInfo directory)
        {
            MemoryStream output = new(), error = new();
            using var wasi = new WasiHost(new WasiOptions
            {
                Arguments = program.CommandLine,
                Input = new MemoryStream(program.ReadInput()),
                Output = output,
                Error = error,
                Directories = [new WasiDirectory(directory.FullName, "."), new WasiDirectory(ProgramCase.Scripts, "scripts", ReadOnly: true)],
            });
            int code = wasi.Run(module!);
            return ProgramCase.Transcript(Encoding.UTF8.GetString(output.ToArray()), Encoding.UTF8.GetString(error.ToArray()), code);
        }

        public void Dispose()
        {
        }
    }

    /// <summary>Its standard streams are files beside the directory.</summary>
    private sealed class Peer : IRunner
    {
        private readonly W.Engine engine = new(new W.Config().WithCompilerStrategy(W.CompilerStrategy.Cranelift).WithOptimizationLevel(W.OptimizationLevel.Speed));
        private W.Module? module;

        public void Compile(byte[] bytes) => module = W.Module.FromBytes(engine, "guest", bytes);

        public string Run(ProgramCase program, DirectoryInfo directory)
        {
            string files = directory.FullName + "-streams";
            Directory.CreateDirectory(files);
            try
            {
                string input = Path.Combine(files, "input"), output = Path.Combine(files, "output"), error = Path.Combine(files, "error");
                File.WriteAllBytes(input, program.ReadInput());
                int code = Start(program, new W.WasiConfiguration()
                    .WithArgs(program.CommandLine)
                    .WithStandardInput(input)
                    .WithStandardOutput(output)
                    .WithStandardError(error)
                    .WithPreopenedDirectory(directory.FullName, ".", true)
                    .WithPreopenedDirectory(ProgramCase.Scripts, "scripts", false));
                return ProgramCase.Transcript(File.ReadAllText(output), File.ReadAllText(error), code);
            }
            finally
            {
                Directory.Delete(files, recursive: true);
            }
        }

        private int Start(ProgramCase program, W.WasiConfiguration configuration)
        {
            using var store = new W.Store(engine);
            using var linker = new W.Linker(engine);
            store.SetWasiConfiguration(configuration);
            linker.DefineWasi();
            try
            {
                Action start = linker.Instantiate(store, module!).GetAction("_start") ?? throw new InvalidOperationException($"{program.Name} has no _start.");
                start();
                return 0;
            }
            catch (W.WasmtimeException e) when (e.ExitCode is { } code)
            {
                return code;
            }
        }

        public void Dispose()
        {
            module?.Dispose();
            engine.Dispose();
        }
    }
}
