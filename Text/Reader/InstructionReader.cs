using System.Runtime.CompilerServices;
using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;

namespace WasmJit.Text;

/// <summary>
/// Reads the instructions of one function or expression (spec 6.5), flat and folded, and encodes them. Immediates are in
/// <c>InstructionReader.Immediates</c>.
/// </summary>
internal sealed partial class InstructionReader : SyntaxReader
{
    private readonly CodeContext context;
    private readonly ModuleNames names;
    private readonly TypeWriter types;
    private readonly List<string?> labels = [];

    /// <summary>The function's index and locals; constant expressions have none.</summary>
    private readonly uint? func;
    private readonly Dictionary<string, uint> locals = [];

    /// <summary>The branch hints of a function.</summary>
    private readonly List<(int Offset, byte Value)> hints = [];

    /// <summary>Gets the code: that of the function, or of an instruction whose operands are read first.</summary>
    private ByteWriter output;

    private uint labelCount;

    private InstructionReader(CodeContext context, CodeSyntax code, uint? func, ByteWriter output)
        : base(context.Source, code.Token, context.End)
    {
        this.context = context;
        this.func = func;
        this.output = output;
        (names, types) = (context.Names, context.Types);
    }

    /// <summary>Encodes a constant expression.</summary>
    internal static void WriteExpression(CodeContext context, CodeSyntax code, ByteWriter output)
    {
        var reader = new InstructionReader(context, code, null, output);
        if (code.IsFolded) reader.Folded();
        else reader.Whole();
        output.Place(reader.Position);
        output.Code(OpId.End);
    }

    /// <summary>Encodes the code of a function.</summary>
    /// <param name="context">The module's.</param>
    /// <param name="field">The function.</param>
    /// <param name="firstLocal">The number of its parameters.</param>
    /// <param name="output">Gets locals and instructions.</param>
    internal static void WriteBody(CodeContext context, FuncField field, int firstLocal, ByteWriter output)
    {
        var reader = new InstructionReader(context, field.Body, field.Index, output);
        reader.AddLocals(field.Type.Func.Params, 0);
        reader.AddLocals(field.Locals, firstLocal);
        reader.labels.Add(null);
        reader.Whole();
        output.Place(reader.Position);
        output.Code(OpId.End);
        if (reader.hints.Count > 0) context.BranchHints.Add((field.Index, reader.hints));
    }

    private void AddLocals(IReadOnlyList<LocalSyntax> list, int first)
    {
        for (int i = 0; i < list.Count; i++)
            if (list[i].Id is { } id) locals[id] = (uint)(first + i);
    }

    /// <summary>Instructions up to the closing parenthesis around them.</summary>
    private void Whole()
    {
        Instructions();
        if (Current.Kind != TokenKind.Close) throw Unexpected();
    }

