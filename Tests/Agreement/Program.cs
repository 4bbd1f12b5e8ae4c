using WasmJit.Fuzz;
using WasmJit.Text;

namespace WasmJit.Agreement;

/// <summary>
/// The process that holds the native engine, which ends the process when it meets something it does not implement. Its
/// arguments are the suite's folder and scripts in it; those written FILE:N,N leave out the commands of these numbers.
/// Every line that it prints is a record: <c>at FILE N LINE</c> before a command, <c>differs FILE:LINE: WHAT</c>,
/// <c>skipped REASON</c>, <c>count WHAT N</c>, <c>done FILE</c>.
/// With the arguments <c>random GENERATOR SEED COUNT</c> it runs random modules instead, and prints <c>at SEED</c>,
/// <c>call OUTCOME</c> and <c>done SEED</c>. With <c>shared ORDER</c> both engines cause faults in it (<see cref="SharedProcess"/>),
/// with <c>plugin FILE</c> both run a plug-in (<see cref="PluginUse"/>).
/// </summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true, NewLine = "\n" };
        // The stack of the guests counts here, too.
        bool isRandom = arguments.FirstOrDefault() == "random";
        var thread = new Thread(
            () =>
            {
                if (arguments.FirstOrDefault() == "deaf") SharedProcess.RunDeaf(output);
                else if (arguments.FirstOrDefault() == "shared") SharedProcess.Run(arguments[1], output);
                else if (arguments.FirstOrDefault() == "plugin") PluginUse.Run(arguments[1], output);
                else if (isRandom) RunRandom(RandomPrograms.Generator(arguments[1]), int.Parse(arguments[2]), int.Parse(arguments[3]), output);
                else RunAll(arguments, output);
            }, 64 << 20);
        thread.Start();
        thread.Join();
        return 0;
    }

    private static void RunRandom(ModuleGenerator generator, int seed, int count, TextWriter output)
    {
        var programs = new WasmtimePrograms();
        for (int i = seed; i < seed + count; i++)
        {
            output.WriteLine($"at {i}");
            foreach (string line in programs.Run(generator.Make(i), i)) output.WriteLine($"call {line}");
            output.WriteLine($"done {i}");
        }
    }

    private static void RunAll(string[] arguments, TextWriter output)
    {
        string folder = arguments[0];
        foreach (string argument in arguments.Skip(1))
        {
            string[] parts = argument.Split(':');
            HashSet<int> leftOut = parts.Length == 1 ? [] : [.. parts[1].Split(',').Select(int.Parse)];
            string path = Path.Combine(folder, parts[0]);
            using var script = new WasmtimeScript(parts[0], SuiteBaseline.Of(path), output);
            script.Run(WastReader.Read(File.ReadAllBytes(path), path), leftOut);
            output.WriteLine($"done {parts[0]}");
        }
    }
}
