using System.CommandLine;

namespace WasmJit.Cli;

/// <summary>Engine options of the commands.</summary>
internal static class EngineFlags
{
    /// <summary><c>--memory-checks</c></summary>
    internal static Option<string> MemoryChecks { get; } = MakeMemoryChecks();

    private static Option<string> MakeMemoryChecks()
    {
        var option = new Option<string>("--memory-checks")
        {
            Description = "How out-of-bounds accesses are detected: \"guard\" uses the processor's page protection where the platform "
                + "allows it (Linux on x64), \"explicit\" compiles a comparison into each access.",
            HelpName = "guard|explicit",
            DefaultValueFactory = _ => "guard",
            Recursive = true,
        };
        return option.AcceptOnlyFromAmong("guard", "explicit");
    }

    /// <summary><c>--tier</c>, for commands that run guests.</summary>
    internal static Option<string?> Tier { get; } = MakeTier();

    private static Option<string?> MakeTier()
    {
        var option = new Option<string?>("--tier")
        {
            Description = "How functions run: \"compiler\" compiles each at its first call, \"interpreter\" interprets, \"tiered\" "
                + "interprets first and compiles hot functions. tiered:SEED chooses them at random.",
            HelpName = "compiler|interpreter|tiered[:SEED]",
        };
        option.Validators.Add(result =>
        {
            if (result.GetValue(option) is { } value && !TryParseTier(value, out _, out _)) result.AddError($"--tier {value}: the value must be compiler, interpreter, tiered or tiered:SEED");
        });
        return option;
    }

    private static bool TryParseTier(string value, out Compilation compilation, out int? seed)
    {
        seed = null;
        compilation = value switch
        {
            "compiler" => Compilation.Lazy,
            "interpreter" => Compilation.Interpreted,
            _ => Compilation.Tiered,
        };
        if (value is "compiler" or "interpreter" or "tiered") return true;
        if (!value.StartsWith("tiered:", StringComparison.Ordinal) || !int.TryParse(value.AsSpan(7), out int number)) return false;
        seed = number;
        return true;
    }

    internal static EngineOptions Options(ParseResult parsed)
    {
        var options = new EngineOptions
        {
            MemoryChecks = parsed.GetValue(MemoryChecks) == "explicit" ? WasmJit.MemoryChecks.Explicit : WasmJit.MemoryChecks.Guard,
        };
        if (parsed.CommandResult.Command.Options.Contains(Tier) && parsed.GetValue(Tier) is { } tier && TryParseTier(tier, out Compilation compilation, out int? seed))
            options = options with { Compilation = compilation, TierSeed = seed };
        return options;
    }
}
