namespace WasmJit.Wasi;

/// <summary>A directory of an <see cref="IWasiFileSystem"/> as the functions on paths see it.</summary>
internal sealed class VirtualDirectory(IWasiFileSystem system, IWasiDirectory directory) : DirectoryHandle
{
    /// <summary>The number by which a guest tells these file systems from the host's.</summary>
    private const ulong Device = 0x776a;

    internal override DirectoryHandle? OpenDirectory(string name) => directory.Find(name) is IWasiDirectory found ? new VirtualDirectory(system, found) : null;

    internal override string? ReadLink(string name) => (directory.Find(name) as IWasiLink)?.Target;

    private IWasiNode Node(string name) => name == "." ? directory : directory.Find(name) ?? throw new WasiError(Errno.Noent);

    internal override OpenedNode Open(string name, OpenMode mode)
    {
        bool create = mode.Flags.HasFlag(OpenFlags.Create), truncates = mode.Flags.HasFlag(OpenFlags.Truncate), asDirectory = mode.Flags.HasFlag(OpenFlags.Directory);
        IWasiNode? node = name == "." ? directory : directory.Find(name);
        if (node is not null && create && mode.Flags.HasFlag(OpenFlags.Exclusive)) throw new WasiError(Errno.Exist);
        switch (node)
        {
            case IWasiLink: throw new WasiError(asDirectory ? Errno.Notdir : Errno.Loop);
            case IWasiDirectory found:
                if (mode.Write || create || truncates) throw new WasiError(Errno.Isdir);
                return new OpenedNode(new VirtualDirectory(system, found), null, null);
            case null when !create: throw new WasiError(Errno.Noent);
        }
        if (node is null || mode.Write || truncates) RequireWritable();
        if (asDirectory) throw new WasiError(Errno.Notdir);
        IWasiFile file = node is null ? Create(name, mode) : (IWasiFile)node;
        if (truncates && node is not null) file.SetLength(0);
        return new OpenedNode(null, new VirtualFile(file), null);
    }

    /// <summary>Another thread may make the file at the same time. Then it is the one that was asked for, unless it must be new.</summary>
    private IWasiFile Create(string name, OpenMode mode)
    {
        try
        {
            return directory.CreateFile(name);
        }
        catch (WasiFileException e) when (e.Error == WasiFileError.Exists && !mode.Flags.HasFlag(OpenFlags.Exclusive) && directory.Find(name) is IWasiFile)
        {
            return (IWasiFile)directory.Find(name)!;
        }
    }

    private void RequireWritable()
    {
        if (system.IsReadOnly) throw new WasiError(Errno.Rofs);
    }

    internal override FileStatus Status(string name) => StatusOf(Node(name));

    internal override FileStatus Status() => StatusOf(directory);

    internal static FileStatus StatusOf(IWasiNode node)
    {
        (FileType type, ulong size) = node switch
        {
            IWasiDirectory => (FileType.Directory, 0UL),
            IWasiLink link => (FileType.SymbolicLink, (ulong)FileNames.Encode(link.Target).Length),
            _ => (FileType.RegularFile, (ulong)((IWasiFile)node).Length),
        };
        ulong modified = ToNanoseconds(node.Modified);
        return new FileStatus(Device, node.Id, type, (ulong)node.Links, size, ToNanoseconds(node.Accessed), modified, modified);
    }

    private static ulong ToNanoseconds(DateTimeOffset time) => PortableDirectory.ToNanoseconds(time.UtcDateTime);

    internal override void SetTimes(string name, NewTimes times)
    {
        RequireWritable();
        SetTimes(Node(name), times);
    }

    internal override void SetTimes(NewTimes times)
    {
        RequireWritable();
        SetTimes(directory, times);
    }

