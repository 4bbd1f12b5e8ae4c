using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace WasmJit.Runtime;

/// <summary>
/// Makes accesses beyond a linear memory traps. A few machine instructions stand before the runtime's own handler: of SIGSEGV on Linux, of exceptions
/// on Windows. If the faulting address lies in an arena of memories, they note it and the registers for the thread and write a null address over it, so that the runtime
/// raises NullReferenceException in the method that faulted. Every other fault passes unchanged.
/// </summary>
/// <remarks>
/// Unsafe: the handler touches only its two native tables and what the system says of the fault; tables are never freed, and entries are written
/// before they are published.
/// </remarks>
internal static unsafe partial class FaultHandler
{
    private const int MaxRanges = 1000;
    private const int RecordBits = 14;
    internal const int Records = 1 << RecordBits;
    private const ulong Deleted = 1;
    private const int SegmentationFault = 11;
    private const uint AccessViolation = 0xc0000005;

    /// <summary>What the handler puts in place of an address: to the runtime a field of null.</summary>
    internal const int NullAddress = 8;

    private static readonly Lock Gate = new();

    /// <summary>A count, then pairs of start and end.</summary>
    private static readonly ulong* Ranges = (ulong*)NativeMemory.AllocZeroed((1 + (2 * MaxRanges)) * 8);

    /// <summary>Of a thread: its key, the address of its last fault, and the registers then. A power of two.</summary>
    internal const int RecordBytes = 256;

    /// <summary>A record for each registered thread. Open addressing. The system gives pages of it as they are touched.</summary>
    private static readonly ulong* Table = (ulong*)NativeMemory.AllocZeroed(Records * RecordBytes);

    /// <summary>Which thread object a record belongs to: a new thread may have the key of one that is gone.</summary>
    private static readonly Dictionary<nint, object> Owners = [];

    private static int used;
    private static bool installed;

    /// <summary>Whether faults can be turned into traps here; otherwise generated code checks each access.</summary>
    internal static bool IsSupported => Trust.Holds;

    /// <summary>Whose way of reporting faults this process has.</summary>
    internal static FaultPlatform Platform { get; } = RuntimeInformation.ProcessArchitecture switch
    {
        // NativeAOT's runtime has a handler of its own, of which nothing is known.
        _ when RuntimeCode.IsCompiledWhole => FaultPlatform.None,
        Architecture.X64 when OperatingSystem.IsLinux() => FaultPlatform.LinuxX64,
        Architecture.X64 when OperatingSystem.IsWindows() => FaultPlatform.WindowsX64,
        Architecture.Arm64 when OperatingSystem.IsLinux() => FaultPlatform.LinuxArm64,
        _ => FaultPlatform.None,
    };

    /// <summary>
    /// The version of .NET whose handling of faults the tests watch, on Linux x64. On other versions and platforms a real fault is tried, which costs
    /// 10 ms, as any first exception does.
    /// </summary>
    private const int KnownVersion = 10;

    private static bool IsWatched => Platform == FaultPlatform.LinuxX64 && Environment.Version.Major == KnownVersion;

    /// <summary>Whether faults become null dereferences. Tried at the first question.</summary>
    private static class Trust
    {
        internal static readonly bool Holds = Distrust(Find());

        private static string? Find() =>
            Platform == FaultPlatform.None ? $"there is no handler of faults for {RuntimeInformation.RuntimeIdentifier}"
            : Test(really: false) ?? (IsWatched ? null : Test(really: true));

        private static bool Distrust(string? problem)
        {
            if (problem is not null) WasmJitEvents.Log.GuardPagesAreOff(problem);
            return problem is null;
        }
    }

