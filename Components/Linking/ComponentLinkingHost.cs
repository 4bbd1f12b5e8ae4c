using WasmJit.Builtins;
using WasmJit.Jit.Format;
using WasmJit.Linking;

namespace WasmJit.Components;

/// <summary>What a component may do through the interface <c>wasmjit:linking/components</c>. By default it may do nothing.</summary>
public sealed record ComponentLinkingOptions
{
    /// <summary>Whether the guest may compile bytes.</summary>
    public bool AllowCompile { get; init; }

    /// <summary>Components that the guest can load by name; none if null.</summary>
    public IReadOnlyDictionary<string, WasmComponent>? Components { get; init; }

    /// <summary>Imports for components that the guest instantiates, beside the instances that the guest gives them; none if null.</summary>
    public ComponentHost? Offered { get; init; }

    /// <summary>What each instance that the guest makes may have. With the guest's own resources and fuel they count together.</summary>
    public ComponentInstanceOptions Instances { get; init; } = new();
}

/// <summary>
/// The interface <c>wasmjit:linking/components</c> for one guest, or several that trust one another: components that compile and instantiate components. It is
/// described in Docs/components.md. Modules have the same through <c>wasm:linking</c>, with <see cref="LinkingOptions.Components"/>.
/// </summary>
/// <example><code>
/// var linking = new ComponentLinkingHost(engine, new ComponentLinkingOptions { AllowCompile = true });
/// var host = new ComponentHost();
/// linking.AddTo(host);
/// </code></example>
/// <param name="engine">The engine that compiles. Its <see cref="LinkingQuota"/> counts what is compiled, and a component for as long as the guest has its handle.</param>
/// <param name="options">What the guest may do; nothing if null.</param>
public sealed class ComponentLinkingHost(Engine engine, ComponentLinkingOptions? options = null) : LinkingComponents
{
    /// <summary>The name of the interface.</summary>
    public const string InterfaceName = "wasmjit:linking/components@0.1.0";

    internal Engine Engine { get; } = engine ?? throw new ArgumentNullException(nameof(engine));

    /// <summary>What the guest may do.</summary>
    public ComponentLinkingOptions Options { get; } = options ?? new ComponentLinkingOptions();

    /// <summary>Adds the interface to what a component imports.</summary>
    /// <exception cref="ArgumentException">It is there already. Nothing is added.</exception>
    public void AddTo(ComponentHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        var added = new ComponentHost();
        ComponentHost face = added.Interface(InterfaceName);
        face.AddResource<LinkedComponent>("component");
        face.AddResource<LinkedInstance>("instance");
        face.AddObject(new Functions(this));
        host.AddAll(added);
    }

    private LinkedComponent Compile(byte[] bytes, Fuel? fuel, bool isForThreads)
    {
        if (!Options.AllowCompile) throw new LinkingProblemException(LinkingProblemKind.NotAllowed, "the host does not let this guest compile");
        Fuel.Pay(fuel, Fuel.OfCode((ulong)bytes.Length));
        CodeShare? counted = CodeShare.Take(Engine.Options.LinkingQuota, null, bytes.Length);
        try
        {
            return new LinkedComponent(this, ComponentEngine.Compile(Engine, bytes, isForThreads), counted);
        }
        catch
        {
            counted?.Release();
            throw;
        }
    }

    private LinkedComponent Load(string name) => Options.Components?.TryGetValue(name, out WasmComponent? found) == true ? new LinkedComponent(this, found, null)
        : throw new LinkingProblemException(LinkingProblemKind.NotFound, $"there is no component \"{name}\"");

    internal override ILinkedComponent CompileFor(Instance guest, ReadOnlySpan<byte> bytes)
    {
        // Nothing is copied of what is not allowed.
        byte[] copy = Options.AllowCompile ? bytes.ToArray() : [];
        return LinkingProblem.Do(() => Compile(copy, guest.FuelTank, guest.Module.Info.IsForThreads));
    }

