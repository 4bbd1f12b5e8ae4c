using WasmJit.Jit.Binary;
using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Validation;

/// <summary>
/// Operators on memories, tables and globals, those of the module and those behind references (runtime linking, sections 3 and 4), and on
/// slices. Both have the same cases: a reference lies below the operands that the operator has without it; where there are two, each lies
/// below its own address.
/// </summary>
internal sealed class EntityValidator(ModuleInfo module, IndexSpaces spaces, TypeStack stack, CallValidator calls, CodePosition position)
{
    /// <summary>The type of addresses of an access through a reference. Flags that name no memory are those of no access.</summary>
    internal ValType ReferenceAddress(in Instr instr)
    {
        HeapType type = spaces.Heap(instr.Heap1);
        bool isSlice = ReferenceEquals(type, HeapType.Slice);
        if (!isSlice && type is not DefType { Composite: EntityType { Entity.Kind: ExternKind.Memory } })
            throw new MalformedModuleException("malformed memop flags", position.Offset);
        if (!module.Settings.AllowLinking) throw position.Error($"{instr.Op.Mnemonic} through a reference needs the feature runtime-linking, which is switched off");
        return isSlice ? ValType.I64 : ((EntityType)((DefType)type).Composite).Entity.Memory.AddressType;
    }

    /// <summary>The reference to a memory, table or global, if the operator has one in place of an index.</summary>
    private void PopReference(Operator op, uint type)
    {
        if (op.IsThroughReference) stack.Pop(ValType.Ref(spaces.Type(type), true));
    }

    /// <summary>Validates an operator on memories or data segments.</summary>
    internal bool TryMemories(Operator op, in Instr instr)
    {
        switch (op.Id)
        {
            case OpId.MemorySizeRef or OpId.MemoryGrowRef or OpId.MemoryFillRef:
                ApplyBase(op, spaces.MemoryOfType(instr.A).AddressType, instr.A);
                return true;
            case OpId.MemoryCopy or OpId.MemoryCopyRef:
                {
                    ValType to = spaces.MemoryOf(op, instr.A).AddressType, from = spaces.MemoryOf(op, instr.B).AddressType;
                    PopCopied(op, instr, to, from);
                    return true;
                }
            case OpId.MemoryInit or OpId.MemoryInitRef:
                {
                    ValType address = spaces.MemoryOf(op, instr.B).AddressType;
                    spaces.CheckData(instr.A);
                    PopInitialised(op, instr, address);
                    return true;
                }
            case OpId.DataDrop: spaces.CheckData(instr.A); return true;
            case OpId.MemoryNew:
                spaces.MemoryOfType(instr.A);
                stack.Push(ValType.Ref(spaces.Type(instr.A), false));
                return true;
            default: return false;
        }
    }

    /// <summary>A type that a table gives to an operand or result: that of its addresses, or that of its elements.</summary>
    private enum TablePart : byte { Address, Element }

    /// <summary>An operator on one table, its operands in their order; a reference to the table lies below them.</summary>
    private bool OnTable(Operator op, uint index, ReadOnlySpan<TablePart> operands, TablePart? result = null)
    {
        TableType table = spaces.TableOf(op, index);
        for (int i = operands.Length - 1; i >= 0; i--) stack.Pop(TypeOf(table, operands[i]));
        PopReference(op, index);
        if (result is { } part) stack.Push(TypeOf(table, part));
        return true;
    }

    private static ValType TypeOf(TableType table, TablePart part) => part == TablePart.Address ? table.AddressType : table.Element;

    /// <summary>Validates an operator on tables or element segments.</summary>
    internal bool TryTables(Operator op, in Instr instr)
    {
        switch (op.Id)
        {
            case OpId.TableGet or OpId.TableGetRef: return OnTable(op, instr.A, [TablePart.Address], TablePart.Element);
            case OpId.TableSet or OpId.TableSetRef: return OnTable(op, instr.A, [TablePart.Address, TablePart.Element]);
            case OpId.TableSize or OpId.TableSizeRef: return OnTable(op, instr.A, [], TablePart.Address);
            case OpId.TableGrow or OpId.TableGrowRef: return OnTable(op, instr.A, [TablePart.Element, TablePart.Address], TablePart.Address);
            case OpId.TableFill or OpId.TableFillRef: return OnTable(op, instr.A, [TablePart.Address, TablePart.Element, TablePart.Address]);
            case OpId.TableCopy or OpId.TableCopyRef:
                {
                    TableType to = spaces.TableOf(op, instr.A), from = spaces.TableOf(op, instr.B);
                    if (!Subtyping.IsSubtype(from.Element, to.Element)) throw position.Error("type mismatch: the tables' elements differ");
                    PopCopied(op, instr, to.AddressType, from.AddressType);
                    return true;
                }
            case OpId.TableInit or OpId.TableInitRef:
                {
                    TableType table = spaces.TableOf(op, instr.B);
                    if (!Subtyping.IsSubtype(spaces.Elem(instr.A).Type, table.Element)) throw position.Error("type mismatch: the segment does not fit the table");
                    PopInitialised(op, instr, table.AddressType);
                    return true;
                }
            case OpId.ElemDrop: spaces.Elem(instr.A); return true;
            case OpId.TableNew:
                stack.Pop(spaces.TableOfType(instr.A).Element);
                stack.Push(ValType.Ref(spaces.Type(instr.A), false));
                return true;
            case OpId.CallIndirectRef:
                calls.CallIndirect(op, type: instr.B, table: instr.A);
                return true;
            default: return false;
        }
    }

