using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using WasmJit.Runtime;

namespace WasmJit;

/// <summary>
/// A linear memory. It never moves: address space for its full reach is reserved when it is made, and growth commits. All
/// members check bounds. A span is valid for as long as the memory is reachable; growth does not invalidate it, but nothing
/// else keeps the memory: hold on to it (or to its instance) while spans of it are in use.
/// </summary>
/// <remarks>
/// Unsafe: <see cref="Base"/> is given out only while this object is kept alive. The pages are freed when the object is gone: see <see
/// cref="Remains"/>. Finalizers of the host may use the memory, and keep it. A memory that is disposed of gives back what its pages hold and keeps their
/// addresses, so that code which is still in it does not meet the bytes of another memory. Only <see cref="Recycle"/> gives the addresses away, where the
/// caller knows that there is no such code.
/// </remarks>
public sealed unsafe class Memory : IDisposable
{
    /// <summary>How far a 64-bit memory can grow at most: the address space reserved for one, if there is so much.</summary>
    internal const ulong Reach64 = 64UL << 30;

    /// <summary>The unit in which memory is committed.</summary>
    internal const ulong OsPage = 65536;

    private readonly Lock gate = new();
    private readonly ResourceLease? lease;
    private readonly ulong reach;
    private readonly PageOwner pages;
    private volatile bool isFreed;

    /// <summary>The first byte.</summary>
    internal readonly byte* Base;

    /// <summary>
    /// The first byte for code that compares nothing. If nothing beyond the memory's end would fault, this is a place where everything does.
    /// </summary>
    internal readonly byte* GuardedBase;

    private WaitQueue? waiters;

    /// <summary>The threads that wait in this memory, if it is shared.</summary>
    internal WaitQueue Waiters
    {
        get
        {
            WaitQueue queue = waiters ?? Interlocked.CompareExchange(ref waiters, new WaitQueue(), null) ?? waiters;
            if (isFreed) queue.Close();
            return queue;
        }
    }

    /// <summary>The size in bytes; it grows, and is 0 once the memory has been disposed of.</summary>
    internal ulong ByteLength;

    /// <summary>
    /// Makes a memory of its type's minimum size, all zero, with guard pages where the system has them: engines of all options can use it.
    /// </summary>
    /// <param name="type">Its type.</param>
    /// <exception cref="InsufficientMemoryException">There is no room for it.</exception>
    public Memory(MemoryType type)
        : this(type, new MemoryPlacement(AddressSpace.HasGuards))
    {
    }

    /// <summary>
    /// Makes a memory without guard pages, which needs little address space. Only engines that compare each access
    /// (<c>MemoryChecks.Explicit</c>) can use it, unless it is 64-bit: such memories never have guard pages.
    /// </summary>
    /// <param name="type">Its type.</param>
    /// <param name="reservation">
    /// How much address space it may take, in bytes, so how far it can grow; never less than the type's minimum or more than its
    /// maximum. Rounded up to 64 KiB.
    /// </param>
    /// <exception cref="InsufficientMemoryException">There is no room for it.</exception>
    public Memory(MemoryType type, long reservation)
        : this(type, new MemoryPlacement(false, reservation))
    {
        ArgumentOutOfRangeException.ThrowIfNegative(reservation);
    }

