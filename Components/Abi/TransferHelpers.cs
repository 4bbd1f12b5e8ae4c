using System.Runtime.CompilerServices;
using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>What compiled copies call.</summary>
/// <remarks>Unsafe: pointers are made of ranges that have just been checked, and used at once.</remarks>
internal static unsafe class TransferHelpers
{
    /// <summary>A list's bytes at most.</summary>
    internal const ulong MostBytes = (1 << 28) - 1;

    internal static byte* Place(GuestSide side, ulong address, long size, int alignment) =>
        side.Check(address, (ulong)size, (uint)alignment, ComponentTrap.ResultOutOfBounds);

    internal static ulong AllocatePlace(GuestSide side, long size, int alignment) =>
        side.Allocate((ulong)size, (uint)alignment, ComponentTrap.ResultOutOfBounds, ComponentTrap.Unaligned);

    internal static byte* Pointer(GuestSide side, ulong address) => side.Base + address;

    internal static byte* ListSource(GuestSide side, ulong address, ulong count, long size, int alignment) =>
        side.CheckList(address, count, size, alignment, ComponentTrap.ListOutOfBounds);

    /// <summary>Elements are about to be copied one by one.</summary>
    internal static void PayForElements(Transfer transfer, ulong count) => transfer.From.Pay(count);

    /// <summary>The guest may be stopped here, in a loop over elements.</summary>
    internal static void Poll() => CancellationScope.ThrowIfStopped();

    internal static ulong ListTarget(GuestSide side, ulong count, long size, int alignment) =>
        side.Allocate(count * (ulong)size, (uint)alignment, ComponentTrap.ListOutOfBounds, ComponentTrap.Unaligned);

    /// <summary>Copies of more bytes are those of .NET.</summary>
    private const ulong MostByVectors = 64 << 10;

    /// <summary>Copies elements, which are of different memories and do not overlap.</summary>
    internal static void Copy(byte* from, byte* to, ulong bytes)
    {
        if (bytes <= MostByVectors) AsciiCopy.Copy(from, to, (int)bytes);
        else LongWork.Copy(from, to, bytes);
    }

    internal static int Char(int value)
    {
        if ((uint)value >= 0x110000 || (uint)(value - 0xd800) < 0x800) ComponentTrap.Throw(ComponentTrap.InvalidChar);
        return value;
    }

    internal static void BadDiscriminant() => ComponentTrap.Throw(ComponentTrap.InvalidDiscriminant);

    internal static ulong CopyString(Transfer transfer, ulong address, ulong length, out ulong units) =>
        GuestStrings.Copy(transfer.From, transfer.To, address, length, out units);

    /// <summary>
    /// The same in a call that is one method, into which RyuJIT puts it, with the copy of short texts. Addresses and lengths have 32 bits here, so that their sum does not wrap around.
    /// </summary>
    /// <remarks>
    /// The time is that of the instructions, and of those that save registers among them. So what is needed on both sides of the call of <c>realloc</c> is loaded twice, and calls in rare
    /// paths give back what would have to be kept for them. The fused call keeps the memories until it returns.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong CopyText(LoweredFunction site, bool isResult, ulong address, ref ulong length)
    {
        FusedTransfer transfer = site.FusedTransfer(isResult);
        if (length >= transfer.PlainTextEnd || address + length > transfer.FromMemory!.ByteLength)
        {
            ulong both = CopyOther(transfer, address, length);
            length = both >> 32;
            return (uint)both;
        }
        byte* source = transfer.FromBase + address;
        transfer.ToInstance.MayLeave = false;
        FuncRef realloc = transfer.Realloc!;
        ulong result = (uint)((delegate*<object?, int, int, int, int, int>)realloc.Code)(realloc.Context, 0, 0, 1, (int)length);
        transfer = site.FusedTransfer(isResult);
        // A callee whose call begins, or a caller that has called, may leave.
        transfer.ToInstance.MayLeave = true;
        if (result + length > transfer.ToMemory!.ByteLength) ComponentTrap.Throw(ComponentTrap.StringOutOfBounds);
        byte* target = transfer.ToBase + result;
        // Two conditions, not one: RyuJIT takes what follows a condition for likely.
        if (AsciiCopy.IsShort((nuint)length))
        {
            if (AsciiCopy.CopyShort(source, target, (nuint)length)) return result;
        }
        return CopyLong(source, target, (int)length, result);
    }

    /// <summary>Copies a string of any kind; gives its address, and in the upper half how long it is.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong CopyOther(Transfer transfer, ulong address, ulong length) => CopyString(transfer, address, length, out ulong units) | units << 32;

    /// <summary>Copies a text that is not short, or not ASCII.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong CopyLong(byte* source, byte* target, int length, ulong result)
    {
        if (!AsciiCopy.CopyAny(source, target, length)) GuestStrings.CheckUtf8(source, length);
        return result;
    }

    // ---- handles ----

    internal static int Own(Transfer transfer, int handle, int resource)
    {
        RuntimeResource type = transfer.Resources[resource];
        return LowerOwn(transfer.To.Instance, LiftOwn(transfer.From.Instance, (uint)handle, type), type);
    }

    internal static int Borrow(Transfer transfer, CallScope scope, int handle, int resource)
    {
        RuntimeResource type = transfer.Resources[resource];
        return LowerBorrow(transfer.To.Instance, LiftBorrow(transfer.From.Instance, scope, (uint)handle, type), type, scope.Callee!);
    }

    internal static int Stream(Transfer transfer, int handle, int payload) =>
        StreamHandles.Lower(transfer.To.Instance, StreamHandles.Lift(transfer.From.Instance, (uint)handle, transfer.Payloads[payload]));

    internal static int Error(Transfer transfer, int handle) =>
        (int)transfer.To.Instance.Handles.Add(transfer.From.Instance.Handles.Get<ErrorContext>((uint)handle));

    internal static ulong LiftOwn(InstanceState instance, uint index, RuntimeResource type)
    {
        ResourceHandle handle = instance.Handles.Resource(index, type);
        if (handle.Lends != 0) ComponentTrap.Throw(ComponentTrap.OwnedWhileLent);
        if (!handle.IsOwn) ComponentTrap.Throw("cannot lift a borrowed handle as an owned one");
        instance.Handles.Remove(index);
        return handle.Representation;
    }

    internal static ulong LiftBorrow(InstanceState instance, CallScope scope, uint index, RuntimeResource type)
    {
        ResourceHandle handle = instance.Handles.Resource(index, type);
        scope.Lend(handle);
        return handle.Representation;
    }

    internal static int LowerOwn(InstanceState instance, ulong representation, RuntimeResource type) =>
        (int)instance.Handles.Add(new ResourceHandle(type, representation, null));

    internal static int LowerBorrow(InstanceState instance, ulong representation, RuntimeResource type, BorrowScope callee)
    {
        if (ReferenceEquals(type.Definer, instance)) return (int)representation;
        callee.Borrows++;
        return (int)instance.Handles.Add(new ResourceHandle(type, representation, callee));
    }
}
