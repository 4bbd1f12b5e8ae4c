using System.Globalization;
using System.Text;

namespace WasmJit.Components;

/// <summary>What stands between braces in WIT: the items of a world or interface, with the types that they use of others.</summary>
/// <param name="owner">Whose types need no <c>use</c> here.</param>
/// <param name="package">The package around.</param>
/// <param name="names">The owner and the name of each type that has one.</param>
/// <param name="limit">How much text there may be, with that of other blocks.</param>
internal sealed class WitBlock(string owner, string? package, IReadOnlyDictionary<DefinedType, (string Owner, string Name)> names, WitLimit limit)
{
    /// <summary>The characters that each use of a type counts for.</summary>
    private const int TextOfType = 16;

    private readonly List<string> lines = [];
    private readonly SortedDictionary<string, SortedSet<string>> uses = new(StringComparer.Ordinal);

    internal void Add(string line, int depth = 0)
    {
        limit.Spend(line.Length);
        lines.Add(new string(' ', 2 * depth) + line);
    }

    /// <summary>The lines, those that say what is used first.</summary>
    internal IEnumerable<string> Lines => Uses().Concat(lines);

    private IEnumerable<string> Uses()
    {
        foreach ((string from, SortedSet<string> used) in uses)
        {
            string path = WitNames.Package(from) == package ? WitNames.Interface(from) : from;
            yield return $"use {path}.{{{string.Join(", ", used)}}};";
        }
    }

    /// <summary>Adds the imports or exports of an interface or world.</summary>
    /// <param name="items">The items.</param>
    /// <param name="prefix"><c>import </c> or <c>export </c> in a world; null in an interface, which holds types and functions alone.</param>
    /// <param name="written">The names with their attributes, where they are known.</param>
    internal void AddItems(IReadOnlyList<ExternItem> items, string? prefix, IReadOnlyDictionary<string, ExternName>? written = null)
    {
        var members = new Dictionary<string, List<ExternItem>>();
        foreach (ExternItem item in items)
            if (WitNames.Member(item.Name).Resource is { } resource && item.Type.Sort == Sort.Func)
                (members.TryGetValue(resource, out List<ExternItem>? list) ? list : members[resource] = []).Add(item);
        foreach (ExternItem item in items)
        {
            ExternName? name = written?.GetValueOrDefault(item.Name);
            if (name?.ExternalId is { } external && WitNames.Member(item.Name).Resource is null) Add($"@external-id({Quote(external)})");
            switch (item.Type.Sort)
            {
                case Sort.Type: AddType(item.Name, item.Type.Type, members.GetValueOrDefault(item.Name) ?? []); break;
                case Sort.Func when WitNames.Member(item.Name).Resource is null:
                    Add($"{prefix}{WitNames.Id(item.Name)}: {Function((FunctionType)item.Type.Type, 0)};");
                    break;
                case Sort.Func: break;
                case Sort.Instance when prefix is not null && name?.Implements is { } implemented: Add($"{prefix}{WitNames.Id(item.Name)}: {implemented};"); break;
                case Sort.Instance when prefix is not null: AddInstance(prefix, item.Name, (ComponentInstanceType)item.Type.Type); break;
                default: Add($"// {prefix}{item.Name}: {item.Type.Kind}"); break;
            }
        }
    }

