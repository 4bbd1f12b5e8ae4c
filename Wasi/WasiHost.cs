using System.Net.Sockets;
using System.Runtime.CompilerServices;
using WasmJit.Builtins;
using WasmJit.DynamicLinking;
using WasmJit.Wasi;

namespace WasmJit;

/// <summary>
/// A host of all of WASI preview 1, for modules that import <c>wasi_snapshot_preview1</c> or the older <c>wasi_unstable</c>. A guest has what its
/// <see cref="WasiOptions"/> give it and nothing else. Any number of instances may import the functions of one object, and call them on any thread.
/// They share its files and streams, each with its own memory.
/// </summary>
/// <example><code>
/// using var wasi = new WasiHost(new WasiOptions
/// {
///     Arguments = ["app", "--help"],
///     Directories = [new WasiDirectory("/srv/data", "/data", ReadOnly: true)],
/// });
/// int exitCode = wasi.Run(module);
/// </code></example>
public sealed class WasiHost : IDisposable
{
    private const string Initialize = "_initialize";

    private static readonly (string Name, Wasi.Version Version)[] Modules =
        [("wasi_snapshot_preview1", Wasi.Version.Preview1), ("wasi_unstable", Wasi.Version.Unstable)];

    private readonly WasiContext context;
    private readonly WasiOptions options;
    private readonly Descriptor standardOutput, standardError;

    /// <summary>Makes a host.</summary>
    /// <param name="options">Options; the defaults if null.</param>
    /// <exception cref="DirectoryNotFoundException">A directory does not exist.</exception>
    /// <exception cref="ArgumentException">An argument or a variable contains a zero, or a variable has an invalid name.</exception>
    public WasiHost(WasiOptions? options = null)
        : this(options ?? new WasiOptions(), portable: false)
    {
    }

    /// <summary>With <paramref name="portable"/>, files as on systems without calls relative to directories.</summary>
    internal WasiHost(WasiOptions options, bool portable)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(options.MaximumThreads);
        this.options = options;
        var table = new DescriptorTable(options.MaximumDescriptors);
        context = new WasiContext(options, table);
        try
        {
            table.Add(StandardStreams.Input(options.Input));
            table.Add(standardOutput = StandardStreams.Output(options.Output, 1));
            table.Add(standardError = StandardStreams.Output(options.Error, 2));
            if (context.Quota is { } quota) (standardOutput.Quota, standardError.Quota) = (quota, quota);
            foreach (DirectoryDescriptor directory in Preopens.Of(options, portable, context.Quota)) table.Add(directory);
            if (options.HasSockets) AddSockets(table);
        }
        catch (WasiError)
        {
            table.CloseAll();
            throw new ArgumentException("The options give more files, directories and sockets than a guest may have descriptors.", nameof(options));
        }
        catch
        {
            table.CloseAll();
            throw;
        }
        Imports = MakeImports();
        Descriptors = new WasiLinkingDescriptors(context);
        if (options.Linking is not { } granted) return;
        Linking = new LinkingHost(granted with
        {
            Descriptors = granted.Descriptors ?? Descriptors,
            Offered = granted.Offered ?? Imports,
        });
        Imports.AddRange(Linking.Imports);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void AddSockets(DescriptorTable table)
    {
        foreach (Socket socket in options.Sockets) table.Add(SocketDescriptor.Given(socket));
    }

    /// <summary>The functions, for <see cref="Module.Instantiate"/>; more can be added.</summary>
    public Imports Imports { get; }

    /// <summary>The guest's descriptors as a <see cref="LinkingHost"/> sees them.</summary>
    public LinkingDescriptors Descriptors { get; }

    /// <summary>The built-in module <c>wasm:linking</c>, if <see cref="WasiOptions.Linking"/> grants it.</summary>
    public LinkingHost? Linking { get; }

    /// <summary>
    /// Sets the memory for callers that have none: the instance's export named "memory". An instance that has a memory is served with its own,
    /// without this.
    /// </summary>
    /// <exception cref="KeyNotFoundException">It exports none.</exception>
    public void Attach(Instance instance)
    {
        Attach(instance.GetExport<Memory>("memory"));
        Linking?.Attach(instance);
    }

    /// <summary>Sets the memory for callers that have none.</summary>
    /// <param name="memory">The memory.</param>
    public void Attach(Memory memory) => context.Attached = memory;

    /// <summary>
    /// Instantiates a library ("reactor"), whose exports can then be called. The functions work on its memory from its start function on. If it
    /// exports <c>_initialize</c>, that has run.
    /// </summary>
    /// <param name="module">The library.</param>
    /// <param name="fuel">Fuel for it, if its engine counts.</param>
    /// <param name="resources">
    /// Its memories, tables and instances count in these, as for <see cref="Module.Instantiate"/>; null for its engine's options.
    /// </param>
    /// <exception cref="LinkException">The module imports something else.</exception>
    /// <exception cref="TrapException">The guest trapped.</exception>
    /// <exception cref="WasiExitException">The guest called <c>proc_exit</c>.</exception>
    public Instance Instantiate(Module module, Fuel? fuel = null, GuestResources? resources = null)
    {
        Instance instance = Link(module, fuel, resources);
        if (instance.TryGetExport(Initialize, out Action? initialize)) initialize();
        return instance;
    }