    internal static void SetTimes(IWasiNode node, NewTimes times)
    {
        // Files in memory have a clock of their own, so that a run can be repeated.
        DateTimeOffset now = node is MemoryNode own ? own.Now : DateTimeOffset.UtcNow;
        node.SetTimes(
            times.Flags.HasFlag(TimeFlags.AccessNow) ? now : times.Flags.HasFlag(TimeFlags.Access) ? ToTime(times.Accessed) : null,
            times.Flags.HasFlag(TimeFlags.ModificationNow) ? now : times.Flags.HasFlag(TimeFlags.Modification) ? ToTime(times.Modified) : null);
    }

    private static DateTimeOffset ToTime(ulong nanoseconds) => new(PortableDirectory.ToTime(nanoseconds));

    internal override void CreateDirectory(string name)
    {
        RequireWritable();
        directory.CreateDirectory(name);
    }

    internal override void RemoveDirectory(string name)
    {
        if (name == ".") throw new WasiError(Errno.Inval);
        if (Node(name) is not IWasiDirectory) throw new WasiError(Errno.Notdir);
        RequireWritable();
        directory.Remove(name);
    }

    internal override void Unlink(string name)
    {
        if (Node(name) is IWasiDirectory) throw new WasiError(Errno.Isdir);
        RequireWritable();
        directory.Remove(name);
    }

    internal override void Rename(string name, DirectoryHandle target, string newName)
    {
        if (name == "." || newName == ".") throw new WasiError(Errno.Busy);
        Node(name);
        VirtualDirectory to = Same(target);
        RequireWritable();
        directory.Move(name, to.Entries, newName);
    }

    internal override void Link(string name, DirectoryHandle target, string newName)
    {
        IWasiNode node = Node(name);
        if (node is IWasiDirectory) throw new WasiError(Errno.Perm);
        VirtualDirectory to = Same(target);
        RequireWritable();
        to.Entries.Add(newName, node);
    }

    /// <summary>Another directory of the file system; no entry goes from one file system to another.</summary>
    private VirtualDirectory Same(DirectoryHandle other) =>
        other is VirtualDirectory found && ReferenceEquals(found.System, system) ? found : throw new WasiError(Errno.Xdev);

    private IWasiFileSystem System => system;

    private IWasiDirectory Entries => directory;

    internal override void Symlink(string content, string name)
    {
        RequireWritable();
        directory.CreateLink(name, content);
    }

    internal override List<DirectoryEntry> List() => [.. directory.List().Select(entry => new DirectoryEntry(entry.Key, entry.Value.Id, TypeOf(entry.Value)))];

    private static FileType TypeOf(IWasiNode node) => node switch
    {
        IWasiDirectory => FileType.Directory,
        IWasiLink => FileType.SymbolicLink,
        _ => FileType.RegularFile,
    };

    internal override void Sync()
    {
    }

    public override void Dispose()
    {
    }
}

/// <summary>A file of an <see cref="IWasiFileSystem"/>.</summary>
internal sealed class VirtualFile : FileHandle
{
    private readonly IWasiFile file;
    private bool isClosed;

    internal VirtualFile(IWasiFile file)
    {
        this.file = file;
        (file as MemoryFile)?.Open();
    }

    internal override long Length => file.Length;

    internal override FileStatus Status() => VirtualDirectory.StatusOf(file);

    internal override void SetTimes(NewTimes times) => VirtualDirectory.SetTimes(file, times);

    internal override int Read(Span<byte> buffer, long offset) => file.Read(offset, buffer);

    internal override void Write(ReadOnlySpan<byte> bytes, long offset) => file.Write(offset, bytes);

    internal override void SetSize(long size) => file.SetLength(size);

    internal override void Allocate(long offset, long length)
    {
        if (file.Length < offset + length) file.SetLength(offset + length);
    }

    internal override void Advise(long offset, long length, Advice advice)
    {
    }

    /// <summary>Each write looks for the end itself.</summary>
    internal override void SetAppend(bool append)
    {
    }

    internal override void Sync()
    {
    }

    public override void Dispose()
    {
        if (!Interlocked.Exchange(ref isClosed, true)) (file as MemoryFile)?.Close();
    }
}
