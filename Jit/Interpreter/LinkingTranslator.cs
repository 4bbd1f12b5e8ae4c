using WasmJit.Jit.Binary;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Interpreter;

/// <summary>
/// The operators of the runtime-linking extension. Operands lie in a row in their homes, numbers and references apart, as arguments of a call do; results take the
/// place of the first.
/// </summary>
/// <param name="general">What translates all other operators.</param>
/// <param name="module">The function's module.</param>
/// <param name="stack">The operands.</param>
/// <param name="code">The code.</param>
/// <param name="target">What the code is for.</param>
internal sealed unsafe class LinkingTranslator(RegisterTranslator general, ModuleInfo module, RegisterStack stack, RegisterBuffer code, IRegisterTarget target)
{
    private readonly bool countsFuel = target.CountsFuel;

    /// <summary>An instruction on a row of operands, with the word behind it.</summary>
    /// <param name="op">The operation: numbers begin at A, references at B, and C of the operands are references.</param>
    /// <param name="numbers">How many operands are numbers.</param>
    /// <param name="references">How many are references.</param>
    /// <param name="index">The instruction's index.</param>
    /// <param name="value">A further one.</param>
    /// <param name="word">What stands behind it.</param>
    /// <param name="result">The type of the result, if there is one.</param>
    internal bool InRow(RegisterOp op, int numbers, int references, int index = 0, int value = 0, in Instruction word = default, ValType? result = null)
    {
        int count = numbers + references;
        stack.ToHomes(count);
        for (int i = 0; i < count; i++) stack.Pop();
        (int a, int b) = stack.NextHomes;
        code.Emit(op, a, b, Math.Min(references, ushort.MaxValue), RegisterBuffer.Pair(index, value));
        code.EmitWord(word);
        stack.ForgetProducer();
        if (result is not { } type) return true;
        stack.PushHome(type);
        if (type.Kind == ValKind.V128) stack.PushHome(type);
        return true;
    }

    private ExternType Entity(uint type) => ((EntityType)module.Types[(int)type].Composite).Entity;

    internal static Instruction Flags(bool a, bool b = false, bool c = false) => new() { A = (ushort)(a ? 1 : 0), B = (ushort)(b ? 1 : 0), C = (ushort)(c ? 1 : 0) };

    private bool Is64(uint memory) => module.Memories[(int)memory].Is64;

    // ---- modules and instances ----

    internal bool Linking(in Instr instr)
    {
        if (countsFuel && instr.Op.Cost.Unit is CostUnit.Code or CostUnit.Bytes) general.ChargeTop(instr, Is64(instr.A));
        var made = new Instruction { A = (ushort)(instr.Op.Form == OpForm.Null ? 1 : 0) };
        switch (instr.Id)
        {
            case OpId.RefMemory: return PushEntity(ExternKind.Memory, instr.A);
            case OpId.RefTable: return PushEntity(ExternKind.Table, instr.A);
            case OpId.RefGlobal: return PushEntity(ExternKind.Global, instr.A);
            case OpId.RefTag: return PushEntity(ExternKind.Tag, instr.A);
            case OpId.Compile or OpId.CompileNull:
                made.B = (ushort)(Is64(instr.A) ? 1 : 0);
                return InRow(RegisterOp.Compile, 2, 0, (int)instr.A, (int)instr.B, made, ValType.FuncRef);
            case OpId.FuncNew or OpId.FuncNewNull or OpId.FuncNewNamed or OpId.FuncNewNamedNull:
                bool isNamed = instr.Id is OpId.FuncNewNamed or OpId.FuncNewNamedNull;
                made.B = (ushort)(Is64(instr.A) ? 1 : 0);
                made.C = (ushort)(isNamed ? 1 : 0);
                made.Target = (int)instr.C;
                return InRow(RegisterOp.FuncNew, isNamed ? 4 : 2, 0, (int)instr.A, (int)instr.B, made, ValType.FuncRef);
            case OpId.FuncOptimize: return InRow(RegisterOp.FuncOptimize, 0, 1);
            case OpId.FuncIsOptimized: return InRow(RegisterOp.FuncIsOptimized, 0, 1, result: ValType.I32);
            case OpId.ModuleDrop: return InRow(RegisterOp.ModuleDrop, 0, 1);
            case OpId.FuncDrop: return InRow(RegisterOp.FuncDrop, 0, 1);
            case OpId.CodeCount: return InRow(RegisterOp.CodeCount, 0, 0, result: ValType.I64);
            case OpId.CodeSize: return InRow(RegisterOp.CodeSize, 0, 0, result: ValType.I64);
            case OpId.Instantiate or OpId.InstantiateNull:
                int count = ((ModuleType)module.Types[(int)instr.A].Composite).Imports.Length;
                return InRow(RegisterOp.Instantiate, 0, count + 1, (int)instr.A, count, made, ValType.FuncRef);
            case OpId.GetExport:
                return InRow(RegisterOp.GetExport, 0, 1, module.State.NumberOfExport(instr.A, instr.Name!), result: ValType.FuncRef);
            case OpId.GetExportNull:
                return InRow(RegisterOp.GetExportNull, 2, 1, (int)instr.A, (int)instr.B, Flags(false, Is64(instr.A)), ValType.FuncRef);
            default: return false;
        }
    }

