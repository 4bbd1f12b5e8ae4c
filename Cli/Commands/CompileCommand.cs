using System.CommandLine;
using WasmJit.Components;
using WasmJit.Linking;

namespace WasmJit.Cli;

/// <summary><c>wasmjit compile</c>: saves a module with its code as a .NET assembly.</summary>
internal static class CompileCommand
{
    internal static Command Make(Terminal terminal)
    {
        Argument<string> file = ModuleFile.Argument();
        var output = new Option<string>("--output", "-o")
        {
            Description = "The assembly's path; \"-\" is the standard output. The default is the FILE with the extension .dll, of a component .saved, for the standard input the standard output.",
            HelpName = "FILE",
        };
        var interruptible = new Option<bool>("--interruptible")
        {
            Description = "Loops check whether to stop, for run --timeout and cancellation tokens.",
        };
        var fuel = new Option<bool>("--count-fuel") { Description = "Functions and loops count their instructions, for run --fuel." };
        var native = new Option<bool>("--native") { Description = "Machine code too, made by .NET's compiler crossgen2: running it needs no JIT." };
        var crossgen = new Option<string?>("--crossgen") { Description = "Where that compiler is; by default among NuGet's packages.", HelpName = "DIR" };
        var name = new Option<string?>("--assembly-name") { Description = "The assembly's name. The default is the module's.", HelpName = "NAME" };
        var command = new Command("compile", "Saves a module with its code as a .NET assembly.") { file, output, native, crossgen, name, interruptible, fuel };
        Help.Describe(command, """
            "wasmjit run FILE.dll" runs it, and Engine.LoadSaved loads it (LoadSavedComponent a component, which is not an assembly, but contains some), without compiling anything. It works with this build of
            the tool and this kind of machine only. It is code like any other program: do not run it if you do not trust its source.
            """);
        command.SetAction(parsed =>
        {
            string path = parsed.GetValue(file)!;
            ModuleBytes source = ModuleFile.ReadAny(path);
            string target = parsed.GetValue(output) ?? ModuleFile.DefaultTarget(path, source.IsComponent ? ".saved" : ".dll");
            terminal.CheckTarget(target);
            EngineOptions options = EngineFlags.Options(parsed) with
            {
                Interruptible = parsed.GetValue(interruptible),
                CountFuel = parsed.GetValue(fuel),
            };
            if (source.IsComponent)
            {
                if (parsed.GetValue(native)) throw new ToolException($"{path} is a component: --native works with modules alone");
                WasmComponent component = ModuleFile.CompileComponent(source, options, terminal);
                Save(terminal, target, component.Save, component.Save);
            }
            else
            {
                Module module = ModuleFile.Compile(source, options, terminal);
                byte[] Make()
                {
                    byte[] saved = SavedModules.Write(module, parsed.GetValue(native), parsed.GetValue(name));
                    return parsed.GetValue(native) ? AheadCompiler.Compile(saved, parsed.GetValue(crossgen)) : saved;
                }

                Save(terminal, target, to => terminal.WriteFile(to, Make()), to => to.Write(Make()));
            }
            return Tool.Success;
        });
        return command;
    }

    private static void Save(Terminal terminal, string target, Action<string> toFile, Action<Stream> toStream)
    {
        if (target == "-")
        {
            terminal.WriteBinary(toStream);
            return;
        }
        terminal.Progress($"saving {target}", () =>
        {
            toFile(target);
            return true;
        });
    }
}
