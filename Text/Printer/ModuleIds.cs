using System.Globalization;
using WasmJit.Jit.Binary;

namespace WasmJit.Text;

/// <summary>The ids of a module that is printed, by index space, and those of the modules around it.</summary>
internal sealed class ModuleIds(ModuleInfo module, ModuleIds? outer)
{
    private readonly Dictionary<uint, PrintedNames> fieldSpaces = [];
    private ILookup<uint, KeyValuePair<uint, string>>? localNames;
    private ILookup<uint, KeyValuePair<uint, string>>? fieldNames;

    internal PrintedNames Types { get; init; } = new(module.Names.Types);

    internal PrintedNames Funcs { get; } = new(module.Names.Funcs);

    internal PrintedNames Tables { get; } = new(module.Names.Tables);

    internal PrintedNames Memories { get; } = new(module.Names.Memories);

    internal PrintedNames Globals { get; } = new(module.Names.Globals);

    internal PrintedNames Tags { get; } = new(module.Names.Tags);

    internal PrintedNames Elems { get; } = new(module.Names.Elems);

    internal PrintedNames Datas { get; } = new(module.Names.Datas);

    internal PrintedNames Modules { get; } = new(module.Names.Modules);

    internal PrintedNames Instances { get; } =
        new(module.Names.Instances.Where(n => n.Key >= module.Instances.Count || module.Instances[(int)n.Key].First is null));

    internal PrintedNames Scopes { get; } = new(module.Names.Scopes);

    /// <summary>
    /// Whether ids and annotations can express all names. A nested module has one id, and the module around it names it too; and
    /// parameters cannot have names where the function type cannot be written out.
    /// </summary>
    internal bool CanBeSaid { get; set; } = true;

    internal PrintedNames SpaceOf(ExternKind kind) => kind switch
    {
        ExternKind.Func => Funcs,
        ExternKind.Table => Tables,
        ExternKind.Memory => Memories,
        ExternKind.Global => Globals,
        ExternKind.Module => Modules,
        ExternKind.Instance => Instances,
        ExternKind.Tag => Tags,
    };

    internal PrintedNames LocalNames(uint func)
    {
        localNames ??= module.Names.Locals.ToLookup(l => l.Key.Func, l => KeyValuePair.Create(l.Key.Local, l.Value));
        return new PrintedNames(localNames[func]);
    }

    internal PrintedNames FieldNames(uint type)
    {
        if (fieldSpaces.TryGetValue(type, out PrintedNames? known)) return known;
        fieldNames ??= module.Names.Fields.ToLookup(f => f.Key.Type, f => KeyValuePair.Create(f.Key.Field, f.Value));
        return fieldSpaces[type] = new PrintedNames(fieldNames[type]);
    }

    /// <summary>A type or module of an enclosing module.</summary>
    internal string OuterItem(uint depth, uint index, bool isType)
    {
        ModuleIds? around = outer;
        for (uint i = 0; i < depth && around is not null; i++) around = around.Outer;
        return around is null ? index.ToString(CultureInfo.InvariantCulture) : isType ? around.Types[index] : around.Modules[index];
    }

    private ModuleIds? Outer => outer;

    /// <summary>An exact type of a module. If a type has the module's id, the keyword tells them apart.</summary>
    internal string ExactModule(uint index)
    {
        string name = Modules[index];
        return name[0] == '$' && !Types.IsTaken(name) ? $"(exact {name})" : $"(exact (module {name}))";
    }
}
