namespace WasmJit.Runtime;

/// <summary>Wait and notify (threads, Overview.md). Alignment is checked before bounds, as for all atomic operators.</summary>
internal static unsafe class AtomicWaits
{
    internal static int Notify(ulong index, int count, Memory memory, ulong offset)
    {
        ulong address = Check(index, offset, 4, memory);
        return memory.Type.IsShared ? memory.Waiters.Notify(address, (uint)count) : 0;
    }

    internal static int Wait32(ulong index, int expected, long timeout, Memory memory, ulong offset)
    {
        ulong address = Check(index, offset, 4, memory);
        return Wait(address, () => Volatile.Read(ref *(int*)(memory.Base + address)) == expected, timeout, memory);
    }

    internal static int Wait64(ulong index, long expected, long timeout, Memory memory, ulong offset)
    {
        ulong address = Check(index, offset, 8, memory);
        return Wait(address, () => Volatile.Read(ref *(long*)(memory.Base + address)) == expected, timeout, memory);
    }

    private static int Wait(ulong address, Func<bool> isExpected, long timeout, Memory memory)
    {
        if (!memory.Type.IsShared) throw Trap.Make(TrapKind.ExpectedSharedMemory);
        CancellationScope? scope = WasmThread.Current.Scope;
        CancellationToken cancellation = scope?.Token ?? CancellationToken.None;
        try
        {
            int result = memory.Waiters.Wait(address, isExpected, timeout, cancellation);
            GC.KeepAlive(memory);
            return result;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            throw scope!.EndOfWait();
        }
    }

    private static ulong Check(ulong index, ulong offset, uint width, Memory memory)
    {
        ulong address = index + offset;
        if ((address & (width - 1)) != 0) Trap.UnalignedAtomic();
        if (address < index) Trap.OutOfBoundsMemory();
        memory.CheckRange(address, width);
        return address;
    }

    internal static void Fence() => Interlocked.MemoryBarrier();
}
