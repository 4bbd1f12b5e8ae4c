using System.CommandLine;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Tiers;
using WasmJit.Text;

namespace WasmJit.Cli;

/// <summary><c>wasmjit disasm</c>: shows functions as text, IL and machine code.</summary>
internal static class DisasmCommand
{
    internal static Command Make(Terminal terminal)
    {
        Argument<string> file = ModuleFile.Argument();
        var function = new Argument<string>("FUNCTION")
        {
            Description = "A function's export, name or index. The default is all functions of the module.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var width = new Option<int?>("--width")
        {
            Description = "The width of the listing in columns. The default is that of the terminal.",
            HelpName = "COLUMNS",
        };
        var only = new Option<string>("--only") { Description = "Show only one of the listings.", HelpName = "wat|il|asm" };
        only.AcceptOnlyFromAmong("wat", "il", "asm");
        var command = new Command("disasm", "Shows the text, the IL and the machine code of functions.")
        {
            file, function, width, only,
        };
        Help.Describe(command, """
            The three listings stand side by side. Each WebAssembly instruction is on the line where its IL begins. The machine code
            is a listing of its own, since the JIT reorders. It is the code for this machine and the --memory-checks given.
            """);
        command.SetAction(parsed =>
        {
            var view = new View(parsed.GetValue(width) ?? terminal.Width, parsed.GetValue(only));
            return Run(terminal, parsed.GetValue(file)!, parsed.GetValue(function), view, EngineFlags.Options(parsed));
        });
        return command;
    }

    /// <summary>How to show a function.</summary>
    /// <param name="Width">Columns on a line.</param>
    /// <param name="Only">wat, il or asm; null for all of them.</param>
    private sealed record View(int Width, string? Only);

    private static int Run(Terminal terminal, string path, string? function, View view, EngineOptions options)
    {
        using var sizes = new MethodSizes();
        Module module = ModuleFile.Compile(ModuleFile.Read(path), options, terminal);
        List<(ModuleInfo Module, int Func)> chosen = function is null
            ? [.. module.Info.WithNested().SelectMany(m => Enumerable.Range(m.ImportedFuncs, m.Funcs.Count - m.ImportedFuncs).Select(f => (m, f)))]
            : [Find(module.Info, function)];
        if (chosen.Count == 0) throw new ToolException($"{path} defines no functions");
        bool first = true;
        foreach ((ModuleInfo info, int func) in chosen)
        {
            if (!first) terminal.Line();
            first = false;
            Show(terminal, FunctionCode.Of(info, module.Engine.CodeOptions), func, view, sizes);
        }
        GC.KeepAlive(module);
        return Tool.Success;
    }

    /// <summary>A function in its three forms. Of text and IL, what stands on a line belongs together.</summary>
    /// <param name="Head">What it is called, and its type.</param>
    /// <param name="Wat">The text, with a title.</param>
    /// <param name="Il">The IL, with a title.</param>
    /// <param name="Asm">The machine code, with a title.</param>
    internal sealed record Listing(string Head, List<string> Wat, List<string> Il, List<string> Asm);

    /// <summary>Compiles a function and lists it.</summary>
    /// <param name="code">The module's code.</param>
    /// <param name="func">The function.</param>
    /// <param name="only">wat, il or asm; null for all of them.</param>
    /// <param name="sizes">Tells the sizes of methods.</param>
    internal static Listing List(FunctionCode code, int func, string? only, MethodSizes sizes)
    {
        (string head, List<CodeLine> body) = WatPrinter.PrintFunc(code.Info, func);
        List<string> wat = ["WAT"], il = ["IL"];
        Align(body, only is null or "il" ? code.EmitIl(func).Listing() : [], only is null, wat, il);
        var asm = new List<string>();
        if (only is null or "asm")
        {
            nint address = code.Compile(func);
            int size = sizes.Wait(address, TimeSpan.FromSeconds(2));
            string form = code.FormOf(func).Describe();
            asm = [size > 0 ? $"machine code, {size} bytes{form}" : $"machine code{form}", .. MachineCode.Lines(address, size)];
        }
        return new Listing($"{head})  ;; function {func}{Place(code.Info)}", wat, il, asm);
    }

    private static void Show(Terminal terminal, FunctionCode code, int func, View view, MethodSizes sizes)
    {
        Listing listing = List(code, func, view.Only, sizes);
        terminal.Line(listing.Head, "bold");
        IReadOnlyList<string>[] columns = view.Only switch
        {
            "wat" => [listing.Wat],
            "il" => [listing.Il],
            "asm" => [listing.Asm],
            _ => [listing.Wat, listing.Il, listing.Asm],
        };
        foreach (string row in Columns.Rows(view.Width, columns)) terminal.Line(row);
    }

    /// <summary>Aligns the columns: a line of text stands where its IL begins.</summary>
    private static void Align(
        List<CodeLine> body, IEnumerable<(int Source, string Text)> listing, bool together, List<string> wat, List<string> il)
    {
        int next = 0;
        foreach ((int source, string text) in listing)
        {
            // Text without IL gets lines of its own.
            while (together && next < body.Count && body[next].Offset < source) AddText(body[next++], il);
            if (together && next < body.Count && body[next].Offset == source) AddText(body[next++], null);
            while (together && wat.Count <= il.Count) wat.Add("");
            il.Add(text);
        }
        while (next < body.Count) AddText(body[next++], together ? il : null);

        void AddText(CodeLine line, List<string>? beside)
        {
            wat.Add(new string(' ', Math.Min(2 * line.Depth, 24)) + line.Text);
            while (beside is not null && beside.Count < wat.Count) beside.Add("");
        }
    }

    private static string Place(ModuleInfo info) =>
        info.Parent is null ? "" : $" of the nested module{(info.Names.Module is { Length: > 0 } name ? $" ${name}" : "")} at 0x{info.Begin:x}";

    /// <summary>Finds a function by export, name or index; in nested modules by export or name.</summary>
    private static (ModuleInfo Module, int Func) Find(ModuleInfo module, string function)
    {
        foreach (ModuleInfo info in module.WithNested())
        {
            int found = -1;
            if (info.Exports.FirstOrDefault(e => e.Kind == ExternKind.Func && e.Name == function) is { } export) found = (int)export.Index;
            else if (info.Names.Funcs.FirstOrDefault(n => n.Value == function.TrimStart('$')) is { Value: not null } named) found = (int)named.Key;
            else if (info == module && int.TryParse(function, out int index)) found = index;
            if (found >= info.ImportedFuncs && found < info.Funcs.Count) return (info, found);
            if (found >= 0 && found < info.Funcs.Count && info.Nested.Count == 0)
                throw new ToolException($"function {function} is imported and has no code here");
        }
        throw new ToolException($"unknown function {function}: give an export, a name or an index");
    }
}
