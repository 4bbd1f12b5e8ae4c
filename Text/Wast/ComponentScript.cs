namespace WasmJit.Text;

/// <summary>What scripts ask of the engine of components.</summary>
internal interface IScriptComponents
{
    /// <summary>Decodes and validates a component.</summary>
    /// <exception cref="ModuleException">It is malformed or invalid.</exception>
    object Compile(byte[] bytes);

    /// <summary>Makes an instance of a component, which imports nothing.</summary>
    /// <exception cref="TrapException">A start function trapped.</exception>
    object Instantiate(object component);

    /// <summary>Calls an exported function; null if it has no result.</summary>
    /// <exception cref="TrapException">The call trapped.</exception>
    WastValue? Invoke(object instance, string export, IReadOnlyList<WastValue> arguments);
}

/// <summary>The components of a script: definitions and instances by name.</summary>
internal sealed class ComponentScript(IScriptComponents engine)
{
    private readonly Dictionary<string, object> definitions = [];
    private readonly Dictionary<string, object> instances = [];
    private object? lastDefinition;
    private object? current;

    /// <summary>Whether an action is on a component: on one with its name, or on the last instance if that is a component's.</summary>
    internal bool Owns(string? name) => name is null ? current is not null : instances.ContainsKey(name);

    /// <summary>The last instance is a module's.</summary>
    internal void Leave() => current = null;

    /// <summary>Compiles a component; instantiates it, unless it is a definition.</summary>
    internal void Define(ModuleCommand command)
    {
        if (!command.IsDefinition) current = null;
        object component = engine.Compile(command.Module.Encode());
        if (!command.IsDefinition)
        {
            SetCurrent(engine.Instantiate(component), command.Module.Name);
            return;
        }
        lastDefinition = component;
        if (command.Module.Name is { } name) definitions[name] = component;
    }

    internal void Instantiate(InstanceCommand command)
    {
        current = null;
        object? definition = command.Definition is { } name ? definitions.GetValueOrDefault(name) : lastDefinition;
        SetCurrent(engine.Instantiate(definition ?? throw new InvalidOperationException($"there is no component {command.Definition}")), command.Name);
    }

    private void SetCurrent(object instance, string? name)
    {
        current = instance;
        if (name is not null) instances[name] = instance;
    }

    /// <summary>Compiles a component that is expected to fail, and instantiates it if that is what fails.</summary>
    internal void Fail(AssertFailure assertion)
    {
        object component = engine.Compile(assertion.Module!.Encode());
        if (assertion.Kind is "assert_trap" or "assert_unlinkable" or "assert_exception") engine.Instantiate(component);
    }

    internal WastValue? Invoke(WastAction action)
    {
        if (action.Kind != WastActionKind.Invoke) throw new NotSupportedException("a component's values cannot be got");
        object instance = action.Module is { } name ? instances[name] : current!;
        return engine.Invoke(instance, action.Export, action.Args);
    }

    internal string? AssertReturns(AssertReturn assertion)
    {
        WastValue? result = Invoke(assertion.Action);
        int count = result is null ? 0 : 1;
        if (count != assertion.Results.Count) return $"{count} results, {assertion.Results.Count} expected";
        if (result is null || WastValues.MatchesComponent(result, assertion.Results[0])) return null;
        return $"{assertion.Action.Export}: the result is {result}, expected {assertion.Results[0]}";
    }
}
