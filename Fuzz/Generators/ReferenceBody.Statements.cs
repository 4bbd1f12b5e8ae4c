using WasmJit.Jit;

namespace WasmJit.Fuzz;

/// <summary>Single steps: operators that take what is on the stack, or make what they need.</summary>
internal sealed partial class ReferenceBody
{
    private void Step()
    {
        switch (random.Next(40))
        {
            case 0 or 1 or 2 or 3 or 4: Push(SomeType()); break;
            case 5 or 6 or 7 or 8: Keep(); break;
            case 9 or 10: SetGlobal(); break;
            case 11 or 12 or 13: SetField(); break;
            case 14 or 15: ChangeArray(); break;
            case 16 or 17: ChangeTable(); break;
            case 18 or 19: Access(); break;
            case 20: ChangeMemory(); break;
            case 21 or 22: Calculate(); break;
            case 23 or 24: Call(); break;
            case 25 or 26 or 27 or 28: Nest(); break;
            case 29 or 30: Branch(); break;
            case 31 or 32: BranchOnReference(); break;
            case 33 when Available > 0:
                Emit(OpId.Drop);
                Drop(1);
                break;
            case 34 or 35: SelectTop(); break;
            case 36: LookAtTop(); break;
            case 37 when OneIn(2): Leave(); break;
            default:
                if (frame.IsLinked) Link();
                else Keep();
                break;
        }
    }

    /// <summary>What is on top goes into a local, which may be of a wider type.</summary>
    private void Keep()
    {
        if (Available == 0) Push(SomeType());
        ValType type = stack[^1];
        List<int> fitting = [.. Enumerable.Range(0, locals.Count).Where(i => IsSubtype(type, locals[i]))];
        if (fitting.Count == 0) return;
        int local = Pick(fitting);
        isSet[local] = true;
        if (OneIn(2))
        {
            Emit(OpId.LocalSet, (uint)local);
            Drop(1);
            return;
        }
        Emit(OpId.LocalTee, (uint)local);
        stack[^1] = locals[local];
    }

    private void SetGlobal()
    {
        int index = random.Next(1, frame.Info.Globals.Count);
        GlobalType global = frame.Info.Globals[index].Type;
        if (!global.IsMutable) return;
        Need(global.Type);
        Emit(OpId.GlobalSet, (uint)index);
        Drop(1);
    }

    private static ValType NotNullRef(HeapType heap) => ValType.Ref(heap, false);

    private void SetField()
    {
        DefType type = Pick(frame.Structs);
        var fields = ((StructType)type.Composite).Fields;
        int field = random.Next(fields.Length);
        if (!fields[field].IsMutable) return;
        ValType value = fields[field].Type.Unpacked;
        Need(ValType.Ref(type, OneIn(12)), value);
        Emit(OpId.StructSet, frame.IndexOf(type)!.Value, (uint)field);
        Drop(2);
    }

    private void ChangeArray()
    {
        DefType type = Pick(frame.Arrays);
        uint index = frame.IndexOf(type)!.Value;
        ValType storage = ((ArrayType)type.Composite).Element.Type;
        if (!((ArrayType)type.Composite).Element.IsMutable) return;
        Need(NotNullRef(type));
        switch (random.Next(6))
        {
            case 0:
                Index(2);
                Push(storage.Unpacked);
                Index(2);
                Emit(OpId.ArrayFill, index);
                Drop(4);
                break;
            case 1:
                DefType from = Pick(frame.Arrays);
                ValType other = ((ArrayType)from.Composite).Element.Type;
                if (storage.IsRef ? !IsSubtype(other, storage) : storage != other) from = type;
                Index(2);
                Push(NotNullRef(from));
                Index(2);
                Index(2);
                Emit(OpId.ArrayCopy, index, frame.IndexOf(from)!.Value);
                Drop(5);
                break;
            case 2 when !storage.IsRef:
                Index(2);
                Index(3);
                Index(2);
                Emit(OpId.ArrayInitData, index, 0);
                Drop(4);
                break;
            case 3 when storage.IsRef:
                int segment = frame.Info.Elems.FindIndex(e => IsSubtype(e.Type, storage));
                if (segment < 0) goto default;
                Index(2);
                Index(2);
                Index(2);
                Emit(OpId.ArrayInitElem, index, (uint)segment);
                Drop(4);
                break;
            default:
                Index(2);
                Push(storage.Unpacked);
                Emit(OpId.ArraySet, index);
                Drop(3);
                break;
        }
    }

