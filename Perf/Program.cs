using BenchmarkDotNet.Running;

namespace WasmJit.Perf;

internal static class Program
{
    private const string Usage = """
        Perf compare [--memory-checks guard|explicit] [KERNEL...]  kernels and latencies on WasmJit and Wasmtime by turns
        Perf latency                                               the latencies alone
        Perf tiers [--memory-checks guard|explicit] [KERNEL...]    how the runtime optimised each function of the kernels
        Perf options [KERNEL...]                                   what cancellation, fuel, explicit checks and tasks cost
        Perf cold [empty] [tiny] [KERNEL...]                       what runs for the first time: compiled, tiered, on Wasmtime
        Perf cold programs [FOLDER [NAME...]]                      the same of CPython and clang (Perf/install-programs), on V8 too
        Perf cold ahead [FOLDER]                                   CPython and programs of Tests/Programs compiled ahead, on both
        Perf startup [--size MB]                                   a large program from its file to its first function
        Perf startup --write FILE [--size MB]                      writes the module that it uses
        Perf saved [--memory-checks guard|explicit] [KERNEL...]    modules saved as assemblies against compiling from bytes
        Perf programs [--processor-time] [CASE...]                 programs of Tests/Programs on WasmJit and Wasmtime by turns
        Perf hostile [--memory-checks guard|explicit] [NAME]       modules that are large in one respect alone
        Perf linking [--memory-checks guard|explicit]              accesses, exports, calls across modules; tiny modules
        Perf bindings                                              interfaces over exports beside their delegates
        Perf components [--memory-checks guard|explicit]           calls of components, beside the same by hand
        Perf serve [SECONDS]                                       requests a second: fresh and kept instances beside a plain handler
        Perf serve stages [COUNT]                                  what a request takes without the server, in stages
        Perf waiting [COUNT] [bare]                                guests that wait, 10000 by default, each with a page or without
        Perf disposal [COUNT]                                      instances that come and go, 100000 by default: collections, time
        Perf signatures [COUNT]                                    modules of different signatures, 1000000 by default: what stays
        Perf guest-jit [--count N] [--live N] [--threads N]        guests that make functions and modules, beside V8 and Wasmtime
        Perf method-jit                                            a language with a method JIT, beside its interpreter and C
        Perf report [-o PAGE] [--picture FILE.svg] [--figures FOLDER] [--run] [--parts NAME,...]
                                                                   charts of what was recorded, and measured now with --run or --parts
        Perf bench [BENCHMARKDOTNET ARGUMENTS...]                  the kernels under BenchmarkDotNet
        KERNEL is a name or a group: scalar (the default), simd, gc, exceptions, all. compare, latency, programs, saved, linking, hostile and tiers take
        --compilation tiered|lazy|ahead|interpreted too. compare, options, cold, programs, guest-jit and method-jit take --record FILE.json, to which they add
        their figures.
        """;

    private static int Main(string[] arguments)
    {
        var rest = arguments.Skip(1).ToList();
        try
        {
            var options = new EngineOptions { MemoryChecks = TakeMemoryChecks(rest), Compilation = TakeCompilation(rest) };
            using var recording = new Recording(rest);
            FigureSet? figures = recording.Figures;
            switch (arguments.FirstOrDefault())
            {
                case "report":
                    return Report.Run(rest);
                case "compare":
                    IReadOnlyList<Kernel> kernels = Kernel.Select(rest);
                    Comparison.Run(kernels, new WasmJitPeer(options), new WasmtimePeer(), figures);
                    recording.Save();
                    Console.WriteLine();
                    Latencies.Run(new WasmJitPeer(options), new WasmtimePeer());
                    return 0;
                case "latency":
                    Latencies.Run(new WasmJitPeer(options), new WasmtimePeer());
                    return 0;
                case "components":
                    ComponentCalls.Run(options);
                    return 0;
                case "serve" when rest.Remove("stages"):
                    Serving.Stages(rest.Count == 0 ? 2000 : int.Parse(rest[0], System.Globalization.CultureInfo.InvariantCulture));
                    return 0;
                case "serve":
                    Serving.RunAsync(rest.Count == 0 ? 1 : double.Parse(rest[0], System.Globalization.CultureInfo.InvariantCulture)).GetAwaiter().GetResult();
                    return 0;
                case "waiting":
                    Lifetimes.RunWaiting(rest, options);
                    return 0;
                case "disposal":
                    Lifetimes.RunDisposal(rest);
                    return 0;
                case "tiers":
                    return Tiers.Run(Kernel.Select(rest), options) ? 0 : 1;
                case "options":
                    OptionCosts.Run(Kernel.Select(rest), figures);
                    return 0;
                case "saved":
                    Saved.Run(Kernel.Select(rest), options);
                    return 0;
                case "cold":
                    return Cold.Run(rest, figures);
                case "startup":
                    return Startup.Run(rest);
                case "programs":
                    bool processorTime = rest.Remove("--processor-time");
                    ProgramRuns.Run(rest, options, processorTime, figures);
                    return 0;
                case "hostile":
                    return Hostile.Run(rest, options);
                case "linking":
                    Linking.Run(options);
                    LinkingCalls.Run(options);
                    return 0;
                case "bindings":
                    Bindings.Run();
                    return 0;
                case "signatures":
                    Signatures.Run(rest.Count == 0 ? 1_000_000 : int.Parse(rest[0], System.Globalization.CultureInfo.InvariantCulture));
                    return 0;
                case "guest-jit":
                    GuestJit.Run(rest, figures);
                    return 0;
                case "method-jit":
                    MethodJit.Run(figures);
                    return 0;
                case "bench":
                    BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run([.. rest]);
                    return 0;
                default:
                    Console.Error.WriteLine(Usage);
                    return 2;
            }
        }
        catch (ArgumentException e)
        {
            Console.Error.WriteLine(e.Message);
            return 2;
        }
        catch (UnsupportedModuleException e)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    /// <summary>An option with a value; null without the option.</summary>
    /// <exception cref="ArgumentException">It has no value.</exception>
    internal static string? Take(List<string> arguments, string name)
    {
        int at = arguments.IndexOf(name);
        if (at < 0) return null;
        if (at + 1 >= arguments.Count) throw new ArgumentException($"{name} needs a value.");
        string value = arguments[at + 1];
        arguments.RemoveRange(at, 2);
        return value;
    }

    private static Compilation TakeCompilation(List<string> arguments)
    {
        int at = arguments.IndexOf("--compilation");
        if (at < 0) return new EngineOptions().Compilation;
        if (at + 1 >= arguments.Count || !Enum.TryParse(arguments[at + 1], ignoreCase: true, out Compilation compilation))
            throw new ArgumentException("--compilation is tiered, lazy, ahead or interpreted.");
        arguments.RemoveRange(at, 2);
        return compilation;
    }

    private static MemoryChecks TakeMemoryChecks(List<string> arguments)
    {
        int at = arguments.IndexOf("--memory-checks");
        if (at < 0) return MemoryChecks.Guard;
        if (at + 1 >= arguments.Count || !Enum.TryParse(arguments[at + 1], ignoreCase: true, out MemoryChecks checks))
            throw new ArgumentException("--memory-checks is guard or explicit.");
        arguments.RemoveRange(at, 2);
        return checks;
    }
}
