using System.Globalization;
using System.Text;
using WasmJit.Jit;

namespace WasmJit.Text;

/// <summary>A printed instruction.</summary>
/// <param name="Offset">Where it is in the module's bytes.</param>
/// <param name="Depth">How many blocks stand around it.</param>
/// <param name="Text">The instruction, flat.</param>
/// <param name="Block">The number of the block that it begins, counted from the function.</param>
internal readonly record struct CodeLine(int Offset, int Depth, string Text, int Block);

/// <summary>Function bodies: one instruction a line, immediates by the kinds that the operator's row lists.</summary>
internal sealed partial class WatPrinter
{
    private Names locals = new([]);
    private ILookup<uint, KeyValuePair<uint, string>>? localNames;
    private readonly List<(string? Name, int Line, int Hidden)> labels = [];

    /// <summary>The innermost label of each name; the label says which one of the same name it hides.</summary>
    private readonly Dictionary<string, int> innermost = [];

    /// <summary>The lines of blocks that are branched to by number: they get the number that the branches' comments have.</summary>
    private readonly HashSet<int> targets = [];
    private int currentLine;
    private uint currentFunc, labelCount;

    private void Function(int index)
    {
        Line(Head(index, numbered: true) + ")");
        FuncInfo func = module.Funcs[index];
        List<CodeLine> body = Body(func);
        if (body.Count == 0 && func.Locals.Length == 0) return;
        // The closing parenthesis stands on a line of its own.
        text.Length -= 2;
        text.Append('\n');
        if (func.Locals.Length > 0) Locals(func);
        output.Flush();
        foreach (CodeLine line in body)
        {
            Line(line.Text, 4 + (2 * Math.Min(line.Depth, 38)));
            output.Flush();
        }
        Indent(2).Append(")\n");
    }

    /// <summary>One function: its head without the closing parenthesis, and its instructions.</summary>
    /// <exception cref="MalformedModuleException">The body is malformed.</exception>
    internal static (string Head, List<CodeLine> Body) PrintFunc(ModuleInfo module, int index)
    {
        var printer = new WatPrinter(module);
        return (printer.Head(index), printer.Body(module.Funcs[index]));
    }

    /// <summary>Begins a function: what follows is about it.</summary>
    private string Head(int index, bool numbered = false)
    {
        currentFunc = (uint)index;
        labelCount = 0;
        labels.Clear();
        innermost.Clear();
        labels.Add((null, -1, -1));
        targets.Clear();
        locals = LocalNames(currentFunc);
        uint type = module.FuncTypeIndices[index];
        string id = numbered ? funcs.Numbered(currentFunc) : funcs.Definition(currentFunc);
        return $"(func{id} {TypeUse(type)}{Parameters(type)}";
    }

    private Names LocalNames(uint func)
    {
        localNames ??= module.Names.Locals.ToLookup(l => l.Key.Func, l => KeyValuePair.Create(l.Key.Local, l.Value));
        return new Names(localNames[func]);
    }

    /// <summary>The parameters, those with names one by one, and the results.</summary>
    private string Parameters(uint type)
    {
        (string[] parameters, string[] results) = SignatureOf(type);
        return Declarations("param", parameters, 0) + Clause("result", results);
    }

    private string Declarations(string keyword, IReadOnlyList<string> list, uint first)
    {
        var declarations = new StringBuilder();
        bool open = false;
        for (int i = 0; i < list.Count; i++)
        {
            uint local = first + (uint)i;
            if (locals.Has(local))
            {
                if (open) declarations.Append(')');
                open = false;
                declarations.Append(CultureInfo.InvariantCulture, $" ({keyword}{locals.Definition(local)} {list[i]})");
                continue;
            }
            declarations.Append(open ? " " : $" ({keyword} ").Append(list[i]);
            open = true;
        }
        return declarations.Append(open ? ")" : "").ToString();
    }

    /// <summary>The instructions of the function begun, without the <c>end</c> that closes it.</summary>
    private List<CodeLine> Body(FuncInfo func)
    {
        var lines = new List<CodeLine>();
        int depth = 0;
        var code = new CodeReader(module.Bytes.Span, func.CodeStart, func.BodyEnd);
        while (true)
        {
            code.Read(out Instr instr);
            if (instr.Op.Has(OpTraits.Closes | OpTraits.Divides)) depth--;
            if (depth < 0)
            {
                labelCounts[currentFunc] = labelCount;
                foreach (int target in targets)
                    lines[target] = lines[target] with { Text = $"{lines[target].Text} (;@{lines[target].Block};)" };
                return lines;
            }
            if (instr.Op.Has(OpTraits.Closes)) CloseLabel();
            currentLine = lines.Count;
            string line = Instruction(ref code, instr);
            if (hintSection >= 0 && module.BranchHints.TryGetValue(instr.Offset, out bool likely))
                line = $"(@{BranchHints.SectionName} \"\\0{(likely ? 1 : 0)}\") {line}";
            lines.Add(new CodeLine(instr.Offset, depth, line, labels.Count - 1));
            if (instr.Op.Has(OpTraits.Opens | OpTraits.Divides)) depth++;
        }
    }

