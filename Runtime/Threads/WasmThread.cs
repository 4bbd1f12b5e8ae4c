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

    /// <summary>
    /// How many bytes are used of a stack that is larger than <see cref="LargestStack"/>. Such a stack is a main thread's without a limit; the system
    /// says that it reaches to the next mapping.
    /// </summary>
    private const ulong UnlimitedStack = 64UL << 20, LargestStack = 4UL << 30;

    /// <summary>
    /// How much guests get of a larger stack, from where the thread first called one, unless their engine says more. .NET takes 270 bytes and up to 2
    /// µs for each frame that an exception comes through, so an exception that stops a guest in this depth takes up to 90 ms, and with 8 MiB more
    /// than 200.
    /// </summary>
    private const ulong UsualStack = 2UL << 20;

    private readonly ulong* fault;
    private readonly StackGuard.Zone? zone;

    /// <summary>The lowest value of <see cref="StackLimit"/>, and its value if no engine has set one.</summary>
    private readonly ulong lowestLimit, usualLimit;

    /// <summary>Interruptible code polls this if there is no map of stacks.</summary>
    private readonly byte[] mark = GC.AllocateArray<byte>(1, pinned: true);

    private WasmThread()
    {
        fault = FaultHandler.Register(token);
        if (FindStack(out ulong low, out ulong high))
        {
            StackLow = low;
            StackHigh = high;
            lowestLimit = low + StackGuard.RedZoneOf(high - low);
            byte local;
            // Windows has main threads' stacks in the lowest 2 MiB of the address space.
            ulong here = (ulong)&local;
            StackLimit = usualLimit = Math.Max(lowestLimit, here - Math.Min(here, UsualStack));
            zone = StackGuard.Mark(low, high, usualLimit - low);
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

    /// <summary>The address below which only code runs that must not fail, or which guests may not use; 0 if unknown.</summary>
    internal ulong StackLimit { get; private set; }

    internal static WasmThread Current => current ?? Register();

    /// <summary>The innermost scope that can be cancelled.</summary>
    internal CancellationScope? Scope { get; set; }

    /// <summary>The calling thread's scope; null also if the thread has never run guests.</summary>
    internal static CancellationScope? CurrentScope => current?.Scope;

    /// <summary>Marks this thread's frames below an address, so that guests in them stop, or takes the mark away.</summary>
    internal void Mark(ulong top, bool stop)
    {
        Volatile.Write(ref mark[0], stop ? StackGuard.Stopped : (byte)0);
        StackGuard.Mark(zone, StackLow, top, stop);
    }

    /// <summary>Whether the calling thread's guests are to stop.</summary>
    internal static bool IsStopped => Volatile.Read(ref Current.mark[0]) != 0;

    /// <summary>The calling thread's place to poll if there is no map.</summary>
    internal static byte* MarkAddress => (byte*)Unsafe.AsPointer(ref Current.mark[0]);

    /// <summary>The first step of every entry from .NET into wasm.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void EnsureRegistered()
    {
        if (current is null) Register();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WasmThread Register() => current = new WasmThread();

    /// <summary>The address of this thread's last fault in an arena, 0 if there was none. Reading it forgets it.</summary>
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

    /// <summary>The general registers at this thread's last fault in an arena, in no particular order.</summary>
    internal static ReadOnlySpan<ulong> FaultRegisters => FaultHandler.RegistersOf(Current.fault);

    /// <summary>The result of <see cref="LimitStack"/> if nothing has changed.</summary>
    private const ulong Unchanged = ulong.MaxValue;

    /// <summary>
    /// Lets guests use so many bytes from here on, unless an existing limit leaves them less. Gives the argument for <see cref="RestoreStack"/>.
    /// </summary>
    internal static ulong LimitStack(FuncRef func)
    {
        byte local;
        WasmThread thread = Current;
        ulong here = (ulong)&local, bytes = (ulong)((InstanceCore)func.Context!).Services.MaximumStack;
        ulong before = thread.StackLimit, limit = Math.Max(here > bytes ? here - bytes : 0, thread.lowestLimit);
        // A guest further up may have a limit that is nearer.
        if (limit == before || (limit < before && before != thread.usualLimit)) return Unchanged;
        thread.SetLimit(limit);
        return before;
    }

    /// <summary>Ends what <see cref="LimitStack"/> has begun.</summary>
    internal static void RestoreStack(ulong before)
    {
        if (before != Unchanged) Current.SetLimit(before);
    }

    private void SetLimit(ulong limit)
    {
        StackLimit = limit;
        if (zone is not null) StackGuard.Resize(zone, limit - zone.Low);
    }

    private static bool FindStack(out ulong low, out ulong high)
    {
        low = high = 0;
        if (OperatingSystem.IsLinux()) return FindStackOnLinux(out low, out high);
        if (OperatingSystem.IsWindows())
        {
            nuint first, end;
            GetCurrentThreadStackLimits(&first, &end);
            low = first;
            high = end;
        }
        else if (OperatingSystem.IsMacOS())
        {
            nint self = pthread_self();
            high = pthread_get_stackaddr_np(self);
            low = high - pthread_get_stacksize_np(self);
        }
        return low < high;
    }

    private static bool FindStackOnLinux(out ulong low, out ulong high)
    {
        low = high = 0;
        byte* attributes = stackalloc byte[256];
        if (pthread_getattr_np(pthread_self(), attributes) != 0) return false;
        nint start;
        nuint size, guard;
        bool found = pthread_attr_getstack(attributes, &start, &size) == 0;
        if (pthread_attr_getguardsize(attributes, &guard) != 0) guard = 0;
        _ = pthread_attr_destroy(attributes);
        low = (ulong)start + guard;
        high = (ulong)start + size;
        // A main thread's stack without limit reaches to the next mapping. That space is not reserved.
        if (size > LargestStack) low = high - UnlimitedStack;
        return found && size > guard;
    }

    [LibraryImport("kernel32")]
    private static partial void GetCurrentThreadStackLimits(nuint* low, nuint* high);

    [LibraryImport("libc")]
    private static partial nuint pthread_get_stackaddr_np(nint thread);

    [LibraryImport("libc")]
    private static partial nuint pthread_get_stacksize_np(nint thread);

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
