using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>A function type as a type use sees it.</summary>
/// <param name="ParamCount">The number of its parameters.</param>
/// <param name="Encoding">Its encoding.</param>
internal sealed record FuncShape(int ParamCount, byte[] Encoding);

/// <summary>The types of a module being encoded: explicit ones, those that uses imply, and aliases.</summary>
internal sealed class ModuleTypes(ModuleNames names, Source source)
{
    /// <summary>Types that a type use may find: alone in their group, final, without supertypes; by their encoding.</summary>
    private readonly Dictionary<string, uint> plain = [];

    private readonly Dictionary<(uint Depth, uint Index), uint> outer = [];
    private readonly Dictionary<uint, FuncShape> shapes = [];
    private readonly Dictionary<uint, string> kinds = [];
    private readonly Dictionary<(uint Type, string Field), uint> fields = [];

    /// <summary>Where types are written, -1 for those that are implied; and which are of enclosing modules.</summary>
    private readonly List<int> positions = [];
    private readonly HashSet<uint> aliased = [];

    internal IndexSpace Space { get; } = new("type");

    internal Dictionary<(uint Type, uint Field), string> FieldNames { get; } = [];

    /// <summary>How often a type has named a module: types that do cannot come before it.</summary>
    internal int ModulesNamed { get; private set; }

    internal int PositionOf(uint type) => positions[(int)type];

    internal FuncShape? ShapeOf(uint type) => shapes.GetValueOrDefault(type);

    internal bool IsAlias(uint type) => aliased.Contains(type);

    /// <summary>The keyword of a type's kind, null if that is not known here.</summary>
    internal string? KindOf(uint type) => kinds.GetValueOrDefault(type);

    internal bool FindField(uint type, string id, out uint field) => fields.TryGetValue((type, id), out field);

    internal void NameModule() => ModulesNamed++;

    /// <summary>Gives a type the next index.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="name">The name that an annotation gives it.</param>
    /// <param name="position">Where it is written.</param>
    /// <param name="token">Where a second use of the id is reported.</param>
    internal uint Define(string? id, string? name, int position, int token)
    {
        if (!Space.Define(id, name)) throw source.ErrorAt(token, $"duplicate type {id}");
        positions.Add(position);
        return Space.Count - 1;
    }

    /// <summary>Notes a type's kind and fields before it is encoded.</summary>
    internal void Describe(uint type, CompositeSyntax syntax)
    {
        kinds[type] = syntax.Kind;
        if (syntax is not StructSyntax structure) return;
        for (int i = 0; i < structure.Fields.Count; i++)
        {
            StructFieldSyntax field = structure.Fields[i];
            if (field.Id is not null && !fields.TryAdd((type, field.Id), (uint)i)) throw source.ErrorAt(field.Token, $"duplicate field {field.Id}");
            if (field.Name is not null) FieldNames[(type, (uint)i)] = field.Name;
        }
    }

    internal void SetShape(uint type, FuncShape shape) => shapes[type] = shape;

    /// <summary>Makes a type one that type uses find.</summary>
    internal void AddPlain(ReadOnlySpan<byte> encoding, uint type) => plain.TryAdd(KeyOf(encoding), type);

    /// <summary>Finds a type by its encoding. If there is none, it is added behind all others.</summary>
    /// <param name="encoding">The encoding.</param>
    /// <param name="shape">What a type use sees of it, for functions.</param>
    /// <param name="namesModules">Whether it names a module, so that it cannot stand before that.</param>
    internal uint FindOrAdd(ReadOnlySpan<byte> encoding, FuncShape? shape, bool namesModules)
    {
        string key = KeyOf(encoding);
        if (plain.TryGetValue(key, out uint known)) return known;
        uint index = Define(null, null, -1, 0);
        if (shape is not null) shapes[index] = shape;
        if (namesModules) names.Sections.UseLateTypes();
        names.Sections.Imply(SectionId.Type, encoding);
        return plain[key] = index;
    }

    internal static string KeyOf(ReadOnlySpan<byte> encoding) => System.Text.Encoding.Latin1.GetString(encoding);

    // ---- types of enclosing modules ----

    /// <summary>A type of an enclosing module, as a type of this one.</summary>
    internal uint Outer(uint depth, uint index)
    {
        if (outer.TryGetValue((depth, index), out uint known)) return known;
        names.Sections.Imply(SectionId.Alias, AliasItem.Outer(ExternByte.Type, depth, index));
        return DefineAlias(depth, index, null, null, -1, 0);
    }

    internal void Alias(TypeAliasField field)
    {
        (uint depth, uint index) = names.OuterItem(field.Item, Space.Kind, null);
        DefineAlias(depth, index, field.Id, field.Name, field.Start, field.End);
        names.Sections.Add(SectionId.Alias, AliasItem.Outer(ExternByte.Type, depth, index), field.Start);
    }

    private uint DefineAlias(uint depth, uint index, string? id, string? name, int position, int token)
    {
        uint own = Define(id, name, position, token);
        outer.TryAdd((depth, index), own);
        aliased.Add(own);
        if (names.Around(depth + 1) is { } around && around.Types.ShapeOf(index) is { } shape) shapes[own] = shape;
        return own;
    }
}
