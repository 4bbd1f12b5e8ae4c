using System.Diagnostics;
using WasmJit.Fuzz;
using Xunit;
using Xunit.Abstractions;

namespace WasmJit.Agreement;

/// <summary>
/// Random modules do here what they do on Wasmtime. WASMJIT_RANDOM_SEED and WASMJIT_RANDOM_COUNT choose others than the few
/// hundred that every run of the tests looks at, WASMJIT_RANDOM_MODES some kinds of code by their names: nearly all of the time is RyuJIT's.
/// </summary>
public sealed class RandomProgramTests(ITestOutputHelper log)
{
    private static int Setting(string name, int usual) =>
        Environment.GetEnvironmentVariable(name) is { } text ? int.Parse(text) : usual;

    [Theory]
    [InlineData("numbers", 250)]
    [InlineData("references", 250)]
    public void DoWhatTheyDoOnWasmtime(string generator, int usual)
    {
        int seed = Setting("WASMJIT_RANDOM_SEED", 1), count = Setting("WASMJIT_RANDOM_COUNT", usual);
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        foreach (string argument in new[] { typeof(Program).Assembly.Location, "random", generator, $"{seed}", $"{count}" }) start.ArgumentList.Add(argument);
        using Process child = Process.Start(start)!;
        string? modes = Environment.GetEnvironmentVariable("WASMJIT_RANDOM_MODES");
        var programs = new RandomPrograms(RandomPrograms.Generator(generator), modes is null ? Mode.All : [.. modes.Split(',').Select(m => Mode.Find(m) ?? throw new ArgumentException($"There is no mode \"{m}\"."))]);
        var differences = new List<string>();
        var outcomes = new List<string>();
        int calls = 0, modules = 0;
        while (child.StandardOutput.ReadLine() is { } line)
        {
            if (line.StartsWith("call ")) outcomes.Add(line[5..]);
            if (!line.StartsWith("done ")) continue;
            differences.AddRange(programs.Differences(int.Parse(line.AsSpan(5)), outcomes));
            calls += outcomes.Count;
            modules++;
            outcomes.Clear();
        }
        child.WaitForExit();
        log.WriteLine($"{modules} modules, {calls} calls, {differences.Count} differences");
        foreach (string difference in differences) log.WriteLine(difference);
        Assert.Equal(count, modules);
        Assert.Empty(differences);
    }
}
