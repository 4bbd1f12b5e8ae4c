using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using WasmJit.Fuzz;
using WasmJit.Text;

namespace WasmJit.Cli;

/// <summary><c>wasmjit fuzz</c>: runs random and broken modules. It is for people who work on the engine.</summary>
internal static class FuzzCommand
{
    private static readonly Argument<string[]> Files = new("FILE")
    {
        Description = "Modules and scripts (.wast) to make broken modules of.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<bool> RunOption = new("--run")
    {
        Description = "Make random modules, run them in child processes in all modes, and keep those that fail, until Ctrl-C.",
    };

    private static readonly Option<string[]> Generators = new("--generators")
    {
        Description = "The generators: numbers, references, linking (references to memories, instances and the like), bytes "
            + "(truncated and changed modules, of the other generators or of the FILEs). The default is all.",
        HelpName = "NAME,...",
        CustomParser = result => result.Tokens.SelectMany(t => t.Value.Split(',')).ToArray(),
    };

    private static readonly Option<string[]> Modes = new("--modes")
    {
        Description = $"How modules are compiled: {string.Join(", ", Mode.All.Select(m => m.Name))}. Programs must behave the same in all of them.",
        HelpName = "NAME,...",
        CustomParser = result => result.Tokens.SelectMany(t => t.Value.Split(',')).ToArray(),
    };

    private static readonly Option<int> Seed = new("--seed") { Description = "The number of the first module.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int?> Count = new("--count") { Description = "The number of modules of each generator." };
    private static readonly Option<double?> Seconds = new("--seconds") { Description = "How long to run." };
    private static readonly Option<double> Timeout = new("--timeout")
    {
        Description = "The most seconds for compiling, linking and calling a module in each mode. A module fails if it ends "
            + "more than 0.1 s later.",
        DefaultValueFactory = _ => RunLimit.Usual.Time.TotalSeconds,
    };

    private static readonly Option<long> Fuel = new("--fuel")
    {
        Description = "The fuel of a call, in modes that count.",
        DefaultValueFactory = _ => RunLimit.Usual.Fuel,
    };

    private static readonly Option<string> Output = new("--out")
    {
        Description = "Where failing modules are kept, whole and shrunk.",
        HelpName = "DIRECTORY",
        DefaultValueFactory = _ => "fuzz-failures",
    };

    private static readonly Option<bool> Worker = new("--worker") { Hidden = true };
    private static readonly Option<string?> Dump = new("--dump") { Hidden = true };
    private static readonly Option<int> Mutations = new("--mutations") { Description = "Without --run: the number of modules with changed bytes.", DefaultValueFactory = _ => 100_000 };
    private static readonly Option<int> Step = new("--step") { Description = "Without --run: truncate modules at every STEP-th byte.", DefaultValueFactory = _ => 1 };

    internal static Command Make(Terminal terminal)
    {
        var command = new Command("fuzz", "Runs random and broken modules, and keeps those that fail.")
        {
            Files, RunOption, Generators, Modes, Seed, Count, Seconds, Timeout, Fuel, Output, Mutations, Step, Worker, Dump,
        };
        command.SetAction(parsed => Invoke(terminal, parsed));
        return command;
    }

    private static int Invoke(Terminal terminal, ParseResult parsed)
    {
        string[] files = parsed.GetValue(Files) ?? [];
        if (parsed.GetValue(Worker))
        {
            CampaignPlan child = Plan(parsed, files);
            WasmJit.Fuzz.Worker.Serve(Console.In, Console.Out, child.Generators, child.Modes, child.Limit);
            return Tool.Success;
        }
        if (parsed.GetValue(Dump) is { } path)
        {
            File.WriteAllBytes(path, Plan(parsed, files).Generators[0].Make(parsed.GetValue(Seed)));
            return Tool.Success;
        }
        if (parsed.GetValue(RunOption)) return Attack(terminal, parsed, files);
        if (files.Length == 0) throw new ToolException("wasmjit fuzz needs --run or a FILE", "wasmjit fuzz --help");
        return Break(terminal, files, parsed.GetValue(Mutations), parsed.GetValue(Seed), parsed.GetValue(Step), EngineFlags.Options(parsed));
    }

    // ---- random modules ----

    private static CampaignPlan Plan(ParseResult parsed, string[] files)
    {
        IReadOnlyList<ModuleGenerator> generators = ModuleGenerator.All([.. files.SelectMany(ModulesOf)]);
        string[] wanted = parsed.GetValue(Generators) is { Length: > 0 } names ? names : [.. generators.Select(g => g.Name)];
        string[] modes = parsed.GetValue(Modes) is { Length: > 0 } given ? given : [.. Mode.All.Select(m => m.Name)];
        return new CampaignPlan
        {
            Generators = [.. wanted.Select(n => generators.FirstOrDefault(g => g.Name == n) ?? throw Unknown("generator", n, generators.Select(g => g.Name)))],
            Modes = [.. modes.Select(n => Mode.Find(n) ?? throw Unknown("mode", n, Mode.All.Select(m => m.Name)))],
            Seed = parsed.GetValue(Seed),
            Count = parsed.GetValue(Count),
            Duration = parsed.GetValue(Seconds) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            Limit = new RunLimit(TimeSpan.FromSeconds(parsed.GetValue(Timeout)), parsed.GetValue(Fuel)),
            Output = parsed.GetValue(Output)!,
        };
    }

    private static ToolException Unknown(string what, string name, IEnumerable<string> known) =>
        new($"there is no {what} \"{name}\"", $"there are {string.Join(", ", known)}");

    private static int Attack(Terminal terminal, ParseResult parsed, string[] files)
    {
        CampaignPlan plan = Plan(parsed, files);
        using var stop = new CancellationTokenSource();
        void OnCancel(object? sender, ConsoleCancelEventArgs e)
        {
            // A second Ctrl-C ends the process.
            if (stop.IsCancellationRequested) return;
            e.Cancel = true;
            stop.Cancel();
        }
        Console.CancelKeyPress += OnCancel;
        var campaign = new Campaign(plan, () => Child(plan, files), line => terminal.Line(line, "red"));
        try
        {
            campaign.Run(stop.Token);
        }
        finally
        {
            Console.CancelKeyPress -= OnCancel;
        }
        terminal.Line(string.Create(CultureInfo.InvariantCulture, $"{campaign.Modules} modules, {plan.Modes.Count} modes, {campaign.Failures} failures, {campaign.Late}"));
        return campaign.Failures == 0 ? Tool.Success : Tool.Failure;
    }

    /// <summary>Starts this tool as a child process that runs modules.</summary>
    private static ProcessStartInfo Child(CampaignPlan plan, string[] files)
    {
        string own = typeof(FuzzCommand).Assembly.Location;
        bool isHost = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == Path.GetFileNameWithoutExtension(own) || own.Length == 0;
        var info = new ProcessStartInfo(isHost ? Environment.ProcessPath! : "dotnet");
        if (!isHost) info.ArgumentList.Add(own);
        string[] arguments =
        [
            "fuzz", "--worker",
            "--generators", string.Join(',', plan.Generators.Select(g => g.Name)), "--modes", string.Join(',', plan.Modes.Select(m => m.Name)),
            "--timeout", plan.Limit.Time.TotalSeconds.ToString(CultureInfo.InvariantCulture), "--fuel", plan.Limit.Fuel.ToString(CultureInfo.InvariantCulture),
            .. files,
        ];
        foreach (string argument in arguments) info.ArgumentList.Add(argument);
        return info;
    }

    private static IEnumerable<byte[]> ModulesOf(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        return path.EndsWith(".wast", StringComparison.Ordinal) ? ModuleFuzzer.ModulesOf(WastReader.Read(bytes, path)) : [ModuleFile.Read(path).Bytes];
    }

    // ---- broken modules ----

    private static int Break(Terminal terminal, string[] paths, int mutations, int seed, int step, EngineOptions options)
    {
        byte[][] modules = [.. paths.SelectMany(ModulesOf)];
        var fuzzer = new ModuleFuzzer(options);
        Parallel.ForEach(modules, m => fuzzer.Truncate(m, step));
        FuzzResult cut = fuzzer.Result;
        terminal.Line($"{modules.Length} modules, {cut.Tried} truncations: {cut.Valid} valid, {cut.Escaped.Count} escaped");
        const int Batch = 1000;
        Parallel.For(0, (mutations + Batch - 1) / Batch, i => fuzzer.Mutate(modules, Math.Min(Batch, mutations - (i * Batch)), seed + i));
        FuzzResult all = fuzzer.Result;
        terminal.Line($"{all.Tried - cut.Tried} mutations: {all.Valid - cut.Valid} valid, {all.Escaped.Count - cut.Escaped.Count} escaped");
        foreach (string what in all.Escaped) terminal.Line(what, "red");
        return all.Escaped.Count == 0 ? Tool.Success : Tool.Failure;
    }
}
