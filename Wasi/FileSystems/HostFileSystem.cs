using WasmJit.Wasi;

namespace WasmJit;

/// <summary>
/// A directory of the host, to read only: what an <see cref="OverlayFileSystem"/> can lie over. Links in it are links to the guest, and never lead out. To
/// let a guest write into a directory, give it as a <see cref="WasiDirectory"/>.
/// </summary>
public sealed class HostFileSystem : IWasiFileSystem, IDisposable
{
    private readonly HostDirectory root;

    /// <summary>Opens a directory.</summary>
    /// <param name="path">The directory on the host.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such directory.</exception>
    public HostFileSystem(string path)
    {
        DirectoryHandle handle = DirectoryHandle.OpenHost(path);
        root = new HostDirectory(handle, handle.Status());
    }

    /// <inheritdoc/>
    public IWasiDirectory Root => root;

    /// <inheritdoc/>
    public bool IsReadOnly => true;

    /// <summary>Closes the directory. Without this the garbage collector does it.</summary>
    public void Dispose() => root.Handle.Dispose();

    /// <param name="status">Its status, as it was when it was found; of a file what changes is asked for anew.</param>
    private abstract class HostNode(FileStatus status) : IWasiNode
    {
        public ulong Id => status.Inode;

        public DateTimeOffset Accessed => ToTime(status.Accessed);

        public DateTimeOffset Modified => ToTime(status.Modified);

        public int Links => (int)Math.Min(status.Links, int.MaxValue);

        public void SetTimes(DateTimeOffset? accessed, DateTimeOffset? modified) => throw new WasiFileException(WasiFileError.ReadOnly);

        private static DateTimeOffset ToTime(ulong nanoseconds) => DateTimeOffset.UnixEpoch.AddTicks((long)Math.Min(nanoseconds / 100, (ulong)(DateTimeOffset.MaxValue.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks)));
    }

    private sealed class HostDirectory(DirectoryHandle handle, FileStatus status) : HostNode(status), IWasiDirectory
    {
        internal DirectoryHandle Handle => handle;

        public IWasiNode? Find(string name)
        {
            if (handle.Find(name) is not { } found) return null;
            return found.Type switch
            {
                FileType.Directory when handle.OpenDirectory(name) is { } directory => new HostDirectory(directory, found),
                FileType.SymbolicLink when handle.ReadLink(name) is { } target => new HostLink(target, found),
                FileType.RegularFile => new HostFile(handle, name, found),
                // Pipes and devices cannot be copied.
                _ => null,
            };
        }

        public IReadOnlyList<KeyValuePair<string, IWasiNode>> List()
        {
            var entries = new List<KeyValuePair<string, IWasiNode>>();
            foreach (DirectoryEntry entry in handle.List().OrderBy(e => e.Name, StringComparer.Ordinal))
                if (Find(entry.Name) is { } node) entries.Add(new(entry.Name, node));
            return entries;
        }

        private static WasiFileException ReadOnly => new(WasiFileError.ReadOnly);

        public IWasiFile CreateFile(string name) => throw ReadOnly;

        public IWasiDirectory CreateDirectory(string name) => throw ReadOnly;

        public void CreateLink(string name, string target) => throw ReadOnly;

        public void Add(string name, IWasiNode node) => throw ReadOnly;

        public void Remove(string name) => throw ReadOnly;

        public void Move(string name, IWasiDirectory target, string newName) => throw ReadOnly;
    }

    private sealed class HostLink(string target, FileStatus status) : HostNode(status), IWasiLink
    {
        public string Target => target;
    }

    /// <summary>A file, which is opened when it is first read.</summary>
    private sealed class HostFile(DirectoryHandle directory, string name, FileStatus status) : HostNode(status), IWasiFile
    {
        private readonly Lock gate = new();
        private FileHandle? file;

        private FileHandle File
        {
            get
            {
                lock (gate)
                {
                    if (file is not null) return file;
                    OpenedNode node = directory.Open(name, new OpenMode(Read: true, Write: false, OpenFlags.None, FdFlags.None));
                    node.Directory?.Dispose();
                    node.Device?.Dispose();
                    return file = node.File ?? throw new WasiFileException(WasiFileError.NotFound);
                }
            }
        }

        public long Length
        {
            get
            {
                lock (gate) return file?.Length ?? (long)directory.Status(name).Size;
            }
        }

        public int Read(long offset, Span<byte> buffer)
        {
            int total = 0;
            for (int count; total < buffer.Length && (count = File.Read(buffer[total..], offset + total)) > 0;) total += count;
            return total;
        }

        public void Write(long offset, ReadOnlySpan<byte> bytes) => throw new WasiFileException(WasiFileError.ReadOnly);

        public void SetLength(long length) => throw new WasiFileException(WasiFileError.ReadOnly);
    }
}
