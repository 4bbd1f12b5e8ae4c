using WasmJit.Text;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Scripts of the official suite and broken modules on threads with 256 KB of stack: what fails here ends the process.</summary>
public sealed class SmallStackTests
{
    private const int Kilobytes = 256;

    private static void OnThread(Action action)
    {
        Exception? error = null;
        var thread = new Thread(() => error = Record.Exception(action), Kilobytes << 10);
        thread.Start();
        thread.Join();
        if (error is not null) throw new Xunit.Sdk.XunitException(error.ToString());
    }

    /// <summary>Those whose guests call deeply or pass much, or whose modules nest; the tool has run all.</summary>
    public static TheoryData<string, MemoryChecks> Files()
    {
        var data = new TheoryData<string, MemoryChecks>();
        string[] names =
        [
            "call.wast", "call_indirect.wast", "call_ref.wast", "fac.wast", "func.wast", "instance.wast", "labels.wast",
            "return_call.wast", "return_call_indirect.wast", "return_call_ref.wast", "skip-stack-guard-page.wast", "stack.wast",
            "simd_lane.wast", "simd_const.wast", "struct.wast", "table_grow.wast", "throw.wast", "throw_ref.wast", "try_table.wast",
            "type-rec.wast", "type-subtyping.wast", "unwind.wast",
        ];
        foreach (string name in names)
            if (Suite.Folder is null || File.Exists(Path.Combine(Suite.Folder, name)))
                foreach (MemoryChecks checks in Enum.GetValues<MemoryChecks>()) data.Add(name, checks);
        return data;
    }

    [SuiteTheory]
    [MemberData(nameof(Files))]
    public void ScriptsPass(string file, MemoryChecks checks) => OnThread(() =>
    {
        // Each tier with one kind of checks: both ways are run, and no script twice as often.
        EngineOptions tier = checks == MemoryChecks.Guard ? Tiers.Compiled : Tiers.Interpreted;
        WastResult result = WastRunner.Run(Path.Combine(Suite.Folder!, file), tier with { MemoryChecks = checks });
        Assert.Empty(result.Failures.Select(f => $"{file}:{f.Line}: {f.Reason}"));
    });

    [SuiteFact]
    public void BrokenModulesAreRefusedOrCompiled() => OnThread(() =>
    {
        string[] files = ["call_indirect.wast", "return_call_ref.wast", "try_table.wast", "simd_lane.wast", "type-rec.wast"];
        var fuzzer = new ModuleFuzzer(Tiers.Compiled);
        fuzzer.Mutate([.. files.SelectMany(f => ModuleFuzzer.ModulesOf(WastReader.Read(File.ReadAllBytes(Path.Combine(Suite.Folder!, f)), f)))], 2000, 7);
        Assert.Empty(fuzzer.Result.Escaped);
        Assert.InRange(fuzzer.Result.Valid, 1, fuzzer.Result.Tried - 1);
    });
}
