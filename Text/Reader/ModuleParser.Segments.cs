using WasmJit.Jit;

namespace WasmJit.Text;

/// <summary>Element and data segments (spec 6.6.9, 6.6.10), and the constant expressions in them.</summary>
internal sealed partial class ModuleParser
{
    private static bool IsFuncRef(ByteWriter type) => type.Length == 1 && type.Span[0] == WasmJit.HeapType.Func.Code;

    /// <summary>An offset: <c>(offset instr*)</c>, or one folded instruction.</summary>
    private void Offset(ByteWriter writer)
    {
        if (TakeOpen("offset"))
        {
            ConstExpr(writer);
            Close();
        }
        else
        {
            Folded(writer);
            WriteCode(writer, OpId.End);
        }
    }

    private void ConstExpr(ByteWriter writer)
    {
        Instructions(writer);
        WriteCode(writer, OpId.End);
    }

    private void ElemExpr(ByteWriter writer)
    {
        if (TakeOpen("item"))
        {
            ConstExpr(writer);
            Close();
        }
        else
        {
            Folded(writer);
            WriteCode(writer, OpId.End);
        }
    }

    private void ElemField()
    {
        TakeId();
        bool declare = TakeAtom("declare");
        bool active = false;
        uint table = 0;
        bool explicitTable = false;
        var offset = new ByteWriter();
        if (!declare && IsOpen("table"))
        {
            table = Item().Index;
            explicitTable = true;
        }
        else if (!declare && IsNumber && Peek(1).Kind == TokenKind.Open)
        {
            // The form before there were several tables; scripts of older proposals have it.
            table = Index(tables);
        }
        if (!declare && (explicitTable || (Current.Kind == TokenKind.Open && !IsOpen("ref") && !IsOpen("item"))))
        {
            active = true;
            Offset(offset);
        }
        var items = new ByteWriter();
        var type = new ByteWriter();
        uint count = 0;
        bool exprs = false;
        if (TakeAtom("func") || (active && !explicitTable && (IsIndex || Current.Kind == TokenKind.Close)))
        {
            for (; Current.Kind != TokenKind.Close; count++) items.U32(Index(funcs));
        }
        else
        {
            exprs = true;
            RefType(type);
            for (; Current.Kind != TokenKind.Close; count++) ElemExpr(items);
        }
        bool simpleTable = table == 0 && (!exprs || (IsFuncRef(type)));
        uint flags = declare ? ElementFlags.NotActive | ElementFlags.Declarative : !active ? ElementFlags.NotActive : simpleTable ? 0 : ElementFlags.HasTable;
        elemSection.U32(flags | (exprs ? ElementFlags.HasExpressions : 0));
        if (flags == ElementFlags.HasTable) elemSection.U32(table);
        elemSection.Bytes(offset.Span);
        if (flags != 0)
        {
            if (exprs) elemSection.Bytes(type.Span);
            else elemSection.U8(ElementFlags.FuncKind);
        }
        elemSection.U32(count);
        elemSection.Bytes(items.Span);
    }

    private void DataField()
    {
        TakeId();
        uint memory = 0;
        bool active = false;
        var offset = new ByteWriter();
        if (IsOpen("memory"))
        {
            memory = Item().Index;
            active = true;
            Offset(offset);
        }
        else if (IsNumber || (Current.Kind == TokenKind.Open && !IsOpen("module") && !IsOpen("i8") && !IsOpen("i16")))
        {
            // A bare index is the form before there were several memories.
            if (IsNumber) memory = Index(memories);
            active = true;
            Offset(offset);
        }
        byte[] bytes = DataStrings();
        dataSection.U32(!active ? DataFlags.Passive : memory == 0 ? 0 : DataFlags.HasMemory);
        if (active && memory != 0) dataSection.U32(memory);
        dataSection.Bytes(offset.Span);
        dataSection.U32((uint)bytes.Length);
        dataSection.Bytes(bytes);
    }

    /// <summary>Strings, and modules among them: the extension's sugar for the bytes that they encode to.</summary>
    private byte[] DataStrings()
    {
        var bytes = new ByteWriter();
        while (Current.Kind != TokenKind.Close)
        {
            if (Current.Kind == TokenKind.String)
            {
                bytes.Bytes(String());
            }
            else if (IsOpen("module"))
            {
                int begin = Position + 2;
                Skip();
                string? name = Source.Tokens[begin].Kind == TokenKind.Id ? Source.Tokens[begin++].Text : null;
                bytes.Bytes(Encode(Source, begin, Position - 1, name));
            }
            else
            {
                throw Unexpected();
            }
        }
        return bytes.ToArray();
    }
}
