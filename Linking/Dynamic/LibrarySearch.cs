using WasmJit.DynamicLinking;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>Finds libraries: what a name means, and which file of the namespace it leads to.</summary>
internal sealed class LibrarySearch(ModuleNamespace names, IReadOnlyList<string> libraryPath)
{
    /// <summary>Whether a name means a library that is known: by its path, or by the name it was first asked for with.</summary>
    internal static bool IsNamed(DynamicLibrary library, string name, DynamicLibrary? asking)
    {
        if (!name.Contains('/')) return library.Name == name;
        return library.Path == $"/{ModuleNamespace.Canonical(Expand(name, asking))}";
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
            string path = $"/{ModuleNamespace.Canonical(candidate)}";
            if (known(path) is { } library) return (library.Module, path);
            if (names.TryLoad(compiler, path) is { } module) return (module, path);
        }
        return null;
    }

    /// <summary>Replaces the placeholder for the directory of the asking library.</summary>
    private static string Expand(string path, DynamicLibrary? asking)
    {
        string origin = asking is { Path: var own } && own.LastIndexOf('/') is > 0 and var slash ? own[..slash] : "";
        return path.Replace("${ORIGIN}", origin, StringComparison.Ordinal).Replace("$ORIGIN", origin, StringComparison.Ordinal);
    }
}
