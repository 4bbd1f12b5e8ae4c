using System.Runtime.CompilerServices;
using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>
/// One side of a copy that is a guest: its instance and the options of its canonical definition.
/// </summary>
/// <remarks>
/// Unsafe: <see cref="Base"/> is used with addresses that <see cref="Check"/> has seen. A memory never moves or shrinks in use, and one that was freed
/// keeps its pages for as long as <see cref="Memory"/> refers to it. Code of functions is called with the arguments of its type, which validation has checked.
/// </remarks>
internal sealed unsafe class GuestSide
{
    internal GuestSide(InstanceState instance, Memory? memory, StringEncoding encoding, FuncRef? realloc)
        : this(instance, memory, encoding, realloc, isInGuest: false)
    {
    }

    private GuestSide(InstanceState instance, Memory? memory, StringEncoding encoding, FuncRef? realloc, bool isInGuest)
    {
        this.isInGuest = isInGuest;
        fuel = instance.Tree.Fuel;
        IsDirect = isInGuest && realloc is not null && !instance.UsesTasks;
        Instance = instance;
        Memory = memory;
        Encoding = encoding;
        Realloc = realloc;
        if (memory is null) return;
        Base = memory.Base;
        Is64 = memory.Type.Is64;
        IsShared = memory.Type.IsShared;
    }

    private Func<int, int, int, int, int>? realloc32;
    private Func<long, long, long, long, long>? realloc64;

    /// <summary>Whether other threads may change the memory while it is read.</summary>
    internal bool IsShared { get; }

    internal InstanceState Instance { get; }

    internal Memory? Memory { get; }

    internal readonly byte* Base;

    internal bool Is64 { get; }

    internal StringEncoding Encoding { get; }

    /// <summary>Whether strings are UTF-8 at addresses of 32 bits.</summary>
    internal bool IsNarrowText => Memory is not null && !Is64 && Encoding == StringEncoding.Utf8;

    internal FuncRef? Realloc { get; }

    private readonly Fuel? fuel;

    /// <summary>Whether its fuel is counted.</summary>
    internal bool Pays => fuel is not null;

    /// <summary>
    /// Charges the guest, if its fuel is counted, for values that it gives or gets: how many there are it says itself, or asks for. Bytes are charged for when their range is known to
    /// be there, and when room for them is allocated, elements that are not copied as bytes where their loop begins.
    /// </summary>
    /// <exception cref="TrapException">The fuel is used up.</exception>
    internal void Pay(ulong units)
    {
        if (fuel is not null) Fuel.Pay(fuel, units);
    }

    internal void PayForBytes(ulong bytes)
    {
        if (fuel is not null) Fuel.Pay(fuel, (ulong)Fuel.OfBytes(bytes));
    }

    /// <summary>Whether so many bytes are inside the memory.</summary>
    internal bool Has(ulong address, ulong size)
    {
        ulong length = Memory!.Length;
        return address <= length && size <= length - address;
    }

    /// <summary>Checks a place for values: aligned, and inside the memory.</summary>
    internal byte* Check(ulong address, ulong size, uint alignment, string beyond, string unaligned = ComponentTrap.Unaligned)
    {
        if ((address & (alignment - 1)) != 0) ComponentTrap.Throw(unaligned);
        if (!Has(address, size)) ComponentTrap.Throw(beyond);
        return Base + address;
    }

    /// <summary>Checks the place of a list that the guest gives, and charges it for the bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal byte* CheckList(ulong address, ulong count, long size, int alignment, string beyond)
    {
        if (count > TransferHelpers.MostBytes / (ulong)size) ComponentTrap.Throw(beyond);
        byte* elements = Check(address, count * (ulong)size, (uint)alignment, beyond);
        PayForBytes(count * (ulong)size);
        return elements;
    }

    /// <summary>Calls the guest's <c>realloc</c>; what it returns is not checked yet.</summary>
    internal ulong Reallocate(ulong old, ulong oldSize, uint alignment, ulong size)
    {
        if (!IsDirect) return ReallocateWithCare(old, oldSize, alignment, size);
        InstanceState instance = Instance;
        bool mayLeave = instance.MayLeave;
        instance.MayLeave = false;
        ulong result = Within(Realloc!, old, oldSize, alignment, size);
        instance.MayLeave = mayLeave;
        return result;
    }

    /// <summary>The same where something is around the call: an entry from the host, a thread for code that asks for its task.</summary>
    private ulong ReallocateWithCare(ulong old, ulong oldSize, uint alignment, ulong size)
    {
        InstanceState instance = Instance;
        if (Realloc is not { } realloc) throw ComponentTrap.Make("a component that takes a value in memory has no realloc");
        bool mayLeave = instance.MayLeave;
        instance.MayLeave = false;
        GuestThread? outer = instance.UsesTasks ? instance.Scheduler.BeginPlain(instance) : null;
        ulong result;
        try
        {
            result = isInGuest ? Within(realloc, old, oldSize, alignment, size) : Entered(realloc, old, oldSize, alignment, size);
        }
        catch (WasmException)
        {
            throw ComponentTrap.Make(ComponentTrap.UncaughtException);
        }
        if (instance.UsesTasks) instance.Scheduler.EndPlain(outer);
        instance.MayLeave = mayLeave;
        return result;
    }

    /// <summary>Calls it as the host does.</summary>
    private ulong Entered(FuncRef realloc, ulong old, ulong oldSize, uint alignment, ulong size)
    {
        CancellationScope.ThrowIfStopped();
        return Is64
            ? (ulong)(realloc64 ??= (Func<long, long, long, long, long>)realloc.Delegate)((long)old, (long)oldSize, alignment, (long)size)
            : (uint)(realloc32 ??= (Func<int, int, int, int, int>)realloc.Delegate)((int)old, (int)oldSize, (int)alignment, (int)size);
    }

    /// <summary>
    /// Whether faults are turned into traps further down the stack, and exceptions that a guest does not catch as well: then <c>realloc</c> is called as guests call functions.
    /// </summary>
    private readonly bool isInGuest;

    /// <summary>Whether nothing else is to be done around that call.</summary>
    internal bool IsDirect { get; }

    private ulong Within(FuncRef realloc, ulong old, ulong oldSize, uint alignment, ulong size) => Is64
        ? (ulong)((delegate*<object?, long, long, long, long, long>)realloc.Code)(realloc.Context, (long)old, (long)oldSize, alignment, (long)size)
        : (uint)((delegate*<object?, int, int, int, int, int>)realloc.Code)(realloc.Context, (int)old, (int)oldSize, (int)alignment, (int)size);

    /// <summary>The same side for calls from within guest code, or code that enters a guest itself.</summary>
    internal GuestSide ForGuests() => new(Instance, Memory, Encoding, Realloc, isInGuest: true);

    /// <summary>Allocates for values.</summary>
    /// <param name="size">How many bytes.</param>
    /// <param name="alignment">A power of two.</param>
    /// <param name="beyond">The reason if it is not inside the memory.</param>
    /// <param name="unaligned">The reason if it is not aligned.</param>
    internal ulong Allocate(ulong size, uint alignment, string beyond, string unaligned)
    {
        PayForBytes(size);
        ulong address = Reallocate(0, 0, alignment, size);
        Check(address, size, alignment, beyond, unaligned);
        return address;
    }
}
