namespace WasmJit.Text;

/// <summary>The names of one index space.</summary>
internal sealed class IndexSpace(string kind)
{
    private readonly Dictionary<string, uint> byName = [];

    internal string Kind { get; } = kind;

    internal uint Count { get; private set; }

    /// <summary>The names for the name section. Unlike ids they need not be unique.</summary>
    internal Dictionary<uint, string> Names { get; } = [];

    /// <summary>Adds an item; false if the id is taken.</summary>
    /// <param name="id">Its id without the dollar.</param>
    /// <param name="name">The name that an annotation gives it instead.</param>
    internal bool Define(string? id, string? name = null)
    {
        uint index = Count++;
        if ((name ?? id) is { } known) Names[index] = known;
        return id is null || byName.TryAdd(id, index);
    }

    internal bool Find(string name, out uint index) => byName.TryGetValue(name, out index);
}
