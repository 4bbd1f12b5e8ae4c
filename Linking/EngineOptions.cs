using WasmJit.Jit.Emit;

namespace WasmJit;

/// <summary>How accesses beyond a memory become traps.</summary>
public enum MemoryChecks
{
    /// <summary>By the processor, where the platform allows it (Linux and Windows on x64, Linux on ARM64): accesses cost nothing extra.</summary>
    Guard,

    /// <summary>By a comparison in the code of each access.</summary>
    Explicit,
}

/// <summary>
/// When functions are compiled. In a process that can make no code at run time all values but <see cref="Never"/> mean <see cref="Interpreted"/>, and a call of a
/// function that the interpreter does not have throws <see cref="PlatformNotSupportedException"/>.
/// </summary>
public enum Compilation
{
    /// <summary>Each at its first call, or shortly before: see <see cref="EngineOptions.BackgroundThreads"/>.</summary>
    Lazy,

    /// <summary>All when the module is, on several threads.</summary>
    Ahead,

    /// <summary>
    /// Not at all: functions are interpreted. Functions with operators that the interpreter does not have are compiled at their first call:
    /// exceptions, objects of the garbage-collected heap, vectors and atomic operators. A process that can make no code interprets these, too.
    /// </summary>
    Interpreted,

    /// <summary>
    /// Those that are called often or loop long. Functions are interpreted at first, and hot ones are compiled meanwhile by <see
    /// cref="EngineOptions.BackgroundThreads"/>. Functions with operators that the interpreter does not have are compiled at their first call.
    /// Functions that would take the optimiser too long stay interpreted.
    /// </summary>
    Tiered,

    /// <summary>
    /// Not at all: the engine takes modules that were saved (<see cref="Engine.LoadSaved(string)"/>) and makes no code of its own. <see
    /// cref="Engine.Compile"/> fails, a guest's <c>compile</c> traps.
    /// </summary>
    Never,
}

/// <summary>What an engine does and allows.</summary>
public sealed record EngineOptions
{
    /// <summary>
    /// How accesses beyond a memory become traps. If guard pages are not supported, or the process may not take so much address space, <see
    /// cref="MemoryChecks.Explicit"/> is used; <see cref="Engine.UsesGuardPages"/> says so.
    /// </summary>
    public MemoryChecks MemoryChecks { get; init; } = MemoryChecks.Guard;

    /// <summary>
    /// The most address space that a memory of this engine without guard pages reserves, in bytes. It is also how far the memory can grow, because a
    /// memory never moves. Null for all that the type allows: 4 GiB, for 64-bit memories 64 GiB, or less if the system has not so much. Memories with
    /// guard pages always take 8 GiB each.
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
    /// How many threads compile while the guest runs: with <see cref="Compilation.Tiered"/> hot functions, hottest first, and where there
    /// are none they prepare the interpretation of functions that called ones will call; with <see cref="Compilation.Lazy"/> functions that called functions will call, in modules with at least 128 KiB of code. By default all processors but
    /// one, four at most. The threads have a low priority, are shared by all modules, end when there is nothing to do, and keep neither a module nor
    /// the process alive. With 0 the guest waits for compilation.
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

    /// <summary>With <see cref="Compilation.Tiered"/>, for tests: functions are compiled at random times.</summary>
    internal int? TierSeed { get; init; }

    /// <summary>
    /// For tests: interpreted functions spill operands, as those do that have more than 65,535, and have slots for so many results at a time.
    /// </summary>
    internal int? SlotsOfSpilling { get; init; }

    /// <summary>For tests: functions are interpreted that are compiled where code can be made: those with vectors, atomic operators and exceptions.</summary>
    internal bool InterpretsAll { get; init; }

    /// <summary>Splits all functions larger than this, for tests.</summary>
    internal PartSize? PartSize { get; init; }

    /// <summary>
    /// For tests and fuzzing: code asserts the facts that it otherwise relies on, and a fault of the emitter becomes an
    /// <c>EmitterAssertionException</c>. See <c>EmitterAssertions</c>.
    /// </summary>
    internal bool Verify { get; init; }

    /// <summary>For profiles: functions are compiled so that a <see cref="Runtime.GuestSampler"/> can take samples, with <see cref="CountFuel"/>.</summary>
    internal bool TakesSamples { get; init; }

    /// <summary>Modules with at least so many bytes of code are compiled in the background.</summary>
    internal int BackgroundThreshold { get; init; } = 128 << 10;

    /// <summary>
    /// Whether loops test if they are to stop, for the tokens given to <see cref="Guest"/>: each tests often enough that it stops within milliseconds.
    /// Otherwise only function entries do, which costs nothing.
    /// </summary>
    public bool Interruptible { get; init; }

    /// <summary>Whether functions and loops count what they execute, for <see cref="Fuel"/>.</summary>
    public bool CountFuel { get; init; }

    /// <summary>
    /// Whether small functions are compiled into their callers. Such a function has no frame, and so no line in the stack of a trap. It costs the same
    /// fuel as if it were called.
    /// </summary>
    public bool Inlining { get; init; } = true;

    /// <summary>
    /// How much of a thread's stack guests may use, in bytes, counted from where the host calls them. Callees are included, host functions and other
    /// guests too. Beyond it is the trap "call stack exhausted". If null, guests have the thread's stack, but no more than 2 MiB from where the
    /// thread first called a guest. They never get more than the thread has; a main thread's stack without a limit (<c>ulimit -s unlimited</c>)
    /// counts as one of 64 MiB. A frame takes at least 32 bytes; limits are exact to 16 KiB.
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

    /// <summary>The parts of WebAssembly beyond its first version that modules may use.</summary>
    public Features Features { get; init; } = Features.All;

    /// <summary>Whether modules may use the runtime-linking extension.</summary>
    public bool RuntimeLinking { get; init; } = true;

    /// <summary>Whether guests may compile bytes; needs <see cref="RuntimeLinking"/>.</summary>
    public bool RuntimeCompile { get; init; } = true;

    /// <summary>
    /// The memories, tables and instances that each guest may have: the instance that the host makes, and all that it makes in turn. No limit if
    /// null. <see cref="Module.Instantiate"/> can be given others.
    /// </summary>
    public ResourceLimits? Limits { get; init; }

    /// <summary>How much guests may compile; no limit if null. Engines can share one.</summary>
    public LinkingQuota? LinkingQuota { get; init; }
}
