using System.CommandLine;
using WasmJit.Components;

namespace WasmJit.Cli;

/// <summary><c>wasmjit compose</c>: one component of several.</summary>
internal static class ComposeCommand
{
    internal static Command Make(Terminal terminal)
    {
        Argument<string> file = ModuleFile.Argument("The component whose imports are plugged.");
        var with = new Option<string[]>("--with")
        {
            Description = "A component whose exports plug the imports; may be repeated: each plugs what those before it have left, or import themselves.",
            HelpName = "FILE",
            Required = true,
        };
        var output = new Option<string>("--output", "-o") { Description = "The new component; \"-\" is the standard output.", HelpName = "FILE", Required = true };
        var command = new Command("compose", "Makes one component of several: plugs what one imports by what others export.") { file, with, output };
        Help.Describe(command, """
            The new component has the others in it. It imports what is left, and exports what the FILE exports:
              wasmjit compose app.wasm --with database.wasm --with cache.wasm -o all.wasm
            An interface of a compatible version stands for another, 0.2.3 for 0.2.0. Types that do not match are an error, which says where.
            """);
        command.SetAction(parsed =>
        {
            string path = parsed.GetValue(file)!;
            byte[] made = Component(path);
            foreach (string plug in parsed.GetValue(with)!)
            {
                byte[] bytes = Component(plug);
                try
                {
                    made = ComponentComposer.Plug(made, bytes);
                }
                catch (LinkException e)
                {
                    throw new ToolException($"{plug} exports nothing that {path} imports", e.Message);
                }
                catch (ModuleException e)
                {
                    throw new ToolException($"{path} with {plug}: {e.Reason}");
                }
            }
            terminal.WriteFile(parsed.GetValue(output)!, made);
            return Tool.Success;
        });
        return command;
    }

    private static byte[] Component(string path)
    {
        ModuleBytes read = ModuleFile.ReadAny(path);
        if (!read.IsComponent) throw new ToolException($"{path} is a module, not a component", "jco new or wasm-tools component new make a component of a module");
        return ModuleFile.ComponentError(read.Bytes) is { } error ? throw new ToolException(read.Describe(error)) : read.Bytes;
    }
}
