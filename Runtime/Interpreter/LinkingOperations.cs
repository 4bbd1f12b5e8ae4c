using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace WasmJit.Runtime;

/// <summary>
/// The operations of the runtime-linking extension. Operands lie in a row: numbers from A on, references from B on. What may run guests again has its slots below
/// the thread's top.
/// </summary>
/// <remarks>Unsafe: slots are those that the translator gave out; see <see cref="Interpreter"/>.</remarks>
internal static unsafe class LinkingOperations
{
    /// <summary>Executes an operation of the extension. Gives the next instruction.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static Instruction* Execute(InterpreterThread thread, InstanceCore instance, Instruction* ip, ulong* fp, int rp)
    {
        FunctionState* function = thread.Sp[-1].Function;
        thread.Top = fp + function->Slots;
        thread.RefTop = rp + function->RefSlots;
        ulong* numbers = fp + ip->A;
        int references = rp + ip->B;
        ref Instruction word = ref ip[1];
        object?[] refs = thread.Refs;
        switch (ip->Op)
        {
            case RegisterOp.Compile:
                Give(thread, references, CodeHelpers.Compile(Wide(numbers, word.B), Wide(numbers + 1, word.B), instance, ip->Target, ip->Value, word.A != 0));
                break;
            case RegisterOp.FuncNew:
                {
                    bool isNamed = word.C != 0;
                    ulong name = isNamed ? Wide(numbers, word.B) : 0, nameLength = isNamed ? Wide(numbers + 1, word.B) : 0;
                    ulong* body = isNamed ? numbers + 2 : numbers;
                    Give(thread, references, CodeHelpers.NewNamedFunc(
                        name, nameLength, Wide(body, word.B), Wide(body + 1, word.B), instance, ip->Target, ip->Value, word.Target, word.A != 0));
                    break;
                }
            case RegisterOp.FuncOptimize: CodeHelpers.OptimizeFunc(Unsafe.As<FuncRef?>(Take(refs, references)), instance); break;
            case RegisterOp.FuncIsOptimized: *numbers = (uint)CodeHelpers.IsOptimizedFunc(Unsafe.As<FuncRef?>(Take(refs, references))); break;
            case RegisterOp.ModuleDrop: CodeHelpers.DropModule(Take(refs, references), instance); break;
            case RegisterOp.FuncDrop: CodeHelpers.DropFunc(Unsafe.As<FuncRef?>(Take(refs, references)), instance); break;
            case RegisterOp.CodeCount: *numbers = (ulong)CodeHelpers.CountCode(instance); break;
            case RegisterOp.CodeSize: *numbers = (ulong)CodeHelpers.SizeOfCode(instance); break;
            case RegisterOp.Instantiate:
                {
                    object?[] arguments = TakeAll(refs, references, ip->Value);
                    object? module = Take(refs, references + ip->Value);
                    Give(thread, references, CodeHelpers.Instantiate(arguments, module, instance, ip->Target, word.A != 0));
                    break;
                }
            case RegisterOp.InstantiateModule:
                Give(thread, references, CodeHelpers.InstantiateModule(TakeAll(refs, references, ip->Value), instance, ip->Target));
                break;
            case RegisterOp.GetExport: Give(thread, references, CodeHelpers.GetExportByNumber(refs[references], instance, ip->Target)); break;
            case RegisterOp.GetExportNull:
                Give(thread, references, CodeHelpers.GetExportNull(refs[references], Wide(numbers, word.B), Wide(numbers + 1, word.B), instance, ip->Target, ip->Value));
                break;
            case RegisterOp.AtomicNotify or RegisterOp.AtomicWait32 or RegisterOp.AtomicWait64:
                *numbers = (uint)Wait(instance, ip, numbers, word.B != 0 ? Take(refs, references) : null);
                break;
            default:
                Entities(thread, instance, ip, numbers, references);
                break;
        }
        return ip + 2;
    }

