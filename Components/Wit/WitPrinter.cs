using System.Text;

namespace WasmJit.Components;

/// <summary>
/// Prints the type of a component as WIT (WIT.md): a world with its imports and exports, and the interfaces that these have names of, in their packages.
/// </summary>
internal sealed class WitPrinter
{
    private const string World = "world";

    private readonly Dictionary<DefinedType, (string Owner, string Name)> names = new(ReferenceEqualityComparer.Instance);

    /// <summary>The interfaces in the order in which they are named, each with the first type that has it.</summary>
    private readonly List<(string Name, ComponentInstanceType Type)> interfaces = [];
    private readonly HashSet<string> interfaceNames = [];

    private readonly List<string> lines = [];
    private readonly WitLimit limit = new();

    private WitPrinter()
    {
    }

    /// <summary>The WIT of a component that has been validated.</summary>
    /// <exception cref="UnsupportedModuleException">It is too long.</exception>
    internal static string Print(ComponentDefinition component)
    {
        var printer = new WitPrinter();
        printer.PrintWorld(component);
        var text = new StringBuilder();
        foreach (string line in printer.lines) text.Append(line).Append('\n');
        return text.ToString();
    }

    private void PrintWorld(ComponentDefinition component)
    {
        ComponentSignature signature = component.Spaces.Signature;
        var (imports, importNames) = Items(signature.Imports, component.Definitions.OfType<ImportDefinition>().Select(d => d.Name));
        var (exports, exportNames) = Items(signature.Exports, component.Definitions.OfType<ExportDefinition>().Select(d => d.Name));
        Register(imports, "import ", importNames);
        Register(exports, "export ", exportNames);
        var world = new WitBlock(World, null, names, limit);
        world.AddItems(imports, "import ", importNames);
        if (imports.Count > 0 && exports.Count > 0) world.Add("");
        world.AddItems(exports, "export ", exportNames);
        lines.Add("package root:component;");
        lines.Add("");
        AddBlock("world root", world, 0);
        foreach (IGrouping<string, (string Name, ComponentInstanceType Type)> package in interfaces.GroupBy(i => WitNames.Package(i.Name)))
        {
            lines.Add("");
            lines.Add($"package {package.Key} {{");
            bool isFirst = true;
            foreach ((string name, ComponentInstanceType type) in package)
            {
                if (!isFirst) lines.Add("");
                isFirst = false;
                var block = new WitBlock(name, package.Key, names, limit);
                block.AddItems(type.Exports, null);
                AddBlock($"interface {WitNames.Interface(name)}", block, 1);
            }
            lines.Add("}");
        }
    }

    private void AddBlock(string head, WitBlock block, int depth)
    {
        string indent = new(' ', 2 * depth);
        lines.Add($"{indent}{head} {{");
        foreach (string line in block.Lines) lines.Add(line.Length == 0 ? "" : $"{indent}  {line}");
        lines.Add(indent + "}");
    }

    /// <summary>The items of the world, named as WIT does: with all of their version.</summary>
    private static (List<ExternItem> Items, Dictionary<string, ExternName> Names) Items(IReadOnlyList<ExternItem> items, IEnumerable<ExternName> written)
    {
        var named = new List<ExternItem>(items.Count);
        var names = new Dictionary<string, ExternName>(items.Count);
        foreach ((ExternItem item, ExternName name) in items.Zip(written))
        {
            named.Add(item with { Name = item.Name + name.VersionSuffix });
            names[named[^1].Name] = name;
        }
        return (named, names);
    }

    private void Register(List<ExternItem> items, string prefix, Dictionary<string, ExternName> written)
    {
        foreach (ExternItem item in items)
        {
            switch (item.Type)
            {
                case { Sort: Sort.Type }:
                    Name(item.Type.Type, World, item.Name);
                    break;
                case { Sort: Sort.Instance, Type: ComponentInstanceType instance }:
                    string? implemented = written[item.Name].Implements;
                    bool isInterface = implemented is not null || item.Name.Contains(':', StringComparison.Ordinal);
                    string owner = implemented ?? (isInterface ? item.Name : prefix + item.Name);
                    if (isInterface && interfaceNames.Add(owner)) interfaces.Add((owner, instance));
                    NameTypes(instance, owner);
                    break;
            }
        }
    }

    /// <summary>Instances in instances, which WIT does not have, have types with names, too.</summary>
    private void NameTypes(ComponentInstanceType instance, string owner)
    {
        foreach (ExternItem export in instance.Exports)
        {
            if (export.Type.Sort == Sort.Type) Name(export.Type.Type, owner, export.Name);
            if (export.Type.Sort == Sort.Instance) NameTypes((ComponentInstanceType)export.Type.Type, $"{owner} {export.Name}");
        }
    }

    /// <summary>Types that need no name to be used are written out everywhere.</summary>
    private void Name(DefinedType type, string owner, string name)
    {
        if (type is ResourceType or ComponentValType { NeedsName: true }) names.TryAdd(type, (owner, name));
    }
}
