namespace WasmJit;

/// <summary>The kinds of resources that are limited.</summary>
public enum ResourceKind
{
    /// <summary>Instances: the one that the host made, those that it defines, and those that it makes.</summary>
    Instances,

    /// <summary>Memories.</summary>
    Memories,

    /// <summary>The bytes of all memories together, as they are now.</summary>
    MemoryBytes,

    /// <summary>Tables.</summary>
    Tables,

    /// <summary>The elements of all tables together, as they are now.</summary>
    TableElements,

    /// <summary>Places in the tables of handles that instances of components have: for resources, streams, waiting calls and threads.</summary>
    Handles,

    /// <summary>Threads that the guest has made beside its first, where it can.</summary>
    Threads,
}

/// <summary>A request of a guest within its limits, for a host that decides itself.</summary>
/// <param name="Kind">What is asked for.</param>
/// <param name="InUse">How many the guest has. Objects that it no longer uses count until they are collected.</param>
/// <param name="Requested">How many more it asks for.</param>
public readonly record struct ResourceRequest(ResourceKind Kind, long InUse, long Requested);

/// <summary>
/// What a guest may have at once: the instance that the host makes, and all memories, tables and instances that it makes in turn, by whatever way.
/// Objects that the host makes and gives to the guest do not count. A refused growth is -1 to the guest. A refused object is a <c>LinkException</c>,
/// or the trap <see cref="TrapKind.QuotaExceeded"/> if the guest was making it.
/// </summary>
public sealed record ResourceLimits
{
    /// <summary>The most instances.</summary>
    public int MaximumInstances { get; init; } = int.MaxValue;

    /// <summary>The most memories.</summary>
    public int MaximumMemories { get; init; } = int.MaxValue;

    /// <summary>The most bytes of all memories together.</summary>
    public long MaximumMemoryBytes { get; init; } = long.MaxValue;

    /// <summary>The most tables.</summary>
    public int MaximumTables { get; init; } = int.MaxValue;

    /// <summary>The most elements of all tables together. A table has 10,000,000 at most, whatever this says.</summary>
    public long MaximumTableElements { get; init; } = long.MaxValue;

    /// <summary>The most handles of instances of components, in all their tables together. A table has 2^20 at most, whatever this says.</summary>
    public long MaximumHandles { get; init; } = long.MaxValue;

    /// <summary>The most threads beside the first one, for guests that can make some (<c>WasiOptions.MaximumThreads</c>).</summary>
    public int MaximumThreads { get; init; } = int.MaxValue;

    /// <summary>
    /// Asked about everything that the numbers allow; false refuses. It is called on the guest's thread, in the middle of its instruction. Its
    /// exceptions go to the host.
    /// </summary>
    public Func<ResourceRequest, bool>? Allow { get; init; }

    internal long Maximum(ResourceKind kind) => kind switch
    {
        ResourceKind.Instances => MaximumInstances,
        ResourceKind.Memories => MaximumMemories,
        ResourceKind.MemoryBytes => MaximumMemoryBytes,
        ResourceKind.Tables => MaximumTables,
        ResourceKind.TableElements => MaximumTableElements,
        ResourceKind.Handles => MaximumHandles,
        ResourceKind.Threads => MaximumThreads,
    };
}
