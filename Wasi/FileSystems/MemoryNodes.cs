namespace WasmJit.Wasi;

/// <summary>What files, directories and links in memory have in common. Members are called with any thread; the file system's lock is taken inside.</summary>
internal abstract class MemoryNode : IWasiNode
{
    protected MemoryNode(MemoryFileSystem system, IWasiNode? below)
    {
        System = system;
        Id = system.NewId();
        Accessed = below?.Accessed ?? Now;
        Modified = below?.Modified ?? Accessed;
    }

    internal MemoryFileSystem System { get; }

    public ulong Id { get; }

    public DateTimeOffset Accessed { get; private set; }

    public DateTimeOffset Modified { get; private set; }

    public int Links { get; internal set; } = 1;

    internal DateTimeOffset Now => System.Time.GetUtcNow();

    protected void Changed() => Modified = Now;

    public void SetTimes(DateTimeOffset? accessed, DateTimeOffset? modified)
    {
        lock (System.Gate)
        {
            Accessed = accessed ?? Accessed;
            Modified = modified ?? Modified;
        }
    }

    /// <summary>How many of its names count in the file system's bytes: those that were given here, and not below.</summary>
    private int charged;

    /// <summary>What it takes of the file system's bytes for each name.</summary>
    protected virtual long NameBytes => MemoryFileSystem.NodeBytes;

    /// <summary>It gets a name that counts.</summary>
    internal void Charge()
    {
        System.Take(NameBytes);
        charged++;
    }

    /// <summary>It loses a name.</summary>
    internal void Drop()
    {
        Links--;
        if (charged == 0) return;
        charged--;
        System.Take(-NameBytes);
    }
}

/// <summary>A link in memory.</summary>
internal sealed class MemoryLink(MemoryFileSystem system, string target, IWasiNode? below) : MemoryNode(system, below), IWasiLink
{
    public string Target => target;

    protected override long NameBytes => MemoryFileSystem.NodeBytes + target.Length;
}

/// <summary>A file in memory: blocks, of which those that are zero need not exist. Until it is changed, the content may be that of a file below.</summary>
internal sealed class MemoryFile(MemoryFileSystem system, IWasiFile? below) : MemoryNode(system, below), IWasiFile
{
    private const int BlockSize = 16 << 10;

    private readonly Dictionary<long, byte[]> blocks = [];
    private IWasiFile? below = below;
    private long length;

    public long Length
    {
        get
        {
            lock (System.Gate) return below?.Length ?? length;
        }
    }

    public int Read(long offset, Span<byte> buffer)
    {
        lock (System.Gate)
        {
            if (below is not null) return below.Read(offset, buffer);
            if (offset >= length) return 0;
            int count = (int)Math.Min(buffer.Length, length - offset);
            for (int done = 0; done < count;)
            {
                (long block, int start) = Place(offset + done);
                int part = Math.Min(BlockSize - start, count - done);
                if (blocks.TryGetValue(block, out byte[]? bytes)) bytes.AsSpan(start, part).CopyTo(buffer[done..]);
                else buffer.Slice(done, part).Clear();
                done += part;
            }
            return count;
        }
    }

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        lock (System.Gate)
        {
            CopyUp();
            WriteNow(offset, bytes);
            Changed();
        }
    }

    private void WriteNow(long offset, ReadOnlySpan<byte> bytes)
    {
        for (int done = 0; done < bytes.Length;)
        {
            (long block, int start) = Place(offset + done);
            int part = Math.Min(BlockSize - start, bytes.Length - done);
            if (!blocks.TryGetValue(block, out byte[]? target))
            {
                System.Take(BlockSize);
                blocks[block] = target = new byte[BlockSize];
            }
            bytes.Slice(done, part).CopyTo(target.AsSpan(start));
            done += part;
            length = Math.Max(length, offset + done);
        }
    }

    public void SetLength(long wanted)
    {
        lock (System.Gate)
        {
            if (wanted == 0) below = null;
            CopyUp();
            if (wanted < length)
            {
                (long last, int start) = Place(wanted);
                foreach (long block in blocks.Keys.Where(b => b > last || (b == last && start == 0)).ToList()) Drop(block);
                if (blocks.TryGetValue(last, out byte[]? bytes)) bytes.AsSpan(start).Clear();
            }
            length = wanted;
            Changed();
        }
    }

    private static (long Block, int Start) Place(long offset) => (offset / BlockSize, (int)(offset % BlockSize));

    private void Drop(long block)
    {
        blocks.Remove(block);
        System.Take(-BlockSize);
    }

    /// <summary>Takes the content from below, before it is changed.</summary>
    private void CopyUp()
    {
        if (below is not { } source) return;
        byte[] buffer = new byte[BlockSize];
        for (long at = 0; ;)
        {
            int count = source.Read(at, buffer);
            if (count == 0) break;
            WriteNow(at, buffer.AsSpan(0, count));
            at += count;
        }
        below = null;
    }

    private int open;

    /// <summary>A guest opens it.</summary>
    internal void Open()
    {
        lock (System.Gate) open++;
    }

    /// <summary>A guest closes it.</summary>
    internal void Close()
    {
        lock (System.Gate)
        {
            open--;
            FreeIfUnused();
        }
    }

    /// <summary>A file without a name counts as long as it is open.</summary>
    internal void FreeIfUnused()
    {
        if (open > 0 || Links > 0) return;
        System.Take(-(long)blocks.Count * BlockSize);
        blocks.Clear();
        length = 0;
    }
}

