using WasmJit.Jit;

namespace WasmJit.Text;

/// <summary>Functions, structured control, folded and flat instructions (spec 6.5).</summary>
internal sealed partial class ModuleParser
{
    private readonly List<string?> locals = [];
    private readonly List<string?> labels = [];
    private uint currentFunc;
    private uint labelCount;

    private void FuncField()
    {
        int first = Position;
        currentFunc = nextFunc++;
        InlineExports("func", currentFunc);
        definedFuncs++;
        locals.Clear();
        labels.Clear();
        labelCount = 0;
        funcSection.U32(TypeUse(out _, locals));
        var types = new List<byte[]>();
        Values("local", types, locals);
        AddLocalNames(locals);
        var body = new ByteWriter();
        WriteLocals(body, types);
        labels.Add(null);
        BeginBody(body);
        Instructions(body);
        EndBody();
        if (Current.Kind != TokenKind.Close) throw Unexpected();
        WriteCode(body, OpId.End);
        codeSection.Sized(body);
        if (!Source.Annotations.IsEmpty) funcRanges.Add((first, Position + 1));
    }

    /// <summary>Ids name locals where no annotation does.</summary>
    private void AddLocalNames(List<string?> ids)
    {
        for (int i = 0; i < ids.Count; i++)
            if (ids[i] is { } id) localNames.TryAdd((currentFunc, (uint)i), id);
    }

    private static void WriteLocals(ByteWriter body, List<byte[]> types)
    {
        var runs = new List<(uint Count, byte[] Type)>();
        foreach (byte[] type in types)
        {
            if (runs.Count > 0 && runs[^1].Type.AsSpan().SequenceEqual(type)) runs[^1] = (runs[^1].Count + 1, type);
            else runs.Add((1, type));
        }
        body.U32((uint)runs.Count);
        foreach ((uint count, byte[] type) in runs)
        {
            body.U32(count);
            body.Bytes(type);
        }
    }

    /// <summary>Instructions up to what cannot begin one.</summary>
    private void Instructions(ByteWriter writer)
    {
        System.Runtime.CompilerServices.RuntimeHelpers.EnsureSufficientExecutionStack();
        while (true)
        {
            if (Current.Kind == TokenKind.Open) Folded(writer);
            else if (Current.Kind == TokenKind.Atom && Current.Text is not ("end" or "else" or "catch" or "catch_all" or "delegate")) Flat(writer);
            else return;
        }
    }

    private Operator FindOperator()
    {
        if (Current.Kind != TokenKind.Atom) throw Unexpected();
        string text = Current.Text;
        // A form of another operator is written with that one's word.
        if (OperatorTable.Find(text) is { Form: OpForm.None } op) return op;
        throw text is "type" or "param" or "result" or "local" or "then" or "do" or "item" or "offset" or "import" or "export" or "ref" or "module"
            ? Unexpected() : Error($"unknown operator {text}");
    }

    /// <summary>A block's id, and the name that an annotation gives it instead.</summary>
    private (string? Id, string? Name) TakeLabel()
    {
        string? id = TakeId();
        return (id, NameAnnotation("label") ?? id);
    }

    private void PushLabel((string? Id, string? Name) label)
    {
        labels.Add(label.Id);
        if (label.Name is not null) labelNames[(currentFunc, labelCount)] = label.Name;
        labelCount++;
    }

    private void PopLabel() => labels.RemoveAt(labels.Count - 1);

    /// <summary>Repeated names after end and else must be the label's.</summary>
    private void CheckLabel()
    {
        if (TakeId() is not { } name) return;
        if (labels[^1] != name)
        {
            Position--;
            throw Error($"mismatching label {name}");
        }
    }

    private void BlockType(ByteWriter writer)
    {
        int at = Position;
        if (IsOpen("result"))
        {
            var results = new List<byte[]>();
            Values("result", results, null);
            if (results.Count == 1)
            {
                writer.Bytes(results[0]);
                return;
            }
            Position = at;
        }
        if (!IsOpen("type") && !IsOpen("param") && !IsOpen("result"))
        {
            writer.U8(TypeByte.EmptyBlock);
            return;
        }
        if (IsOpen("type"))
        {
            uint index = NamelessTypeUse(out FuncShape? shape);
            _ = shape;
            writer.S64(index);
            return;
        }
        writer.S64(NamelessTypeUse(out _));
    }

    /// <summary>A type use whose parameters may not have names: blocks and indirect calls.</summary>
    private uint NamelessTypeUse(out FuncShape? shape)
    {
        int at = Position;
        while (IsOpen("type")) Skip();
        while (IsOpen("param"))
        {
            if (Peek(2).Kind == TokenKind.Id)
            {
                Position += 2;
                throw Unexpected();
            }
            Skip();
        }
        Position = at;
        return TypeUse(out shape);
    }

    // ---- flat ----

    private void Flat(ByteWriter writer)
    {
        AddHint(writer, TakeHint(writer));
        Operator op = FindOperator();
        if (op.Has(OpTraits.Opens))
        {
            Position++;
            FlatBlock(writer, op);
        }
        else
        {
            Plain(writer, op);
        }
    }