    internal override ILinkedComponent LoadFor(Instance guest, string name) => LinkingProblem.Do(() => Load(name));

    private sealed class Functions(ComponentLinkingHost host)
    {
        public ComponentResult<LinkedComponent, LinkingProblem> Compile(byte[] bytes) => LinkingProblem.Try(() => host.Compile(bytes, host.Options.Instances.Fuel, isForThreads: false));

        public ComponentResult<LinkedComponent, LinkingProblem> Load(string name) => LinkingProblem.Try(() => host.Load(name));
    }
}

/// <summary>A component that a guest has.</summary>
internal sealed class LinkedComponent(ComponentLinkingHost host, WasmComponent component, CodeShare? counted) : IDisposable, ILinkedComponent
{
    public string[] Imports() => [.. component.Imports];

    public string[] Exports() => [.. component.Exports];

    public ComponentResult<LinkedInstance, LinkingProblem> Instantiate((string Name, LinkedInstance Instance)[] imports) => LinkingProblem.Try(() => Make(imports, host.Options.Instances));

    private LinkedInstance Make(IEnumerable<(string Name, LinkedInstance Instance)> imports, ComponentInstanceOptions options)
    {
        var given = new ComponentHost();
        foreach ((string name, LinkedInstance instance) in imports) given.Add(name, instance.Instance);
        if (host.Options.Offered is { } offered) given.AddMissing(offered);
        return new LinkedInstance(component.Instantiate(given, options));
    }

    IReadOnlyList<string> ILinkedObject.ImportNames => component.Imports;

    IReadOnlyList<string> ILinkedObject.ExportNames => component.Exports;

    /// <summary>What a module makes counts in its own fuel and resources, unless the host has given others.</summary>
    ILinkedInstance ILinkedComponent.InstantiateFor(Instance guest, IReadOnlyList<(string Name, ILinkedInstance Instance)> imports)
    {
        ComponentInstanceOptions options = host.Options.Instances;
        options = options with { Fuel = options.Fuel ?? (component.Engine.Options.CountFuel ? guest.FuelTank : null), Resources = options.Resources ?? guest.Resources };
        return LinkingProblem.Do(() => Make(imports.Select(i => (i.Name, (LinkedInstance)i.Instance)), options));
    }

    void ILinkedObject.End() => Dispose();

    /// <summary>The guest has dropped its handle.</summary>
    public void Dispose() => counted?.Release();
}

/// <summary>An instance that a guest has.</summary>
internal sealed class LinkedInstance(ComponentInstance instance) : IDisposable, ILinkedInstance
{
    /// <summary>Arguments of a call in bytes at most: each may become a value of the host.</summary>
    private const int MostArguments = 1 << 20;

    internal ComponentInstance Instance => instance;

    public string[] Exports() => [.. instance.Exports];

    /// <summary>Calls an exported function, or one of an exported interface: <c>interface#function</c>.</summary>
    public ComponentResult<byte[], LinkingProblem> Call(string name, byte[] arguments) => LinkingProblem.Try(() => Invoke(name, arguments));

    private byte[] Invoke(string name, byte[] arguments)
    {
        int mark = name.IndexOf('#', StringComparison.Ordinal);
        ExportedFunction function = mark < 0 ? instance.GetFunction(name) : instance.GetInstance(name[..mark]).GetFunction(name[(mark + 1)..]);
        FunctionType type = function.Function.Type;
        if (arguments.Length > MostArguments) throw new LinkingProblemException(LinkingProblemKind.TypeMismatch, "the arguments are too large");
        ComponentValue[] values = Read(type, arguments);
        ComponentValue result = function.Call(values);
        var writer = new ValueWriter();
        if (type.Result is { } resultType) writer.Write(result, resultType);
        return writer.ToArray();
    }

    IReadOnlyList<string> ILinkedObject.ImportNames => [];

    IReadOnlyList<string> ILinkedObject.ExportNames => instance.Exports;

