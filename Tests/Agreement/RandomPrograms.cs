using System.Globalization;
using System.Reflection;

namespace WasmJit.Agreement;

/// <summary>Runs random modules with every kind of code that this engine makes.</summary>
internal sealed class RandomPrograms
{
    private readonly (string Name, Engine Engine)[] engines =
    [
        ("guard", new Engine()),
        ("explicit", new Engine(new EngineOptions { MemoryChecks = MemoryChecks.Explicit })),
        ("no inlining", new Engine(new EngineOptions { Inlining = false })),
        ("interruptible, fuel", new Engine(new EngineOptions { Interruptible = true, CountFuel = true })),
    ];

    /// <summary>The calls that came out another way than expected; the first for each engine.</summary>
    /// <param name="seed">Of the module.</param>
    /// <param name="expected">What Wasmtime made of it.</param>
    internal IEnumerable<string> Differences(int seed, IReadOnlyList<string> expected)
    {
        var program = new RandomModule(seed);
        foreach ((string name, Engine engine) in engines)
        {
            List<string> actual = Run(program, engine, seed);
            int at = Enumerable.Range(0, actual.Count).FirstOrDefault(i => actual[i] != expected.ElementAtOrDefault(i), -1);
            if (at >= 0) yield return $"seed {seed}, {name}: {actual[at]} here, {expected.ElementAtOrDefault(at)} on Wasmtime";
        }
    }

    /// <summary>The calls that are made of a module's exports.</summary>
    internal static IEnumerable<(string Name, object[] Arguments, int Results)> CallsOf(RandomModule program, int seed)
    {
        var random = new Random(seed);
        foreach ((string name, ValType[] parameters, int results) in program.Exports)
            for (int i = 0; i < 3; i++)
                yield return (name, [.. parameters.Select(p => Argument(random, p))], results);
    }

    private static object Argument(Random random, ValType type) => type.Kind switch
    {
        ValKind.I32 => (object)(random.Next(3) == 0 ? random.Next(-5, 5) : random.Next(int.MinValue, int.MaxValue)),
        ValKind.I64 => random.Next(3) == 0 ? (long)random.Next(-5, 5) : random.NextInt64(long.MinValue, long.MaxValue),
        ValKind.F32 => (float)(random.NextDouble() * random.Next(-100, 100)),
        _ => random.NextDouble() * random.NextInt64(),
    };

    private static List<string> Run(RandomModule program, Engine engine, int seed)
    {
        Instance instance = engine.Compile(program.Bytes)
            .Instantiate(new Imports { { "helper", engine.CompileText(RandomModule.Helper).Instantiate() } });
        Global fuel = instance.GetExport<Global>("g0");
        Memory first = instance.GetExport<Memory>("m0"), second = instance.GetExport<Memory>("m1");
        var lines = new List<string>();
        foreach ((string name, object[] arguments, int results) in CallsOf(program, seed))
        {
            fuel.Value = 300;
            string outcome;
            try
            {
                object? result = instance.GetExport<Delegate>(name).DynamicInvoke(arguments);
                outcome = string.Join(' ', Values.Flatten(result, results).Select(Text));
            }
            catch (TargetInvocationException e)
            {
                outcome = e.InnerException switch
                {
                    TrapException trap => trap.Kind.ToString(),
                    WasmException => "exception",
                    var other => other!.ToString(),
                };
            }
            var state = Enumerable.Range(0, 5).Select(i => Text(instance.GetExport<Global>($"g{i}").Value));
            lines.Add($"{name}({string.Join(", ", arguments.Select(Text))}) = {outcome}, globals {string.Join(' ', state)}, memories "
                + $"{Hash(first.Span)} {Hash(second.Span)}");
        }
        return lines;
    }

    internal static string Text(object? value) => value switch
    {
        float f when float.IsNaN(f) => "nan",
        double d when double.IsNaN(d) => "nan",
        float f => f.ToString("R", CultureInfo.InvariantCulture),
        double d => d.ToString("R", CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    internal static ulong Hash(ReadOnlySpan<byte> bytes)
    {
        ulong hash = 14695981039346656037;
        foreach (ulong word in System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ulong>(bytes)) hash = (hash ^ word) * 1099511628211;
        return hash;
    }
}
