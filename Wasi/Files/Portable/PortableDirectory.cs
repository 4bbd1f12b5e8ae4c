using Microsoft.Win32.SafeHandles;

namespace WasmJit.Wasi;

/// <summary>
/// A directory by its path, for systems whose calls relative to a directory .NET does not have. Each name is checked before it is used, and opened
/// files again afterwards. Between the two another process of the host could still put a link there. A guest alone cannot, unless several of its
/// threads try: links that it makes never lead out when they are followed here.
/// </summary>
internal sealed class PortableDirectory(string path) : DirectoryHandle
{
    internal override DirectoryHandle? OpenDirectory(string name)
    {
        string entry = At(name);
        return KindOf(entry) == FileType.Directory ? new PortableDirectory(entry) : null;
    }

    internal override string? ReadLink(string name)
    {
        string? target = new FileInfo(At(name)).LinkTarget;
        return target is null || Path.DirectorySeparatorChar == '/' ? target : target.Replace(Path.DirectorySeparatorChar, '/');
    }

    internal override OpenedNode Open(string name, OpenMode mode)
    {
        string entry = At(name);
        FileType? kind = KindOf(entry);
        bool create = mode.Flags.HasFlag(OpenFlags.Create), exclusive = create && mode.Flags.HasFlag(OpenFlags.Exclusive);
        if (kind is not null && exclusive) throw new WasiError(Errno.Exist);
        switch (kind)
        {
            case FileType.SymbolicLink: throw new WasiError(Errno.Loop);
            case FileType.Directory:
                if (mode.Write || create || mode.Flags.HasFlag(OpenFlags.Truncate)) throw new WasiError(Errno.Isdir);
                return new OpenedNode(new PortableDirectory(entry), null, null);
            case null when !create: throw new WasiError(Errno.Noent);
            case null or FileType.RegularFile: break;
            default: throw new WasiError(Errno.Notsup);
        }
        if (mode.Flags.HasFlag(OpenFlags.Directory)) throw new WasiError(Errno.Notdir);
        FileAccess access = !mode.Write ? FileAccess.Read : mode.Read ? FileAccess.ReadWrite : FileAccess.Write;
        // .NET creates a file only where it may write it.
        if (kind is null && !mode.Write)
            File.OpenHandle(entry, FileMode.CreateNew, FileAccess.Write).Dispose();
        FileMode way = exclusive && mode.Write ? FileMode.CreateNew : create && mode.Write ? FileMode.OpenOrCreate : FileMode.Open;
        SafeFileHandle handle = File.OpenHandle(entry, way, access, FileShare.ReadWrite | FileShare.Delete);
        if (KindOf(entry) != FileType.RegularFile)
        {
            handle.Dispose();
            throw new WasiError(Errno.Loop);
        }
        if (mode.Flags.HasFlag(OpenFlags.Truncate))
        {
            if (mode.Write) RandomAccess.SetLength(handle, 0);
            else File.WriteAllBytes(entry, []);
        }
        return new OpenedNode(null, new PortableFile(handle, entry), null);
    }

    internal override FileStatus Status(string name) => StatusOf(At(name));

    internal override FileStatus Status() => StatusOf(path);

    internal override void SetTimes(string name, NewTimes times)
    {
        string entry = At(name);
        if (KindOf(entry) is not { } kind) throw new WasiError(Errno.Noent);
        SetTimes(kind == FileType.Directory ? new DirectoryInfo(entry) : new FileInfo(entry), times);
    }

    internal override void SetTimes(NewTimes times) => SetTimes(new DirectoryInfo(path), times);

    internal override void CreateDirectory(string name)
    {
        string entry = At(name);
        if (KindOf(entry) is not null) throw new WasiError(Errno.Exist);
        Directory.CreateDirectory(entry);
    }

    internal override void RemoveDirectory(string name)
    {
        if (name == ".") throw new WasiError(Errno.Inval);
        string entry = At(name);
        Expect(entry, isDirectory: true);
        if (Directory.EnumerateFileSystemEntries(entry).Any()) throw new WasiError(Errno.Notempty);
        Directory.Delete(entry);
    }

    internal override void Unlink(string name)
    {
        string entry = At(name);
        Expect(entry, isDirectory: false);
        // On Windows a link to a directory is deleted as one.
        if (new FileInfo(entry).Attributes.HasFlag(FileAttributes.Directory) && !LinuxCalls.IsUnix) Directory.Delete(entry);
        else File.Delete(entry);
    }

    internal override void Rename(string name, DirectoryHandle target, string newName)
    {
        if (target is not PortableDirectory other) throw new WasiError(Errno.Xdev);
        string from = At(name), to = other.At(newName);
        if (name == "." || newName == ".") throw new WasiError(Errno.Busy);
        FileType kind = KindOf(from) ?? throw new WasiError(Errno.Noent);
        FileType? there = KindOf(to);
        // As on Linux: what lies within the entry, or has it within, is refused before the kinds are compared.
        if (kind == FileType.Directory && to.StartsWith(from + Path.DirectorySeparatorChar, StringComparison.Ordinal)) throw new WasiError(Errno.Inval);
        if (from.StartsWith(to + Path.DirectorySeparatorChar, StringComparison.Ordinal)) throw new WasiError(Errno.Notempty);
        if (kind != FileType.Directory)
        {
            if (there == FileType.Directory) throw new WasiError(Errno.Isdir);
            File.Move(from, to, overwrite: true);
            return;
        }
        if (there is not null and not FileType.Directory) throw new WasiError(Errno.Notdir);
        if (from == to) return;
        if (there is not null)
        {
            if (Directory.EnumerateFileSystemEntries(to).Any()) throw new WasiError(Errno.Notempty);
            Directory.Delete(to);
        }
        Directory.Move(from, to);
    }

