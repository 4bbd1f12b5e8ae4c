using System.CommandLine;
using WasmJit.Jit;
using WasmJit.Text;

namespace WasmJit.Cli;

/// <summary><c>wasmjit inspect</c>: what a module is made of, without running it.</summary>
internal static class InspectCommand
{
    internal static Command Make(Terminal terminal)
    {
        Argument<string> file = ModuleFile.Argument();
        var command = new Command("inspect", "Shows what a module needs, what it offers and what it is made of.") { file };
        Help.Describe(command, """
            Types, imports and exports are in the syntax of the text format, in the module's order.
            """);
        command.SetAction(parsed => Run(terminal, parsed.GetValue(file)!));
        return command;
    }

    private static int Run(Terminal terminal, string path)
    {
        byte[] bytes = ModuleFile.Read(path);
        ModuleInfo info;
        try
        {
            info = ModuleDecoder.Decode(bytes);
            ModuleValidator.Validate(info);
        }
        catch (ModuleException e)
        {
            throw new ToolException($"{path}: {ModuleFile.Kind(e)}{e.Message}");
        }
        terminal.Line($"{path}: {bytes.Length:N0} bytes{(info.Names.Module is { } name ? $", module ${name}" : "")}", "bold");
        if (info.Unsupported is { } what) terminal.Line($"valid, but not supported by this version: {what}", "yellow");
        Section(terminal, "types", info.Types.Select((t, i) => $"{i}: {Header(t)}{t}"));
        Section(terminal, "imports", info.Imports.Select(i => $"{WatPrinter.Quote(i.Module)} {WatPrinter.Quote(i.Name)} {i.Type}"));
        Section(terminal, "exports", info.Exports.Select(e => $"{WatPrinter.Quote(e.Name)} {info.TypeOf(e.Kind, e.Index)}"));
        Section(terminal, "contents", Contents(info));
        Section(terminal, "custom sections", info.CustomSections.Select(s => $"{WatPrinter.Quote(s.Name)} {s.Length:N0} bytes"));
        return Tool.Success;
    }

    private static string Header(DefType type) => (type.IsFinal, type.Super) switch
    {
        (true, null) => "",
        (var final, _) => $"sub{(final ? " final" : "")}{(type.Super is null ? "" : " ...")} ",
    };

    private static IEnumerable<string> Contents(ModuleInfo info)
    {
        int own = info.Funcs.Count - info.ImportedFuncs;
        if (own > 0) yield return $"{own:N0} functions, {info.Funcs.Sum(f => (long)(f.BodyEnd - f.BodyStart)):N0} bytes of code";
        for (int i = info.ImportedTables; i < info.Tables.Count; i++) yield return info.Tables[i].Type.ToString();
        for (int i = info.ImportedMemories; i < info.Memories.Count; i++) yield return info.Memories[i].ToString();
        int globals = info.Globals.Count - info.ImportedGlobals, tags = info.Tags.Count - info.ImportedTags;
        if (globals > 0) yield return $"{globals:N0} globals";
        if (tags > 0) yield return $"{tags:N0} tags";
        if (info.Elems.Count > 0) yield return $"{info.Elems.Count:N0} element segments, {info.Elems.Sum(e => (long)e.Count):N0} elements";
        if (info.Datas.Count > 0) yield return $"{info.Datas.Count:N0} data segments, {info.Datas.Sum(d => (long)d.Length):N0} bytes";
        if (info.Start is { } start) yield return $"start function {start}{(info.FuncName((int)start) is { } name ? $" ${name}" : "")}";
    }

    private static void Section(Terminal terminal, string title, IEnumerable<string> lines)
    {
        bool any = false;
        foreach (string line in lines)
        {
            if (!any) terminal.Line($"{title}:", "bold");
            any = true;
            terminal.Line("  " + line);
        }
    }
}
