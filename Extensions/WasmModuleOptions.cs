namespace WasmJit;

/// <summary>A module that services use, by name. The properties of simple types can come from a configuration.</summary>
public sealed class WasmModuleOptions
{
    /// <summary>The file: a module, or one that <see cref="Module.Save(string)"/> has written. Not needed if <see cref="Source"/> is given.</summary>
    public string? Path { get; set; }

    /// <summary>Gives the bytes of the module, in place of a file.</summary>
    public Func<IServiceProvider, byte[]>? Source { get; set; }

    /// <summary>Makes the imports of an instance, of what the application's services are; it is called for each that is made.</summary>
    public Func<IServiceProvider, Imports>? Imports { get; set; }

    /// <summary>Prepares an instance that has just been made; see <see cref="InstancePoolOptions.Prepare"/>.</summary>
    public Action<Instance>? Prepare { get; set; }

    /// <summary>The most instances that are in use at once; a request for another one waits.</summary>
    public int MaximumInUse { get; set; } = 64;

    /// <summary>The most unused instances that are kept.</summary>
    public int MaximumIdle { get; set; } = 64;

    /// <summary>Whether each tenant gets a new instance.</summary>
    public bool AlwaysReplace { get; set; }

    /// <summary>The fuel of each tenant, if the engine counts; null for no limit.</summary>
    public long? Fuel { get; set; }

    /// <summary>The limits of each instance; null for those of the engine's options.</summary>
    public ResourceLimits? Limits { get; set; }
}
