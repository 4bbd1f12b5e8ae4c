using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>
/// What a guest says it has for its host: texts, items and structs at an address, references. Where that is not true the guest has failed, not the host:
/// it traps, as if it had read there itself.
/// </summary>
internal static class GuestData
{
    /// <summary>Bytes in the guest's memory.</summary>
    /// <param name="memory">The memory.</param>
    /// <param name="address">The first byte.</param>
    /// <param name="count">How many items.</param>
    /// <param name="size">The bytes of an item.</param>
    /// <exception cref="TrapException">They are not inside, or are more than 2 GB.</exception>
    internal static Span<byte> Bytes(Memory memory, ulong address, ulong count, int size = 1)
    {
        ulong length = memory.Length;
        bool isInside = count <= (ulong)(int.MaxValue / size) && address <= length && count * (uint)size <= length - address;
        // A memory that is gone says so itself.
        if (!isInside && !memory.IsDisposed)
            throw Outside($"{(size == 1 ? $"{count} bytes" : $"{count} items of {size} bytes")} at {address}, in a memory of {length}");
        return memory.Slice(address, (int)(count * (uint)size));
    }

    private static TrapException Outside(string detail) => Trap.Make(TrapKind.OutOfBoundsMemoryAccess, "the guest gives " + detail);

    /// <summary>Items in the guest's memory, as they are.</summary>
    internal static Span<T> Items<T>(Memory memory, ulong address, ulong count)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(Bytes(memory, address, count, Unsafe.SizeOf<T>()));

    /// <summary>Text in UTF-8.</summary>
    internal static string Text(Memory memory, ulong address, ulong length) => memory.ReadString(address, Bytes(memory, address, length).Length);

    /// <summary>Text that ends with a zero.</summary>
    internal static string ZeroTerminated(Memory memory, ulong address)
    {
        try
        {
            return memory.ReadString(address);
        }
        catch (ArgumentOutOfRangeException)
        {
            throw Outside($"a text at {address} that no zero ends");
        }
    }

    /// <summary>A struct.</summary>
    internal static T Struct<T>(Memory memory, ulong address)
        where T : unmanaged => MemoryMarshal.Read<T>(Bytes(memory, address, 1, Unsafe.SizeOf<T>()));

    /// <summary>Puts items where the guest has made room for them.</summary>
    internal static void Put(Memory memory, ulong address, ReadOnlySpan<byte> bytes) => bytes.CopyTo(Bytes(memory, address, (ulong)bytes.Length));

    /// <summary>Puts a text, whose length is known, where the guest has made room for it.</summary>
    internal static void PutText(Memory memory, ulong address, string text, int length) => Encoding.UTF8.GetBytes(text, Bytes(memory, address, (ulong)length));

    /// <summary>An object as what the host expects.</summary>
    /// <exception cref="TrapException">It is something else.</exception>
    internal static T? ReferenceAs<T>(object? value) => value switch
    {
        null => default,
        T wanted => wanted,
        _ => throw Trap.Make(TrapKind.CastFailure, $"the guest gives an object of the type {value.GetType()}, not {typeof(T)}"),
    };
}
