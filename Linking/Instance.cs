using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Calls;
using WasmJit.Linking;
using WasmJit.Runtime;

namespace WasmJit;

/// <summary>
/// An instance of a module. It can be called from any thread; calls of several threads at once are not serialised, so a guest
/// that is not written for it sees its own data races, as native code would. Nothing needs to be disposed: <see cref="Dispose"/> is for
/// hosts that want memory back at once.
/// </summary>
public sealed class Instance : InstanceCore, ILinkable, IDisposable
{
    private Caller? caller;
    private List<Instance>? defined;

    /// <summary>The scopes in which it has made functions, by index; empty before the first.</summary>
    internal ScopeInstance?[] Scopes = [];

    /// <summary>What it has had compiled; null before the first, and always if its code does not ask.</summary>
    internal CodeLedger? Ledger;

    internal Instance(Module module)
    {
        Module = module;
        OwnModule = module;
        Definition = module.Info;
        Services = module.Shared.Services;
        ExportCache = module.Info.State.ExportCache;
        ImportedFuncs = module.Info.ImportedFuncs;
        module.Code.Attach(this);
        module.Engine.Observer?.Invoke(this);
    }

    /// <summary>The instance as host functions get it that take their caller.</summary>
    internal Caller Caller => caller ?? Interlocked.CompareExchange(ref caller, new Caller(this), null) ?? caller;

    /// <summary>The module.</summary>
    public Module Module { get; }

    /// <summary>The names and types of the exports, in order.</summary>
    public IReadOnlyList<ExportType> Exports => Module.Exports;

    /// <summary>Why the guest's last <c>compile</c> or <c>instantiate</c> failed; null if none has.</summary>
    public string? LastLinkingError { get; internal set; }

