using System.Diagnostics;

namespace WasmJit.Perf;

/// <summary>What small things cost: new modules, new instances, calls over the border in both directions.</summary>
internal static class Latencies
{
    private const int Rounds = 5;
    private const int Modules = 400;
    private const int Instances = 4_000;
    private const int Calls = 5_000_000;

    // Every module of the process has another constant: no engine has seen it before.
    private static int number;

    public static void Run(IPeer subject, IPeer reference)
    {
        Console.WriteLine($"{"latency",-44}{subject.Name,14}{reference.Name,14}");
        Compare("compile + instantiate + first call, us", subject, reference, UnseenModule);
        Compare("instantiate, us", subject, reference, Instantiation);
        Compare("call host to wasm (delegate, i32 -> i32), ns", subject, reference, HostToWasm);
        Compare("call wasm to host (in a wasm loop), ns", subject, reference, WasmToHost);
        Console.WriteLine($"Best of {Rounds} rounds, mean within a round. Calls include the loop around them (below 1 ns each).");
    }

    private static void Compare(string what, IPeer subject, IPeer reference, Func<IPeer, double> measure)
    {
        double mine = double.MaxValue, theirs = double.MaxValue;
        for (int round = 0; round <= Rounds; round++)
        {
            double time1 = measure(subject), time2 = measure(reference);
            if (round == 0) continue;
            mine = Math.Min(mine, time1);
            theirs = Math.Min(theirs, time2);
        }
        Console.WriteLine($"{what,-44}{mine,14:f2}{theirs,14:f2}");
    }

    // From bytes to the first result, microseconds.
    private static double UnseenModule(IPeer peer)
    {
        int first = number;
        number += Modules;
        var modules = new byte[Modules][];
        for (int i = 0; i < Modules; i++) modules[i] = TinyModules.Adder(first + i);
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < Modules; i++)
        {
            using IPeerModule module = peer.Compile(modules[i]);
            using IPeerInstance instance = module.Instantiate();
            if (instance.GetFunction("f")(1) != first + i + 1) throw new InvalidOperationException("Wrong sum.");
        }
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds / Modules;
    }

    // A new instance of a module in use, without memory, microseconds. Wasmtime's includes its store, as every host pays for one.
    private static double Instantiation(IPeer peer)
    {
        using IPeerModule module = peer.Compile(TinyModules.Adder(number++));
        using IPeerInstance warm = module.Instantiate();
        warm.GetFunction("f")(1);
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < Instances; i++) module.Instantiate().Dispose();
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds / Instances;
    }

    // Nanoseconds.
    private static double HostToWasm(IPeer peer)
    {
        using IPeerModule module = peer.Compile(TinyModules.Adder(3));
        using IPeerInstance instance = module.Instantiate();
        Func<int, int> add = instance.GetFunction("f");
        int sum = add(0);
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < Calls; i++) sum = add(sum);
        double time = Stopwatch.GetElapsedTime(start).TotalNanoseconds / Calls;
        if (sum != 3 * (Calls + 1)) throw new InvalidOperationException("Wrong sum.");
        return time;
    }

    // Nanoseconds.
    private static double WasmToHost(IPeer peer)
    {
        using IPeerModule module = peer.Compile(TinyModules.HostCaller());
        using IPeerInstance instance = module.Instantiate(Host);
        Func<int, int> loop = instance.GetFunction("loop");
        loop(1);
        long start = Stopwatch.GetTimestamp();
        int result = loop(Calls);
        double time = Stopwatch.GetElapsedTime(start).TotalNanoseconds / Calls;
        if (result != 7 * Calls) throw new InvalidOperationException("Wrong sum.");
        return time;
    }

    private static int Host(int x) => x + 7;
}