    /// <summary>The locals; run-length encoding finds the same runs again.</summary>
    private void Locals(FuncInfo func)
    {
        ByteReader reader = At(func.BodyStart);
        uint runs = reader.U32();
        var list = new List<string>();
        for (uint i = 0; i < runs; i++)
        {
            uint count = reader.U32();
            string type = Val(ref reader);
            for (uint j = 0; j < count; j++) list.Add(type);
        }
        if (list.Count > 0) Line(Declarations("local", list, (uint)func.Func.Params.Length)[1..], 4);
    }

    /// <summary>A label's name if it has one that no other hides; otherwise its number, and which block that is.</summary>
    private string Label(uint label, bool commented = true)
    {
        string number = label.ToString(CultureInfo.InvariantCulture);
        int at = labels.Count - 1 - (int)Math.Min(label, int.MaxValue);
        if (at < 0) return number;
        if (labels[at].Name is { } name && innermost[name] == at) return name;
        if (at == 0) return number;
        targets.Add(labels[at].Line);
        return commented ? $"{number} (;@{at};)" : number;
    }

    private void OpenLabel(string? name)
    {
        int hidden = -1;
        if (name is not null)
        {
            hidden = innermost.GetValueOrDefault(name, -1);
            innermost[name] = labels.Count;
        }
        labels.Add((name, currentLine, hidden));
    }

    private void CloseLabel()
    {
        (string? name, _, int hidden) = labels[^1];
        labels.RemoveAt(labels.Count - 1);
        if (name is not null) innermost[name] = hidden;
    }

    private string BlockTypeText(ref CodeReader code, in Instr instr)
    {
        switch (instr.BlockForm)
        {
            case BlockTypeForm.Value:
                ByteReader reader = code.Types(instr);
                return $" (result {Val(ref reader)})";
            case BlockTypeForm.Index: return $" (type {types[instr.BlockIndex]})";
            default: return "";
        }
    }

    /// <summary>An instruction on one line, without indentation.</summary>
    private string Instruction(ref CodeReader code, in Instr instr)
    {
        Operator op = instr.Op;
        switch (op.Id)
        {
            case OpId.Block or OpId.Loop or OpId.If or OpId.Try or OpId.TryTable:
                {
                    string head = op.Mnemonic;
                    string? name = module.Names.Labels.GetValueOrDefault((currentFunc, labelCount++));
                    string? label = name is { Length: > 0 } ? Id(name) : null;
                    if (name is not null) head += " " + (label ?? NameAnnotation(name));
                    head += BlockTypeText(ref code, instr);
                    if (op.Id == OpId.TryTable) head += Catches(ref code, instr);
                    OpenLabel(label);
                    return head;
                }
            case OpId.CallIndirect or OpId.ReturnCallIndirect:
                return $"{op.Mnemonic}{(instr.B == 0 ? "" : " " + tables[instr.B])} (type {types[instr.A]})";
            case OpId.SelectT:
                {
                    ByteReader reader = code.List(instr);
                    var list = new StringBuilder("select (result");
                    for (int i = 0; i < instr.ListCount; i++) list.Append(' ').Append(Val(ref reader));
                    return list.Append(')').ToString();
                }
            case OpId.TableInit: return $"table.init{(instr.B == 0 ? "" : " " + tables[instr.B])} {elems[instr.A]}";
            case OpId.MemoryInit: return $"memory.init{(instr.B == 0 ? "" : " " + memories[instr.B])} {datas[instr.A]}";
            case OpId.TableCopy or OpId.MemoryCopy:
                {
                    Names space = op.Id == OpId.TableCopy ? tables : memories;
                    return instr.A == 0 && instr.B == 0 ? op.Mnemonic : $"{op.Mnemonic} {space[instr.A]} {space[instr.B]}";
                }
            case OpId.RefTest or OpId.RefTestNull or OpId.RefCast or OpId.RefCastNull:
            case OpId.RefCastDescEq or OpId.RefCastDescEqNull:
                return $"{op.Word} {RefText(instr.Heap1, instr.Nullable1)}";
            case OpId.BrOnCast or OpId.BrOnCastFail or OpId.BrOnCastDescEq or OpId.BrOnCastDescEqFail:
                return $"{op.Mnemonic} {Label(instr.A)} {RefText(instr.Heap1, instr.Nullable1)} "
                    + RefText(instr.Heap2, instr.Nullable2);
            case OpId.V128Const:
                return $"v128.const i32x4 0x{(uint)instr.Bits:x8} 0x{instr.Bits >> 32:x8}"
                    + $" 0x{(uint)instr.High:x8} 0x{instr.High >> 32:x8}";
            case OpId.CompileNull: return $"compile null{MemoryText(instr.A)} {types[instr.B]}";
            case OpId.Compile: return $"compile{MemoryText(instr.A)} {types[instr.B]}";
            case OpId.InstantiateNull: return $"instantiate null {types[instr.A]}";
            case OpId.InstantiateModule: return $"instantiate (module {modules[instr.A]})";
            case OpId.CallIndirectRef: return $"call_indirect (ref {types[instr.A]}) (type {types[instr.B]})";
            case OpId.MemoryInitRef: return $"memory.init (ref {types[instr.B]}) {datas[instr.A]}";
            case OpId.TableInitRef: return $"table.init (ref {types[instr.B]}) {elems[instr.A]}";
            case OpId.GetExportNull: return $"get_export null{MemoryText(instr.A)} {types[instr.B]}";
        }
        // The extension's rows for references to memories, tables and globals: the same mnemonics with (ref $t) behind.
        if (op.Form == OpForm.Ref)
            return $"{op.Word} (ref {types[instr.A]}){(op.Immediates.Length > 1 ? $" (ref {types[instr.B]})" : "")}";
        var line = new StringBuilder(op.Mnemonic);
        int slot = 0;
        foreach (Immediate immediate in op.Immediates) Append(line, ref code, instr, immediate, ref slot);
        return line.ToString();
    }

