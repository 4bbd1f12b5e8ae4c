namespace WasmJit.Text;

/// <summary>The names of one index space.</summary>
internal sealed class IndexSpace(string kind)
{
    private readonly Dictionary<string, uint> byName = [];

    internal string Kind { get; } = kind;

    internal uint Count { get; private set; }

    internal Dictionary<uint, string> Names { get; } = [];

    /// <summary>Adds an item; false if the name is taken.</summary>
    internal bool Define(string? name)
    {
        uint index = Count++;
        if (name is null) return true;
        Names[index] = name;
        return byName.TryAdd(name, index);
    }

    internal bool Find(string name, out uint index) => byName.TryGetValue(name, out index);
}
