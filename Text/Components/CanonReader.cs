using WasmJit.Components;
using WasmJit.Jit.Format;

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
            var label = Label(Sort.Func);
            uint type = TypeUse(Sort.Func);
            Close();
            AddLift(core, options, type, label);
            return;
        }
        byte[] item = CoreFunction();
        Open("core");
        if (!TakeAtom("func")) throw Unexpected();
        var core2 = Label(Sort.CoreFunc);
        Close();
        Scope.Add(ComponentSectionId.Canon, item);
        Define(Sort.CoreFunc, core2);
    }

    /// <summary>A core function and the options of its lifting.</summary>
    private (uint Core, byte[] Options) LiftOperands()
    {
        OpenSort(Sort.CoreFunc, isPrefixed: true);
        uint core = Target(Sort.CoreFunc);
        Close();
        var options = new ByteWriter();
        Options(options);
        return (core, options.ToArray());
    }

    private uint AddLift(uint core, byte[] options, uint type, (string? Id, string? Name, int Token) label)
    {
        var item = new ByteWriter();
        item.U8((byte)CanonOp.Lift);
        item.U8(0);
        item.U32(core);
        item.Bytes(options);
        item.U32(type);
        Scope.Add(ComponentSectionId.Canon, item.Span);
        return Define(Sort.Func, label);
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
            item.U8((byte)CanonOp.Lower);
            item.U8(0);
            Open("func");
            item.U32(Target(Sort.Func));
            Close();
            Options(item);
            return item.ToArray();
        }
        if (Current.Kind != TokenKind.Atom || CanonBuiltins.Find(Current.Text) is not { } op || !CanonBuiltins.TryGet(op, out CanonImmediates immediates))
            throw Unexpected();
        Position++;
        item.U8((byte)op);
        Immediates(item, immediates);
        return item.ToArray();
    }

    /// <summary>What a built-in takes. Text and bytes have it in the same order.</summary>
    private void Immediates(ByteWriter item, CanonImmediates immediates)
    {
        if (immediates.HasFlag(CanonImmediates.Type)) item.U32(Reference(Sort.Type));
        if (immediates.HasFlag(CanonImmediates.Result)) Result(item);
        if (immediates.HasFlag(CanonImmediates.Slot))
        {
            CoreValueType(item);
            item.U32((uint)Unsigned(32));
        }
        if (immediates.HasFlag(CanonImmediates.Async)) item.U8((byte)(TakeAtom("async") ? 1 : 0));
        if (immediates.HasFlag(CanonImmediates.Cancellable)) item.U8((byte)(TakeAtom("cancellable") ? 1 : 0));
        if (immediates.HasFlag(CanonImmediates.Shared)) item.U8((byte)(TakeAtom("shared") ? 1 : 0));
        if (immediates.HasFlag(CanonImmediates.CoreType)) item.U32(Reference(Sort.CoreType));
        if (immediates.HasFlag(CanonImmediates.Table)) item.U32(Reference(Sort.CoreTable));
        if (immediates.HasFlag(CanonImmediates.Memory))
        {
            Open("memory");
            item.U32(Reference(Sort.CoreMemory));
            Close();
        }
        if (immediates.HasFlag(CanonImmediates.Options)) Options(item);
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
                case "string-encoding=utf8": code = CanonOptionByte.Utf8; break;
                case "string-encoding=utf16": code = CanonOptionByte.Utf16; break;
                case "string-encoding=latin1+utf16": code = CanonOptionByte.Latin1Utf16; break;
                case "async": code = CanonOptionByte.Async; break;
                default: throw Unexpected();
            }
            Position++;
            options.U8(code);
            return true;
        }
        if (Current.Kind != TokenKind.Open || Peek(1).Kind != TokenKind.Atom) return false;
        (byte option, Sort sort) = Peek(1).Text switch
        {
            "memory" => (CanonOptionByte.Memory, Sort.CoreMemory),
            "realloc" => (CanonOptionByte.Realloc, Sort.CoreFunc),
            "post-return" => (CanonOptionByte.PostReturn, Sort.CoreFunc),
            "callback" => (CanonOptionByte.Callback, Sort.CoreFunc),
            _ => ((byte)0, Sort.CoreFunc),
        };
        if (option == 0) return false;
        Position += 2;
        options.U8(option);
        options.U32(Reference(sort));
        Close();
        return true;
    }
}
