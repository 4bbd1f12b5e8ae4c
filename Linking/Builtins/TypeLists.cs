using System.Collections.Immutable;
using System.Text;

namespace WasmJit.Linking;

/// <summary>Imports and exports with their types in the text format, one a line.</summary>
internal static class TypeLists
{
    internal static string Of(IEnumerable<ImportType> imports) => string.Concat(imports.Select(i => Import(i) + "\n"));

    internal static string Of(IEnumerable<ExportType> exports) => string.Concat(exports.Select(e => Export(e) + "\n"));

    private static string Import(ImportType import) =>
        $"(import {Quote(import.Module)} {(import.Name is null ? "" : Quote(import.Name) + " ")}{Type(import.Type)})";

    private static string Export(ExportType export) => $"(export {Quote(export.Name)} {Type(export.Type)})";

    private static string Type(ExternType type) => type.Kind switch
    {
        ExternKind.Module when type.Def.Composite is ModuleType module =>
            $"(module{string.Concat(module.Imports.Select(i => " " + Import(i)))}{Exports(module.Exports)})",
        ExternKind.Instance when type.Def.Composite is InstanceType instance => $"(instance{Exports(instance.Exports)})",
        _ => type.ToString(),
    };

    private static string Exports(ImmutableArray<ExportType> exports) => string.Concat(exports.Select(e => " " + Export(e)));

    /// <summary>A name as the text format writes it. Characters other than printable ASCII are written as bytes.</summary>
    private static string Quote(string name)
    {
        var text = new StringBuilder("\"");
        foreach (byte b in Encoding.UTF8.GetBytes(name))
        {
            if (b is (byte)'"' or (byte)'\\') text.Append('\\').Append((char)b);
            else if (b is >= 0x20 and < 0x7f) text.Append((char)b);
            else text.Append('\\').Append(b.ToString("x2", System.Globalization.CultureInfo.InvariantCulture));
        }
        return text.Append('"').ToString();
    }
}
