using WasmJit.Jit.Format;

namespace WasmJit.Jit.Binary;

/// <summary>The contents of the names section. A malformed one is empty (spec 7.4: errors in it are ignored).</summary>
internal sealed class NameSection
{
    internal string? Module { get; set; }
    internal Dictionary<uint, string> Funcs { get; } = [];
    internal Dictionary<(uint Func, uint Local), string> Locals { get; } = [];
    internal Dictionary<(uint Func, uint Label), string> Labels { get; } = [];
    internal Dictionary<uint, string> Types { get; } = [];
    internal Dictionary<uint, string> Tables { get; } = [];
    internal Dictionary<uint, string> Memories { get; } = [];
    internal Dictionary<uint, string> Globals { get; } = [];
    internal Dictionary<uint, string> Elems { get; } = [];
    internal Dictionary<uint, string> Datas { get; } = [];
    internal Dictionary<(uint Type, uint Field), string> Fields { get; } = [];
    internal Dictionary<uint, string> Tags { get; } = [];
    internal Dictionary<uint, string> Modules { get; } = [];
    internal Dictionary<uint, string> Instances { get; } = [];
    internal Dictionary<uint, string> Scopes { get; } = [];
}

/// <summary>
/// The names of the functions and of the module as offsets in the bytes, which is enough for compiling. A large module then does not have all of them
/// as strings.
/// </summary>
internal sealed class FuncNames(ReadOnlyMemory<byte> bytes, int functions)
{
    private readonly int[] places = new int[functions];

    internal string? Module { get; set; }

    internal string? this[int index] => Find(index, int.MaxValue);

    /// <summary>The name of a function, or its first bytes; null if it has none.</summary>
    /// <param name="index">The function.</param>
    /// <param name="most">How many bytes of it are read.</param>
    internal string? Find(int index, int most)
    {
        if ((uint)index >= (uint)places.Length || places[index] == 0) return null;
        var reader = new ByteReader(bytes.Span, places[index], bytes.Length);
        return reader.Name(most);
    }

    /// <summary>Notes that the name of a function is at an offset. The function need not exist.</summary>
    internal void Add(uint index, int at)
    {
        if (index < places.Length) places[index] = at;
    }
}
