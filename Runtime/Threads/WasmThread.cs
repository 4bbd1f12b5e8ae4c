using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace WasmJit.Runtime;

/// <summary>What the engine knows of a thread: made when it first enters wasm, undone by the collector when it is gone.</summary>
internal sealed unsafe partial class WasmThread
{
    [ThreadStatic]
    private static WasmThread? current;

    /// <summary>Stands for this object in the fault handler's table without keeping it alive.</summary>
    private readonly object token = new();

    private readonly ulong* fault;
    private readonly StackGuard.Zone? zone;

    /// <summary>What interruptible code polls where there is no map of stacks.</summary>
    private readonly byte[] mark = GC.AllocateArray<byte>(1, pinned: true);

    private WasmThread()
    {
        fault = FaultHandler.Register(token);
        if (OperatingSystem.IsLinux() && FindStack(out ulong low, out ulong high))
        {
            StackLow = low;
            StackHigh = high;
            StackLimit = low + StackGuard.RedZoneOf(high - low);
            zone = StackGuard.Mark(low, high);
        }
    }

    /// <summary>Unmarks the stack of a thread that has ended.</summary>
    ~WasmThread()
    {
        StackGuard.Unmark(zone);
        FaultHandler.Unregister(fault, token);
    }

    /// <summary>The lowest usable address of the stack, 0 if unknown.</summary>
    internal ulong StackLow { get; }

    /// <summary>Where the stack begins, 0 if unknown.</summary>
    internal ulong StackHigh { get; }

    /// <summary>Below this address only what must not fail runs; 0 if unknown.</summary>
    internal ulong StackLimit { get; }

    internal static WasmThread Current => current ?? Register();

    /// <summary>The innermost scope that can be cancelled.</summary>
    internal CancellationScope? Scope { get; set; }

    /// <summary>Marks this thread's frames below an address, so that guests in them stop, or takes the mark away.</summary>
    internal void Mark(ulong top, bool stop)
    {
        Volatile.Write(ref mark[0], stop ? StackGuard.Stopped : (byte)0);
        StackGuard.Mark(zone, StackLow, top, stop);
    }

    /// <summary>Whether the calling thread's guests are to stop.</summary>
    internal static bool IsStopped => Volatile.Read(ref Current.mark[0]) != 0;

    /// <summary>What the calling thread polls where there is no map.</summary>
    internal static byte* MarkAddress => (byte*)Unsafe.AsPointer(ref Current.mark[0]);

    /// <summary>The first step of every entry from .NET into wasm.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void EnsureRegistered()
    {
        if (current is null) Register();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WasmThread Register() => current = new WasmThread();

    /// <summary>The address of this thread's last fault in an arena, 0 if none; reading it forgets it.</summary>
    internal static ulong TakeFault()
    {
        ulong* record = Current.fault;
        if (record is null) return 0;
        ulong address = *record;
        *record = 0;
        return address;
    }

    internal static ulong PeekFault()
    {
        ulong* record = Current.fault;
        return record is null ? 0 : *record;
    }

    private static bool FindStack(out ulong low, out ulong high)
    {
        low = high = 0;
        byte* attributes = stackalloc byte[256];
        if (pthread_getattr_np(pthread_self(), attributes) != 0) return false;
        nint start;
        nuint size, guard;
        bool found = pthread_attr_getstack(attributes, &start, &size) == 0;
        if (pthread_attr_getguardsize(attributes, &guard) != 0) guard = 0;
        pthread_attr_destroy(attributes);
        low = (ulong)start + guard;
        high = (ulong)start + size;
        return found && size > guard;
    }

    [LibraryImport("libc")]
    private static partial nint pthread_self();

    [LibraryImport("libc")]
    private static partial int pthread_getattr_np(nint thread, byte* attributes);

    [LibraryImport("libc")]
    private static partial int pthread_attr_getstack(byte* attributes, nint* start, nuint* size);

    [LibraryImport("libc")]
    private static partial int pthread_attr_getguardsize(byte* attributes, nuint* size);

    [LibraryImport("libc")]
    private static partial int pthread_attr_destroy(byte* attributes);
}
