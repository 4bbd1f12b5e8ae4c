using System.Globalization;
using System.Text;
using WasmJit.Jit;

namespace WasmJit.Text;

/// <summary>
/// Prints a module in the text format, flat and indented, so that reading it again gives the same module. Names come from the
/// names section where they are; all others are indices.
/// </summary>
internal sealed partial class WatPrinter
{
    private readonly ModuleInfo module;
    private readonly StringBuilder text = new();
    private readonly Names types, funcs, tables, memories, globals, tags, elems, datas;

    private WatPrinter(ModuleInfo module)
    {
        this.module = module;
        types = new Names(module.Names.Types);
        funcs = new Names(module.Names.Funcs);
        tables = new Names(module.Names.Tables);
        memories = new Names(module.Names.Memories);
        globals = new Names(module.Names.Globals);
        tags = new Names(module.Names.Tags);
        elems = new Names(module.Names.Elems);
        datas = new Names(module.Names.Datas);
    }

    /// <summary>The names of an index space; two things with one name keep it for the first only.</summary>
    private sealed class Names
    {
        private readonly Dictionary<uint, string> byIndex = [];

        internal Names(IEnumerable<KeyValuePair<uint, string>> names)
        {
            var seen = new HashSet<string>();
            foreach ((uint index, string name) in names.OrderBy(n => n.Key))
                if (name.Length > 0 && seen.Add(name)) byIndex[index] = Id(name);
        }

        /// <summary>The id, or the index.</summary>
        internal string this[uint index] => byIndex.GetValueOrDefault(index) ?? index.ToString(CultureInfo.InvariantCulture);

        /// <summary>The id behind a blank where a definition has one, otherwise nothing.</summary>
        internal string Definition(uint index) => byIndex.TryGetValue(index, out string? id) ? " " + id : "";
    }

    private static string Id(string name)
    {
        foreach (char c in name)
            if (c is not (>= '!' and <= '~') || c is '"' or '(' or ')' or ',' or ';' or '[' or ']' or '{' or '}')
                return "$" + Quote(name);
        return "$" + name;
    }

    internal static string Quote(ReadOnlySpan<byte> bytes)
    {
        var quoted = new StringBuilder("\"");
        foreach (byte b in bytes)
        {
            if (b is >= 0x20 and < 0x7f and not ((byte)'"' or (byte)'\\')) quoted.Append((char)b);
            else quoted.Append('\\').Append(b.ToString("x2", CultureInfo.InvariantCulture));
        }
        return quoted.Append('"').ToString();
    }

    internal static string Quote(string name) => Quote(Encoding.UTF8.GetBytes(name));

    /// <exception cref="MalformedModuleException">A body is malformed.</exception>
    internal static string Print(ModuleInfo module)
    {
        var printer = new WatPrinter(module);
        printer.Module();
        return printer.text.ToString();
    }

    private void Module()
    {
        text.Append("(module");
        if (module.Names.Module is { Length: > 0 } name) text.Append(' ').Append(Id(name));
        text.Append('\n');
        Types();
        Imports();
        for (int i = module.ImportedTables; i < module.Tables.Count; i++)
        {
            TableInfo table = module.Tables[i];
            string init = table.Init is { } expr ? FlatExpression(expr) : "";
            Line($"(table{tables.Definition((uint)i)} {TableBody(table.Type)}{init})");
        }
        for (int i = module.ImportedMemories; i < module.Memories.Count; i++)
            Line($"(memory{memories.Definition((uint)i)} {MemoryBody(module.Memories[i])})");
        for (int i = module.ImportedTags; i < module.Tags.Count; i++)
            Line($"(tag{tags.Definition((uint)i)} (type {TypeIndex(module.TagTypeIndices, i, module.Tags[i])}))");
        for (int i = module.ImportedGlobals; i < module.Globals.Count; i++)
        {
            GlobalInfo global = module.Globals[i];
            Line($"(global{globals.Definition((uint)i)} {GlobalBody(global.Type)}{FlatExpression(global.Init)})");
        }
        foreach (ExportInfo export in module.Exports)
        {
            string kind = export.Kind.ToString().ToLowerInvariant();
            Line($"(export {Quote(export.Name)} ({kind} {SpaceOf(export.Kind)[export.Index]}))");
        }
        if (module.Start is { } start) Line($"(start {funcs[start]})");
        for (int i = 0; i < module.Elems.Count; i++) Elem(i, module.Elems[i]);
        for (int i = module.ImportedFuncs; i < module.Funcs.Count; i++) Function(i);
        for (int i = 0; i < module.Datas.Count; i++) Data(i, module.Datas[i]);
        text.Append(")\n");
    }

