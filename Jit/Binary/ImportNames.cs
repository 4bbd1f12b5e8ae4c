namespace WasmJit.Jit.Binary;

/// <summary>
/// The names of a module's imports. In the extension they must be different, as those of exports are, and a first name alone stands for a whole
/// instance. A core module may have any names (Subtyping.md, import elaboration).
/// </summary>
internal sealed class ImportNames
{
    private readonly HashSet<(string First, string? Second)> all = [];
    private readonly Dictionary<string, bool> firstIsWhole = [];

    /// <exception cref="InvalidModuleException">The name is taken.</exception>
    internal void Add(string first, string? second, int at)
    {
        bool whole = second is null;
        if (all.Add((first, second)) && (firstIsWhole.TryAdd(first, whole) || (firstIsWhole[first] == whole && !whole))) return;
        throw new InvalidModuleException($"duplicate import name: \"{first}\"{(whole ? "" : $" \"{second}\"")}", at);
    }
}
