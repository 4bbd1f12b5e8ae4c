using System.Globalization;

namespace WasmJit.Text;

/// <summary>
/// The ids of an index space. Ids must be unique, but names need not be: a repeated name gets a number as id, and the name itself
/// is in an annotation.
/// </summary>
internal sealed class PrintedNames
{
    internal static readonly PrintedNames Empty = new([]);

    private readonly Dictionary<uint, string> ids = [];
    private readonly Dictionary<uint, string> annotated = [];

    internal PrintedNames(IEnumerable<KeyValuePair<uint, string>> names)
    {
        KeyValuePair<uint, string>[] sorted = [.. names.OrderBy(n => n.Key)];
        if (sorted.Length == 0) return;
        var taken = sorted.Select(n => n.Value).ToHashSet();
        var seen = new HashSet<string>();
        var numbers = new Dictionary<string, int>();
        foreach ((uint index, string name) in sorted)
        {
            if (name.Length == 0)
            {
                annotated[index] = name;
                continue;
            }
            string id = name;
            if (!seen.Add(name))
            {
                int number = numbers.GetValueOrDefault(name);
                do id = $"{name}_{++number}"; while (!taken.Add(id));
                numbers[name] = number;
                annotated[index] = name;
            }
            ids[index] = TextStrings.Id(id);
        }
    }

    internal bool IsEmpty => ids.Count == 0 && annotated.Count == 0;

    /// <summary>The id, or the index.</summary>
    internal string this[uint index] => ids.GetValueOrDefault(index) ?? index.ToString(CultureInfo.InvariantCulture);

    private HashSet<string>? taken;

    internal bool IsTaken(string id) => (taken ??= [.. ids.Values]).Contains(id);

    internal bool Has(uint index) => ids.ContainsKey(index) || annotated.ContainsKey(index);

    /// <summary>The id and annotation of an item's definition, with a blank before them; empty if it has no name.</summary>
    internal string Definition(uint index)
    {
        string id = ids.TryGetValue(index, out string? known) ? " " + known : "";
        return annotated.TryGetValue(index, out string? name) ? $"{id} {TextStrings.NameAnnotation(name)}" : id;
    }

    /// <summary>The same, with the index in a comment where there is no id.</summary>
    internal string Numbered(uint index) => ids.ContainsKey(index) ? Definition(index) : $"{Definition(index)} (;{index};)";
}
