using System.Linq.Expressions;
using System.Reflection;
using WasmJit.Jit.Calls;
using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>Options for running a component.</summary>
public sealed record ComponentOptions
{
    /// <summary>How many bytes of strings and lists a single call may copy, each way.</summary>
    public long MaximumCopiedBytes { get; init; } = 256 << 20;

    /// <summary>Fuel for the component, if its engine counts.</summary>
    public Fuel? Fuel { get; init; }

    /// <summary>Its memories, tables and instances count in these resources; null for its engine's options.</summary>
    public GuestResources? Resources { get; init; }
}

/// <summary>
/// The imports of a component, each a function with its type: from the host, or from other components. Values are copied.
/// </summary>
public sealed class ComponentImports
{
    internal Dictionary<(string Module, string Name), (ComponentFuncType Type, Func<object?[], object?> Function)> Items { get; } = [];

    /// <summary>Adds a function of the host.</summary>
    /// <param name="module">The module name that the component imports from.</param>
    /// <param name="name">The name there.</param>
    /// <param name="type">The type, as <see cref="ComponentFuncType.Parse"/> reads it.</param>
    /// <param name="function">Gets the arguments, returns the result (null if there is none), in the .NET forms of their types.</param>
    /// <exception cref="FormatException">The text is not a type.</exception>
    public void Add(string module, string name, string type, Func<object?[], object?> function) =>
        Items[(module, name)] = (ComponentFuncType.Parse(type), function);

    /// <summary>Adds a function of another component: each call copies arguments and result between the two memories.</summary>
    /// <param name="module">The module name that the component imports from.</param>
    /// <param name="name">The name there.</param>
    /// <param name="function">The function.</param>
    public void Add(string module, string name, ComponentFunction function) =>
        Items[(module, name)] = (function.Type, function.Call);
}

/// <summary>
/// A component that shares nothing: an instance whose memories and tables nobody else sees, and whose functions take and return copies of values, by
/// the canonical ABI of the component model. Unlike an <see cref="WasmJit.Instance"/> it has an owner, who disposes of it. Then its memory is freed
/// at once, whoever still refers to it.
/// </summary>
/// <example><code>
/// using var component = new Component(module);
/// ComponentFunction greet = component.GetFunction("greet", "func(name: string) -> string");
/// string text = (string)greet.Call("world")!;
/// </code></example>
/// <remarks>
/// The module is one that exports <c>memory</c> and <c>cabi_realloc</c>, as tools make them for components; a
/// function <c>cabi_post_NAME</c>, where there is one, is called when the result of NAME has been copied.
/// </remarks>
public sealed class Component : IDisposable
{
    private static readonly MethodInfo InvokeMethod = typeof(HostFunction).GetMethod(nameof(HostFunction.Invoke), BindingFlags.Instance | BindingFlags.NonPublic)!;

    private readonly Lock gate = new();
    private readonly ComponentOptions options;
    private Instance? instance;
    private Memory? memory;
    private Func<int, int, int, int, int>? realloc;
    private int calls;
    private bool isDisposed;

    /// <summary>Instantiates a module as a component.</summary>
    /// <param name="module">The module; it may import functions and nothing else.</param>
    /// <param name="imports">These functions; none if null.</param>
    /// <param name="options">Options; the defaults if null.</param>
    /// <exception cref="LinkException">An import is missing, of another type, or not a function; or there is no memory.</exception>
    /// <exception cref="TrapException">A segment does not fit, or the start function traps.</exception>
    public Component(Module module, ComponentImports? imports = null, ComponentOptions? options = null)
    {
        this.options = options ?? new ComponentOptions();
        var core = new Imports();
        foreach (ImportType import in module.Imports)
        {
            if (import.Type.Kind != ExternKind.Func || import.Name is null)
                throw new LinkException($"a component shares nothing: \"{import.Module}\" \"{import.Name}\" {import.Type} is imported");
            if (imports?.Items.TryGetValue((import.Module, import.Name), out var given) == true)
                core.Add(import.Module, import.Name, new HostFunction(this, given.Type, given.Function, module.SavedCode is not null).Delegate);
        }
        Enter();
        try
        {
            module.InstantiateFor(Take, core, this.options.Fuel, this.options.Resources);
        }
        catch
        {
            Leave();
            Dispose();
            throw;
        }
        Leave();
    }

    private void Take(Instance made)
    {
        instance = made;
        if (!made.TryGetExport("memory", out memory) || memory.Type.Is64) throw new LinkException("the component exports no memory of 32 bits");
        realloc = made.TryGetExport("cabi_realloc", out Func<int, int, int, int, int>? function) ? function : null;
    }

