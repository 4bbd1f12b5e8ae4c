using System.Reflection;
using System.Runtime.Loader;

namespace WasmJit.Runtime;

/// <summary>
/// Loads assemblies with machine code from their files. .NET uses it only if it maps the file itself, and only in a context that is never unloaded. Each has a
/// context of its own, so that no lookup by name finds one.
/// </summary>
internal static class MappedAssembly
{
    private sealed class Context(Assembly[] references) : AssemblyLoadContext("wasm")
    {
        // What is in .NET's own context it finds itself. The names of what is given here it compares as a culture would, which takes it milliseconds to prepare.
        protected override Assembly? Load(AssemblyName name) => Array.Find(references, a => GetLoadContext(a) != Default && a.GetName().Name == name.Name);
    }

    /// <summary>Loads an assembly for good.</summary>
    /// <param name="path">Its file.</param>
    /// <param name="references">The assemblies that its references mean, whatever else may have the same names.</param>
    internal static Assembly Load(string path, params Assembly[] references) => new Context(references).LoadFromAssemblyPath(PlainFile.FullPathOf(path));
}
