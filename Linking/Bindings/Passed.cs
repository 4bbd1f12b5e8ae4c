using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using WasmJit.Generated;

namespace WasmJit.Linking;

/// <summary>What a call has allocated in the guest for its arguments; it is given back behind the call.</summary>
internal ref struct Passed
{
    private readonly Face face;
    private ulong first, second;
    private List<ulong>? more;
    private bool isDone;

    internal Passed(Face face) => this.face = face;

    /// <summary>The length of what was passed last, in elements.</summary>
    internal long Length;

    private ulong Keep(ulong address)
    {
        if (first == 0) first = address;
        else if (second == 0) second = address;
        else (more ??= []).Add(address);
        return address;
    }

    internal long Text(string? text)
    {
        if (text is null) return (long)(ulong)(Length = 0);
        int length = Encoding.UTF8.GetByteCount(text);
        ulong address = Keep(face.Allocator.Allocate(length));
        GuestData.PutText(face.Allocator.Required, address, text, length);
        Length = length;
        return (long)address;
    }

    internal long ZeroTerminated(string? text)
    {
        if (text is null) return 0;
        if (text.Contains('\0')) throw new ArgumentException("A text with a zero in it would end there.", nameof(text));
        int length = Encoding.UTF8.GetByteCount(text);
        ulong address = Keep(face.Allocator.Allocate(length + 1));
        Span<byte> room = GuestData.Bytes(face.Allocator.Required, address, (ulong)length + 1);
        Encoding.UTF8.GetBytes(text, room);
        room[length] = 0;
        return (long)address;
    }

    internal long Span<T>(scoped ReadOnlySpan<T> items)
        where T : unmanaged
    {
        ReadOnlySpan<byte> bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(items);
        ulong address = Keep(face.Allocator.Allocate(bytes.Length));
        GuestData.Put(face.Allocator.Required, address, bytes);
        Length = items.Length;
        return (long)address;
    }

    internal long Array<T>(T[]? items)
        where T : unmanaged
    {
        if (items is not null) return Span<T>(items);
        return (long)(ulong)(Length = 0);
    }

    internal long Struct<T>(T value)
        where T : unmanaged
    {
        ulong address = Keep(face.Allocator.Allocate(Unsafe.SizeOf<T>()));
        System.Runtime.InteropServices.MemoryMarshal.Write(GuestData.Bytes(face.Allocator.Required, address, 1, Unsafe.SizeOf<T>()), value);
        return (long)address;
    }

    /// <summary>Room for what a function returns through a pointer.</summary>
    internal long Room(int bytes) => (long)Keep(face.Allocator.Allocate(bytes));

    /// <summary>Copies back what the guest has written: a <see cref="Span{T}"/> goes both ways.</summary>
    internal readonly void CopyBack<T>(long address, scoped Span<T> target)
        where T : unmanaged => face.SpanAt<T>(address, target.Length).CopyTo(target);

    /// <summary>The call has ended as it should.</summary>
    internal void Done() => isDone = true;

    /// <summary>Gives back what was allocated. Behind a call that has failed the guest may not be able to: the call's own exception counts.</summary>
    internal readonly void Free()
    {
        if (first == 0) return;
        try
        {
            face.Allocator.Free(first);
            face.Allocator.Free(second);
            foreach (ulong address in more ?? []) face.Allocator.Free(address);
        }
        catch (Exception) when (!isDone)
        {
            // The exception of the call is on its way.
        }
    }

    internal static MethodInfo Method(string name) =>
        typeof(Passed).GetMethod(name, BindingFlags.Instance | BindingFlags.NonPublic) ?? throw new MissingMethodException(nameof(Passed), name);
}
