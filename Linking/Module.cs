using WasmJit.Jit;
using WasmJit.Linking;
using WasmJit.Runtime;

namespace WasmJit;

/// <summary>A custom section.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Content">Its bytes.</param>
public sealed record CustomSection(string Name, ReadOnlyMemory<byte> Content);

/// <summary>A valid module. It can be instantiated any number of times, on any thread; instances share its code.</summary>
public sealed class Module : ILinkable
{
    private CompiledModule? code;
    private LinkingServices? services;

    internal Module(Engine engine, ModuleInfo info)
    {
        Engine = engine;
        Info = info;
    }

    /// <summary>The engine that compiled it.</summary>
    public Engine Engine { get; }

    internal ModuleInfo Info { get; }

    /// <summary>Its name, from the names section.</summary>
    public string? Name => Info.Names.Module;

    /// <summary>Its type in the sense of the runtime-linking extension: imports and exports.</summary>
    public ModuleType Type => (ModuleType)Info.ModuleType.Composite;

    /// <summary>What it needs, in order.</summary>
    public IReadOnlyList<ImportType> Imports => Type.Imports;

    /// <summary>What its instances offer, in order.</summary>
    public IReadOnlyList<ExportType> Exports => Type.Exports;

    /// <summary>Its custom sections, in order.</summary>
    public IEnumerable<CustomSection> CustomSections =>
        Info.CustomSections.Select(s => new CustomSection(s.Name, Info.Bytes.Slice(s.Start, s.Length)));

    DefType ILinkable.DynamicType => Info.ModuleType;

    internal CompiledModule Code =>
        code ?? Interlocked.CompareExchange(ref code, new CompiledModule(Info, Engine.CodeOptions), null) ?? code;

    internal LinkingServices Services => services ?? Interlocked.CompareExchange(ref services, new LinkingServices(this), null) ?? services;

    /// <summary>Makes an instance: links the imports, initialises, runs the start function.</summary>
    /// <param name="imports">What the module imports; null if it imports nothing.</param>
    /// <param name="fuel">
    /// What the instance may execute, the start function included, if the engine counts; without end if null.
    /// </param>
    /// <exception cref="LinkException">An import is missing or of another type.</exception>
    /// <exception cref="TrapException">A segment does not fit, or the start function traps.</exception>
    public Instance Instantiate(Imports? imports = null, Fuel? fuel = null) =>
        Linker.Instantiate(this, Linker.Resolve(this, imports ?? []), fuel);
}
