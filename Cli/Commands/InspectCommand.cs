using System.CommandLine;
using WasmJit.Components;
using WasmJit.DynamicLinking;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Validation;
using WasmJit.Linking;
using WasmJit.Text;

namespace WasmJit.Cli;

/// <summary><c>wasmjit inspect</c>: shows imports, exports and contents of a module or component without running it.</summary>
internal static class InspectCommand
{
    internal static Command Make(Terminal terminal)
    {
        Argument<string> file = ModuleFile.Argument();
        var json = new Option<bool>("--json") { Description = "Write all that as JSON, whose form stays the same." };
        var command = new Command("inspect", "Shows the imports, exports and contents of a module or component.") { file, json };
        Help.Describe(command, """
            Types, imports and exports are in the syntax of the text format, in the module's order; those of a component are in WIT. Docs/tool.md
            describes the JSON.
            """);
        command.SetAction(parsed => Run(terminal, parsed.GetValue(file)!, parsed.GetValue(json)));
        return command;
    }

    private static int Run(Terminal terminal, string path, bool json)
    {
        ModuleBytes module = ModuleFile.ReadAny(path);
        if (module.IsComponent) return RunComponent(terminal, module, json);
        ModuleInfo info;
        try
        {
            info = ModuleDecoder.Decode(module.Bytes);
            ModuleValidator.Validate(info);
        }
        catch (ModuleException e)
        {
            throw new ToolException(module.Describe(e));
        }
        if (json)
        {
            Lines(terminal, InspectJson.Of(info));
            return Tool.Success;
        }
        terminal.Line($"{path}: {module.Bytes.Length:N0} bytes{(info.Name is { } name ? $", module ${name}" : "")}", "bold");
        Show(terminal, info, "");
        return Tool.Success;
    }

    private static int RunComponent(Terminal terminal, ModuleBytes read, bool json)
    {
        ComponentDefinition component;
        string wit;
        try
        {
            component = ComponentDecoder.Decode(read.Bytes);
            ComponentValidator.Validate(component);
            wit = WitPrinter.Print(component);
        }
        catch (ModuleException e)
        {
            throw new ToolException(read.Describe(e));
        }
        if (json)
        {
            Lines(terminal, InspectJson.Of(component, read.Bytes.Length, wit));
            return Tool.Success;
        }
        terminal.Line($"{read.Path}: {read.Bytes.Length:N0} bytes, component", "bold");
        Lines(terminal, wit.TrimEnd('\n'));
        Section(terminal, "contents", Contents(component), "");
        Section(terminal, "custom sections", component.CustomSections.Select(s => $"{Quote(s.Name)} {s.Length:N0} bytes"), "");
        return Tool.Success;
    }

    private static IEnumerable<string> Contents(ComponentDefinition component)
    {
        foreach (Definition definition in component.Definitions)
        {
            if (definition is CoreModuleDefinition { Module: var module })
                yield return $"core module, {Count(module.End - module.Begin, "byte")}: {Count(module.Imports.Count, "import")}, {Count(module.Exports.Count, "export")}";
            if (definition is NestedDefinition { Component: var nested })
                yield return $"component, {Count(nested.End - nested.Begin, "byte")}: {Count(nested.Spaces.Signature.Imports.Length, "import")}, {Count(nested.Spaces.Signature.Exports.Length, "export")}";
        }
    }

    private static void Show(Terminal terminal, ModuleInfo info, string indent)
    {
        void Part(string title, IEnumerable<string> lines) => Section(terminal, title, lines, indent);
        Part("types", info.Types.Select((t, i) => $"{i}: {Header(t)}{t}"));
        Part("imports", info.Imports.Select(i => $"{Quote(i.Module)}{(i.Name is null ? "" : " " + Quote(i.Name))} {i.Type}"));
        Part("exports", info.Exports.Select(e => $"{Quote(e.Name)} {info.TypeOf(e.Kind, e.Index)}"));
        Part("contents", Contents(info));
        Part("dynamic linking", DynamicLinking(info));
        Part("custom sections", info.CustomSections.Select(s => $"{Quote(s.Name)} {s.Length:N0} bytes"));
        foreach (ModuleDecl module in info.Modules)
        {
            if (module.Definition is not { } nested || !ReferenceEquals(nested.Parent, info)) continue;
            string name = info.Names.Modules.GetValueOrDefault((uint)module.Index) is { } known ? $" ${known}" : "";
            terminal.Line($"{indent}module {module.Index}{name}: {nested.End - nested.Begin:N0} bytes", "bold");
            Show(terminal, nested, indent + "  ");
        }
    }

