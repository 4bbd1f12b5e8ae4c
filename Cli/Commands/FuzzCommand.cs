using System.CommandLine;
using WasmJit.Text;

namespace WasmJit.Cli;

/// <summary><c>wasmjit fuzz</c>: broken modules, made of those in scripts. For people who work on the engine.</summary>
internal static class FuzzCommand
{
    internal static Command Make(Terminal terminal)
    {
        var files = new Argument<string[]>("FILE") { Description = "Scripts (.wast).", Arity = ArgumentArity.OneOrMore };
        var mutations = new Option<int>("--mutations") { Description = "How many modules with changed bytes to try.", DefaultValueFactory = _ => 100_000 };
        var seed = new Option<int>("--seed") { Description = "Where the changes begin.", DefaultValueFactory = _ => 1 };
        var step = new Option<int>("--step") { Description = "Cut modules off at every STEP-th byte.", DefaultValueFactory = _ => 1 };
        var command = new Command("fuzz", "Cuts modules off and changes their bytes; each must be refused or be valid.") { files, mutations, seed, step };
        command.Hidden = true;
        command.SetAction(parsed => Run(
            terminal, parsed.GetValue(files)!, parsed.GetValue(mutations), parsed.GetValue(seed), parsed.GetValue(step), EngineFlags.Options(parsed)));
        return command;
    }

    private static int Run(Terminal terminal, string[] paths, int mutations, int seed, int step, EngineOptions options)
    {
        byte[][] modules = [.. paths.SelectMany(p => ModuleFuzzer.ModulesOf(WastReader.Read(File.ReadAllBytes(p), p)))];
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