    /// <summary>
    /// The fuel that is left to the instance; null if its engine does not count. It can be replaced between calls, and be shared with other
    /// instances. Instances and functions that a guest makes share the guest's, and keep it: a guest that makes some needs <see cref="Fuel.Add"/> for
    /// the next call, because they go on with the object that they were made with.
    /// </summary>
    /// <exception cref="InvalidOperationException">The engine does not count.</exception>
    public Fuel? Fuel
    {
        get => FuelTank?.Whole;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            if (FuelTank is null) throw Module.NothingCounts();
            FuelTank.GiveBack();
            FuelTank = value.For(Module.Info.IsForThreads);
        }
    }

    /// <summary>
    /// An object of the host that belongs to the instance: what its host functions need to know of the request, user or session that it works for. They get
    /// it from <see cref="Caller.State"/>. The engine does nothing with it.
    /// </summary>
    public object? State { get; set; }

    /// <summary>The guest's resources and their limits; null without limits. Instances that a guest makes share the guest's.</summary>
    public GuestResources? Resources => GuestLimits;

    /// <summary>Whether it has been disposed of.</summary>
    public bool IsDisposed => IsWithdrawn;

    /// <summary>
    /// Frees what the instance's module defines: its memories give back their pages at once, and it counts in no <see cref="GuestResources"/> any
    /// more. From then on its functions throw an <see cref="ObjectDisposedException"/> to every caller: to the host through a delegate that it has
    /// kept, or to another instance that has imported one. Memories, tables and globals that it imports stay as they are, and so do instances and
    /// functions that its code has made. Instances that the module defines in itself are disposed of with it.
    /// </summary>
    /// <remarks>
    /// A call that is under way, on this thread or another, goes on, and finds its memory empty: it reads zeros, or traps. It never meets bytes of
    /// others, because addresses are used again only when the garbage collector has found that the memory is unused. Cancel such calls first.
    /// Any thread may call this, and several times.
    /// </remarks>
    public void Dispose()
    {
        Withdraw();
        ModuleInfo info = Module.Info;
        for (int i = info.ImportedMemories; i < Memories.Length; i++) Memories[i].Dispose();
        for (int i = info.ImportedTables; i < Tables.Length; i++) Tables[i].EndLease();
        Lease?.End();
        FuelTank?.GiveBack();
        if (defined is null) return;
        foreach (Instance instance in defined) instance.Dispose();
    }

    /// <summary>
    /// The same for a guest that drops what it has had compiled. The guest may keep functions, and through them all of this: so tables count until they are
    /// garbage, and it is noted how many instances and memories are kept so.
    /// </summary>
    internal void Drop()
    {
        Withdraw(byGuest: true);
        for (int i = Module.Info.ImportedMemories; i < Memories.Length; i++) Memories[i].Drop();
        Lease?.Drop();
        if (defined is null) return;
        foreach (Instance instance in defined) instance.Drop();
    }

    /// <summary>
    /// As <see cref="Dispose"/>, where none of its code runs and only the caller has anything of it: other instances may have its memories' addresses at once.
    /// </summary>
    internal void Recycle()
    {
        if (defined is null)
        {
            for (int i = Module.Info.ImportedMemories; i < Memories.Length; i++) Memories[i].Recycle();
        }
        Dispose();
    }

    /// <summary>Notes an instance that a definition of the module has made.</summary>
    internal Instance Define(Instance made)
    {
        (defined ??= []).Add(made);
        return made;
    }

    DefType ILinkable.DynamicType => Module.Info.InstanceType;

    /// <summary>An export: a function as its typed delegate, a memory, a table, a global, a tag, a module or an instance.</summary>
    /// <typeparam name="T">
    /// The delegate type of a function (Func or Action of int, long, float, double, Vector128, Delegate, object; several
    /// results as a ValueTuple; or a delegate type with the same signature, in which uint, bool, smaller integers and enums may stand for int, and ulong for
    /// long), or Memory, Table, Global, Tag, Module, Instance.
    /// </typeparam>
    /// <returns>For the function's own delegate type the same object each time.</returns>
    /// <exception cref="KeyNotFoundException">There is no export of this name.</exception>
    /// <exception cref="InvalidCastException">The export is something else, or the function has another signature.</exception>
    /// <exception cref="ObjectDisposedException">The instance has been disposed of.</exception>
    public T GetExport<T>(string name)
        where T : class
    {
        object export = FindExport(name) ?? throw new KeyNotFoundException($"The instance exports no \"{name}\".");
        if (AsType<T>(export) is { } typed) return typed;
        throw new InvalidCastException(export is Delegate function && FuncRef.Behind(function) is { } func && typeof(T).IsSubclassOf(typeof(Delegate))
            ? $"The function \"{name}\" has the type {func.Type}: {Signature.Of(func.Type).DelegateName}."
            : $"The export \"{name}\" is {CSharpName.Of(export.GetType())}, not {CSharpName.Of(typeof(T))}.");
    }

    /// <summary>
    /// The instance as an interface: its methods call exports of their names, its properties are globals, memories, tables, or functions as
    /// delegates. Names may be written as in C#, in camel case or with separators, or be given with <see cref="WasmNameAttribute"/>. Texts, arrays,
    /// spans and structs of numbers go through the guest's memory, which its <c>malloc</c> or <c>cabi_realloc</c> gives.
    /// </summary>
    /// <typeparam name="T">The interface. Its events are imports: <see cref="Module.Instantiate{T}"/>.</typeparam>
    /// <returns>An object of a class made for the interface. Calls of functions over numbers cost what those of their delegates do.</returns>
    /// <exception cref="ArgumentException">The type is not an interface.</exception>
    /// <exception cref="BindingException">Members do not fit; the message tells all that do not.</exception>
    /// <exception cref="PlatformNotSupportedException">This process can make no code.</exception>
    public T As<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.All)] T>()
        where T : class
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        return (T)(object)FaceClass.Of(typeof(T), Module, mayImport: false).Make(this);
    }

    /// <summary>An export, if <see cref="GetExport"/> would give it.</summary>
    /// <returns>Whether there is one of this name and type.</returns>
    public bool TryGetExport<T>(string name, [NotNullWhen(true)] out T? export)
        where T : class
    {
        export = FindExport(name) is { } found ? AsType<T>(found) : null;
        return export is not null;
    }

    /// <summary>
    /// An export in the form that the host asks for: itself, or a function as another delegate of the same signature; null otherwise.
    /// </summary>
    private static T? AsType<T>(object export)
        where T : class
    {
        if (export is T typed) return typed;
        return export is Delegate function && typeof(T).IsSubclassOf(typeof(Delegate)) ? FunctionAs(function, typeof(T)) as T : null;
    }

    /// <summary>
    /// A guest's function as another delegate: of the same signature, or of one whose numbers are of the same kinds; null otherwise.
    /// </summary>
    internal static Delegate? FunctionAs(Delegate function, Type wanted)
    {
        if (FuncRef.Behind(function) is not { } func) return null;
        try
        {
            return EntryThunk.MakeDelegate(func, wanted);
        }
        catch (ArgumentException)
        {
            return NumberDelegates.As(function, wanted);
        }
    }

    /// <summary>An exported function that is called with values whose types are known at run time.</summary>
    /// <param name="name">The export.</param>
    /// <exception cref="KeyNotFoundException">There is no export of this name.</exception>
    /// <exception cref="InvalidCastException">The export is not a function.</exception>
    /// <exception cref="ObjectDisposedException">The instance has been disposed of.</exception>
    public UntypedFunction GetFunction(string name)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        object export = FindInternal(name) ?? throw new KeyNotFoundException($"The instance exports no \"{name}\".");
        return export is FuncRef func ? UntypedFunction.Of(func)
            : throw new InvalidCastException($"The export \"{name}\" is {CSharpName.Of(export.GetType())}, not a function.");
    }

    /// <summary>
    /// Calls an exported function with values whose types are known at run time. For many calls take the function once, with <see cref="GetFunction"/>.
    /// </summary>
    /// <param name="name">The export.</param>
    /// <param name="arguments">The arguments, each of the kind of its parameter.</param>
    /// <param name="results">Where the results go; as many as the type has.</param>
    /// <exception cref="KeyNotFoundException">There is no export of this name.</exception>
    /// <exception cref="InvalidCastException">The export is not a function.</exception>
    /// <exception cref="ArgumentException">The arguments, or the number of results, are not those of the type.</exception>
    /// <exception cref="TrapException">The guest trapped.</exception>
    public void Invoke(string name, ReadOnlySpan<Value> arguments, Span<Value> results) => GetFunction(name).Invoke(arguments, results);

    /// <summary>
    /// Calls an exported function on a thread of its own; see <see cref="Guest.RunAsync{TResult}"/>, which does the same for
    /// typed delegates.
    /// </summary>
    /// <typeparam name="TResult">The function's result; a ValueTuple of several, object for any.</typeparam>
    /// <param name="name">The export.</param>
    /// <param name="cancellation">Stops the guest.</param>
    /// <param name="arguments">The function's arguments, of exactly its types.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="InvalidOperationException">The token can be cancelled, and the engine has no <see cref="EngineOptions.Interruptible"/>.</exception>
    /// <exception cref="KeyNotFoundException">There is no export of this name.</exception>
    /// <exception cref="InvalidCastException">The export is not a function, or its result is of another type.</exception>
    /// <exception cref="ArgumentException">The arguments are not those of the function.</exception>
    public Task<TResult> InvokeAsync<TResult>(string name, CancellationToken cancellation, params object?[] arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        Delegate function = FunctionFor(name, arguments);
        Guest.CheckCanStop(function, cancellation);
        return Guest.RunAsync(() => ResultAs<TResult>(name, Invoke(function, arguments)), cancellation);
    }

    private static TResult ResultAs<TResult>(string name, object? result) => result switch
    {
        TResult wanted => wanted,
        null when default(TResult) is null => default!,
        _ => throw new InvalidCastException($"The result of \"{name}\" is {(result is null ? "nothing, or null" : CSharpName.Of(result.GetType()))}, not {CSharpName.Of(typeof(TResult))}."),
    };

    /// <summary>As <see cref="InvokeAsync{TResult}"/>, for a function without results, or whose results are not needed.</summary>
    /// <param name="name">The export.</param>
    /// <param name="cancellation">Stops the guest.</param>
    /// <param name="arguments">The function's arguments, of exactly its types.</param>
    public Task InvokeAsync(string name, CancellationToken cancellation, params object?[] arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        Delegate function = FunctionFor(name, arguments);
        Guest.CheckCanStop(function, cancellation);
        return Guest.RunAsync(() => { Invoke(function, arguments); }, cancellation);
    }

    private Delegate FunctionFor(string name, object?[] arguments)
    {
        object export = FindExport(name) ?? throw new KeyNotFoundException($"The instance exports no \"{name}\".");
        if (export is not Delegate function) throw new InvalidCastException($"The export \"{name}\" is {CSharpName.Of(export.GetType())}, not a function.");
        ParameterInfo[] parameters = function.GetType().GetMethod("Invoke")!.GetParameters();
        if (parameters.Length != arguments.Length)
            throw new ArgumentException($"The function \"{name}\" takes {parameters.Length} arguments, not {arguments.Length}.", nameof(arguments));
        for (int i = 0; i < parameters.Length; i++)
        {
            Type type = parameters[i].ParameterType;
            if (arguments[i] is null ? type.IsValueType : !type.IsInstanceOfType(arguments[i]))
                throw new ArgumentException($"Argument {i} of \"{name}\" is {CSharpName.Of(type)}, not {(arguments[i] is { } given ? CSharpName.Of(given.GetType()) : "null")}.", nameof(arguments));
        }
        return function;
    }

    private static object? Invoke(Delegate function, object?[] arguments) =>
        function.GetType().GetMethod("Invoke")!.Invoke(function, BindingFlags.DoNotWrapExceptions, null, arguments, null);

    internal object? FindExport(string name)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        object? value = FindInternal(name);
        return value is FuncRef func ? func.Delegate : value;
    }

    /// <summary>An export in the form of generated code.</summary>
    internal object? FindInternal(string name)
    {
        if (Module.Info.FindExport(name) is not { } export) return null;
        int index = (int)export.Index;
        return export.Kind switch
        {
            ExternKind.Func => GetFunc(index),
            ExternKind.Memory => Memories[index],
            ExternKind.Table => Tables[index],
            ExternKind.Global => Globals[index],
            ExternKind.Module => Modules[index],
            ExternKind.Instance => InstanceAt(index),
            ExternKind.Tag => Tags[index],
        };
    }

    /// <summary>A member of the instance index space. The instance that two-level imports form is made when it is first asked for.</summary>
    /// <param name="index">The index.</param>
    /// <param name="imports">The imports, while the index spaces are not full yet.</param>
    /// <exception cref="LinkException">The guest's limits allow no further instance.</exception>
    internal Instance InstanceAt(int index, object[]? imports = null)
    {
        Items<InstanceDecl> declared = Module.Info.Instances;
        InstanceDecl decl = declared[index];
        if (decl.First is null) return (Instance)Instances[index];
        if (Instances.Length == 0) Interlocked.CompareExchange(ref Instances, new InstanceCore[declared.Count], Array.Empty<InstanceCore>());
        if (Volatile.Read(ref Instances[index]) is Instance known) return known;
        Dictionary<string, ImportInfo> parts = decl.Parts.ToDictionary(p => p.Name!);
        Instance made = Bundle.Make(Module.Engine, (InstanceType)decl.Type.Composite, name => Part(parts[name], imports), FuelTank, GuestLimits)!;
        return (Instance?)Interlocked.CompareExchange(ref Instances[index], made, null!) ?? made;
    }

    private object Part(ImportInfo import, object[]? imports) => imports is not null ? imports[import.Number] : import.Type.Kind switch
    {
        ExternKind.Func => GetFunc(import.Index),
        ExternKind.Memory => Memories[import.Index],
        ExternKind.Table => Tables[import.Index],
        ExternKind.Global => Globals[import.Index],
        ExternKind.Module => Modules[import.Index],
        ExternKind.Instance => Instances[import.Index],
        ExternKind.Tag => Tags[import.Index],
    };
}