    /// <summary>Makes a memory for a guest, whose resources it counts in.</summary>
    /// <exception cref="ResourceLimitException">The guest may have no such memory.</exception>
    internal Memory(MemoryType type, MemoryPlacement placement, GuestResources? owner = null)
    {
        Type = type;
        ulong minimum = Saturated(type.Minimum, type.PageSizeLog2);
        ulong maximum = type.Maximum is { } max ? Saturated(max, type.PageSizeLog2) : ulong.MaxValue;
        reach = Math.Min(maximum, type.Is64 ? Math.Max(Reach64, minimum) : 1UL << 32);
        if (minimum > reach || minimum > long.MaxValue) throw TooLarge(type);
        lease = owner?.Take(ResourceKind.Memories, ResourceKind.MemoryBytes, minimum);
        ByteLength = minimum;
        ulong committed = Align(ByteLength);
        pages = new PageOwner(this);
        IsGuarded = placement.IsGuarded && CanBeGuarded(type);
        if (IsGuarded)
        {
            pages.Take(AddressSpace.Take(committed), committed, 0);
        }
        else
        {
            reach = Align(Math.Max(Math.Max(committed, 1), Math.Min(reach, placement.Reservation is { } most ? (ulong)most : ulong.MaxValue)));
            byte* at = Reservations.Take(committed, ref reach);
            pages.Take(at, committed, reach);
        }
        Base = pages.Base;
        GuardedBase = IsGuarded ? Base : (byte*)AddressSpace.UnguardedBase;
    }

    /// <summary>The pages of a memory. They free themselves when the memory is gone.</summary>
    private sealed class PageOwner(Memory memory) : Remains(memory)
    {
        private ulong pressure;
        private ulong reach;
        private bool isEmpty, hasContent;

        internal byte* Base { get; private set; }

        /// <summary>How many bytes can be accessed.</summary>
        internal ulong Committed { get; private set; }

        /// <param name="at">The first byte.</param>
        /// <param name="committed">How many can be accessed.</param>
        /// <param name="ownReach">How large a reservation of its own is; 0 for a slot of <see cref="AddressSpace"/>.</param>
        internal void Take(byte* at, ulong committed, ulong ownReach)
        {
            Base = at;
            reach = ownReach;
            Committed = committed;
            Press(committed);
            WasmJitMetrics.MemoryMade();
        }

        internal bool Grow(ulong wanted)
        {
            if (!(reach == 0 ? AddressSpace.SetCommitted(Base, Committed, wanted) : Pages.Commit(Base + Committed, wanted - Committed))) return false;
            Press(wanted - Committed);
            Committed = wanted;
            return true;
        }

        /// <summary>Puts a file's pages in the place of some.</summary>
        internal bool Map(SafeFileHandle file, long offset, ulong address, ulong length)
        {
            if (hasContent || !Mappings.TryTakeNow(Mappings.OfContent)) return false;
            hasContent = Pages.MapFile(Base + address, length, file, offset);
            if (!hasContent) Mappings.Give(Mappings.OfContent);
            return hasContent;
        }

        /// <summary>
        /// Frees the memory. The pages stay accessible: they are zero, and take memory again only when they are written. An access that is still under
        /// way, perhaps in native code, which must not fault, meets pages that belong to no other memory.
        /// </summary>
        internal void Empty()
        {
            if (pressure == 0 || !Pages.Discard(Base, Committed)) return;
            isEmpty = true;
            MemoryPressure.Change(-(long)pressure);
            WasmJitMetrics.MemoryBytes(-(long)pressure);
            pressure = 0;
        }

        /// <summary>Gives the pages and their addresses away. Few pages are cleared, since the next owner has them without faults; many are given back to the system.</summary>
        internal void Recycle()
        {
            const ulong MostCleared = 128 << 10;
            isEmpty = Committed > MostCleared;
            ReleaseNow();
        }

        private void Press(ulong bytes)
        {
            if (bytes != 0) MemoryPressure.Change((long)bytes);
            pressure += bytes;
            WasmJitMetrics.MemoryBytes((long)bytes);
        }

        protected override void Release()
        {
            if (Base is null) return;
            // What is kept for the next owner must not be a file's pages.
            if (hasContent) isEmpty = true;
            if (reach != 0) Reservations.Give(Base, Committed, reach, isEmpty);
            else AddressSpace.Give(Base, Committed, isEmpty);
            if (hasContent) Mappings.Give(Mappings.OfContent);
            WasmJitMetrics.MemoryGone();
            WasmJitMetrics.MemoryBytes(-(long)pressure);
            if (pressure != 0) MemoryPressure.Change(-(long)pressure);
        }
    }

