using System.Text;
using WasmJit.Jit;

namespace WasmJit.Text;

/// <summary>
/// Prints a module in the text format, flat and indented, so that reading it again gives the same bytes, if they are as the
/// reader writes them. Names come from the names section where they are; all others are indices.
/// </summary>
internal sealed partial class WatPrinter
{
    private readonly ModuleInfo module;
    private readonly Output output;
    private readonly StringBuilder text;
    private readonly WatPrinter? outer;
    private readonly Names types, funcs, tables, memories, globals, tags, elems, datas, modules, instances;

    /// <summary>Whether ids and annotations can say all names: a nested module has one id, and the module around it names it too.</summary>
    private bool namesCanBeSaid = true;

    private WatPrinter(ModuleInfo module, WatPrinter? outer = null, Output? output = null)
    {
        this.module = module;
        this.outer = outer;
        this.output = outer is null ? output ?? new Output(null, long.MaxValue) : outer.output;
        text = this.output.Text;
        types = new Names(module.Names.Types);
        funcs = new Names(module.Names.Funcs);
        tables = new Names(module.Names.Tables);
        memories = new Names(module.Names.Memories);
        globals = new Names(module.Names.Globals);
        tags = new Names(module.Names.Tags);
        elems = new Names(module.Names.Elems);
        datas = new Names(module.Names.Datas);
        modules = new Names(module.Names.Modules);
        instances = new Names(module.Names.Instances.Where(n => n.Key >= module.Instances.Count || module.Instances[(int)n.Key].First is null));
    }

    /// <summary>Where the text goes. It is not bounded by the size of the module: a declaration of 50,000 locals is a few bytes.</summary>
    /// <param name="writer">Takes the text piece by piece; null to keep it in <see cref="Text"/>.</param>
    /// <param name="most">How many characters it may have.</param>
    private sealed class Output(TextWriter? writer, long most)
    {
        private const int Piece = 1 << 20;
        private long written;

        internal StringBuilder Text { get; } = new();

        /// <exception cref="UnsupportedModuleException">The text is too long.</exception>
        internal void Check()
        {
            if (written + Text.Length > most) throw new UnsupportedModuleException($"the module's text has more than {most:N0} characters");
        }

        /// <summary>Hands on what there is, if it is much: lines that are complete.</summary>
        internal void Flush(int piece = Piece)
        {
            Check();
            if (writer is null || Text.Length < piece) return;
            foreach (ReadOnlyMemory<char> chunk in Text.GetChunks()) writer.Write(chunk.Span);
            written += Text.Length;
            Text.Clear();
        }
    }

    /// <exception cref="MalformedModuleException">A body is malformed.</exception>
    /// <exception cref="UnsupportedModuleException">The text would have more characters than <paramref name="most"/>.</exception>
    internal static string Print(ModuleInfo module, long most = long.MaxValue)
    {
        var output = new Output(null, most);
        Print(module, output);
        return output.Text.ToString();
    }

    /// <summary>The same, piece by piece.</summary>
    internal static void Print(ModuleInfo module, TextWriter writer, long most)
    {
        var output = new Output(writer, most);
        Print(module, output);
        output.Flush(0);
    }

    private static void Print(ModuleInfo module, Output output)
    {
        var printer = new WatPrinter(module, null, output);
        string id = module.Names.Module is not { } name ? "" : name.Length > 0 ? " " + Id(name) : " " + NameAnnotation(name);
        printer.Module(id);
        output.Check();
    }

