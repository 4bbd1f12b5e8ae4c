namespace WasmJit.Text;

/// <summary>Reads canonical definitions.</summary>
internal abstract class CanonReader(Source source, int position, int end) : ComponentTypeReader(source, position, end)
{
    /// <summary>A canonical definition whose function stands last: <c>(canon lift ... (func $f))</c>; behind the keyword.</summary>
    protected void Canon()
    {
        if (TakeAtom("lift"))
        {
            (uint core, byte[] options) = LiftOperands();
            Open("func");
            var label = Label(ItemSort.Func);
            uint type = TypeUse(ItemSort.Func);
            Close();
            AddLift(core, options, type, label);
            return;
        }
        byte[] item = CoreFunction();
        Open("core");
        if (!TakeAtom("func")) throw Unexpected();
        var core2 = Label(ItemSort.CoreFunc);
        Close();
        Scope.Add(DefinitionKind.Canon, item);
        Define(ItemSort.CoreFunc, core2);
    }

    /// <summary>A core function and the options of its lifting.</summary>
    private (uint Core, byte[] Options) LiftOperands()
    {
        OpenSort(ItemSort.CoreFunc, isPrefixed: true);
        uint core = Target(ItemSort.CoreFunc);
        Close();
        var options = new ByteWriter();
        Options(options);
        return (core, options.ToArray());
    }

    private uint AddLift(uint core, byte[] options, uint type, (string? Id, string? Name, int Token) label)
    {
        var item = new ByteWriter();
        item.U8(CanonBuiltins.Lift);
        item.U8(0);
        item.U32(core);
        item.Bytes(options);
        item.U32(type);
        Scope.Add(DefinitionKind.Canon, item.Span);
        return Define(ItemSort.Func, label);
    }

    /// <summary>The lifting of a core function behind its type: <c>(canon lift (core func $f))</c>.</summary>
    protected uint InvertedLift(uint type, (string? Id, string? Name, int Token) label)
    {
        Open("canon");
        if (!TakeAtom("lift")) throw Unexpected();
        (uint core, byte[] options) = LiftOperands();
        Close();
        return AddLift(core, options, type, label);
    }

    /// <summary>A canonical definition of a core function, up to its name.</summary>
    protected byte[] CoreFunction()
    {
        var item = new ByteWriter();
        if (TakeAtom("lower"))
        {
            item.U8(CanonBuiltins.Lower);
            item.U8(0);
            Open("func");
            item.U32(Target(ItemSort.Func));
            Close();
            Options(item);
            return item.ToArray();
        }
        if (Current.Kind != TokenKind.Atom || CanonBuiltins.Find(Current.Text) is not { } builtin) throw Unexpected();
        Position++;
        item.U8(builtin.Code);
        foreach (CanonOperand operand in builtin.Operands) Operand(item, operand);
        return item.ToArray();
    }

    private void Operand(ByteWriter item, CanonOperand operand)
    {
        switch (operand)
        {
            case CanonOperand.Type: item.U32(Reference(ItemSort.Type)); break;
            case CanonOperand.CoreType: item.U32(Reference(ItemSort.CoreType)); break;
            case CanonOperand.CoreTable: item.U32(Reference(ItemSort.CoreTable)); break;
            case CanonOperand.Memory:
                Open("memory");
                item.U32(Reference(ItemSort.CoreMemory));
                Close();
                break;
            case CanonOperand.Options: Options(item); break;
            case CanonOperand.Async: item.U8((byte)(TakeAtom("async") ? 1 : 0)); break;
            case CanonOperand.Cancellable: item.U8((byte)(TakeAtom("cancellable") ? 1 : 0)); break;
            case CanonOperand.Shared: item.U8((byte)(TakeAtom("shared") ? 1 : 0)); break;
            case CanonOperand.Result: Result(item); break;
            case CanonOperand.CoreValueType: CoreValueOperand(item); break;
            case CanonOperand.Number: item.U32((uint)Unsigned(32)); break;
        }
    }

    private void Options(ByteWriter writer)
    {
        var options = new ByteWriter();
        uint count = 0;
        for (; Option(options); count++) ;
        writer.U32(count);
        writer.Bytes(options.Span);
    }

    private bool Option(ByteWriter options)
    {
        if (Current.Kind == TokenKind.Atom)
        {
            byte code;
            switch (Current.Text)
            {
                case "string-encoding=utf8": code = 0; break;
                case "string-encoding=utf16": code = 1; break;
                case "string-encoding=latin1+utf16": code = 2; break;
                case "async": code = 6; break;
                default: throw Unexpected();
            }
            Position++;
            options.U8(code);
            return true;
        }
        if (Current.Kind != TokenKind.Open || Peek(1).Kind != TokenKind.Atom) return false;
        (byte option, ItemSort sort) = Peek(1).Text switch
        {
            "memory" => ((byte)3, ItemSort.CoreMemory),
            "realloc" => ((byte)4, ItemSort.CoreFunc),
            "post-return" => ((byte)5, ItemSort.CoreFunc),
            "callback" => ((byte)7, ItemSort.CoreFunc),
            _ => ((byte)0, ItemSort.CoreFunc),
        };
        if (option == 0) return false;
        Position += 2;
        options.U8(option);
        options.U32(Reference(sort));
        Close();
        return true;
    }
}
