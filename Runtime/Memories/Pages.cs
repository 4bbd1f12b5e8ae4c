using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace WasmJit.Runtime;

/// <summary>Address space from the operating system: reserve without cost, commit, give back.</summary>
/// <remarks>Unsafe: raw addresses only pass through. The caller that reserves a range is the only one to commit or release it.</remarks>
internal static unsafe partial class Pages
{
    private const int ProtNone = 0, ProtReadWrite = 3, ProtReadExecute = 5;
    private const int MapPrivate = 0x02, MapFixed = 0x10;
    private static readonly int MapAnonymous = OperatingSystem.IsMacOS() ? 0x1000 : 0x20;
    private static readonly int MapNoReserve = OperatingSystem.IsMacOS() ? 0x40 : 0x4000;
    private const uint MemCommit = 0x1000, MemReserve = 0x2000, MemDecommit = 0x4000, MemRelease = 0x8000, MemReset = 0x80000;
    private const uint PageNoAccess = 1, PageReadWrite = 4, PageExecuteRead = 0x20;

    /// <summary>
    /// Whether the system lends and protects pages. In a browser there is one array of bytes for all: what is reserved takes room there at once, can be accessed, and is cleared when it
    /// is committed.
    /// </summary>
    internal static readonly bool AreLent = !OperatingSystem.IsBrowser();

    /// <summary>Reserves inaccessible address space; null when there is none.</summary>
    internal static byte* Reserve(ulong bytes)
    {
        if (!AreLent) return Allocate(bytes);
        if (OperatingSystem.IsWindows()) return (byte*)VirtualAlloc(0, (nuint)bytes, MemReserve, PageNoAccess);
        nint at = mmap(0, (nuint)bytes, ProtNone, MapPrivate | MapAnonymous | MapNoReserve, -1, 0);
        return at == -1 ? null : (byte*)at;
    }

    /// <summary>Reserves zeroed pages that take memory only where they are written; null if there are none.</summary>
    internal static byte* ReserveZeroed(ulong bytes)
    {
        if (OperatingSystem.IsWindows() || !AreLent) return null;
        nint at = mmap(0, (nuint)bytes, ProtReadWrite, MapPrivate | MapAnonymous | MapNoReserve, -1, 0);
        return at == -1 ? null : (byte*)at;
    }

    /// <summary>Ranges from here on are worth a word to the system.</summary>
    private const ulong FewLargePages = 4 << 20;

    /// <summary>
    /// Tells the system that a range will be written from one end to the other: it may give memory in pieces of 2 MB in place of 4 KB, each of which takes a fault.
    /// </summary>
    internal static void PreferLarge(byte* at, ulong bytes)
    {
        const int HugePage = 14;
        if (bytes < FewLargePages || !OperatingSystem.IsLinux()) return;
        ulong page = (ulong)Environment.SystemPageSize, begin = ((ulong)at + page - 1) & ~(page - 1);
        // It is advice: what comes of it does not matter.
        _ = madvise((nint)begin, (nuint)(((ulong)at + bytes - begin) & ~(page - 1)), HugePage);
    }

    /// <summary>
    /// Asks the system for the memory of a range that will be written; what is in it stays. False if the system does not do that, or has none left: then each page comes
    /// when it is written first.
    /// </summary>
    internal static bool Populate(byte* at, ulong bytes)
    {
        const int PopulateWrite = 23;
        if (!OperatingSystem.IsLinux()) return false;
        ulong page = (ulong)Environment.SystemPageSize, begin = (ulong)at & ~(page - 1);
        return madvise((nint)begin, (nuint)((ulong)at + bytes - begin), PopulateWrite) == 0;
    }

    /// <summary>Makes reserved pages readable and writable; they are zero the first time.</summary>
    internal static bool Commit(byte* at, ulong bytes)
    {
        if (bytes == 0) return true;
        if (!AreLent)
        {
            AddressSpace.Clear(at, bytes);
            return true;
        }
        if (OperatingSystem.IsWindows()) return VirtualAlloc((nint)at, (nuint)bytes, MemCommit, PageReadWrite) != 0;
        return mprotect((nint)at, (nuint)bytes, ProtReadWrite) == 0;
    }

    /// <summary>
    /// Gives the memory of pages back and makes them inaccessible; committed again, they are zero. False if the system has no
    /// room for the change (its number of mappings is limited): then nothing has changed.
    /// </summary>
    internal static bool Decommit(byte* at, ulong bytes)
    {
        if (bytes == 0 || !AreLent) return true;
        if (OperatingSystem.IsWindows()) return VirtualFree((nint)at, (nuint)bytes, MemDecommit);
        // A fresh mapping in place drops the pages on every Unix.
        return mmap((nint)at, (nuint)bytes, ProtNone, MapPrivate | MapAnonymous | MapNoReserve | MapFixed, -1, 0) != -1;
    }

