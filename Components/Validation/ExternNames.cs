namespace WasmJit.Components;

/// <summary>
/// The names of the imports or of the exports of a component or of a type: their form, their uniqueness, and what functions must be that are
/// named as members of a resource.
/// </summary>
/// <param name="kind"><c>import</c> or <c>export</c>.</param>
/// <param name="namesResources">Whether resource types get names by it.</param>
internal sealed class ExternNames(string kind, bool namesResources = true)
{
    private readonly Dictionary<string, string> taken = [];
    private readonly HashSet<string> resources = [];

    /// <summary>The name of each resource type that has one here; it is the object that has it, and no other of the same type.</summary>
    private readonly Dictionary<ResourceType, string> names = new(ReferenceEqualityComparer.Instance);

    /// <summary>Takes a name for a thing of a type.</summary>
    /// <exception cref="InvalidModuleException">The name breaks a rule.</exception>
    internal void Add(ExternName name, ComponentExternType type)
    {
        int at = name.Offset;
        if (ExternNameSyntax.Parse(name.Name, out ExternNameSyntax syntax) is { } wrong)
            throw new InvalidModuleException($"{kind} name `{name.Name}` is not a valid extern name: {wrong}", at);
        CheckAttributes(name, syntax, type);
        switch (syntax.Kind)
        {
            case ExternNameKind.Label when namesResources && type.Type is ResourceType resource && type.Sort == Sort.Type:
                names.TryAdd(resource, name.Name);
                resources.Add(name.Name);
                break;
            case ExternNameKind.Constructor or ExternNameKind.Method or ExternNameKind.Static:
                if (type.Sort != Sort.Func) throw new InvalidModuleException($"{kind} name `{name.Name}` is not valid: item is not a func", at);
                if (MemberProblem(syntax, (FunctionType)type.Type) is { } problem)
                    throw new InvalidModuleException($"{kind} name `{name.Name}` is not valid: {problem}", at);
                break;
        }
        if (!taken.TryAdd(ExternNameSyntax.UniquenessKey(name.Name), name.Name))
            throw new InvalidModuleException(
                $"{kind} name `{name.Name}` conflicts with previous name `{taken[ExternNameSyntax.UniquenessKey(name.Name)]}`", at);
    }

    private static void CheckAttributes(ExternName name, ExternNameSyntax syntax, ComponentExternType type)
    {
        if (name.Implements is { } interfaceName)
        {
            if (ExternNameSyntax.Parse(interfaceName, out ExternNameSyntax implemented) is { } wrong)
            {
                // A single word is a name, if of another kind.
                throw new InvalidModuleException($"`{interfaceName}` is not a valid name for `implements`, which must be an interface: {wrong}", name.Offset);
            }
            if (implemented.Kind != ExternNameKind.Interface)
                throw new InvalidModuleException($"`implements` name `{interfaceName}` must be an interface", name.Offset);
            if (type.Sort != Sort.Instance)
                throw new InvalidModuleException("only instances can have an `implements` option", name.Offset);
            if (syntax.Kind != ExternNameKind.Label)
                throw new InvalidModuleException($"name `{name.Name}` is not valid with `implements`", name.Offset);
        }
        if (name.VersionSuffix is { } suffix)
        {
            if (syntax.Version is not { } version || !ExternNameSyntax.IsCanonicalVersion(version))
                throw new InvalidModuleException($"name `{name.Name}` is not valid with `versionsuffix`: it has no canonical version", name.Offset);
            if (SemanticVersion.Problem(version + suffix) is { } wrong)
                throw new InvalidModuleException($"`{version}{suffix}` is not a valid semver: {wrong}", name.Offset);
        }
    }

    /// <summary>What is wrong with a function that is a member of a resource by its name.</summary>
    private string? MemberProblem(ExternNameSyntax syntax, FunctionType func)
    {
        string expected = syntax.Resource!;
        switch (syntax.Kind)
        {
            case ExternNameKind.Static:
                return resources.Contains(expected) ? null : "static resource name is not known in this context";
            case ExternNameKind.Constructor:
                if (func.Result is not { } result) return "function should return one value";
                ComponentValType? made = result is ResultType { Ok: { } ok } ? ok : result;
                return made is HandleType { IsBorrow: false } own ? NameProblem(own.Resource, expected)
                    : "function should return `(own $T)` or `(result (own $T))`";
            default:
                if (func.Parameters.IsEmpty) return "function should have at least one argument";
                LabelledType self = func.Parameters[0];
                if (self.Label != "self") return "function should have a first argument called `self`";
                return self.Type is HandleType { IsBorrow: true } borrow ? NameProblem(borrow.Resource, expected)
                    : "function should take a first argument of `(borrow $T)`";
        }
    }

    private string? NameProblem(ResourceType resource, string expected)
    {
        if (!names.TryGetValue(resource, out string? name)) return "resource used in function does not have a name in this context";
        return name == expected ? null : $"function does not match expected resource name `{name}`";
    }
}
