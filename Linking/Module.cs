using System.Diagnostics.CodeAnalysis;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Saved;
using WasmJit.Jit.Tiers;
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
    internal Module(ModuleCode shared, Module[] captured)
    {
        Shared = shared;
        Captured = captured;
    }

    internal Module(Engine engine, ModuleInfo info)
        : this(new ModuleCode(engine, info, null), [])
    {
    }

    /// <summary>The part that all closures of the module share.</summary>
    internal ModuleCode Shared { get; }

    /// <summary>The modules of enclosing instances that it names. They make a nested module a closure.</summary>
    internal Module[] Captured { get; }

    /// <summary>The engine that compiled it.</summary>
    public Engine Engine => Shared.Engine;

    internal ModuleInfo Info => Shared.Info;

    /// <summary>Counts it among what the guest that had it compiled has.</summary>
    internal CodeShare? Live
    {
        get => Shared.Root.Live;
        set => Shared.Root.Live = value;
    }

    /// <summary>Its name, from the names section.</summary>
    public string? Name => Info.Name;

    /// <summary>Its type in the sense of the runtime-linking extension: imports and exports.</summary>
    public ModuleType Type => (ModuleType)Info.ModuleType.Composite;

    /// <summary>Its imports, in order.</summary>
    public IReadOnlyList<ImportType> Imports => Type.Imports;

    /// <summary>The exports of its instances, in order.</summary>
    public IReadOnlyList<ExportType> Exports => exports ??= new List<ExportType>(Info.Exports.Select(e => new ExportType(e.Name, Info.TypeOf(e.Kind, e.Index)))).AsReadOnly();

    private IReadOnlyList<ExportType>? exports;

    /// <summary>Its custom sections, in order.</summary>
    public IEnumerable<CustomSection> CustomSections =>
        Info.CustomSections.Select(s => new CustomSection(s.Name, Info.Bytes.Slice(s.Start, s.Length)));

    /// <summary>The contents of its custom sections of a name, in order; there may be several.</summary>
    /// <param name="name">The name, compared byte by byte.</param>
    public IReadOnlyList<ReadOnlyMemory<byte>> GetCustomSections(string name) =>
        [.. Info.CustomSections.Where(s => s.Name == name).Select(s => Info.Bytes.Slice(s.Start, s.Length))];

    /// <summary>
    /// Errors in custom sections that have a meaning: names, branch hints. Such a module is valid. The engine uses the correct parts of these
    /// sections.
    /// </summary>
    public IReadOnlyList<string> CustomSectionProblems => [.. Info.CustomProblems.Select(p => $"{p.Reason} (at byte 0x{p.Offset:x})")];

    DefType ILinkable.DynamicType => Info.ModuleType;

    internal FunctionCode Code => Shared.Code;

    /// <summary>The code if it came from a saved assembly.</summary>
    internal SavedCode? SavedCode => Info.State.Code as SavedCode;

    internal bool CountsFuel => SavedCode?.Options.CountsFuel ?? Engine.Options.CountFuel;

    /// <summary>
    /// Writes the module with the code of all its functions as a .NET assembly, for <see cref="Engine.LoadSaved(string)"/>. The engine's options
    /// determine the code. It is for machines like this one.
    /// </summary>
    /// <param name="path">The file. One that is there is replaced as a whole, when all has been written.</param>
    /// <exception cref="UnsupportedModuleException">A function needs more temporaries than IL allows.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written, or no file may be made beside it.</exception>
    [RequiresDynamicCode(RuntimeCode.NeedsAssemblies)]
    public void Save(string path)
    {
        OutputFile.Check(path);
        byte[] saved = SavedModules.Write(this);
        OutputFile.Write(path, file => file.Write(saved));
    }

    /// <summary>As <see cref="Save(string)"/>, to a stream.</summary>
    /// <param name="stream">The stream that it is written to.</param>
    /// <exception cref="UnsupportedModuleException">A function needs more temporaries than IL allows.</exception>
    [RequiresDynamicCode(RuntimeCode.NeedsAssemblies)]
    public void Save(Stream stream) => stream.Write(SavedModules.Write(this));

    /// <summary>Makes an instance: links the imports, initialises, runs the start function.</summary>
    /// <param name="imports">The imports; null if the module has none.</param>
    /// <param name="fuel">
    /// Fuel for the instance, its start function and initial values included, if the engine counts; no limit if null.
    /// </param>
    /// <param name="resources">
    /// Resources that the instance's memories, tables and instances, and those that it makes in turn, count in; null for <see
    /// cref="EngineOptions.Limits"/> of its own. Instances that are given the same object count together.
    /// </param>
    /// <param name="state">What <see cref="Instance.State"/> is from the beginning, for host functions that the start function calls.</param>
    /// <exception cref="InvalidOperationException">Fuel is given, and the engine has no <see cref="EngineOptions.CountFuel"/>.</exception>
    /// <exception cref="LinkException">An import is missing or of another type, or the guest may have no more of a resource.</exception>
    /// <exception cref="TrapException">A segment does not fit, or the start function traps.</exception>
    public Instance Instantiate(Imports? imports = null, Fuel? fuel = null, GuestResources? resources = null, object? state = null) =>
        InstantiateFor(state is null ? null : instance => instance.State = state, imports, fuel, resources);

    /// <summary>
    /// Makes an instance and its typed face at once; see <see cref="Instance.As{T}"/>. Events of the interface are functions that the module
    /// imports: when it calls one, the handlers are called. Without a handler it gets zeros.
    /// </summary>
    /// <typeparam name="T">The interface.</typeparam>
    /// <param name="imports">What else the module imports.</param>
    /// <param name="fuel">As for an instance without a face.</param>
    /// <param name="resources">As for an instance without a face.</param>
    /// <exception cref="BindingException">Members do not fit; the message tells all that do not.</exception>
    /// <exception cref="LinkException">An import is missing or of another type.</exception>
    /// <exception cref="TrapException">A segment does not fit, or the start function traps.</exception>
    /// <exception cref="PlatformNotSupportedException">This process can make no code.</exception>
    public T Instantiate<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.All)] T>(Imports? imports = null, Fuel? fuel = null, GuestResources? resources = null)
        where T : class => (T)(object)FaceClass.Of(typeof(T), this, mayImport: true).Instantiate(this, imports, fuel, resources);

    /// <summary>The same, for hosts that must know the instance before its start function calls them.</summary>
    internal Instance InstantiateFor(Action<Instance>? beforeStart, Imports? imports, Fuel? fuel, GuestResources? resources = null) =>
        fuel is not null && !CountsFuel
            ? throw NothingCounts() : Linker.Instantiate(this, Linker.Resolve(this, imports ?? []), fuel, resources, beforeStart);

    /// <summary>Fuel for code that does not count would never be used up.</summary>
    internal static InvalidOperationException NothingCounts() =>
        new("The fuel would not be used: the engine's options have no CountFuel. Set EngineOptions.CountFuel.");
}
