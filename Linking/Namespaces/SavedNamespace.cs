using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using WasmJit.Runtime;

namespace WasmJit;

/// <summary>
/// A directory of modules saved ahead of time as .NET assemblies (<c>wasmjit compile</c>, <see cref="Module.Save(string)"/>), for hosts that compile
/// nothing. The file <c>lib/x.so.dll</c> is the module <c>lib/x.so</c>, and <c>y.dll</c> is both <c>y</c> and <c>y.wasm</c>. The directory is listed
/// once, so no path, and no file that is put into the directory later, leads anywhere else.
/// </summary>
/// <remarks>
/// Saved modules are code of the host: the directory must be one that no guest can write. While a module is in use, all who load
/// it with the same engine get the same one.
/// </remarks>
public sealed class SavedNamespace : ModuleNamespace
{
    private const string Extension = ".dll";

    private readonly Dictionary<string, string> files = new(StringComparer.Ordinal);
    private readonly ConditionalWeakTable<Engine, Dictionary<string, WeakReference<Module>>> loaded = [];

    /// <summary>Reads what is in a directory, and in those below it.</summary>
    /// <param name="directory">The directory, on the host.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such directory.</exception>
    [RequiresDynamicCode(RuntimeCode.NeedsAssemblies)]
    public SavedNamespace(string directory)
    {
        string root = Path.GetFullPath(directory);
        var all = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };
        foreach (string file in Directory.EnumerateFiles(root, "*" + Extension, all).Order(StringComparer.Ordinal))
        {
            string path = Path.GetRelativePath(root, file).Replace(Path.DirectorySeparatorChar, '/');
            files[path[..^Extension.Length]] = file;
        }
        foreach ((string path, string file) in files.ToArray()) files.TryAdd(path + ".wasm", file);
    }

    /// <summary>The paths of the modules.</summary>
    public IReadOnlyCollection<string> Paths => files.Keys;

    /// <inheritdoc/>
    protected internal override Module? Find(string path, ModuleCompiler compiler)
    {
        if (!files.TryGetValue(path, out string? file)) return null;
        Dictionary<string, WeakReference<Module>> modules = loaded.GetOrCreateValue(compiler.Engine);
        lock (modules)
        {
            if (modules.TryGetValue(file, out WeakReference<Module>? known) && known.TryGetTarget(out Module? module)) return module;
            try
            {
                module = compiler.Engine.LoadSaved(file);
            }
            catch (SavedModuleException e)
            {
                throw new IOException($"{path} cannot be loaded: {e.Message}", e);
            }
            modules[file] = new WeakReference<Module>(module);
            return module;
        }
    }

    /// <inheritdoc/>
    protected internal override ModuleNamespace? FindDirectory(string path) =>
        files.Keys.Any(k => k.StartsWith(path + "/", StringComparison.Ordinal)) ? base.FindDirectory(path) : null;
}
