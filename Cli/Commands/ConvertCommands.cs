using System.CommandLine;

namespace WasmJit.Cli;

/// <summary><c>wasmjit wat2wasm</c> and <c>wasmjit wasm2wat</c>.</summary>
internal static class ConvertCommands
{
    internal static Command MakeToBinary(Terminal terminal)
    {
        Argument<string> file = ModuleFile.Argument("A module or component in the text format; \"-\" is the standard input.");
        var output = Output("The binary's path; \"-\" is the standard output. The default is the FILE with the extension .wasm, for the standard input the standard output.");
        var noCheck = new Option<bool>("--no-check") { Description = "Do not validate the module." };
        var command = new Command("wat2wasm", "Encodes the text format into the binary format.") { file, output, noCheck };
        Help.Describe(command, """
            Ids become names in the name section, unless (@name "...") gives another name. (@custom "name" (before SECTION) "...") is a
            custom section, (@metadata.code.branch_hint "\00") before an if or br_if a branch hint; other annotations are comments.
            """);
        command.SetAction(parsed =>
        {
            string path = parsed.GetValue(file)!;
            ModuleBytes module = ModuleFile.Encode(path, ModuleFile.ReadBytes(path));
            ModuleException? error = null;
            if (!parsed.GetValue(noCheck) && module.IsComponent) error = ModuleFile.ComponentError(module.Bytes);
            else if (!parsed.GetValue(noCheck)) new Engine().Validate(module.Bytes, out error);
            if (error is not null) throw new ToolException($"{module.Describe(error)}; --no-check skips validation");
            string target = parsed.GetValue(output) ?? ModuleFile.DefaultTarget(path, ".wasm");
            terminal.WriteFile(target, module.Bytes);
            return Tool.Success;
        });
        return command;
    }

    internal static Command MakeToText(Terminal terminal)
    {
        Argument<string> file = ModuleFile.Argument("A module or component in the binary format; \"-\" is the standard input.");
        var output = Output("The text's path. The default is the standard output.");
        var most = new Option<long>("--max-length")
        {
            Description = "The most characters of the text. A few bytes can declare 50,000 locals.",
            HelpName = "CHARACTERS",
            DefaultValueFactory = _ => 1_000_000_000,
        };
        var command = new Command("wasm2wat", "Prints a module or component in the text format.") { file, output, most };
        Help.Describe(command, """
            Names come from the name section. wat2wasm makes the same module of the text again, and the same bytes if it made
            the binary.
            """);
        command.SetAction(parsed =>
        {
            string path = parsed.GetValue(file)!;
            ModuleBytes module = ModuleFile.ReadAny(path);
            string? target = parsed.GetValue(output) is { } name && name != "-" ? name : null;
            try
            {
                if (target is null) Wat.FromBinary(module.Bytes, terminal.Out, parsed.GetValue(most));
                else terminal.WriteFile(target, stream => Print(module, stream, parsed.GetValue(most)));
            }
            catch (ModuleException e)
            {
                throw new ToolException(module.Describe(e));
            }
            return Tool.Success;
        });
        return command;
    }

    private static void Print(ModuleBytes module, Stream to, long most)
    {
        using var text = new StreamWriter(to, leaveOpen: true);
        Wat.FromBinary(module.Bytes, text, most);
    }

    private static Option<string> Output(string description) =>
        new("--output", "-o") { Description = description, HelpName = "FILE" };
}
