namespace WasmJit;

/// <summary>Options of an <see cref="InstancePool"/>.</summary>
public sealed record InstancePoolOptions
{
    /// <summary>
    /// Makes the imports of an instance; it is called for each that is made. Null if the module imports nothing. What the imports share, instances
    /// share; and what they keep (files that were opened through a <c>WasiHost</c>) the next tenant of the instance finds, unless
    /// <see cref="AlwaysReplace"/> is set.
    /// </summary>
    public Func<Imports>? Imports { get; init; }

    /// <summary>
    /// Prepares an instance that has just been made, for instance by a call of its <c>_initialize</c>. The state that it leaves is the one that the
    /// instance gets back for each tenant, so it runs once for each instance and not once for each tenant.
    /// </summary>
    public Action<Instance>? Prepare { get; init; }

    /// <summary>The most instances that are in use at once; a request for another one waits.</summary>
    public int MaximumInUse { get; init; } = 64;

    /// <summary>The most unused instances that are kept.</summary>
    public int MaximumIdle { get; init; } = 64;

    /// <summary>Whether each tenant gets a new instance. Otherwise instances get back the state of their beginning wherever that can be done.</summary>
    public bool AlwaysReplace { get; init; }

    /// <summary>The fuel of each tenant, if the engine counts; null for no limit.</summary>
    public long? Fuel { get; init; }

    /// <summary>The limits of each instance; null for those of the engine's options.</summary>
    public ResourceLimits? Limits { get; init; }
}
