using System.CommandLine;
using WasmJit.Jit;
using WasmJit.Text;

namespace WasmJit.Cli;

/// <summary><c>wasmjit disasm</c>: what becomes of a function on its way to machine code.</summary>
internal static class DisasmCommand
{
    internal static Command Make(Terminal terminal)
    {
        Argument<string> file = ModuleFile.Argument();
        var function = new Argument<string>("FUNCTION")
        {
            Description = "A function by its export, its name or its index; without it all functions of the module.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var width = new Option<int?>("--width") { Description = "The width of the listing in columns; that of the terminal if left out.", HelpName = "COLUMNS" };
        var only = new Option<string>("--only") { Description = "Show one of the listings alone.", HelpName = "wat|il|asm" };
        only.AcceptOnlyFromAmong("wat", "il", "asm");
        var command = new Command("disasm", "Shows the WebAssembly text, the IL and the machine code of functions side by side.") { file, function, width, only };
        Help.Describe(command, """
            The three columns are independent listings from top to bottom. The machine code is what runs on this machine with
            the --memory-checks given; jump targets within a function are labels.
            """);
        command.SetAction(parsed => Run(
            terminal, parsed.GetValue(file)!, parsed.GetValue(function), parsed.GetValue(width) ?? terminal.Width, parsed.GetValue(only), EngineFlags.Options(parsed)));
        return command;
    }

    private static int Run(Terminal terminal, string path, string? function, int width, string? only, EngineOptions options)
    {
        using var sizes = new MethodSizes();
        Module module = ModuleFile.Load(path, options);
        ModuleInfo info = module.Info;
        if (info.Funcs.Count == info.ImportedFuncs) throw new ToolException($"{path} defines no functions");
        IEnumerable<int> chosen = function is null
            ? Enumerable.Range(info.ImportedFuncs, info.Funcs.Count - info.ImportedFuncs)
            : [Find(info, function)];
        bool first = true;
        foreach (int func in chosen)
        {
            if (!first) terminal.Line();
            first = false;
            Show(terminal, module, func, width, only, sizes);
        }
        GC.KeepAlive(module);
        return Tool.Success;
    }

    private static void Show(Terminal terminal, Module module, int func, int width, string? only, MethodSizes sizes)
    {
        (string head, List<CodeLine> body) = WatPrinter.PrintFunc(module.Info, func);
        List<string> wat = ["WAT", .. body.Select(l => new string(' ', Math.Min(2 * l.Depth, 24)) + l.Text)];
        List<string> il = ["IL", .. module.Code.EmitIl(func).Listing().TrimEnd('\n').Split('\n')];
        var asm = new List<string>();
        if (only is null or "asm")
        {
            nint address = module.Code.Compile(func);
            int size = sizes.Wait(address, TimeSpan.FromSeconds(2));
            asm = [size > 0 ? $"machine code, {size} bytes" : "machine code", .. MachineCode.Lines(address, size)];
        }
        terminal.Line($"{head})  ;; function {func}", "bold");
        IReadOnlyList<string>[] columns = only switch
        {
            "wat" => [wat],
            "il" => [il],
            "asm" => [asm],
            _ => [wat, il, asm],
        };
        foreach (string row in Columns.Rows(width, columns)) terminal.Line(row);
    }

    private static int Find(ModuleInfo info, string function)
    {
        int found = -1;
        if (info.Exports.Find(e => e.Kind == ExternKind.Func && e.Name == function) is { } export) found = (int)export.Index;
        else if (info.Names.Funcs.FirstOrDefault(n => n.Value == function.TrimStart('$')) is { Value: not null } named) found = (int)named.Key;
        else if (int.TryParse(function, out int index) && index >= 0 && index < info.Funcs.Count) found = index;
        if (found < 0)
            throw new ToolException($"there is no function {function}: give an export, a name of the names section, or an index below {info.Funcs.Count}");
        return found >= info.ImportedFuncs ? found : throw new ToolException($"function {function} is imported: it has no code here");
    }
}
