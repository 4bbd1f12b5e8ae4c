using System.CommandLine;

namespace WasmJit.Cli;

/// <summary>Options that every command knows: how the engine works.</summary>
internal static class EngineFlags
{
    /// <summary><c>--memory-checks</c></summary>
    internal static Option<string> MemoryChecks { get; } = MakeMemoryChecks();

    private static Option<string> MakeMemoryChecks()
    {
        var option = new Option<string>("--memory-checks")
        {
            Description = "How accesses beyond a memory are found: \"guard\" leaves it to the processor where the platform "
                + "allows that (Linux on x64), \"explicit\" compiles a comparison into each access.",
            HelpName = "guard|explicit",
            DefaultValueFactory = _ => "guard",
            Recursive = true,
        };
        return option.AcceptOnlyFromAmong("guard", "explicit");
    }

    internal static EngineOptions Options(ParseResult parsed) => new()
    {
        MemoryChecks = parsed.GetValue(MemoryChecks) == "explicit" ? WasmJit.MemoryChecks.Explicit : WasmJit.MemoryChecks.Guard,
    };
}
