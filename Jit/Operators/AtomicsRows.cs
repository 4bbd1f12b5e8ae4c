namespace WasmJit.Jit.Operators;

/// <summary>Rows of <see cref="OperatorTable"/>: threads.</summary>
internal static class AtomicsRows
{
    internal const string Text = """
        0xfe:0x00  memory.atomic.notify        memarg:2  at i32 -> i32      threads  custom                               atomic,reads-memory,cost:1
        0xfe:0x01  memory.atomic.wait32        memarg:2  at i32 i64 -> i32  threads  custom                               atomic,reads-memory,cost:1
        0xfe:0x02  memory.atomic.wait64        memarg:3  at i64 i64 -> i32  threads  custom                               atomic,reads-memory,cost:1
        0xfe:0x03  atomic.fence                zero      ->                 threads  custom                               atomic,cost:1
        0xfe:0x10  i32.atomic.load             memarg:2  at -> i32          threads  call:Atomics.I32AtomicLoad           atomic,reads-memory
        0xfe:0x11  i64.atomic.load             memarg:3  at -> i64          threads  call:Atomics.I64AtomicLoad           atomic,reads-memory
        0xfe:0x12  i32.atomic.load8_u          memarg:0  at -> i32          threads  call:Atomics.I32AtomicLoad8U         atomic,reads-memory
        0xfe:0x13  i32.atomic.load16_u         memarg:1  at -> i32          threads  call:Atomics.I32AtomicLoad16U        atomic,reads-memory
        0xfe:0x14  i64.atomic.load8_u          memarg:0  at -> i64          threads  call:Atomics.I64AtomicLoad8U         atomic,reads-memory
        0xfe:0x15  i64.atomic.load16_u         memarg:1  at -> i64          threads  call:Atomics.I64AtomicLoad16U        atomic,reads-memory
        0xfe:0x16  i64.atomic.load32_u         memarg:2  at -> i64          threads  call:Atomics.I64AtomicLoad32U        atomic,reads-memory
        0xfe:0x17  i32.atomic.store            memarg:2  at i32 ->          threads  call:Atomics.I32AtomicStore          atomic,writes-memory
        0xfe:0x18  i64.atomic.store            memarg:3  at i64 ->          threads  call:Atomics.I64AtomicStore          atomic,writes-memory
        0xfe:0x19  i32.atomic.store8           memarg:0  at i32 ->          threads  call:Atomics.I32AtomicStore8         atomic,writes-memory
        0xfe:0x1a  i32.atomic.store16          memarg:1  at i32 ->          threads  call:Atomics.I32AtomicStore16        atomic,writes-memory
        0xfe:0x1b  i64.atomic.store8           memarg:0  at i64 ->          threads  call:Atomics.I64AtomicStore8         atomic,writes-memory
        0xfe:0x1c  i64.atomic.store16          memarg:1  at i64 ->          threads  call:Atomics.I64AtomicStore16        atomic,writes-memory
        0xfe:0x1d  i64.atomic.store32          memarg:2  at i64 ->          threads  call:Atomics.I64AtomicStore32        atomic,writes-memory
        0xfe:0x1e  i32.atomic.rmw.add          memarg:2  at i32 -> i32      threads  call:Atomics.I32AtomicRmwAdd         atomic,reads-memory,writes-memory
        0xfe:0x1f  i64.atomic.rmw.add          memarg:3  at i64 -> i64      threads  call:Atomics.I64AtomicRmwAdd         atomic,reads-memory,writes-memory
        0xfe:0x20  i32.atomic.rmw8.add_u       memarg:0  at i32 -> i32      threads  call:Atomics.I32AtomicRmw8AddU       atomic,reads-memory,writes-memory
        0xfe:0x21  i32.atomic.rmw16.add_u      memarg:1  at i32 -> i32      threads  call:Atomics.I32AtomicRmw16AddU      atomic,reads-memory,writes-memory
        0xfe:0x22  i64.atomic.rmw8.add_u       memarg:0  at i64 -> i64      threads  call:Atomics.I64AtomicRmw8AddU       atomic,reads-memory,writes-memory
        0xfe:0x23  i64.atomic.rmw16.add_u      memarg:1  at i64 -> i64      threads  call:Atomics.I64AtomicRmw16AddU      atomic,reads-memory,writes-memory
        0xfe:0x24  i64.atomic.rmw32.add_u      memarg:2  at i64 -> i64      threads  call:Atomics.I64AtomicRmw32AddU      atomic,reads-memory,writes-memory
        0xfe:0x25  i32.atomic.rmw.sub          memarg:2  at i32 -> i32      threads  call:Atomics.I32AtomicRmwSub         atomic,reads-memory,writes-memory
        0xfe:0x26  i64.atomic.rmw.sub          memarg:3  at i64 -> i64      threads  call:Atomics.I64AtomicRmwSub         atomic,reads-memory,writes-memory
        0xfe:0x27  i32.atomic.rmw8.sub_u       memarg:0  at i32 -> i32      threads  call:Atomics.I32AtomicRmw8SubU       atomic,reads-memory,writes-memory
        0xfe:0x28  i32.atomic.rmw16.sub_u      memarg:1  at i32 -> i32      threads  call:Atomics.I32AtomicRmw16SubU      atomic,reads-memory,writes-memory
        0xfe:0x29  i64.atomic.rmw8.sub_u       memarg:0  at i64 -> i64      threads  call:Atomics.I64AtomicRmw8SubU       atomic,reads-memory,writes-memory
        0xfe:0x2a  i64.atomic.rmw16.sub_u      memarg:1  at i64 -> i64      threads  call:Atomics.I64AtomicRmw16SubU      atomic,reads-memory,writes-memory
        0xfe:0x2b  i64.atomic.rmw32.sub_u      memarg:2  at i64 -> i64      threads  call:Atomics.I64AtomicRmw32SubU      atomic,reads-memory,writes-memory
        0xfe:0x2c  i32.atomic.rmw.and          memarg:2  at i32 -> i32      threads  call:Atomics.I32AtomicRmwAnd         atomic,reads-memory,writes-memory
        0xfe:0x2d  i64.atomic.rmw.and          memarg:3  at i64 -> i64      threads  call:Atomics.I64AtomicRmwAnd         atomic,reads-memory,writes-memory
        0xfe:0x2e  i32.atomic.rmw8.and_u       memarg:0  at i32 -> i32      threads  call:Atomics.I32AtomicRmw8AndU       atomic,reads-memory,writes-memory
        0xfe:0x2f  i32.atomic.rmw16.and_u      memarg:1  at i32 -> i32      threads  call:Atomics.I32AtomicRmw16AndU      atomic,reads-memory,writes-memory
        0xfe:0x30  i64.atomic.rmw8.and_u       memarg:0  at i64 -> i64      threads  call:Atomics.I64AtomicRmw8AndU       atomic,reads-memory,writes-memory
        0xfe:0x31  i64.atomic.rmw16.and_u      memarg:1  at i64 -> i64      threads  call:Atomics.I64AtomicRmw16AndU      atomic,reads-memory,writes-memory
        0xfe:0x32  i64.atomic.rmw32.and_u      memarg:2  at i64 -> i64      threads  call:Atomics.I64AtomicRmw32AndU      atomic,reads-memory,writes-memory
        0xfe:0x33  i32.atomic.rmw.or           memarg:2  at i32 -> i32      threads  call:Atomics.I32AtomicRmwOr          atomic,reads-memory,writes-memory
        0xfe:0x34  i64.atomic.rmw.or           memarg:3  at i64 -> i64      threads  call:Atomics.I64AtomicRmwOr          atomic,reads-memory,writes-memory
        0xfe:0x35  i32.atomic.rmw8.or_u        memarg:0  at i32 -> i32      threads  call:Atomics.I32AtomicRmw8OrU        atomic,reads-memory,writes-memory
        0xfe:0x36  i32.atomic.rmw16.or_u       memarg:1  at i32 -> i32      threads  call:Atomics.I32AtomicRmw16OrU       atomic,reads-memory,writes-memory
        0xfe:0x37  i64.atomic.rmw8.or_u        memarg:0  at i64 -> i64      threads  call:Atomics.I64AtomicRmw8OrU        atomic,reads-memory,writes-memory
        0xfe:0x38  i64.atomic.rmw16.or_u       memarg:1  at i64 -> i64      threads  call:Atomics.I64AtomicRmw16OrU       atomic,reads-memory,writes-memory
        0xfe:0x39  i64.atomic.rmw32.or_u       memarg:2  at i64 -> i64      threads  call:Atomics.I64AtomicRmw32OrU       atomic,reads-memory,writes-memory
        0xfe:0x3a  i32.atomic.rmw.xor          memarg:2  at i32 -> i32      threads  call:Atomics.I32AtomicRmwXor         atomic,reads-memory,writes-memory
        0xfe:0x3b  i64.atomic.rmw.xor          memarg:3  at i64 -> i64      threads  call:Atomics.I64AtomicRmwXor         atomic,reads-memory,writes-memory
        0xfe:0x3c  i32.atomic.rmw8.xor_u       memarg:0  at i32 -> i32      threads  call:Atomics.I32AtomicRmw8XorU       atomic,reads-memory,writes-memory
        0xfe:0x3d  i32.atomic.rmw16.xor_u      memarg:1  at i32 -> i32      threads  call:Atomics.I32AtomicRmw16XorU      atomic,reads-memory,writes-memory
        0xfe:0x3e  i64.atomic.rmw8.xor_u       memarg:0  at i64 -> i64      threads  call:Atomics.I64AtomicRmw8XorU       atomic,reads-memory,writes-memory
        0xfe:0x3f  i64.atomic.rmw16.xor_u      memarg:1  at i64 -> i64      threads  call:Atomics.I64AtomicRmw16XorU      atomic,reads-memory,writes-memory
        0xfe:0x40  i64.atomic.rmw32.xor_u      memarg:2  at i64 -> i64      threads  call:Atomics.I64AtomicRmw32XorU      atomic,reads-memory,writes-memory
        0xfe:0x41  i32.atomic.rmw.xchg         memarg:2  at i32 -> i32      threads  call:Atomics.I32AtomicRmwXchg        atomic,reads-memory,writes-memory
        0xfe:0x42  i64.atomic.rmw.xchg         memarg:3  at i64 -> i64      threads  call:Atomics.I64AtomicRmwXchg        atomic,reads-memory,writes-memory
        0xfe:0x43  i32.atomic.rmw8.xchg_u      memarg:0  at i32 -> i32      threads  call:Atomics.I32AtomicRmw8XchgU      atomic,reads-memory,writes-memory
        0xfe:0x44  i32.atomic.rmw16.xchg_u     memarg:1  at i32 -> i32      threads  call:Atomics.I32AtomicRmw16XchgU     atomic,reads-memory,writes-memory
        0xfe:0x45  i64.atomic.rmw8.xchg_u      memarg:0  at i64 -> i64      threads  call:Atomics.I64AtomicRmw8XchgU      atomic,reads-memory,writes-memory
        0xfe:0x46  i64.atomic.rmw16.xchg_u     memarg:1  at i64 -> i64      threads  call:Atomics.I64AtomicRmw16XchgU     atomic,reads-memory,writes-memory
        0xfe:0x47  i64.atomic.rmw32.xchg_u     memarg:2  at i64 -> i64      threads  call:Atomics.I64AtomicRmw32XchgU     atomic,reads-memory,writes-memory
        0xfe:0x48  i32.atomic.rmw.cmpxchg      memarg:2  at i32 i32 -> i32  threads  call:Atomics.I32AtomicRmwCmpxchg     atomic,reads-memory,writes-memory
        0xfe:0x49  i64.atomic.rmw.cmpxchg      memarg:3  at i64 i64 -> i64  threads  call:Atomics.I64AtomicRmwCmpxchg     atomic,reads-memory,writes-memory
        0xfe:0x4a  i32.atomic.rmw8.cmpxchg_u   memarg:0  at i32 i32 -> i32  threads  call:Atomics.I32AtomicRmw8CmpxchgU   atomic,reads-memory,writes-memory
        0xfe:0x4b  i32.atomic.rmw16.cmpxchg_u  memarg:1  at i32 i32 -> i32  threads  call:Atomics.I32AtomicRmw16CmpxchgU  atomic,reads-memory,writes-memory
        0xfe:0x4c  i64.atomic.rmw8.cmpxchg_u   memarg:0  at i64 i64 -> i64  threads  call:Atomics.I64AtomicRmw8CmpxchgU   atomic,reads-memory,writes-memory
        0xfe:0x4d  i64.atomic.rmw16.cmpxchg_u  memarg:1  at i64 i64 -> i64  threads  call:Atomics.I64AtomicRmw16CmpxchgU  atomic,reads-memory,writes-memory
        0xfe:0x4e  i64.atomic.rmw32.cmpxchg_u  memarg:2  at i64 i64 -> i64  threads  call:Atomics.I64AtomicRmw32CmpxchgU  atomic,reads-memory,writes-memory
        """;
}