    /// <summary>Whether accesses to memories of a type may be left to guard pages: index and offset have 32 bits, lengths are whole pages.</summary>
    internal static bool CanBeGuarded(MemoryType type) => !type.Is64 && type.PageSizeLog2 == 16;

    /// <summary>Whether accesses beyond its end fault.</summary>
    internal bool IsGuarded { get; }

    /// <summary>Pages in bytes; what 64 bits cannot hold is more than any memory has.</summary>
    private static ulong Saturated(ulong pages, int pageSizeLog2) =>
        pages > ulong.MaxValue >> pageSizeLog2 ? ulong.MaxValue : pages << pageSizeLog2;

    [MethodImpl(MethodImplOptions.NoInlining)]
    // Methods with numbers of 128 bits are not compiled ahead, so methods that every program needs have none.
    private static InsufficientMemoryException TooLarge(MemoryType type) =>
        new($"The system has no {(UInt128)type.Minimum << type.PageSizeLog2} bytes for a linear memory.");

    internal static ulong Align(ulong bytes) => (bytes + OsPage - 1) & ~(OsPage - 1);

    /// <summary>The declared type.</summary>
    public MemoryType Type { get; }

    /// <summary>The declared type with the size of now as minimum: what import matching compares.</summary>
    internal MemoryType CurrentType => Type with { Minimum = PageCount };

    /// <summary>The size in pages of the type.</summary>
    public ulong PageCount => Volatile.Read(ref ByteLength) >> Type.PageSizeLog2;

    /// <summary>The size in bytes.</summary>
    public ulong Length => Volatile.Read(ref ByteLength);

    /// <summary>Whether it has been disposed of.</summary>
    public bool IsDisposed => isFreed;

