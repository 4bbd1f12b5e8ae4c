namespace WasmJit.Text;

/// <summary>
/// The fields of a module in the order in which they are encoded. Imports and aliases come before a module's own definitions in each
/// index space, whatever the order of the text; an alias that an index position implies comes right before the field that has it, or
/// behind all others if that is a definition of the module's own.
/// </summary>
internal sealed class ModuleLayout
{
    private readonly ModuleNames names;

    /// <summary>Types that name no module come first.</summary>
    internal List<Field> Types { get; } = [];

    /// <summary>Imports, modules, instances, aliases; and types from the first one on that names a module.</summary>
    internal List<Field> First { get; } = [];

    /// <summary>The module's own definitions, exports, segments and the start.</summary>
    internal List<Field> Own { get; } = [];

    /// <summary>Puts fields in order, and gives what comes before the module's own definitions its indices.</summary>
    internal ModuleLayout(ModuleSyntax module, ModuleNames names)
    {
        this.names = names;
        var first = new List<Field>();
        foreach (Field field in module.Fields) (IsFirst(field) ? first : Own).Add(field);
        HashSet<string> typeIds = [.. first.SelectMany(TypeIds)];
        ImportsBeforeModules(first, typeIds);
        bool typesAreLate = false;
        foreach (Field field in first)
        {
            if (field is TypeField or TypeAliasField)
            {
                if (!typesAreLate && NamesModule(field, typeIds))
                {
                    typesAreLate = true;
                    names.Sections.UseLateTypes();
                }
                (typesAreLate ? First : Types).Add(field);
                continue;
            }
            AddImpliedAliases(field);
            First.Add(field);
            names.Define((DefinitionField)field);
        }
        foreach (Field field in Own) AddImpliedAliases(field);
    }

    /// <summary>Gives the module's own definitions their indices, behind imports and aliases.</summary>
    internal void DefineOwn()
    {
        foreach (Field field in Own)
        {
            if (field is DefinitionField definition) names.Define(definition);
            // Elements and data in a table or memory are segments of their own.
            if (field is ElementTableField) names.Elems.Define(null);
            else if (field is DataMemoryField) names.Datas.Define(null);
        }
    }

    private static bool IsFirst(Field field) => field is TypeField or TypeAliasField or ImportField or AliasField or ModuleField or InstanceField;

    private static IEnumerable<string> TypeIds(Field field) => field switch
    {
        TypeField types => types.Members.Select(member => member.Id).OfType<string>(),
        TypeAliasField { Id: { } id } => [id],
        _ => [],
    };

    /// <summary>In the binary format imports come before modules and instances; in the text they need not.</summary>
    private static void ImportsBeforeModules(List<Field> fields, HashSet<string> typeIds)
    {
        int first = fields.FindIndex(field => field is ModuleField or InstanceField or AliasField { IsInDefinition: true, Kind: "module" or "instance" });
        if (first < 0) return;
        for (int i = first + 1; i < fields.Count; i++)
        {
            if (fields[i] is not ImportField import || NamesModule(import, typeIds)) continue;
            fields.RemoveAt(i);
            fields.Insert(first++, import);
        }
    }

    private static bool NamesModule(Field field, HashSet<string> typeIds) =>
        field.ExactTypes.Any(exact => exact.IsModule || (exact.Index.Id is { } id && !typeIds.Contains(id)));

    private void AddImpliedAliases(Field field)
    {
        foreach (AliasSyntax alias in field.Aliases) names.Alias(alias, First);
    }
}