    byte[] ILinkedInstance.CallFor(string name, byte[] arguments) => LinkingProblem.Do(() => Invoke(name, arguments));

    void ILinkedObject.End() => Dispose();

    private static ComponentValue[] Read(FunctionType type, byte[] bytes)
    {
        try
        {
            var reader = new ByteReader(bytes, 0, bytes.Length);
            var values = new ComponentValue[type.Parameters.Length];
            for (int i = 0; i < values.Length; i++) values[i] = new ValueReader(true).Read(ref reader, type.Parameters[i].Type);
            return reader.AtEnd ? values : throw new LinkingProblemException(LinkingProblemKind.TypeMismatch, "there are more arguments than parameters");
        }
        catch (ModuleException e)
        {
            throw new LinkingProblemException(LinkingProblemKind.TypeMismatch, $"arguments: {e.Message}");
        }
    }

    /// <summary>The guest has dropped its handle: the instance's memory is free at once.</summary>
    public void Dispose() => instance.Dispose();
}

/// <summary>Why something has failed, for guests.</summary>
internal enum LinkingProblemKind
{
    NotAllowed,
    QuotaExceeded,
    Malformed,
    Invalid,
    Unlinkable,
    NotFound,
    TypeMismatch,
    Trapped,
}

/// <summary>Stands for a problem until it is one of the guest's.</summary>
internal sealed class LinkingProblemException(LinkingProblemKind kind, string message) : Exception(message)
{
    internal LinkingProblemKind Kind => kind;
}

/// <summary>A problem as guests get it.</summary>
internal sealed record LinkingProblem(LinkingProblemKind Kind, string Message)
{
    /// <summary>Does something; mistakes of the guest become problems. What stops the guest goes through.</summary>
    internal static ComponentResult<T, LinkingProblem> Try<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (Of(e) is { } kind)
        {
            // Half of a pair may stand in a message that quotes the guest.
            return ComponentResult<T, LinkingProblem>.Fail(new LinkingProblem(kind, new string([.. e.Message.Select(c => char.IsSurrogate(c) ? '?' : c)])));
        }
    }

    /// <summary>The same for modules, which get a number.</summary>
    /// <exception cref="LinkingFailure">A mistake of the guest.</exception>
    internal static T Do<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (Of(e) is { } kind)
        {
            throw new LinkingFailure(ErrorOf(kind), e.Message);
        }
    }

    private static LinkingError ErrorOf(LinkingProblemKind kind) => kind switch
    {
        LinkingProblemKind.NotAllowed => LinkingError.NotAllowed,
        LinkingProblemKind.QuotaExceeded => LinkingError.QuotaExceeded,
        LinkingProblemKind.Malformed => LinkingError.Malformed,
        LinkingProblemKind.Invalid => LinkingError.Invalid,
        LinkingProblemKind.Unlinkable => LinkingError.Unlinkable,
        LinkingProblemKind.NotFound => LinkingError.NotFound,
        LinkingProblemKind.TypeMismatch => LinkingError.TypeMismatch,
        _ => LinkingError.Trapped,
    };

    private static LinkingProblemKind? Of(Exception e) => e switch
    {
        LinkingProblemException problem => problem.Kind,
        QuotaExceededException => LinkingProblemKind.QuotaExceeded,
        MalformedModuleException => LinkingProblemKind.Malformed,
        ModuleException => LinkingProblemKind.Invalid,
        CompilationNotAllowedException => LinkingProblemKind.NotAllowed,
        LinkException { Limit: not null } or OutOfMemoryException => LinkingProblemKind.QuotaExceeded,
        LinkException => LinkingProblemKind.Unlinkable,
        KeyNotFoundException or ObjectDisposedException => LinkingProblemKind.NotFound,
        TrapException { Kind: TrapKind.OutOfFuel } => null,
        TrapException => LinkingProblemKind.Trapped,
        ArgumentException or InvalidOperationException or NotSupportedException => LinkingProblemKind.TypeMismatch,
        _ => null,
    };
}
