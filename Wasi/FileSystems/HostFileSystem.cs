using WasmJit.Wasi;

namespace WasmJit;

/// <summary>
/// A directory of the host, to read only: what an <see cref="OverlayFileSystem"/> can lie over. Links in it are links to the guest, and never lead out. To
/// let a guest write into a directory, give it as a <see cref="WasiDirectory"/>.
/// </summary>
public sealed class HostFileSystem : IWasiFileSystem, IDisposable
{
    private readonly HostDirectory root;
    private readonly OpenNodes open = new();

    /// <summary>Opens a directory.</summary>
    /// <param name="path">The directory on the host.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such directory.</exception>
    public HostFileSystem(string path)
    {
        DirectoryHandle handle = DirectoryHandle.OpenHost(path);
        root = new HostDirectory(open, null, "", handle.Status()) { Handle = handle };
    }

    /// <inheritdoc/>
    public IWasiDirectory Root => root;

    /// <inheritdoc/>
    public bool IsReadOnly => true;

    /// <summary>Closes the directory. Without this the garbage collector does it.</summary>
    public void Dispose()
    {
        open.Dispose();
        root.Handle!.Dispose();
    }

    /// <summary>
    /// The files and directories that are open: a guest may look at any number, and the process has room for some. What was used longest ago is closed, and
    /// opened again from its directory when it is needed.
    /// </summary>
    private sealed class OpenNodes : IDisposable
    {
        private const int Most = 100;

        private readonly Lock gate = new();
        private readonly LinkedList<HostNode> order = new();
        private bool isDisposed;

        /// <summary>What a node is open as, until the lease ends.</summary>
        internal Lease<T> Use<T>(HostNode<T> node)
            where T : class, IDisposable
        {
            lock (gate)
            {
                ObjectDisposedException.ThrowIf(isDisposed, typeof(HostFileSystem));
                if (node.Handle is null)
                {
                    node.Handle = node.Open();
                    order.AddFirst(node.Place);
                    node.Users++;
                    CloseSome();
                }
                else
                {
                    if (node.Place.List is not null)
                    {
                        order.Remove(node.Place);
                        order.AddFirst(node.Place);
                    }
                    node.Users++;
                }
                return new Lease<T>(this, node, node.Handle);
            }
        }

        /// <summary>Whether a node is open now.</summary>
        internal bool IsOpen<T>(HostNode<T> node)
            where T : class, IDisposable
        {
            lock (gate) return node.Handle is not null;
        }

        private void CloseSome()
        {
            for (LinkedListNode<HostNode>? place = order.Last; place is not null && order.Count > Most;)
            {
                LinkedListNode<HostNode>? before = place.Previous;
                if (place.Value.Users == 0)
                {
                    order.Remove(place);
                    place.Value.Close();
                }
                place = before;
            }
        }

        internal void End(HostNode node)
        {
            lock (gate) node.Users--;
        }

        public void Dispose()
        {
            lock (gate)
            {
                isDisposed = true;
                foreach (HostNode node in order) node.Close();
                order.Clear();
            }
        }
    }

    /// <summary>The use of what is open.</summary>
    private readonly struct Lease<T>(OpenNodes open, HostNode node, T handle) : IDisposable
    {
        internal T Handle => handle;

        /// <inheritdoc/>
        public void Dispose() => open.End(node);
    }

    /// <param name="status">Its status, as it was when it was found; of a file what changes is asked for anew.</param>
    private abstract class HostNode(FileStatus status) : IWasiNode
    {
        private LinkedListNode<HostNode>? place;

        /// <summary>Its place among those that are open.</summary>
        internal LinkedListNode<HostNode> Place => place ??= new(this);

        /// <summary>How many use what is open.</summary>
        internal int Users { get; set; }

        internal virtual void Close()
        {
        }

        public ulong Id => status.Inode;

        public DateTimeOffset Accessed => ToTime(status.Accessed);

