using WasmJit.Components;
using WasmJit.Wasi;
using WasmJit.Wasi.Preview2;

namespace WasmJit;

/// <summary>
/// A host of WASI 0.2 and 0.3, for components that import <c>wasi:cli</c>, <c>wasi:io</c> and the others. A guest has what its <see cref="WasiOptions"/> give it and nothing
/// else: the same files, streams and limits as guests of a <see cref="WasiHost"/>. Any number of instances may import the functions of one object, and call them on any thread.
/// </summary>
/// <example><code>
/// using var wasi = new WasiComponentHost(new WasiOptions
/// {
///     Arguments = ["app", "--help"],
///     Directories = [new WasiDirectory("/srv/data", "/data", ReadOnly: true)],
/// });
/// int exitCode = wasi.Run(component);
/// </code></example>
public sealed class WasiComponentHost : IDisposable
{
    private readonly WasiState state;

    /// <summary>Makes a host.</summary>
    /// <param name="options">
    /// Options; the defaults if null. <see cref="WasiOptions.Sockets"/> and <see cref="WasiOptions.Linking"/> are for modules alone: components have no descriptors with
    /// numbers and import no modules of the host's.
    /// </param>
    /// <exception cref="DirectoryNotFoundException">A directory does not exist.</exception>
    /// <exception cref="ArgumentException">The options give more files, directories and sockets than a guest may have descriptors.</exception>
    public WasiComponentHost(WasiOptions? options = null)
        : this(options ?? new WasiOptions(), portable: false)
    {
    }

    /// <summary>With <paramref name="portable"/>, files as on systems without calls relative to directories.</summary>
    internal WasiComponentHost(WasiOptions options, bool portable)
    {
        state = new WasiState(options, portable);
        Imports = [];
        AddTo(Imports);
    }

    internal WasiState State => state;

    /// <summary>The interfaces, for <see cref="WasmComponent.Instantiate"/>; more can be added.</summary>
    public ComponentHost Imports { get; }

    /// <summary>Adds the interfaces to other imports.</summary>
    /// <exception cref="ArgumentException">There are functions of WASI in it already. Nothing is added.</exception>
    public void AddTo(ComponentHost imports)
    {
        ArgumentNullException.ThrowIfNull(imports);
        var added = new ComponentHost();
        foreach ((string name, Action<InterfaceWriter, WasiState> add) in Interfaces.All) add(new InterfaceWriter(added.Interface($"{name}@{Interfaces.Version}")), state);
        foreach ((string name, Action<InterfaceWriter, WasiState> add) in Wasi.Preview3.Interfaces.All)
            add(new InterfaceWriter(added.Interface($"{name}@{Wasi.Preview3.Interfaces.Version}")), state);
        imports.AddAll(added);
    }

    /// <summary>The name by which a component exports <c>wasi:cli/run</c>, that of the newest version if there are several; null if it does not: it is not a program.</summary>
    internal static string? RunExport(WasmComponent component) => component.Exports.Where(IsRun).Order(StringComparer.Ordinal).LastOrDefault();

    /// <summary>Whether an export makes a component a program.</summary>
    internal static bool IsRun(string export) =>
        export.StartsWith("wasi:cli/run@0.2", StringComparison.Ordinal) || export.StartsWith("wasi:cli/run@0.3", StringComparison.Ordinal);

    /// <summary>Instantiates a component, whose exports can then be called.</summary>
    /// <param name="component">The component.</param>
    /// <param name="options">What it may have; the defaults if null.</param>
    /// <exception cref="LinkException">The component imports something else.</exception>
    /// <exception cref="TrapException">The guest trapped.</exception>
    /// <exception cref="WasiExitException">The guest has ended itself.</exception>
    public ComponentInstance Instantiate(WasmComponent component, ComponentInstanceOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(component);
        return component.Instantiate(Imports, options);
    }

    /// <summary>Runs a program: a component that exports <c>wasi:cli/run</c>, in an instance of its own.</summary>
    /// <param name="component">The program.</param>
    /// <param name="options">What it may have; the defaults if null.</param>
    /// <returns>The exit code: 0 if it ran well, 1 if it says that it did not, or what it ended itself with.</returns>
    /// <exception cref="LinkException">The component imports something else.</exception>
    /// <exception cref="KeyNotFoundException">It exports no <c>wasi:cli/run</c>.</exception>
    /// <exception cref="TrapException">The guest trapped.</exception>
    /// <exception cref="OperationCanceledException">
    /// <see cref="WasiOptions.Cancellation"/>, or the token of <see cref="Guest"/>, stopped it.
    /// </exception>
    public int Run(WasmComponent component, ComponentInstanceOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(component);
        string name = RunExport(component) ?? throw new KeyNotFoundException("The component exports no wasi:cli/run.");
        return ProgramRun.ToEnd(
            state.Options,
            () =>
            {
                using ComponentInstance instance = Instantiate(component, options);
                return instance.GetInstance(name).GetFunction<Func<ComponentResult<NoValue, NoValue>>>("run")().IsOk ? 0 : 1;
            },
            () =>
            {
                state.SettleWriters();
                state.Output.Drain();
                state.Error.Drain();
            });
    }

    /// <summary>
    /// Closes the guests' directories and the standard streams' descriptors. Files that guests have open are closed with their instances. Without this the garbage
    /// collector closes them.
    /// </summary>
    public void Dispose() => state.Close();
}