    /// <summary>.NET has no way to make one.</summary>
    internal override void Link(string name, DirectoryHandle target, string newName) => throw new WasiError(Errno.Notsup);

    internal override void Symlink(string content, string name)
    {
        string entry = At(name);
        if (KindOf(entry) is not null) throw new WasiError(Errno.Exist);
        if (LinuxCalls.IsUnix) File.CreateSymbolicLink(entry, content);
        else SymlinkOnWindows(content.Replace('/', Path.DirectorySeparatorChar), entry);
    }

    /// <summary>Links there say whether they mean a directory.</summary>
    private void SymlinkOnWindows(string content, string entry)
    {
        if (Directory.Exists(Path.Combine(path, content))) Directory.CreateSymbolicLink(entry, content);
        else File.CreateSymbolicLink(entry, content);
    }

    internal override List<DirectoryEntry> List()
    {
        var entries = new List<DirectoryEntry>();
        var all = new EnumerationOptions { AttributesToSkip = 0, IgnoreInaccessible = false, RecurseSubdirectories = false };
        foreach (string entry in Directory.EnumerateFileSystemEntries(path, "*", all))
        {
            FileType kind = KindOf(entry) ?? FileType.Unknown;
            entries.Add(new DirectoryEntry(Path.GetFileName(entry), InodeOf(entry), kind));
        }
        return entries;
    }

    /// <summary>Directories cannot be written back here; their files can.</summary>
    internal override void Sync()
    {
    }

    public override void Dispose()
    {
    }

    /// <summary>
    /// The path of an entry. .NET cannot express names that are not UTF-8, and shows replacements, by which another file would be found.
    /// </summary>
    private string At(string name)
    {
        if (FileNames.HasEscapes(name) || name.Contains('\ufffd')) throw new WasiError(Errno.Ilseq);
        return name == "." ? path : Path.Join(path, name);
    }

    private static void Expect(string entry, bool isDirectory)
    {
        FileType kind = KindOf(entry) ?? throw new WasiError(Errno.Noent);
        if (isDirectory && kind != FileType.Directory) throw new WasiError(Errno.Notdir);
        if (!isDirectory && kind == FileType.Directory) throw new WasiError(Errno.Isdir);
    }

    /// <summary>
    /// The kind of an entry itself, not of its link's target; null if there is none. .NET cannot tell pipes and devices from files.
    /// </summary>
    private static FileType? KindOf(string entry)
    {
        var info = new FileInfo(entry);
        FileAttributes attributes = info.Attributes;
        if (attributes == (FileAttributes)(-1)) return null;
        // Other reparse points of Windows, such as junctions and mounts, lead elsewhere just as well.
        if (attributes.HasFlag(FileAttributes.ReparsePoint)) return FileType.SymbolicLink;
        if (attributes.HasFlag(FileAttributes.Directory)) return FileType.Directory;
        return FileType.RegularFile;
    }

    internal static FileStatus StatusOf(string entry)
    {
        FileType kind = KindOf(entry) ?? throw new WasiError(Errno.Noent);
        FileSystemInfo info = kind == FileType.Directory ? new DirectoryInfo(entry) : new FileInfo(entry);
        ulong size = kind == FileType.SymbolicLink ? (ulong)System.Text.Encoding.UTF8.GetByteCount(info.LinkTarget ?? "")
            : info is FileInfo file ? (ulong)file.Length : 0;
        ulong modified = ToNanoseconds(info.LastWriteTimeUtc);
        return new FileStatus(1, InodeOf(entry), kind, 1, size, ToNanoseconds(info.LastAccessTimeUtc), modified, modified);
    }

    internal static ulong ToNanoseconds(DateTime time) => (ulong)Math.Max(0, time.Ticks - DateTime.UnixEpoch.Ticks) * 100;

    internal static DateTime ToTime(ulong nanoseconds)
    {
        ulong ticks = nanoseconds / 100;
        if (ticks > (ulong)(DateTime.MaxValue.Ticks - DateTime.UnixEpoch.Ticks)) throw new WasiError(Errno.Overflow);
        return DateTime.UnixEpoch.AddTicks((long)ticks);
    }

    /// <summary>There are no numbers of files: the path gives one that stays the same as long as the file keeps its name.</summary>
    internal static ulong InodeOf(string entry)
    {
        ulong hash = 14695981039346656037;
        foreach (char c in entry) hash = (hash ^ c) * 1099511628211;
        return hash == 0 ? 1 : hash;
    }

    private static void SetTimes(FileSystemInfo info, NewTimes times)
    {
        if ((times.Flags & (TimeFlags.Access | TimeFlags.AccessNow)) != 0)
            info.LastAccessTimeUtc = times.Flags.HasFlag(TimeFlags.AccessNow) ? DateTime.UtcNow : ToTime(times.Accessed);
        if ((times.Flags & (TimeFlags.Modification | TimeFlags.ModificationNow)) != 0)
            info.LastWriteTimeUtc = times.Flags.HasFlag(TimeFlags.ModificationNow) ? DateTime.UtcNow : ToTime(times.Modified);
    }
}