    /// <summary>The whole memory, or its first 2 GiB less one byte if it is larger. It must not be used after <see cref="Dispose"/>.</summary>
    /// <exception cref="ObjectDisposedException">The memory has been disposed of.</exception>
    public Span<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(isFreed, this);
            return new Span<byte>(Base, (int)Math.Min(Length, int.MaxValue));
        }
    }

    /// <summary>A window.</summary>
    /// <param name="address">The first byte.</param>
    /// <param name="length">How many bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">The window is not inside the memory.</exception>
    public Span<byte> Slice(ulong address, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return new Span<byte>(At(address, (ulong)length), length);
    }

    /// <summary>Reads a value in the memory's byte order, which is little-endian.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not inside the memory.</exception>
    public T Read<T>(ulong address)
        where T : unmanaged
    {
        T value = Unsafe.ReadUnaligned<T>(At(address, (ulong)sizeof(T)));
        GC.KeepAlive(this);
        return value;
    }

    /// <summary>Writes a value in the memory's byte order, which is little-endian.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not inside the memory.</exception>
    public void Write<T>(ulong address, T value)
        where T : unmanaged
    {
        Unsafe.WriteUnaligned(At(address, (ulong)sizeof(T)), value);
        GC.KeepAlive(this);
    }

    /// <summary>A copy of a window.</summary>
    /// <param name="address">The first byte.</param>
    /// <param name="length">How many bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">The window is not inside the memory.</exception>
    public byte[] ReadBytes(ulong address, int length)
    {
        Span<byte> source = Slice(address, length);
        byte[] bytes = GC.AllocateUninitializedArray<byte>(length);
        LongWork.Copy(source, bytes.AsSpan());
        GC.KeepAlive(this);
        return bytes;
    }

    /// <summary>Copies bytes into the memory.</summary>
    /// <param name="address">Where the first goes.</param>
    /// <param name="bytes">The bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">They do not fit into the memory.</exception>
    public void WriteBytes(ulong address, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Slice(address, bytes.Length));
        GC.KeepAlive(this);
    }

    /// <summary>Reads text; malformed UTF-8 becomes replacement characters.</summary>
    /// <param name="address">The first byte.</param>
    /// <param name="length">How many bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">The text is not inside the memory.</exception>
    public string ReadString(ulong address, int length)
    {
        // Decoding looks twice at each byte: no other thread may change them in between.
        ReadOnlySpan<byte> bytes = Type.IsShared ? ReadBytes(address, length) : Slice(address, length);
        string text = Encoding.UTF8.GetString(bytes);
        GC.KeepAlive(this);
        return text;
    }

    /// <summary>Reads text up to a zero byte, as C has it; malformed UTF-8 becomes replacement characters.</summary>
    /// <param name="address">The first byte.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no zero behind it in the memory, or not within 2 GB.</exception>
    public string ReadString(ulong address)
    {
        ulong size = Length;
        if (address >= size) throw NotInside(address, 1, size);
        var rest = new ReadOnlySpan<byte>(Base + address, (int)Math.Min(size - address, int.MaxValue));
        int length = rest.IndexOf((byte)0);
        GC.KeepAlive(this);
        return length >= 0 ? ReadString(address, length)
            : throw new ArgumentOutOfRangeException(nameof(address), address, "No zero ends the text.");
    }

    /// <summary>Writes text as UTF-8, without a zero behind it.</summary>
    /// <returns>How many bytes were written.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The text does not fit into the memory.</exception>
    public int WriteString(ulong address, string text)
    {
        int length = Encoding.UTF8.GetByteCount(text);
        Encoding.UTF8.GetBytes(text, Slice(address, length));
        GC.KeepAlive(this);
        return length;
    }

    private byte* At(ulong address, ulong length)
    {
        ulong size = Length;
        if (address > size || length > size - address || isFreed) throw NotInside(address, length, size);
        return Base + address;
    }

    private Exception NotInside(ulong address, ulong length, ulong size) =>
        isFreed ? new ObjectDisposedException(GetType().FullName)
        : new ArgumentOutOfRangeException(nameof(address), address, $"{length} bytes are not inside a memory of {size}.");

    /// <summary>Adds pages, all zero.</summary>
    /// <param name="delta">How many.</param>
    /// <returns>The size before in pages, or -1 if the memory cannot grow so far, or has been disposed of.</returns>
    public long Grow(ulong delta)
    {
        if (lease is null || delta == 0) return GrowNow(delta);
        UInt128 more = (UInt128)delta << Type.PageSizeLog2;
        // An impossible growth is refused before the limits are asked. The question may not be asked inside the lock.
        if (more > reach - Length || !lease.TryGrow((ulong)more)) return -1;
        long before = GrowNow(delta);
        if (before < 0) lease.Shrink((ulong)more);
        return before;
    }

    private long GrowNow(ulong delta)
    {
        lock (gate)
        {
            ulong count = PageCount;
            UInt128 bytes = ((UInt128)count + delta) << Type.PageSizeLog2;
            if (isFreed || bytes > reach || (Type.Maximum is { } max && (UInt128)count + delta > max)) return -1;
            ulong wanted = Align((ulong)bytes);
            if (wanted > pages.Committed && !pages.Grow(wanted)) return -1;
            Volatile.Write(ref ByteLength, (ulong)bytes);
            return (long)count;
        }
    }

    /// <summary>
    /// Frees the memory now; the address space follows with the object. Calling this is optional: the garbage collector frees memories. From then on
    /// members throw, and guests that have the memory find one of no bytes. A guest whose code does not compare addresses with the length, and spans
    /// that were taken before, find zeros, and never what belongs to others. Threads that wait in the memory wake up. Any thread may call this, and
    /// several times.
    /// </summary>
    public void Dispose()
    {
        if (Empty()) lease?.End();
    }

    /// <summary>The same for a guest, which may still refer to the memory: its addresses stay taken until it is garbage.</summary>
    internal void Drop()
    {
        if (Empty()) lease?.Drop();
    }

    private bool Empty()
    {
        lock (gate)
        {
            if (isFreed) return false;
            isFreed = true;
            Volatile.Write(ref ByteLength, 0);
            pages.Empty();
        }
        waiters?.Close();
        return true;
    }

    /// <summary>
    /// As <see cref="Dispose"/>; others may have the addresses at once. The caller knows that no code has the memory, or an address in it, that will be used
    /// again: it is the owner of all that could.
    /// </summary>
    internal void Recycle()
    {
        if (Type.IsShared)
        {
            Dispose();
            return;
        }
        lock (gate)
        {
            if (isFreed) return;
            isFreed = true;
            Volatile.Write(ref ByteLength, 0);
            pages.Recycle();
        }
        lease?.End();
    }

    // ---- what generated code calls ----

    /// <summary>memory.size; the memory's lengths are below 2^63.</summary>
    internal static long Size(Memory memory) => (long)memory.PageCount;

    /// <summary>
    /// Checks the index of an access, for explicit checks: <paramref name="extent"/> is the memarg's offset plus the access's
    /// size. Index and offset of a 32-bit memory have 32 bits each, so that their sum does not wrap around.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Check32(ulong index, Memory memory, ulong extent)
    {
        if (index + extent > memory.ByteLength) Trap.OutOfBoundsMemory();
        return index;
    }

    /// <summary>The same for a 64-bit memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Check64(ulong index, Memory memory, ulong extent)
    {
        ulong length = memory.ByteLength;
        if (length < extent || index > length - extent) Trap.OutOfBoundsMemory();
        return index;
    }

    /// <summary>Checks that index and offset of an atomic access make a multiple of its width, which is the mask and one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong CheckAligned(ulong index, ulong offset, uint mask)
    {
        if (((index + offset) & mask) != 0) Trap.UnalignedAtomic();
        return index;
    }

    internal static void Fill(ulong to, int value, ulong count, Memory memory)
    {
        memory.CheckRange(to, count);
        LongWork.Fill(memory.Base + to, (byte)value, count);
        GC.KeepAlive(memory);
    }

    internal static void Copy(ulong to, ulong from, ulong count, Memory target, Memory source)
    {
        source.CheckRange(from, count);
        target.CheckRange(to, count);
        LongWork.Copy(source.Base + from, target.Base + to, count);
        GC.KeepAlive(source);
        GC.KeepAlive(target);
    }

    internal static void Init(ulong to, uint from, uint count, Memory memory, InstanceCore instance, int segment)
    {
        ReadOnlyMemory<byte> data = instance.Datas[segment];
        if (from > (uint)data.Length || count > (uint)data.Length - from) Trap.OutOfBoundsMemory();
        memory.CopyIn(to, data.Span.Slice((int)from, (int)count));
    }

    /// <summary>Writes bytes, as <c>memory.init</c> does.</summary>
    internal void CopyIn(ulong to, ReadOnlySpan<byte> data)
    {
        CheckRange(to, (uint)data.Length);
        fixed (byte* bytes = data) LongWork.Copy(bytes, Base + to, (uint)data.Length);
        GC.KeepAlive(this);
    }

    /// <summary>Puts a file's pages into the memory; see <see cref="MappedContent"/>. All numbers are multiples of <see cref="OsPage"/>.</summary>
    internal bool TryMap(SafeFileHandle file, long offset, ulong address, ulong length)
    {
        lock (gate) return !isFreed && address <= ByteLength && length <= ByteLength - address && pages.Map(file, offset, address, length);
    }

    /// <summary>
    /// A range will probably be written; what of it lies beyond the memory does not matter. Another thread asks the system for the pages of a large one until the
    /// result is disposed of.
    /// </summary>
    internal PageWork? ExpectWrites(ulong address, ulong count)
    {
        if (address >= Length) return null;
        count = Math.Min(count, Length - address);
        Pages.PreferLarge(Base + address, count);
        return PageWork.Begin(this, address, count);
    }

    internal void CheckRange(ulong address, ulong count)
    {
        ulong length = Length;
        if (address > length || count > length - address) Trap.OutOfBoundsMemory();
    }
}