    private void Line(string line) => text.Append("  ").Append(line).Append('\n');

    private Names SpaceOf(ExternKind kind) => kind switch
    {
        ExternKind.Func => funcs,
        ExternKind.Table => tables,
        ExternKind.Memory => memories,
        ExternKind.Global => globals,
        _ => tags,
    };

    // ---- types ----

    private void Types()
    {
        for (int i = 0; i < module.Types.Count;)
        {
            int size = module.Types[i].Group!.Members.Length;
            bool group = size != 1 || module.ExplicitGroups.Contains(i);
            if (group) text.Append("  (rec\n");
            for (int j = 0; j < size; j++)
            {
                if (group) text.Append("  ");
                Line($"(type{types.Definition((uint)(i + j))} {SubType(module.Types[i + j], (uint)(i + j))})");
            }
            if (group) text.Append("  )\n");
            i += size;
        }
    }

    private string SubType(DefType type, uint index)
    {
        string clauses = (type.Describes is { } d ? $"(describes {TypeName(d, index)}) " : "")
            + (type.Descriptor is { } e ? $"(descriptor {TypeName(e, index)}) " : "");
        string body = clauses + Composite(type.Composite, index);
        if (type.IsFinal && type.Super is null) return body;
        return $"(sub {(type.IsFinal ? "final " : "")}{(type.Super is { } super ? TypeName(super, index) + " " : "")}{body})";
    }

    /// <summary>
    /// A canonical type may stand at several indices, and may be canonical from another module: within the group of
    /// <paramref name="near"/> it is the one at its place there, otherwise the first.
    /// </summary>
    private string TypeName(DefType type, uint near)
    {
        if (near < module.Types.Count && ReferenceEquals(module.Types[(int)near].Group, type.Group))
            return types[near - (uint)module.Types[(int)near].IndexInGroup + (uint)type.IndexInGroup];
        int index = module.Types.IndexOf(type);
        return index < 0 ? type.ToString() : types[(uint)index];
    }

    private string Composite(CompositeType composite, uint near)
    {
        switch (composite)
        {
            case FuncType func: return $"(func{Signature(func, near)})";
            case StructType structure:
                {
                    var body = new StringBuilder("(struct");
                    for (int i = 0; i < structure.Fields.Length; i++)
                    {
                        string id = module.Names.Fields.TryGetValue((near, (uint)i), out string? name) ? " " + Id(name) : "";
                        body.Append($" (field{id} {Field(structure.Fields[i], near)})");
                    }
                    return body.Append(')').ToString();
                }
            case ArrayType array: return $"(array {Field(array.Element, near)})";
            case EntityType { Entity: var entity }: return Extern(entity, near, "");
            case ModuleType type:
                return $"(module{string.Concat(type.Imports.Select(i => ImportText(i, near)))}"
                    + $"{string.Concat(type.Exports.Select(e => ExportText(e, near)))})";
            case InstanceType type:
                return $"(instance{string.Concat(type.Exports.Select(e => ExportText(e, near)))})";
            default: return composite.ToString()!;
        }
    }

    private string ImportText(ImportType import, uint near)
    {
        string second = import.Name is null ? "" : " " + Quote(import.Name);
        return $" (import {Quote(import.Module)}{second} {Extern(import.Type, near, "")})";
    }

    private string ExportText(ExportType export, uint near) => $" (export {Quote(export.Name)} {Extern(export.Type, near, "")})";

    private string Signature(FuncType func, uint near) =>
        (func.Params.IsEmpty ? "" : $" (param {string.Join(' ', func.Params.Select(p => Val(p, near)))})")
        + (func.Results.IsEmpty ? "" : $" (result {string.Join(' ', func.Results.Select(r => Val(r, near)))})");

    private string Field(FieldType field, uint near) =>
        field.IsMutable ? $"(mut {Val(field.Type, near)})" : Val(field.Type, near);

    private string Val(ValType type, uint near = uint.MaxValue)
    {
        if (type.Heap is null or AbstractHeapType) return type.ToString();
        return $"(ref {(type.IsNullable ? "null " : "")}{Heap(type.Heap, near)})";
    }