    private void ChangeTable()
    {
        int index = random.Next(frame.Info.Tables.Count);
        TableType table = frame.Info.Tables[index].Type;
        switch (random.Next(8))
        {
            case 0:
                Need(table.Element);
                Index(2, table.Is64);
                Emit(OpId.TableGrow, (uint)index);
                Apply(2, table.AddressType);
                break;
            case 1:
                Index(3, table.Is64);
                Push(table.Element);
                Index(2, table.Is64);
                Emit(OpId.TableFill, (uint)index);
                Drop(3);
                break;
            case 2:
                int other = frame.Info.Tables.FindIndex(random.Next(frame.Info.Tables.Count), t => IsSubtype(t.Type.Element, table.Element));
                if (other < 0) other = index;
                TableType from = frame.Info.Tables[other].Type;
                Index(2, table.Is64);
                Index(2, from.Is64);
                Index(2, table.Is64 && from.Is64);
                Emit(OpId.TableCopy, (uint)index, (uint)other);
                Drop(3);
                break;
            case 3:
                int segment = frame.Info.Elems.FindIndex(e => IsSubtype(e.Type, table.Element));
                if (segment < 0) return;
                Index(2, table.Is64);
                Index(2);
                Index(2);
                Emit(OpId.TableInit, (uint)segment, (uint)index);
                Drop(3);
                break;
            default:
                Index(3, table.Is64);
                Push(table.Element);
                Emit(OpId.TableSet, (uint)index);
                Drop(2);
                break;
        }
    }

    // ---- numbers and memories ----

    private void Calculate()
    {
        Operator op = Pick(Calculations);
        Need([.. op.Params]);
        Emit(op);
        WriteLanes(op);
        Apply(op.Params.Length, [.. op.Results]);
    }

    private bool Loaded(ValType type, int depth)
    {
        for (int i = 0; i < 20; i++)
        {
            Operator op = Pick(Accesses);
            if (op.Results is not [var result] || result != type) continue;
            Access(op, depth);
            return true;
        }
        return false;
    }

    private void Access() => Access(frame.IsLinked && OneIn(5) ? Pick(AtomicAccesses) : Pick(Accesses), Depth);

    /// <summary>An access of a memory: one of the module's, or one behind a reference, or a slice.</summary>
    private void Access(Operator op, int depth)
    {
        int memory = random.Next(frame.Info.Memories.Count);
        HeapType? heap = null;
        bool is64 = frame.Info.Memories[memory].Is64;
        if (frame.IsLinked && random.Next(5) > 0)
        {
            DefType[] types = [.. frame.Entities(ExternKind.Memory)];
            heap = OneIn(3) ? HeapType.Slice : Pick(types);
            is64 = heap is not DefType def || ((EntityType)def.Composite).Entity.Memory.Is64;
            Push(ValType.Ref(heap, OneIn(15)), depth);
        }
        int operands = op.Params.Length + (heap is null ? 0 : 1);
        Address(is64, depth);
        foreach (ValType parameter in op.Params.Skip(1)) Push(parameter, depth);
        Emit(op);
        int align = op.Proposal.Name == "threads" ? op.MemArg!.Value.Number : random.Next(op.MemArg!.Value.Number + 1);
        code.U32((uint)(align | (heap is not null ? 0x80 : memory != 0 ? 0x40 : 0)));
        if (heap is not null) WriteHeap(heap);
        else if (memory != 0) code.U32((uint)memory);
        code.U32(random.Next(3) switch { 0 => 0u, 1 => 16u * (uint)random.Next(4), _ => 16u * (uint)random.Next(9) });
        foreach (Immediate immediate in op.Immediates)
            if (immediate.Kind == ImmediateKind.Lane) code.U8((byte)random.Next(immediate.Number));
        Apply(operands, [.. op.Results]);
    }

