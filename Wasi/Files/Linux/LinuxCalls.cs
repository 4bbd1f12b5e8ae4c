using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace WasmJit.Wasi;

/// <summary>
/// The calls of the C library that .NET has no counterpart of: those that work relative to an open directory. The structure of <c>statx</c> and the
/// flags used are the same on every processor but for two; those of <c>stat</c> are not.
/// </summary>
internal static partial class LinuxCalls
{
    internal const int ReadOnly = 0, WriteOnly = 1, ReadWrite = 2, Create = 0x40, Exclusive = 0x80, NoTerminal = 0x100,
        Truncate = 0x200, Append = 0x400, NonBlocking = 0x800, CloseOnExec = 0x80000, PathOnly = 0x200000;

    /// <summary>Flags of calls that take a path: the descriptor itself, and not to follow a link.</summary>
    internal const int EmptyPath = 0x1000, NoFollowLink = 0x100, RemoveDirectory = 0x200;

    internal const int GetDescriptorFlags = 1, GetFlags = 3, SetFlags = 4;

    /// <summary>The flag of a descriptor, not of the file behind it, which <see cref="CloseOnExec"/> sets.</summary>
    internal const int ClosesOnExec = 1;

    /// <summary>Flags of messages: not to wait, and no signal where the other end is gone.</summary>
    internal const int DontWait = 0x40, NoSignal = 0x4000;

    /// <summary>Kinds of files in the upper bits of their mode.</summary>
    internal const int PipeKind = 1, CharacterKind = 2, SocketKind = 12;

    /// <summary>Instead of nanoseconds: the present time, and the time that is.</summary>
    internal const long TimeNow = (1L << 30) - 1, TimeOmit = (1L << 30) - 2;

    internal const int NoEntry = 2, Interrupted = 4, TryAgain = 11, NotDirectory = 20, Invalid = 22, TooManyLinks = 40;

    private const string Library = "libc";

    internal static bool IsUnix { get; } = !OperatingSystem.IsWindows();

    /// <summary>Whether the calls can be used: their flags are known for these processors.</summary>
    internal static bool IsSupported { get; } =
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    internal static int OnlyDirectory { get; } = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 0x10000 : 0x4000;

    internal static int NoFollow { get; } = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 0x20000 : 0x8000;

    [LibraryImport(Library, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int OpenHost(string path, int flags, uint mode);

    [LibraryImport(Library, EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Custom, StringMarshallingCustomType = typeof(FileNames.Marshaller))]
    internal static partial int OpenAt(SafeFileHandle directory, string name, int flags, uint mode);

    [LibraryImport(Library, EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Custom, StringMarshallingCustomType = typeof(FileNames.Marshaller))]
    private static partial int LibraryStatX(SafeFileHandle directory, string name, int flags, uint mask, out StatXBuffer buffer);

    /// <summary>The same call of the kernel, by its number. Its arguments are integers and addresses, so the processor's convention is that of any function.</summary>
    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Custom, StringMarshallingCustomType = typeof(FileNames.Marshaller))]
    private static partial nint SystemStatX(nint number, SafeFileHandle directory, string name, int flags, uint mask, out StatXBuffer buffer);

    private static nint StatXNumber => RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 332 : 291;

    /// <summary>For tests: the C library has no <c>statx</c>.</summary>
    internal static bool HasNoStatX { get; set; }

    internal static int StatX(SafeFileHandle directory, string name, int flags, uint mask, out StatXBuffer buffer)
    {
        if (!HasNoStatX)
        {
            try
            {
                return LibraryStatX(directory, name, flags, mask, out buffer);
            }
            catch (EntryPointNotFoundException)
            {
                // musl has it from 1.2.5 on.
                HasNoStatX = true;
            }
        }
        return (int)SystemStatX(StatXNumber, directory, name, flags, mask, out buffer);
    }