    /// <summary>Waits or wakes: in an own memory, through a reference to one, or in a slice.</summary>
    private static int Wait(InstanceCore instance, Instruction* ip, ulong* numbers, object? reference)
    {
        ref Instruction word = ref ip[1];
        ulong index = Wide(numbers, word.A), offset = (ulong)word.Imm;
        Memory? own = word.B == 0 ? instance.Memories[ip->Target] : null;
        bool isSlice = word.B == 2;
        switch (ip->Op)
        {
            case RegisterOp.AtomicNotify:
                int count = (int)numbers[1];
                return own is not null ? AtomicWaits.Notify(index, count, own, offset)
                    : isSlice ? Slices.Notify(reference, index, count, offset) : MemoryReferences.Notify(reference, index, count, offset);
            case RegisterOp.AtomicWait32:
                int expected = (int)numbers[1];
                var timeout = (long)numbers[2];
                return own is not null ? AtomicWaits.Wait32(index, expected, timeout, own, offset)
                    : isSlice ? Slices.Wait32(reference, index, expected, timeout, offset) : MemoryReferences.Wait32(reference, index, expected, timeout, offset);
            default:
                var expected64 = (long)numbers[1];
                timeout = (long)numbers[2];
                return own is not null ? AtomicWaits.Wait64(index, expected64, timeout, own, offset)
                    : isSlice ? Slices.Wait64(reference, index, expected64, timeout, offset) : MemoryReferences.Wait64(reference, index, expected64, timeout, offset);
        }
    }

    private static ulong Wide(ulong* number, int is64) => is64 != 0 ? *number : *(uint*)number;

    private static object? Take(object?[] refs, int index)
    {
        object? value = refs[index];
        refs[index] = null;
        return value;
    }

    private static object?[] TakeAll(object?[] refs, int first, int count)
    {
        if (count == 0) return [];
        object?[] values = refs[first..(first + count)];
        Array.Clear(refs, first, count);
        return values;
    }

    /// <summary>Stores a result. The array may be another than before: guests may have run.</summary>
    private static void Give(InterpreterThread thread, int index, object? value) => thread.Refs[index] = value;

