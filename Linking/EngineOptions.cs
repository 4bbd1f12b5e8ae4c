using WasmJit.Jit.Emit;

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
    /// <summary>Each at its first call, or shortly before: see <see cref="EngineOptions.BackgroundThreads"/>.</summary>
    Lazy,

    /// <summary>All when the module is, on several threads.</summary>
    Ahead,

    /// <summary>
    /// Not at all: functions are interpreted. Those with something that the interpreter does not know are compiled at their first
    /// call: exceptions, objects of the garbage-collected heap, vectors, atomic operators and the runtime-linking extension.
    /// </summary>
    Interpreted,

    /// <summary>
    /// Those that are called often or loop long: functions are interpreted at first, and compiled beside that, by
    /// <see cref="EngineOptions.BackgroundThreads"/>, when they have shown that they are worth it. What the interpreter does not
    /// know is compiled at its first call; what would take the optimiser too long stays interpreted.
    /// </summary>
    Tiered,

    /// <summary>
    /// Not at all: the engine takes modules that were saved (<see cref="Engine.LoadSaved(string)"/>) and makes no code of its own.
    /// <see cref="Engine.Compile"/> fails, a guest's <c>compile</c> traps.
    /// </summary>
    Never,
}

/// <summary>What an engine does and allows.</summary>
public sealed record EngineOptions
{
    /// <summary>
    /// How accesses beyond a memory become traps. Where guard pages are not supported, or where the process may not take so much
    /// address space, <see cref="MemoryChecks.Explicit"/> is used; <see cref="Engine.UsesGuardPages"/> says so.
    /// </summary>
    public MemoryChecks MemoryChecks { get; init; } = MemoryChecks.Guard;

    /// <summary>
    /// The most address space that a memory of this engine without guard pages reserves, in bytes: how far it can grow, beside its
    /// type's maximum. A memory never moves. Null for all that the type allows: 4 GiB, for 64-bit memories 64 GiB, less where the system has not so much.
    /// Memories with guard pages take 8 GiB each, whatever this says.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public long? MemoryReservation
    {
        get;
        init
        {
            if (value is { } bytes) ArgumentOutOfRangeException.ThrowIfNegative(bytes);
            field = value;
        }
    }

    /// <summary>When functions are compiled.</summary>
    public Compilation Compilation { get; init; } = Compilation.Tiered;

    /// <summary>
    /// How many threads compile while the guest runs: with <see cref="Compilation.Tiered"/> what is hot, hottest first, with
    /// <see cref="Compilation.Lazy"/> what the functions that it has called will call, in modules with at least 128 KiB of code. By
    /// default all processors but one, four at most. They have a low priority, are shared by all modules, end when there is nothing
    /// to do, and keep neither a module nor the process alive. With 0 the guest waits for what is compiled.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public int BackgroundThreads
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    } = Math.Clamp(Environment.ProcessorCount - 1, 1, 4);

    /// <summary>With <see cref="Compilation.Tiered"/>, for tests: which functions are compiled, and when, is random.</summary>
    internal int? TierSeed { get; init; }

    /// <summary>Splits all functions larger than this, for tests.</summary>
    internal PartSize? PartSize { get; init; }

    /// <summary>
    /// For tests and fuzzing: code asserts what it otherwise relies on, and a fault of the emitter becomes an
    /// <c>EmitterAssertionException</c>. See <c>EmitterAssertions</c>.
    /// </summary>
    internal bool Verify { get; init; }

    /// <summary>The bytes of code from which on modules are compiled in the background.</summary>
    internal int BackgroundThreshold { get; init; } = 128 << 10;

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

    /// <summary>
    /// How much of a thread's stack guests may use, in bytes, counted from where the host calls them; what they call is included,
    /// host functions and other guests too. Beyond it is the trap "call stack exhausted". If null, they have what the thread has,
    /// but no more than 2 MiB from where it first called a guest. What the thread does not have, they do not get; a main thread's stack without a limit (<c>ulimit -s
    /// unlimited</c>) counts as one of 64 MiB. A frame takes 32 bytes at least; limits are exact to 16 KiB.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is less than 64 KiB.</exception>
    public long? MaximumStack
    {
        get;
        init
        {
            if (value is { } bytes) ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 64 << 10);
            field = value;
        }
    }

    /// <summary>What modules may use of WebAssembly beyond its first version.</summary>
    public Features Features { get; init; } = Features.All;

    /// <summary>Whether modules may use the runtime-linking extension.</summary>
    public bool RuntimeLinking { get; init; } = true;

    /// <summary>Whether guests may compile bytes; needs <see cref="RuntimeLinking"/>.</summary>
    public bool RuntimeCompile { get; init; } = true;

    /// <summary>
    /// What each guest may have of memories, tables and instances: the instance that the host makes, and all that it makes in turn.
    /// Without limit if null. <see cref="Module.Instantiate"/> can be given others.
    /// </summary>
    public ResourceLimits? Limits { get; init; }

    /// <summary>How much guests may compile; without limit if null. Engines can share one.</summary>
    public LinkingQuota? LinkingQuota { get; init; }
}
