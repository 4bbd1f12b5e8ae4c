using System.Runtime.CompilerServices;
using WasmJit.Gc;

namespace WasmJit.Runtime;

/// <summary>The operations that are outside of the interpreter's loop, so that the loop stays small. <see cref="GcOperations"/> and <see cref="LinkingOperations"/> have more of them.</summary>
/// <remarks>Unsafe: slots are those that the translator gave out; see <see cref="Interpreter"/>.</remarks>
internal static unsafe class RareOperations
{
    /// <summary>Executes an operation that the loop does not have. Gives the next instruction.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static Instruction* Execute(InterpreterThread thread, InstanceCore instance, Instruction* ip, ulong* fp, int rp)
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

    /// <summary>Two results in the place of the operands, which lie one behind the other from A on.</summary>
    private static void Wide(ulong* fp, Instruction* ip, (long Low, long High) result)
    {
        *(long*)(fp + ip->A) = result.Low;
        *(long*)(fp + ip->A + 1) = result.High;
    }
}