    private void FlatBlock(ByteWriter writer, Operator op)
    {
        System.Runtime.CompilerServices.RuntimeHelpers.EnsureSufficientExecutionStack();
        (string? Id, string? Name) label = TakeLabel();
        WriteCode(writer, op);
        BlockType(writer);
        if (op.Id == OpId.TryTable) Catches(writer);
        PushLabel(label);
        Instructions(writer);
        if (op.Id == OpId.If && TakeAtom("else"))
        {
            CheckLabel();
            WriteCode(writer, OpId.Else);
            Instructions(writer);
        }
        bool handled = false, all = false;
        while (op.Id == OpId.Try && !all && (IsAtom("catch") || IsAtom("catch_all")))
        {
            handled = true;
            all = Atom() == "catch_all";
            CheckLabel2(all);
            WriteCode(writer, all ? OpId.CatchAll : OpId.Catch);
            if (!all) writer.U32(Index(tags));
            Instructions(writer);
        }
        if (op.Id == OpId.Try && !handled && TakeAtom("delegate"))
        {
            PopLabel();
            WriteCode(writer, OpId.Delegate);
            writer.U32(Label());
            return;
        }
        if (!TakeAtom("end")) throw Unexpected();
        CheckLabel();
        PopLabel();
        WriteCode(writer, OpId.End);
    }

    /// <summary>After catch_all the label's name may be repeated; after catch an id is the tag.</summary>
    private void CheckLabel2(bool all)
    {
        if (all) CheckLabel();
    }

    private void Catches(ByteWriter writer)
    {
        var clauses = new ByteWriter();
        uint count = 0;
        while (Current.Kind == TokenKind.Open && Peek(1).Text is "catch" or "catch_ref" or "catch_all" or "catch_all_ref")
        {
            Position++;
            string kind = Atom();
            clauses.U8(kind switch
            {
                "catch" => CatchByte.Catch,
                "catch_ref" => CatchByte.CatchRef,
                "catch_all" => CatchByte.CatchAll,
                _ => CatchByte.CatchAllRef,
            });
            if (kind is "catch" or "catch_ref") clauses.U32(Index(tags));
            clauses.U32(Label());
            Close();
            count++;
        }
        writer.U32(count);
        writer.Bytes(clauses.Span);
    }

    private static void WriteCode(ByteWriter writer, OpId id) => WriteCode(writer, OperatorTable.Of(id));

    private static void WriteCode(ByteWriter writer, Operator op)
    {
        if (op.Prefix == 0)
        {
            writer.U8((byte)op.Code);
            return;
        }
        writer.U8(op.Prefix);
        writer.U32(op.Code);
    }

    private uint Label()
    {
        if (Current.Kind != TokenKind.Id) return (uint)Unsigned(32);
        for (int i = labels.Count - 1; i >= 0; i--)
        {
            if (labels[i] != Current.Text) continue;
            Position++;
            return (uint)(labels.Count - 1 - i);
        }
        throw Error($"unknown label {Current.Text}");
    }

    // ---- folded ----

    private void Folded(ByteWriter writer)
    {
        System.Runtime.CompilerServices.RuntimeHelpers.EnsureSufficientExecutionStack();
        if (Current.Kind != TokenKind.Open) throw Unexpected();
        byte? hint = TakeHint(writer);
        Position++;
        Operator op = FindOperator();
        switch (op.Id)
        {
            case OpId.Block or OpId.Loop or OpId.TryTable:
                {
                    Position++;
                    (string? Id, string? Name) label = TakeLabel();
                    WriteCode(writer, op);
                    BlockType(writer);
                    if (op.Id == OpId.TryTable) Catches(writer);
                    PushLabel(label);
                    Instructions(writer);
                    PopLabel();
                    WriteCode(writer, OpId.End);
                    break;
                }
            case OpId.If: Position++; FoldedIf(writer, op, hint); break;
            case OpId.Try: Position++; FoldedTry(writer, op); break;
            default:
                var self = new ByteWriter();
                Plain(self, op);
                while (Current.Kind == TokenKind.Open) Folded(writer);
                AddHint(writer, hint);
                writer.Bytes(self.Span);
                break;
        }
        Close();
    }

    private void FoldedIf(ByteWriter writer, Operator op, byte? hint)
    {
        (string? Id, string? Name) label = TakeLabel();
        var head = new ByteWriter();
        WriteCode(head, op);
        BlockType(head);
        while (Current.Kind == TokenKind.Open && !IsOpen("then")) Folded(writer);
        AddHint(writer, hint);
        writer.Bytes(head.Span);
        PushLabel(label);
        Open("then");
        Instructions(writer);
        Close();
        if (TakeOpen("else"))
        {
            WriteCode(writer, OpId.Else);
            Instructions(writer);
            Close();
        }
        PopLabel();
        WriteCode(writer, OpId.End);
    }

    private void FoldedTry(ByteWriter writer, Operator op)
    {
        (string? Id, string? Name) label = TakeLabel();
        WriteCode(writer, op);
        BlockType(writer);
        PushLabel(label);
        Open("do");
        Instructions(writer);
        Close();
        bool handled = false, all = false;
        while (!all && (IsOpen("catch") || IsOpen("catch_all")))
        {
            handled = true;
            Position++;
            all = Atom() == "catch_all";
            WriteCode(writer, all ? OpId.CatchAll : OpId.Catch);
            if (!all) writer.U32(Index(tags));
            Instructions(writer);
            Close();
        }
        PopLabel();
        if (!handled && TakeOpen("delegate"))
        {
            WriteCode(writer, OpId.Delegate);
            writer.U32(Label());
            Close();
            return;
        }
        WriteCode(writer, OpId.End);
    }
}
