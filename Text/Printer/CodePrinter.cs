using System.Globalization;
using System.Text;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;

namespace WasmJit.Text;

/// <summary>A printed instruction.</summary>
/// <param name="Offset">Where it is in the module's bytes.</param>
/// <param name="Depth">The number of blocks around it.</param>
/// <param name="Text">The instruction, flat.</param>
/// <param name="Block">The number of the block that it begins. The function is 0.</param>
internal readonly record struct CodeLine(int Offset, int Depth, string Text, int Block);

/// <summary>
/// Prints the code of a function, or a constant expression: one instruction a line, with immediates by the kinds that the operator's
/// row lists.
/// </summary>
/// <param name="module">The module.</param>
/// <param name="ids">Its ids.</param>
/// <param name="typeText">Prints types.</param>
/// <param name="func">The function; null for a constant expression.</param>
/// <param name="printsHints">Whether branch hints are printed.</param>
internal sealed class CodePrinter(ModuleInfo module, ModuleIds ids, TypePrinter typeText, uint? func, bool printsHints)
{
    private readonly PrintedNames locals = func is { } named ? ids.LocalNames(named) : PrintedNames.Empty;

    /// <summary>The function and the open blocks.</summary>
    private readonly List<(string? Name, int Line, int Hidden)> labels = func is null ? [] : [(null, -1, -1)];

    /// <summary>The innermost label of each name. Each label has the index of the label that it hides.</summary>
    private readonly Dictionary<string, int> innermost = [];

    /// <summary>The lines of blocks with branches by number. A comment gives them the number that is in the branches' comments.</summary>
    private readonly HashSet<int> targets = [];

    private int currentLine;

    /// <summary>The number of blocks printed so far.</summary>
    internal uint LabelCount { get; private set; }

    internal bool HasLocalNames => !locals.IsEmpty;

