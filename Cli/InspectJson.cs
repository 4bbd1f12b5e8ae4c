using System.Text;
using System.Text.Json;
using WasmJit.Components;
using WasmJit.Jit.Binary;

namespace WasmJit.Cli;

/// <summary>
/// What <c>wasmjit inspect --json</c> writes. Docs/tool.md describes it; members are added, and <c>format</c> counts up when one is taken away or means something
/// else. What is not ASCII is escaped, so names of a guest cannot do harm on a terminal.
/// </summary>
internal static class InspectJson
{
    private const int Format = 1;

    internal static string Of(ModuleInfo module) => Make(json => Module(json, module, isOutermost: true));

    internal static string Of(ComponentDefinition component, int length, string wit) => Make(json =>
    {
        json.WriteStartObject();
        json.WriteNumber("format", Format);
        json.WriteString("kind", "component");
        json.WriteNumber("bytes", length);
        json.WriteString("wit", wit);
        json.WriteStartArray("modules");
        foreach (Definition definition in component.Definitions)
            if (definition is CoreModuleDefinition { Module: var module }) Module(json, module, isOutermost: false);
        json.WriteEndArray();
        json.WriteStartArray("customSections");
        foreach (var section in component.CustomSections) Custom(json, section.Name, section.Length);
        json.WriteEndArray();
        json.WriteEndObject();
    });

    private static string Make(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" })) write(json);
        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    private static void Module(Utf8JsonWriter json, ModuleInfo info, bool isOutermost)
    {
        json.WriteStartObject();
        if (isOutermost) json.WriteNumber("format", Format);
        json.WriteString("kind", "module");
        json.WriteNumber("bytes", info.End - info.Begin);
        if (info.Name is { } name) json.WriteString("name", name);
        json.WriteStartArray("types");
        foreach (DefType type in info.Types) json.WriteStringValue(type.ToString());
        json.WriteEndArray();
        json.WriteStartArray("imports");
        foreach (ImportInfo import in info.Imports)
        {
            json.WriteStartObject();
            json.WriteString("module", import.Module);
            if (import.Name is not null) json.WriteString("name", import.Name);
            json.WriteString("kind", KindOf(import.Type.Kind));
            json.WriteString("type", import.Type.ToString());
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("exports");
        foreach (ExportInfo export in info.Exports)
        {
            json.WriteStartObject();
            json.WriteString("name", export.Name);
            json.WriteString("kind", KindOf(export.Kind));
            json.WriteNumber("index", export.Index);
            json.WriteString("type", info.TypeOf(export.Kind, export.Index).ToString());
            json.WriteEndObject();
        }
        json.WriteEndArray();
        Contents(json, info);
        json.WriteStartArray("customSections");
        foreach (CustomSectionInfo section in info.CustomSections) Custom(json, section.Name, section.Length);
        json.WriteEndArray();
        Strings(json, "dynamicLinking", InspectCommand.DynamicLinking(info));
        json.WriteStartArray("modules");
        foreach (ModuleInfo nested in info.Nested) Module(json, nested, isOutermost: false);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Contents(Utf8JsonWriter json, ModuleInfo info)
    {
        json.WriteStartObject("contents");
        json.WriteNumber("functions", info.Funcs.Count - info.ImportedFuncs);
        json.WriteNumber("codeBytes", info.Funcs.Sum(f => (long)(f.BodyEnd - f.BodyStart)));
        Strings(json, "tables", Enumerable.Range(info.ImportedTables, info.Tables.Count - info.ImportedTables).Select(i => info.Tables[i].Type.ToString()));
        Strings(json, "memories", Enumerable.Range(info.ImportedMemories, info.Memories.Count - info.ImportedMemories).Select(i => info.Memories[i].ToString()));
        json.WriteNumber("globals", info.Globals.Count - info.ImportedGlobals);
        json.WriteNumber("tags", info.Tags.Count - info.ImportedTags);
        json.WriteNumber("elementSegments", info.Elems.Count);
        json.WriteNumber("elements", info.Elems.Sum(e => (long)e.Count));
        json.WriteNumber("dataSegments", info.Datas.Count);
        json.WriteNumber("dataBytes", info.Datas.Sum(d => (long)d.Length));
        if (info.Start is { } start) json.WriteNumber("start", start);
        json.WriteEndObject();
    }

    private static void Strings(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }

    private static void Custom(Utf8JsonWriter json, string name, int length)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteNumber("bytes", length);
        json.WriteEndObject();
    }

    private static string KindOf(ExternKind kind) => kind.ToString().ToLowerInvariant();
}
