namespace WasmJit.Runtime;

/// <summary>
/// Tells, where .NET entered wasm, which exceptions of the runtime are traps of the guest. A host function that the guest called may throw the same
/// exceptions for reasons of its own; those pass unchanged.
/// </summary>
internal static class TrapFilter
{
    /// <summary>The exception filter of entry thunks. It runs before the stack is unwound and must not throw.</summary>
    internal static bool IsTrap(object exception) => exception switch
    {
        NullReferenceException e => IsFault(e),
        DivideByZeroException or OverflowException => WasmStackTrace.IsFromGuest((Exception)exception, helpersToo: true),
        IndexOutOfRangeException or InvalidCastException or OutOfMemoryException => WasmStackTrace.IsFromGuestCode((Exception)exception),
        WasmException e => Unwinder.Leaves(e),
        TrapException e => e.IsDeep,
        _ => false,
    };

    private static bool IsFault(NullReferenceException exception)
    {
        if (WasmStackTrace.IsFromGuest(exception, helpersToo: WasmThread.PeekFault() != 0)) return true;
        // Host code went beyond a memory through a raw pointer. No later exception may be taken for that fault.
        WasmThread.TakeFault();
        return false;
    }

    /// <summary>The trap of an exception that the filter has taken.</summary>
    internal static Exception ToTrap(object exception) => exception switch
    {
        DivideByZeroException e => new TrapException(TrapKind.IntegerDivideByZero, null, e),
        OverflowException e => new TrapException(TrapKind.IntegerOverflow, null, e),
        NullReferenceException e when WasmThread.TakeFault() is var address and not 0 =>
            AddressSpace.IsNull(address) ? new TrapException(TrapKind.NullMemoryReference, null, e)
            : AddressSpace.IsUnguarded(address) ? new TrapException(TrapKind.OutOfBoundsMemoryAccess, Trap.NoGuardPages, e)
            : new TrapException(TrapKind.OutOfBoundsMemoryAccess, null, e) { Address = AddressSpace.OffsetInMemory(address) },
        TrapException e => e.Shortened(),
        IndexOutOfRangeException e => new TrapException(TrapKind.OutOfBoundsArrayAccess, null, e),
        InvalidCastException e => new TrapException(TrapKind.CastFailure, null, e),
        OutOfMemoryException e => new TrapException(TrapKind.OutOfMemory, null, e),
        var e => new TrapException(WasmStackTrace.NullKind((Exception)e), null, (Exception)e),
    };
}
