namespace WasmJit.Perf;

/// <summary>This project's engine. Nothing is compiled ahead: a first call that is not measured warms up.</summary>
internal sealed class WasmJitPeer(EngineOptions options) : IPeer
{
    private readonly Engine engine = new(options);

    public string Name => "WasmJit";

    public IPeerModule Compile(byte[] bytes) => new PeerModule(engine.Compile(bytes));

    private sealed class PeerModule(Module module) : IPeerModule
    {
        public IPeerInstance Instantiate(Func<int, int>? host)
        {
            var imports = new Imports();
            if (host is not null) imports.Add("env", "host", host);
            return new PeerInstance(module.Instantiate(imports));
        }

        public void Dispose()
        {
        }
    }

    private sealed class PeerInstance(Instance instance) : IPeerInstance
    {
        public Func<int, long> GetLongFunction(string name) => instance.GetExport<Func<int, long>>(name);

        public Func<int, int> GetFunction(string name) => instance.GetExport<Func<int, int>>(name);

        public void Dispose()
        {
        }
    }
}