    [LibraryImport(Library, EntryPoint = "readlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Custom, StringMarshallingCustomType = typeof(FileNames.Marshaller))]
    internal static partial nint ReadLinkAt(SafeFileHandle directory, string name, Span<byte> buffer, nuint size);

    [LibraryImport(Library, EntryPoint = "mkdirat", SetLastError = true, StringMarshalling = StringMarshalling.Custom, StringMarshallingCustomType = typeof(FileNames.Marshaller))]
    internal static partial int MakeDirectoryAt(SafeFileHandle directory, string name, uint mode);

    [LibraryImport(Library, EntryPoint = "unlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Custom, StringMarshallingCustomType = typeof(FileNames.Marshaller))]
    internal static partial int UnlinkAt(SafeFileHandle directory, string name, int flags);

    [LibraryImport(Library, EntryPoint = "renameat", SetLastError = true, StringMarshalling = StringMarshalling.Custom, StringMarshallingCustomType = typeof(FileNames.Marshaller))]
    internal static partial int RenameAt(SafeFileHandle directory, string name, SafeFileHandle target, string newName);

    [LibraryImport(Library, EntryPoint = "linkat", SetLastError = true, StringMarshalling = StringMarshalling.Custom, StringMarshallingCustomType = typeof(FileNames.Marshaller))]
    internal static partial int LinkAt(SafeFileHandle directory, string name, SafeFileHandle target, string newName, int flags);

    [LibraryImport(Library, EntryPoint = "symlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Custom, StringMarshallingCustomType = typeof(FileNames.Marshaller))]
    internal static partial int SymlinkAt(string content, SafeFileHandle directory, string name);

    [LibraryImport(Library, EntryPoint = "utimensat", SetLastError = true, StringMarshalling = StringMarshalling.Custom, StringMarshallingCustomType = typeof(FileNames.Marshaller))]
    internal static partial int SetTimesAt(SafeFileHandle directory, string name, ReadOnlySpan<long> times, int flags);

    /// <summary>Up to 256 bytes are given whole.</summary>
    [LibraryImport(Library, EntryPoint = "getrandom", SetLastError = true)]
    internal static partial nint GetRandom(Span<byte> bytes, nuint size, uint flags);

    [LibraryImport(Library, EntryPoint = "futimens", SetLastError = true)]
    internal static partial int SetTimes(SafeFileHandle file, ReadOnlySpan<long> times);

    [LibraryImport(Library, EntryPoint = "fsync", SetLastError = true)]
    internal static partial int Sync(SafeFileHandle file);

    /// <returns>The error number itself.</returns>
    [LibraryImport(Library, EntryPoint = "posix_fallocate")]
    internal static partial int Allocate(SafeFileHandle file, long offset, long length);

    /// <returns>The error number itself.</returns>
    [LibraryImport(Library, EntryPoint = "posix_fadvise")]
    internal static partial int Advise(SafeFileHandle file, long offset, long length, int advice);

    [LibraryImport(Library, EntryPoint = "fcntl", SetLastError = true)]
    internal static partial int Control(SafeFileHandle file, int command, int value);

    [LibraryImport(Library, EntryPoint = "read", SetLastError = true)]
    internal static partial nint Read(SafeFileHandle file, Span<byte> buffer, nuint size);

    [LibraryImport(Library, EntryPoint = "write", SetLastError = true)]
    internal static partial nint Write(SafeFileHandle file, ReadOnlySpan<byte> buffer, nuint size);

    [LibraryImport(Library, EntryPoint = "send", SetLastError = true)]
    internal static partial nint Send(SafeFileHandle socket, ReadOnlySpan<byte> buffer, nuint size, int flags);

    [LibraryImport(Library, EntryPoint = "isatty")]
    internal static partial int IsTerminal(SafeFileHandle file);

    [LibraryImport(Library, EntryPoint = "poll", SetLastError = true)]
    internal static partial int Poll(ref PollItem items, nuint count, int milliseconds);

    [LibraryImport(Library, EntryPoint = "clock_gettime", SetLastError = true)]
    internal static partial int ClockTime(int clock, out TimeSpec time);

    // The handle of a directory that is being read is the stream's own, so it is a number here.
    [LibraryImport(Library, EntryPoint = "fdopendir", SetLastError = true)]
    internal static partial nint OpenStream(int directory);

    /// <returns>An entry; 0 at the end, or with an error.</returns>
    [LibraryImport(Library, EntryPoint = "readdir", SetLastError = true)]
    internal static partial nint ReadEntry(nint stream);

    [LibraryImport(Library, EntryPoint = "closedir")]
    internal static partial int CloseStream(nint stream);

    /// <summary>The user whose permissions the process has.</summary>
    [LibraryImport(Library, EntryPoint = "geteuid")]
    internal static partial uint EffectiveUser();

    [LibraryImport(Library, EntryPoint = "close")]
    internal static partial int Close(int file);

    /// <summary>The exception for the last call's error.</summary>
    internal static WasiError LastError() => new(SystemErrors.FromLinux(Marshal.GetLastPInvokeError()));

    /// <summary>Throws if a call failed.</summary>
    internal static void Check(long result)
    {
        if (result < 0) throw LastError();
    }

    /// <summary>The status of a name, or with an empty name of the handle itself.</summary>
    internal static FileStatus Status(SafeFileHandle directory, string name)
    {
        const uint basic = 0x7ff;
        Check(StatX(directory, name, name.Length == 0 ? EmptyPath : NoFollowLink, basic, out StatXBuffer buffer));
        return buffer.ToStatus();
    }

    /// <summary>The kind of an open file; 0 if that cannot be had.</summary>
    internal static int KindOf(SafeFileHandle file) => StatX(file, "", EmptyPath, 1, out StatXBuffer buffer) < 0 ? 0 : buffer.Mode >> 12;

    /// <summary>New times as <c>utimensat</c> takes them: two pairs of seconds and nanoseconds.</summary>
    internal static void Fill(Span<long> pairs, NewTimes times)
    {
        Fill(pairs, times.Flags.HasFlag(TimeFlags.Access), times.Flags.HasFlag(TimeFlags.AccessNow), times.Accessed);
        Fill(pairs[2..], times.Flags.HasFlag(TimeFlags.Modification), times.Flags.HasFlag(TimeFlags.ModificationNow), times.Modified);
    }

    private static void Fill(Span<long> pair, bool given, bool now, ulong time)
    {
        const ulong second = 1_000_000_000;
        pair[0] = given ? (long)(time / second) : 0;
        pair[1] = now ? TimeNow : given ? (long)(time % second) : TimeOmit;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct PollItem
    {
        internal int File;
        internal short Wanted;
        internal short Happened;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct TimeSpec
    {
        internal long Seconds;
        internal long Nanoseconds;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct StatXTime
    {
        internal long Seconds;
        internal uint Nanoseconds;
        private readonly int reserved;

        internal readonly ulong Total => Seconds < 0 ? 0 : ((ulong)Seconds * 1_000_000_000) + Nanoseconds;
    }

    /// <summary><c>struct statx</c>; its size is fixed at 256 bytes.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct StatXBuffer
    {
        [FieldOffset(16)]
        internal uint Links;
        [FieldOffset(20)]
        internal uint Owner;
        [FieldOffset(28)]
        internal ushort Mode;
        [FieldOffset(32)]
        internal ulong Inode;
        [FieldOffset(40)]
        internal ulong Size;
        [FieldOffset(64)]
        internal StatXTime Accessed;
        [FieldOffset(96)]
        internal StatXTime Changed;
        [FieldOffset(112)]
        internal StatXTime Modified;
        [FieldOffset(136)]
        internal uint DeviceMajor;
        [FieldOffset(140)]
        internal uint DeviceMinor;

        internal readonly FileStatus ToStatus() => new(
            ((ulong)DeviceMajor << 32) | DeviceMinor, Inode, TypeOf(Mode >> 12), Links, Size, Accessed.Total, Modified.Total, Changed.Total);
    }

    /// <summary>The kind of a file as the upper bits of its mode and the entries of directories have it.</summary>
    internal static FileType TypeOf(int kind) => kind switch
    {
        2 => FileType.CharacterDevice,
        4 => FileType.Directory,
        6 => FileType.BlockDevice,
        8 => FileType.RegularFile,
        10 => FileType.SymbolicLink,
        12 => FileType.SocketStream,
        _ => FileType.Unknown,
    };
}