    private string MemoryText(uint memory) => memory == 0 ? "" : " " + memories[memory];

    private string Catches(ref CodeReader code, in Instr instr)
    {
        ByteReader reader = code.List(instr);
        var list = new StringBuilder();
        for (int i = 0; i < instr.ListCount; i++)
        {
            CodeReader.ReadCatch(ref reader, out byte kind, out uint tag, out uint label);
            string keyword = kind switch { CatchByte.Catch => "catch", CatchByte.CatchRef => "catch_ref", CatchByte.CatchAll => "catch_all", _ => "catch_all_ref" };
            list.Append(CultureInfo.InvariantCulture, $" ({keyword}{(kind < CatchByte.CatchAll ? " " + tags[tag] : "")} {Label(label)})");
        }
        return list.ToString();
    }

    private void Append(StringBuilder line, ref CodeReader code, in Instr instr, Immediate immediate, ref int slot)
    {
        uint index = slot == 0 ? instr.A : slot == 1 ? instr.B : instr.C;
        switch (immediate.Kind)
        {
            case ImmediateKind.Labels:
                {
                    ByteReader reader = code.List(instr);
                    for (int i = 0; i <= instr.ListCount; i++) line.Append(' ').Append(Label(reader.U32(), commented: false));
                    return;
                }
            case ImmediateKind.I32: line.Append(CultureInfo.InvariantCulture, $" {(int)instr.Bits}"); return;
            case ImmediateKind.I64: line.Append(CultureInfo.InvariantCulture, $" {(long)instr.Bits}"); return;
            case ImmediateKind.F32: line.Append(' ').Append(FloatText.Of32((uint)instr.Bits)); return;
            case ImmediateKind.F64: line.Append(' ').Append(FloatText.Of64(instr.Bits)); return;
            case ImmediateKind.MemArg:
                if (instr.HasMemoryRef) line.Append(CultureInfo.InvariantCulture, $" (ref {HeapText(instr.Heap1)})");
                if (instr.Memory != 0) line.Append(' ').Append(memories[instr.Memory]);
                if (instr.Bits != 0) line.Append(CultureInfo.InvariantCulture, $" offset={instr.Bits}");
                if (instr.Align != immediate.Number) line.Append(CultureInfo.InvariantCulture, $" align={1UL << (int)instr.Align}");
                return;
            case ImmediateKind.Lanes16:
                for (int i = 0; i < 16; i++) line.Append(' ').Append((byte)((i < 8 ? instr.Bits : instr.High) >> (8 * (i & 7))));
                return;
            case ImmediateKind.HeapType: line.Append(' ').Append(HeapText(instr.Heap1)); return;
            case ImmediateKind.Name: line.Append(' ').Append(Quote(instr.Name!)); return;
            case ImmediateKind.Zero: return;
            case ImmediateKind.Memory:
                line.Append(MemoryText(index));
                break;
            case ImmediateKind.Table:
                if (index != 0) line.Append(' ').Append(tables[index]);
                break;
            case ImmediateKind.Field:
                line.Append(' ').Append(FieldNames(instr.A)[index]);
                break;
            case ImmediateKind.Label: line.Append(' ').Append(Label(index)); break;
            default:
                line.Append(' ').Append(immediate.Kind switch
                {
                    ImmediateKind.Func => funcs[index],
                    ImmediateKind.Type => types[index],
                    ImmediateKind.Global => globals[index],
                    ImmediateKind.Local => locals[index],
                    ImmediateKind.Tag => tags[index],
                    ImmediateKind.Elem => elems[index],
                    ImmediateKind.Data => datas[index],
                    ImmediateKind.Module => modules[index],
                    ImmediateKind.Instance => instances[index],
                    _ => index.ToString(CultureInfo.InvariantCulture),
                });
                break;
        }
        slot++;
    }
}
