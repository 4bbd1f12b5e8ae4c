using System.Diagnostics;
using WasmJit.Jit.Format;
using W = Wasmtime;

namespace WasmJit.Perf;

/// <summary>
/// Code that runs for the first time: an empty program in a process of its own, modules of a few bytes never seen before, and
/// kernels and programs once, from their bytes, where functions are compiled first, where they are interpreted first, and on
/// Wasmtime, by turns. Processor time of the process is given beside the time that went by, as others may want the processors.
/// </summary>
internal static class Cold
{
    private const int Tiny = 400, EmptyRuns = 5;

    /// <summary>The ways, by the names under which a child process knows them.</summary>
    private static readonly string[] Ways = ["compiler", "tiered", "wasmtime"];

    internal static int Run(List<string> arguments, FigureSet? figures)
    {
        if (arguments is ["--empty", var way])
        {
            RunEmpty(way);
            return 0;
        }
        if (arguments.Remove("ahead")) return AheadPrograms.Measure(arguments.FirstOrDefault());
        if (arguments.Remove("programs")) return ColdPrograms.Run(arguments, figures);
        Console.WriteLine($"{"milliseconds: wall / processor",-32}{"compiler",18}{"tiered",18}{"Wasmtime",18}");
        if (arguments.Count == 0 || arguments.Remove("empty")) Empty(figures);
        if (arguments.Count == 0 || arguments.Remove("tiny")) TinyModule(figures);
        Kernels(arguments, figures);
        return 0;
    }

    private static EngineOptions OptionsOf(string way) => new() { Compilation = way == "tiered" ? Compilation.Tiered : Compilation.Lazy };

    private static IPeer PeerOf(string way) => way == "wasmtime" ? new WasmtimePeer() : new WasmJitPeer(OptionsOf(way));

    // ---- an empty program, in a process of its own ----

    private static void Empty(FigureSet? figures)
    {
        foreach (string line in new[] { "engine to end of _start", "whole process" })
        {
            Console.Write($"{"empty program, " + line,-32}");
            foreach (string way in Ways)
            {
                var times = new List<double>();
                int methods = 0;
                for (int i = 0; i < EmptyRuns; i++)
                {
                    var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
                    foreach (string argument in new[] { typeof(Cold).Assembly.Location, "cold", "--empty", way }) start.ArgumentList.Add(argument);
                    var watch = Stopwatch.StartNew();
                    using Process child = Process.Start(start)!;
                    string[] words = child.StandardOutput.ReadToEnd().Split(' ');
                    child.WaitForExit();
                    times.Add(line == "whole process" ? watch.Elapsed.TotalMilliseconds : double.Parse(words[0], System.Globalization.CultureInfo.InvariantCulture));
                    methods = int.Parse(words[1], System.Globalization.CultureInfo.InvariantCulture);
                }
                Console.Write($"{times.Min(),10:f0} ({methods,4})");
                Record(figures, "empty program, " + line, way, times.Min(), times.Max());
            }
            Console.WriteLine();
        }
    }

    /// <summary>Prints how long it took, and how many methods were compiled meanwhile.</summary>
    private static void RunEmpty(string way)
    {
        byte[] program =
        [
            .. "\0asm\x01\0\0\0"u8, SectionId.Type, 4, 1, TypeByte.Func, 0, 0, SectionId.Function, 2, 1, 0, SectionId.Memory, 3, 1, 0, 1,
            SectionId.Export, 19, 2, 6, .. "memory"u8, ExternByte.Memory, 0, 6, .. "_start"u8, ExternByte.Func, 0, SectionId.Code, 4, 1, 2, 0, Opcode.End,
        ];
        long methods = System.Runtime.JitInfo.GetCompiledMethodCount();
        var watch = Stopwatch.StartNew();
        if (way == "wasmtime")
        {
            using var engine = new W.Engine();
            using var linker = new W.Linker(engine);
            using var store = new W.Store(engine);
            linker.DefineWasi();
            store.SetWasiConfiguration(new W.WasiConfiguration());
            using var module = W.Module.FromBytes(engine, "empty", program);
            linker.Instantiate(store, module).GetAction("_start")!();
        }
        else
        {
            using var wasi = new WasiHost(new WasiOptions { Arguments = ["empty"] });
            wasi.Run(new Engine(OptionsOf(way)).Compile(program));
        }
        double time = watch.Elapsed.TotalMilliseconds;
        Console.Write(FormattableString.Invariant($"{time:f1} {System.Runtime.JitInfo.GetCompiledMethodCount() - methods}"));
    }

    // ---- modules never seen before ----

    private static void TinyModule(FigureSet? figures)
    {
        IPeer[] peers = [.. Ways.Select(PeerOf)];
        var wall = new double[Ways.Length];
        var processor = new double[Ways.Length];
        int number = 0;
        for (int round = -20; round < Tiny; round++)
        {
            for (int i = 0; i < peers.Length; i++)
            {
                byte[] bytes = TinyModules.Adder(++number);
                (double w, double p) = Time(() =>
                {
                    using IPeerModule module = peers[i].Compile(bytes);
                    using IPeerInstance instance = module.Instantiate();
                    if (instance.GetFunction("f")(1) != number + 1) throw new InvalidOperationException("The module adds wrongly.");
                });
                if (round < 0) continue;
                wall[i] += w / Tiny;
                processor[i] += p / Tiny;
            }
        }
        Print("a tiny module, bytes to result", wall, processor, figures);
    }

    // ---- kernels, once ----

    private static void Kernels(List<string> names, FigureSet? figures)
    {
        IReadOnlyList<Kernel> kernels = Kernel.Select(names);
        double mean = 0, before = 0;
        foreach (Kernel kernel in kernels)
        {
            byte[] bytes = kernel.ReadModule();
            var wall = new double[Ways.Length];
            var processor = new double[Ways.Length];
            for (int i = 0; i < Ways.Length; i++)
            {
                (wall[i], processor[i]) = Time(() =>
                {
                    using IPeerModule module = PeerOf(Ways[i]).Compile(bytes);
                    using IPeerInstance instance = module.Instantiate();
                    kernel.Check(Ways[i], instance.GetLongFunction("run")(kernel.N));
                });
            }
            Print(kernel.Name, wall, processor, figures);
            mean += Math.Log(wall[1] / wall[2]);
            before += Math.Log(wall[0] / wall[2]);
        }
        Console.WriteLine($"geometric mean of wall times to Wasmtime's: compiler {Math.Exp(before / kernels.Count):f2}, tiered {Math.Exp(mean / kernels.Count):f2}");
    }

    private static (double Wall, double Processor) Time(Action action)
    {
        TimeSpan processor = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        action();
        return (Stopwatch.GetElapsedTime(start).TotalMilliseconds, (Environment.CpuUsage.TotalTime - processor).TotalMilliseconds);
    }

    private static void Print(string name, double[] wall, double[] processor, FigureSet? figures)
    {
        Console.Write($"{name,-32}");
        for (int i = 0; i < Ways.Length; i++) Console.Write($"{wall[i],9:f2} /{processor[i],7:f2}");
        Console.WriteLine();
        for (int i = 0; i < Ways.Length; i++) Record(figures, name, Ways[i], wall[i]);
    }

    /// <summary>Functions are interpreted first unless told otherwise.</summary>
    private static void Record(FigureSet? figures, string name, string way, double best, double? worst = null) => figures?.Record(
        PartDescription.Cold, name, way switch { "tiered" => PartDescription.Engine, "wasmtime" => PartDescription.Wasmtime, _ => "compiled at once" }, best, worst);
}
