using System.Text;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;

namespace WasmJit.Text;

/// <summary>
/// Prints a module in the text format, flat and indented. Reading the text gives the same bytes, if they are encoded as the
/// reader encodes them. Names come from the name section; items without a name are indices.
/// </summary>
internal sealed partial class WatPrinter
{
    private readonly ModuleInfo module;
    private readonly TextOutput output;
    private readonly StringBuilder text;
    private readonly ModuleIds ids;
    private readonly TypePrinter typeText;
    private readonly CustomSectionPrinter customs;

    /// <summary>How many components are around the module.</summary>
    private int around;

    private WatPrinter(ModuleInfo module, ModuleIds? outer, TextOutput output)
    {
        this.module = module;
        this.output = output;
        text = output.Text;
        ids = new ModuleIds(module, outer);
        typeText = new TypePrinter(module, ids);
        customs = new CustomSectionPrinter(module, ids);
    }

    /// <exception cref="MalformedModuleException">A body is malformed.</exception>
    /// <exception cref="UnsupportedModuleException">The text would have more characters than <paramref name="most"/>.</exception>
    internal static string Print(ModuleInfo module, long most = long.MaxValue) => TextOutput.Of(most, output => Print(module, output));

    /// <summary>The same, piece by piece.</summary>
    internal static void Print(ModuleInfo module, TextWriter writer, long most) => TextOutput.Write(writer, most, output => Print(module, output));

    private static void Print(ModuleInfo module, TextOutput output)
    {
        var printer = new WatPrinter(module, null, output);
        string id = module.Names.Module is not { } name ? ""
            : name.Length > 0 ? " " + TextStrings.Id(name) : " " + TextStrings.NameAnnotation(name);
        printer.Module("(module" + id);
        output.Check();
    }

    /// <summary>Prints a core module of a component.</summary>
    /// <param name="module">The module.</param>
    /// <param name="output">Where the text goes.</param>
    /// <param name="head">The opening parenthesis, keywords and id.</param>
    /// <param name="depth">How many components are around it.</param>
    /// <param name="isNameSaid">Whether the head gives it the name that it has.</param>
    internal static void PrintInComponent(ModuleInfo module, TextOutput output, string head, int depth, bool isNameSaid)
    {
        var printer = new WatPrinter(module, null, output) { around = depth };
        printer.ids.CanBeSaid = isNameSaid;
        printer.Module(head);
    }

    /// <summary>One function: its head without the closing parenthesis, and its instructions.</summary>
    /// <exception cref="MalformedModuleException">The body is malformed.</exception>
    internal static (string Head, List<CodeLine> Body) PrintFunc(ModuleInfo module, int index)
    {
        var printer = new WatPrinter(module, null, new TextOutput(null, long.MaxValue));
        CodePrinter code = printer.Code((uint)index);
        return (printer.Head(code, index, printer.ids.Funcs.Definition((uint)index)), code.Body(module.Funcs[index]));
    }

    private void Module(string head)
    {
        customs.FindHints();
        Indent().Append(head).Append('\n');
        foreach (EarlyItem item in module.EarlyItems) Early(item);
        for (int i = module.ImportedTables; i < module.Tables.Count; i++) Table((uint)i, module.Tables[i]);
        for (int i = module.ImportedMemories; i < module.Memories.Count; i++)
        {
            ByteReader reader = typeText.At(module.MemoryOffsets[i - module.ImportedMemories]);
            Line($"(memory{ids.Memories.Numbered((uint)i)} {TypePrinter.MemoryBody(ref reader)})");
        }
        for (int i = module.ImportedTags; i < module.Tags.Count; i++)
            Line($"(tag{ids.Tags.Numbered((uint)i)} {typeText.TypeUse(module.TagTypeIndices[i])})");
        for (int i = module.ImportedGlobals; i < module.Globals.Count; i++)
        {
            ByteReader reader = typeText.At(module.Globals[i].Offset);
            Line($"(global{ids.Globals.Numbered((uint)i)} {typeText.GlobalBody(ref reader)}{Expression(module.Globals[i].Init)})");
        }
        foreach (ExportInfo export in module.Exports)
        {
            string kind = export.Kind.ToString().ToLowerInvariant();
            Line($"(export {TextStrings.Quote(export.Name)} ({kind} {ids.SpaceOf(export.Kind)[export.Index]}))");
        }
        for (int i = 0; i < module.Scopes.Count; i++) Scope((uint)i, module.Scopes[i]);
        if (module.Start is { } start) Line($"(start {ids.Funcs[start]})");
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
        foreach (string section in customs.Sections()) Line(section);
        Indent().Append(")\n");
    }

