using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;

namespace WasmJit.Text;

/// <summary>Plain instructions: immediates by the kinds that the operator's row lists, and the forms that the text has of its own.</summary>
internal sealed partial class InstructionReader
{
    private uint Index(IndexSpace space) => names.Index(space, Index(space.Kind));

    private uint IndexOrZero(IndexSpace space) => IsIndexOf(space.Kind) ? Index(space) : 0;

    private uint TypeIndex() => types.Index(Index("type"));

    /// <summary>An instruction without nested ones, its mnemonic being current.</summary>
    private void Plain(Operator op)
    {
        output.Place(Position);
        Position++;
        if (IsOpen("ref") && op.WithForm(OpForm.Ref) is { } form)
        {
            ThroughReferences(form);
            return;
        }
        if (op.Has(OpTraits.Opens | OpTraits.Divides | OpTraits.Closes))
        {
            Position--;
            throw Unexpected();
        }
        switch (op.Id)
        {
            case OpId.Select:
                if (!IsOpen("result"))
                {
                    output.Code(op);
                    return;
                }
                List<ValTypeSyntax> results = Results();
                output.Code(op.WithForm(OpForm.Typed)!);
                output.U32((uint)results.Count);
                foreach (ValTypeSyntax result in results) types.Value(output, result);
                return;
            case OpId.CallIndirect or OpId.ReturnCallIndirect:
                {
                    uint table = IndexOrZero(names.Tables);
                    uint type = types.TypeUse(TypeUse(ParameterIds.Forbidden), out _);
                    output.Code(op);
                    output.U32(type);
                    output.U32(table);
                    return;
                }
            case OpId.TableInit or OpId.MemoryInit:
                {
                    IndexSpace outer = op.Id == OpId.TableInit ? names.Tables : names.Memories;
                    IndexSpace segments = op.Id == OpId.TableInit ? names.Elems : names.Datas;
                    uint target = IsSecondIndex(segments.Kind) ? Index(outer) : 0;
                    output.Code(op);
                    output.U32(Index(segments));
                    output.U32(target);
                    context.UsesDataCount |= op.Id == OpId.MemoryInit;
                    return;
                }
            case OpId.TableCopy or OpId.MemoryCopy:
                {
                    IndexSpace space = op.Id == OpId.TableCopy ? names.Tables : names.Memories;
                    uint to = 0, from = 0;
                    if (IsIndexOf(space.Kind))
                    {
                        to = Index(space);
                        from = Index(space);
                    }
                    output.Code(op);
                    output.U32(to);
                    output.U32(from);
                    return;
                }
            case OpId.RefTest or OpId.RefCast or OpId.RefCastDescEq:
                {
                    ValTypeSyntax type = RefType();
                    output.Code(type.IsNullable ? op.WithForm(OpForm.Null)! : op);
                    types.Heap(output, type.Heap!);
                    return;
                }
            case OpId.BrOnCast or OpId.BrOnCastFail or OpId.BrOnCastDescEq or OpId.BrOnCastDescEqFail:
                {
                    uint label = Label();
                    ValTypeSyntax from = RefType(), to = RefType();
                    output.Code(op);
                    output.U8((byte)((from.IsNullable ? 1 : 0) | (to.IsNullable ? 2 : 0)));
                    output.U32(label);
                    types.Heap(output, from.Heap!);
                    types.Heap(output, to.Heap!);
                    return;
                }
            case OpId.V128Const:
                output.Code(op);
                VectorConstant();
                return;
            case OpId.Compile or OpId.Instantiate or OpId.GetExport or OpId.FuncNew or OpId.FuncNewNamed:
                if (op.Id == OpId.Instantiate && IsOpen("module"))
                {
                    output.Code(op.WithForm(OpForm.Module)!);
                    output.U32(names.Index(names.Modules, Item().Index));
                    return;
                }
                if (TakeAtom("null")) op = op.WithForm(OpForm.Null)!;
                break;
        }
        output.Code(op);
        uint lastType = 0;
        foreach (Immediate immediate in op.Immediates) WriteImmediate(op, immediate, ref lastType);
    }

    /// <summary>The extension's forms that work on a reference: its type in place of the index, the segment or type behind.</summary>
    private void ThroughReferences(Operator op)
    {
        uint type = ReferenceIndex();
        output.Code(op);
        switch (op.Id)
        {
            case OpId.MemoryInitRef or OpId.TableInitRef:
                output.U32(Index(op.Id == OpId.MemoryInitRef ? names.Datas : names.Elems));
                context.UsesDataCount |= op.Id == OpId.MemoryInitRef;
                output.U32(type);
                return;
            case OpId.CallIndirectRef:
                output.U32(type);
                output.U32(types.TypeUse(TypeUse(ParameterIds.Forbidden), out _));
                return;
        }
        output.U32(type);
        if (op.Immediates.Length > 1) output.U32(ReferenceIndex());
    }

