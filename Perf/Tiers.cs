using System.Diagnostics.Tracing;

namespace WasmJit.Perf;

/// <summary>
/// Says how the runtime compiled the functions of the kernels: RyuJIT gives up optimising ("MinOpts") on methods that pass any
/// of its limits, and reports it in its event of each loaded method.
/// </summary>
internal static class Tiers
{
    /// <returns>Whether everything was optimised.</returns>
    public static bool Run(IReadOnlyList<Kernel> kernels, EngineOptions options)
    {
        using var listener = new MethodListener();
        Console.WriteLine($"{"kernel",-14}{"function",-40}{"machine code",14}  tier");
        bool optimised = true;
        foreach (Kernel kernel in kernels)
        {
            listener.Clear();
            IPeerInstance instance = new WasmJitPeer(options).Compile(kernel.ReadModule()).Instantiate();
            kernel.Check("WasmJit", instance.GetLongFunction("run")(kernel.N));
            foreach (LoadedMethod method in listener.Methods)
            {
                Console.WriteLine($"{kernel.Name,-14}{method.Name,-40}{method.Size,14}  {method.Tier}");
                optimised &= method.Tier != Tier.MinOpts;
            }
        }
        return optimised;
    }

    // The values of the runtime's enumeration of optimisation tiers in its method events.
    private enum Tier
    {
        Unknown,
        MinOpts,
        Optimised,
        Quick,
        Tier1,
        Tier1OnStack,
    }

    private sealed record LoadedMethod(string Name, uint Size, Tier Tier);

    private sealed class MethodListener : EventListener
    {
        private const EventKeywords JitKeyword = (EventKeywords)0x10;
        private const uint Dynamic = 1;
        private readonly Lock gate = new();
        private readonly List<LoadedMethod> methods = [];

        public IReadOnlyList<LoadedMethod> Methods
        {
            get
            {
                lock (gate) return [.. methods];
            }
        }

        public void Clear()
        {
            lock (gate) methods.Clear();
        }

        protected override void OnEventSourceCreated(EventSource source)
        {
            if (source.Name == "Microsoft-Windows-DotNETRuntime") EnableEvents(source, EventLevel.Verbose, JitKeyword);
        }

        protected override void OnEventWritten(EventWrittenEventArgs data)
        {
            if (data.EventName is not { } name || !name.StartsWith("MethodLoadVerbose", StringComparison.Ordinal)) return;
            if (Value(data, "MethodFlags") is not uint flags || (flags & Dynamic) == 0) return;
            var method = new LoadedMethod(Value(data, "MethodName") as string ?? "?", Value(data, "MethodSize") as uint? ?? 0,
                (Tier)(flags >> 7 & 7));
            lock (gate) methods.Add(method);
        }

        private static object? Value(EventWrittenEventArgs data, string name)
        {
            int index = data.PayloadNames?.IndexOf(name) ?? -1;
            return index < 0 ? null : data.Payload?[index];
        }
    }
}
