namespace WasmJit.Jit;

/// <summary>
/// Operators on memories, tables, globals and slices behind references (runtime linking, sections 3 and 4). A reference lies below
/// the operands that the operator has without it; where there are two, each lies below its own address.
/// </summary>
internal sealed partial class FunctionValidator
{
    private MemoryType MemoryAt(uint index) =>
        Type(index).Composite is EntityType { Entity: { Kind: ExternKind.Memory } entity } ? entity.Memory
            : throw Error($"type mismatch: type {index} is not a memory type");

    private TableType TableAt(uint index) =>
        Type(index).Composite is EntityType { Entity: { Kind: ExternKind.Table } entity } ? entity.Table
            : throw Error($"type mismatch: type {index} is not a table type");

    private GlobalType GlobalAt(uint index) =>
        Type(index).Composite is EntityType { Entity: { Kind: ExternKind.Global } entity } ? entity.Global
            : throw Error($"type mismatch: type {index} is not a global type");

    /// <summary>The type of addresses of an access through a reference. Flags that name no memory are those of no access.</summary>
    private ValType ReferenceAddress(in Instr instr)
    {
        HeapType type = Heap(instr.Heap1);
        bool isSlice = ReferenceEquals(type, HeapType.Slice);
        if (!isSlice && type is not DefType { Composite: EntityType { Entity.Kind: ExternKind.Memory } })
            throw new MalformedModuleException("malformed memop flags", at);
        if (!module.Settings.AllowLinking) throw Error($"{instr.Op.Mnemonic} through a reference needs the feature runtime-linking, which is switched off");
        return isSlice ? ValType.I64 : ((EntityType)((DefType)type).Composite).Entity.Memory.AddressType;
    }

    private void PopReference(uint type) => Pop(ValType.Ref(Type(type), true));

    private void PopSlice() => Pop(ValType.Ref(HeapType.Slice, true));

    private void PushSlice() => Push(ValType.Ref(HeapType.Slice, false));

    private bool ValidateMemoryReferences(OpId op, in Instr instr)
    {
        switch (op)
        {
            case OpId.MemoryNew:
                MemoryAt(instr.A);
                Push(ValType.Ref(Type(instr.A), false));
                return true;
            case OpId.MemorySizeRef:
                {
                    ValType address = MemoryAt(instr.A).AddressType;
                    PopReference(instr.A);
                    Push(address);
                    return true;
                }
            case OpId.MemoryGrowRef:
                {
                    ValType address = MemoryAt(instr.A).AddressType;
                    Pop(address);
                    PopReference(instr.A);
                    Push(address);
                    return true;
                }
            case OpId.MemoryFillRef:
                {
                    ValType address = MemoryAt(instr.A).AddressType;
                    Pop(address);
                    Pop(ValType.I32);
                    Pop(address);
                    PopReference(instr.A);
                    return true;
                }
            case OpId.MemoryCopyRef:
                {
                    ValType to = MemoryAt(instr.A).AddressType, from = MemoryAt(instr.B).AddressType;
                    Pop(to == ValType.I64 && from == ValType.I64 ? ValType.I64 : ValType.I32);
                    Pop(from);
                    PopReference(instr.B);
                    Pop(to);
                    PopReference(instr.A);
                    return true;
                }
            case OpId.MemoryInitRef:
                {
                    ValType address = MemoryAt(instr.B).AddressType;
                    Data(instr.A);
                    Pop(ValType.I32);
                    Pop(ValType.I32);
                    Pop(address);
                    PopReference(instr.B);
                    return true;
                }
            default: return false;
        }
    }

