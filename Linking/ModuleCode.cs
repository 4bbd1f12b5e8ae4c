using WasmJit.Jit.Binary;
using WasmJit.Jit.Saved;
using WasmJit.Jit.Tiers;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>
/// A module without its closure: its engine, its declarations and its code. A nested module has one of these however often the module around it is
/// instantiated.
/// </summary>
internal sealed class ModuleCode(Engine engine, ModuleInfo info, ModuleCode? outer)
{
    private readonly ModuleCode?[] nested = info.Nested.Count == 0 ? [] : new ModuleCode?[info.Nested.Count];
    private FunctionCode? code;
    private LinkingServices? services;

    internal Engine Engine { get; } = engine;

    internal ModuleInfo Info { get; } = info;

    /// <summary>The code of the outermost module.</summary>
    internal ModuleCode Root => outer?.Root ?? this;

    /// <summary>Counts the whole module among what the guest that had it compiled has.</summary>
    internal CodeShare? Live { get; set; }

    internal FunctionCode Code => code ??= FunctionCode.Of(Info, Engine.CodeOptions);

    /// <summary>Whether its code leaves the checks of accesses to guard pages.</summary>
    internal bool NeedsGuards => Info.State.Code is SavedCode saved ? !saved.Options.ChecksMemories : Engine.UsesGuardPages;

    /// <summary>Where memories of its instances are placed.</summary>
    internal MemoryPlacement Placement => new(NeedsGuards, Engine.Options.MemoryReservation);

    internal LinkingServices Services =>
        services ?? Interlocked.CompareExchange(ref services, new LinkingServices(this), null) ?? services;

    internal ModuleCode Nested(int index) =>
        nested[index] ?? Interlocked.CompareExchange(ref nested[index], new ModuleCode(Engine, Info.Nested[index], this), null) ?? nested[index]!;
}
