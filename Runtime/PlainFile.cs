using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace WasmJit.Runtime;

/// <summary>
/// Files that are looked for when a process starts. .NET's own ways write their names with vectors, whose types it loads first, and make the handle by a method that it compiles
/// then: together three milliseconds of processor time, a thirtieth of what CPython takes to start.
/// </summary>
/// <remarks>Unsafe: a name is given as the address of bytes that end with a zero, and the system fills in a buffer of the size that it knows.</remarks>
internal static unsafe partial class PlainFile
{
    /// <summary>The longest name that goes this way.</summary>
    private const int Longest = 1000;

    // What Linux calls them: all processors have the same numbers.
    private const int CloseOnExec = 0x80000, CurrentDirectory = -100;
    private const uint TypeAndSize = 0x201;
    private const int StatusBytes = 256, ModeAt = 28, SizeAt = 40, TypeBits = 12, RegularType = 8;

    /// <summary>How long a file is; null if there is no file of the name, or on Linux if it is a pipe or a device, whose bytes can be read only once.</summary>
    internal static long? LengthOf(string path)
    {
        byte* name = stackalloc byte[Longest + 1], status = stackalloc byte[StatusBytes];
        if (TryWrite(path, name) && HasStatus)
        {
            try
            {
                if (statx(CurrentDirectory, name, 0, TypeAndSize, status) != 0) return null;
                return *(ushort*)(status + ModeAt) >> TypeBits == RegularType ? *(long*)(status + SizeAt) : null;
            }
            catch (EntryPointNotFoundException)
            {
                // Some C libraries do not have it.
                HasStatus = false;
            }
        }
        return File.Exists(path) ? new FileInfo(path).Length : null;
    }

    private static bool HasStatus { get; set; } = OperatingSystem.IsLinux();

    /// <summary>Opens a file. Others may replace it, and may write to it.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    internal static FileStream Open(string path)
    {
        // What is empty, or no regular file, is left to .NET: opening a pipe waits for its other end.
        return LengthOf(path) is > 0 && TryOpen(path) is { } handle
            ? new FileStream(handle, FileAccess.Read)
            : new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
    }

    /// <summary>Opens a file of the system's for reading, such as <c>/proc/self/mem</c>. It must be none that is waited for, as the other end of a pipe is.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    internal static SafeFileHandle OpenHandle(string path) => TryOpen(path) ?? File.OpenHandle(path);

    /// <summary>Opens a file for reading.</summary>
    /// <returns>Null where .NET has to do it, or to say why it cannot be done.</returns>
    private static SafeFileHandle? TryOpen(string path)
    {
        byte* name = stackalloc byte[Longest + 1];
        return OperatingSystem.IsLinux() && TryWrite(path, name) && open(name, CloseOnExec, 0) is var file and >= 0 ? new SafeFileHandle(file, ownsHandle: true) : null;
    }

    /// <summary>The whole name of a file.</summary>
    internal static string FullPathOf(string path)
    {
        byte* folder = stackalloc byte[Longest + 1];
        bool isPlain = OperatingSystem.IsLinux() && path.Length > 0;
        // A plain name is relative, and no part of it is empty or begins with a dot, as "." and ".." do. .NET's searches in texts use vectors.
        for (int i = 0; i < path.Length; i++) isPlain &= path[i] is not ('/' or '.') || (i > 0 && path[i - 1] != '/');
        // Linux names a folder that the process's root does not contain without a slash in front.
        if (!isPlain || getcwd(folder, Longest) == null || folder[0] != '/') return Path.GetFullPath(path);
        int length = 0;
        Span<char> text = stackalloc char[Longest];
        for (; folder[length] != 0; length++)
        {
            if (folder[length] >= 0x80) return Path.GetFullPath(path);
            text[length] = (char)folder[length];
        }
        return string.Concat(text[..length], length == 1 ? "" : "/", path);
    }

    /// <summary>Writes a name of ASCII.</summary>
    /// <returns>False if it is long, or has other characters.</returns>
    private static bool TryWrite(string path, byte* name)
    {
        if (path.Length is 0 or > Longest) return false;
        for (int i = 0; i < path.Length; i++)
        {
            if (path[i] is '\0' or >= (char)0x80) return false;
            name[i] = (byte)path[i];
        }
        name[path.Length] = 0;
        return true;
    }

    [LibraryImport("libc")]
    private static partial int open(byte* name, int flags, int mode);

    [LibraryImport("libc")]
    private static partial int statx(int folder, byte* name, int flags, uint mask, byte* status);

    [LibraryImport("libc")]
    private static partial byte* getcwd(byte* buffer, nuint size);
}
