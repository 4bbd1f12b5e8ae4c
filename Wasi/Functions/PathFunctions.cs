namespace WasmJit.Wasi;

/// <summary>The functions on paths, over <see cref="PathOperations"/>.</summary>
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

    private static bool Follows(int flags) => (flags & ~FollowFlag) == 0 ? flags == FollowFlag : throw new WasiError(Errno.Inval);

    private void CreateDirectory(GuestMemory memory, int fd, int path, int length) =>
        PathOperations.CreateDirectory(Directory(fd, Rights.PathCreateDirectory), memory.Path(path, length));

    private void GetFilestat(GuestMemory memory, int fd, int flags, int path, int length, int result)
    {
        DirectoryDescriptor from = Directory(fd, Rights.PathFilestatGet);
        memory.Window(result, Layouts.FilestatSize(version));
        FileStatus status = PathOperations.Status(from, memory.Path(path, length), Follows(flags));
        Layouts.WriteFilestat(memory.Window(result, Layouts.FilestatSize(version)), status, version);
    }

    private void SetTimes(GuestMemory memory, int fd, int flags, int path, int length, long accessed, long modified, int timeFlags)
    {
        DirectoryDescriptor from = Directory(fd, Rights.PathFilestatSetTimes);
        NewTimes times = FdFunctions.ToTimes(accessed, modified, timeFlags);
        PathOperations.SetTimes(from, memory.Path(path, length), Follows(flags), times);
    }

    private void Link(GuestMemory memory, int fd, int flags, int path, int length, int newFd, int newPath, int newLength)
    {
        DirectoryDescriptor from = Directory(fd, Rights.PathLinkSource), to = Directory(newFd, Rights.PathLinkTarget);
        PathOperations.Link(from, memory.Path(path, length), Follows(flags), to, memory.Path(newPath, newLength));
    }

    private void ReadLink(GuestMemory memory, int fd, int path, int length, int buffer, int size, int result)
    {
        DirectoryDescriptor from = Directory(fd, Rights.PathReadlink);
        memory.Expect<int>(result);
        Span<byte> window = memory.Window(buffer, size);
        byte[] bytes = FileNames.Encode(PathOperations.ReadLink(from, memory.Path(path, length)));
        int count = Math.Min(bytes.Length, window.Length);
        bytes.AsSpan(0, count).CopyTo(window);
        memory.Write(result, count);
    }

    private void RemoveDirectory(GuestMemory memory, int fd, int path, int length) =>
        PathOperations.RemoveDirectory(Directory(fd, Rights.PathRemoveDirectory), memory.Path(path, length));

    private void Unlink(GuestMemory memory, int fd, int path, int length) =>
        PathOperations.Unlink(Directory(fd, Rights.PathUnlinkFile), memory.Path(path, length));

    private void Rename(GuestMemory memory, int fd, int path, int length, int newFd, int newPath, int newLength)
    {
        DirectoryDescriptor from = Directory(fd, Rights.PathRenameSource), to = Directory(newFd, Rights.PathRenameTarget);
        PathOperations.Rename(from, memory.Path(path, length), to, memory.Path(newPath, newLength));
    }

    private void Symlink(GuestMemory memory, int content, int contentLength, int fd, int path, int length)
    {
        DirectoryDescriptor from = Directory(fd, Rights.PathSymlink);
        PathOperations.Symlink(from, memory.Path(content, contentLength), memory.Path(path, length));
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
        Descriptor opened = PathOperations.Open(from, memory.Path(path, length), Follows(lookup), flags, rights, inheriting, (FdFlags)fdFlags);
        memory.Write(result, context.Table.Add(opened));
    }

    private static Rights NeededToOpen(OpenFlags flags)
    {
        Rights needed = Rights.PathOpen;
        if (flags.HasFlag(OpenFlags.Create)) needed |= Rights.PathCreateFile;
        if (flags.HasFlag(OpenFlags.Truncate)) needed |= Rights.PathFilestatSetSize;
        return needed;
    }
}