        public DateTimeOffset Modified => ToTime(status.Modified);

        public int Links => (int)Math.Min(status.Links, int.MaxValue);

        public void SetTimes(DateTimeOffset? accessed, DateTimeOffset? modified) => throw new WasiFileException(WasiFileError.ReadOnly);

        private static DateTimeOffset ToTime(ulong nanoseconds) => DateTimeOffset.UnixEpoch.AddTicks((long)Math.Min(nanoseconds / 100, (ulong)(DateTimeOffset.MaxValue.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks)));
    }

    /// <summary>A node that can be opened, from its directory.</summary>
    private abstract class HostNode<T>(FileStatus status) : HostNode(status)
        where T : class, IDisposable
    {
        /// <summary>What it is open as; null if it is not.</summary>
        internal T? Handle { get; set; }

        internal abstract T Open();

        internal override void Close()
        {
            Handle?.Dispose();
            Handle = null;
        }
    }

    private sealed class HostDirectory(OpenNodes open, HostDirectory? parent, string name, FileStatus status) : HostNode<DirectoryHandle>(status), IWasiDirectory
    {
        internal override DirectoryHandle Open()
        {
            using Lease<DirectoryHandle> above = open.Use(parent!);
            return above.Handle.OpenDirectory(name) ?? throw new WasiFileException(WasiFileError.NotFound);
        }

        public IWasiNode? Find(string name)
        {
            using Lease<DirectoryHandle> own = open.Use(this);
            return Find(own.Handle, name);
        }

        private IWasiNode? Find(DirectoryHandle handle, string name)
        {
            if (handle.Find(name) is not { } found) return null;
            return found.Type switch
            {
                FileType.Directory => new HostDirectory(open, this, name, found),
                FileType.SymbolicLink when handle.ReadLink(name) is { } target => new HostLink(target, found),
                FileType.RegularFile => new HostFile(open, this, name, found),
                // Pipes and devices cannot be copied.
                _ => null,
            };
        }

        public IReadOnlyList<KeyValuePair<string, IWasiNode>> List()
        {
            using Lease<DirectoryHandle> own = open.Use(this);
            var entries = new List<KeyValuePair<string, IWasiNode>>();
            foreach (DirectoryEntry entry in own.Handle.List().OrderBy(e => e.Name, StringComparer.Ordinal))
                if (Find(own.Handle, entry.Name) is { } node) entries.Add(new(entry.Name, node));
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

    /// <summary>A file, which is opened when it is read.</summary>
    private sealed class HostFile(OpenNodes open, HostDirectory directory, string name, FileStatus status) : HostNode<FileHandle>(status), IWasiFile
    {
        internal override FileHandle Open()
        {
            using Lease<DirectoryHandle> above = open.Use(directory);
            OpenedNode node = above.Handle.Open(name, new OpenMode(Read: true, Write: false, OpenFlags.None, FdFlags.None));
            node.Directory?.Dispose();
            node.Device?.Dispose();
            return node.File ?? throw new WasiFileException(WasiFileError.NotFound);
        }

        public long Length
        {
            get
            {
                if (open.IsOpen(this))
                {
                    using Lease<FileHandle> own = open.Use(this);
                    return own.Handle.Length;
                }
                using Lease<DirectoryHandle> above = open.Use(directory);
                return (long)above.Handle.Status(name).Size;
            }
        }

        public int Read(long offset, Span<byte> buffer)
        {
            using Lease<FileHandle> own = open.Use(this);
            int total = 0;
            for (int count; total < buffer.Length && (count = own.Handle.Read(buffer[total..], offset + total)) > 0;) total += count;
            return total;
        }

        public void Write(long offset, ReadOnlySpan<byte> bytes) => throw new WasiFileException(WasiFileError.ReadOnly);

        public void SetLength(long length) => throw new WasiFileException(WasiFileError.ReadOnly);
    }
}
