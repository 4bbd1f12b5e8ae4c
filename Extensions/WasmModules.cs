using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace WasmJit;

/// <summary>The modules of an application, by name. Each is compiled once, when it is first asked for.</summary>
public sealed partial class WasmModules : IDisposable
{
    private readonly IServiceProvider services;
    private readonly Engine engine;
    private readonly WasmJitOptions options;
    private readonly ILogger logger;
    private readonly ConcurrentDictionary<string, Lazy<Module>> modules = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lazy<InstancePool>> pools = new(StringComparer.Ordinal);

    internal WasmModules(IServiceProvider services, Engine engine, WasmJitOptions options, ILogger logger)
    {
        this.services = services;
        this.engine = engine;
        this.options = options;
        this.logger = logger;
    }

    /// <summary>The names.</summary>
    public IEnumerable<string> Names => options.Modules.Keys;

    /// <summary>A module.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="KeyNotFoundException">No module has the name.</exception>
    /// <exception cref="IOException">Its file cannot be read.</exception>
    /// <exception cref="WasmJitException">It is malformed or invalid.</exception>
    public Module Get(string name) => ValueOf(modules, name, Load);

    /// <summary>What is made once. What could not be made is tried again: a file may be there the next time.</summary>
    private static T ValueOf<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] T>(ConcurrentDictionary<string, Lazy<T>> made, string name, Func<string, T> make)
    {
        Lazy<T> found = made.GetOrAdd(name, n => new Lazy<T>(() => make(n)));
        try
        {
            return found.Value;
        }
        catch
        {
            made.TryRemove(KeyValuePair.Create(name, found));
            throw;
        }
    }

    /// <summary>The pool of a module's instances.</summary>
    /// <param name="name">The module's name.</param>
    /// <exception cref="KeyNotFoundException">No module has the name.</exception>
    /// <exception cref="IOException">Its file cannot be read.</exception>
    /// <exception cref="WasmJitException">It is malformed or invalid.</exception>
    public InstancePool Pool(string name) => ValueOf(pools, name, MakePool);

    private WasmModuleOptions Find(string name) => options.Modules.TryGetValue(name, out WasmModuleOptions? found)
        ? found : throw new KeyNotFoundException($"There is no module \"{name}\". AddModule adds one.");

    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Only an application that has saved modules loads some, and there the exception says what to do.")]
    private Module Load(string name)
    {
        WasmModuleOptions wanted = Find(name);
        long start = Stopwatch.GetTimestamp();
        byte[] bytes = wanted.Source is { } source ? source(services)
            : File.ReadAllBytes(wanted.Path ?? throw new InvalidOperationException($"The module \"{name}\" has neither a Path nor a Source."));
        // Saved modules are assemblies.
        Module module = bytes.AsSpan().StartsWith("MZ"u8) ? engine.LoadSaved(new MemoryStream(bytes)) : engine.Compile(bytes);
        double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        Loaded(name, bytes.Length, milliseconds);
        return module;
    }

    private InstancePool MakePool(string name)
    {
        WasmModuleOptions wanted = Find(name);
        return new InstancePool(Get(name), new InstancePoolOptions
        {
            Imports = wanted.Imports is { } imports ? () => imports(services) : null,
            Prepare = instance =>
            {
                wanted.Prepare?.Invoke(instance);
                Made(name);
            },
            MaximumInUse = wanted.MaximumInUse,
            MaximumIdle = wanted.MaximumIdle,
            AlwaysReplace = wanted.AlwaysReplace,
            Fuel = wanted.Fuel,
            Limits = wanted.Limits,
        });
    }

    /// <summary>Disposes of the pools.</summary>
    public void Dispose()
    {
        foreach (Lazy<InstancePool> pool in pools.Values)
            if (pool.IsValueCreated) pool.Value.Dispose();
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "Module {Name} loaded: {Bytes} bytes in {Milliseconds:F1} ms")]
    private partial void Loaded(string name, int bytes, double milliseconds);

    [LoggerMessage(EventId = 2, Level = LogLevel.Debug, Message = "A new instance of module {Name}")]
    private partial void Made(string name);
}