    /// <summary>
    /// Whether so many indices stand here, the second of this kind and the others without aliases. Then the first, which may be left out, was written.
    /// </summary>
    private bool IsSecondIndex(string kind, int count = 2)
    {
        int at = Position;
        if (Current.Kind == TokenKind.Open) Skip();
        else Position++;
        bool second = IsIndexOf(kind);
        if (second && count > 2)
        {
            if (Current.Kind == TokenKind.Open) Skip();
            else Position++;
            second = IsIndex;
        }
        Position = at;
        return second;
    }

    /// <summary>The type index in <c>(ref $t)</c>.</summary>
    private uint ReferenceIndex()
    {
        Open("ref");
        uint type = IsIndexOf("type") ? TypeIndex() : types.Written(WrittenType());
        Close();
        return type;
    }

    private void WriteImmediate(Operator op, Immediate immediate, ref uint lastType)
    {
        switch (immediate.Kind)
        {
            case ImmediateKind.Label: output.U32(Label()); break;
            case ImmediateKind.Labels:
                {
                    var all = new List<uint> { Label() };
                    while (IsIndex) all.Add(Label());
                    output.U32((uint)all.Count - 1);
                    foreach (uint label in all) output.U32(label);
                    break;
                }
            case ImmediateKind.Func: output.U32(Index(names.Funcs)); break;
            case ImmediateKind.Type: output.U32(lastType = TypeIndex()); break;
            case ImmediateKind.Table: output.U32(IndexOrZero(names.Tables)); break;
            case ImmediateKind.Memory:
                // An index may be left out; before others only what is followed by as many indices is a memory.
                if (op.Immediates.Length > 1 && op.Proposal.IsLinking)
                {
                    output.U32(IsSecondIndex("type", op.Immediates.Length) ? Index(names.Memories) : 0);
                    break;
                }
                output.U32(IndexOrZero(names.Memories));
                break;
            case ImmediateKind.Global: output.U32(Index(names.Globals)); break;
            case ImmediateKind.Local: output.U32(LocalIndex()); break;
            case ImmediateKind.Tag: output.U32(Index(names.Tags)); break;
            case ImmediateKind.Elem: output.U32(Index(names.Elems)); break;
            case ImmediateKind.Data:
                output.U32(Index(names.Datas));
                context.UsesDataCount = true;
                break;
            case ImmediateKind.Field: output.U32(FieldIndex(lastType)); break;
            case ImmediateKind.Count: output.U32((uint)Unsigned(32)); break;
            case ImmediateKind.Module: output.U32(Index(names.Modules)); break;
            case ImmediateKind.Instance: output.U32(Index(names.Instances)); break;
            case ImmediateKind.Scope: output.U32(Index(names.Scopes)); break;
            case ImmediateKind.Name: output.Vector(Name()); break;
            case ImmediateKind.MemArg: MemArg(op, immediate.Number); break;
            case ImmediateKind.Lane: output.U8((byte)Unsigned(8, "i8 constant")); break;
            case ImmediateKind.Lanes16:
                for (int i = 0; i < 16; i++)
                {
                    if (!IsLane) throw Error("invalid lane length");
                    if (!char.IsAsciiDigit(Current.Text[0]) || Current.Text.Contains('.'))
                        throw Error("i8 constant out of range: unexpected token");
                    output.U8((byte)Unsigned(8, "i8 constant"));
                }
                if (IsNumber) throw Error("invalid lane length");
                break;
            case ImmediateKind.I32: output.S64((int)Integer(32)); break;
            case ImmediateKind.I64: output.S64((long)Integer(64)); break;
            case ImmediateKind.F32: output.Fixed32((uint)Float(false)); break;
            case ImmediateKind.F64: output.Fixed64(Float(true)); break;
            case ImmediateKind.HeapType: types.Heap(output, HeapType()); break;
            case ImmediateKind.Zero: output.U8(0); break;
            default: throw Error($"unknown operator {op.Mnemonic}");
        }
    }

    private uint LocalIndex()
    {
        if (Current.Kind != TokenKind.Id) return (uint)Unsigned(32);
        if (!locals.TryGetValue(Current.Text, out uint index)) throw Error($"unknown local {Current.Text}");
        Position++;
        return index;
    }