    /// <summary>Has a fault noted and reads the address that was noted. Null if it is right, otherwise what is wrong.</summary>
    /// <param name="really">Whether to cause a real fault. Otherwise the handler is called as the system would call it.</param>
    internal static string? Test(bool really)
    {
        const int Size = 65536, At = 0x1238;
        byte* page = Pages.Reserve(Size), at = page + At;
        if (page is null) return "no address space is left";
        try
        {
            if (!AddRange((nint)page, (nint)(page + Size))) return "no range is left";
            WasmThread.TakeFault();
            if (really) return $"an access that should fault gave {Touch(at)}";
            ulong noted = Rehearse((ulong)at);
            if (noted != NullAddress) return $"the handler left {noted:x}";
            ReadOnlySpan<ulong> registers = WasmThread.FaultRegisters;
            for (int i = 0; i < registers.Length; i++)
                if (registers[i] != Rehearsed(i)) return $"register {i} was noted as {registers[i]:x}";
        }
        catch (NullReferenceException)
        {
        }
        catch (PlatformNotSupportedException e)
        {
            return e.Message;
        }
        ulong address = WasmThread.TakeFault();
        return address == (ulong)at ? null : $"a fault at {(ulong)at:x} was noted at {address:x}";
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static byte Touch(byte* at) => *at;

    /// <summary>What a register holds when a fault is rehearsed.</summary>
    private static ulong Rehearsed(int register) => 0x100000001UL * (ulong)(register + 1);

    /// <summary>Calls the handler for an address, without the runtime's behind it. Gives the address that the runtime would see.</summary>
    private static ulong Rehearse(ulong address)
    {
        byte[] handler = CodeOf(Platform, (nint)Ranges, (nint)Table, 0);
        nint code = Pages.PublishCode(handler);
        byte* info = stackalloc byte[256], context = stackalloc byte[512];
        new Span<byte>(info, 256).Clear();
        new Span<byte>(context, 512).Clear();
        for (int i = 0; i < RegisterCount; i++) ((ulong*)(context + RegistersAt))[i] = Rehearsed(i);
        ulong* seen;
        if (Platform == FaultPlatform.WindowsX64)
        {
            // EXCEPTION_POINTERS, behind it an EXCEPTION_RECORD: an access violation with two parameters, of which the second is the address.
            byte* record = info + 16;
            *(byte**)info = record;
            *(byte**)(info + 8) = context;
            *(uint*)record = AccessViolation;
            *(int*)(record + 24) = 2;
            seen = (ulong*)(record + 40);
            *seen = address;
            ((delegate* unmanaged<byte*, int>)code)(info);
        }
        else
        {
            // siginfo_t: the signal, a reason that the system gives, the address.
            *(int*)info = SegmentationFault;
            *(int*)(info + 8) = 1;
            seen = (ulong*)(info + 16);
            *seen = address;
            ((delegate* unmanaged<int, byte*, void*, void>)code)(SegmentationFault, info, context);
        }
        Pages.ReleaseCode(code, handler.Length);
        return *seen;
    }

    internal static bool AddRange(nint start, nint end)
    {
        lock (Gate)
        {
            if (Ranges[0] == MaxRanges) return false;
            if (!installed && Platform != FaultPlatform.None) Install();
            installed = true;
            ulong n = Ranges[0];
            Ranges[1 + (2 * n)] = (ulong)start;
            Ranges[2 + (2 * n)] = (ulong)end;
            Volatile.Write(ref Ranges[0], n + 1);
            return true;
        }
    }

    private static void Install()
    {
        if (Platform == FaultPlatform.WindowsX64)
        {
            // Called before the runtime's, which was added earlier.
            if (AddVectoredExceptionHandler(1, Pages.PublishCode(CodeOf(Platform, (nint)Ranges, (nint)Table, 0))) == 0)
                throw new PlatformNotSupportedException("The handler of exceptions cannot be set.");
            return;
        }
        byte* action = stackalloc byte[256];
        if (sigaction(SegmentationFault, null, action) != 0) throw new PlatformNotSupportedException("The SIGSEGV handler cannot be read.");
        nint old = *(nint*)action;
        if (old is 0 or 1) throw new PlatformNotSupportedException("The runtime has no SIGSEGV handler to go on to.");
        *(nint*)action = Pages.PublishCode(CodeOf(Platform, (nint)Ranges, (nint)Table, old));
        if (sigaction(SegmentationFault, action, null) != 0) throw new PlatformNotSupportedException("The SIGSEGV handler cannot be set.");
    }

    /// <summary>The record of the calling thread's faults; null if all records are in use.</summary>
    internal static ulong* Register(object owner)
    {
        if (Platform == FaultPlatform.None) return null;
        ulong key = ThreadKey();
        lock (Gate)
        {
            // One empty entry must remain, at which the handler's search ends.
            ulong* free = null;
            for (ulong i = (key >> 6) & (Records - 1), n = 0; n < Records; n++, i = (i + 1) & (Records - 1))
            {
                ulong* entry = Table + (RecordBytes / sizeof(ulong) * i);
                if (*entry == key)
                {
                    Owners[(nint)entry] = owner;
                    entry[1] = 0;
                    return entry + 1;
                }
                if (*entry == Deleted && free is null) free = entry;
                if (*entry != 0) continue;
                if (free is null)
                {
                    if (used >= Records - 1) return null;
                    used++;
                    free = entry;
                }
                break;
            }
            if (free is null) return null;
            free[1] = 0;
            Owners[(nint)free] = owner;
            Volatile.Write(ref *free, key);
            return free + 1;
        }
    }

    /// <summary>The registers in a record.</summary>
    /// <param name="record">As <see cref="Register"/> gives it.</param>
    internal static ReadOnlySpan<ulong> RegistersOf(ulong* record) => record is null ? [] : new(record + 1, RegisterCount);

    private static int RegisterCount => Platform == FaultPlatform.LinuxArm64 ? Arm64Registers : X64Registers;

    private static int RegistersAt => Platform switch
    {
        FaultPlatform.LinuxArm64 => LinuxArm64RegistersAt,
        FaultPlatform.WindowsX64 => WindowsX64RegistersAt,
        _ => LinuxX64RegistersAt,
    };

    /// <summary>Forgets a thread that has ended, unless another has taken its place.</summary>
    internal static void Unregister(ulong* record, object owner)
    {
        if (record is null) return;
        lock (Gate)
        {
            if (!Owners.TryGetValue((nint)(record - 1), out object? current) || current != owner) return;
            Owners.Remove((nint)(record - 1));
            Volatile.Write(ref record[-1], Deleted);
        }
    }

    /// <summary>How far an address in an arena lies from the arena's start; null outside of all arenas.</summary>
    internal static ulong? OffsetInRange(ulong address)
    {
        ulong count = Volatile.Read(ref Ranges[0]);
        for (ulong i = 0; i < count; i++)
            if (address >= Ranges[1 + (2 * i)] && address < Ranges[2 + (2 * i)]) return address - Ranges[1 + (2 * i)];
        return null;
    }

    /// <summary>What the handler finds in a register for the calling thread.</summary>
    private static ulong ThreadKey() => Platform switch
    {
        FaultPlatform.WindowsX64 => GetCurrentThreadId(),
        FaultPlatform.LinuxArm64 => ReadThreadPointer.Call(),
        _ => (ulong)pthread_self(),
    };

    /// <summary>The thread pointer of ARM64, which lies behind what <c>pthread_self</c> gives, how far is up to the C library.</summary>
    private static class ReadThreadPointer
    {
        private static readonly nint Code = Pages.PublishCode(MemoryMarshal.AsBytes(ThreadPointerArm64));

        internal static ulong Call() => ((delegate* unmanaged[SuppressGCTransition]<ulong>)Code)();
    }

    [LibraryImport("kernel32")]
    private static partial nint AddVectoredExceptionHandler(uint first, nint handler);

    [LibraryImport("kernel32")]
    private static partial uint GetCurrentThreadId();

    [LibraryImport("libc")]
    private static partial int sigaction(int signal, void* action, void* old);

    [LibraryImport("libc")]
    private static partial nint pthread_self();
}
