using WasmJit.Jit.Emit;

namespace WasmJit.Fuzz;

/// <summary>A way to compile and run modules.</summary>
/// <param name="Name">The name for <c>wasmjit fuzz --modes</c>.</param>
/// <param name="Options">The engine's.</param>
/// <param name="IsHurried">Whether modules are stopped early: after a random time, or with a random amount of fuel.</param>
internal sealed record Mode(string Name, EngineOptions Options, bool IsHurried = false)
{
    /// <summary>Whether a call ends when its fuel is used up or its time is over.</summary>
    internal bool IsLimited => Options is { CountFuel: true, Interruptible: true };

    /// <summary>All modes.</summary>
    internal static IReadOnlyList<Mode> All { get; } =
    [
        new("guard", new EngineOptions { Compilation = Compilation.Lazy }),
        new("explicit", new EngineOptions { Compilation = Compilation.Lazy, MemoryChecks = MemoryChecks.Explicit }),
        new("outlined", new EngineOptions { Inlining = false, Compilation = Compilation.Ahead }),
        new("parts", new EngineOptions { PartSize = new PartSize(12, 5, 30) }),
        new("verify", new EngineOptions { Compilation = Compilation.Lazy, Verify = true, Interruptible = true }),
        new("verify-explicit", new EngineOptions { Compilation = Compilation.Lazy, Verify = true, Interruptible = true, MemoryChecks = MemoryChecks.Explicit }),
        new("limits", new EngineOptions { Compilation = Compilation.Lazy, Interruptible = true, CountFuel = true }),
        new("limits-explicit", new EngineOptions { Compilation = Compilation.Lazy, Interruptible = true, CountFuel = true, MemoryChecks = MemoryChecks.Explicit }),
        new("interpreter", new EngineOptions { Compilation = Compilation.Interpreted }),
        new("interpreter-limits", new EngineOptions { Compilation = Compilation.Interpreted, InterpretsAll = true, Interruptible = true, CountFuel = true, MemoryChecks = MemoryChecks.Explicit }),
        new("spills", new EngineOptions { Compilation = Compilation.Interpreted, SlotsOfSpilling = 3, InterpretsAll = true }),
        new("tiered", new EngineOptions { Compilation = Compilation.Tiered, TierSeed = 1 }),
        new("tiered-limits", new EngineOptions { Compilation = Compilation.Tiered, TierSeed = 2, Interruptible = true, CountFuel = true }),
        new("hurried", new EngineOptions { Compilation = Compilation.Lazy, Interruptible = true, CountFuel = true }, IsHurried: true),
    ];

    /// <summary>The mode with a name, or null.</summary>
    internal static Mode? Find(string name) => All.FirstOrDefault(m => m.Name == name);
}
