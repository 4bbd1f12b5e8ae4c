namespace WasmJit.Wasi;

/// <summary>
/// A directory: the beginning of paths, which never lead out of it. Its entries are listed once, when reading begins. A cookie is a place in that
/// list and means the same entry however the directory changes meanwhile.
/// </summary>
internal sealed class DirectoryDescriptor : Descriptor
{
    private readonly Lock gate = new();
    private List<DirectoryEntry>? entries;

    /// <param name="handle">The directory.</param>
    /// <param name="rights">The rights for it.</param>
    /// <param name="inheriting">The rights for files that are opened from it.</param>
    internal DirectoryDescriptor(DirectoryHandle handle, Rights rights, Rights inheriting)
        : base(FileType.Directory, rights & Rights.Directory, inheriting)
    {
        Handle = handle;
    }

    internal DirectoryHandle Handle { get; }

    /// <summary>The number of the directory above; its own if the guest may not see that one.</summary>
    internal ulong? ParentInode { get; init; }

    /// <summary>Its entries from a cookie on; 0 lists the directory anew.</summary>
    internal ReadOnlySpan<DirectoryEntry> Entries(ulong cookie)
    {
        lock (gate)
        {
            if (entries is null || cookie == 0)
            {
                ulong own = Handle.Status().Inode;
                entries =
                [
                    new DirectoryEntry(".", own, FileType.Directory),
                    new DirectoryEntry("..", ParentInode ?? own, FileType.Directory),
                    .. Handle.List(),
                ];
            }
            List<DirectoryEntry> list = entries;
            return cookie >= (ulong)list.Count ? [] : System.Runtime.InteropServices.CollectionsMarshal.AsSpan(list)[(int)cookie..];
        }
    }

    internal override FileStatus Status() => Handle.Status();

    internal override void SetTimes(NewTimes times) => Handle.SetTimes(times);

    internal override void Sync() => Handle.Sync();

    internal override Readiness Poll(bool forWriting) => throw new WasiError(Errno.Badf);

    internal override void Close() => Handle.Dispose();
}
