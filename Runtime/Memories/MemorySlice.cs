using System.Runtime.CompilerServices;

namespace WasmJit;

/// <summary>
/// A window on a linear memory, as guests pass it to each other: the object that <c>(ref slice)</c> refers to. Nothing outside of the window can be
/// reached through it. It keeps its memory alive, and stays valid when the memory grows. It never changes.
/// </summary>
/// <remarks>
/// Unsafe: <see cref="Base"/> points into the memory, which never moves and never shrinks; the object that holds the pointer
/// holds the memory too.
/// </remarks>
public sealed unsafe class MemorySlice
{
    /// <summary>The first byte of the window.</summary>
    internal readonly byte* Base;

    /// <summary>How many bytes.</summary>
    internal readonly ulong ByteLength;

    /// <summary>The same if the window is writable, otherwise 0. Stores are compared with it.</summary>
    internal readonly ulong WritableLength;

    /// <summary>Makes a window.</summary>
    /// <param name="memory">The memory.</param>
    /// <param name="start">The address of the first byte.</param>
    /// <param name="length">How many bytes.</param>
    /// <param name="isWritable">Whether guests may write through it.</param>
    /// <exception cref="ArgumentOutOfRangeException">The window is not inside the memory.</exception>
    public MemorySlice(Memory memory, ulong start, ulong length, bool isWritable = true)
    {
        ArgumentNullException.ThrowIfNull(memory);
        if (!Fits(memory, start, length))
            throw new ArgumentOutOfRangeException(nameof(length), length, $"A window of {length} bytes at {start} is not inside a memory of {memory.Length}.");
        Memory = memory;
        Start = start;
        Base = memory.Base + start;
        ByteLength = length;
        WritableLength = isWritable ? length : 0;
        IsWritable = isWritable;
    }

    /// <summary>The memory.</summary>
    public Memory Memory { get; }

    /// <summary>The address of the first byte in the memory.</summary>
    public ulong Start { get; }

    /// <summary>How many bytes.</summary>
    public ulong Length => ByteLength;

    /// <summary>Whether guests may write through it.</summary>
    public bool IsWritable { get; }

    /// <summary>The bytes, or the first 2 GiB less one if there are more. See <see cref="Memory"/> on how long a span is valid.</summary>
    public ReadOnlySpan<byte> Bytes => new(Base, (int)Math.Min(ByteLength, int.MaxValue));

    /// <summary>The same for writing.</summary>
    /// <exception cref="InvalidOperationException">The window is read-only.</exception>
    public Span<byte> WritableBytes => IsWritable
        ? new(Base, (int)Math.Min(ByteLength, int.MaxValue))
        : throw new InvalidOperationException("The slice is read-only.");

    /// <summary>A window inside this one, with the same right to write.</summary>
    /// <param name="start">Its first byte, counted from this window's.</param>
    /// <param name="length">How many bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is not inside this window.</exception>
    public MemorySlice Sub(ulong start, ulong length)
    {
        if (!Contains(start, length))
            throw new ArgumentOutOfRangeException(nameof(length), length, $"A window of {length} bytes at {start} is not inside one of {ByteLength}.");
        return new MemorySlice(Memory, Start + start, length, IsWritable);
    }

    /// <summary>The same window without the right to write.</summary>
    public MemorySlice AsReadOnly() => IsWritable ? new MemorySlice(Memory, Start, ByteLength, isWritable: false) : this;

    internal static bool Fits(Memory memory, ulong start, ulong length)
    {
        ulong size = memory.Length;
        return start <= size && length <= size - start;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool Contains(ulong start, ulong length) => start <= ByteLength && length <= ByteLength - start;

    /// <inheritdoc/>
    public override string ToString() => $"{(IsWritable ? "" : "read-only ")}slice of {ByteLength} bytes at {Start}";
}
