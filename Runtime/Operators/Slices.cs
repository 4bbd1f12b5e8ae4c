using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>
/// Methods that generated code calls for slices (runtime linking, section 4). An access compares its offset with a limit: the number of offsets at
/// which so many bytes fit. It is 0 through null, and for a store through a read-only slice. So one comparison finds everything, and <see
/// cref="Fail"/> finds out which trap it is.
/// </summary>
/// <remarks>Unsafe: a base is used only behind the comparison, and while its slice is alive. The emitter sees to that.</remarks>
internal static unsafe class Slices
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static nint Base(object? slice) => slice is null ? 0 : (nint)Unsafe.As<MemorySlice>(slice).Base;

    /// <summary>The base of a slice that is not null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static nint BaseOf(object slice) => (nint)Unsafe.As<MemorySlice>(slice).Base;

    /// <summary>The number of offsets at which <paramref name="extent"/> bytes can be read; the extent is at least 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong ReadLimit(object? slice, ulong extent)
    {
        if (slice is null) return 0;
        ulong length = Unsafe.As<MemorySlice>(slice).ByteLength;
        return length < extent ? 0 : length - extent + 1;
    }

    /// <summary>The same for writing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong WriteLimit(object? slice, ulong extent)
    {
        if (slice is null) return 0;
        ulong length = Unsafe.As<MemorySlice>(slice).WritableLength;
        return length < extent ? 0 : length - extent + 1;
    }

    /// <summary>Traps unless the offset is below the limit; gives the offset.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong CheckRead(ulong offset, ulong limit, object? slice)
    {
        if (offset >= limit) Fail(slice, writes: false);
        return offset;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong CheckWrite(ulong offset, ulong limit, object? slice)
    {
        if (offset >= limit) Fail(slice, writes: true);
        return offset;
    }

    /// <summary>Only throws, so that the JIT knows that it does not return, and moves the call out of the way.</summary>
    [DoesNotReturn]
    private static void Fail(object? slice, bool writes) => throw Failure(slice, writes);

    private static TrapException Failure(object? slice, bool writes) =>
        Trap.Make(slice is null ? TrapKind.NullSliceReference
            : writes && !Unsafe.As<MemorySlice>(slice).IsWritable ? TrapKind.ReadOnlySlice : TrapKind.OutOfBoundsSliceAccess);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static MemorySlice Of(object? slice)
    {
        if (slice is null) Trap.Throw(TrapKind.NullSliceReference);
        return Unsafe.As<MemorySlice>(slice);
    }

    private static MemorySlice Writable(object? slice)
    {
        MemorySlice of = Of(slice);
        if (!of.IsWritable) Trap.Throw(TrapKind.ReadOnlySlice);
        return of;
    }

    private static void CheckRange(MemorySlice slice, ulong offset, ulong count)
    {
        if (!slice.Contains(offset, count)) Trap.Throw(TrapKind.OutOfBoundsSliceAccess);
    }

    // ---- atomic accesses ----

    /// <summary>The address of an atomic access: a multiple of its width in the memory, wherever the window begins.</summary>
    internal static nint AtomicAddress(ulong offset, object? slice, ulong more, int width, bool writes) =>
        (nint)(Of(slice).Base + AtomicOffset(offset, slice, more, width, writes));

    private static ulong AtomicOffset(ulong offset, object? slice, ulong more, int width, bool writes)
    {
        MemorySlice of = writes ? Writable(slice) : Of(slice);
        ulong at = offset + more;
        if (((of.Start + at) & (uint)(width - 1)) != 0) Trap.UnalignedAtomic();
        if (at < offset) Trap.Throw(TrapKind.OutOfBoundsSliceAccess);
        CheckRange(of, at, (ulong)width);
        return at;
    }

    internal static int Notify(object? slice, ulong offset, int count, ulong more)
    {
        ulong at = AtomicOffset(offset, slice, more, 4, writes: false);
        MemorySlice of = Of(slice);
        return AtomicWaits.Notify(of.Start + at, count, of.Memory, 0);
    }

    internal static int Wait32(object? slice, ulong offset, int expected, long timeout, ulong more)
    {
        ulong at = AtomicOffset(offset, slice, more, 4, writes: false);
        MemorySlice of = Of(slice);
        return AtomicWaits.Wait32(of.Start + at, expected, timeout, of.Memory, 0);
    }

    internal static int Wait64(object? slice, ulong offset, long expected, long timeout, ulong more)
    {
        ulong at = AtomicOffset(offset, slice, more, 8, writes: false);
        MemorySlice of = Of(slice);
        return AtomicWaits.Wait64(of.Start + at, expected, timeout, of.Memory, 0);
    }

    // ---- operators ----

    internal static object New(ulong start, ulong length, Memory memory)
    {
        if (!MemorySlice.Fits(memory, start, length)) Trap.Throw(TrapKind.OutOfBoundsSliceAccess);
        return new MemorySlice(memory, start, length);
    }

    internal static object NewRef(object? memory, ulong start, ulong length)
    {
        if (memory is null) Trap.Throw(TrapKind.NullMemoryReference);
        return New(start, length, Unsafe.As<Memory>(memory));
    }

    internal static object Sub(object? slice, ulong start, ulong length)
    {
        MemorySlice of = Of(slice);
        CheckRange(of, start, length);
        return of.Sub(start, length);
    }

    internal static object ReadOnly(object? slice) => Of(slice).AsReadOnly();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long Length(object? slice) => (long)Of(slice).ByteLength;

    internal static void Copy(object? target, ulong to, object? source, ulong from, ulong count)
    {
        MemorySlice read = Of(source), write = Writable(target);
        CheckRange(read, from, count);
        CheckRange(write, to, count);
        LongWork.Copy(read.Base + from, write.Base + to, count);
        GC.KeepAlive(read);
        GC.KeepAlive(write);
    }

    internal static void Fill(object? slice, ulong to, int value, ulong count)
    {
        MemorySlice write = Writable(slice);
        CheckRange(write, to, count);
        Memory.Fill(write.Start + to, value, count, write.Memory);
    }
}
