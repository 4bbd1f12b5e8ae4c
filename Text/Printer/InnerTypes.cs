using System.Globalization;
using System.Text;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>A type of the index space of a module or instance type.</summary>
/// <param name="Offset">Where its definition is; of an alias -1.</param>
/// <param name="Depth">The enclosing thing of an alias.</param>
/// <param name="Index">The type there.</param>
internal readonly record struct InnerType(int Offset, uint Depth, uint Index);

/// <summary>
/// The types of a module or instance type. A type is printed where it is used, if the reader defines the same type at
/// the same place; otherwise it is printed as a definition.
/// </summary>
/// <param name="printer">The module's.</param>
/// <param name="module">The module.</param>
/// <param name="ids">Its ids.</param>
/// <param name="outer">The type around it.</param>
internal sealed class InnerTypes(TypePrinter printer, ModuleInfo module, ModuleIds ids, InnerTypes? outer)
{
    private readonly List<InnerType> types = [];
    private readonly Dictionary<string, int> firstWithBytes = [];
    private readonly Dictionary<(uint, uint), int> firstAlias = [];
    private readonly Dictionary<int, string> bytes = [];

    /// <summary>The number of types that the reader has defined when it has read the text so far.</summary>
    private int known;

    private uint Level { get; } = outer is null ? 1 : outer.Level + 1;

    internal InnerTypes? Outer { get; } = outer;

    internal bool Failed { get; private set; }

    /// <summary>Whether types have been read that are not printed yet.</summary>
    internal bool HasPending => known < types.Count;

    internal int Known
    {
        get => known;
        set
        {
            known = value;
            Failed = false;
        }
    }

    internal void Add(ReadOnlySpan<byte> definition, int offset)
    {
        string key = Convert.ToHexString(definition);
        bytes[types.Count] = key;
        firstWithBytes.TryAdd(key, types.Count);
        types.Add(new InnerType(offset, 0, 0));
    }

    internal void AddAlias(uint depth, uint index)
    {
        firstAlias.TryAdd((depth, index), types.Count);
        types.Add(new InnerType(-1, depth, index));
    }

    /// <summary>The id of an alias of a type of the module, null if it has none.</summary>
    private string? NameOf(InnerType type)
    {
        if (type.Offset >= 0 || type.Depth != Level - 1 || type.Index >= module.Types.Count) return null;
        string name = ids.Types[type.Index];
        return name[0] == '$' ? name : null;
    }

    private bool Makes(int index)
    {
        if (index < known) return true;
        if (index != known || index >= types.Count) Failed = true;
        else known++;
        return !Failed;
    }

    /// <summary>The type as a heap type.</summary>
    internal string Reference(uint index)
    {
        if (index >= types.Count) return index.ToString(CultureInfo.InvariantCulture);
        int at = (int)index;
        InnerType type = types[at];
        if (type.Offset < 0)
        {
            if (NameOf(type) is { } name && firstAlias[(type.Depth, type.Index)] == at && Makes(at)) return name;
        }
        else if (at >= known)
        {
            string body = Body(type);
            if (Makes(at)) return body;
        }
        if (at >= known) Failed = true;
        return index.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>The type as a type use: a function, module or instance type is written out.</summary>
    internal string Use(uint index)
    {
        // A long type is written out once.
        if (index < types.Count && types[(int)index].Offset >= 0 && firstWithBytes[bytes[(int)index]] == (int)index
            && ((int)index >= known || bytes[(int)index].Length < 120))
        {
            int before = known;
            string body = Body(types[(int)index]);
            // The text between the keyword and the closing parenthesis. It must not define new types if this one is known.
            int head = body.IndexOfAny([' ', ')']);
            if (((int)index >= before || known == before) && Makes((int)index)) return body[head..^1].TrimStart();
        }
        return $"(type {Reference(index)})";
    }

    private string Body(InnerType type)
    {
        ByteReader reader = printer.At(type.Offset);
        return printer.Composite(ref reader, uint.MaxValue);
    }

    /// <summary>Prints the types that have been read but not printed as definitions.</summary>
    internal string Definitions()
    {
        var text = new StringBuilder();
        for (Failed = false; known < types.Count; known++)
        {
            InnerType type = types[known];
            text.Append(type.Offset < 0
                ? $" (alias outer {type.Depth} {NameOf(type) ?? type.Index.ToString(CultureInfo.InvariantCulture)} (type))"
                : $" (type {Body(type)})");
        }
        return text.ToString();
    }
}
