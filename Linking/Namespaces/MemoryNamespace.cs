using System.Collections;
using System.Collections.Concurrent;

namespace WasmJit;

/// <summary>
/// A namespace in memory: a map from paths to modules, or to bytes that each load compiles. It can be changed at any time; modules that have been
/// loaded stay as they are.
/// </summary>
/// <example><code>
/// var libraries = new MemoryNamespace { { "lib/libzip.so", zip }, { "lib/libimg.so", File.ReadAllBytes("libimg.so") } };
/// Module module = libraries.Load(engine, "/lib/libzip.so");
/// </code></example>
public sealed class MemoryNamespace : ModuleNamespace, IEnumerable<string>
{
    private readonly ConcurrentDictionary<string, object> items = new(StringComparer.Ordinal);

    /// <summary>Puts a compiled module at a path, in place of the one that may be there. Everything that loads it shares its code.</summary>
    /// <param name="path">The path, from the root.</param>
    /// <param name="module">The module.</param>
    /// <exception cref="ArgumentException">The path names no place in the namespace.</exception>
    public void Add(string path, Module module) => items[Key(path)] = module;

    /// <summary>Puts a module's bytes at a path, in place of the one that may be there. Each load compiles them.</summary>
    /// <param name="path">The path, from the root.</param>
    /// <param name="bytes">The bytes, in the binary format; they are copied, and looked at only when they are loaded.</param>
    /// <exception cref="ArgumentException">The path names no place in the namespace.</exception>
    public void Add(string path, ReadOnlySpan<byte> bytes) => items[Key(path)] = bytes.ToArray();

    /// <summary>As <see cref="Add(string, ReadOnlySpan{byte})"/>.</summary>
    /// <param name="path">The path, from the root.</param>
    /// <param name="bytes">The bytes, in the binary format; they are copied.</param>
    /// <exception cref="ArgumentException">The path names no place in the namespace.</exception>
    public void Add(string path, byte[] bytes) => Add(path, bytes.AsSpan());

    /// <summary>Removes the module at a path.</summary>
    /// <param name="path">The path, from the root.</param>
    /// <returns>Whether there was something.</returns>
    /// <exception cref="ArgumentException">The path names no place in the namespace.</exception>
    public bool Remove(string path) => items.TryRemove(Key(path), out _);

    /// <inheritdoc/>
    protected internal override Module? Find(string path, ModuleCompiler compiler) => items.GetValueOrDefault(path) switch
    {
        Module module => module,
        byte[] bytes => compiler.Compile(bytes),
        _ => null,
    };

    /// <inheritdoc/>
    protected internal override ModuleNamespace? FindDirectory(string path) =>
        items.Keys.Any(k => k.Length > path.Length && k[path.Length] == '/' && k.StartsWith(path, StringComparison.Ordinal))
            ? base.FindDirectory(path) : null;

    /// <summary>The paths.</summary>
    public IEnumerator<string> GetEnumerator() => items.Keys.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static string Key(string path)
    {
        string key;
        try
        {
            key = Canonical(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ArgumentException(e.Message, nameof(path), e);
        }
        return key.Length > 0 ? key : throw new ArgumentException("The root cannot be a module.", nameof(path));
    }
}
