using System.Runtime.CompilerServices;
using WasmJit.Gc;

namespace WasmJit.Runtime;

internal static unsafe partial class Interpreter
{
    /// <summary>
    /// Runs a function from outside of the loop. Its arguments are at the top of the thread's interpreter stack, and its results then take their
    /// place. If the function ends with a tail call out of the interpreter, the call is made here, unless the caller makes it.
    /// </summary>
    /// <param name="thread">The thread's stack.</param>
    /// <param name="instance">The function's instance.</param>
    /// <param name="function">The function.</param>
    /// <param name="tails">Whether the caller goes on with <see cref="InterpreterThread.NextCode"/> if it is set.</param>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Execute(InterpreterThread thread, InstanceCore instance, FunctionState* function, bool tails)
    {
        byte local;
        // Otherwise the function that is entered looks.
        if (StackGuard.Map is null) StackGuard.Check();
        ulong* fp = thread.Top;
        int rp = thread.RefTop;
        Instruction** outer = thread.At;
        InterpreterFrame* bottom = thread.Sp, frameLimit = thread.FrameLimit;
        ulong* limit = thread.Limit;
        // The limit of a guest's stack limits the interpreter's, too.
        if (WasmThread.Current.StackLimit is var end and not 0) thread.LimitTo((ulong)&local > end ? (ulong)&local - end : 0);
        bool done = false;
        FunctionState* first = function;
        ulong* slots = fp;
        int references = rp;
        Instruction* handler;
        try
        {
            while (true)
            {
                try
                {
                    Run(thread, instance, first, slots, references);
                    while (thread.NextCode is var code and not 0)
                    {
                        CallShape* shape = thread.NextShape;
                        FunctionState* next = thread.NextFunction;
                        if (next is not null && next->Compiled == 0)
                        {
                            thread.NextCode = 0;
                            instance = Unsafe.As<InstanceCore>(thread.NextContext)!;
                            Run(thread, instance, next, fp, rp);
                            continue;
                        }
                        if (tails && shape->Tail != 0)
                        {
                            // The instance may be another than the one that was called.
                            thread.NextOwner = instance;
                            break;
                        }
                        object? context = thread.NextContext;
                        thread.NextCode = 0;
                        thread.NextContext = null;
                        thread.Top = fp + Math.Max(shape->ParamSlots, shape->ResultSlots);
                        thread.RefTop = rp + Math.Max(shape->RefParams, shape->RefResults);
                        InterpreterCalls.Call(thread, context, code, shape, fp, rp);
                        if (shape->RefParams > shape->RefResults) Array.Clear(thread.Refs, rp + shape->RefResults, shape->RefParams - shape->RefResults);
                    }
                    break;
                }
                catch (WasmException e) when ((handler = ExceptionTable.Find(e, thread, instance, bottom)) is not null)
                {
                    slots = fp;
                    references = rp;
                    thread.GoesOnAt = ExceptionTable.Enter(e, handler, thread, bottom, ref slots, ref references);
                    thread.GoesOnFrom = bottom;
                    first = null;
                }
            }
            done = true;
        }
        catch (Exception e) when (InterpretedStack.Note(e, instance, thread, bottom, outer))
        {
            // The filter never takes the exception.
            throw;
        }
        finally
        {
            thread.Top = fp;
            thread.RefTop = rp;
            thread.At = outer;
            thread.Limit = limit;
            thread.FrameLimit = frameLimit;
            if (!done) thread.Unwind(bottom, rp);
            GC.KeepAlive(instance);
        }
    }

    /// <summary>The callee of <c>call_indirect</c>.</summary>
    private static FuncRef Resolve(InstanceCore instance, Instruction* ip, ulong* fp)
    {
        Table table = instance.Tables[ip[1].B | (ip[1].C << 16)];
        return ip[1].A != 0
            ? CodeHelpers.Resolve64(fp[ip->C], table, ip[1].Value, instance, ip[1].Target)
            : CodeHelpers.Resolve32(*(uint*)(fp + ip->C), table, ip[1].Value, instance, ip[1].Target);
    }

    private static ulong Number(ulong* fp, int slot, bool is64) => is64 ? fp[slot] : *(uint*)(fp + slot);

