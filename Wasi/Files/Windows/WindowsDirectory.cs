using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace WasmJit.Wasi;

/// <summary>
/// A directory as a handle of Windows. As <see cref="LinuxDirectory"/>, everything works relative to it and never follows a link (a reparse point of any
/// kind), so nothing that is renamed or replaced between a check and its use leads out.
/// </summary>
internal sealed unsafe class WindowsDirectory : DirectoryHandle
{
    /// <summary>From 1601 to 1970, in 100 ns.</summary>
    private const long Epoch = 116_444_736_000_000_000;

    private const uint GetReparsePoint = 0x900a8, SetReparsePoint = 0x900a4;

    private const uint LinkTag = 0xa000000c, MountTag = 0xa0000003;

    private const int LongestReparse = 16 * 1024;

    private readonly SafeFileHandle handle;

    private WindowsDirectory(SafeFileHandle handle) => this.handle = handle;

    internal static WindowsDirectory OpenPath(string path)
    {
        SafeFileHandle opened = WindowsCalls.OpenHost(path);
        if (opened.IsInvalid) throw new IOException($"{path} cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}.");
        return new WindowsDirectory(opened);
    }

    // ---- opening ----

    /// <summary>The name as the system knows it. It has no names that are not UTF-16.</summary>
    private static string NameOf(string name)
    {
        if (FileNames.HasEscapes(name)) throw new WasiError(Errno.Ilseq);
        return name == "." ? "" : name;
    }

    private SafeFileHandle OpenEntry(string name, uint access, uint disposition = WindowsCalls.OpenOnly, uint options = 0)
    {
        uint status = WindowsCalls.Open(handle, NameOf(name), access, disposition, options, out SafeFileHandle opened);
        return status == 0 ? opened : throw new WasiError(SystemErrors.FromWindows(status));
    }

    private static void Check(uint status)
    {
        if (status != 0) throw new WasiError(SystemErrors.FromWindows(status));
    }

    private static WasiError LastError() => new(SystemErrors.OfWindows(Marshal.GetLastPInvokeError()));

    private static WindowsCalls.Information About(SafeFileHandle entry) =>
        WindowsCalls.GetFileInformationByHandle(entry, out WindowsCalls.Information information) ? information : throw LastError();

    private static FileType TypeOf(uint attributes) =>
        (attributes & WindowsCalls.ReparseAttribute) != 0 ? FileType.SymbolicLink
        : (attributes & WindowsCalls.DirectoryAttribute) != 0 ? FileType.Directory : FileType.RegularFile;

    internal override DirectoryHandle? OpenDirectory(string name)
    {
        const uint access = WindowsCalls.ListDirectory | WindowsCalls.Traverse | WindowsCalls.ReadAttributes;
        uint status = WindowsCalls.Open(handle, NameOf(name), access, WindowsCalls.OpenOnly, WindowsCalls.OnlyDirectory, out SafeFileHandle opened);
        if (status == WindowsCalls.NotADirectory) return null;
        Check(status);
        if (TypeOf(About(opened).Attributes) == FileType.Directory) return new WindowsDirectory(opened);
        opened.Dispose();
        return null;
    }

    internal override string? ReadLink(string name)
    {
        uint status = WindowsCalls.Open(handle, NameOf(name), WindowsCalls.ReadAttributes, WindowsCalls.OpenOnly, 0, out SafeFileHandle entry);
        if (status == WindowsCalls.NameNotFound) return null;
        Check(status);
        using (entry) return TypeOf(About(entry).Attributes) == FileType.SymbolicLink ? TargetOf(entry) : null;
    }

    /// <summary>Where a link leads; null for reparse points that are not links.</summary>
    private static string? TargetOf(SafeFileHandle entry)
    {
        byte[] buffer = new byte[LongestReparse];
        fixed (byte* at = buffer)
            if (!WindowsCalls.DeviceIoControl(entry, GetReparsePoint, null, 0, at, LongestReparse, out _, 0)) throw LastError();
        // REPARSE_DATA_BUFFER: a tag, lengths, then the offset and length of the text for the system and of that for people.
        uint tag = BitConverter.ToUInt32(buffer);
        if (tag is not (LinkTag or MountTag)) return null;
        int texts = tag == LinkTag ? 20 : 16, offset = BitConverter.ToUInt16(buffer, 12), length = BitConverter.ToUInt16(buffer, 14);
        if (length == 0)
        {
            offset = BitConverter.ToUInt16(buffer, 8);
            length = BitConverter.ToUInt16(buffer, 10);
        }
        if (texts + offset + length > buffer.Length) throw new WasiError(Errno.Io);
        return Encoding.Unicode.GetString(buffer, texts + offset, length).Replace('\\', '/');
    }