    private uint FieldIndex(uint type)
    {
        if (Current.Kind != TokenKind.Id) return (uint)Unsigned(32);
        if (!names.Types.FindField(type, Current.Text, out uint index)) throw Error($"unknown field {Current.Text}");
        Position++;
        return index;
    }

    private ulong Integer(int bits)
    {
        if (Current.Kind != TokenKind.Atom) throw Unexpected();
        switch (Numbers.Integer(Current.Text, bits, out ulong value))
        {
            case Numbers.Outcome.Ok: Position++; return value;
            case Numbers.Outcome.OutOfRange: throw Error("constant out of range");
            default: throw Unexpected();
        }
    }

    private ulong Float(bool is64)
    {
        if (Current.Kind != TokenKind.Atom) throw Unexpected();
        switch (Numbers.Float(Current.Text, is64, out ulong bits))
        {
            case Numbers.Outcome.Ok: Position++; return bits;
            case Numbers.Outcome.OutOfRange: throw Error("constant out of range");
            default: throw Unexpected();
        }
    }

    private void MemArg(Operator op, int natural)
    {
        uint memory = 0;
        HeapTypeSyntax? reference = null;
        if (TakeOpen("ref"))
        {
            // The extension's access through a reference to a memory, or to a slice of one.
            reference = HeapType();
            Close();
        }
        else if (IsIndexOf("memory"))
        {
            // With a lane behind, a number alone is the lane.
            Token next = Peek(1);
            bool more = next.Kind == TokenKind.Atom
                && (char.IsAsciiDigit(next.Text[0]) || next.Text.StartsWith("offset=", StringComparison.Ordinal)
                    || next.Text.StartsWith("align=", StringComparison.Ordinal));
            if (more || Current.Kind is TokenKind.Id or TokenKind.Open || !HasLane(op)) memory = Index(names.Memories);
        }
        ulong offset = Attribute("offset=", 64) ?? 0;
        ulong align = 1UL << natural;
        if (Attribute("align=", 64) is { } given)
        {
            if (given == 0 || (given & (given - 1)) != 0)
            {
                Position--;
                throw Error("alignment must be a power of two");
            }
            align = given;
        }
        uint flags = (uint)System.Numerics.BitOperations.Log2(align);
        output.U32(flags | (memory == 0 ? 0 : MemArgFlags.HasMemory) | (reference is null ? 0 : MemArgFlags.HasReference));
        if (memory != 0) output.U32(memory);
        if (reference is not null) types.Heap(output, reference);
        output.U64(offset);
    }

    private static bool HasLane(Operator op)
    {
        foreach (Immediate immediate in op.Immediates)
            if (immediate.Kind == ImmediateKind.Lane) return true;
        return false;
    }

    private ulong? Attribute(string name, int bits)
    {
        if (Current.Kind != TokenKind.Atom || !Current.Text.StartsWith(name, StringComparison.Ordinal)) return null;
        switch (Numbers.Unsigned(Current.Text.AsSpan(name.Length), bits, out ulong value))
        {
            case Numbers.Outcome.Ok: Position++; return value;
            case Numbers.Outcome.OutOfRange: throw Error($"i{bits} constant out of range: constant out of range");
            default: throw Error("unknown operator: unexpected token");
        }
    }

    /// <summary>Whether a number comes, of whatever kind; mnemonics never look like one.</summary>
    private bool IsLane => IsNumber || (Current.Kind == TokenKind.Atom && Current.Text is "inf" or "nan");

    private void VectorConstant()
    {
        string shape = Atom();
        (int lanes, int bits, bool isFloat) = shape switch
        {
            "i8x16" => (16, 8, false),
            "i16x8" => (8, 16, false),
            "i32x4" => (4, 32, false),
            "i64x2" => (2, 64, false),
            "f32x4" => (4, 32, true),
            "f64x2" => (2, 64, true),
            _ => throw Error("unexpected token: unknown vector shape"),
        };
        for (int i = 0; i < lanes; i++)
            if (Peek(i) is not { Kind: TokenKind.Atom } token || OperatorTable.Find(token.Text) is not null)
                throw Error("wrong number of lane literals");
        for (int i = 0; i < lanes; i++)
        {
            ulong value = isFloat ? Float(bits == 64) : Integer(bits);
            for (int b = 0; b < bits; b += 8) output.U8((byte)(value >> b));
        }
        if (IsNumber) throw Error("wrong number of lane literals");
    }
}