    /// <summary>The indentation of a nested module. It has a limit.</summary>
    private int Left => Math.Min(2 * (module.Nesting + around), 40);

    private StringBuilder Indent(int more = 0) => text.Append(' ', Left + more);

    private void Line(string line, int indent = 2)
    {
        TextLayout.Append(text, Left + indent, line);
        output.Check();
    }

    private void Table(uint index, TableInfo table)
    {
        ByteReader reader = typeText.At(table.Offset);
        if (table.Init is not null)
        {
            reader.U8();
            reader.U8();
        }
        Line($"(table{ids.Tables.Numbered(index)} {typeText.TableBody(ref reader)}{(table.Init is { } init ? Expression(init) : "")})");
    }

    /// <summary>A scope; items of one kind that follow each other stand together.</summary>
    private void Scope(uint index, ScopeInfo scope)
    {
        var line = new StringBuilder($"(scope{ids.Scopes.Numbered(index)}");
        byte? last = null;
        foreach (ScopeItem item in scope.Items)
        {
            string keyword = item.Kind is { } known ? known.ToString().ToLowerInvariant() : "type";
            if (last != item.Sort) line.Append(last is null ? " (" : ") (").Append(keyword);
            line.Append(' ').Append((item.Kind is { } kind ? ids.SpaceOf(kind) : ids.Types)[item.Index]);
            last = item.Sort;
        }
        Line(line.Append(last is null ? ")" : "))").ToString());
    }

    // ---- segments ----

    /// <summary>A constant expression: each instruction in parentheses, or flat with a keyword before it if there are blocks.</summary>
    private string Expression(ConstExpr expr, string? keyword = null)
    {
        var printer = new CodePrinter(module, ids, typeText, null, false);
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
            instructions.Add(printer.Instruction(ref code, instr));
        }
        string body = string.Concat(instructions.Select(i => flat ? $" {i}" : $" ({i})"));
        return keyword is not null && (flat || instructions.Count != 1) ? $" ({keyword}{body})" : body;
    }

    private void Elem(uint index, ElemInfo elem)
    {
        string where = elem.Mode switch
        {
            SegmentMode.Active => $"{(elem.HasTable ? $" (table {ids.Tables[elem.Table]})" : "")}{Expression(elem.Where, "offset")}",
            SegmentMode.Declarative => " declare",
            _ => "",
        };
        string items = elem.Funcs is { } list
            ? " func" + string.Concat(list.Select(f => " " + ids.Funcs[f]))
            : " " + ElementType(elem) + string.Concat(elem.Exprs.Select(e => Expression(e, "item")));
        Line($"(elem{ids.Elems.Numbered(index)}{where}{items})");
    }

    private string ElementType(ElemInfo elem)
    {
        ByteReader reader = typeText.At(elem.Offset);
        if ((reader.U32() & 3) == 0) return "funcref";
        if (elem.Mode == SegmentMode.Active) reader = typeText.At(elem.Where.End);
        return typeText.Val(ref reader);
    }

    private void Data(uint index, DataInfo data)
    {
        string where = data.Mode == SegmentMode.Passive ? ""
            : $"{(data.Memory == 0 ? "" : $" (memory {ids.Memories[data.Memory]})")}{Expression(data.Where, "offset")}";
        Line($"(data{ids.Datas.Numbered(index)}{where} {TextStrings.QuoteLong(module.Bytes.Span.Slice(data.Start, data.Length))})");
    }

    // ---- functions ----

    private CodePrinter Code(uint func) => new(module, ids, typeText, func, customs.PrintsHints);

    private string Head(CodePrinter code, int index, string id)
    {
        uint type = module.FuncTypeIndices[index];
        return $"(func{id} {typeText.TypeUse(type)}{code.Parameters(type)}";
    }

    private void Function(int index)
    {
        CodePrinter code = Code((uint)index);
        Line(Head(code, index, ids.Funcs.Numbered((uint)index)) + ")");
        FuncInfo func = module.Funcs[index];
        List<CodeLine> body = code.Body(func);
        customs.LabelCounts[(uint)index] = code.LabelCount;
        if (body.Count == 0 && func.Locals.Length == 0) return;
        // The closing parenthesis stands on a line of its own.
        text.Length -= 2;
        text.Append('\n');
        if (func.Locals.Length > 0 && code.Locals(func) is { } locals) Line(locals, 4);
        output.Flush();
        foreach (CodeLine line in body)
        {
            Line(line.Text, 4 + (2 * Math.Min(line.Depth, 38)));
            output.Flush();
        }
        Indent(2).Append(")\n");
    }
}
