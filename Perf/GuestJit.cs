using System.Diagnostics;

namespace WasmJit.Perf;

/// <summary>A guest that compiles modules one by one into a table of 16, dropping the old ones: time for each, and memory.</summary>
internal static class GuestJit
{
    private const int Step = 2_000;

    public static void Run(int modules)
    {
        Instance guest = Make(new EngineOptions());
        var run = guest.GetExport<Func<int, int, long>>("run");
        run(0, 500);
        Console.WriteLine($"{"modules",10}{"us each",10}{"heap MB",10}{"process MB",12}{"assemblies",12}{"threads",9}");
        Print(0, 0);
        var total = TimeSpan.Zero;
        for (int done = 0; done < modules; done += Step)
        {
            int count = Math.Min(Step, modules - done);
            long start = Stopwatch.GetTimestamp();
            long sum = run(1000 + done, count);
            TimeSpan time = Stopwatch.GetElapsedTime(start);
            total += time;
            if (sum != ((long)count * (2000 + done)) + ((long)count * (count - 1) / 2)) throw new InvalidOperationException("Wrong sum.");
            Print(done + count, time.TotalMicroseconds / count);
        }
        Console.WriteLine($"{modules} modules in {total.TotalSeconds:f2} s: {total.TotalMicroseconds / modules:f1} us from bytes to the first result each.");
        GC.KeepAlive(guest);
    }

    /// <summary>The guest of Samples/Linking.</summary>
    internal static Instance Make(EngineOptions options)
    {
        using Stream text = typeof(GuestJit).Assembly.GetManifestResourceStream("guest-jit.wat")!;
        return new Engine(options).CompileText(new StreamReader(text).ReadToEnd()).Instantiate();
    }

    private static void Print(int done, double time)
    {
        // What is garbage by now does not count; the process keeps some of it for what comes.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        using var process = Process.GetCurrentProcess();
        Console.WriteLine(
            $"{done,10}{time,10:f1}{GC.GetTotalMemory(false) / 1048576.0,10:f1}{process.WorkingSet64 / 1048576.0,12:f1}"
            + $"{AppDomain.CurrentDomain.GetAssemblies().Length,12}{process.Threads.Count,9}");
    }
}