    /// <summary>As <see cref="Instantiate(Module, Fuel?, GuestResources?)"/>, for a library, or any module, that loads shared libraries.</summary>
    /// <param name="module">The module.</param>
    /// <param name="linker">Loads the libraries that it needs, and serves its <c>dlopen</c>; one that has no program yet.</param>
    /// <param name="fuel">Fuel for module and libraries, if their engine counts.</param>
    /// <param name="resources">
    /// Its memories, tables and instances count in these, as for <see cref="Module.Instantiate"/>; null for its engine's options.
    /// </param>
    /// <exception cref="DynamicLinkException">A library is missing, or a symbol.</exception>
    /// <exception cref="TrapException">The guest trapped.</exception>
    /// <exception cref="WasiExitException">The guest called <c>proc_exit</c>.</exception>
    public Instance Instantiate(Module module, DynamicLinker linker, Fuel? fuel = null, GuestResources? resources = null)
    {
        Instance instance = Link(module, linker, fuel, resources);
        if (instance.TryGetExport(Initialize, out Action? initialize)) initialize();
        return instance;
    }

    /// <summary>
    /// Instantiates a command and runs its <c>_start</c>. If it exports none, as programs of some toolchains, runs its <c>_initialize</c>.
    /// </summary>
    /// <param name="module">The command.</param>
    /// <param name="fuel">Fuel for it, if its engine counts.</param>
    /// <param name="resources">
    /// Its memories, tables and instances count in these, as for <see cref="Module.Instantiate"/>; null for its engine's options.
    /// </param>
    /// <returns>The exit code: the argument of <c>proc_exit</c>, or 0.</returns>
    /// <exception cref="LinkException">The module imports something else.</exception>
    /// <exception cref="InvalidOperationException">It makes threads, and its engine has no <see cref="EngineOptions.Interruptible"/>.</exception>
    /// <exception cref="KeyNotFoundException">It exports neither.</exception>
    /// <exception cref="TrapException">The guest trapped.</exception>
    /// <exception cref="OperationCanceledException">
    /// <see cref="WasiOptions.Cancellation"/>, or the token of <see cref="Guest"/>, stopped it.
    /// </exception>
    public int Run(Module module, Fuel? fuel = null, GuestResources? resources = null) => Run(() => Begin(module, null, fuel, resources));

    /// <summary>As <see cref="Run(Module, Fuel?, GuestResources?)"/>, for a command that loads shared libraries.</summary>
    /// <param name="module">The command.</param>
    /// <param name="linker">Loads the libraries that it needs, and serves its <c>dlopen</c>; one that has no program yet.</param>
    /// <param name="fuel">Fuel for command and libraries, if their engine counts.</param>
    /// <param name="resources">
    /// Its memories, tables and instances count in these, as for <see cref="Module.Instantiate"/>; null for its engine's options.
    /// </param>
    /// <returns>The exit code: the argument of <c>proc_exit</c>, or 0.</returns>
    /// <exception cref="DynamicLinkException">A library is missing, or a symbol.</exception>
    /// <exception cref="TrapException">The guest trapped.</exception>
    /// <exception cref="OperationCanceledException">
    /// <see cref="WasiOptions.Cancellation"/>, or the token of <see cref="Guest"/>, stopped it.
    /// </exception>
    public int Run(Module module, DynamicLinker linker, Fuel? fuel = null, GuestResources? resources = null) =>
        Run(() => Begin(module, linker, fuel, resources));

    private int Begin(Module module, DynamicLinker? linker, Fuel? fuel, GuestResources? resources)
    {
        if (options.MaximumThreads == 0 || !WasiThreads.AreWanted(module))
            return Start(linker is null ? Link(module, fuel, resources) : Link(module, linker, fuel, resources));
        using var threads = new WasiThreads(module, linker, Imports, options.MaximumThreads, fuel, resources, options.Cancellation);
        return threads.Run(TakeMemory, Start);
    }

    private int Run(Func<int> start) => ProgramRun.ToEnd(options, start, () =>
    {
        standardOutput.Drain(context.Waiter);
        standardError.Drain(context.Waiter);
    });

    private Instance Link(Module module, DynamicLinker linker, Fuel? fuel, GuestResources? resources)
    {
        Instance instance = linker.InstantiateFor(TakeMemory, module, Imports, fuel, resources);
        linker.Initialize();
        return instance;
    }

    private static int Start(Instance instance)
    {
        if (instance.TryGetExport("_start", out Action? start) || instance.TryGetExport(Initialize, out start)) start();
        else throw new KeyNotFoundException("The module exports no _start.");
        return 0;
    }

    /// <summary>
    /// Makes an instance whose memory the functions know before its start function runs: some toolchains put the whole program there. A memory that
    /// it does not export is taken too, if it is the first.
    /// </summary>
    private Instance Link(Module module, Fuel? fuel, GuestResources? resources) => module.InstantiateFor(TakeMemory, Imports, fuel, resources);

    private void TakeMemory(Instance instance)
    {
        if (instance.Caller.TryGetMemory(out Memory? memory)) context.Attached = memory;
        Linking?.Attach(instance);
    }

    /// <summary>
    /// Closes the guest's files and directories. From then on all descriptors are bad ones. Without this the garbage collector closes them.
    /// </summary>
    public void Dispose() => context.Table.CloseAll();

    private Imports MakeImports()
    {
        var imports = new Imports();
        foreach ((string module, Wasi.Version version) in Modules) imports.AddLater(module, () => Functions(version));
        return imports;
    }

    private IReadOnlyDictionary<string, Delegate> Functions(Wasi.Version version)
    {
        var table = new FunctionTable(context);
        new ProcessFunctions(context).AddTo(table);
        new ClockFunctions(context).AddTo(table);
        new FdFunctions(context, version).AddTo(table);
        new DataFunctions(context).AddTo(table);
        new PathFunctions(context, version).AddTo(table);
        new PollFunctions(context, version).AddTo(table);
        new SocketFunctions(context, version).AddTo(table);
        return table.Functions;
    }
}
