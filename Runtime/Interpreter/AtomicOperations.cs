namespace WasmJit.Runtime;

/// <summary>The plain atomic operators under the names of their methods, with their codes: what <see cref="RegisterOp.Atomic"/> does. The operator table is compared with it.</summary>
internal enum AtomicOp
{
    I32AtomicLoad = 0x10, I64AtomicLoad, I32AtomicLoad8U, I32AtomicLoad16U, I64AtomicLoad8U, I64AtomicLoad16U, I64AtomicLoad32U, I32AtomicStore,
    I64AtomicStore, I32AtomicStore8, I32AtomicStore16, I64AtomicStore8, I64AtomicStore16, I64AtomicStore32, I32AtomicRmwAdd, I64AtomicRmwAdd,
    I32AtomicRmw8AddU, I32AtomicRmw16AddU, I64AtomicRmw8AddU, I64AtomicRmw16AddU, I64AtomicRmw32AddU, I32AtomicRmwSub, I64AtomicRmwSub,
    I32AtomicRmw8SubU, I32AtomicRmw16SubU, I64AtomicRmw8SubU, I64AtomicRmw16SubU, I64AtomicRmw32SubU, I32AtomicRmwAnd, I64AtomicRmwAnd,
    I32AtomicRmw8AndU, I32AtomicRmw16AndU, I64AtomicRmw8AndU, I64AtomicRmw16AndU, I64AtomicRmw32AndU, I32AtomicRmwOr, I64AtomicRmwOr,
    I32AtomicRmw8OrU, I32AtomicRmw16OrU, I64AtomicRmw8OrU, I64AtomicRmw16OrU, I64AtomicRmw32OrU, I32AtomicRmwXor, I64AtomicRmwXor, I32AtomicRmw8XorU,
    I32AtomicRmw16XorU, I64AtomicRmw8XorU, I64AtomicRmw16XorU, I64AtomicRmw32XorU, I32AtomicRmwXchg, I64AtomicRmwXchg, I32AtomicRmw8XchgU,
    I32AtomicRmw16XchgU, I64AtomicRmw8XchgU, I64AtomicRmw16XchgU, I64AtomicRmw32XchgU, I32AtomicRmwCmpxchg, I64AtomicRmwCmpxchg,
    I32AtomicRmw8CmpxchgU, I32AtomicRmw16CmpxchgU, I64AtomicRmw8CmpxchgU, I64AtomicRmw16CmpxchgU, I64AtomicRmw32CmpxchgU,
}

