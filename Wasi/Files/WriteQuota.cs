namespace WasmJit.Wasi;

/// <summary>How much a guest may still write: bytes of files and streams, and what entries of directories cost.</summary>
internal sealed class WriteQuota(long most)
{
    /// <summary>What a new file, directory or link costs: about what a file system of the host uses for it.</summary>
    internal const long Entry = 4096;

    private long left = most;

    /// <summary>The quota that options ask for; null without a limit.</summary>
    internal static WriteQuota? Of(WasiOptions options) => options.MaximumWrittenBytes == long.MaxValue ? null : new WriteQuota(options.MaximumWrittenBytes);

    /// <summary>Takes bytes.</summary>
    /// <exception cref="WasiError">So many are not left: <c>nospc</c>, and nothing has been taken.</exception>
    internal void Take(long bytes)
    {
        if (bytes <= 0) return;
        while (true)
        {
            long now = Interlocked.Read(ref left);
            if (bytes > now) throw new WasiError(Errno.Nospc);
            if (Interlocked.CompareExchange(ref left, now - bytes, now) == now) return;
        }
    }
}

/// <summary>A directory in which a guest may only write so much.</summary>
internal sealed class MeteredDirectory(DirectoryHandle inner, WriteQuota quota) : DirectoryHandle
{
    internal override DirectoryHandle? OpenDirectory(string name) => inner.OpenDirectory(name) is { } found ? new MeteredDirectory(found, quota) : null;

    internal override string? ReadLink(string name) => inner.ReadLink(name);

    internal override OpenedNode Open(string name, OpenMode mode)
    {
        if (mode.Flags.HasFlag(OpenFlags.Create) && inner.Find(name) is null) quota.Take(WriteQuota.Entry);
        OpenedNode node = inner.Open(name, mode);
        return node with
        {
            Directory = node.Directory is { } directory ? new MeteredDirectory(directory, quota) : null,
            File = node.File is { } file ? new MeteredFile(file, quota) : null,
        };
    }

    internal override FileStatus Status(string name) => inner.Status(name);

    internal override void SetTimes(string name, NewTimes times) => inner.SetTimes(name, times);

    internal override void CreateDirectory(string name)
    {
        quota.Take(WriteQuota.Entry);
        inner.CreateDirectory(name);
    }

    internal override void RemoveDirectory(string name) => inner.RemoveDirectory(name);

    internal override void Unlink(string name) => inner.Unlink(name);

    internal override void Rename(string name, DirectoryHandle target, string newName) => inner.Rename(name, Inner(target), newName);

    internal override void Link(string name, DirectoryHandle target, string newName)
    {
        quota.Take(WriteQuota.Entry);
        inner.Link(name, Inner(target), newName);
    }

    internal override void Symlink(string content, string name)
    {
        quota.Take(WriteQuota.Entry);
        inner.Symlink(content, name);
    }

    private static DirectoryHandle Inner(DirectoryHandle directory) => directory is MeteredDirectory metered ? metered.Wrapped : directory;

    private DirectoryHandle Wrapped => inner;

    internal override List<DirectoryEntry> List() => inner.List();

    internal override FileStatus Status() => inner.Status();

    internal override void SetTimes(NewTimes times) => inner.SetTimes(times);

    internal override void Sync() => inner.Sync();

    public override void Dispose() => inner.Dispose();
}

/// <summary>A file of which a guest may only write so much. Bytes count whenever they are written, and those that make the file longer without.</summary>
internal sealed class MeteredFile(FileHandle inner, WriteQuota quota) : FileHandle
{
    internal override long Length => inner.Length;

    internal override FileStatus Status() => inner.Status();

    internal override void SetTimes(NewTimes times) => inner.SetTimes(times);

    internal override int Read(Span<byte> buffer, long offset) => inner.Read(buffer, offset);

    internal override void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        quota.Take(bytes.Length);
        inner.Write(bytes, offset);
    }

    internal override void SetSize(long size)
    {
        quota.Take(size - inner.Length);
        inner.SetSize(size);
    }

    internal override void Allocate(long offset, long length)
    {
        quota.Take(length);
        inner.Allocate(offset, length);
    }

    internal override void Advise(long offset, long length, Advice advice) => inner.Advise(offset, length, advice);

    internal override void SetAppend(bool append) => inner.SetAppend(append);

    internal override void Sync() => inner.Sync();

    public override void Dispose() => inner.Dispose();
}