    private bool PushEntity(ExternKind kind, uint index)
    {
        stack.PushResult(true, RegisterOp.RefEntity, imm: RegisterBuffer.Pair((int)index, (int)kind));
        return true;
    }

    internal bool Modules(in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.RefModule: return PushEntity(ExternKind.Module, instr.A);
            case OpId.RefInstance: return PushEntity(ExternKind.Instance, instr.A);
            case OpId.InstantiateModule:
                int count = ((ModuleType)module.Modules[(int)instr.A].Type.Composite).Imports.Length;
                return InRow(RegisterOp.InstantiateModule, 0, count, (int)instr.A, count, result: ValType.FuncRef);
            case OpId.CallExport or OpId.ReturnCallExport:
                CallExport(module.Modules[(int)instr.A], instr.Name!, instr.Id == OpId.ReturnCallExport);
                return true;
            default: return false;
        }
    }

    /// <summary>The word behind says which function of the instance it is: its index there, or the number of a name.</summary>
    private void CallExport(ModuleDecl made, string name, bool tail)
    {
        ExternType export = ((InstanceType)made.Exact.InstanceType.Composite).Find(name)!;
        FuncType callee = export.Func;
        general.CoverCall(callee);
        Instruction which = made.Definition is { } owner
            ? new Instruction { Target = (int)owner.FindExport(name)!.Index }
            : new Instruction { A = 1, Target = module.State.NumberOfExport(uint.MaxValue, name) };
        if (tail) stack.ToHomes(1);
        general.GatherWith(callee);
        int instance = tail ? stack.Pop().Home : stack.PopSlot();
        if (tail)
        {
            general.MoveArguments(callee);
            general.LeaveSpills();
            code.Emit(RegisterOp.TailCallExport, 0, 0, instance, (long)target.TailShapeOf(export.Def));
            code.EmitWord(which);
            general.SetUnreachable();
            return;
        }
        (int a, int b) = general.TakeArguments(callee);
        code.Emit(RegisterOp.CallExport, a, b, instance, (long)target.ShapeOf(export.Def));
        code.EmitWord(which);
        general.PushResults(callee);
    }

    // ---- memories, tables and globals behind references ----

    internal bool MemoryReferences(in Instr instr)
    {
        if (instr.Op.Cost.Unit == CostUnit.Bytes) general.ChargeTop(instr, IsReferenceCount64(instr));
        switch (instr.Id)
        {
            case OpId.MemoryNew:
                MemoryType type = Entity(instr.A).Memory;
                ChargeEntity(Fuel.NewMemory + Fuel.OfPages(type.Minimum, type.PageSizeLog2));
                return InRow(RegisterOp.MemoryNew, 0, 0, (int)instr.A, result: ValType.FuncRef);
            case OpId.MemorySizeRef: return InRow(RegisterOp.MemorySizeOf, 0, 1, result: ValType.I64);
            case OpId.MemoryGrowRef:
                return InRow(RegisterOp.MemoryGrowOf, 1, 1, word: Flags(Entity(instr.A).Memory.Is64, countsFuel), result: ValType.I64);
            case OpId.MemoryFillRef: return InRow(RegisterOp.MemoryFillOf, 3, 1, word: Flags(Entity(instr.A).Memory.Is64));
            case OpId.MemoryCopyRef:
                return InRow(RegisterOp.MemoryCopyOf, 3, 2, word: Flags(Entity(instr.A).Memory.Is64, Entity(instr.B).Memory.Is64));
            case OpId.MemoryInitRef: return InRow(RegisterOp.MemoryInitOf, 3, 1, (int)instr.A, word: Flags(Entity(instr.B).Memory.Is64));
            default: return false;
        }
    }

    internal bool TableReferences(in Instr instr)
    {
        if (instr.Op.Cost.Unit == CostUnit.Items) general.ChargeTop(instr, IsReferenceCount64(instr));
        switch (instr.Id)
        {
            case OpId.TableNew:
                TableType type = Entity(instr.A).Table;
                ChargeEntity(type.Minimum);
                return InRow(RegisterOp.TableNew, 0, 1, (int)instr.A, Signature.IsFunc(type.Element) ? 1 : 0, result: ValType.FuncRef);
            case OpId.TableGetRef: return InRow(RegisterOp.TableGetOf, 1, 1, word: Flags(Entity(instr.A).Table.Is64), result: ValType.FuncRef);
            case OpId.TableSetRef: return InRow(RegisterOp.TableSetOf, 1, 2, word: Flags(Entity(instr.A).Table.Is64));
            case OpId.TableSizeRef: return InRow(RegisterOp.TableSizeOf, 0, 1, result: ValType.I64);
            case OpId.TableGrowRef: return InRow(RegisterOp.TableGrowOf, 1, 2, word: Flags(Entity(instr.A).Table.Is64), result: ValType.I64);
            case OpId.TableFillRef: return InRow(RegisterOp.TableFillOf, 2, 2, word: Flags(Entity(instr.A).Table.Is64));
            case OpId.TableCopyRef:
                return InRow(RegisterOp.TableCopyOf, 3, 2, word: Flags(Entity(instr.A).Table.Is64, Entity(instr.B).Table.Is64));
            case OpId.TableInitRef: return InRow(RegisterOp.TableInitOf, 3, 1, (int)instr.A, word: Flags(Entity(instr.B).Table.Is64));
            case OpId.CallIndirectRef: CallIndirectRef(instr.A, instr.B); return true;
            default: return false;
        }
    }

    private void CallIndirectRef(uint table, uint typeIndex)
    {
        DefType type = module.Types[(int)typeIndex];
        FuncType callee = type.AsFunc!;
        general.CoverCall(callee);
        if (stack.Spills) stack.ToHomes(stack.Operands(callee.Params).Length + 2);
        int index = stack.PopSlot(), reference = stack.PopSlot();
        (int a, int b) = general.TakeArguments(callee);
        code.Emit(RegisterOp.CallIndirectRef, a, b, index, (long)target.ShapeOf(type));
        code.EmitWord(new Instruction { A = (ushort)(Entity(table).Table.Is64 ? 1 : 0), B = (ushort)reference, Target = (int)typeIndex, Value = type.Id });
        general.PushResults(callee);
    }

    internal bool GlobalReferences(in Instr instr)
    {
        ValType type = Entity(instr.A).Global.Type;
        stack.Cover(type);
        int references = type.IsRef ? 1 : 0, numbers = type.Words;
        Instruction kind = Flags(Signature.IsFunc(type), type.ByteSize == 4, type.Kind == ValKind.V128);
        switch (instr.Id)
        {
            case OpId.GlobalNew:
                return InRow(type.IsRef ? RegisterOp.GlobalNewRef : RegisterOp.GlobalNewNumber, numbers, references, (int)instr.A, (int)type.Kind, kind, ValType.FuncRef);
            case OpId.GlobalGetRef: return InRow(type.IsRef ? RegisterOp.GlobalGetRefOf : RegisterOp.GlobalGetNumberOf, 0, 1, word: kind, result: type);
            case OpId.GlobalSetRef: return InRow(type.IsRef ? RegisterOp.GlobalSetRefOf : RegisterOp.GlobalSetNumberOf, numbers, 1 + references, word: kind);
            default: return false;
        }
    }

    internal bool SlicesOf(in Instr instr)
    {
        if (instr.Op.Cost.Unit == CostUnit.Bytes) general.ChargeTop(instr, is64: true);
        switch (instr.Id)
        {
            case OpId.SliceNew: return InRow(RegisterOp.SliceNew, 2, 0, (int)instr.A, word: Flags(Is64(instr.A)), result: ValType.FuncRef);
            case OpId.SliceNewRef: return InRow(RegisterOp.SliceNewOf, 2, 1, word: Flags(Entity(instr.A).Memory.Is64), result: ValType.FuncRef);
            case OpId.SliceSub: return InRow(RegisterOp.SliceSub, 2, 1, result: ValType.FuncRef);
            case OpId.SliceReadonly: return InRow(RegisterOp.SliceReadonly, 0, 1, result: ValType.FuncRef);
            case OpId.SliceLen: return InRow(RegisterOp.SliceLen, 0, 1, result: ValType.I64);
            case OpId.SliceCopy: return InRow(RegisterOp.SliceCopy, 3, 2);
            case OpId.SliceFill: return InRow(RegisterOp.SliceFill, 3, 1);
            default: return false;
        }
    }

    /// <summary>Whether the length that is topmost has 64 bits.</summary>
    private bool IsReferenceCount64(in Instr instr) => instr.Id switch
    {
        OpId.MemoryFillRef => Entity(instr.A).Memory.Is64,
        OpId.MemoryCopyRef => Entity(instr.A).Memory.Is64 && Entity(instr.B).Memory.Is64,
        OpId.TableFillRef or OpId.TableGrowRef => Entity(instr.A).Table.Is64,
        OpId.TableCopyRef => Entity(instr.A).Table.Is64 && Entity(instr.B).Table.Is64,
        OpId.MemoryInitRef or OpId.TableInitRef => false,
        _ => throw new InvalidOperationException($"It is not known whether the length of {instr.Op.Mnemonic} has 64 bits."),
    };

    private void ChargeEntity(ulong units)
    {
        if (countsFuel) code.Emit(RegisterOp.ChargeUnits, imm: (long)units);
    }

    /// <summary>The memory that an access reaches through its reference; null for a slice.</summary>
    private MemoryType? MemoryThrough(in Instr instr) =>
        new TypeDecoder(module).HeapTypeOf(instr.Heap1, instr.Offset) is DefType type ? ((EntityType)type.Composite).Entity.Memory : null;

    /// <summary>
    /// Takes the index of a load or store through a reference to a memory or a slice, and the reference; the slot with the address. The instruction that makes it always
    /// compares. Its word says of a slice that it is written, and of a memory that compiled code leaves the check to guard pages.
    /// </summary>
    internal int PopAddress(in Instr instr, bool checksAlignment)
    {
        MemoryType? memory = MemoryThrough(instr);
        RegisterOperand index = stack.Pop(), reference = stack.Pop();
        int at = stack.SlotOf(reference), address = stack.SlotOf(index);
        int made = stack.FreeSlotOf(index);
        bool writesOrLeavesChecks = memory is null ? instr.Op.Has(OpTraits.WritesMemory) : !target.NeedsChecks(memory);
        code.Emit(memory is null ? RegisterOp.AddressInSlice : RegisterOp.AddressThrough, made, address, at, (long)instr.Bits);
        code.EmitWord(new Instruction
        {
            A = (ushort)(1 << instr.Op.MemArg!.Value.Number),
            B = (ushort)(memory is null or { Is64: true } ? 1 : 0),
            C = (ushort)(writesOrLeavesChecks ? 1 : 0),
            Value = checksAlignment ? 1 : 0,
        });
        return made;
    }

    // ---- waiting and waking ----

    internal bool Waits(in Instr instr)
    {
        if (instr.Id == OpId.AtomicFence)
        {
            code.Emit(RegisterOp.AtomicFence);
            return true;
        }
        RegisterOp op = instr.Id switch
        {
            OpId.MemoryAtomicNotify => RegisterOp.AtomicNotify,
            OpId.MemoryAtomicWait32 => RegisterOp.AtomicWait32,
            OpId.MemoryAtomicWait64 => RegisterOp.AtomicWait64,
            _ => throw new InvalidOperationException($"{instr.Op.Mnemonic} does not wait."),
        };
        MemoryType? memory = instr.HasMemoryRef ? MemoryThrough(instr) : module.Memories[(int)instr.Memory];
        var word = new Instruction
        {
            A = (ushort)(memory is null or { Is64: true } ? 1 : 0),
            // An own memory, one behind a reference, or a slice.
            B = (ushort)(!instr.HasMemoryRef ? 0 : memory is null ? 2 : 1),
            Imm = (long)instr.Bits,
        };
        return InRow(op, instr.Op.Params.Length, instr.HasMemoryRef ? 1 : 0, (int)instr.Memory, word: word, result: ValType.I32);
    }
}
