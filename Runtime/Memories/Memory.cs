using System.Runtime.CompilerServices;
using System.Text;
using WasmJit.Runtime;

namespace WasmJit;

/// <summary>
/// A linear memory. It never moves: address space for its full reach is reserved when it is made, and growth commits. All
/// members check bounds. A span is valid for as long as the memory is reachable; growth does not invalidate it.
/// </summary>
/// <remarks>Unsafe: <see cref="Base"/> is given out only with this object kept alive, and the finalizer is the only one to give it back.</remarks>
public sealed unsafe class Memory
{
    /// <summary>How far a 64-bit memory can grow at most: the address space reserved for one.</summary>
    internal const ulong Reach64 = 64UL << 30;

    private const ulong OsPage = 65536;

    private readonly Lock gate = new();
    private readonly ulong reach;
    private ulong committed;

    /// <summary>The first byte.</summary>
    internal readonly byte* Base;

    /// <summary>The size in bytes; grows, never shrinks.</summary>
    internal ulong ByteLength;

    /// <summary>Makes a memory of its type's minimum size, all zero.</summary>
    /// <exception cref="InsufficientMemoryException">There is no room for it.</exception>
    public Memory(MemoryType type)
    {
        Type = type;
        UInt128 minimum = (UInt128)type.Minimum << type.PageSizeLog2;
        UInt128 maximum = type.Maximum is { } max ? (UInt128)max << type.PageSizeLog2 : UInt128.MaxValue;
        reach = type.Is64 ? (ulong)UInt128.Min(maximum, UInt128.Max(Reach64, minimum)) : (ulong)UInt128.Min(maximum, 1UL << 32);
        if (minimum > reach || minimum > (ulong)long.MaxValue) throw TooLarge(minimum);
        ByteLength = (ulong)minimum;
        committed = Align(ByteLength);
        if (type.Is64)
        {
            reach = Align(reach);
            Base = Reserve(reach);
            if (!Pages.Commit(Base, committed))
            {
                Pages.Release(Base, reach);
                GC.SuppressFinalize(this);
                throw TooLarge(minimum);
            }
        }
        else
        {
            Base = AddressSpace.Take(committed);
        }
        if (committed != 0) GC.AddMemoryPressure((long)committed);
    }

    /// <summary>Gives the address space back.</summary>
    ~Memory()
    {
        if (Base is null) return;
        if (Type.Is64) Pages.Release(Base, reach);
        else AddressSpace.Give(Base, committed);
        if (committed != 0) GC.RemoveMemoryPressure((long)committed);
    }

    private static byte* Reserve(ulong bytes)
    {
        if (bytes == 0) bytes = OsPage;
        byte* at = Pages.Reserve(bytes);
        if (at is not null) return at;
        GC.Collect();
        GC.WaitForPendingFinalizers();
        at = Pages.Reserve(bytes);
        return at is not null ? at : throw TooLarge(bytes);
    }

    private static InsufficientMemoryException TooLarge(UInt128 bytes) => new($"The system has no {bytes} bytes for a linear memory.");

    private static ulong Align(ulong bytes) => (bytes + OsPage - 1) & ~(OsPage - 1);

    /// <summary>The declared type.</summary>
    public MemoryType Type { get; }

    /// <summary>The declared type with the size of now as minimum: what import matching compares.</summary>
    internal MemoryType CurrentType => Type with { Minimum = PageCount };

    /// <summary>The size in pages of the type.</summary>
    public ulong PageCount => Volatile.Read(ref ByteLength) >> Type.PageSizeLog2;

    /// <summary>The size in bytes.</summary>
    public ulong Length => Volatile.Read(ref ByteLength);

    /// <summary>The whole memory, or its first 2 GiB less one byte if it is larger.</summary>
    public Span<byte> Span => new(Base, (int)Math.Min(Length, int.MaxValue));

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
        where T : unmanaged => Unsafe.ReadUnaligned<T>(At(address, (ulong)sizeof(T)));

