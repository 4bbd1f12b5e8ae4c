namespace WasmJit.Wasi;

/// <summary>
/// What guests can do with paths, whatever version of WASI they speak: each path is resolved from a directory that the guest has, and never leaves it.
/// </summary>
internal static class PathOperations
{
    /// <summary>A directory in which something is to be changed.</summary>
    private static DirectoryDescriptor Changed(DirectoryDescriptor directory) =>
        directory.IsReadOnly ? throw new WasiError(Errno.Rofs) : directory;

    /// <summary>Resolves a path to what it stands for: a slash at its end follows a link as the flag does.</summary>
    private static ResolvedPath Resolve(DirectoryDescriptor from, string path, bool follow) =>
        PathResolver.Resolve(from.Handle, path, follow || path.EndsWith('/'));

    /// <summary>Resolves a path to a place in a directory, whatever is there.</summary>
    private static ResolvedPath Place(DirectoryDescriptor from, string path) => PathResolver.Resolve(from.Handle, path, follow: false);

    /// <summary>The status of a place; a path that ends in a slash must be a directory.</summary>
    private static FileStatus Status(in ResolvedPath place)
    {
        FileStatus status = place.Directory.Status(place.Name);
        if (place.IsDirectory && status.Type != FileType.Directory) throw new WasiError(Errno.Notdir);
        return status;
    }

    private static bool Exists(in ResolvedPath place) => place.Directory.Find(place.Name) is not null;

    internal static void CreateDirectory(DirectoryDescriptor from, string path)
    {
        using ResolvedPath place = Place(from, path);
        if (place.Name == "." || (from.IsReadOnly && Exists(place))) throw new WasiError(Errno.Exist);
        Changed(from);
        place.Directory.CreateDirectory(place.Name);
    }

    internal static FileStatus Status(DirectoryDescriptor from, string path, bool follow)
    {
        using ResolvedPath place = Resolve(from, path, follow);
        return Status(place);
    }

    internal static void SetTimes(DirectoryDescriptor from, string path, bool follow, NewTimes times)
    {
        using ResolvedPath place = Resolve(from, path, follow);
        if (place.IsDirectory) Status(place);
        Changed(from);
        place.Directory.SetTimes(place.Name, times);
    }

    internal static void Link(DirectoryDescriptor from, string path, bool follow, DirectoryDescriptor to, string newPath)
    {
        using ResolvedPath place = Resolve(from, path, follow);
        using ResolvedPath target = Place(to, newPath);
        if (Status(place).Type == FileType.Directory) throw new WasiError(Errno.Perm);
        // A file cannot get a name that says it is a directory. Files of a read-only directory cannot be opened for writing.
        if (target.IsDirectory) throw new WasiError(Exists(target) ? Errno.Exist : Errno.Noent);
        Changed(from);
        Changed(to);
        place.Directory.Link(place.Name, target.Directory, target.Name);
    }

    /// <summary>The content of a link.</summary>
    internal static string ReadLink(DirectoryDescriptor from, string path)
    {
        using ResolvedPath place = Resolve(from, path, follow: false);
        if (place.Name != "." && place.Directory.ReadLink(place.Name) is { } content) return content;
        Status(place);
        throw new WasiError(Errno.Inval);
    }

    internal static void RemoveDirectory(DirectoryDescriptor from, string path)
    {
        using ResolvedPath place = Place(from, path);
        if (place.Name == ".") throw new WasiError(Errno.Inval);
        Changed(from);
        place.Directory.RemoveDirectory(place.Name);
    }

    internal static void Unlink(DirectoryDescriptor from, string path)
    {
        using ResolvedPath place = Place(from, path);
        if (place.IsDirectory) throw new WasiError(Status(place).Type == FileType.Directory ? Errno.Isdir : Errno.Notdir);
        Changed(from);
        place.Directory.Unlink(place.Name);
    }

    internal static void Rename(DirectoryDescriptor from, string path, DirectoryDescriptor to, string newPath)
    {
        using ResolvedPath place = Place(from, path);
        using ResolvedPath target = Place(to, newPath);
        if (place.Name == "." || target.Name == ".") throw new WasiError(Errno.Busy);
        FileStatus status = Status(place);
        if (target.IsDirectory && status.Type != FileType.Directory) throw new WasiError(Errno.Notdir);
        Changed(from);
        Changed(to);
        place.Directory.Rename(place.Name, target.Directory, target.Name);
    }

    /// <summary>
    /// Makes a link. Its target is not resolved now: following it later is checked like any path. Absolute paths could only lead out.
    /// </summary>
    internal static void Symlink(DirectoryDescriptor from, string content, string path)
    {
        if (content.Length == 0) throw new WasiError(Errno.Noent);
        if (PathResolver.IsAbsolute(content)) throw new WasiError(Errno.Notcapable);
        using ResolvedPath place = Place(from, path);
        if (place.IsDirectory) throw new WasiError(Exists(place) ? Errno.Exist : Errno.Noent);
        Changed(from);
        place.Directory.Symlink(content, place.Name);
    }

    /// <summary>Opens what a path stands for, or makes a file. The caller has checked the rights against those of the directory.</summary>
    internal static Descriptor Open(DirectoryDescriptor from, string path, bool follow, OpenFlags flags, Rights rights, Rights inheriting, FdFlags fdFlags)
    {
        if (flags.HasFlag(OpenFlags.Create | OpenFlags.Directory)) throw new WasiError(Errno.Inval);
        if (path.EndsWith('/') && flags.HasFlag(OpenFlags.Create)) throw new WasiError(Errno.Isdir);
        // A file that must be new is not looked for behind a link.
        using ResolvedPath place = flags.HasFlag(OpenFlags.Create | OpenFlags.Exclusive) ? Place(from, path) : Resolve(from, path, follow);
        if (place.IsDirectory) flags |= OpenFlags.Directory;
        bool asDirectory = flags.HasFlag(OpenFlags.Directory);
        var mode = new OpenMode((rights & (Rights.FdRead | Rights.FdReaddir)) != 0, (rights & Rights.Writing) != 0, flags, fdFlags);
        if (asDirectory)
        {
            if ((rights & Rights.FdWrite) != 0) throw new WasiError(Errno.Isdir);
            mode = mode with { Write = false };
        }
        OpenedNode node = from.IsReadOnly ? OpenReadOnly(place, mode) : place.Directory.Open(place.Name, mode);
        return Describe(node, place, from, rights, inheriting, mode.FdFlags);
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
