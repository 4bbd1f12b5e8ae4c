using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace WasmJit.Wasi;

/// <summary>
/// The calls of Windows that work relative to an open directory. They take the name of one entry, in the kernel's own form, which knows no devices and
/// changes no names, and open a link itself in place of what it leads to.
/// </summary>
/// <remarks>Unsafe: structures are on the stack and outlast the call; handles are counted while they are used.</remarks>
internal static unsafe partial class WindowsCalls
{
    internal const uint ListDirectory = 1, Traverse = 0x20, ReadAttributes = 0x80, WriteAttributes = 0x100, Delete = 0x10000,
        ReadFile = 0x120089, WriteFile = 0x120116;

    private const uint Synchronize = 0x100000, ShareAll = 7;

    /// <summary>What becomes of an entry that is there, or is not.</summary>
    internal const uint OpenOnly = 1, CreateOnly = 2, OpenOrCreate = 3;

    internal const uint OnlyDirectory = 1, NoDirectory = 0x40;

    private const uint Waiting = 0x20, WithBackupRights = 0x4000, LinkItself = 0x200000;

    internal const uint DirectoryAttribute = 0x10, ReparseAttribute = 0x400;

    private const int CaseInsensitive = 0x40;

    internal const uint NameNotFound = 0xc0000034, NotADirectory = 0xc0000103, NotImplemented = 0xc0000002, UnknownClass = 0xc0000003,
        InvalidParameter = 0xc000000d, NotSupported = 0xc00000bb, AccessDenied = 0xc0000022, NoMoreFiles = 0x80000006;

    /// <summary>Kinds of information that can be set.</summary>
    internal const int RenameClass = 10, LinkClass = 11, DeletionClass = 13, DeletionClassEx = 64, RenameClassEx = 65;