    /// <summary>Most addresses are within; few are not, and none is half inside.</summary>
    private void Address(bool is64, int depth)
    {
        ValType type = is64 ? ValType.I64 : ValType.I32;
        if (OneIn(2))
        {
            code.U8(is64 ? (byte)0x42 : (byte)0x41);
            code.S64(OneIn(20) ? 1 << 20 : 16 * random.Next(20));
            stack.Add(type);
            return;
        }
        Push(type, Math.Min(depth, 1));
        code.U8(is64 ? (byte)0x42 : (byte)0x41);
        code.S64(OneIn(10) ? 0xfff0 : 0x1f0);
        code.U8(is64 ? (byte)0x83 : (byte)0x71);
    }

    private void ChangeMemory()
    {
        int memory = random.Next(frame.Info.Memories.Count);
        bool is64 = frame.Info.Memories[memory].Is64;
        switch (random.Next(5))
        {
            case 0:
                Index(2, is64);
                Emit(OpId.MemoryGrow, (uint)memory);
                Apply(1, is64 ? ValType.I64 : ValType.I32);
                break;
            case 1:
                Index(500, is64);
                Push(ValType.I32, 1);
                Index(90, is64);
                Emit(OpId.MemoryFill, (uint)memory);
                Drop(3);
                break;
            case 2:
                int from = random.Next(frame.Info.Memories.Count);
                bool isFrom64 = frame.Info.Memories[from].Is64;
                Index(500, is64);
                Index(500, isFrom64);
                Index(90, is64 && isFrom64);
                Emit(OpId.MemoryCopy, (uint)memory, (uint)from);
                Drop(3);
                break;
            case 3:
                Index(500, is64);
                Index(9);
                Index(9);
                Emit(OpId.MemoryInit, 0, (uint)memory);
                Drop(3);
                break;
            default: Access(); break;
        }
    }

    // ---- what is on top ----

    private void SelectTop()
    {
        ValType type = Available > 0 && stack[^1].IsRef ? Above(stack[^1]) : Available > 0 ? stack[^1] : Pick(frame.References);
        if (!frame.CanName(type)) return;
        Need(type, type, ValType.I32);
        Select(type);
    }

    private void LookAtTop()
    {
        if (Available == 0 || !stack[^1].IsRef) return;
        ValType type = stack[^1];
        ValType wide = Above(type);
        ValType cast = Pick(frame.References);
        if (!ReferenceEquals(Subtyping.TopOf(cast.Heap!), Subtyping.TopOf(type.Heap!))) cast = wide;
        switch (random.Next(5))
        {
            case 0:
                Emit(OpId.RefIsNull);
                Apply(1, ValType.I32);
                break;
            case 1 or 2:
                Emit(cast.IsNullable ? OpId.RefTestNull : OpId.RefTest);
                WriteHeap(cast.Heap!);
                Apply(1, ValType.I32);
                break;
            case 3:
                // Casts up succeed, but for null.
                if (!frame.CanName(wide)) break;
                Emit(OpId.RefCastNull);
                WriteHeap(wide.Heap!);
                Apply(1, ValType.Ref(wide.Heap!, true));
                break;
            default:
                if (!ReferenceEquals(Subtyping.TopOf(type.Heap!), HeapType.Any)) break;
                Emit(OpId.ExternConvertAny);
                Apply(1, ValType.Ref(HeapType.Extern, type.IsNullable));
                break;
        }
    }

    private void Call()
    {
        if (isLeaf) return;
        if (OneIn(3))
        {
            DefType def = Pick(frame.Funcs);
            if (!frame.HasFunction(def) && !OneIn(10)) return;
            var type = (FuncType)def.Composite;
            Need([.. type.Params, ValType.Ref(def, OneIn(8))]);
            Emit(OpId.CallRef, frame.IndexOf(def)!.Value);
            Apply(type.Params.Length + 1, [.. type.Results]);
            return;
        }
        int index = random.Next(frame.Info.Funcs.Count);
        FuncType called = frame.Info.Funcs[index].Func;
        Need([.. called.Params]);
        Emit(OpId.Call, (uint)index);
        Apply(called.Params.Length, [.. called.Results]);
    }

