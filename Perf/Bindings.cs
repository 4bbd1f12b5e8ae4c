using System.Diagnostics;
using WasmJit.Tests.Generators;

namespace WasmJit.Perf;

/// <summary>
/// What calls of a plug-in with twenty exports cost: through its delegates, through an interface at run time (<see cref="Instance.As{T}"/>), and through what the
/// generators write for the interface and for the module.
/// </summary>
internal static class Bindings
{
    /// <summary>The same interface, without a generated class.</summary>
    public interface IAtRunTime : IPlugin;

    public static void Run()
    {
        Module module = Plugin.Compile(new Engine(new EngineOptions { Compilation = Compilation.Lazy }));
        Plugin own = Plugin.Instantiate(module, Nothing());
        Instance instance = own.Instance;
        var add = instance.GetExport<Func<int, int, int>>("add");
        var isOdd = instance.GetExport<Func<int, int>>("is-odd");
        IPlugin made = module.Instantiate<IAtRunTime>(), generated = module.Instantiate<IPlugin>();
        foreach (IPlugin plugin in new[] { made, generated }) plugin.Progress += step => step < 10;
        var run = module.Instantiate(new Imports { { "host", "log", (Action<int, int>)((_, _) => { }) }, { "host", "progress", (Func<int, int>)(step => step < 10 ? 1 : 0) } })
            .GetExport<Func<int, int>>("run");
        Memory memory = instance.GetExport<Memory>("memory");
        var length = instance.GetExport<Func<int, int, int>>("length");
        var malloc = instance.GetExport<Func<int, int>>("malloc");
        var free = instance.GetExport<Action<int>>("free");
        Console.WriteLine($"{"",-52}{"ns a call",10}");
        (string What, Action<int> Work, int Count)[] all =
        [
            ("int Add(int, int): the delegate", n => { for (int i = 0, s = 0; i < n; i++) s = add(s, i); }, 20_000_000),
            ("    the interface at run time", n => { for (int i = 0, s = 0; i < n; i++) s = made.Add(s, i); }, 20_000_000),
            ("    the interface, generated", n => { for (int i = 0, s = 0; i < n; i++) s = generated.Add(s, i); }, 20_000_000),
            ("    the class of the module", n => { for (int i = 0, s = 0; i < n; i++) s = own.Add(s, i); }, 20_000_000),
            ("bool IsOdd(uint): the delegate, and a comparison", n => { for (int i = 0, s = 0; i < n; i++) s += isOdd(i) != 0 ? 1 : 0; }, 20_000_000),
            ("    the interface at run time", n => { for (uint i = 0; i < n; i++) made.IsOdd(i); }, 20_000_000),
            ("    the interface, generated", n => { for (uint i = 0; i < n; i++) generated.IsOdd(i); }, 20_000_000),
            ("int Length(string): by hand, malloc and free", n => { for (int i = 0; i < n; i++) ByHand(); }, 2_000_000),
            ("    the interface at run time", n => { for (int i = 0; i < n; i++) made.Length("hello, world"); }, 2_000_000),
            ("    the interface, generated", n => { for (int i = 0; i < n; i++) generated.Length("hello, world"); }, 2_000_000),
            ("int Run(int), ten callbacks: delegates", n => { for (int i = 0; i < n; i++) run(10); }, 500_000),
            ("    events, at run time", n => { for (int i = 0; i < n; i++) made.Run(10); }, 500_000),
            ("    events, generated", n => { for (int i = 0; i < n; i++) generated.Run(10); }, 500_000),
        ];
        Warm([.. all.Select(way => way.Work)]);
        double[] best = ByTurns.Nanoseconds(8, [.. all.Select(way => (way.Work, way.Count))]);
        for (int i = 0; i < all.Length; i++) Console.WriteLine($"{all[i].What,-52}{best[i],10:0.00}");
        Making(module);

        int ByHand()
        {
            int at = malloc(12), result = length(at, memory.WriteString((uint)at, "hello, world"));
            free(at);
            return result;
        }
    }

    /// <summary>Has .NET optimise what is measured, as it does with methods that are called often: else it is code that begins within a loop.</summary>
    private static void Warm(Action<int>[] all)
    {
        for (int round = 0; round < 10; round++)
        {
            for (int i = 0; i < 20; i++)
                foreach (Action<int> work in all) work(100);
            Thread.Sleep(200);
        }
    }

    private static Imports Nothing() => new() { { "host", "log", (Action<int, int>)((_, _) => { }) }, { "host", "progress", (Func<int, int>)(_ => 0) } };

    /// <summary>How long it takes to make an instance and its face, at first and again.</summary>
    private static void Making(Module module)
    {
        foreach ((string what, Action make) in new (string, Action)[]
            { ("at run time", () => module.Instantiate<IAtRunTime>()), ("generated", () => module.Instantiate<IPlugin>()) })
        {
            // The class that is made at run time goes when it is not used any more.
            GC.Collect();
            GC.WaitForPendingFinalizers();
            long start = Stopwatch.GetTimestamp();
            make();
            double first = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
            start = Stopwatch.GetTimestamp();
            const int Count = 200;
            for (int i = 0; i < Count; i++) make();
            Console.WriteLine($"{$"instance and face, {what}: the first, further ones, us",-52}{first,10:0}{Stopwatch.GetElapsedTime(start).TotalMicroseconds / Count,10:0.0}");
        }
    }
}