    /// <summary>The parameters and results. Parameters with names have a clause each.</summary>
    internal string Parameters(uint type)
    {
        (string[] parameters, string[] results) = typeText.SignatureOf(type, out bool isKnown);
        if (!isKnown && HasLocalNames) ids.CanBeSaid = false;
        return Declarations("param", parameters, 0) + TypePrinter.Clause("result", results);
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

    /// <summary>The instructions of the function, without the <c>end</c> that closes it.</summary>
    internal List<CodeLine> Body(FuncInfo body)
    {
        var lines = new List<CodeLine>();
        int depth = 0;
        var code = new CodeReader(module.Bytes.Span, body.CodeStart, body.BodyEnd);
        while (true)
        {
            code.Read(out Instr instr);
            if (instr.Op.Has(OpTraits.Closes | OpTraits.Divides)) depth--;
            if (depth < 0)
            {
                foreach (int target in targets)
                    lines[target] = lines[target] with { Text = $"{lines[target].Text} (;@{lines[target].Block};)" };
                return lines;
            }
            if (instr.Op.Has(OpTraits.Closes)) CloseLabel();
            currentLine = lines.Count;
            string line = Instruction(ref code, instr);
            if (printsHints && module.BranchHints.TryGetValue(instr.Offset, out bool likely))
                line = $"(@{BranchHints.SectionName} \"\\0{(likely ? 1 : 0)}\") {line}";
            lines.Add(new CodeLine(instr.Offset, depth, line, labels.Count - 1));
            if (instr.Op.Has(OpTraits.Opens | OpTraits.Divides)) depth++;
        }
    }

    /// <summary>The locals, null if there are none. Their runs are found again when the text is read.</summary>
    internal string? Locals(FuncInfo info)
    {
        ByteReader reader = typeText.At(info.BodyStart);
        uint runs = reader.U32();
        var list = new List<string>();
        for (uint i = 0; i < runs; i++)
        {
            uint count = reader.U32();
            string type = typeText.Val(ref reader);
            for (uint j = 0; j < count; j++) list.Add(type);
        }
        return list.Count == 0 ? null : Declarations("local", list, (uint)info.Func.Params.Length)[1..];
    }

    /// <summary>A label's name, if no other label hides it; otherwise its number, with the block's number in a comment.</summary>
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
                return $" (result {typeText.Val(ref reader)})";
            case BlockTypeForm.Index: return $" (type {ids.Types[instr.BlockIndex]})";
            default: return "";
        }
    }

    /// <summary>An instruction on one line, without indentation.</summary>
    internal string Instruction(ref CodeReader code, in Instr instr)
    {
        Operator op = instr.Op;
        if (op.Has(OpTraits.Opens))
        {
            string head = op.Mnemonic;
            string? name = func is { } index ? module.Names.Labels.GetValueOrDefault((index, LabelCount++)) : null;
            string? label = name is { Length: > 0 } ? TextStrings.Id(name) : null;
            if (name is not null) head += " " + (label ?? TextStrings.NameAnnotation(name));
            head += BlockTypeText(ref code, instr);
            if (op.Id == OpId.TryTable) head += Catches(ref code, instr);
            OpenLabel(label);
            return head;
        }
        switch (op.Id)
        {
            case OpId.CallIndirect or OpId.ReturnCallIndirect:
                return $"{op.Mnemonic}{(instr.B == 0 ? "" : " " + ids.Tables[instr.B])} (type {ids.Types[instr.A]})";
            case OpId.SelectT:
                {
                    ByteReader reader = code.List(instr);
                    var list = new StringBuilder("select (result");
                    for (int i = 0; i < instr.ListCount; i++) list.Append(' ').Append(typeText.Val(ref reader));
                    return list.Append(')').ToString();
                }
            case OpId.TableInit: return $"table.init{(instr.B == 0 ? "" : " " + ids.Tables[instr.B])} {ids.Elems[instr.A]}";
            case OpId.MemoryInit: return $"memory.init{(instr.B == 0 ? "" : " " + ids.Memories[instr.B])} {ids.Datas[instr.A]}";
            case OpId.TableCopy or OpId.MemoryCopy:
                {
                    PrintedNames space = op.Id == OpId.TableCopy ? ids.Tables : ids.Memories;
                    return instr.A == 0 && instr.B == 0 ? op.Mnemonic : $"{op.Mnemonic} {space[instr.A]} {space[instr.B]}";
                }
            case OpId.RefTest or OpId.RefTestNull or OpId.RefCast or OpId.RefCastNull:
            case OpId.RefCastDescEq or OpId.RefCastDescEqNull:
                return $"{op.Word} {typeText.RefText(instr.Heap1, instr.Nullable1)}";
            case OpId.BrOnCast or OpId.BrOnCastFail or OpId.BrOnCastDescEq or OpId.BrOnCastDescEqFail:
                return $"{op.Mnemonic} {Label(instr.A)} {typeText.RefText(instr.Heap1, instr.Nullable1)} "
                    + typeText.RefText(instr.Heap2, instr.Nullable2);
            case OpId.V128Const:
                return $"v128.const i32x4 0x{(uint)instr.Bits:x8} 0x{instr.Bits >> 32:x8}"
                    + $" 0x{(uint)instr.High:x8} 0x{instr.High >> 32:x8}";
            case OpId.CompileNull: return $"compile null{MemoryText(instr.A)} {ids.Types[instr.B]}";
            case OpId.Compile: return $"compile{MemoryText(instr.A)} {ids.Types[instr.B]}";
            case OpId.FuncNewNull or OpId.FuncNewNamedNull: return $"{op.Word} null{MemoryText(instr.A)} {ids.Types[instr.B]} {ids.Scopes[instr.C]}";
            case OpId.InstantiateNull: return $"instantiate null {ids.Types[instr.A]}";
            case OpId.InstantiateModule: return $"instantiate (module {ids.Modules[instr.A]})";
            case OpId.CallIndirectRef: return $"call_indirect (ref {ids.Types[instr.A]}) (type {ids.Types[instr.B]})";
            case OpId.MemoryInitRef: return $"memory.init (ref {ids.Types[instr.B]}) {ids.Datas[instr.A]}";
            case OpId.TableInitRef: return $"table.init (ref {ids.Types[instr.B]}) {ids.Elems[instr.A]}";
            case OpId.GetExportNull: return $"get_export null{MemoryText(instr.A)} {ids.Types[instr.B]}";
        }
        // The extension's operators on references to memories, tables and globals have (ref $t) behind the mnemonic.
        if (op.Form == OpForm.Ref)
            return $"{op.Word} (ref {ids.Types[instr.A]}){(op.Immediates.Length > 1 ? $" (ref {ids.Types[instr.B]})" : "")}";
        var line = new StringBuilder(op.Mnemonic);
        int slot = 0;
        foreach (Immediate immediate in op.Immediates) Append(line, ref code, instr, immediate, ref slot);
        return line.ToString();
    }

    private string MemoryText(uint memory) => memory == 0 ? "" : " " + ids.Memories[memory];

    private string Catches(ref CodeReader code, in Instr instr)
    {
        ByteReader reader = code.List(instr);
        var list = new StringBuilder();
        for (int i = 0; i < instr.ListCount; i++)
        {
            CodeReader.ReadCatch(ref reader, out byte kind, out uint tag, out uint label);
            string keyword = kind switch { CatchByte.Catch => "catch", CatchByte.CatchRef => "catch_ref", CatchByte.CatchAll => "catch_all", _ => "catch_all_ref" };
            list.Append(CultureInfo.InvariantCulture, $" ({keyword}{(kind < CatchByte.CatchAll ? " " + ids.Tags[tag] : "")} {Label(label)})");
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
                if (instr.HasMemoryRef) line.Append(CultureInfo.InvariantCulture, $" (ref {typeText.HeapText(instr.Heap1)})");
                if (instr.Memory != 0) line.Append(' ').Append(ids.Memories[instr.Memory]);
                if (instr.Bits != 0) line.Append(CultureInfo.InvariantCulture, $" offset={instr.Bits}");
                if (instr.Align != immediate.Number) line.Append(CultureInfo.InvariantCulture, $" align={1UL << (int)instr.Align}");
                return;
            case ImmediateKind.Lanes16:
                for (int i = 0; i < 16; i++) line.Append(' ').Append((byte)((i < 8 ? instr.Bits : instr.High) >> (8 * (i & 7))));
                return;
            case ImmediateKind.HeapType: line.Append(' ').Append(typeText.HeapText(instr.Heap1)); return;
            case ImmediateKind.Name: line.Append(' ').Append(TextStrings.Quote(instr.Name!)); return;
            case ImmediateKind.Zero: return;
            case ImmediateKind.Memory:
                line.Append(MemoryText(index));
                break;
            case ImmediateKind.Table:
                if (index != 0) line.Append(' ').Append(ids.Tables[index]);
                break;
            case ImmediateKind.Field:
                line.Append(' ').Append(ids.FieldNames(instr.A)[index]);
                break;
            case ImmediateKind.Label: line.Append(' ').Append(Label(index)); break;
            default:
                line.Append(' ').Append(immediate.Kind switch
                {
                    ImmediateKind.Func => ids.Funcs[index],
                    ImmediateKind.Type => ids.Types[index],
                    ImmediateKind.Global => ids.Globals[index],
                    ImmediateKind.Local => locals[index],
                    ImmediateKind.Tag => ids.Tags[index],
                    ImmediateKind.Elem => ids.Elems[index],
                    ImmediateKind.Data => ids.Datas[index],
                    ImmediateKind.Module => ids.Modules[index],
                    ImmediateKind.Instance => ids.Instances[index],
                    ImmediateKind.Scope => ids.Scopes[index],
                    _ => index.ToString(CultureInfo.InvariantCulture),
                });
                break;
        }
        slot++;
    }
}
