namespace WasmJit.Runtime;

/// <summary>
/// Tells, where .NET entered wasm, which exceptions of the runtime are traps of the guest. A host function that the guest
/// called may throw the same exceptions for reasons of its own: those pass as they are.
/// </summary>
internal static class TrapFilter
{
    /// <summary>The exception filter of entry thunks. It runs before the stack is unwound and must not throw.</summary>
    internal static bool IsTrap(object exception) => exception switch
    {
        NullReferenceException e => WasmStackTrace.IsFromGuest(e, helpersToo: WasmThread.PeekFault() != 0),
        DivideByZeroException e => WasmStackTrace.IsFromGuest(e),
        OverflowException e => WasmStackTrace.IsFromGuest(e),
        InsufficientExecutionStackException => true,
        _ => false,
    };

    /// <summary>The trap of an exception that the filter has taken.</summary>
    internal static Exception ToTrap(object exception) => exception switch
    {
        DivideByZeroException e => new TrapException(TrapKind.IntegerDivideByZero, null, e),
        OverflowException e => new TrapException(TrapKind.IntegerOverflow, null, e),
        InsufficientExecutionStackException e => new TrapException(TrapKind.CallStackExhausted, null, e),
        NullReferenceException e when WasmThread.TakeFault() != 0 => new TrapException(TrapKind.OutOfBoundsMemoryAccess, null, e),
        var e => new TrapException(TrapKind.NullReference, null, (Exception)e),
    };
}