    /// <summary>
    /// Operations on memories, tables, globals and slices behind references. They run no guest, but where something is made or grows, the host may be asked, and what it does may
    /// run one.
    /// </summary>
    private static void Entities(InterpreterThread thread, InstanceCore instance, Instruction* ip, ulong* numbers, int references)
    {
        Span<object?> refs = thread.Refs.AsSpan(references);
        ref Instruction word = ref ip[1];
        int is64 = word.A;
        switch (ip->Op)
        {
            case RegisterOp.MemoryNew: Give(thread, references, MemoryReferences.New(instance, ip->Target)); break;
            case RegisterOp.MemorySizeOf: *numbers = (ulong)MemoryReferences.Size(refs[0]); break;
            case RegisterOp.MemoryGrowOf:
                {
                    ulong delta = Wide(numbers, is64);
                    long before = MemoryReferences.Grow(refs[0], delta);
                    if (word.B != 0) Fuel.ChargeGrowth(before, delta, Unsafe.As<Memory>(refs[0]!).Type.PageSizeLog2, instance);
                    *numbers = (ulong)before;
                    break;
                }
            case RegisterOp.MemoryFillOf: MemoryReferences.Fill(refs[0], Wide(numbers, is64), (int)numbers[1], Wide(numbers + 2, is64)); break;
            case RegisterOp.MemoryCopyOf:
                MemoryReferences.Copy(refs[0], Wide(numbers, is64), refs[1], Wide(numbers + 1, word.B), Wide(numbers + 2, is64 & word.B));
                break;
            case RegisterOp.MemoryInitOf:
                MemoryReferences.Init(refs[0], Wide(numbers, is64), (uint)numbers[1], (uint)numbers[2], instance, ip->Target);
                break;
            case RegisterOp.TableNew:
                Give(thread, references, ip->Value != 0 ? TableReferences.NewFunc(Unsafe.As<FuncRef?>(refs[0]), instance, ip->Target) : TableReferences.New(refs[0], instance, ip->Target));
                break;
            case RegisterOp.TableGetOf: refs[0] = TableReferences.Get(refs[0], Wide(numbers, is64)); break;
            case RegisterOp.TableSetOf: TableReferences.Set(refs[0], Wide(numbers, is64), refs[1]); break;
            case RegisterOp.TableSizeOf: *numbers = (ulong)TableReferences.Size(refs[0]); break;
            case RegisterOp.TableGrowOf: *numbers = (ulong)TableReferences.Grow(refs[0], refs[1], Wide(numbers, is64)); break;
            case RegisterOp.TableFillOf: TableReferences.Fill(refs[0], Wide(numbers, is64), refs[1], Wide(numbers + 1, is64)); break;
            case RegisterOp.TableCopyOf:
                TableReferences.Copy(refs[0], Wide(numbers, is64), refs[1], Wide(numbers + 1, word.B), Wide(numbers + 2, is64 & word.B));
                break;
            case RegisterOp.TableInitOf:
                TableReferences.Init(refs[0], Wide(numbers, is64), (uint)numbers[1], (uint)numbers[2], instance, ip->Target);
                break;
            case RegisterOp.GlobalNewNumber: refs[0] = NewGlobal(instance, ip, numbers); break;
            case RegisterOp.GlobalNewRef:
                refs[0] = word.A != 0 ? GlobalReferences.NewFunc(Unsafe.As<FuncRef?>(refs[0]), instance, ip->Target) : GlobalReferences.NewRef(refs[0], instance, ip->Target);
                break;
            case RegisterOp.GlobalGetNumberOf:
                if (word.C != 0) Unsafe.WriteUnaligned(numbers, GlobalReferences.GetV128(refs[0]));
                else *numbers = word.B != 0 ? (uint)GlobalReferences.GetI32(refs[0]) : (ulong)GlobalReferences.GetI64(refs[0]);
                break;
            case RegisterOp.GlobalGetRefOf: refs[0] = word.A != 0 ? GlobalReferences.GetFunc(refs[0]) : GlobalReferences.GetRef(refs[0]); break;
            case RegisterOp.GlobalSetNumberOf:
                if (word.C != 0) GlobalReferences.SetV128(refs[0], Unsafe.ReadUnaligned<Vector128<byte>>(numbers));
                else if (word.B != 0) GlobalReferences.SetI32(refs[0], (int)*numbers);
                else GlobalReferences.SetI64(refs[0], (long)*numbers);
                break;
            case RegisterOp.GlobalSetRefOf:
                if (word.A != 0) GlobalReferences.SetFunc(refs[0], Unsafe.As<FuncRef?>(refs[1]));
                else GlobalReferences.SetRef(refs[0], refs[1]);
                break;
            case RegisterOp.SliceNew: refs[0] = Slices.New(Wide(numbers, is64), Wide(numbers + 1, is64), instance.Memories[ip->Target]); break;
            case RegisterOp.SliceNewOf: refs[0] = Slices.NewRef(refs[0], Wide(numbers, is64), Wide(numbers + 1, is64)); break;
            case RegisterOp.SliceSub: refs[0] = Slices.Sub(refs[0], numbers[0], numbers[1]); break;
            case RegisterOp.SliceReadonly: refs[0] = Slices.ReadOnly(refs[0]); break;
            case RegisterOp.SliceLen: *numbers = (ulong)Slices.Length(refs[0]); break;
            case RegisterOp.SliceCopy: Slices.Copy(refs[0], numbers[0], refs[1], numbers[1], numbers[2]); break;
            case RegisterOp.SliceFill: Slices.Fill(refs[0], numbers[0], (int)numbers[1], numbers[2]); break;
            default: throw new InvalidOperationException($"No operation of register code: {ip->Op}.");
        }
    }

