namespace WasmJit;

/// <summary>Options of the services that <c>AddWasmJit</c> adds. A section of a configuration can be bound to them.</summary>
public sealed class WasmJitOptions
{
    /// <summary>The options of the engine.</summary>
    public EngineOptions Engine { get; set; } = new();

    /// <summary>The modules, by name.</summary>
    public IDictionary<string, WasmModuleOptions> Modules { get; } = new Dictionary<string, WasmModuleOptions>(StringComparer.Ordinal);

    /// <summary>Whether events of the engine (the event source <c>WasmJit</c>) go to the application's log.</summary>
    public bool LogEvents { get; set; } = true;
}
