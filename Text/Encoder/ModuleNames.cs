using System.Text;
using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>The index spaces of a module being encoded, and those of the modules around it.</summary>
internal sealed class ModuleNames
{
    private readonly Source source;
    private readonly ModuleSyntax module;
    private readonly Dictionary<(string Kind, uint Instance, string Name), uint> exportAliases = [];
    private readonly Dictionary<(uint Depth, uint Index), uint> outerModules = [];
    private readonly HashSet<string> impliedInstances = [];

    internal ModuleNames(Source source, ModuleSyntax module, ModuleNames? outer)
    {
        this.source = source;
        this.module = module;
        Outer = outer;
        Sections = new FirstSections(source, outer?.Sections);
        Types = new ModuleTypes(this, source);
    }

    internal ModuleNames? Outer { get; }

    internal FirstSections Sections { get; }

    internal ModuleTypes Types { get; }

    internal IndexSpace Funcs { get; } = new("func");

    internal IndexSpace Tables { get; } = new("table");

    internal IndexSpace Memories { get; } = new("memory");

    internal IndexSpace Globals { get; } = new("global");

    internal IndexSpace Tags { get; } = new("tag");

    internal IndexSpace Elems { get; } = new("elem");

    internal IndexSpace Datas { get; } = new("data");

    internal IndexSpace Modules { get; } = new("module");

    internal IndexSpace Instances { get; } = new("instance");

    internal IndexSpace Scopes { get; } = new("scope");

    internal IndexSpace Space(string kind) => kind switch
    {
        "func" => Funcs,
        "table" => Tables,
        "memory" => Memories,
        "global" => Globals,
        "tag" => Tags,
        "elem" => Elems,
        "data" => Datas,
        "module" => Modules,
        "scope" => Scopes,
        _ => Instances,
    };

    /// <summary>Gives a definition the next index.</summary>
    internal void Define(DefinitionField field)
    {
        // Two-level imports of one first name are an instance, which takes its place where the first of them is.
        if (field is ImportField { Names: { Second: not null } names } && impliedInstances.Add(Encoding.UTF8.GetString(names.First))) Instances.Define(null);
        IndexSpace space = Space(field.Kind);
        if (!space.Define(field.Head.Id, field.Head.Name)) throw source.ErrorAt(field.Head.BehindId, $"duplicate {space.Kind} {field.Head.Id}");
        field.Index = space.Count - 1;
        if (field is AliasField { Export: { } export } alias) exportAliases.TryAdd((field.Kind, Index(Instances, alias.Instance), export), field.Index);
    }

    /// <summary>What an index stands for.</summary>
    internal uint Index(IndexSpace space, IndexSyntax index)
    {
        if (index.Alias is { } alias) return Alias(alias, null);
        if (index.Id is not { } id) return index.Number;
        return space.Find(id, out uint found) ? found : throw source.ErrorAt(index.Token, $"unknown {space.Kind} {id}");
    }

    // ---- aliases in the place of indices ----

    /// <summary>The index that an alias in the place of one stands for.</summary>
    /// <param name="alias">The alias.</param>
    /// <param name="implied">Gets new aliases; null if all must exist already.</param>
    internal uint Alias(AliasSyntax alias, List<Field>? implied)
    {
        if (alias is OuterAliasSyntax outer)
        {
            (uint depth, uint item) = OuterItem(outer.Item, Modules.Kind, null);
            if (outerModules.TryGetValue((depth, item), out uint module)) return module;
            if (implied is null) throw source.ErrorAt(alias.End, $"unknown outer module {depth}");
            implied.Add(new ImpliedAliasField(AliasItem.Outer(ExternByte.Module, depth, item)));
            Modules.Define(null);
            return outerModules[(depth, item)] = Modules.Count - 1;
        }
        var export = (ExportAliasSyntax)alias;
        uint index = Index(Instances, export.Instance);
        for (int i = 0; i < export.Names.Count; i++)
        {
            IndexSpace space = i < export.Names.Count - 1 ? Instances : Space(export.Kind);
            string name = export.Names[i];
            if (!FindExport(space, index, name, out uint found))
            {
                if (implied is null) throw source.ErrorAt(alias.End, $"unknown {space.Kind} alias of \"{name}\"");
                implied.Add(new ImpliedAliasField(AliasItem.Export(space.Kind, index, name)));
                found = DefineExport(space, index, name);
            }
            index = found;
        }
        return index;
    }

    /// <summary>Whether an export of an instance has an alias.</summary>
    internal bool FindExport(IndexSpace space, uint instance, string name, out uint index) =>
        exportAliases.TryGetValue((space.Kind, instance, name), out index);

    internal uint DefineExport(IndexSpace space, uint instance, string name)
    {
        space.Define(null);
        return exportAliases[(space.Kind, instance, name)] = space.Count - 1;
    }

    // ---- enclosing modules ----

    /// <summary>The module around this one, by their number.</summary>
    internal ModuleNames? Around(uint steps)
    {
        ModuleNames? target = this;
        for (uint i = 0; i < steps && target is not null; i++) target = target.Outer;
        return target;
    }

    /// <summary>
    /// An item of an enclosing module. Module and instance types count as enclosing, too, but have no ids
    /// that could be used here.
    /// </summary>
    /// <param name="item">The item.</param>
    /// <param name="kind">A type or a module.</param>
    /// <param name="scope">The module or instance type in which it is named.</param>
    internal (uint Depth, uint Index) OuterItem(OuterSyntax item, string kind, TypeScope? scope)
    {
        uint scopes = scope?.Level ?? 0;
        uint depth = item.Depth;
        ModuleNames? target;
        if (item.Module is { } id)
        {
            // The module itself encloses the types in it, but not its other fields.
            target = scopes == 0 ? Outer : this;
            depth = scopes == 0 ? 0 : scopes - 1;
            for (; target is not null && target.module.Id != id; depth++) target = target.Outer;
            if (target is null) throw source.ErrorAt(item.Token, $"unknown outer module {id}");
        }
        else if (scopes > 0 && depth < scopes - 1)
        {
            TypeScope inner = scope!;
            for (uint i = 0; i <= depth; i++) inner = inner.Outer!;
            return (depth, item.Item.Id is not { } local ? item.Item.Number
                : inner.Names.TryGetValue(local, out uint known) ? known : throw UnknownItem(item, kind));
        }
        else
        {
            target = Around(scopes == 0 ? depth + 1 : depth - (scopes - 1));
        }
        if (item.Item.Id is not { } name) return (depth, item.Item.Number);
        uint index = 0;
        bool isFound = target is not null && (kind == "type" ? target.Types.Space : target.Modules).Find(name, out index);
        // Types behind this module in the text are not defined yet, wherever their bytes are.
        if (isFound && target != this && kind == "type" && target!.Types.PositionOf(index) > module.Begin) isFound = false;
        return isFound ? (depth, index) : throw UnknownItem(item, kind);
    }

    private WatException UnknownItem(OuterSyntax item, string kind) => source.ErrorAt(item.Item.Token, $"unknown {kind} {item.Item.Id}");
}