    private void Module(string id)
    {
        FindHints();
        Indent().Append("(module").Append(id).Append('\n');
        foreach (EarlyItem item in module.EarlyItems) Early(item);
        for (int i = module.ImportedTables; i < module.Tables.Count; i++) Table((uint)i, module.Tables[i]);
        for (int i = module.ImportedMemories; i < module.Memories.Count; i++)
        {
            ByteReader reader = At(module.MemoryOffsets[i - module.ImportedMemories]);
            Line($"(memory{memories.Numbered((uint)i)} {MemoryBody(ref reader)})");
        }
        for (int i = module.ImportedTags; i < module.Tags.Count; i++)
            Line($"(tag{tags.Numbered((uint)i)} {TypeUse(module.TagTypeIndices[i])})");
        for (int i = module.ImportedGlobals; i < module.Globals.Count; i++)
        {
            ByteReader reader = At(module.Globals[i].Offset);
            Line($"(global{globals.Numbered((uint)i)} {GlobalBody(ref reader)}{Expression(module.Globals[i].Init)})");
        }
        foreach (ExportInfo export in module.Exports)
        {
            string kind = export.Kind.ToString().ToLowerInvariant();
            Line($"(export {Quote(export.Name)} ({kind} {SpaceOf(export.Kind)[export.Index]}))");
        }
        if (module.Start is { } start) Line($"(start {funcs[start]})");
        for (int i = 0; i < module.Elems.Count; i++) Elem((uint)i, module.Elems[i]);
        output.Flush();
        for (int i = module.ImportedFuncs; i < module.Funcs.Count; i++)
        {
            Function(i);
            output.Flush();
        }
        for (int i = 0; i < module.Datas.Count; i++)
        {
            Data((uint)i, module.Datas[i]);
            output.Flush();
        }
        CustomSections();
        Indent().Append(")\n");
    }

    /// <summary>How far nested modules are indented; beyond some depth no further.</summary>
    private int Left => Math.Min(2 * module.Nesting, 40);

    private StringBuilder Indent(int more = 0) => text.Append(' ', Left + more);

    private void Line(string line, int indent = 2)
    {
        TextLayout.Append(text, Left + indent, line);
        output.Check();
    }

    private Names SpaceOf(ExternKind kind) => kind switch
    {
        ExternKind.Func => funcs,
        ExternKind.Table => tables,
        ExternKind.Memory => memories,
        ExternKind.Global => globals,
        ExternKind.Module => modules,
        ExternKind.Instance => instances,
        _ => tags,
    };

    private void Table(uint index, TableInfo table)
    {
        ByteReader reader = At(table.Offset);
        if (table.Init is not null)
        {
            reader.U8();
            reader.U8();
        }
        Line($"(table{tables.Numbered(index)} {TableBody(ref reader)}{(table.Init is { } init ? Expression(init) : "")})");
    }

    // ---- segments ----

    /// <summary>A constant expression: each instruction in parentheses, or flat with a keyword before it if there are blocks.</summary>
    private string Expression(ConstExpr expr, string? keyword = null)
    {
        var code = new CodeReader(module.Bytes.Span, expr.Start, expr.End);
        var instructions = new List<string>();
        bool flat = false;
        int depth = 0;
        while (true)
        {
            code.Read(out Instr instr);
            if (instr.Id == OpId.End && depth-- == 0) break;
            if (instr.Op.Has(OpTraits.Opens)) depth++;
            flat |= depth > 0;
            instructions.Add(Instruction(ref code, instr));
        }
        string body = string.Concat(instructions.Select(i => flat ? $" {i}" : $" ({i})"));
        return keyword is not null && (flat || instructions.Count != 1) ? $" ({keyword}{body})" : body;
    }

    private void Elem(uint index, ElemInfo elem)
    {
        string where = elem.Mode switch
        {
            SegmentMode.Active => $"{(elem.HasTable ? $" (table {tables[elem.Table]})" : "")}{Expression(elem.Where, "offset")}",
            SegmentMode.Declarative => " declare",
            _ => "",
        };
        string items = elem.Funcs is { } list
            ? " func" + string.Concat(list.Select(f => " " + funcs[f]))
            : " " + ElementType(elem) + string.Concat(elem.Exprs.Select(e => Expression(e, "item")));
        Line($"(elem{elems.Numbered(index)}{where}{items})");
    }

    private string ElementType(ElemInfo elem)
    {
        ByteReader reader = At(elem.Offset);
        if ((reader.U32() & 3) == 0) return "funcref";
        if (elem.Mode == SegmentMode.Active) reader = At(elem.Where.End);
        return Val(ref reader);
    }

    private void Data(uint index, DataInfo data)
    {
        string where = data.Mode == SegmentMode.Passive ? ""
            : $"{(data.Memory == 0 ? "" : $" (memory {memories[data.Memory]})")}{Expression(data.Where, "offset")}";
        Line($"(data{datas.Numbered(index)}{where} {QuoteLong(module.Bytes.Span.Slice(data.Start, data.Length))})");
    }
}
