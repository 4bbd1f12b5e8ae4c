using System.Diagnostics.CodeAnalysis;

namespace WasmJit.Wasi;

/// <summary>The guest's descriptors by number. Several threads may use it.</summary>
internal sealed class DescriptorTable(int most)
{
    private readonly Lock gate = new();
    private readonly List<Descriptor?> items = [];

    /// <summary>Finds one that has all of these rights.</summary>
    internal Descriptor Get(int fd, Rights needed = Rights.None)
    {
        if (!TryGet(fd, out Descriptor? descriptor)) throw new WasiError(Errno.Badf);
        descriptor.Require(needed);
        return descriptor;
    }

    internal T Get<T>(int fd, Rights needed, Errno otherwise)
        where T : Descriptor => Get(fd, needed) as T ?? throw new WasiError(otherwise);

    internal DirectoryDescriptor Directory(int fd, Rights needed)
    {
        // This error comes before that of missing rights: a file has no right of a directory.
        if (Get(fd) is not DirectoryDescriptor directory) throw new WasiError(Errno.Notdir);
        directory.Require(needed);
        return directory;
    }

    internal bool TryGet(int fd, [NotNullWhen(true)] out Descriptor? descriptor)
    {
        lock (gate) descriptor = (uint)fd < (uint)items.Count ? items[fd] : null;
        return descriptor is not (null or ClosedDescriptor);
    }

    /// <summary>Gives a descriptor the lowest number that is free.</summary>
    internal int Add(Descriptor descriptor)
    {
        lock (gate)
        {
            int free = items.IndexOf(null);
            if (free >= 0)
            {
                items[free] = descriptor;
                return free;
            }
            if (items.Count < most)
            {
                items.Add(descriptor);
                return items.Count - 1;
            }
        }
        descriptor.Close();
        throw new WasiError(Errno.Mfile);
    }

    /// <summary>The descriptor of a number; null if there is none.</summary>
    internal Descriptor? Find(int fd)
    {
        lock (gate) return (uint)fd < (uint)items.Count ? items[fd] : null;
    }

    internal void Close(int fd)
    {
        Descriptor? closed = null;
        lock (gate)
        {
            if ((uint)fd < (uint)items.Count && items[fd] is not ClosedDescriptor)
            {
                closed = items[fd];
                items[fd] = null;
            }
        }
        if (closed is null) throw new WasiError(Errno.Badf);
        closed.Close();
    }

    /// <summary>
    /// Moves a descriptor to another number: one in use, whose descriptor is closed, or that of a closed standard stream.
    /// </summary>
    internal void Renumber(int from, int to)
    {
        Descriptor? replaced;
        lock (gate)
        {
            if ((uint)from >= (uint)items.Count || (uint)to >= (uint)items.Count || items[from] is null or ClosedDescriptor || items[to] is null)
                throw new WasiError(Errno.Badf);
            if (from == to) return;
            replaced = items[to];
            items[to] = items[from];
            items[from] = null;
        }
        replaced!.Close();
    }

    internal void CloseAll()
    {
        Descriptor?[] all;
        lock (gate)
        {
            all = [.. items];
            items.Clear();
        }
        foreach (Descriptor? descriptor in all) descriptor?.Close();
    }
}
