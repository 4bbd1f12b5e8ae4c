using System.Diagnostics.CodeAnalysis;

namespace WasmJit;

/// <summary>
/// Modules by path, for a guest's <c>load</c>, <c>load_at</c> and <c>dlopen</c>. Ready-made ones are <see cref="MemoryNamespace"/>, <see
/// cref="SavedNamespace"/>, and <c>DirectoryNamespace</c> of the WASI library for a directory on disk. Others derive from this class.
/// </summary>
/// <remarks>
/// A path is components between slashes. The namespace's root is <c>/</c>, and no path leads above it: <c>.</c> and <c>..</c> are resolved in the
/// text before anything is looked up, and a <c>..</c> too many is refused. Names are compared character by character. One object can serve any number
/// of guests and threads.
/// </remarks>
public abstract class ModuleNamespace
{
    /// <summary>The longest path that is accepted, in characters.</summary>
    public const int LongestPath = 4096;

    /// <summary>Gives the module at a path, compiled if need be.</summary>
    /// <param name="engine">The engine that compiles it.</param>
    /// <param name="path">The path, from the root.</param>
    /// <exception cref="FileNotFoundException">There is no module at the path.</exception>
    /// <exception cref="UnauthorizedAccessException">The path leads out of the namespace.</exception>
    /// <exception cref="IOException">It cannot be read, or the path is too long.</exception>
    /// <exception cref="ModuleException">The file is not a valid module.</exception>
    public Module Load(Engine engine, string path) => Load(new ModuleCompiler(engine), path);

    /// <summary>As <see cref="Load(Engine, string)"/>, from a directory, which the path cannot leave either.</summary>
    /// <param name="engine">The engine that compiles it.</param>
    /// <param name="directory">The directory's path, from the root.</param>
    /// <param name="path">The path, from the directory; it must not begin with a slash.</param>
    /// <exception cref="FileNotFoundException">There is no module at the path.</exception>
    /// <exception cref="UnauthorizedAccessException">A path leads out of the namespace, or of the directory.</exception>
    /// <exception cref="IOException">It cannot be read, or a path is too long.</exception>
    /// <exception cref="ModuleException">The file is not a valid module.</exception>
    public Module LoadAt(Engine engine, string directory, string path) =>
        GetDirectory(directory).LoadRelative(new ModuleCompiler(engine), path);

    /// <summary>Gives the module at a path, if there is one. Otherwise as <see cref="Load(Engine, string)"/>.</summary>
    /// <param name="engine">The engine that compiles it.</param>
    /// <param name="path">The path, from the root.</param>
    /// <param name="module">The module.</param>
    public bool TryLoad(Engine engine, string path, [NotNullWhen(true)] out Module? module)
    {
        module = TryLoad(new ModuleCompiler(engine), path);
        return module is not null;
    }

    /// <summary>
    /// A directory as a namespace whose root it is. A missing directory may be noticed only when something is loaded from it.
    /// </summary>
    /// <param name="path">The path, from the root.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such directory.</exception>
    /// <exception cref="UnauthorizedAccessException">The path leads out of the namespace.</exception>
    /// <exception cref="IOException">It cannot be read, or the path is too long.</exception>
    public ModuleNamespace GetDirectory(string path)
    {
        string canonical = Canonical(path);
        return canonical.Length == 0 ? this : FindDirectory(canonical) ?? throw new DirectoryNotFoundException($"There is no directory {path}.");
    }

    /// <summary>Several namespaces as one: a module comes from the first that has the path.</summary>
    /// <param name="namespaces">The namespaces, in order.</param>
    public static ModuleNamespace Combine(params IEnumerable<ModuleNamespace> namespaces) => new CombinedNamespace([.. namespaces]);

    /// <summary>Finds a module.</summary>
    /// <param name="path">
    /// Components between slashes: none of them is empty, <c>.</c> or <c>..</c>, and no slash begins or ends the path.
    /// </param>
    /// <param name="compiler">Compiles bytes for the caller. A namespace of compiled modules does not need it.</param>
    /// <returns>The module; null if there is nothing at the path.</returns>
    /// <exception cref="UnauthorizedAccessException">The path leads out of the namespace, by a link for instance.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="ModuleException">The file is not a valid module.</exception>
    protected internal abstract Module? Find(string path, ModuleCompiler compiler);

    /// <summary>Finds a directory. By default it is the paths that begin with its own.</summary>
    /// <param name="path">As of <see cref="Find"/>, never empty.</param>
    /// <returns>The directory; null if there is certainly none.</returns>
    protected internal virtual ModuleNamespace? FindDirectory(string path) => new Part(this, path);

    internal Module Load(ModuleCompiler compiler, string path) =>
        TryLoad(compiler, path) ?? throw new FileNotFoundException($"There is no module {path}.");

    internal Module? TryLoad(ModuleCompiler compiler, string path)
    {
        string canonical = Canonical(path);
        return canonical.Length == 0 ? null : Find(canonical, compiler);
    }

    internal Module LoadRelative(ModuleCompiler compiler, string path)
    {
        if (path.StartsWith('/')) throw new UnauthorizedAccessException($"{path} does not begin at the directory.");
        return Load(compiler, path);
    }

    /// <summary>A path without <c>.</c>, <c>..</c> and superfluous slashes; empty for the root.</summary>
    /// <exception cref="UnauthorizedAccessException">It leads above the root.</exception>
    /// <exception cref="IOException">It is too long, or has a zero in it.</exception>
    internal static string Canonical(string path)
    {
        if (path.Length > LongestPath) throw new IOException("The path is too long.");
        if (path.Contains('\0')) throw new IOException("The path has a zero character in it.");
        var way = new List<string>();
        foreach (string name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (name == "..")
            {
                if (way.Count == 0) throw new UnauthorizedAccessException($"{path} leads out of the namespace.");
                way.RemoveAt(way.Count - 1);
            }
            else if (name != ".")
            {
                way.Add(name);
            }
        }
        return string.Join('/', way);
    }

    /// <summary>A directory of a namespace that does not make one of its own.</summary>
    private sealed class Part(ModuleNamespace whole, string prefix) : ModuleNamespace
    {
        protected internal override Module? Find(string path, ModuleCompiler compiler) => whole.Find($"{prefix}/{path}", compiler);

        protected internal override ModuleNamespace? FindDirectory(string path) => whole.FindDirectory($"{prefix}/{path}");
    }

    private sealed class CombinedNamespace(ModuleNamespace[] parts) : ModuleNamespace
    {
        protected internal override Module? Find(string path, ModuleCompiler compiler)
        {
            foreach (ModuleNamespace part in parts)
                if (part.Find(path, compiler) is { } found) return found;
            return null;
        }

        protected internal override ModuleNamespace? FindDirectory(string path)
        {
            ModuleNamespace[] found = [.. parts.Select(p => p.FindDirectory(path)).OfType<ModuleNamespace>()];
            return found.Length == 0 ? null : new CombinedNamespace(found);
        }
    }
}
