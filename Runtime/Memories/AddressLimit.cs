using System.Globalization;
using System.Runtime.InteropServices;

namespace WasmJit.Runtime;

/// <summary>How much address space the process may still take: the limit that <c>ulimit -v</c> sets (RLIMIT_AS).</summary>
internal static unsafe partial class AddressLimit
{
    /// <summary>
    /// Always left to the runtime. Its heap is reserved, but assemblies, machine code and each thread (64 MiB for the C library's heap) need more.
    /// The runtime ends the process if it cannot get them.
    /// </summary>
    internal const ulong Reserve = 256UL << 20;

    private const int AddressSpaceLimit = 9;

    /// <summary>The limit in bytes; <see cref="ulong.MaxValue"/> without one.</summary>
    internal static ulong Bytes
    {
        get
        {
            if (!OperatingSystem.IsLinux() || IntPtr.Size != 8) return ulong.MaxValue;
            ulong* limits = stackalloc ulong[2];
            return getrlimit(AddressSpaceLimit, limits) == 0 ? limits[0] : ulong.MaxValue;
        }
    }

    /// <summary>The address space that is left, less <see cref="Reserve"/>; <see cref="ulong.MaxValue"/> without a limit.</summary>
    internal static ulong Left
    {
        get
        {
            ulong limit = Bytes;
            if (limit == ulong.MaxValue) return limit;
            ulong taken = Taken() + Reserve;
            return limit > taken ? limit - taken : 0;
        }
    }

    /// <summary>
    /// Whether reserving costs time and memory for each page: QEMU's user mode did so before version 8, 10 ms and 6 MB for each GiB, and does not give them
    /// back. Such a version shows a process for ARM64 the processor of the machine it runs on.
    /// </summary>
    internal static readonly bool IsDear =
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.Arm64 && IsAnX64Processor();

    private static bool IsAnX64Processor()
    {
        try
        {
            using var file = new FileStream("/proc/cpuinfo", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 0);
            byte[] start = new byte[512];
            int length = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
            return start.AsSpan(0, length).IndexOf("vendor_id"u8) >= 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static ulong Taken()
    {
        string sizes = File.ReadAllText("/proc/self/statm");
        return ulong.Parse(sizes.AsSpan(0, sizes.IndexOf(' ')), NumberStyles.None, CultureInfo.InvariantCulture) * (ulong)Environment.SystemPageSize;
    }

    /// <summary>For messages: what limits address space, if anything does.</summary>
    internal static string Hint => Bytes is var bytes and not ulong.MaxValue ? $" The process is limited to {bytes} bytes of address space (ulimit -v)." : "";

    [LibraryImport("libc")]
    private static partial int getrlimit(int resource, ulong* limits);
}
