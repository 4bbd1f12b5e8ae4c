using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace WasmJit.Linking;

/// <summary>
/// What the typed face of an instance inherits: generated classes implement an interface, have a delegate for each export, and call these
/// methods for what is no number.
/// </summary>
/// <remarks>Unsafe: numbers of globals, whose types were compared when the class was made.</remarks>
internal abstract class Face
{
    private GuestAllocator? allocator;

    /// <summary>Keeps the class known as long as it has objects.</summary>
    internal FaceClass? Class;

    /// <summary>The instance; null until it is there, for faces with events.</summary>
    internal Instance? Instance;

    internal GuestAllocator Allocator => allocator ??= new GuestAllocator(Instance!);

    /// <summary>Takes the exports, in the order of the members.</summary>
    internal abstract void Bind(object?[] items);

    public override string ToString() => $"{GetType().Name} of {Instance?.Module.Name ?? "an instance"}";

    // ---- what comes out of the guest ----

    internal string? TextAt(long address, long length) => address == 0 && length == 0 ? "" : Allocator.Required.ReadString((ulong)address, checked((int)length));

    /// <summary>Text that ends with a zero; a null pointer is null.</summary>
    internal string? ZeroTerminated(long address) => address == 0 ? null : Allocator.Required.ReadString((ulong)address);

    internal byte[] BytesAt(long address, long length) => Allocator.Required.ReadBytes((ulong)address, checked((int)length));

    /// <summary>A view of the guest's memory, valid as long as the guest leaves it.</summary>
    internal Span<T> SpanAt<T>(long address, long count)
        where T : unmanaged
    {
        Span<byte> bytes = Allocator.Required.Slice((ulong)address, checked((int)(count * Unsafe.SizeOf<T>())));
        return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, T>(bytes);
    }

    internal T[] ArrayAt<T>(long address, long count)
        where T : unmanaged => SpanAt<T>(address, count).ToArray();

    internal T StructAt<T>(long address)
        where T : unmanaged => Allocator.Required.Read<T>((ulong)address);

    internal void Free(long address) => Allocator.Free((ulong)address);

    /// <summary>A function as the delegate type that was asked for.</summary>
    internal static T? FunctionAs<T>(Delegate? function)
        where T : Delegate
    {
        if (function is null or T) return (T?)function;
        return function.Target is Runtime.FuncRef func
            ? (T)Jit.Calls.EntryThunk.MakeDelegate(func, typeof(T)) : (T)Delegate.CreateDelegate(typeof(T), function, "Invoke");
    }

    // ---- globals ----

    internal static T GetGlobal<T>(Global global) => (T)global.Value!;

    internal static void SetGlobal<T>(Global global, T value) => global.Value = value;

    internal static unsafe T GetNumber<T>(Global global)
        where T : unmanaged
    {
        T value = *(T*)global.Address;
        GC.KeepAlive(global);
        return value;
    }

    internal static unsafe void SetNumber<T>(Global global, T value)
        where T : unmanaged
    {
        *(T*)global.Address = value;
        GC.KeepAlive(global);
    }

    // ---- events ----

    internal static void AddHandler<T>(ref T? field, T value)
        where T : Delegate
    {
        T? before;
        do before = Volatile.Read(ref field);
        while (Interlocked.CompareExchange(ref field, (T?)Delegate.Combine(before, value), before) != before);
    }

    internal static void RemoveHandler<T>(ref T? field, T value)
        where T : Delegate
    {
        T? before;
        do before = Volatile.Read(ref field);
        while (Interlocked.CompareExchange(ref field, (T?)Delegate.Remove(before, value), before) != before);
    }

    internal static MethodInfo Method(string name) =>
        typeof(Face).GetMethod(name, BindingFlags.Instance | BindingFlags.Static | BindingFlags.NonPublic)
        ?? throw new MissingMethodException(nameof(Face), name);
}

/// <summary>What a call has allocated in the guest for its arguments; it is given back behind the call.</summary>
internal ref struct Passed
{
    private readonly Face face;
    private ulong first, second;
    private List<ulong>? more;

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
        face.Allocator.Required.WriteString(address, text);
        Length = length;
        return (long)address;
    }

    internal long ZeroTerminated(string? text)
    {
        if (text is null) return 0;
        if (text.Contains('\0')) throw new ArgumentException("A text with a zero in it would end there.", nameof(text));
        int length = Encoding.UTF8.GetByteCount(text);
        ulong address = Keep(face.Allocator.Allocate(length + 1));
        face.Allocator.Required.WriteString(address, text);
        face.Allocator.Required.Write<byte>(address + (ulong)length, 0);
        return (long)address;
    }

    internal long Span<T>(ReadOnlySpan<T> items)
        where T : unmanaged
    {
        ReadOnlySpan<byte> bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(items);
        ulong address = Keep(face.Allocator.Allocate(bytes.Length));
        face.Allocator.Required.WriteBytes(address, bytes);
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
        face.Allocator.Required.Write(address, value);
        return (long)address;
    }

    /// <summary>Room for what a function returns through a pointer.</summary>
    internal long Room(int bytes) => (long)Keep(face.Allocator.Allocate(bytes));

    /// <summary>Copies back what the guest has written: a <see cref="Span{T}"/> goes both ways.</summary>
    internal readonly void CopyBack<T>(long address, Span<T> target)
        where T : unmanaged => face.SpanAt<T>(address, target.Length).CopyTo(target);

    internal readonly void Free()
    {
        if (first == 0) return;
        face.Allocator.Free(first);
        face.Allocator.Free(second);
        foreach (ulong address in more ?? []) face.Allocator.Free(address);
    }

    internal static MethodInfo Method(string name) =>
        typeof(Passed).GetMethod(name, BindingFlags.Instance | BindingFlags.NonPublic) ?? throw new MissingMethodException(nameof(Passed), name);
}
