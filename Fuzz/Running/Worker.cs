using System.Globalization;

namespace WasmJit.Fuzz;

/// <summary>
/// The child process of a campaign. It reads orders, a line each, and answers in lines:
/// <c>range GENERATOR FROM COUNT</c>: <c>at SEED</c> before each module, <c>fail SEED KIND MODE WHAT</c> for those that fail,
/// <c>late COUNT MILLISECONDS</c> if calls went on after their time, <c>done</c> at the end; <c>module SEED ISPROGRAM BASE64</c>: <c>fail</c> or <c>done</c>.
/// </summary>
internal static class Worker
{
    /// <summary>The size of the stack on which modules are compiled and run: a main thread's.</summary>
    private const int StackSize = 8 << 20;

    /// <summary>Answers orders until the input ends.</summary>
    internal static void Serve(TextReader input, TextWriter output, IReadOnlyList<ModuleGenerator> generators, IReadOnlyList<Mode> modes, RunLimit limit)
    {
        var thread = new Thread(() => ServeHere(input, output, generators, modes, limit), StackSize);
        thread.Start();
        thread.Join();
    }

    private static void ServeHere(TextReader input, TextWriter output, IReadOnlyList<ModuleGenerator> generators, IReadOnlyList<Mode> modes, RunLimit limit)
    {
        var attack = new Attack(modes, limit);
        // The first module takes longer.
        foreach (ModuleGenerator generator in ModuleGenerator.All([]))
            for (int seed = 0; seed < 5; seed++) attack.Run(generator.Make(seed), seed, generator.MakesPrograms);
        attack.TakeLate();
        output.WriteLine("ready");
        output.Flush();
        while (input.ReadLine() is { } line)
        {
            string[] words = line.Split(' ');
            if (words[0] == "range")
            {
                ModuleGenerator generator = generators.First(g => g.Name == words[1]);
                int from = int.Parse(words[2], CultureInfo.InvariantCulture), count = int.Parse(words[3], CultureInfo.InvariantCulture);
                for (int seed = from; seed < from + count; seed++)
                {
                    output.WriteLine($"at {seed}");
                    output.Flush();
                    Report(output, seed, Try(attack, generator, seed));
                }
            }
            else
            {
                int seed = int.Parse(words[1], CultureInfo.InvariantCulture);
                Report(output, seed, attack.Run(Convert.FromBase64String(words[3]), seed, bool.Parse(words[2])));
            }
            LateRuns late = attack.TakeLate();
            if (late.Count > 0) output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"late {late.Count} {late.Most.TotalMilliseconds:0}"));
            output.WriteLine("done");
            output.Flush();
        }
    }

    private static Failure? Try(Attack attack, ModuleGenerator generator, int seed)
    {
        byte[] module;
        try
        {
            module = generator.Make(seed);
        }
        catch (Exception e)
        {
            return new Failure(FailureKind.Unmade, "-", $"{e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}");
        }
        return attack.Run(module, seed, generator.MakesPrograms);
    }

    private static void Report(TextWriter output, int seed, Failure? failure)
    {
        if (failure is not null) output.WriteLine($"fail {seed} {failure.Kind} {failure.Mode} {failure.What}");
    }
}