    private static object NewGlobal(InstanceCore instance, Instruction* ip, ulong* number) => (ValKind)ip->Value switch
    {
        ValKind.I32 => GlobalReferences.NewI32(*(int*)number, instance, ip->Target),
        ValKind.I64 => GlobalReferences.NewI64(*(long*)number, instance, ip->Target),
        ValKind.F32 => GlobalReferences.NewF32(*(float*)number, instance, ip->Target),
        ValKind.V128 => GlobalReferences.NewV128(Unsafe.ReadUnaligned<Vector128<byte>>(number), instance, ip->Target),
        _ => GlobalReferences.NewF64(*(double*)number, instance, ip->Target),
    };

    /// <summary>What <c>ref.memory</c> and its like give.</summary>
    internal static object Entity(InstanceCore instance, ExternKind kind, int index) => kind switch
    {
        ExternKind.Memory => instance.Memories[index],
        ExternKind.Table => instance.Tables[index],
        ExternKind.Global => instance.Globals[index],
        ExternKind.Tag => instance.Tags[index],
        ExternKind.Module => instance.Modules[index],
        // The instance that two-level imports imply is made when it is first used.
        ExternKind.Instance => (index < instance.Instances.Length ? instance.Instances[index] : null) ?? CodeHelpers.ImpliedInstance(instance, index),
        _ => throw new InvalidOperationException($"No reference names a {kind}."),
    };

    /// <summary>The address of an access through a reference to a memory: it always compares.</summary>
    internal static ulong AddressThrough(Instruction* ip, ulong index, object? reference)
    {
        if (reference is null) Trap.Throw(TrapKind.NullMemoryReference);
        ulong extent = RareOperations.ExtentOf(ip);
        var memory = Unsafe.As<Memory>(reference);
        if (ip[1].Value != 0) Memory.CheckAligned(index, (ulong)ip->Imm, ip[1].A - 1u);
        // Compiled code of this engine leaves comparisons to guard pages. A memory that has none traps there, so it does here.
        if (ip[1].C != 0 && !memory.IsGuarded) Trap.UnguardedMemory();
        if (ip[1].B != 0) Memory.Check64(index, memory, extent);
        else Memory.Check32(index, memory, extent);
        return (ulong)memory.Base + index + (ulong)ip->Imm;
    }

    /// <summary>The same of a slice.</summary>
    internal static ulong AddressInSlice(Instruction* ip, ulong index, object? slice)
    {
        if (ip[1].Value != 0) return (ulong)Slices.AtomicAddress(index, slice, (ulong)ip->Imm, ip[1].A, ip[1].C != 0);
        ulong extent = RareOperations.ExtentOf(ip);
        if (ip[1].C != 0) Slices.CheckWrite(index, Slices.WriteLimit(slice, extent), slice);
        else Slices.CheckRead(index, Slices.ReadLimit(slice, extent), slice);
        return (ulong)Slices.BaseOf(slice!) + index + (ulong)ip->Imm;
    }

    /// <summary>The callee of <c>call_export</c>.</summary>
    internal static FuncRef ResolveExport(InstanceCore instance, Instruction* ip, object? of) => ip[1].A != 0
        ? Unsafe.As<FuncRef>(CodeHelpers.GetExportByNumber(of, instance, ip[1].Target))
        : Unsafe.As<InstanceCore>(CodeHelpers.NonNullInstance(of)).GetFunc(ip[1].Target);

    /// <summary>The callee of <c>call_indirect_ref</c>.</summary>
    internal static FuncRef ResolveIn(InstanceCore instance, Instruction* ip, ulong* fp, object? table) => ip[1].A != 0
        ? TableReferences.Resolve64(table, fp[ip->C], ip[1].Value, instance, ip[1].Target)
        : TableReferences.Resolve32(table, *(uint*)(fp + ip->C), ip[1].Value, instance, ip[1].Target);
}
