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
    public HostFileSystem(string path) => root = new HostDirectory(DirectoryHandle.OpenHost(path), null);

    /// <inheritdoc/>
    public IWasiDirectory Root => root;

    /// <inheritdoc/>
    public bool IsReadOnly => true;

    /// <summary>Closes the directory. Without this the garbage collector does it.</summary>
    public void Dispose() => root.Handle.Dispose();

    private abstract class HostNode(FileStatus? known) : IWasiNode
    {
        private FileStatus? known = known;

        protected abstract FileStatus Ask();

        /// <summary>Its status, as it was when it was found; of a file what changes is asked for anew.</summary>
        protected FileStatus Status => known ??= Ask();

        public ulong Id => Status.Inode;

        public DateTimeOffset Accessed => ToTime(Status.Accessed);

        public DateTimeOffset Modified => ToTime(Status.Modified);

        public int Links => (int)Math.Min(Status.Links, int.MaxValue);

        public void SetTimes(DateTimeOffset? accessed, DateTimeOffset? modified) => throw new WasiFileException(WasiFileError.ReadOnly);

        private static DateTimeOffset ToTime(ulong nanoseconds) => DateTimeOffset.UnixEpoch.AddTicks((long)Math.Min(nanoseconds / 100, (ulong)(DateTimeOffset.MaxValue.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks)));
    }

    private sealed class HostDirectory(DirectoryHandle handle, FileStatus? known) : HostNode(known), IWasiDirectory
    {
        internal DirectoryHandle Handle => handle;

        protected override FileStatus Ask() => handle.Status();

        public IWasiNode? Find(string name)
        {
            if (handle.Find(name) is not { } status) return null;
            return status.Type switch
            {
                FileType.Directory when handle.OpenDirectory(name) is { } directory => new HostDirectory(directory, status),
                FileType.SymbolicLink when handle.ReadLink(name) is { } target => new HostLink(target, status),
                FileType.RegularFile => new HostFile(handle, name, status),
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

    private sealed class HostLink(string target, FileStatus known) : HostNode(known), IWasiLink
    {
        public string Target => target;

        protected override FileStatus Ask() => default;
    }

    /// <summary>A file, which is opened when it is first read.</summary>
    private sealed class HostFile(DirectoryHandle directory, string name, FileStatus known) : HostNode(known), IWasiFile
    {
        private readonly Lock gate = new();
        private FileHandle? file;

        protected override FileStatus Ask() => directory.Status(name);

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