    /// <summary>An operator that is as its row says on a memory of the module, with the reference below.</summary>
    private void ApplyBase(Operator op, ValType address, uint type)
    {
        Operator own = op.Base!;
        for (int i = own.Params.Length - 1; i >= 0; i--) stack.Pop(own.Params[i] == OperatorTable.At ? address : own.Params[i]);
        PopReference(op, type);
        foreach (ValType result in own.Results) stack.Push(result == OperatorTable.At ? address : result);
    }

    /// <summary>What a copy takes: its length has 64 bits if both addresses have.</summary>
    private void PopCopied(Operator op, in Instr instr, ValType to, ValType from)
    {
        stack.Pop(to == ValType.I64 && from == ValType.I64 ? ValType.I64 : ValType.I32);
        stack.Pop(from);
        PopReference(op, instr.B);
        stack.Pop(to);
        PopReference(op, instr.A);
    }

    /// <summary>What an initialisation from a segment takes.</summary>
    private void PopInitialised(Operator op, in Instr instr, ValType address)
    {
        stack.Pop(ValType.I32);
        stack.Pop(ValType.I32);
        stack.Pop(address);
        PopReference(op, instr.B);
    }

    /// <summary>Validates an operator on globals.</summary>
    internal bool TryGlobals(Operator op, in Instr instr)
    {
        switch (op.Id)
        {
            case OpId.GlobalGet or OpId.GlobalGetRef:
                {
                    GlobalType global = spaces.GlobalOf(op, instr.A);
                    PopReference(op, instr.A);
                    stack.Push(global.Type);
                    return true;
                }
            case OpId.GlobalSet or OpId.GlobalSetRef:
                {
                    GlobalType global = spaces.GlobalOf(op, instr.A);
                    if (!global.IsMutable) throw position.Error("immutable global");
                    stack.Pop(global.Type);
                    PopReference(op, instr.A);
                    return true;
                }
            case OpId.GlobalNew:
                stack.Pop(spaces.GlobalOfType(instr.A).Type);
                stack.Push(ValType.Ref(spaces.Type(instr.A), false));
                return true;
            default: return false;
        }
    }

    private void PopSlice() => stack.Pop(ValType.Ref(HeapType.Slice, true));

    private void PushSlice() => stack.Push(ValType.Ref(HeapType.Slice, false));

    /// <summary>Validates an operator on slices.</summary>
    internal bool TrySlices(Operator op, in Instr instr)
    {
        switch (op.Id)
        {
            case OpId.SliceNew or OpId.SliceNewRef:
                {
                    ValType address = spaces.MemoryOf(op, instr.A).AddressType;
                    stack.Pop(address);
                    stack.Pop(address);
                    PopReference(op, instr.A);
                    PushSlice();
                    return true;
                }
            case OpId.SliceSub:
                stack.Pop(ValType.I64);
                stack.Pop(ValType.I64);
                PopSlice();
                PushSlice();
                return true;
            case OpId.SliceReadonly:
                PopSlice();
                PushSlice();
                return true;
            case OpId.SliceLen:
                PopSlice();
                stack.Push(ValType.I64);
                return true;
            case OpId.SliceCopy:
                stack.Pop(ValType.I64);
                stack.Pop(ValType.I64);
                PopSlice();
                stack.Pop(ValType.I64);
                PopSlice();
                return true;
            case OpId.SliceFill:
                stack.Pop(ValType.I64);
                stack.Pop(ValType.I32);
                stack.Pop(ValType.I64);
                PopSlice();
                return true;
            default: return false;
        }
    }
}