    private bool ValidateTableReferences(OpId op, in Instr instr)
    {
        switch (op)
        {
            case OpId.TableNew:
                Pop(TableAt(instr.A).Element);
                Push(ValType.Ref(Type(instr.A), false));
                return true;
            case OpId.TableGetRef:
                {
                    TableType table = TableAt(instr.A);
                    Pop(table.AddressType);
                    PopReference(instr.A);
                    Push(table.Element);
                    return true;
                }
            case OpId.TableSetRef:
                {
                    TableType table = TableAt(instr.A);
                    Pop(table.Element);
                    Pop(table.AddressType);
                    PopReference(instr.A);
                    return true;
                }
            case OpId.TableSizeRef:
                {
                    ValType address = TableAt(instr.A).AddressType;
                    PopReference(instr.A);
                    Push(address);
                    return true;
                }
            case OpId.TableGrowRef:
                {
                    TableType table = TableAt(instr.A);
                    Pop(table.AddressType);
                    Pop(table.Element);
                    PopReference(instr.A);
                    Push(table.AddressType);
                    return true;
                }
            case OpId.TableFillRef:
                {
                    TableType table = TableAt(instr.A);
                    Pop(table.AddressType);
                    Pop(table.Element);
                    Pop(table.AddressType);
                    PopReference(instr.A);
                    return true;
                }
            case OpId.TableCopyRef:
                {
                    TableType to = TableAt(instr.A), from = TableAt(instr.B);
                    if (!Subtyping.IsSubtype(from.Element, to.Element)) throw Error("type mismatch: the tables' elements differ");
                    Pop(to.Is64 && from.Is64 ? ValType.I64 : ValType.I32);
                    Pop(from.AddressType);
                    PopReference(instr.B);
                    Pop(to.AddressType);
                    PopReference(instr.A);
                    return true;
                }
            case OpId.TableInitRef:
                {
                    TableType table = TableAt(instr.B);
                    if (!Subtyping.IsSubtype(Elem(instr.A).Type, table.Element)) throw Error("type mismatch: the segment does not fit the table");
                    Pop(ValType.I32);
                    Pop(ValType.I32);
                    Pop(table.AddressType);
                    PopReference(instr.B);
                    return true;
                }
            case OpId.CallIndirectRef:
                {
                    TableType table = TableAt(instr.A);
                    if (!Subtyping.IsSubtype(table.Element, ValType.FuncRef)) throw Error("type mismatch: call_indirect through a table that does not hold functions");
                    FuncType type = FuncTypeAt(instr.B);
                    Pop(table.AddressType);
                    PopReference(instr.A);
                    Call(type);
                    return true;
                }
            default: return false;
        }
    }

    private bool ValidateGlobalReferences(OpId op, in Instr instr)
    {
        switch (op)
        {
            case OpId.GlobalNew:
                Pop(GlobalAt(instr.A).Type);
                Push(ValType.Ref(Type(instr.A), false));
                return true;
            case OpId.GlobalGetRef:
                {
                    GlobalType global = GlobalAt(instr.A);
                    PopReference(instr.A);
                    Push(global.Type);
                    return true;
                }
            case OpId.GlobalSetRef:
                {
                    GlobalType global = GlobalAt(instr.A);
                    if (!global.IsMutable) throw Error("immutable global");
                    Pop(global.Type);
                    PopReference(instr.A);
                    return true;
                }
            default: return false;
        }
    }

    private bool ValidateSlices(OpId op, in Instr instr)
    {
        switch (op)
        {
            case OpId.SliceNew or OpId.SliceNewRef:
                {
                    ValType address = (op == OpId.SliceNew ? Memory(instr.A) : MemoryAt(instr.A)).AddressType;
                    Pop(address);
                    Pop(address);
                    if (op == OpId.SliceNewRef) PopReference(instr.A);
                    PushSlice();
                    return true;
                }
            case OpId.SliceSub:
                Pop(ValType.I64);
                Pop(ValType.I64);
                PopSlice();
                PushSlice();
                return true;
            case OpId.SliceReadonly:
                PopSlice();
                PushSlice();
                return true;
            case OpId.SliceLen:
                PopSlice();
                Push(ValType.I64);
                return true;
            case OpId.SliceCopy:
                Pop(ValType.I64);
                Pop(ValType.I64);
                PopSlice();
                Pop(ValType.I64);
                PopSlice();
                return true;
            case OpId.SliceFill:
                Pop(ValType.I64);
                Pop(ValType.I32);
                Pop(ValType.I64);
                PopSlice();
                return true;
            default: return false;
        }
    }
}
