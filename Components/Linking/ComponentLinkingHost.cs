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
/// described in Docs/components.md.
/// </summary>
/// <example><code>
/// var linking = new ComponentLinkingHost(engine, new ComponentLinkingOptions { AllowCompile = true });
/// var host = new ComponentHost();
/// linking.AddTo(host);
/// </code></example>
/// <param name="engine">The engine that compiles. Its <see cref="LinkingQuota"/> counts what is compiled, and a component for as long as the guest has its handle.</param>
/// <param name="options">What the guest may do; nothing if null.</param>
public sealed class ComponentLinkingHost(Engine engine, ComponentLinkingOptions? options = null)
{
    /// <summary>The name of the interface.</summary>
    public const string InterfaceName = "wasmjit:linking/components@0.1.0";

    internal Engine Engine { get; } = engine ?? throw new ArgumentNullException(nameof(engine));

    /// <summary>What the guest may do.</summary>
    public ComponentLinkingOptions Options { get; } = options ?? new ComponentLinkingOptions();

    /// <summary>Adds the interface to what a component imports.</summary>
    /// <exception cref="ArgumentException">It is there already.</exception>
    public void AddTo(ComponentHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        ComponentHost face = host.Interface(InterfaceName);
        face.AddResource<LinkedComponent>("component");
        face.AddResource<LinkedInstance>("instance");
        face.AddObject(new Functions(this));
    }

    private sealed class Functions(ComponentLinkingHost host)
    {
        public ComponentResult<LinkedComponent, LinkingProblem> Compile(byte[] bytes) => LinkingProblem.Try(() =>
        {
            if (!host.Options.AllowCompile) throw new LinkingProblemException(LinkingProblemKind.NotAllowed, "the host does not let this guest compile");
            Fuel.Pay(host.Options.Instances.Fuel, Fuel.OfCode((ulong)bytes.Length));
            CodeShare? counted = CodeShare.Take(host.Engine.Options.LinkingQuota, null, bytes.Length);
            try
            {
                return new LinkedComponent(host, host.Engine.CompileComponent(bytes), counted);
            }
            catch
            {
                counted?.Release();
                throw;
            }
        });

        public ComponentResult<LinkedComponent, LinkingProblem> Load(string name) => LinkingProblem.Try(() =>
            host.Options.Components?.TryGetValue(name, out WasmComponent? found) == true ? new LinkedComponent(host, found, null)
                : throw new LinkingProblemException(LinkingProblemKind.NotFound, $"there is no component \"{name}\""));
    }
}

/// <summary>A component that a guest has.</summary>
internal sealed class LinkedComponent(ComponentLinkingHost host, WasmComponent component, CodeShare? counted) : IDisposable
{
    public string[] Imports() => [.. component.Imports];

    public string[] Exports() => [.. component.Exports];

    public ComponentResult<LinkedInstance, LinkingProblem> Instantiate((string Name, LinkedInstance Instance)[] imports) => LinkingProblem.Try(() =>
    {
        var given = new ComponentHost();
        foreach ((string name, LinkedInstance instance) in imports) given.Add(name, instance.Instance);
        if (host.Options.Offered is { } offered) given.AddMissing(offered);
        return new LinkedInstance(component.Instantiate(given, host.Options.Instances));
    });

    /// <summary>The guest has dropped its handle.</summary>
    public void Dispose() => counted?.Release();
}

/// <summary>An instance that a guest has.</summary>
internal sealed class LinkedInstance(ComponentInstance instance) : IDisposable
{
    /// <summary>Arguments of a call in bytes at most: each may become a value of the host.</summary>
    private const int MostArguments = 1 << 20;

    internal ComponentInstance Instance => instance;

    public string[] Exports() => [.. instance.Exports];

    /// <summary>Calls an exported function, or one of an exported interface: <c>interface#function</c>.</summary>
    public ComponentResult<byte[], LinkingProblem> Call(string name, byte[] arguments) => LinkingProblem.Try(() =>
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
    });

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