    /// <summary>Gives the memory of accessible pages back; they stay accessible and become zero. False if nothing has changed.</summary>
    internal static bool Discard(byte* at, ulong bytes)
    {
        if (bytes == 0) return true;
        if (!AreLent) return Commit(at, bytes);
        if (OperatingSystem.IsWindows())
        {
            // Windows has no way to drop pages that stay accessible meanwhile. What is reset is as it was or zero: both are zero.
            AddressSpace.Clear(at, bytes);
            VirtualAlloc((nint)at, (nuint)bytes, MemReset, PageReadWrite);
            return true;
        }
        return mmap((nint)at, (nuint)bytes, ProtReadWrite, MapPrivate | MapAnonymous | MapNoReserve | MapFixed, -1, 0) != -1;
    }

    /// <summary>
    /// Puts a file's pages in the place of accessible ones. They take memory where they are written, which the file is not. False if the system does not do that: then nothing has changed.
    /// </summary>
    internal static bool MapFile(byte* at, ulong bytes, SafeFileHandle file, long offset)
    {
        if (!OperatingSystem.IsLinux()) return false;
        bool isHeld = false;
        try
        {
            file.DangerousAddRef(ref isHeld);
            return mmap((nint)at, (nuint)bytes, ProtReadWrite, MapPrivate | MapNoReserve | MapFixed, (int)file.DangerousGetHandle(), (nint)offset) != -1;
        }
        finally
        {
            if (isHeld) file.DangerousRelease();
        }
    }

    internal static void Release(byte* at, ulong bytes)
    {
        if (!AreLent) NativeMemory.AlignedFree(at);
        else if (OperatingSystem.IsWindows()) VirtualFree((nint)at, 0, MemRelease);
        else _ = munmap((nint)at, (nuint)bytes);
    }

    /// <summary>
    /// Puts code into pages of its own that can be executed and no longer written. On ARM64 caches need no flush: Linux does it for pages that become
    /// executable.
    /// </summary>
    internal static nint PublishCode(ReadOnlySpan<byte> code)
    {
        byte* at = BeginCode((ulong)code.Length);
        code.CopyTo(new Span<byte>(at, code.Length));
        EndCode(at, (ulong)code.Length);
        return (nint)at;
    }

    /// <summary>Pages for code, which can be written and not yet executed.</summary>
    internal static byte* BeginCode(ulong bytes)
    {
        if (!AreLent) throw new PlatformNotSupportedException("This system allows no code to be made.");
        byte* at = Reserve(CodeSize(bytes));
        return at is not null && Commit(at, CodeSize(bytes)) ? at : throw new InsufficientMemoryException("No memory for machine code.");
    }

    /// <summary>Makes pages of <see cref="BeginCode"/> executable; they can no longer be written.</summary>
    internal static void EndCode(byte* at, ulong bytes)
    {
        bool done = OperatingSystem.IsWindows()
            ? VirtualProtect((nint)at, (nuint)CodeSize(bytes), PageExecuteRead, out _)
            : mprotect((nint)at, (nuint)CodeSize(bytes), ProtReadExecute) == 0;
        if (!done) throw new PlatformNotSupportedException("This system allows no code to be made.");
    }

    /// <summary>Gives pages of <see cref="PublishCode"/> back.</summary>
    internal static void ReleaseCode(nint at, int length) => Release((byte*)at, CodeSize((ulong)length));

    private static byte* Allocate(ulong bytes)
    {
        if (bytes > int.MaxValue) return null;
        try
        {
            return (byte*)NativeMemory.AlignedAlloc((nuint)bytes, (nuint)Memory.OsPage);
        }
        catch (OutOfMemoryException)
        {
            return null;
        }
    }

    private static ulong CodeSize(ulong length)
    {
        ulong page = (ulong)Environment.SystemPageSize;
        return (length + page - 1) & ~(page - 1);
    }

    [LibraryImport("libc")]
    private static partial nint mmap(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc")]
    private static partial int munmap(nint address, nuint length);

    [LibraryImport("libc")]
    private static partial int mprotect(nint address, nuint length, int protection);

    [LibraryImport("libc")]
    private static partial int madvise(nint address, nuint length, int advice);

    [LibraryImport("kernel32")]
    private static partial nint VirtualAlloc(nint address, nuint size, uint type, uint protection);

    [LibraryImport("kernel32")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VirtualFree(nint address, nuint size, uint type);

    [LibraryImport("kernel32")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VirtualProtect(nint address, nuint size, uint protection, out uint old);
}
