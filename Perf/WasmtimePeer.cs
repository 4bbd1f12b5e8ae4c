using W = Wasmtime;

namespace WasmJit.Perf;

/// <summary>Wasmtime through its .NET package, with all features on: Cranelift optimising for speed, guard pages.</summary>
internal sealed class WasmtimePeer : IPeer
{
    private readonly W.Engine engine = new(new W.Config()
        .WithCompilerStrategy(W.CompilerStrategy.Cranelift)
        .WithOptimizationLevel(W.OptimizationLevel.Speed)
        .WithFunctionReferences(true)
        .WithGc(true)
        .WithExceptions(true));

    public string Name => "Wasmtime";

    public IPeerModule Compile(byte[] bytes) => new PeerModule(engine, W.Module.FromBytes(engine, "guest", bytes));

    private sealed class PeerModule(W.Engine engine, W.Module module) : IPeerModule
    {
        public IPeerInstance Instantiate(Func<int, int>? host)
        {
            var store = new W.Store(engine);
            return host is null
                ? new PeerInstance(store, new W.Instance(store, module))
                : new PeerInstance(store, new W.Instance(store, module, W.Function.FromCallback(store, host)));
        }

        public void Dispose() => module.Dispose();
    }

    private sealed class PeerInstance(W.Store store, W.Instance instance) : IPeerInstance
    {
        public Func<int, long> GetLongFunction(string name) =>
            instance.GetFunction<int, long>(name) ?? throw new KeyNotFoundException(name);

        public Func<int, int> GetFunction(string name) =>
            instance.GetFunction<int, int>(name) ?? throw new KeyNotFoundException(name);

        public void Dispose() => store.Dispose();
    }
}
