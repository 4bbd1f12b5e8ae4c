using System.Security.Cryptography;
using WasmJit.Linking;

namespace WasmJit.Cli;

/// <summary>Modules of scripts with machine code that is made ahead of time, of many at once: the compiler takes a second to start.</summary>
internal sealed class NativeModules : IDisposable
{
    /// <summary>How many the compiler is given at a time.</summary>
    private const int AtATime = 400;

    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-native").FullName;
    private readonly Dictionary<string, string> names = [];

    private static string KeyOf(Module module) => Convert.ToHexString(SHA256.HashData(module.Info.Bytes.Span)) + module.Engine.CodeOptions;

    /// <summary>Writes what is to be compiled for a module.</summary>
    /// <returns>The module itself.</returns>
    internal Module Add(Module module)
    {
        string key = KeyOf(module), name = $"m{names.Count}";
        if (!names.TryAdd(key, name)) return module;
        try
        {
            File.WriteAllBytes(Path.Combine(folder, name + ".dll"), SavedModules.Write(module, isNative: true, name));
        }
        catch (UnsupportedModuleException)
        {
            names.Remove(key);
        }
        return module;
    }

    internal void Compile()
    {
        foreach (string[] some in Directory.GetFiles(folder, "*.dll").Order(StringComparer.Ordinal).Chunk(AtATime)) AheadCompiler.CompileAll(some);
    }

    /// <summary>The compiled one in place of a module.</summary>
    internal Module Exchange(Module module)
    {
        string file = Path.Combine(folder, names[KeyOf(module)] + ".dll");
        Module loaded = new Engine(module.Engine.Options with { Compilation = Compilation.Never }).LoadSaved(file);
        // What it compiles is not saved.
        return loaded.SavedCode!.UsesCompile ? module.Engine.LoadSaved(file) : loaded;
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