/// <summary>The interpreted atomic operators: A = result, B = the address in the process, C and Value the operands.</summary>
/// <remarks>Unsafe: slots are those that the translator gave out, and addresses those of an instruction before, which has compared them.</remarks>
internal static unsafe class AtomicOperations
{
    /// <summary>Executes an operator.</summary>
    internal static void Execute(ulong* fp, Instruction* ip)
    {
        var at = (byte*)fp[ip->B];
        switch ((AtomicOp)ip->Target)
        {
            case AtomicOp.I32AtomicLoad: fp[ip->A] = (uint)Atomics.I32AtomicLoad(at); break;
            case AtomicOp.I64AtomicLoad: fp[ip->A] = (ulong)Atomics.I64AtomicLoad(at); break;
            case AtomicOp.I32AtomicLoad8U: fp[ip->A] = (uint)Atomics.I32AtomicLoad8U(at); break;
            case AtomicOp.I32AtomicLoad16U: fp[ip->A] = (uint)Atomics.I32AtomicLoad16U(at); break;
            case AtomicOp.I64AtomicLoad8U: fp[ip->A] = (ulong)Atomics.I64AtomicLoad8U(at); break;
            case AtomicOp.I64AtomicLoad16U: fp[ip->A] = (ulong)Atomics.I64AtomicLoad16U(at); break;
            case AtomicOp.I64AtomicLoad32U: fp[ip->A] = (ulong)Atomics.I64AtomicLoad32U(at); break;
            case AtomicOp.I32AtomicStore: Atomics.I32AtomicStore(at, *(int*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicStore: Atomics.I64AtomicStore(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I32AtomicStore8: Atomics.I32AtomicStore8(at, *(int*)(fp + ip->C)); break;
            case AtomicOp.I32AtomicStore16: Atomics.I32AtomicStore16(at, *(int*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicStore8: Atomics.I64AtomicStore8(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicStore16: Atomics.I64AtomicStore16(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicStore32: Atomics.I64AtomicStore32(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I32AtomicRmwAdd: fp[ip->A] = (uint)Atomics.I32AtomicRmwAdd(at, *(int*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicRmwAdd: fp[ip->A] = (ulong)Atomics.I64AtomicRmwAdd(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I32AtomicRmw8AddU: fp[ip->A] = (uint)Atomics.I32AtomicRmw8AddU(at, *(int*)(fp + ip->C)); break;
            case AtomicOp.I32AtomicRmw16AddU: fp[ip->A] = (uint)Atomics.I32AtomicRmw16AddU(at, *(int*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicRmw8AddU: fp[ip->A] = (ulong)Atomics.I64AtomicRmw8AddU(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicRmw16AddU: fp[ip->A] = (ulong)Atomics.I64AtomicRmw16AddU(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicRmw32AddU: fp[ip->A] = (ulong)Atomics.I64AtomicRmw32AddU(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I32AtomicRmwSub: fp[ip->A] = (uint)Atomics.I32AtomicRmwSub(at, *(int*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicRmwSub: fp[ip->A] = (ulong)Atomics.I64AtomicRmwSub(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I32AtomicRmw8SubU: fp[ip->A] = (uint)Atomics.I32AtomicRmw8SubU(at, *(int*)(fp + ip->C)); break;
            case AtomicOp.I32AtomicRmw16SubU: fp[ip->A] = (uint)Atomics.I32AtomicRmw16SubU(at, *(int*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicRmw8SubU: fp[ip->A] = (ulong)Atomics.I64AtomicRmw8SubU(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicRmw16SubU: fp[ip->A] = (ulong)Atomics.I64AtomicRmw16SubU(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicRmw32SubU: fp[ip->A] = (ulong)Atomics.I64AtomicRmw32SubU(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I32AtomicRmwAnd: fp[ip->A] = (uint)Atomics.I32AtomicRmwAnd(at, *(int*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicRmwAnd: fp[ip->A] = (ulong)Atomics.I64AtomicRmwAnd(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I32AtomicRmw8AndU: fp[ip->A] = (uint)Atomics.I32AtomicRmw8AndU(at, *(int*)(fp + ip->C)); break;
            case AtomicOp.I32AtomicRmw16AndU: fp[ip->A] = (uint)Atomics.I32AtomicRmw16AndU(at, *(int*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicRmw8AndU: fp[ip->A] = (ulong)Atomics.I64AtomicRmw8AndU(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicRmw16AndU: fp[ip->A] = (ulong)Atomics.I64AtomicRmw16AndU(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicRmw32AndU: fp[ip->A] = (ulong)Atomics.I64AtomicRmw32AndU(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I32AtomicRmwOr: fp[ip->A] = (uint)Atomics.I32AtomicRmwOr(at, *(int*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicRmwOr: fp[ip->A] = (ulong)Atomics.I64AtomicRmwOr(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I32AtomicRmw8OrU: fp[ip->A] = (uint)Atomics.I32AtomicRmw8OrU(at, *(int*)(fp + ip->C)); break;
            case AtomicOp.I32AtomicRmw16OrU: fp[ip->A] = (uint)Atomics.I32AtomicRmw16OrU(at, *(int*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicRmw8OrU: fp[ip->A] = (ulong)Atomics.I64AtomicRmw8OrU(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicRmw16OrU: fp[ip->A] = (ulong)Atomics.I64AtomicRmw16OrU(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicRmw32OrU: fp[ip->A] = (ulong)Atomics.I64AtomicRmw32OrU(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I32AtomicRmwXor: fp[ip->A] = (uint)Atomics.I32AtomicRmwXor(at, *(int*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicRmwXor: fp[ip->A] = (ulong)Atomics.I64AtomicRmwXor(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I32AtomicRmw8XorU: fp[ip->A] = (uint)Atomics.I32AtomicRmw8XorU(at, *(int*)(fp + ip->C)); break;
            case AtomicOp.I32AtomicRmw16XorU: fp[ip->A] = (uint)Atomics.I32AtomicRmw16XorU(at, *(int*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicRmw8XorU: fp[ip->A] = (ulong)Atomics.I64AtomicRmw8XorU(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicRmw16XorU: fp[ip->A] = (ulong)Atomics.I64AtomicRmw16XorU(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicRmw32XorU: fp[ip->A] = (ulong)Atomics.I64AtomicRmw32XorU(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I32AtomicRmwXchg: fp[ip->A] = (uint)Atomics.I32AtomicRmwXchg(at, *(int*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicRmwXchg: fp[ip->A] = (ulong)Atomics.I64AtomicRmwXchg(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I32AtomicRmw8XchgU: fp[ip->A] = (uint)Atomics.I32AtomicRmw8XchgU(at, *(int*)(fp + ip->C)); break;
            case AtomicOp.I32AtomicRmw16XchgU: fp[ip->A] = (uint)Atomics.I32AtomicRmw16XchgU(at, *(int*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicRmw8XchgU: fp[ip->A] = (ulong)Atomics.I64AtomicRmw8XchgU(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicRmw16XchgU: fp[ip->A] = (ulong)Atomics.I64AtomicRmw16XchgU(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I64AtomicRmw32XchgU: fp[ip->A] = (ulong)Atomics.I64AtomicRmw32XchgU(at, *(long*)(fp + ip->C)); break;
            case AtomicOp.I32AtomicRmwCmpxchg: fp[ip->A] = (uint)Atomics.I32AtomicRmwCmpxchg(at, *(int*)(fp + ip->C), *(int*)(fp + ip->Value)); break;
            case AtomicOp.I64AtomicRmwCmpxchg: fp[ip->A] = (ulong)Atomics.I64AtomicRmwCmpxchg(at, *(long*)(fp + ip->C), *(long*)(fp + ip->Value)); break;
            case AtomicOp.I32AtomicRmw8CmpxchgU: fp[ip->A] = (uint)Atomics.I32AtomicRmw8CmpxchgU(at, *(int*)(fp + ip->C), *(int*)(fp + ip->Value)); break;
            case AtomicOp.I32AtomicRmw16CmpxchgU: fp[ip->A] = (uint)Atomics.I32AtomicRmw16CmpxchgU(at, *(int*)(fp + ip->C), *(int*)(fp + ip->Value)); break;
            case AtomicOp.I64AtomicRmw8CmpxchgU: fp[ip->A] = (ulong)Atomics.I64AtomicRmw8CmpxchgU(at, *(long*)(fp + ip->C), *(long*)(fp + ip->Value)); break;
            case AtomicOp.I64AtomicRmw16CmpxchgU: fp[ip->A] = (ulong)Atomics.I64AtomicRmw16CmpxchgU(at, *(long*)(fp + ip->C), *(long*)(fp + ip->Value)); break;
            case AtomicOp.I64AtomicRmw32CmpxchgU: fp[ip->A] = (ulong)Atomics.I64AtomicRmw32CmpxchgU(at, *(long*)(fp + ip->C), *(long*)(fp + ip->Value)); break;
            default: throw new InvalidOperationException($"There is no atomic operator {ip->Target}.");
        }
    }
}