    internal override OpenedNode Open(string name, OpenMode mode)
    {
        bool create = mode.Flags.HasFlag(OpenFlags.Create), truncate = mode.Flags.HasFlag(OpenFlags.Truncate);
        bool changes = mode.Write || create || truncate;
        uint disposition = !create ? WindowsCalls.OpenOnly
            : mode.Flags.HasFlag(OpenFlags.Exclusive) ? WindowsCalls.CreateOnly : WindowsCalls.OpenOrCreate;
        uint access = (mode.Read || !mode.Write ? WindowsCalls.ReadFile : 0) | (mode.Write || truncate ? WindowsCalls.WriteFile : 0);
        uint options = mode.Flags.HasFlag(OpenFlags.Directory) ? WindowsCalls.OnlyDirectory : 0;
        // What nothing is written to can be a directory, and its times may be set, if they may.
        if (create) options |= WindowsCalls.NoDirectory;
        uint status = WindowsCalls.Open(handle, NameOf(name), access | WindowsCalls.WriteAttributes, disposition, options, out SafeFileHandle opened);
        if (status == WindowsCalls.AccessDenied) status = WindowsCalls.Open(handle, NameOf(name), access, disposition, options, out opened);
        Check(status);
        try
        {
            switch (TypeOf(About(opened).Attributes))
            {
                case FileType.SymbolicLink:
                    throw new WasiError(Errno.Loop);
                case FileType.Directory:
                    return changes ? throw new WasiError(Errno.Isdir) : new OpenedNode(new WindowsDirectory(opened), null, null);
            }
            if (mode.Flags.HasFlag(OpenFlags.Directory)) throw new WasiError(Errno.Notdir);
            if (truncate) RandomAccess.SetLength(opened, 0);
            return new OpenedNode(null, new WindowsFile(opened), null);
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    // ---- what is known of entries ----

    internal override FileStatus Status(string name)
    {
        using SafeFileHandle entry = OpenEntry(name, WindowsCalls.ReadAttributes);
        return StatusOf(entry);
    }

    internal override FileStatus Status() => StatusOf(handle);

    internal static FileStatus StatusOf(SafeFileHandle entry)
    {
        WindowsCalls.Information about = About(entry);
        FileType type = TypeOf(about.Attributes);
        ulong size = type switch
        {
            FileType.SymbolicLink => (ulong)Encoding.UTF8.GetByteCount(TargetOf(entry) ?? ""),
            FileType.Directory => 0,
            _ => Join(about.SizeHigh, about.SizeLow),
        };
        ulong written = ToNanoseconds(Join(about.WrittenHigh, about.WrittenLow));
        return new FileStatus(
            about.Volume, Join(about.IndexHigh, about.IndexLow), type, about.Links, size, ToNanoseconds(Join(about.AccessedHigh, about.AccessedLow)), written, written);
    }

    private static ulong Join(uint high, uint low) => ((ulong)high << 32) | low;

    private static ulong ToNanoseconds(ulong time) => (long)time < Epoch ? 0 : (time - Epoch) * 100;

    internal override void SetTimes(string name, NewTimes times)
    {
        using SafeFileHandle entry = OpenEntry(name, WindowsCalls.WriteAttributes);
        SetTimes(entry, times);
    }

    /// <summary>Sets the times that are given, in one call. .NET's own way is a call for each, which stops the others from being kept for as long as the handle is open.</summary>
    internal static void SetTimes(SafeFileHandle entry, NewTimes times)
    {
        long accessed = TimeOf(times, TimeFlags.Access, TimeFlags.AccessNow, times.Accessed), written = TimeOf(times, TimeFlags.Modification, TimeFlags.ModificationNow, times.Modified);
        if (!WindowsCalls.SetFileTime(entry, null, accessed == 0 ? null : &accessed, written == 0 ? null : &written)) throw LastError();
    }

    internal override void SetTimes(NewTimes times) => SetTimes(".", times);

    /// <summary>A time as Windows has it; 0 leaves the time that is.</summary>
    private static long TimeOf(NewTimes times, TimeFlags given, TimeFlags now, ulong nanoseconds)
    {
        if (times.Flags.HasFlag(now)) return DateTime.UtcNow.ToFileTimeUtc();
        return times.Flags.HasFlag(given) ? PortableDirectory.ToTime(nanoseconds).ToFileTimeUtc() : 0;
    }

    internal override List<DirectoryEntry> List()
    {
        const int size = 64 * 1024, idBothDirectoryClass = 37;
        // A handle of its own: the position in the directory belongs to the handle.
        using SafeFileHandle own = OpenEntry(".", WindowsCalls.ListDirectory, options: WindowsCalls.OnlyDirectory);
        var entries = new List<DirectoryEntry>();
        byte* buffer = (byte*)NativeMemory.Alloc(size);
        try
        {
            nint* result = stackalloc nint[2];
            for (bool first = true; ; first = false)
            {
                uint status = WindowsCalls.NtQueryDirectoryFile(own, 0, 0, 0, result, buffer, size, idBothDirectoryClass, false, 0, first);
                if (status == WindowsCalls.NoMoreFiles) return entries;
                Check(status);
                // FILE_ID_BOTH_DIR_INFORMATION: the distance to the next, at 56 attributes, at 60 the length of the name, at 96 its number, at 104 the name.
                for (byte* at = buffer; ; at += *(uint*)at)
                {
                    string name = new((char*)(at + 104), 0, (int)(*(uint*)(at + 60) / 2));
                    if (name is not ("." or "..")) entries.Add(new DirectoryEntry(name, *(ulong*)(at + 96), TypeOf(*(uint*)(at + 56))));
                    if (*(uint*)at == 0) break;
                }
            }
        }
        finally
        {
            NativeMemory.Free(buffer);
        }
    }

    // ---- changes ----

    internal override void CreateDirectory(string name) =>
        OpenEntry(name, WindowsCalls.ReadAttributes, WindowsCalls.CreateOnly, WindowsCalls.OnlyDirectory).Dispose();

    internal override void RemoveDirectory(string name)
    {
        if (name == ".") throw new WasiError(Errno.Inval);
        using SafeFileHandle entry = OpenEntry(name, WindowsCalls.Delete | WindowsCalls.ReadAttributes);
        if (TypeOf(About(entry).Attributes) != FileType.Directory) throw new WasiError(Errno.Notdir);
        Check(WindowsCalls.DeleteNow(entry));
    }

    internal override void Unlink(string name)
    {
        using SafeFileHandle entry = OpenEntry(name, WindowsCalls.Delete | WindowsCalls.ReadAttributes);
        if (TypeOf(About(entry).Attributes) == FileType.Directory) throw new WasiError(Errno.Isdir);
        Check(WindowsCalls.DeleteNow(entry));
    }

    internal override void Rename(string name, DirectoryHandle target, string newName)
    {
        const uint replace = 1, posix = 2, evenReadOnly = 0x40;
        WindowsDirectory other = Of(target);
        if (name == "." || newName == ".") throw new WasiError(Errno.Busy);
        using SafeFileHandle entry = OpenEntry(name, WindowsCalls.Delete | WindowsCalls.ReadAttributes);
        bool isDirectory = TypeOf(About(entry).Attributes) == FileType.Directory;
        string? own = WindowsCalls.PathOf(entry);
        // As on Linux: what lies within the entry, or has it within, is refused before the kinds are compared. Nothing has been removed yet.
        if (isDirectory && IsWithin(WindowsCalls.PathOf(other.handle), own)) throw new WasiError(Errno.Inval);
        bool removed = false;
        if (other.Find(newName) is { } there)
        {
            if (there.Type == FileType.Directory && other.IsAbove(own, newName)) throw new WasiError(Errno.Notempty);
            if (there.Type == FileType.Directory && !isDirectory) throw new WasiError(Errno.Isdir);
            if (there.Type != FileType.Directory && isDirectory) throw new WasiError(Errno.Notdir);
            FileStatus status = StatusOf(entry);
            removed = isDirectory && (status.Inode != there.Inode || status.Device != there.Device);
            if (removed) other.RemoveDirectory(newName);
        }
        uint failed = WindowsCalls.SetName(entry, WindowsCalls.RenameClassEx, replace | posix | evenReadOnly, other.handle, NameOf(newName));
        if (WindowsCalls.IsUnknown(failed)) failed = WindowsCalls.SetName(entry, WindowsCalls.RenameClass, replace, other.handle, NameOf(newName));
        if (failed == 0) return;
        // A directory in which something is open cannot be moved: the empty one that was to be replaced comes back.
        if (removed) other.CreateDirectory(newName);
        Check(failed);
    }

    /// <summary>Whether the directory of that name is one of those that a path leads through.</summary>
    private bool IsAbove(string? path, string name)
    {
        using SafeFileHandle entry = OpenEntry(name, WindowsCalls.ReadAttributes);
        return WindowsCalls.PathOf(entry) is { } own && own != path && IsWithin(path, own);
    }

    /// <summary>Whether a path is another, or leads through it.</summary>
    private static bool IsWithin(string? path, string? other) =>
        path is not null && other is not null && path.StartsWith(other, StringComparison.Ordinal) && (path.Length == other.Length || path[other.Length] == '\\');

    internal override void Link(string name, DirectoryHandle target, string newName)
    {
        using SafeFileHandle entry = OpenEntry(name, WindowsCalls.WriteAttributes | WindowsCalls.ReadAttributes);
        if (TypeOf(About(entry).Attributes) == FileType.Directory) throw new WasiError(Errno.Perm);
        Check(WindowsCalls.SetName(entry, WindowsCalls.LinkClass, 0, Of(target).handle, NameOf(newName)));
    }

    /// <summary>Links there say whether they mean a directory. Making one takes a privilege of the process.</summary>
    internal override void Symlink(string content, string name)
    {
        string target = content.Replace('/', '\\');
        bool isDirectory;
        try
        {
            // The walk says it; a target that is not there, or that leads out, is taken for a file.
            using ResolvedPath place = PathResolver.Resolve(this, content, follow: true);
            isDirectory = place.IsDirectory || place.Directory.Status(place.Name).Type == FileType.Directory;
        }
        catch (WasiError)
        {
            isDirectory = false;
        }
        byte[] text = Encoding.Unicode.GetBytes(target);
        if (text.Length * 2 > LongestReparse - 20) throw new WasiError(Errno.Nametoolong);
        byte[] buffer = new byte[20 + (text.Length * 2)];
        BitConverter.TryWriteBytes(buffer, LinkTag);
        BitConverter.TryWriteBytes(buffer.AsSpan(4), (ushort)(buffer.Length - 8));
        BitConverter.TryWriteBytes(buffer.AsSpan(10), (ushort)text.Length);
        BitConverter.TryWriteBytes(buffer.AsSpan(12), (ushort)text.Length);
        BitConverter.TryWriteBytes(buffer.AsSpan(14), (ushort)text.Length);
        const uint relative = 1;
        BitConverter.TryWriteBytes(buffer.AsSpan(16), relative);
        text.CopyTo(buffer, 20);
        text.CopyTo(buffer, 20 + text.Length);
        using SafeFileHandle entry = OpenEntry(
            name, WindowsCalls.WriteAttributes | WindowsCalls.Delete, WindowsCalls.CreateOnly, isDirectory ? WindowsCalls.OnlyDirectory : WindowsCalls.NoDirectory);
        fixed (byte* at = buffer)
        {
            if (WindowsCalls.DeviceIoControl(entry, SetReparsePoint, at, (uint)buffer.Length, null, 0, out _, 0)) return;
        }
        WasiError error = LastError();
        WindowsCalls.DeleteNow(entry);
        throw error;
    }

    /// <summary>Directories cannot be written back here; their files can.</summary>
    internal override void Sync()
    {
    }

    public override void Dispose() => handle.Dispose();

    /// <summary>Both directories are of this kind: a host is made of one kind alone.</summary>
    private static WindowsDirectory Of(DirectoryHandle directory) => directory as WindowsDirectory ?? throw new WasiError(Errno.Xdev);
}
