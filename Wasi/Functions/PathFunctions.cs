namespace WasmJit.Wasi;

/// <summary>The functions on paths: each resolves from a directory that the guest has, and never leaves it.</summary>
internal sealed class PathFunctions(WasiContext context, Version version)
{
    /// <summary>The one flag for looking up paths: links at the end are followed.</summary>
    private const int FollowFlag = 1;

    internal void AddTo(FunctionTable table)
    {
        table.Add<int, int, int>("path_create_directory", CreateDirectory);
        table.Add<int, int, int, int, int>("path_filestat_get", GetFilestat);
        table.Add<int, int, int, int, long, long, int>("path_filestat_set_times", SetTimes);
        table.Add<int, int, int, int, int, int, int>("path_link", Link);
        table.Add<int, int, int, int, int, long, long, int, int>("path_open", Open);
        table.Add<int, int, int, int, int, int>("path_readlink", ReadLink);
        table.Add<int, int, int>("path_remove_directory", RemoveDirectory);
        table.Add<int, int, int, int, int, int>("path_rename", Rename);
        table.Add<int, int, int, int, int>("path_symlink", Symlink);
        table.Add<int, int, int>("path_unlink_file", Unlink);
    }

    private DirectoryDescriptor Directory(int fd, Rights needed) => context.Table.Directory(fd, needed);

    /// <summary>A directory in which something is to be changed.</summary>
    private static DirectoryDescriptor Changed(DirectoryDescriptor directory) =>
        directory.IsReadOnly ? throw new WasiError(Errno.Rofs) : directory;

    /// <summary>Resolves a path to what it stands for: a slash at its end follows a link as the flag does.</summary>
    private static ResolvedPath Resolve(DirectoryDescriptor from, string path, int flags)
    {
        if ((flags & ~FollowFlag) != 0) throw new WasiError(Errno.Inval);
        return PathResolver.Resolve(from.Handle, path, flags == FollowFlag || path.EndsWith('/'));
    }

    /// <summary>Resolves a path to a place in a directory, whatever is there.</summary>
    private static ResolvedPath Place(DirectoryDescriptor from, string path) => PathResolver.Resolve(from.Handle, path, follow: false);

    /// <summary>The status of a place; a path that ends in a slash must be a directory.</summary>
    private static FileStatus Status(in ResolvedPath place)
    {
        FileStatus status = place.Directory.Status(place.Name);
        if (place.IsDirectory && status.Type != FileType.Directory) throw new WasiError(Errno.Notdir);
        return status;
    }

    private static bool Exists(in ResolvedPath place)
    {
        try
        {
            place.Directory.Status(place.Name);
            return true;
        }
        catch (WasiError e) when (e.Errno == Errno.Noent)
        {
            return false;
        }
    }

    private void CreateDirectory(GuestMemory memory, int fd, int path, int length)
    {
        DirectoryDescriptor from = Directory(fd, Rights.PathCreateDirectory);
        using ResolvedPath place = Place(from, memory.Path(path, length));
        if (place.Name == "." || (from.IsReadOnly && Exists(place))) throw new WasiError(Errno.Exist);
        Changed(from);
        place.Directory.CreateDirectory(place.Name);
    }

    private void GetFilestat(GuestMemory memory, int fd, int flags, int path, int length, int result)
    {
        DirectoryDescriptor from = Directory(fd, Rights.PathFilestatGet);
        memory.Window(result, Layouts.FilestatSize(version));
        using ResolvedPath place = Resolve(from, memory.Path(path, length), flags);
        Layouts.WriteFilestat(memory.Window(result, Layouts.FilestatSize(version)), Status(place), version);
    }

    private void SetTimes(GuestMemory memory, int fd, int flags, int path, int length, long accessed, long modified, int timeFlags)
    {
        DirectoryDescriptor from = Directory(fd, Rights.PathFilestatSetTimes);
        NewTimes times = FdFunctions.ToTimes(accessed, modified, timeFlags);
        using ResolvedPath place = Resolve(from, memory.Path(path, length), flags);
        if (place.IsDirectory) Status(place);
        Changed(from);
        place.Directory.SetTimes(place.Name, times);
    }

