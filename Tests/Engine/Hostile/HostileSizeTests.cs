using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// Modules that are large in one respect alone neither hang nor take memory out of proportion to their bytes. What they come to
/// at full size, with times, is <c>Perf hostile</c>.
/// </summary>
[Collection("JIT events")]
public sealed class HostileSizeTests
{
    /// <summary>A tenth of what the names say.</summary>
    private const int Million = 100_000;

    public static TheoryData<string> Names => [.. HostileModules.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void EndsSoon(string name)
    {
        byte[] bytes = HostileModules.All[name](Million);
        long allocated = 0;
        string outcome = "nothing";
        var thread = new Thread(() =>
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            outcome = Run(bytes);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        })
        { IsBackground = true };
        thread.Start();
        // What would be quadratic takes many minutes.
        Assert.True(thread.Join(TimeSpan.FromMinutes(4)), "it hangs");
        string expected = name switch
        {
            "a hundred thousand super types" => "more than 63 super types above a type",
            "a hundred thousand parameters" => "more than 1,000 parameters",
            "tables of four thousand million elements" => "larger than the 10000000 supported",
            "type error above a million operands" => "type mismatch: block requires [] but stack has [... i32",
            "a million imports" => "unknown import: \"m\" \"0\"",
            "branches with a thousand results" => "instructions of IL",
            "a hundred thousand memories" => "out of memory",
            _ => "42",
        };
        Assert.Contains(expected, outcome, StringComparison.Ordinal);
        Assert.True(outcome.Length < 300, outcome);
        // The limit of IL is reached from few bytes.
        Assert.InRange(allocated, 0, name == "branches with a thousand results" ? 1 << 29 : (200L * bytes.Length) + (32 << 20));
    }

    /// <summary>The JIT would take seconds for some of them, on the guest's thread. None needs it.</summary>
    [Theory]
    [InlineData("a function of 5 MB")]
    [InlineData("a function of 5 MB with control flow")]
    [InlineData("a function of 5 MB of calls")]
    [InlineData("a hundred thousand calls and a tail call")]
    [InlineData("br_table with a million targets")]
    [InlineData("br_table with a million targets and a hundred results")]
    [InlineData("fifty thousand locals")]
    [InlineData("fifty thousand declarations of locals")]
    [InlineData("a hundred thousand blocks in each other")]
    [InlineData("a hundred thousand loops in each other")]
    [InlineData("a hundred thousand ifs in each other")]
    [InlineData("branches out of a hundred thousand blocks")]
    [InlineData("blocks with a thousand parameters")]
    [InlineData("an operand stack of a million")]
    [InlineData("blocks and writes above a million operands")]
    [InlineData("a million pending reads, each local written")]
    [InlineData("a sum of a million in one expression")]
    [InlineData("a hundred thousand loads in one expression")]
    [InlineData("a function with a thousand parameters")]
    [InlineData("a function with a thousand results")]
    [InlineData("branches with a thousand results")]
    public void IsInterpretedAtFirst(string name)
    {
        Module module = new Engine(Tiers.Interpreted).Compile(HostileModules.All[name](Million));
        Assert.Equal(42, module.Instantiate().GetExport<Func<int>>("run")());
        Assert.False(module.Code.IsCompiled(0));
    }

    private static string Run(byte[] bytes)
    {
        try
        {
            Instance instance = new Engine(Tiers.Compiled).Compile(bytes).Instantiate();
            return instance.TryGetExport("run", out Func<int>? run) ? $"{run()}" : "42";
        }
        catch (Exception e) when (e is ModuleException or LinkException)
        {
            return e.Message;
        }
    }
}
