using System.CommandLine;
using WasmJit.Text;

namespace WasmJit.Cli;

/// <summary><c>wasmjit wast</c>: runs scripts of the official test suite.</summary>
internal static class WastCommand
{
    internal static Command Make(Terminal terminal)
    {
        var files = new Argument<string[]>("FILE")
        {
            Description = "Scripts (.wast), or directories with scripts.",
            Arity = ArgumentArity.OneOrMore,
        };
        var saved = new Option<bool>("--saved")
        {
            Description = "Save each module as a .NET assembly, as \"compile\" does, and run that.",
        };
        var native = new Option<bool>("--native")
        {
            Description = "The same with machine code, as \"compile --native\" does. All scripts run twice, the first time to find their modules.",
        };
        // For work on the emitter: its verifying mode.
        var verify = new Option<bool>("--verify") { Description = "Make the code assert what it relies on.", Hidden = true };
        var command = new Command("wast", "Runs scripts of the official test suite (.wast).") { files, saved, native, verify, EngineFlags.Tier };
        Help.Describe(command, """
            Prints a line for each file, each failure as PATH:LINE: reason, and the sums. Commands on a module that exceeds a limit
            count as skipped. The exit code is 1 if anything failed.
            """);
        command.SetAction(parsed =>
        {
            EngineOptions options = EngineFlags.Options(parsed) with { Verify = parsed.GetValue(verify) };
            string[] scripts = parsed.GetValue(files)!;
            if (!parsed.GetValue(native)) return Run(terminal, scripts, options, parsed.GetValue(saved), null);
            using var modules = new NativeModules();
            foreach (string path in scripts.SelectMany(Expand)) WastRunner.Run(path, options, exchange: modules.Add);
            modules.Compile();
            return Run(terminal, scripts, options, saved: false, modules.Exchange);
        });
        return command;
    }

    private static int Run(Terminal terminal, string[] paths, EngineOptions options, bool saved, Func<Module, Module>? exchange)
    {
        long passed = 0, failed = 0, skipped = 0;
        var uncovered = new Dictionary<string, int>();
        foreach (string path in paths.SelectMany(Expand))
        {
            WastResult result = WastRunner.Run(path, options, saved, exchange);
            passed += result.Passed;
            failed += result.Failures.Count;
            skipped += result.Skipped;
            foreach ((string what, int count) in result.Uncovered) uncovered[what] = uncovered.GetValueOrDefault(what) + count;
            foreach (WastFailure failure in result.Failures) terminal.Line($"{path}:{failure.Line}: {failure.Reason}");
            terminal.Line(
                $"{path}: {result.Passed} passed, {result.Failures.Count} failed, {result.Skipped} skipped",
                result.Failures.Count > 0 ? "red" : result.Skipped > 0 ? "yellow" : "green");
        }
        foreach ((string what, int count) in uncovered.OrderByDescending(u => u.Value).ThenBy(u => u.Key, StringComparer.Ordinal))
            terminal.Line($"skipped, since no code can be made for {what}: {count}", "yellow");
        terminal.Line($"{passed} passed, {failed} failed, {skipped} skipped", "bold");
        return failed == 0 ? Tool.Success : Tool.Failure;
    }

    private static IEnumerable<string> Expand(string path)
    {
        if (Directory.Exists(path))
        {
            string[] scripts = [.. Directory.GetFiles(path, "*.wast").Order(StringComparer.Ordinal)];
            return scripts.Length > 0 ? scripts : throw new ToolException($"{path} contains no .wast files");
        }
        return File.Exists(path) ? [path] : throw new ToolException($"{path} does not exist");
    }
}