    private string Heap(HeapType heap, uint near = uint.MaxValue) => heap switch
    {
        ExactType exact => $"(exact {TypeName(exact.Type, near)})",
        DefType type => TypeName(type, near),
        _ => heap.ToString()!,
    };

    private static string LimitsText(bool is64, ulong min, ulong? max) =>
        $"{(is64 ? "i64 " : "")}{min}{(max is { } m ? $" {m}" : "")}";

    private string TableBody(TableType type, uint near = uint.MaxValue) =>
        $"{LimitsText(type.Is64, type.Minimum, type.Maximum)}{(type.IsShared ? " shared" : "")} {Val(type.Element, near)}";

    private static string MemoryBody(MemoryType type) =>
        LimitsText(type.Is64, type.Minimum, type.Maximum) + (type.IsShared ? " shared" : "")
        + (type.PageSizeLog2 == 16 ? "" : $" (pagesize {1 << type.PageSizeLog2})");

    private string GlobalBody(GlobalType type, uint near = uint.MaxValue) =>
        type.IsMutable ? $"(mut {Val(type.Type, near)})" : Val(type.Type, near);

    private string Extern(ExternType type, uint near, string id) => type.Kind switch
    {
        ExternKind.Func when type.IsExact => $"(func{id} (exact (type {TypeName(type.Def, near)})))",
        ExternKind.Func => $"(func{id} (type {TypeName(type.Def, near)}))",
        ExternKind.Tag => $"(tag{id} (type {TypeName(type.Def, near)}))",
        ExternKind.Table => $"(table{id} {TableBody(type.Table, near)})",
        ExternKind.Memory => $"(memory{id} {MemoryBody(type.Memory)})",
        ExternKind.Global => $"(global{id} {GlobalBody(type.Global, near)})",
        _ => type.ToString(),
    };

    private string TypeIndex(List<uint> indices, int at, DefType type) =>
        at < indices.Count ? types[indices[at]] : TypeName(type, uint.MaxValue);

    private void Imports()
    {
        uint[] next = new uint[8];
        foreach (ImportInfo import in module.Imports)
        {
            uint index = next[(int)import.Type.Kind]++;
            string id = SpaceOf(import.Type.Kind).Definition(index);
            string description = import.Type.Kind switch
            {
                ExternKind.Func when import.Type.IsExact =>
                    $"(func{id} (exact (type {TypeIndex(module.FuncTypeIndices, (int)index, import.Type.Def)})))",
                ExternKind.Func => $"(func{id} (type {TypeIndex(module.FuncTypeIndices, (int)index, import.Type.Def)}))",
                ExternKind.Tag => $"(tag{id} (type {TypeIndex(module.TagTypeIndices, (int)index, import.Type.Def)}))",
                _ => Extern(import.Type, uint.MaxValue, id),
            };
            Line($"(import {Quote(import.Module)} {Quote(import.Name)} {description})");
        }
    }

    // ---- segments ----

    private string FlatExpression(ConstExpr expr)
    {
        var code = new CodeReader(module.Bytes.Span, expr.Start, expr.End);
        var parts = new StringBuilder();
        while (true)
        {
            code.Read(out Instr instr);
            if (instr.Id == OpId.End) return parts.ToString();
            parts.Append(' ').Append(Instruction(ref code, instr));
        }
    }

    private void Elem(int index, ElemInfo elem)
    {
        string where = elem.Mode switch
        {
            SegmentMode.Active =>
                $"{(elem.HasTable ? $" (table {tables[elem.Table]})" : "")} (offset{FlatExpression(elem.Where)})",
            SegmentMode.Declarative => " declare",
            _ => "",
        };
        string items = elem.Funcs is { } list
            ? " func" + string.Concat(list.Select(f => " " + funcs[f]))
            : $" {Val(elem.Type)}" + string.Concat(elem.Exprs.Select(e => $" (item{FlatExpression(e)})"));
        Line($"(elem{elems.Definition((uint)index)}{where}{items})");
    }

    private void Data(int index, DataInfo data)
    {
        string where = data.Mode == SegmentMode.Passive ? ""
            : $"{(data.Memory == 0 ? "" : $" (memory {memories[data.Memory]})")} (offset{FlatExpression(data.Where)})";
        Line($"(data{datas.Definition((uint)index)}{where} {Quote(module.Bytes.Span.Slice(data.Start, data.Length))})");
    }
}
