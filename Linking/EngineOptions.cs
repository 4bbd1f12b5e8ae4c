namespace WasmJit;

/// <summary>How accesses beyond a memory become traps.</summary>
public enum MemoryChecks
{
    /// <summary>By the processor, where the platform allows it (Linux on x64): accesses cost nothing extra.</summary>
    Guard,

    /// <summary>By a comparison in the code of each access.</summary>
    Explicit,
}

/// <summary>When functions are compiled.</summary>
public enum Compilation
{
    /// <summary>Each at its first call.</summary>
    Lazy,

    /// <summary>All when the module is, on several threads.</summary>
    Ahead,
}

/// <summary>What an engine does and allows.</summary>
public sealed record EngineOptions
{
    /// <summary>How accesses beyond a memory become traps. Where guard pages are not supported, <see cref="MemoryChecks.Explicit"/> is used.</summary>
    public MemoryChecks MemoryChecks { get; init; } = MemoryChecks.Guard;

    /// <summary>When functions are compiled.</summary>
    public Compilation Compilation { get; init; } = Compilation.Lazy;

    /// <summary>
    /// Whether loops look at each iteration if they are to stop, for the tokens given to <see cref="Guest"/>. Without it only
    /// function entries do, where it costs nothing.
    /// </summary>
    public bool Interruptible { get; init; }

    /// <summary>Whether functions and loops count what they execute, for <see cref="Fuel"/>.</summary>
    public bool CountFuel { get; init; }

    /// <summary>
    /// Whether small functions are compiled into their callers. Such a function has no frame, and so no line in the stack of a
    /// trap. With <see cref="CountFuel"/> nothing is compiled into anything.
    /// </summary>
    public bool Inlining { get; init; } = true;

    /// <summary>What modules may use of WebAssembly beyond its first version.</summary>
    public Features Features { get; init; } = Features.All;

    /// <summary>Whether modules may use the runtime-linking extension.</summary>
    public bool RuntimeLinking { get; init; } = true;

    /// <summary>Whether guests may compile bytes; needs <see cref="RuntimeLinking"/>.</summary>
    public bool RuntimeCompile { get; init; } = true;

    /// <summary>How much guests may compile; without limit if null. Engines can share one.</summary>
    public LinkingQuota? LinkingQuota { get; init; }
}
