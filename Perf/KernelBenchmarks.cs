using BenchmarkDotNet.Attributes;

namespace WasmJit.Perf;

/// <summary>The kernels under BenchmarkDotNet: slower than <c>compare</c>, with statistics.</summary>
public class KernelBenchmarks
{
    private Func<int, long> wasmJit = null!, wasmtime = null!;
    private Kernel kernel = null!;

    /// <summary>Which.</summary>
    [ParamsSource(nameof(Names))]
    public string Name { get; set; } = "";

    /// <summary>All.</summary>
    public static IEnumerable<string> Names => Kernel.Scalar.Select(k => k.Name);

    [GlobalSetup]
    public void Setup()
    {
        kernel = Kernel.Select([Name])[0];
        byte[] bytes = kernel.ReadModule();
        wasmJit = new WasmJitPeer(new EngineOptions()).Compile(bytes).Instantiate().GetLongFunction("run");
        wasmtime = new WasmtimePeer().Compile(bytes).Instantiate().GetLongFunction("run");
        kernel.Check("WasmJit", wasmJit(kernel.N));
        kernel.Check("Wasmtime", wasmtime(kernel.N));
    }

    [Benchmark]
    public long WasmJit() => wasmJit(kernel.N);

    [Benchmark(Baseline = true)]
    public long Wasmtime() => wasmtime(kernel.N);
}