    private static string Quote(string name) => TextStrings.Quote(name);

    private static string Header(DefType type) => (type.IsFinal, type.Super) switch
    {
        (true, null) => "",
        (var final, _) => $"sub{(final ? " final" : "")}{(type.Super is null ? "" : " ...")} ",
    };

    private static string Count(long number, string noun) => $"{number:N0} {noun}{(number == 1 ? "" : "s")}";

    private static IEnumerable<string> Contents(ModuleInfo info)
    {
        int own = info.Funcs.Count - info.ImportedFuncs;
        long code = info.Funcs.Sum(f => (long)(f.BodyEnd - f.BodyStart));
        if (own > 0) yield return $"{Count(own, "function")}, {Count(code, "byte")} of code";
        int instances = info.Initialisers.Count(i => i.Kind == InitialiserKind.Instance);
        if (info.Nested.Count > 0) yield return Count(info.Nested.Count, "nested module");
        if (instances > 0) yield return Count(instances, "instance");
        for (int i = info.ImportedTables; i < info.Tables.Count; i++) yield return info.Tables[i].Type.ToString();
        for (int i = info.ImportedMemories; i < info.Memories.Count; i++) yield return info.Memories[i].ToString();
        int globals = info.Globals.Count - info.ImportedGlobals, tags = info.Tags.Count - info.ImportedTags;
        if (globals > 0) yield return Count(globals, "global");
        if (tags > 0) yield return Count(tags, "tag");
        if (info.Elems.Count > 0)
            yield return $"{Count(info.Elems.Count, "element segment")}, "
                + $"{Count(info.Elems.Sum(e => (long)e.Count), "element")}";
        if (info.Datas.Count > 0)
            yield return $"{Count(info.Datas.Count, "data segment")}, {Count(info.Datas.Sum(d => (long)d.Length), "byte")}";
        if (info.Start is { } start)
            yield return $"start function {start}{(info.FuncName((int)start) is { } name ? $" ${name}" : "")}";
    }

    /// <summary>The requirements of a shared library, or of a program that loads some.</summary>
    internal static IEnumerable<string> DynamicLinking(ModuleInfo info)
    {
        DylinkSection? section;
        string? problem = null;
        try
        {
            section = DylinkSection.Of(info, info.Name ?? "the module");
        }
        catch (DynamicLinkException e)
        {
            (section, problem) = (null, e.Message);
        }
        if (problem is not null) yield return problem;
        if (section is null) yield break;
        if (section.MemorySize > 0) yield return $"memory: {section.MemorySize:N0} byte{(section.MemorySize == 1 ? "" : "s")}, aligned to {1 << section.MemoryAlignment}";
        if (section.TableSize > 0) yield return $"table: {Count(section.TableSize, "element")}, aligned to {1 << section.TableAlignment}";
        foreach (string name in section.Needed) yield return $"needs {Quote(name)}";
        foreach (string path in section.RuntimePath) yield return $"runtime path {Quote(path)}";
        foreach (string name in section.Weak.Order(StringComparer.Ordinal)) yield return $"weak import {Quote(name)}";
        foreach (string name in section.ThreadLocal.Order(StringComparer.Ordinal)) yield return $"thread-local export {Quote(name)}";
    }

    private static void Lines(Terminal terminal, string text)
    {
        foreach (string line in text.Split('\n')) terminal.Line(line);
    }

    private static void Section(Terminal terminal, string title, IEnumerable<string> lines, string indent)
    {
        bool any = false;
        foreach (string line in lines)
        {
            if (!any) terminal.Line($"{indent}{title}:", "bold");
            any = true;
            terminal.Line($"{indent}  {line}");
        }
    }
}
