using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>
/// Methods that generated code calls for operators on a memory behind a reference (runtime linking, section 4). Each reference lies below its
/// address. References are objects: the validator has proved what they are, if they are not null.
/// </summary>
/// <remarks>Unsafe: a base is used only while its memory is alive. The emitter sees to that; see RATIONALE.md.</remarks>
internal static unsafe class MemoryReferences
{
    /// <summary>The base of the memory; of null, address space to which nothing is ever mapped, so that the access traps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static nint GuardedBaseOrNull(object? memory) =>
        memory is null ? AddressSpace.NullBase : (nint)Unsafe.As<Memory>(memory).GuardedBase;

    /// <summary>The same of a memory that is not null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static nint GuardedBase(object memory) => (nint)Unsafe.As<Memory>(memory).GuardedBase;

    /// <summary>The base for accesses that have been compared with the length. Of null it is anything, because no access is in bounds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static nint BaseOrNull(object? memory) =>
        memory is null ? AddressSpace.NullBase : (nint)Unsafe.As<Memory>(memory).Base;

    /// <summary>The same of a memory that is not null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static nint Base(object memory) => (nint)Unsafe.As<Memory>(memory).Base;

    /// <summary>Traps if there is no memory; gives the index, which lies below.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong CheckNull(ulong index, object? memory)
    {
        if (memory is null) Trap.Throw(TrapKind.NullMemoryReference);
        return index;
    }

    /// <summary>Stands for null where accesses are compared with the length: nothing fits into it.</summary>
    private static readonly Memory Nothing = new(new MemoryType(0, 0), default(MemoryPlacement));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Memory OrNothing(object? memory) => memory is null ? Nothing : Unsafe.As<Memory>(memory);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong CheckOrNothing32(ulong index, Memory memory, ulong extent)
    {
        if (index + extent > memory.ByteLength) Fail(memory);
        return index;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong CheckOrNothing64(ulong index, Memory memory, ulong extent)
    {
        ulong length = memory.ByteLength;
        if (length < extent || index > length - extent) Fail(memory);
        return index;
    }

    /// <summary>Only throws, so that the JIT knows that it does not return.</summary>
    [DoesNotReturn]
    private static void Fail(Memory memory) => throw Failure(memory);

    private static TrapException Failure(Memory memory) =>
        Trap.Make(ReferenceEquals(memory, Nothing) ? TrapKind.NullMemoryReference : TrapKind.OutOfBoundsMemoryAccess);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Check32(ulong index, object memory, ulong extent) => Memory.Check32(index, Unsafe.As<Memory>(memory), extent);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Check64(ulong index, object memory, ulong extent) => Memory.Check64(index, Unsafe.As<Memory>(memory), extent);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Memory Of(object? memory)
    {
        if (memory is null) Trap.Throw(TrapKind.NullMemoryReference);
        return Unsafe.As<Memory>(memory);
    }

    /// <summary><c>memory.new</c></summary>
    internal static object New(InstanceCore instance, int type)
    {
        MemoryType wanted = ((EntityType)instance.Types[type].Composite).Entity.Memory;
        try
        {
            return new Memory(wanted, instance.Services.Placement, instance.GuestLimits);
        }
        catch (InsufficientMemoryException e)
        {
            throw Trap.Make(TrapKind.OutOfMemory, e.Message);
        }
        catch (ResourceLimitException e)
        {
            throw Trap.Make(TrapKind.QuotaExceeded, e.Message);
        }
    }

    internal static long Size(object? memory) => (long)Of(memory).PageCount;

    internal static long Grow(object? memory, ulong delta) => Of(memory).Grow(delta);

    internal static void Fill(object? memory, ulong to, int value, ulong count) => Memory.Fill(to, value, count, Of(memory));

    internal static void Copy(object? target, ulong to, object? source, ulong from, ulong count) => Memory.Copy(to, from, count, Of(target), Of(source));

    internal static void Init(object? memory, ulong to, uint from, uint count, InstanceCore instance, int segment) =>
        Memory.Init(to, from, count, Of(memory), instance, segment);

    // ---- wait and notify ----

    internal static int Notify(object? memory, ulong index, int count, ulong offset) => AtomicWaits.Notify(index, count, Of(memory), offset);

    internal static int Wait32(object? memory, ulong index, int expected, long timeout, ulong offset) =>
        AtomicWaits.Wait32(index, expected, timeout, Of(memory), offset);

    internal static int Wait64(object? memory, ulong index, long expected, long timeout, ulong offset) =>
        AtomicWaits.Wait64(index, expected, timeout, Of(memory), offset);
}