    private void Link(GuestMemory memory, int fd, int flags, int path, int length, int newFd, int newPath, int newLength)
    {
        DirectoryDescriptor from = Directory(fd, Rights.PathLinkSource), to = Directory(newFd, Rights.PathLinkTarget);
        using ResolvedPath place = Resolve(from, memory.Path(path, length), flags);
        using ResolvedPath target = Place(to, memory.Path(newPath, newLength));
        if (Status(place).Type == FileType.Directory) throw new WasiError(Errno.Perm);
        // A file cannot get a name that says it is a directory. Files of a read-only directory cannot be opened for writing.
        if (target.IsDirectory) throw new WasiError(Exists(target) ? Errno.Exist : Errno.Noent);
        Changed(from);
        Changed(to);
        place.Directory.Link(place.Name, target.Directory, target.Name);
    }

    private void ReadLink(GuestMemory memory, int fd, int path, int length, int buffer, int size, int result)
    {
        DirectoryDescriptor from = Directory(fd, Rights.PathReadlink);
        memory.Expect<int>(result);
        Span<byte> window = memory.Window(buffer, size);
        string name = memory.Path(path, length);
        using ResolvedPath place = Resolve(from, name, 0);
        if (place.Name == "." || place.Directory.ReadLink(place.Name) is not { } content)
        {
            Status(place);
            throw new WasiError(Errno.Inval);
        }
        byte[] bytes = FileNames.Encode(content);
        int count = Math.Min(bytes.Length, window.Length);
        bytes.AsSpan(0, count).CopyTo(window);
        memory.Write(result, count);
    }

    private void RemoveDirectory(GuestMemory memory, int fd, int path, int length)
    {
        DirectoryDescriptor from = Directory(fd, Rights.PathRemoveDirectory);
        using ResolvedPath place = Place(from, memory.Path(path, length));
        if (place.Name == ".") throw new WasiError(Errno.Inval);
        Changed(from);
        place.Directory.RemoveDirectory(place.Name);
    }

    private void Unlink(GuestMemory memory, int fd, int path, int length)
    {
        DirectoryDescriptor from = Directory(fd, Rights.PathUnlinkFile);
        using ResolvedPath place = Place(from, memory.Path(path, length));
        if (place.IsDirectory) throw new WasiError(Status(place).Type == FileType.Directory ? Errno.Isdir : Errno.Notdir);
        Changed(from);
        place.Directory.Unlink(place.Name);
    }

    private void Rename(GuestMemory memory, int fd, int path, int length, int newFd, int newPath, int newLength)
    {
        DirectoryDescriptor from = Directory(fd, Rights.PathRenameSource), to = Directory(newFd, Rights.PathRenameTarget);
        using ResolvedPath place = Place(from, memory.Path(path, length));
        using ResolvedPath target = Place(to, memory.Path(newPath, newLength));
        if (place.Name == "." || target.Name == ".") throw new WasiError(Errno.Busy);
        FileStatus status = Status(place);
        if (target.IsDirectory && status.Type != FileType.Directory) throw new WasiError(Errno.Notdir);
        Changed(from);
        Changed(to);
        place.Directory.Rename(place.Name, target.Directory, target.Name);
    }

    /// <summary>
    /// Makes a link. Its target is not resolved now: following it later is checked like any path. Absolute paths could only lead out.
    /// ever lead out.
    /// </summary>
    private void Symlink(GuestMemory memory, int content, int contentLength, int fd, int path, int length)
    {
        DirectoryDescriptor from = Directory(fd, Rights.PathSymlink);
        string text = memory.Path(content, contentLength);
        if (text.Length == 0) throw new WasiError(Errno.Noent);
        if (PathResolver.IsAbsolute(text)) throw new WasiError(Errno.Notcapable);
        using ResolvedPath place = Place(from, memory.Path(path, length));
        if (place.IsDirectory) throw new WasiError(Exists(place) ? Errno.Exist : Errno.Noent);
        Changed(from);
        place.Directory.Symlink(text, place.Name);
    }

