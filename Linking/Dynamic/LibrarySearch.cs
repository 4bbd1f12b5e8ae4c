using WasmJit.DynamicLinking;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>Finds libraries: what a name means, and which file of the namespace it leads to.</summary>
internal sealed class LibrarySearch(ModuleNamespace names, IReadOnlyList<string> libraryPath)
{
    /// <summary>What a place costs where a library may be, whether it is there or not: a file system is asked.</summary>
    private const ulong UnitsPerPlace = 100;

    /// <summary>The path that a name means; null for a name that is looked for in directories. Libraries are known by the name they were first asked for with, too.</summary>
    /// <exception cref="DynamicLinkException">The name is too long.</exception>
    internal static string? PathOf(string name, DynamicLibrary? asking)
    {
        CheckLength(name);
        return name.Contains('/') ? $"/{ModuleNamespace.Canonical(Expand(name, asking))}" : null;
    }

    /// <summary>Finds a library in the namespace. A known library is not compiled again.</summary>
    /// <param name="name">The name, or a path.</param>
    /// <param name="asking">The library that asks. Its runtime path comes first.</param>
    /// <param name="compiler">Compiles what is found.</param>
    /// <param name="known">Gives a library that is loaded, or about to be, by its path.</param>
    internal (Module Module, string Path)? Find(string name, DynamicLibrary? asking, ModuleCompiler compiler, Func<string, DynamicLibrary?> known)
    {
        if (name.Length == 0) return null;
        IEnumerable<string> candidates = name.Contains('/') ? [Expand(name, asking)]
            : [.. (asking?.Section?.RuntimePath ?? []).Select(d => $"{Expand(d, asking)}/{name}"), .. libraryPath.Select(d => $"{d}/{name}")];
        foreach (string candidate in candidates)
        {
            CancellationScope.ThrowIfStopped();
            compiler.Pay(UnitsPerPlace);
            string path = $"/{ModuleNamespace.Canonical(candidate)}";
            if (known(path) is { } library) return (library.Module, path);
            if (names.TryLoad(compiler, path) is { } module) return (module, path);
        }
        return null;
    }

    /// <summary>Replaces the placeholder for the directory of the asking library.</summary>
    private static string Expand(string path, DynamicLibrary? asking)
    {
        CheckLength(path);
        string origin = asking is { Path: var own } && own.LastIndexOf('/') is > 0 and var slash ? own[..slash] : "";
        return path.Replace("${ORIGIN}", origin, StringComparison.Ordinal).Replace("$ORIGIN", origin, StringComparison.Ordinal);
    }

    /// <summary>A placeholder of seven characters can stand for a path of thousands, so names are measured before they are expanded, too.</summary>
    private static void CheckLength(string path)
    {
        if (path.Length > ModuleNamespace.LongestPath)
            throw new DynamicLinkException($"the name of a library is longer than {ModuleNamespace.LongestPath} characters: {path[..40]}...");
    }
}