    /// <summary>Instructions up to what cannot begin one.</summary>
    private void Instructions()
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        while (true)
        {
            if (Current.Kind == TokenKind.Open) Folded();
            else if (Current.Kind == TokenKind.Atom && Current.Text is not ("end" or "else" or "catch" or "catch_all" or "delegate")) Flat();
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

    // ---- labels ----

    /// <summary>A block's id, and the name that an annotation gives it instead.</summary>
    private (string? Id, string? Name) TakeLabel()
    {
        string? id = TakeId();
        return (id, NameAnnotation("label") ?? id);
    }

    private void PushLabel((string? Id, string? Name) label)
    {
        labels.Add(label.Id);
        if (label.Name is not null && func is { } index) context.LabelNames[(index, labelCount)] = label.Name;
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

    private void BlockType()
    {
        if (!IsOpen("type") && !IsOpen("param") && !IsOpen("result"))
        {
            output.U8(TypeByte.EmptyBlock);
            return;
        }
        int at = Position;
        if (IsOpen("result"))
        {
            List<ValTypeSyntax> results = Results();
            if (results.Count == 1)
            {
                types.Value(output, results[0]);
                return;
            }
            Position = at;
        }
        output.S64(types.TypeUse(TypeUse(ParameterIds.Forbidden), out _));
    }

    // ---- flat ----

    private void Flat()
    {
        AddHint(TakeHint());
        Operator op = FindOperator();
        if (op.Has(OpTraits.Opens))
        {
            Position++;
            FlatBlock(op);
        }
        else
        {
            Plain(op);
        }
    }

    private void FlatBlock(Operator op)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        output.Place(Position - 1);
        (string? Id, string? Name) label = TakeLabel();
        output.Code(op);
        BlockType();
        if (op.Id == OpId.TryTable) Catches();
        PushLabel(label);
        Instructions();
        output.Place(Position);
        if (op.Id == OpId.If && TakeAtom("else"))
        {
            CheckLabel();
            output.Code(OpId.Else);
            Instructions();
            output.Place(Position);
        }
        bool handled = false, all = false;
        while (op.Id == OpId.Try && !all && (IsAtom("catch") || IsAtom("catch_all")))
        {
            handled = true;
            all = Atom() == "catch_all";
            // Behind catch an id is the tag.
            if (all) CheckLabel();
            output.Code(all ? OpId.CatchAll : OpId.Catch);
            if (!all) output.U32(Index(names.Tags));
            Instructions();
            output.Place(Position);
        }
        if (op.Id == OpId.Try && !handled && TakeAtom("delegate"))
        {
            PopLabel();
            output.Code(OpId.Delegate);
            output.U32(Label());
            return;
        }
        if (!TakeAtom("end")) throw Unexpected();
        CheckLabel();
        PopLabel();
        output.Code(OpId.End);
    }

    private void Catches()
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
            if (kind is "catch" or "catch_ref") clauses.U32(Index(names.Tags));
            clauses.U32(Label());
            Close();
            count++;
        }
        output.U32(count);
        output.Bytes(clauses.Span);
    }

    // ---- folded ----

    private void Folded()
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        if (Current.Kind != TokenKind.Open) throw Unexpected();
        byte? hint = TakeHint();
        Position++;
        Operator op = FindOperator();
        switch (op.Id)
        {
            case OpId.Block or OpId.Loop or OpId.TryTable:
                {
                    output.Place(Position);
                    Position++;
                    (string? Id, string? Name) label = TakeLabel();
                    output.Code(op);
                    BlockType();
                    if (op.Id == OpId.TryTable) Catches();
                    PushLabel(label);
                    Instructions();
                    PopLabel();
                    output.Place(Position);
                    output.Code(OpId.End);
                    break;
                }
            case OpId.If: Position++; FoldedIf(op, hint); break;
            case OpId.Try: Position++; FoldedTry(op); break;
            default:
                {
                    ByteWriter outside = output, self = output = context.TakeBuffer();
                    Plain(op);
                    output = outside;
                    while (Current.Kind == TokenKind.Open) Folded();
                    AddHint(hint);
                    output.Append(self);
                    context.ReturnBuffer(self);
                    break;
                }
        }
        Close();
    }

    private void FoldedIf(Operator op, byte? hint)
    {
        int start = Position - 1;
        (string? Id, string? Name) label = TakeLabel();
        ByteWriter outside = output, head = output = context.TakeBuffer();
        output.Place(start);
        output.Code(op);
        BlockType();
        output = outside;
        while (Current.Kind == TokenKind.Open && !IsOpen("then")) Folded();
        AddHint(hint);
        output.Append(head);
        context.ReturnBuffer(head);
        PushLabel(label);
        Open("then");
        Instructions();
        output.Place(Position);
        Close();
        if (TakeOpen("else"))
        {
            output.Code(OpId.Else);
            Instructions();
            output.Place(Position);
            Close();
        }
        PopLabel();
        output.Code(OpId.End);
    }

    private void FoldedTry(Operator op)
    {
        output.Place(Position - 1);
        (string? Id, string? Name) label = TakeLabel();
        output.Code(op);
        BlockType();
        PushLabel(label);
        Open("do");
        Instructions();
        output.Place(Position);
        Close();
        bool handled = false, all = false;
        while (!all && (IsOpen("catch") || IsOpen("catch_all")))
        {
            handled = true;
            Position++;
            all = Atom() == "catch_all";
            output.Code(all ? OpId.CatchAll : OpId.Catch);
            if (!all) output.U32(Index(names.Tags));
            Instructions();
            output.Place(Position);
            Close();
        }
        PopLabel();
        if (!handled && TakeOpen("delegate"))
        {
            output.Code(OpId.Delegate);
            output.U32(Label());
            Close();
            return;
        }
        output.Code(OpId.End);
    }

    // ---- branch hints ----

    /// <summary>The hint before the instruction that begins here; expressions outside of functions have none.</summary>
    private byte? TakeHint()
    {
        if (Source.Annotations.IsEmpty || func is null) return null;
        IReadOnlyList<Annotation> found = Source.Annotations.Take(Position, Annotation.BranchHint);
        if (found.Count == 0) return null;
        if (found.Count > 1) throw Error(found[1], "@metadata.code.branch_hint annotation: duplicate annotation");
        var payload = new ByteWriter();
        foreach (Token token in found[0].Content)
        {
            if (token.Kind != TokenKind.String)
                throw Source.Error(token.Position, "@metadata.code.branch_hint annotation: unexpected token");
            payload.Bytes(token.Bytes);
        }
        if (payload.Length != 1 || payload.Span[0] > 1)
            throw Error(found[0], "@metadata.code.branch_hint annotation: invalid hint value");
        int keyword = Current.Kind == TokenKind.Open ? 1 : 0;
        if (Peek(keyword).Text is not ("if" or "br_if"))
            throw Error(found[0], "@metadata.code.branch_hint annotation: invalid target");
        return payload.Span[0];
    }

    private void AddHint(byte? hint)
    {
        if (hint is { } value) hints.Add((output.Length, value));
    }
}