    // ---- the runtime-linking extension ----

    private void Link()
    {
        switch (random.Next(8))
        {
            case 0:
                {
                    DefType type = Pick([.. frame.Entities(ExternKind.Table)]);
                    TableType table = ((EntityType)type.Composite).Entity.Table;
                    Need(ValType.Ref(type, OneIn(12)));
                    if (OneIn(4))
                    {
                        Push(table.Element);
                        Index(2, table.Is64);
                        Emit(OpId.TableGrowRef, frame.IndexOf(type)!.Value);
                        Apply(3, table.AddressType);
                        break;
                    }
                    Index(2, table.Is64);
                    Push(table.Element);
                    Emit(OpId.TableSetRef, frame.IndexOf(type)!.Value);
                    Drop(3);
                    break;
                }
            case 1 or 2:
                {
                    DefType type = Pick([.. frame.Entities(ExternKind.Global)]);
                    GlobalType global = ((EntityType)type.Composite).Entity.Global;
                    if (!global.IsMutable) break;
                    Need(ValType.Ref(type, OneIn(12)), global.Type);
                    Emit(OpId.GlobalSetRef, frame.IndexOf(type)!.Value);
                    Drop(2);
                    break;
                }
            case 3: ChangeMemoryBehindReference(); break;
            case 4:
                Need(NotNullRef(HeapType.Slice));
                Index(9, true);
                if (OneIn(2))
                {
                    Push(NotNullRef(HeapType.Slice));
                    Index(9, true);
                    Index(9, true);
                    Emit(OpId.SliceCopy);
                    Drop(5);
                    break;
                }
                Push(ValType.I32);
                Index(9, true);
                Emit(OpId.SliceFill);
                Drop(4);
                break;
            case 5: CallExport(); break;
            default: Access(); break;
        }
    }

    private void ChangeMemoryBehindReference()
    {
        DefType[] types = [.. frame.Entities(ExternKind.Memory)];
        DefType type = Pick(types);
        uint index = frame.IndexOf(type)!.Value;
        bool is64 = ((EntityType)type.Composite).Entity.Memory.Is64;
        Need(ValType.Ref(type, OneIn(12)));
        switch (random.Next(4))
        {
            case 0:
                Index(2, is64);
                Emit(OpId.MemoryGrowRef, index);
                Apply(2, is64 ? ValType.I64 : ValType.I32);
                break;
            case 1:
                Index(500, is64);
                Push(ValType.I32, 1);
                Index(90, is64);
                Emit(OpId.MemoryFillRef, index);
                Drop(4);
                break;
            case 2:
                DefType from = Pick(types);
                bool isFrom64 = ((EntityType)from.Composite).Entity.Memory.Is64;
                Index(500, is64);
                Push(NotNullRef(from));
                Index(500, isFrom64);
                Index(90, is64 && isFrom64);
                Emit(OpId.MemoryCopyRef, index, frame.IndexOf(from)!.Value);
                Drop(5);
                break;
            default:
                Index(500, is64);
                Index(9);
                Index(9);
                Emit(OpId.MemoryInitRef, 0, index);
                Drop(4);
                break;
        }
    }

    private void CallExport()
    {
        ModuleDecl module = Pick(frame.Info.Modules);
        var exports = ((ModuleType)module.Type.Composite).Exports;
        ExportType export = exports[random.Next(exports.Length)];
        if (isLeaf || export.Type.Kind != ExternKind.Func) return;
        FuncType type = export.Type.Func;
        Need([.. type.Params, ValType.Ref(module.Exact, OneIn(10))]);
        Emit(OpId.CallExport, (uint)module.Index);
        EmitName(export.Name);
        Apply(type.Params.Length + 1, [.. type.Results]);
    }
}
