namespace WasmJit.Generators.Wit;

/// <summary>A file of WIT that the project names.</summary>
/// <param name="Path">The file.</param>
/// <param name="Text">What is in it.</param>
/// <param name="Namespace">The namespace that the project gives; null for one of the package's name below the project's own.</param>
/// <param name="Root">The project's own.</param>
internal sealed record WitInput(string Path, string Text, string? Namespace, string Root);

/// <summary>All WIT files of a project: what is used of one may be in another.</summary>
internal sealed class WitSet
{
    private readonly Dictionary<string, (WitInput Input, IReadOnlyList<WitPackage> Packages)> files = [];

    /// <summary>Files that cannot be read.</summary>
    internal Dictionary<string, WitException> Unreadable { get; } = [];

    internal WitSet(IEnumerable<WitInput> inputs)
    {
        foreach (WitInput input in inputs)
        {
            try
            {
                files[input.Path] = (input, WitReader.Read(input.Text));
            }
            catch (WitException e)
            {
                Unreadable[input.Path] = e;
            }
        }
    }

    internal IReadOnlyList<WitPackage> PackagesOf(WitInput input) => files.TryGetValue(input.Path, out var file) ? file.Packages : [];

    private IEnumerable<(WitInput Input, WitPackage Package)> All => files.Values.SelectMany(f => f.Packages.Select(p => (f.Input, p)));

    private readonly Dictionary<WitPackage, string> namespaces = [];

    /// <summary>The C# namespace of a package.</summary>
    internal string NamespaceOf(WitPackage package)
    {
        if (!namespaces.TryGetValue(package, out string? space)) namespaces[package] = space = FindNamespace(package);
        return space;
    }

    private string FindNamespace(WitPackage package)
    {
        WitInput input = All.First(f => ReferenceEquals(f.Package, package)).Input;
        if (!string.IsNullOrEmpty(input.Namespace)) return input.Namespace!;
        string own = package.Name.Length == 0 ? "" : Identifiers.Pascal(package.Name.Substring(package.Name.IndexOf(':') + 1));
        return string.Join(".", new[] { input.Root, own }.Where(part => part.Length > 0));
    }

    private readonly Dictionary<(string Path, WitPackage From, bool IsWorld), WitScope?> scopes = [];

    /// <summary>The interface or world of a path, as it is written in a package; null if no file has it.</summary>
    internal WitScope? Find(string path, WitPackage from, bool isWorld)
    {
        if (!scopes.TryGetValue((path, from, isWorld), out WitScope? found)) scopes[(path, from, isWorld)] = found = FindScope(path, from, isWorld);
        return found;
    }

    private WitScope? FindScope(string path, WitPackage from, bool isWorld)
    {
        if (from.Aliases.TryGetValue(path, out string? alias)) path = alias;
        int slash = path.LastIndexOf('/');
        string name = WitReader.ShortName(path);
        string package = slash < 0 ? from.Name : path.Substring(0, slash);
        int at = path.IndexOf('@');
        string? version = slash < 0 ? from.Version : at < 0 ? null : path.Substring(at + 1);
        // One package can be in several files, of which some leave its name out.
        WitScope[] found = [.. All.Where(f => f.Package.Name == package || (slash < 0 && (f.Package.Name.Length == 0 || from.Name.Length == 0)))
            .SelectMany(f => isWorld ? f.Package.Worlds : f.Package.Interfaces).Where(s => s.Name == name)];
        return found.FirstOrDefault(s => ReferenceEquals(s.Package, from)) ?? found.FirstOrDefault(s => s.Package.Version == version) ?? found.FirstOrDefault();
    }

    /// <summary>The definition of a name in a scope, and the scope that has it; null if there is none.</summary>
    internal (WitScope Scope, WitDefinition Definition)? Resolve(string name, WitScope scope, int depth = 0)
    {
        if (scope.FindType(name) is { } own) return (scope, own);
        if (scope.FindUse(name) is not { } use || depth > 100) return null;
        return Find(use.Interface, scope.Package, isWorld: false) is { } other ? Resolve(use.Name, other, depth + 1) : null;
    }
}
