using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace WasmJit.Wasi;

/// <summary>
/// The memory of the calling instance, as the guest's pointers see it. Without a memory every access is a fault. Every access is checked; one that is
/// not all inside ends the function with <see cref="Errno.Fault"/>. Addresses and lengths are unsigned, whatever type they come in. A checked range stays
/// valid, also if other threads run in the guest: memories never shrink, and one that is disposed of keeps its pages, empty, as long as it is in use.
/// </summary>
internal readonly struct GuestMemory(Memory? memory)
{
    /// <summary>The longest path that is accepted, as on Linux.</summary>
    internal const int LongestPath = 4096;

    /// <summary>A window; of one that is longer than a span can be, its beginning.</summary>
    internal Span<byte> Window(int address, int length) => Window((uint)address, (uint)length);

    /// <summary>A window of elements.</summary>
    internal Span<byte> Array(int address, int count, int elementSize) =>
        Window((uint)address, (ulong)(uint)count * (ulong)elementSize);

    internal T Read<T>(int address)
        where T : unmanaged => MemoryMarshal.Read<T>(Window((uint)address, (ulong)Unsafe.SizeOf<T>()));

    internal void Write<T>(int address, T value)
        where T : unmanaged => MemoryMarshal.Write(Window((uint)address, (ulong)Unsafe.SizeOf<T>()), in value);

    /// <summary>Checks early that a result of a type will fit, before anything is done that cannot be undone.</summary>
    internal void Expect<T>(int address)
        where T : unmanaged => Window((uint)address, (ulong)Unsafe.SizeOf<T>());

    /// <summary>Reads a path: bytes without zeros, UTF-8 as a rule.</summary>
    internal string Path(int address, int length)
    {
        Span<byte> window = Window(address, length);
        if (window.Length > LongestPath) throw new WasiError(Errno.Nametoolong);
        // Copied first: another thread could change the bytes between check and use.
        Span<byte> bytes = stackalloc byte[window.Length];
        window.CopyTo(bytes);
        if (bytes.Contains((byte)0)) throw new WasiError(Errno.Inval);
        return FileNames.Decode(bytes);
    }

    internal Span<byte> Window(ulong address, ulong length)
    {
        if (memory is null || address > memory.Length || length > memory.Length - address)
            throw new WasiError(Errno.Fault);
        return memory.Slice(address, (int)Math.Min(length, int.MaxValue));
    }
}
