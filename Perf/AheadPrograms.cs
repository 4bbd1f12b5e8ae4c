using WasmJit.Programs;

namespace WasmJit.Perf;

/// <summary>
/// Programs that were compiled ahead (<c>wasmjit compile --native</c>, Wasmtime's serialised modules), as whole processes from the file on disk to the end, by
/// turns. CPython is what <c>Perf/install-programs</c> has installed; the others are those of Tests/Programs.
/// </summary>
internal static class AheadPrograms
{
    private const int Rounds = 5;

    private sealed record Run(string Name, string Module, string Directories, string[] Arguments);

    internal static int Measure(string? folder)
    {
        string python = Path.Combine(Path.GetFullPath(folder ?? Path.Combine("artifacts", "programs")), "node_modules", ColdPrograms.Python);
        string work = Directory.CreateTempSubdirectory("wasmjit-ahead").FullName;
        try
        {
            var runs = new List<Run>();
            if (File.Exists(python)) runs.AddRange([new("CPython: nothing", python, "", ["-c", "pass"]), new("CPython: a loop and a hash", python, "", ["-c", ColdPrograms.PythonLine])]);
            else Console.WriteLine($"no CPython: {python} does not exist; Perf/install-programs installs it");
            foreach (ProgramCase program in ProgramCase.All.Where(p => p.Input is null && p.IsLong))
            {
                string module = Path.Combine(work, program.Program + ".wasm"), own = Directory.CreateDirectory(Path.Combine(work, program.Name)).FullName;
                File.WriteAllBytes(module, program.ReadModule());
                runs.Add(new Run(program.Name, module, $"{own}::.;{ProgramCase.Scripts}::scripts", [.. program.Arguments]));
            }
            Compare(runs, work);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
        return 0;
    }

    private static void Compare(List<Run> runs, string work)
    {
        string self = typeof(AheadPrograms).Assembly.Location, dotnet = Environment.ProcessPath!;
        Console.WriteLine($"{"seconds: wall / processor, best of " + Rounds,-36}{"WasmJit",16}{"Wasmtime",16}{"ratio",16}{"MB",8}{"MB",8}");
        double walls = 0, processors = 0;
        foreach (Run run in runs)
        {
            string ours = Path.Combine(work, Path.GetFileNameWithoutExtension(run.Module) + ".dll"), theirs = Path.ChangeExtension(ours, ".cwasm");
            if (!File.Exists(ours))
            {
                ColdPrograms.Time([dotnet, ColdPrograms.ToolPath(), "compile", "--native", run.Module, "-o", ours]);
                ColdPrograms.Time([dotnet, self, "cold", "programs", "--compile-wasmtime", run.Module, theirs]);
            }
            string[] directories = [.. run.Directories.Split(';', StringSplitOptions.RemoveEmptyEntries).SelectMany(d => new[] { "--dir", d })];
            string[][] commands =
            [
                [dotnet, ColdPrograms.ToolPath(), "run", .. directories, ours, "--", .. run.Arguments],
                [dotnet, self, "cold", "programs", "--wasmtime", theirs, run.Directories, .. run.Arguments],
            ];
            double[] wall = [double.MaxValue, double.MaxValue], processor = [double.MaxValue, double.MaxValue];
            string? expected = null;
            for (int round = 0; round < Rounds; round++)
            {
                for (int way = 0; way < commands.Length; way++)
                {
                    (double w, double p, string output) = ColdPrograms.Time(commands[way]);
                    expected ??= output;
                    if (output != expected) throw new InvalidOperationException($"{run.Name} prints \"{output}\" and not \"{expected}\".");
                    (wall[way], processor[way]) = (Math.Min(wall[way], w), Math.Min(processor[way], p));
                }
            }
            walls += Math.Log(wall[0] / wall[1]);
            processors += Math.Log(processor[0] / processor[1]);
            Console.WriteLine($"{run.Name,-36}{wall[0],8:f2} /{processor[0],6:f2}{wall[1],8:f2} /{processor[1],6:f2}{wall[0] / wall[1],8:f2} /{processor[0] / processor[1],6:f2}"
                + $"{new FileInfo(ours).Length / 1e6,8:f1}{new FileInfo(theirs).Length / 1e6,8:f1}");
        }
        Console.WriteLine($"{"geometric mean",-68}{Math.Exp(walls / runs.Count),8:f2} /{Math.Exp(processors / runs.Count),6:f2}");
    }
}