    /// <summary>Whether it has been disposed of.</summary>
    public bool IsDisposed => isDisposed;

    /// <summary>A function that the component exports.</summary>
    /// <param name="name">The export.</param>
    /// <param name="type">The type, as <see cref="ComponentFuncType.Parse"/> reads it.</param>
    /// <exception cref="FormatException">The text is not a type.</exception>
    /// <exception cref="KeyNotFoundException">There is no such function.</exception>
    /// <exception cref="InvalidCastException">The module's function does not have the signature that the type asks for.</exception>
    /// <exception cref="ObjectDisposedException">The component has been disposed of.</exception>
    public ComponentFunction GetFunction(string name, string type) => GetFunction(name, ComponentFuncType.Parse(type));

    /// <summary>As <see cref="GetFunction(string, string)"/>.</summary>
    /// <param name="name">The export.</param>
    /// <param name="type">The type.</param>
    public ComponentFunction GetFunction(string name, ComponentFuncType type)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        FuncType core = type.Core(isImport: false);
        Delegate function = Export(name, core) ?? throw new KeyNotFoundException($"The component exports no function \"{name}\".");
        return new ComponentFunction(this, name, type, function, Export($"cabi_post_{name}", new FuncType(core.Results, [])));
    }

    private Delegate? Export(string name, FuncType core)
    {
        if (instance!.FindInternal(name) is not FuncRef func) return null;
        var own = (FuncType)func.Type.Composite;
        if (own.Params.SequenceEqual(core.Params) && own.Results.SequenceEqual(core.Results)) return func.Delegate;
        throw new InvalidCastException($"The function \"{name}\" is {own}, {core} was expected.");
    }

    /// <summary>
    /// Frees the component's memories: at once if no call is in it, otherwise when the last one leaves. Later calls fail. Any thread may call this,
    /// and several times.
    /// </summary>
    public void Dispose()
    {
        lock (gate)
        {
            isDisposed = true;
            if (calls == 0) Free();
        }
    }

    private void Free()
    {
        if (instance is null) return;
        Free(instance, []);
        instance = null;
        memory = null;
        realloc = null;
    }

    /// <summary>
    /// Frees an instance and those that module linking made in it. It imports functions alone, so nobody else has them. Functions that have got out,
    /// in an exception for one, must not be called any more, because they count no calls.
    /// </summary>
    private static void Free(InstanceCore instance, HashSet<InstanceCore> known)
    {
        if (!known.Add(instance)) return;
        instance.Withdraw();
        foreach (Memory each in instance.Memories) each.Dispose();
        foreach (InstanceCore inner in instance.Instances) Free(inner, known);
    }

    internal void Enter()
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            calls++;
        }
    }

    internal void Leave()
    {
        lock (gate)
        {
            if (--calls == 0 && isDisposed) Free();
        }
    }

    /// <summary>A copy in one direction; only between <see cref="Enter"/> and <see cref="Leave"/>.</summary>
    internal CanonicalAbi Copy() => new(memory!, realloc, options.MaximumCopiedBytes);

    /// <summary>A function that the component imports, with the type of its module.</summary>
    private sealed class HostFunction(Component component, ComponentFuncType type, Func<object?[], object?> function, bool isSaved)
    {
        internal Delegate Delegate
        {
            get
            {
                Signature signature = Signature.Of(type.Core(isImport: true));
                ParameterExpression[] parameters = [.. signature.HostParameters.Select(p => Expression.Parameter(p))];
                Expression call = Expression.Call(
                    Expression.Constant(this), InvokeMethod,
                    Expression.NewArrayInit(typeof(object), parameters.Select(p => Expression.Convert(p, typeof(object)))));
                Expression body = signature.HostReturn == typeof(void) ? call : Expression.Convert(call, signature.HostReturn);
                return Expression.Lambda(signature.DelegateType, body, parameters).Compile(preferInterpretation: isSaved);
            }
        }

        /// <summary>The component calls: it is in a call, so its memory stays.</summary>
        internal object? Invoke(object[] core)
        {
            object?[] arguments = type.Arguments is not { } record ? []
                : (object?[])(type.HasFlatArguments ? component.Copy().Lift(core, record) : component.Copy().Load((uint)(int)core[0], record))!;
            object? result = function(arguments);
            if (type.Result is not { } resultType) return null;
            if (!type.HasFlatResult)
            {
                CanonicalAbi copy = component.Copy();
                uint address = (uint)(int)core[^1];
                copy.CheckRoom(address, resultType);
                copy.Store(result, resultType, address);
                return null;
            }
            var flat = new List<object>();
            component.Copy().Lower(result, resultType, flat);
            return flat[0];
        }
    }
}