    private void Open(
        GuestMemory memory, int fd, int lookup, int path, int length, int openFlags, long rightsBase, long rightsInheriting, int fdFlags, int result)
    {
        var flags = (OpenFlags)openFlags;
        // Bits that are not rights are ignored: guests ask for "all" with all bits set.
        Rights rights = (Rights)rightsBase & Rights.All, inheriting = (Rights)rightsInheriting & Rights.All;
        DirectoryDescriptor from = Directory(fd, Rights.PathOpen);
        if ((openFlags & ~(int)OpenFlags.All) != 0 || (fdFlags & ~(int)FdFlags.All) != 0) throw new WasiError(Errno.Inval);
        if (flags.HasFlag(OpenFlags.Create | OpenFlags.Directory)) throw new WasiError(Errno.Inval);
        from.Require(NeededToOpen(flags));
        if (((rights | inheriting) & ~from.Inheriting) != 0) throw new WasiError(Errno.Notcapable);
        memory.Expect<int>(result);
        string name = memory.Path(path, length);
        if (name.EndsWith('/') && flags.HasFlag(OpenFlags.Create)) throw new WasiError(Errno.Isdir);

        // A file that must be new is not looked for behind a link.
        using ResolvedPath place = flags.HasFlag(OpenFlags.Create | OpenFlags.Exclusive) ? Place(from, name) : Resolve(from, name, lookup);
        if (place.IsDirectory) flags |= OpenFlags.Directory;
        bool asDirectory = flags.HasFlag(OpenFlags.Directory);
        var mode = new OpenMode((rights & (Rights.FdRead | Rights.FdReaddir)) != 0, (rights & Rights.Writing) != 0, flags, (FdFlags)fdFlags);
        if (asDirectory)
        {
            if ((rights & Rights.FdWrite) != 0) throw new WasiError(Errno.Isdir);
            mode = mode with { Write = false };
        }
        OpenedNode node = from.IsReadOnly ? OpenReadOnly(place, mode) : place.Directory.Open(place.Name, mode);
        memory.Write(result, context.Table.Add(Describe(node, place, from, rights, inheriting, mode.FdFlags)));
    }

    private static Rights NeededToOpen(OpenFlags flags)
    {
        Rights needed = Rights.PathOpen;
        if (flags.HasFlag(OpenFlags.Create)) needed |= Rights.PathCreateFile;
        if (flags.HasFlag(OpenFlags.Truncate)) needed |= Rights.PathFilestatSetSize;
        return needed;
    }

    /// <summary>In a read-only directory, an existing file can still be opened with "create".</summary>
    private static OpenedNode OpenReadOnly(in ResolvedPath place, OpenMode mode)
    {
        bool create = mode.Flags.HasFlag(OpenFlags.Create);
        if (create && mode.Flags.HasFlag(OpenFlags.Exclusive) && Exists(place)) throw new WasiError(Errno.Exist);
        if (mode.Write || mode.Flags.HasFlag(OpenFlags.Truncate) || (create && !Exists(place))) throw new WasiError(Errno.Rofs);
        return place.Directory.Open(place.Name, mode with { Flags = mode.Flags & ~(OpenFlags.Create | OpenFlags.Exclusive) });
    }

    private static Descriptor Describe(
        in OpenedNode node, in ResolvedPath place, DirectoryDescriptor from, Rights rights, Rights inheriting, FdFlags flags)
    {
        if (node.File is { } file) return new FileDescriptor(file, rights, flags) { IsReadOnly = from.IsReadOnly };
        if (node.Device is { } device)
            return new DeviceDescriptor(device, device.Status().Type, rights, flags) { IsReadOnly = from.IsReadOnly };
        return new DirectoryDescriptor(node.Directory!, rights, inheriting)
        {
            IsReadOnly = from.IsReadOnly,
            ParentInode = place.Name == "." ? null : place.Directory.Status().Inode,
        };
    }
}