    private static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (char c in text)
        {
            if (c is '"' or '\\') quoted.Append('\\').Append(c);
            else if (char.IsControl(c)) quoted.Append(CultureInfo.InvariantCulture, $"\\u{{{(int)c:x}}}");
            else quoted.Append(c);
        }
        return quoted.Append('"').ToString();
    }

    private void AddInstance(string prefix, string name, ComponentInstanceType instance)
    {
        if (name.Contains(':', StringComparison.Ordinal))
        {
            Add($"{prefix}{name};");
            return;
        }
        var inside = new WitBlock(prefix + name, null, names, limit);
        inside.AddItems(instance.Exports, null);
        Add($"{prefix}{WitNames.Id(name)}: interface {{");
        foreach (string line in inside.Lines) Add(line, 1);
        Add("}");
    }

    // ---- types ----

    private void AddType(string name, DefinedType type, List<ExternItem> members)
    {
        string id = WitNames.Id(name);
        if (Original(type) is { } original)
        {
            if (original.Owner == owner) Add($"type {id} = {WitNames.Id(original.Name)};");
            else Use(original, name);
            return;
        }
        switch (type)
        {
            case ResourceType:
                if (members.Count == 0)
                {
                    Add($"resource {id};");
                    break;
                }
                Add($"resource {id} {{");
                foreach (ExternItem member in members) Add(Member(member), 1);
                Add("}");
                break;
            case RecordType record: AddList($"record {id}", record.Fields.Select(f => $"{WitNames.Id(f.Label)}: {Text(f.Type)}")); break;
            case VariantType variant:
                AddList($"variant {id}", variant.Cases.Select(c => WitNames.Id(c.Label) + (c.Type is null ? "" : $"({Text(c.Type)})")));
                break;
            case FlagsType flags: AddList($"flags {id}", flags.Labels.Select(WitNames.Id)); break;
            case EnumType enumeration: AddList($"enum {id}", enumeration.Labels.Select(WitNames.Id)); break;
            case ComponentValType value: Add($"type {id} = {Text(value)};"); break;
            default: Add($"// type {name}: {type.Kind}"); break;
        }
    }

    private void AddList(string head, IEnumerable<string> items)
    {
        Add(head + " {");
        foreach (string item in items) Add(item + ",", 1);
        Add("}");
    }

    /// <summary>The named type that one was made of.</summary>
    private (string Owner, string Name)? Original(DefinedType type)
    {
        for (DefinedType? origin = type.Origin; origin is not null; origin = origin.Origin)
            if (names.TryGetValue(origin, out (string Owner, string Name) found)) return found;
        return null;
    }

    private void Use((string Owner, string Name) type, string name)
    {
        // A type in a block that has no interface name cannot be used from another block.
        if (!type.Owner.Contains('/', StringComparison.Ordinal) || type.Owner.Contains(' ', StringComparison.Ordinal)) return;
        if (!uses.TryGetValue(type.Owner, out SortedSet<string>? used)) uses[type.Owner] = used = new SortedSet<string>(StringComparer.Ordinal);
        used.Add(WitNames.Id(type.Name) + (name == type.Name ? "" : $" as {WitNames.Id(name)}"));
    }

    private string Member(ExternItem member)
    {
        var type = (FunctionType)member.Type.Type;
        (ExternNameKind kind, string? resource, string name) = WitNames.Member(member.Name);
        return kind switch
        {
            ExternNameKind.Constructor when type.Result is HandleType => $"constructor({Parameters(type, 0)});",
            ExternNameKind.Constructor => $"constructor({Parameters(type, 0)}) -> {Text(type.Result!)};",
            ExternNameKind.Static => $"{WitNames.Id(name)}: static {Function(type, 0)};",
            _ => $"{WitNames.Id(name)}: {Function(type, 1)};",
        };
    }

    private string Function(FunctionType type, int skip) =>
        $"{(type.IsAsync ? "async " : "")}func({Parameters(type, skip)}){(type.Result is null ? "" : $" -> {Text(type.Result)}")}";

    private string Parameters(FunctionType type, int skip) =>
        string.Join(", ", type.Parameters.Skip(skip).Select(p => $"{WitNames.Id(p.Label)}: {Text(p.Type)}"));

    private string Text(DefinedType type)
    {
        limit.Spend(TextOfType);
        if (names.TryGetValue(type, out (string Owner, string Name) named))
        {
            if (named.Owner != owner) Use(named, named.Name);
            return WitNames.Id(named.Name);
        }
        var text = new StringBuilder();
        switch (type)
        {
            case PrimitiveType primitive: return primitive.Name;
            case ListType list: return list.Length is { } length ? $"list<{Text(list.Element)}, {length}>" : $"list<{Text(list.Element)}>";
            case TupleType tuple: return $"tuple<{string.Join(", ", tuple.Elements.Select(Text))}>";
            case OptionType option: return $"option<{Text(option.Payload)}>";
            case MapType map: return $"map<{Text(map.Key)}, {Text(map.Value)}>";
            case StreamType stream: return stream.Kind + (stream.Element is null ? "" : $"<{Text(stream.Element)}>");
            case HandleType handle: return handle.IsBorrow ? $"borrow<{Text(handle.Resource)}>" : Text(handle.Resource);
            case ResultType { Ok: null, Error: null }: return "result";
            case ResultType { Error: null } result: return $"result<{Text(result.Ok!)}>";
            case ResultType result: return $"result<{(result.Ok is null ? "_" : Text(result.Ok))}, {Text(result.Error)}>";
            // A type without a name here cannot be written.
            default: return $"/* {type.Kind} */";
        }
    }
}

/// <summary>How much text there may be: types that share their parts are written out at each use.</summary>
internal sealed class WitLimit
{
    /// <summary>Characters.</summary>
    internal const int Most = 50_000_000;

    private int left = Most;

    /// <exception cref="UnsupportedModuleException">There is more.</exception>
    internal void Spend(int length)
    {
        if (length > left) throw new UnsupportedModuleException($"WIT of more than {Most:N0} characters");
        left -= length;
    }
}