    /// <summary>An address in a memory, or a count of its bytes or pages.</summary>
    private static ulong Number(ulong* fp, int slot, Memory memory) => Number(fp, slot, memory.Type.Is64);

    /// <summary>An index in a table, or a count of its elements.</summary>
    private static ulong Number(ulong* fp, int slot, Table table) => Number(fp, slot, table.Type.Is64);

    /// <summary>The bytes from the index of an access to its end, whose width stands in the word behind. A number that no memory can have is cut to the largest.</summary>
    internal static ulong ExtentOf(Instruction* ip)
    {
        ulong offset = (ulong)ip->Imm, extent = offset + ip[1].A;
        return extent < offset ? ulong.MaxValue : extent;
    }

    /// <summary>Operations that are outside of the loop, so that the loop stays small. Gives the next instruction.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Instruction* Rare(InterpreterThread thread, InstanceCore instance, Instruction* ip, ulong* fp, int rp)
    {
        ref object? First(int slot) => ref thread.Refs[rp + slot];
        switch (ip->Op)
        {
            case RegisterOp.Trap: throw Trap.Make((TrapKind)ip->Target);
            case RegisterOp.ChargeBytes: Fuel.ChargeBytes(Number(fp, ip->A, ip->C != 0), instance); break;
            case RegisterOp.ChargeItems: Fuel.ChargeItems(Number(fp, ip->A, ip->C != 0), instance); break;
            case RegisterOp.ChargeCode: Fuel.ChargeCode(Number(fp, ip->A, ip->C != 0), instance); break;
            case RegisterOp.ChargeUnits: Fuel.ChargeItems((ulong)ip->Imm, instance); break;
            case RegisterOp.AddressThrough:
                fp[ip->A] = LinkingOperations.AddressThrough(ip, Number(fp, ip->B, ip[1].B != 0), First(ip->C));
                return ip + 2;
            case RegisterOp.AddressInSlice:
                fp[ip->A] = LinkingOperations.AddressInSlice(ip, fp[ip->B], First(ip->C));
                return ip + 2;
            case RegisterOp.RefEntity: First(ip->A) = LinkingOperations.Entity(instance, (ExternKind)ip->Value, ip->Target); break;
            case RegisterOp.Address:
                {
                    Memory memory = instance.Memories[ip->C];
                    ulong index = Number(fp, ip->B, memory);
                    if (ip[1].Value != 0) Memory.CheckAligned(index, (ulong)ip->Imm, ip[1].A - 1u);
                    if (ip[1].B != 0)
                    {
                        ulong extent = ExtentOf(ip);
                        if (memory.Type.Is64) Memory.Check64(index, memory, extent);
                        else Memory.Check32(index, memory, extent);
                    }
                    fp[ip->A] = (ulong)memory.Base + index + (ulong)ip->Imm;
                    return ip + 2;
                }
            case RegisterOp.MoveMany: new ReadOnlySpan<ulong>(fp + ip->B, (int)ip->Imm).CopyTo(new Span<ulong>(fp + ip->A, (int)ip->Imm)); break;
            case RegisterOp.MoveRefs: Array.Copy(thread.Refs, rp + ip->B, thread.Refs, rp + ip->A, (int)ip->Imm); break;
            case RegisterOp.EnterSpills: thread.EnterSpills(); break;
            case RegisterOp.LeaveSpills: thread.LeaveSpills(); break;
            case RegisterOp.Spill: new ReadOnlySpan<ulong>(fp + ip->A, ip->Value).CopyTo(thread.SpilledNumbers(ip->Target, ip->Value)); break;
            case RegisterOp.Unspill: thread.SpilledNumbers(ip->Target, ip->Value).CopyTo(new Span<ulong>(fp + ip->A, ip->Value)); break;
            case RegisterOp.SpillRefs: thread.Refs.AsSpan(rp + ip->A, ip->Value).CopyTo(thread.SpilledRefs(ip->Target, ip->Value)); break;
            case RegisterOp.UnspillRefs: thread.SpilledRefs(ip->Target, ip->Value).CopyTo(thread.Refs.AsSpan(rp + ip->A, ip->Value)); break;
            case RegisterOp.MemorySize: fp[ip->A] = instance.Memories[ip->Target].PageCount; break;
            case RegisterOp.MemoryGrow:
                {
                    Memory memory = instance.Memories[ip->Target];
                    ulong delta = Number(fp, ip->B, memory);
                    long before = memory.Grow(delta);
                    if (ip->C != 0) Fuel.ChargeGrowth(before, delta, memory.Type.PageSizeLog2, instance);
                    *(long*)(fp + ip->A) = before;
                    break;
                }
            case RegisterOp.MemoryFill:
                {
                    Memory memory = instance.Memories[ip->Target];
                    Memory.Fill(Number(fp, ip->A, memory), *(int*)(fp + ip->B), Number(fp, ip->C, memory), memory);
                    break;
                }
            case RegisterOp.MemoryCopy:
                {
                    Memory to = instance.Memories[ip->Target], from = instance.Memories[ip->Value];
                    Memory.Copy(Number(fp, ip->A, to), Number(fp, ip->B, from), Number(fp, ip->C, to.Type.Is64 && from.Type.Is64), to, from);
                    break;
                }
            case RegisterOp.MemoryInit:
                {
                    Memory memory = instance.Memories[ip->Target];
                    Memory.Init(Number(fp, ip->A, memory), *(uint*)(fp + ip->B), *(uint*)(fp + ip->C), memory, instance, ip->Value);
                    break;
                }
            case RegisterOp.DataDrop: CodeHelpers.DataDrop(instance, ip->Target); break;
            case RegisterOp.TableGet:
                {
                    Table table = instance.Tables[ip->Target];
                    First(ip->A) = table.Get(Number(fp, ip->B, table));
                    break;
                }
            case RegisterOp.TableSet:
                {
                    Table table = instance.Tables[ip->Target];
                    table.Set(Number(fp, ip->A, table), First(ip->B));
                    break;
                }
            case RegisterOp.TableSize: *(long*)(fp + ip->A) = instance.Tables[ip->Target].Size; break;
            case RegisterOp.TableGrow:
                {
                    Table table = instance.Tables[ip->Target];
                    *(long*)(fp + ip->A) = table.GrowCore(Number(fp, ip->B, table), First(ip->C));
                    break;
                }
            case RegisterOp.TableFill:
                {
                    Table table = instance.Tables[ip->Target];
                    table.Fill(Number(fp, ip->A, table), First(ip->B), Number(fp, ip->C, table));
                    break;
                }
            case RegisterOp.TableCopy:
                {
                    Table to = instance.Tables[ip->Target], from = instance.Tables[ip->Value];
                    Table.Copy(to, Number(fp, ip->A, to), from, Number(fp, ip->B, from), Number(fp, ip->C, to.Type.Is64 && from.Type.Is64));
                    break;
                }
            case RegisterOp.TableInit:
                {
                    Table table = instance.Tables[ip->Target];
                    table.Init(Number(fp, ip->A, table), instance.Elems[ip->Value], *(uint*)(fp + ip->B), *(uint*)(fp + ip->C));
                    break;
                }
            case RegisterOp.ElemDrop: CodeHelpers.ElemDrop(instance, ip->Target); break;
            case RegisterOp.RefFunc: First(ip->A) = instance.GetFunc(ip->Target); break;
            case RegisterOp.RefIsNull: *(int*)(fp + ip->A) = First(ip->B) is null ? 1 : 0; break;
            case RegisterOp.RefEq: *(int*)(fp + ip->A) = I31.RefEq(First(ip->B), First(ip->C)) ? 1 : 0; break;
            case RegisterOp.RefAsNonNull: First(ip->A) = CodeHelpers.NonNull(First(ip->B)); break;
            case RegisterOp.GlobalGetRef:
                {
                    Global global = instance.Globals[ip->Target];
                    First(ip->A) = global.IsFunc ? global.Func : global.Ref;
                    break;
                }
            case RegisterOp.GlobalSetRef:
                {
                    Global global = instance.Globals[ip->Target];
                    if (global.IsFunc) global.Func = Unsafe.As<FuncRef?>(First(ip->A));
                    else global.Ref = First(ip->A);
                    break;
                }
            case RegisterOp.GlobalGetFar: fp[ip->A] = ((ulong*)instance.Globals[ip->Target].Address)[ip->Value]; break;
            case RegisterOp.GlobalSetFar:
                {
                    Global global = instance.Globals[ip->Target];
                    if (global.Type.Type.ByteSize == 4) *(int*)global.Address = *(int*)(fp + ip->A);
                    else ((ulong*)global.Address)[ip->Value] = fp[ip->A];
                    break;
                }
            case RegisterOp.I32TruncSatF32S: *(int*)(fp + ip->A) = Conversions.I32TruncSatF32S(*(float*)(fp + ip->B)); break;
            case RegisterOp.I32TruncSatF32U: *(int*)(fp + ip->A) = Conversions.I32TruncSatF32U(*(float*)(fp + ip->B)); break;
            case RegisterOp.I32TruncSatF64S: *(int*)(fp + ip->A) = Conversions.I32TruncSatF64S(*(double*)(fp + ip->B)); break;
            case RegisterOp.I32TruncSatF64U: *(int*)(fp + ip->A) = Conversions.I32TruncSatF64U(*(double*)(fp + ip->B)); break;
            case RegisterOp.I64TruncSatF32S: *(long*)(fp + ip->A) = Conversions.I64TruncSatF32S(*(float*)(fp + ip->B)); break;
            case RegisterOp.I64TruncSatF32U: *(long*)(fp + ip->A) = Conversions.I64TruncSatF32U(*(float*)(fp + ip->B)); break;
            case RegisterOp.I64TruncSatF64S: *(long*)(fp + ip->A) = Conversions.I64TruncSatF64S(*(double*)(fp + ip->B)); break;
            case RegisterOp.I64TruncSatF64U: *(long*)(fp + ip->A) = Conversions.I64TruncSatF64U(*(double*)(fp + ip->B)); break;
            case RegisterOp.I64Add128: Wide(fp, ip, Integers.Add128(*(long*)(fp + ip->A), *(long*)(fp + ip->A + 1), *(long*)(fp + ip->A + 2), *(long*)(fp + ip->A + 3))); break;
            case RegisterOp.I64Sub128: Wide(fp, ip, Integers.Sub128(*(long*)(fp + ip->A), *(long*)(fp + ip->A + 1), *(long*)(fp + ip->A + 2), *(long*)(fp + ip->A + 3))); break;
            case RegisterOp.I64MulWideS: Wide(fp, ip, Integers.MulWideS(*(long*)(fp + ip->A), *(long*)(fp + ip->A + 1))); break;
            case RegisterOp.I64MulWideU: Wide(fp, ip, Integers.MulWideU(*(long*)(fp + ip->A), *(long*)(fp + ip->A + 1))); break;
            case RegisterOp.Vector: VectorOperations.Execute(fp, ip); break;
            case RegisterOp.Shuffle:
                VectorOperations.Shuffle(fp, ip);
                return ip + 2;
            case RegisterOp.Atomic: AtomicOperations.Execute(fp, ip); break;
            case RegisterOp.AtomicFence: AtomicWaits.Fence(); break;
            case RegisterOp.Throw: throw ExceptionTable.Make(thread, instance, ip, fp, rp);
            case RegisterOp.ThrowRef: throw ExceptionHelpers.NonNull(First(ip->A));
            case RegisterOp.RefI31: First(ip->A) = I31.New(*(int*)(fp + ip->B)); break;
            case RegisterOp.I31GetS: fp[ip->A] = (uint)I31.GetS(First(ip->B)); break;
            case RegisterOp.I31GetU: fp[ip->A] = (uint)I31.GetU(First(ip->B)); break;
            case >= RegisterOp.StructNew: return GcOperations.Execute(thread, instance, ip, fp, rp);
            default: return LinkingOperations.Execute(thread, instance, ip, fp, rp);
        }
        return ip + 1;
    }

    /// <summary>Two results in the place of the operands, which lie one behind the other from A on.</summary>
    private static void Wide(ulong* fp, Instruction* ip, (long Low, long High) result)
    {
        *(long*)(fp + ip->A) = result.Low;
        *(long*)(fp + ip->A + 1) = result.High;
    }
}
