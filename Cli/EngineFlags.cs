using System.CommandLine;
using System.Globalization;

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
                + "allows it (Linux and Windows on x64, Linux on ARM64), \"explicit\" compiles a comparison into each access.",
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
            Description = "How functions run: \"tiered\", the default, interprets first and compiles hot functions; \"ahead\" compiles all before "
                + "the start, \"compiler\" each at its first call, \"interpreter\" none. tiered:SEED chooses at random what is compiled.",
            HelpName = "tiered|ahead|compiler|interpreter",
        };
        option.Validators.Add(result =>
        {
            if (result.GetValue(option) is { } value && !TryParseTier(value, out _, out _)) result.AddError($"--tier {value}: the value must be tiered, ahead, compiler, interpreter or tiered:SEED");
        });
        return option;
    }

    /// <summary><c>--background-threads</c>, for commands that run guests.</summary>
    internal static Option<int?> BackgroundThreads { get; } = MakeBackgroundThreads();

    private static Option<int?> MakeBackgroundThreads()
    {
        var option = new Option<int?>("--background-threads")
        {
            Description = "How many threads compile while the guest runs; with 0 the guest waits for what is compiled. The default is all "
                + "processors but one, four at most.",
            HelpName = "NUMBER",
            CustomParser = result =>
            {
                string text = result.Tokens.Count > 0 ? result.Tokens[0].Value : "";
                if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)) return number;
                result.AddError($"--background-threads {text}: the value must be a number");
                return null;
            },
        };
        return option;
    }

    private static bool TryParseTier(string value, out Compilation compilation, out int? seed)
    {
        seed = null;
        compilation = value switch
        {
            "ahead" => Compilation.Ahead,
            "compiler" => Compilation.Lazy,
            "interpreter" => Compilation.Interpreted,
            _ => Compilation.Tiered,
        };
        if (value is "ahead" or "compiler" or "interpreter" or "tiered") return true;
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
        if (parsed.CommandResult.Command.Options.Contains(BackgroundThreads) && parsed.GetValue(BackgroundThreads) is { } threads)
            options = options with { BackgroundThreads = threads };
        return options;
    }
}
