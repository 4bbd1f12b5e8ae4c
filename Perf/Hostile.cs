using System.Diagnostics;
using WasmJit.Tests;

namespace WasmJit.Perf;

/// <summary>
/// What modules that are large in one respect alone cost at full size, each in a process of its own. The tests run the same
/// modules at a tenth.
/// </summary>
internal static class Hostile
{
    private const int Million = 1_000_000;

    /// <param name="arguments">The name of a module, or nothing for all.</param>
    /// <param name="options">Of the engine that compiles them.</param>
    internal static int Run(List<string> arguments, EngineOptions options)
    {
        if (arguments.Count > 0)
        {
            Console.Write(Outcome(HostileModules.All[string.Join(' ', arguments)](Million), options));
            return 0;
        }
        string self = typeof(Hostile).Assembly.Location;
        Console.WriteLine($"{"module",-56}{"MB",7}{"time, s",9}{"call, ms: wall / processor",28}{"peak, MB",10}");
        foreach ((string name, Func<int, byte[]> make) in HostileModules.All)
        {
            int bytes = make(Million).Length;
            (_, long peak, _, string output) = Startup.Measure(
                [self, "hostile", "--compilation", $"{options.Compilation}".ToLowerInvariant(), "--memory-checks", $"{options.MemoryChecks}".ToLowerInvariant(), name]);
            string[] parts = output.Split('|');
            Console.WriteLine($"{name,-56}{bytes / 1e6,7:f1}{parts[0],9}{parts[1],28}{peak / 1e6,10:f0}  {parts[2]}");
        }
        Console.WriteLine("Time from the bytes to the first result, or to the error; of that, the first call. The peak is the process's, which has made the module too.");
        return 0;
    }

    private static string Outcome(byte[] bytes, EngineOptions options)
    {
        long start = Stopwatch.GetTimestamp();
        string outcome = "", call = "-";
        try
        {
            Instance instance = new Engine(options).Compile(bytes).Instantiate();
            if (instance.TryGetExport("run", out Func<int>? run))
            {
                TimeSpan processor = Environment.CpuUsage.TotalTime;
                long called = Stopwatch.GetTimestamp();
                run();
                TimeSpan wall = Stopwatch.GetElapsedTime(called);
                call = FormattableString.Invariant($"{wall.TotalMilliseconds:f0} /{(Environment.CpuUsage.TotalTime - processor).TotalMilliseconds,5:f0}");
            }
        }
        catch (Exception e) when (e is ModuleException or LinkException)
        {
            outcome = e.Message.Split('\n')[0];
        }
        return FormattableString.Invariant($"{Stopwatch.GetElapsedTime(start).TotalSeconds:f2}|{call}|{outcome}");
    }
}
