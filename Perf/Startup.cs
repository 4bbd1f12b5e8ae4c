using System.Diagnostics;
using System.Globalization;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Tiers;
using WasmJit.Jit.Validation;
using W = Wasmtime;

namespace WasmJit.Perf;

/// <summary>
/// How long a large program takes until its first function has run: the tool as a process of its own, beside a process that
/// compiles the same module with Wasmtime.
/// </summary>
internal static class Startup
{
    private const int Rounds = 5;

    /// <summary>Runs the comparison, or with <c>--write FILE</c> writes the module.</summary>
    /// <exception cref="ArgumentException">The arguments are not right.</exception>
    internal static int Run(List<string> arguments)
    {
        string? write = Program.Take(arguments, "--write");
        string? peer = Program.Take(arguments, "--wasmtime");
        string? phases = Program.Take(arguments, "--phases");
        double megabytes = double.Parse(Program.Take(arguments, "--size") ?? "40", CultureInfo.InvariantCulture);
        if (arguments.Count > 0) throw new ArgumentException($"startup does not know {arguments[0]}.");
        if (peer is not null) return CompileWithWasmtime(peer);
        if (phases is not null) return Phases(phases);
        byte[] module = LargeModule.Make((int)(megabytes * 1e6));
        if (write is not null)
        {
            File.WriteAllBytes(write, module);
            return 0;
        }
        string file = Path.Combine(Path.GetTempPath(), $"wasmjit-startup-{Environment.ProcessId}.wasm");
        File.WriteAllBytes(file, module);
        try
        {
            Compare(file, module.Length);
        }
        finally
        {
            File.Delete(file);
        }
        return 0;
    }

    private static int CompileWithWasmtime(string file)
    {
        byte[] bytes = File.ReadAllBytes(file);
        using var engine = new W.Engine(new W.Config().WithOptimizationLevel(W.OptimizationLevel.Speed));
        long start = Stopwatch.GetTimestamp();
        using W.Module module = W.Module.FromBytes(engine, "large", bytes);
        Console.WriteLine(Stopwatch.GetElapsedTime(start).TotalSeconds.ToString("f3", CultureInfo.InvariantCulture));
        return 0;
    }

    /// <summary>Where the time goes, each step for the first time in this process, and what the heap holds after it.</summary>
    private static int Phases(string file)
    {
        long last = Stopwatch.GetTimestamp();
        void Step(string what)
        {
            double time = Stopwatch.GetElapsedTime(last).TotalMilliseconds;
            Console.WriteLine($"{what,-14}{time,10:f1} ms{GC.GetTotalMemory(true) / 1e6,10:f1} MB{GC.CollectionCount(0),6} collections");
            last = Stopwatch.GetTimestamp();
        }
        byte[] bytes = File.ReadAllBytes(file);
        Step("read");
        ModuleInfo info = ModuleDecoder.Decode(bytes);
        Step("decode");
        ModuleValidator.Validate(info);
        Step("validate");
        var module = new Module(new Engine(), info);
        FunctionCode code = module.Code;
        Step("cells, stubs");
        Instance instance = module.Instantiate();
        Step("instantiate");
        Func<int, int> function = instance.GetExport<Func<int, int>>("first");
        Step("export");
        code.Compile(((Runtime.FuncRef)function.Target!).Index);
        Step("compile first");
        function(7);
        Step("call first");
        function(7);
        Step("call again");
        return 0;
    }

    private static void Compare(string file, int length)
    {
        string tool = Tool(), self = typeof(Startup).Assembly.Location;
        (string Name, string[] Command, bool PrintsTime)[] runs =
        [
            ("wasmjit run --invoke first", [tool, "run", file, "--invoke", "first", "7"], false),
            ("wasmjit run --invoke many", [tool, "run", file, "--invoke", "many", "7"], false),
            ("wasmjit validate", [tool, "validate", file], false),
            ("Wasmtime compiles", [self, "startup", "--wasmtime", file], true),
        ];
        var times = new double[runs.Length];
        var memory = new long[runs.Length];
        var processor = new double[runs.Length];
        Array.Fill(processor, double.MaxValue);
        Array.Fill(times, double.MaxValue);
        for (int round = 0; round < Rounds; round++)
            for (int i = 0; i < runs.Length; i++)
            {
                // One compilation by Wasmtime takes as long as all else.
                if (runs[i].PrintsTime && round > 0) continue;
                (double seconds, long peak, double busy, string output) = Measure(runs[i].Command);
                processor[i] = Math.Min(processor[i], busy);
                times[i] = Math.Min(times[i], runs[i].PrintsTime ? double.Parse(output, CultureInfo.InvariantCulture) : seconds);
                memory[i] = Math.Max(memory[i], peak);
            }
        Console.WriteLine($"A module of {length / 1e6:f1} MB, {Environment.ProcessorCount} processors; best of {Rounds}, of Wasmtime one.");
        Console.WriteLine($"{"",-36}{"time, s",10}{"processor, s",14}{"peak memory, MB",18}");
        for (int i = 0; i < runs.Length; i++) Console.WriteLine($"{runs[i].Name,-36}{times[i],10:f2}{processor[i],14:f2}{memory[i] / 1e6,18:f0}");
        Console.WriteLine("Times of the tool are those of the whole process; Wasmtime's is of the compilation alone. Processor time is that of the whole process, all threads.");
    }

    internal static (double Seconds, long Peak, double Processor, string Output) Measure(string[] command)
    {
        var start = new ProcessStartInfo("dotnet", command) { RedirectStandardOutput = true, RedirectStandardError = true };
        long begin = Stopwatch.GetTimestamp();
        using Process process = Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start.");
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        long peak = 0;
        double busy = 0;
        while (!process.WaitForExit(5))
        {
            try
            {
                process.Refresh();
                peak = Math.Max(peak, process.PeakWorkingSet64);
                busy = process.TotalProcessorTime.TotalSeconds;
            }
            catch (InvalidOperationException)
            {
                // It has ended in between.
            }
        }
        double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        if (process.ExitCode != 0) throw new InvalidOperationException($"{string.Join(' ', command)}: {error.Result}");
        return (seconds, peak, busy, output.Result);
    }

    /// <summary>The tool beside this build of Perf.</summary>
    internal static string Tool()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "WasmJit.sln"))) folder = Path.GetDirectoryName(folder);
        string file = Path.Combine(folder ?? "", "Cli", "bin", "Release", "net10.0", "WasmJit.Cli.dll");
        return File.Exists(file) ? file : throw new ArgumentException("The tool is not built: dotnet build -c Release Cli");
    }
}