/// <summary>A directory in memory. What is not its own may be an entry of a directory below, which becomes its own when it is looked up.</summary>
internal sealed class MemoryDirectory(MemoryFileSystem system, MemoryDirectory? parent, IWasiDirectory? below) : MemoryNode(system, below), IWasiDirectory
{
    private readonly SortedDictionary<string, MemoryNode> entries = new(StringComparer.Ordinal);
    private readonly HashSet<string> hidden = new(StringComparer.Ordinal);
    private MemoryDirectory? parent = parent;

    public IWasiNode? Find(string name)
    {
        lock (System.Gate) return Own(name);
    }

    private MemoryNode? Own(string name)
    {
        if (entries.TryGetValue(name, out MemoryNode? known)) return known;
        if (below is null || hidden.Contains(name)) return null;
        return below.Find(name) is { } found ? entries[name] = Over(found) : null;
    }

    private MemoryNode Over(IWasiNode node) => node switch
    {
        IWasiDirectory directory => new MemoryDirectory(System, this, directory),
        IWasiLink link => new MemoryLink(System, link.Target, link),
        _ => new MemoryFile(System, (IWasiFile)node),
    };

    public IReadOnlyList<KeyValuePair<string, IWasiNode>> List()
    {
        lock (System.Gate)
        {
            if (below is not null)
                foreach ((string name, _) in below.List()) Own(name);
            return [.. entries.Select(e => KeyValuePair.Create(e.Key, (IWasiNode)e.Value))];
        }
    }

    public IWasiFile CreateFile(string name) => Put(name, () => new MemoryFile(System, null));

    public IWasiDirectory CreateDirectory(string name) => Put(name, () => new MemoryDirectory(System, this, null));

    public void CreateLink(string name, string target) => Put(name, () => new MemoryLink(System, target, null));

    private T Put<T>(string name, Func<T> make)
        where T : MemoryNode
    {
        lock (System.Gate)
        {
            if (IsRemoved) throw new WasiFileException(WasiFileError.NotFound);
            if (Own(name) is not null) throw new WasiFileException(WasiFileError.Exists);
            T made = make();
            made.Charge();
            entries[name] = made;
            Changed();
            return made;
        }
    }

    public void Add(string name, IWasiNode node)
    {
        if (node is not MemoryNode own || !ReferenceEquals(own.System, System)) throw new WasiFileException(WasiFileError.NotSupported);
        lock (System.Gate)
        {
            Put(name, () => own);
            own.Links++;
        }
    }

    public void Remove(string name)
    {
        lock (System.Gate)
        {
            MemoryNode node = Own(name) ?? throw new WasiFileException(WasiFileError.NotFound);
            Drop(node);
            Forget(name);
        }
    }

    private bool IsRemoved { get; set; }

    private bool IsEmpty => List().Count == 0;

    private static void Drop(MemoryNode node)
    {
        if (node is MemoryDirectory directory)
        {
            if (!directory.IsEmpty) throw new WasiFileException(WasiFileError.NotEmpty);
            directory.IsRemoved = true;
        }
        node.Drop();
        (node as MemoryFile)?.FreeIfUnused();
    }

    /// <summary>An entry is no longer here, and neither is one of this name below.</summary>
    private void Forget(string name)
    {
        entries.Remove(name);
        if (below is not null) hidden.Add(name);
        Changed();
    }

    public void Move(string name, IWasiDirectory target, string newName)
    {
        if (target is not MemoryDirectory to || !ReferenceEquals(to.System, System)) throw new WasiFileException(WasiFileError.NotSupported);
        lock (System.Gate)
        {
            MemoryNode node = Own(name) ?? throw new WasiFileException(WasiFileError.NotFound);
            MemoryNode? other = to.Own(newName);
            if (ReferenceEquals(node, other)) return;
            if (to.IsRemoved) throw new WasiFileException(WasiFileError.NotFound);
            for (MemoryDirectory? above = to; above is not null; above = above.parent)
                if (ReferenceEquals(above, node)) throw new WasiFileException(WasiFileError.Invalid);
            for (MemoryDirectory? above = this; above is not null && other is not null; above = above.parent)
                if (ReferenceEquals(above, other)) throw new WasiFileException(WasiFileError.NotEmpty);
            if (other is MemoryDirectory && node is not MemoryDirectory) throw new WasiFileException(WasiFileError.IsDirectory);
            if (other is not null and not MemoryDirectory && node is MemoryDirectory) throw new WasiFileException(WasiFileError.NotDirectory);
            if (other is not null) Drop(other);
            Forget(name);
            to.entries[newName] = node;
            to.Changed();
            if (node is MemoryDirectory moved) moved.parent = to;
        }
    }
}