    /// <summary>Writes a value in the memory's byte order, which is little-endian.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not inside the memory.</exception>
    public void Write<T>(ulong address, T value)
        where T : unmanaged => Unsafe.WriteUnaligned(At(address, (ulong)sizeof(T)), value);

    /// <summary>Reads text; malformed UTF-8 becomes replacement characters.</summary>
    /// <param name="address">The first byte.</param>
    /// <param name="length">How many bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">The text is not inside the memory.</exception>
    public string ReadString(ulong address, int length) => Encoding.UTF8.GetString(Slice(address, length));

    /// <summary>Writes text as UTF-8, without a zero behind it.</summary>
    /// <returns>How many bytes were written.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The text does not fit into the memory.</exception>
    public int WriteString(ulong address, string text)
    {
        int length = Encoding.UTF8.GetByteCount(text);
        return Encoding.UTF8.GetBytes(text, Slice(address, length));
    }

    private byte* At(ulong address, ulong length)
    {
        ulong size = Length;
        if (address > size || length > size - address)
            throw new ArgumentOutOfRangeException(nameof(address), address, $"{length} bytes are not inside a memory of {size}.");
        return Base + address;
    }

    /// <summary>Adds pages, all zero.</summary>
    /// <param name="delta">How many.</param>
    /// <returns>The size before in pages, or -1 if the memory cannot grow so far.</returns>
    public long Grow(ulong delta)
    {
        lock (gate)
        {
            ulong pages = PageCount;
            UInt128 bytes = ((UInt128)pages + delta) << Type.PageSizeLog2;
            if (bytes > reach || (Type.Maximum is { } max && (UInt128)pages + delta > max)) return -1;
            ulong wanted = Align((ulong)bytes);
            if (wanted > committed)
            {
                if (!Pages.Commit(Base + committed, wanted - committed)) return -1;
                GC.AddMemoryPressure((long)(wanted - committed));
                committed = wanted;
            }
            Volatile.Write(ref ByteLength, (ulong)bytes);
            return (long)pages;
        }
    }

    // ---- what generated code calls ----

    /// <summary>memory.size; the memory's lengths are below 2^63.</summary>
    internal static long Size(Memory memory) => (long)memory.PageCount;

    internal static long GrowBy(Memory memory, ulong delta) => memory.Grow(delta);

    /// <summary>The address of an access of explicit checks: <paramref name="extent"/> is the memarg's offset plus the access's size.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static byte* Check(ulong index, Memory memory, ulong extent)
    {
        ulong length = memory.ByteLength;
        if (length < extent || index > length - extent) Trap.OutOfBoundsMemory();
        return memory.Base + index;
    }

    internal static void Fill(ulong to, int value, ulong count, Memory memory)
    {
        memory.CheckRange(to, count);
        for (byte* at = memory.Base + to; count > 0;)
        {
            uint part = (uint)Math.Min(count, int.MaxValue);
            new Span<byte>(at, (int)part).Fill((byte)value);
            at += part;
            count -= part;
        }
    }

    internal static void Copy(ulong to, ulong from, ulong count, Memory target, Memory source)
    {
        source.CheckRange(from, count);
        target.CheckRange(to, count);
        Buffer.MemoryCopy(source.Base + from, target.Base + to, count, count);
    }

    internal static void Init(ulong to, uint from, uint count, Memory memory, InstanceCore instance, int segment)
    {
        ReadOnlyMemory<byte> data = instance.Datas[segment];
        if (from > (uint)data.Length || count > (uint)data.Length - from) Trap.OutOfBoundsMemory();
        memory.CheckRange(to, count);
        data.Span.Slice((int)from, (int)count).CopyTo(new Span<byte>(memory.Base + to, (int)count));
    }

    internal void CheckRange(ulong address, ulong count)
    {
        ulong length = Length;
        if (address > length || count > length - address) Trap.OutOfBoundsMemory();
    }
}
