using System.CommandLine;
using WasmJit.Jit.Binary;

namespace WasmJit.Cli;

/// <summary><c>wasmjit validate</c>: validates modules.</summary>
internal static class ValidateCommand
{
    internal static Command Make(Terminal terminal)
    {
        var files = new Argument<string[]>("FILE") { Description = "Modules and components, .wasm or .wat, or .dll that were saved; \"-\" is the standard input.", Arity = ArgumentArity.OneOrMore };
        var command = new Command("validate", "Validates modules and components without running them.") { files };
        Help.Describe(command, """
            Prints a line for each file: "valid", or the reason with the byte offset and the function. Custom sections cannot make a
            module invalid; errors in names and branch hints have lines of their own. The exit code is 1 if any file is not valid.
            """);
        command.SetAction(parsed => Run(terminal, parsed.GetValue(files)!, new Engine(EngineFlags.Options(parsed))));
        return command;
    }

    private static int Run(Terminal terminal, string[] paths, Engine engine)
    {
        bool all = true;
        foreach (string path in paths)
        {
            string? problem = Check(path, engine, terminal, out IReadOnlyList<CustomProblem> custom);
            all &= problem is null;
            terminal.Line(problem ?? $"{path}: valid", problem is null ? "green" : "red");
            foreach (CustomProblem note in custom) terminal.Line($"{path}: ignored: {note.Reason} (at byte 0x{note.Offset:x})", "yellow");
        }
        return all ? Tool.Success : Tool.Failure;
    }

    private static string? Check(string path, Engine engine, Terminal terminal, out IReadOnlyList<CustomProblem> custom)
    {
        custom = [];
        try
        {
            ModuleBytes module = ModuleFile.ReadAny(path);
            ModuleException? error = null;
            ModuleInfo? info = null;
            if (module.IsComponent)
            {
                error = terminal.Progress($"validating {path}", () => ModuleFile.ComponentError(module.Bytes));
                return error is null ? null : module.Describe(error);
            }
            if (terminal.Progress($"validating {path}", () => engine.ValidateOwned(module.Bytes, out error, out info)))
            {
                custom = info!.CustomProblems;
                return null;
            }
            return module.Describe(error!);
        }
        catch (ToolException e)
        {
            return e.Message;
        }
    }
}
