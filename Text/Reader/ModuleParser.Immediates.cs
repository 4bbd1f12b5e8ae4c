using WasmJit.Jit;

namespace WasmJit.Text;

/// <summary>Plain instructions: immediates by the kinds that the operator's row lists, and the forms that the text has of its own.</summary>
internal sealed partial class ModuleParser
{
    /// <summary>An instruction without nested ones, its mnemonic being current.</summary>
    private void Plain(ByteWriter writer, Operator op)
    {
        Position++;
        if (IsOpen("ref") && op.WithForm(OpForm.Ref) is { } form)
        {
            ThroughReferences(writer, form);
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
                    WriteCode(writer, op);
                    return;
                }
                var results = new List<byte[]>();
                Values("result", results, null);
                WriteCode(writer, op.WithForm(OpForm.Typed)!);
                writer.U32((uint)results.Count);
                foreach (byte[] type in results) writer.Bytes(type);
                return;
            case OpId.CallIndirect or OpId.ReturnCallIndirect:
                {
                    uint table = IndexOrZero(tables);
                    uint type = NamelessTypeUse(out _);
                    WriteCode(writer, op);
                    writer.U32(type);
                    writer.U32(table);
                    return;
                }
            case OpId.TableInit or OpId.MemoryInit:
                {
                    IndexSpace outer = op.Id == OpId.TableInit ? tables : memories, segments = op.Id == OpId.TableInit ? elems : datas;
                    uint target = IsSecondIndex(segments) ? Index(outer) : 0;
                    WriteCode(writer, op);
                    writer.U32(Index(segments));
                    writer.U32(target);
                    usesDataCount |= op.Id == OpId.MemoryInit;
                    return;
                }
            case OpId.TableCopy or OpId.MemoryCopy:
                {
                    IndexSpace space = op.Id == OpId.TableCopy ? tables : memories;
                    uint to = 0, from = 0;
                    if (IsIndexOf(space))
                    {
                        to = Index(space);
                        from = Index(space);
                    }
                    WriteCode(writer, op);
                    writer.U32(to);
                    writer.U32(from);
                    return;
                }
            case OpId.RefTest or OpId.RefCast or OpId.RefCastDescEq:
                {
                    ReadRef(out bool nullable, out ByteWriter heap);
                    WriteCode(writer, nullable ? op.WithForm(OpForm.Null)! : op);
                    writer.Bytes(heap.Span);
                    return;
                }
            case OpId.BrOnCast or OpId.BrOnCastFail or OpId.BrOnCastDescEq or OpId.BrOnCastDescEqFail:
                {
                    uint label = Label();
                    ReadRef(out bool nullable1, out ByteWriter heap1);
                    ReadRef(out bool nullable2, out ByteWriter heap2);
                    WriteCode(writer, op);
                    writer.U8((byte)((nullable1 ? 1 : 0) | (nullable2 ? 2 : 0)));
                    writer.U32(label);
                    writer.Bytes(heap1.Span);
                    writer.Bytes(heap2.Span);
                    return;
                }
            case OpId.V128Const:
                WriteCode(writer, op);
                VectorConstant(writer);
                return;
            case OpId.Compile or OpId.Instantiate or OpId.GetExport:
                if (op.Id == OpId.Instantiate && IsOpen("module"))
                {
                    WriteCode(writer, op.WithForm(OpForm.Module)!);
                    writer.U32(Item().Index);
                    return;
                }
                if (TakeAtom("null")) op = op.WithForm(OpForm.Null)!;
                break;
        }
        WriteCode(writer, op);
        foreach (Immediate immediate in op.Immediates) WriteImmediate(writer, op, immediate);
    }

    /// <summary>The extension's forms that work on a reference: its type in place of the index, the segment or type behind.</summary>
    private void ThroughReferences(ByteWriter writer, Operator op)
    {
        uint type = ReferenceIndex();
        WriteCode(writer, op);
        switch (op.Id)
        {
            case OpId.MemoryInitRef or OpId.TableInitRef:
                writer.U32(Index(op.Id == OpId.MemoryInitRef ? datas : elems));
                usesDataCount |= op.Id == OpId.MemoryInitRef;
                writer.U32(type);
                return;
            case OpId.CallIndirectRef:
                writer.U32(type);
                writer.U32(NamelessTypeUse(out _));
                return;
        }
        writer.U32(type);
        if (op.Immediates.Length > 1) writer.U32(ReferenceIndex());
    }

    /// <summary>Whether behind an index comes one of a space: the first is then optional and given.</summary>
    private bool IsSecondIndex(IndexSpace space)
    {
        int at = Position;
        if (Current.Kind == TokenKind.Open) Skip();
        else Position++;
        bool second = IsIndexOf(space);
        Position = at;
        return second;
    }

    /// <summary>The type index in <c>(ref $t)</c>.</summary>
    private uint ReferenceIndex()
    {
        Open("ref");
        uint type = IsIndexOf(types) ? Index(types) : SpelledType();
        Close();
        return type;
    }

    /// <summary>A reference type taken apart.</summary>
    private void ReadRef(out bool nullable, out ByteWriter heap)
    {
        heap = new ByteWriter();
        nullable = true;
        if (Current.Kind == TokenKind.Atom && WasmJit.HeapType.FromShorthand(Current.Text) is { Code: var code })
        {
            Position++;
            heap.U8((byte)code);
            return;
        }
        Open("ref");
        nullable = TakeAtom("null");
        HeapType(heap);
        Close();
    }

    private void WriteImmediate(ByteWriter writer, Operator op, Immediate immediate)
    {
        switch (immediate.Kind)
        {
            case ImmediateKind.Label: writer.U32(Label()); break;
            case ImmediateKind.Labels:
                {
                    var all = new List<uint> { Label() };
                    while (IsIndex) all.Add(Label());
                    writer.U32((uint)all.Count - 1);
                    foreach (uint label in all) writer.U32(label);
                    break;
                }
            case ImmediateKind.Func: writer.U32(Index(funcs)); break;
            case ImmediateKind.Type: writer.U32(lastType = Index(types)); break;
            case ImmediateKind.Table: writer.U32(IndexOrZero(tables)); break;
            case ImmediateKind.Memory:
                // An index may be left out; before a type only what is followed by another index is a memory.
                if (op.Immediates.Length > 1 && op.Proposal.IsLinking)
                {
                    writer.U32(IsSecondIndex(types) ? Index(memories) : 0);
                    break;
                }
                writer.U32(IndexOrZero(memories));
                break;
            case ImmediateKind.Global: writer.U32(Index(globals)); break;
            case ImmediateKind.Local: writer.U32(LocalIndex()); break;
            case ImmediateKind.Tag: writer.U32(Index(tags)); break;
            case ImmediateKind.Elem: writer.U32(Index(elems)); break;
            case ImmediateKind.Data:
                writer.U32(Index(datas));
                usesDataCount = true;
                break;
            case ImmediateKind.Field: writer.U32(FieldIndex()); break;
            case ImmediateKind.Count: writer.U32((uint)Unsigned(32)); break;
            case ImmediateKind.Module: writer.U32(Index(modules)); break;
            case ImmediateKind.Instance: writer.U32(Index(instances)); break;
            case ImmediateKind.Name: WriteName(writer, Name()); break;
            case ImmediateKind.MemArg: MemArg(writer, op, immediate.Number); break;
            case ImmediateKind.Lane: writer.U8((byte)Unsigned(8, "i8 constant")); break;
            case ImmediateKind.Lanes16:
                for (int i = 0; i < 16; i++)
                {
                    if (!IsLane) throw Error("invalid lane length");
                    if (!char.IsAsciiDigit(Current.Text[0]) || Current.Text.Contains('.'))
                        throw Error("i8 constant out of range: unexpected token");
                    writer.U8((byte)Unsigned(8, "i8 constant"));
                }
                if (IsNumber) throw Error("invalid lane length");
                break;
            case ImmediateKind.I32: writer.S64((int)Integer(32)); break;
            case ImmediateKind.I64: writer.S64((long)Integer(64)); break;
            case ImmediateKind.F32: writer.Fixed32((uint)Float(false)); break;
            case ImmediateKind.F64: writer.Fixed64(Float(true)); break;
            case ImmediateKind.HeapType: HeapType(writer); break;
            case ImmediateKind.Zero: writer.U8(0); break;
            default: throw Error($"unknown operator {op.Mnemonic}");
        }
    }

    private uint lastType;

    private uint LocalIndex()
    {
        if (Current.Kind != TokenKind.Id) return (uint)Unsigned(32);
        int index = locals.IndexOf(Current.Text);
        if (index < 0) throw Error($"unknown local {Current.Text}");
        Position++;
        return (uint)index;
    }

    private uint FieldIndex()
    {
        if (Current.Kind != TokenKind.Id) return (uint)Unsigned(32);
        if (!fieldIndices.TryGetValue((lastType, Current.Text), out uint index)) throw Error($"unknown field {Current.Text}");
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

    private void MemArg(ByteWriter writer, Operator op, int natural)
    {
        uint memory = 0;
        bool lane = op.Immediates.Any(i => i.Kind == ImmediateKind.Lane);
        var reference = new ByteWriter();
        if (TakeOpen("ref"))
        {
            // The extension's access through a reference to a memory, or to a slice of one.
            HeapType(reference);
            Close();
        }
        else if (IsIndexOf(memories))
        {
            // With a lane behind, a number alone is the lane.
            Token next = Peek(1);
            bool more = next.Kind == TokenKind.Atom
                && (char.IsAsciiDigit(next.Text[0]) || next.Text.StartsWith("offset=", StringComparison.Ordinal)
                    || next.Text.StartsWith("align=", StringComparison.Ordinal));
            if (!lane || more || Current.Kind is TokenKind.Id or TokenKind.Open) memory = Index(memories);
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
        writer.U32(flags | (memory == 0 ? 0 : MemArgFlags.HasMemory) | (reference.Length == 0 ? 0 : MemArgFlags.HasReference));
        if (memory != 0) writer.U32(memory);
        writer.Bytes(reference.Span);
        writer.U64(offset);
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

    private void VectorConstant(ByteWriter writer)
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
            for (int b = 0; b < bits; b += 8) writer.U8((byte)(value >> b));
        }
        if (IsNumber) throw Error("wrong number of lane literals");
    }
}