    /// <summary>What the system knows of an open entry.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Information
    {
        internal uint Attributes, CreatedLow, CreatedHigh, AccessedLow, AccessedHigh, WrittenLow, WrittenHigh, Volume, SizeHigh, SizeLow, Links, IndexHigh, IndexLow;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct ObjectAttributes
    {
        internal uint Length;
        internal nint Directory;
        internal CountedString* Name;
        internal int Attributes;
        internal nint Security, Quality;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct CountedString
    {
        internal ushort Bytes, Room;
        internal char* Text;
    }

    /// <summary>Opens an entry of a directory; an empty name is the directory itself.</summary>
    /// <returns>The status, 0 if it is open.</returns>
    internal static uint Open(SafeFileHandle directory, string name, uint access, uint disposition, uint options, out SafeFileHandle opened)
    {
        bool counted = false;
        opened = new SafeFileHandle();
        try
        {
            directory.DangerousAddRef(ref counted);
            fixed (char* text = name)
            {
                var counting = new CountedString { Bytes = (ushort)(name.Length * 2), Room = (ushort)(name.Length * 2), Text = text };
                var attributes = new ObjectAttributes
                {
                    Length = (uint)sizeof(ObjectAttributes),
                    Directory = directory.DangerousGetHandle(),
                    Name = &counting,
                    Attributes = CaseInsensitive,
                };
                nint handle;
                nint* result = stackalloc nint[2];
                uint status = NtCreateFile(
                    &handle, access | Synchronize, &attributes, result, null, 0x80, ShareAll, disposition, options | Waiting | WithBackupRights | LinkItself, 0, 0);
                if (status == 0) opened = new SafeFileHandle(handle, ownsHandle: true);
                return status;
            }
        }
        finally
        {
            if (counted) directory.DangerousRelease();
        }
    }

    /// <summary>Opens a directory by its path on the host.</summary>
    internal static SafeFileHandle OpenHost(string path) => CreateFile(path, ListDirectory | Traverse | ReadAttributes, ShareAll, 0, 3, 0x02000000, 0);

    /// <summary>The bytes of <c>FILE_RENAME_INFORMATION</c> and its like: flags, a directory, a name in it.</summary>
    internal static uint SetName(SafeFileHandle entry, int kind, uint flags, SafeFileHandle directory, string name)
    {
        bool counted = false;
        try
        {
            directory.DangerousAddRef(ref counted);
            int size = 20 + (name.Length * 2) + 4;
            byte* buffer = stackalloc byte[size];
            new Span<byte>(buffer, size).Clear();
            *(uint*)buffer = flags;
            *(nint*)(buffer + 8) = directory.DangerousGetHandle();
            *(uint*)(buffer + 16) = (uint)name.Length * 2;
            name.CopyTo(new Span<char>(buffer + 20, name.Length));
            nint* result = stackalloc nint[2];
            return NtSetInformationFile(entry, result, buffer, (uint)size, kind);
        }
        finally
        {
            if (counted) directory.DangerousRelease();
        }
    }

    /// <summary>The path of an open entry with the volume, as the system has it now; null where it does not tell.</summary>
    internal static string? PathOf(SafeFileHandle entry)
    {
        const uint withDevice = 2, asOpened = 8;
        // How the names of directories are written is not to be known where they may not be listed.
        return PathOf(entry, withDevice) ?? PathOf(entry, withDevice | asOpened);
    }

    private static string? PathOf(SafeFileHandle entry, uint flags)
    {
        char[] path = new char[512];
        while (true)
        {
            uint length;
            fixed (char* at = path) length = GetFinalPathNameByHandle(entry, at, (uint)path.Length, flags);
            if (length == 0) return null;
            if (length < path.Length) return new string(path, 0, (int)length);
            path = new char[length + 1];
        }
    }

    /// <summary>Deletes an open entry: at once where the system can, otherwise when its last handle is closed.</summary>
    internal static uint DeleteNow(SafeFileHandle entry)
    {
        const uint delete = 1, posix = 2, evenReadOnly = 0x10;
        nint* result = stackalloc nint[2];
        uint flags = delete | posix | evenReadOnly;
        uint status = NtSetInformationFile(entry, result, (byte*)&flags, 4, DeletionClassEx);
        if (!IsUnknown(status)) return status;
        byte plain = 1;
        return NtSetInformationFile(entry, result, &plain, 1, DeletionClass);
    }

    /// <summary>Whether a status says that this version of the system does not have what was asked for.</summary>
    internal static bool IsUnknown(uint status) => status is NotImplemented or UnknownClass or InvalidParameter or NotSupported;

    [LibraryImport("ntdll")]
    private static partial uint NtCreateFile(
        nint* handle, uint access, ObjectAttributes* attributes, nint* result, long* size, uint fileAttributes, uint share, uint disposition, uint options, nint extra, uint extraSize);

    [LibraryImport("ntdll")]
    private static partial uint NtSetInformationFile(SafeFileHandle file, nint* result, byte* information, uint length, int kind);

    [LibraryImport("ntdll")]
    internal static partial uint NtQueryDirectoryFile(
        SafeFileHandle directory, nint signal, nint routine, nint context, nint* result, byte* buffer, uint length, int kind,
        [MarshalAs(UnmanagedType.U1)] bool single, nint pattern, [MarshalAs(UnmanagedType.U1)] bool restart);

    [LibraryImport("ntdll")]
    internal static partial int RtlNtStatusToDosError(uint status);

    [LibraryImport("kernel32", EntryPoint = "CreateFileW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    private static partial SafeFileHandle CreateFile(string path, uint access, uint share, nint security, uint disposition, uint flags, nint template);

    [LibraryImport("kernel32", EntryPoint = "GetFinalPathNameByHandleW")]
    private static partial uint GetFinalPathNameByHandle(SafeFileHandle file, char* path, uint length, uint flags);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool GetFileInformationByHandle(SafeFileHandle file, out Information information);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool SetFileTime(SafeFileHandle file, long* created, long* accessed, long* written);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    internal static partial bool DeviceIoControl(
        SafeFileHandle file, uint code, byte* input, uint inputSize, byte* output, uint outputSize, out uint returned, nint overlapped);
}
