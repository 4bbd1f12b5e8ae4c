using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using WasmJit.Linking;
using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>
/// A valid component. It can be instantiated any number of times, on any thread; instances share its code.
/// </summary>
public sealed class WasmComponent
{
    internal WasmComponent(Engine engine, ComponentDefinition definition)
    {
        Engine = engine;
        Definition = definition;
        Closure = new ComponentClosure(new ComponentCode(engine), definition, null);
    }

    /// <summary>The engine that compiled it.</summary>
    public Engine Engine { get; }

    /// <summary>
    /// Writes the component, with the code of all functions of its core modules, for <see cref="ComponentEngine.LoadSavedComponent(Engine, string)"/>. The
    /// code is what the engine's options make it, and for machines like this one.
    /// </summary>
    /// <param name="path">The file. One that is there is replaced as a whole, when all has been written.</param>
    /// <exception cref="UnsupportedModuleException">A function needs more temporaries than IL allows.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written, or no file may be made beside it.</exception>
    [RequiresDynamicCode(RuntimeCode.NeedsAssemblies)]
    public void Save(string path)
    {
        OutputFile.Check(path);
        byte[] saved = Saved();
        OutputFile.Write(path, file => file.Write(saved));
    }

    /// <summary>As <see cref="Save(string)"/>, to a stream.</summary>
    /// <param name="stream">Where it is written.</param>
    /// <exception cref="UnsupportedModuleException">A function needs more temporaries than IL allows.</exception>
    [RequiresDynamicCode(RuntimeCode.NeedsAssemblies)]
    public void Save(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        stream.Write(Saved());
    }

    private byte[] Saved() => SavedFile ?? SavedComponents.Write(this);

    /// <summary>The file that it was loaded from.</summary>
    internal byte[]? SavedFile { get; init; }

    internal ComponentDefinition Definition { get; }

    internal ComponentClosure Closure { get; }

    internal ComponentSignature Signature => Definition.Spaces.Signature;

    /// <summary>
    /// What it has found in hosts. It is here and not with the host: what was found has the host in it, so a table of the host's would be kept by its own entries.
    /// </summary>
    private readonly ConditionalWeakTable<ComponentHost, LinkedImports> linked = [];

    /// <summary>What an instance imports.</summary>
    /// <exception cref="LinkException">Something is missing or of another type.</exception>
    internal RuntimeInstance ImportsOf(ComponentHost host, HostScope scope)
    {
        if (Signature.Imports.Length == 0) return LinkedImports.None;
        if (!linked.TryGetValue(host, out LinkedImports? imports) || !imports.IsCurrent)
        {
            imports = new ImportResolver().Resolve(Signature, host);
            linked.AddOrUpdate(host, imports);
        }
        return imports.For(scope);
    }

    /// <summary>The names of what it imports, in order.</summary>
    public IReadOnlyList<string> Imports => [.. Signature.Imports.Select(i => i.Name)];

    /// <summary>The names of what its instances export, in order.</summary>
    public IReadOnlyList<string> Exports => [.. Signature.Exports.Select(e => e.Name)];

    /// <summary>Makes an instance, which is to be disposed of: links the imports, and runs start functions.</summary>
    /// <param name="imports">What the component imports; null if it imports nothing.</param>
    /// <param name="options">What it may have; the defaults if null.</param>
    /// <exception cref="LinkException">Imports are missing or of other types: the message has all of them. Or the guest may have no more of something.</exception>
    /// <exception cref="TrapException">A start function traps.</exception>
    /// <exception cref="PlatformNotSupportedException">This process can make no code.</exception>
    public ComponentInstance Instantiate(ComponentHost? imports = null, ComponentInstanceOptions? options = null)
    {
        if (!RuntimeCode.IsAvailable) throw RuntimeCode.MissingForComponents();
        using Runtime.TracedWork? work = Runtime.TracedWork.Begin("wasmjit.instantiate");
        try
        {
            return ComponentInstance.Make(this, imports ?? new ComponentHost(), options ?? new ComponentInstanceOptions());
        }
        catch (Exception e) when (work?.HasFailed(e) == true)
        {
            // The filter never takes the exception.
            throw;
        }
    }

    /// <summary>Makes an instance as an interface: see <see cref="ComponentInstance.As{T}"/>. To dispose of what it gives disposes of the instance.</summary>
    /// <typeparam name="T">The interface; a disposable one.</typeparam>
    /// <param name="imports">What the component imports; null if it imports nothing.</param>
    /// <param name="options">What it may have; the defaults if null.</param>
    /// <exception cref="BindingException">The interface does not fit.</exception>
    /// <exception cref="LinkException">Imports are missing or of other types, or the guest may have no more of something.</exception>
    /// <exception cref="TrapException">A start function traps.</exception>
    public T Instantiate<T>(ComponentHost? imports = null, ComponentInstanceOptions? options = null)
        where T : class, IDisposable
    {
        ComponentInstance instance = Instantiate(imports, options);
        try
        {
            return instance.Into<T>();
        }
        catch
        {
            instance.Dispose();
            throw;
        }
    }
}

/// <summary>What an instance of a component may have.</summary>
public sealed record ComponentInstanceOptions
{
    /// <summary>How many bytes a call of an export, or of a function of the host, may copy to the host, as .NET objects of that size.</summary>
    public long MaximumCopiedBytes { get; init; } = 1L << 30;

    /// <summary>What it may execute, if its engine counts.</summary>
    public Fuel? Fuel { get; init; }

    /// <summary>What it may have of memories, tables and instances; what its engine's options say if null.</summary>
    public GuestResources? Resources { get; init; }
}
