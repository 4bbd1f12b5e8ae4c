using System.Runtime.CompilerServices;

namespace WasmJit.Components;

/// <summary>Makes one component of two: what one of them imports the other exports.</summary>
public static class ComponentComposer
{
    /// <summary>
    /// Plugs imports of a component by exports of another. The result has both in it, imports what is left of the imports of both, once for each name, and exports what
    /// the first exports. Interfaces of compatible versions stand for one another, as in <see cref="ComponentHost"/>.
    /// </summary>
    /// <param name="socket">The component whose imports are plugged.</param>
    /// <param name="plug">The component whose exports plug them.</param>
    /// <returns>The component, which is valid.</returns>
    /// <exception cref="MalformedModuleException">Bytes are not in the binary format.</exception>
    /// <exception cref="InvalidModuleException">A component is invalid, or types do not match: the message says which and why.</exception>
    /// <exception cref="UnsupportedModuleException">A limit of this version, or an import of a kind that is not passed on: components, core modules and values.</exception>
    /// <exception cref="LinkException">The plug exports nothing that the socket imports.</exception>
    public static byte[] Plug(ReadOnlySpan<byte> socket, ReadOnlySpan<byte> plug)
    {
        ComponentDefinition outer = Read(socket), inner = Read(plug);
        byte[] made = new Composition(outer, inner).Write();
        Read(made);
        return made;
    }

    private static ComponentDefinition Read(ReadOnlySpan<byte> bytes)
    {
        ComponentDefinition component = ComponentDecoder.Decode(bytes.ToArray());
        ComponentValidator.Validate(component);
        return component;
    }

    /// <summary>One composition.</summary>
    private sealed class Composition
    {
        private readonly ComponentDefinition socket, plug;
        private readonly ComponentWriter writer = new();

        /// <summary>The imports of the socket that are plugged, each with the export that does.</summary>
        private readonly Dictionary<string, string> plugged = [];

        private readonly Dictionary<string, uint> imported = [];
        private readonly Dictionary<string, List<ComponentExternType>> wanted = [];
        private readonly HashSet<string> open = [];

        /// <summary>The import that brings in a resource type.</summary>
        private readonly Dictionary<ResourceType, string> makers = new(ReferenceEqualityComparer.Instance);

        /// <summary>The plug's exports by what versions that are compatible have in common.</summary>
        private readonly Dictionary<string, string> tracks = [];

        private readonly WorkBudget budget;

        internal Composition(ComponentDefinition socket, ComponentDefinition plug)
        {
            this.socket = socket;
            this.plug = plug;
            budget = new WorkBudget(socket.End + plug.End);
            foreach (ExternItem export in plug.Spaces.Signature.Exports)
                if (InterfaceVersion.Of(export.Name, out string track) is not null) tracks.TryAdd(track, export.Name);
            foreach (ExternItem import in socket.Spaces.Signature.Imports)
            {
                if (ExportFor(import.Name) is { } export) plugged[import.Name] = export;
                else Want(import);
            }
            if (plugged.Count == 0)
            {
                throw new LinkException($"none of the imports is an export of the other component: imports are {Names(socket.Spaces.Signature.Imports)}, exports {Names(plug.Spaces.Signature.Exports)}");
            }
            foreach (ExternItem import in plug.Spaces.Signature.Imports) Want(import);
        }

        private static string Names(IReadOnlyList<ExternItem> items)
        {
            const int most = 20;
            return items.Count == 0 ? "none" : string.Join(", ", items.Take(most).Select(i => i.Name)) + (items.Count > most ? $" and {items.Count - most} more" : "");
        }

        private void Want(ExternItem import)
        {
            if (!wanted.TryGetValue(import.Name, out List<ComponentExternType>? all)) wanted[import.Name] = all = [];
            all.Add(import.Type);
            foreach (ResourceType resource in Made(import.Type)) makers.TryAdd(resource.Canonical, import.Name);
        }

        /// <summary>The export that stands for an import: of its name, or of a compatible version.</summary>
        private string? ExportFor(string import)
        {
            if (plug.Spaces.Signature.FindExport(import) is not null) return import;
            return InterfaceVersion.Of(import, out string track) is null ? null : tracks.GetValueOrDefault(track);
        }

        internal byte[] Write()
        {
            ComponentSignature of = socket.Spaces.Signature, inside = plug.Spaces.Signature;
            var names = new Dictionary<string, ExternName>();
            foreach (ImportDefinition import in socket.Definitions.OfType<ImportDefinition>().Concat(plug.Definitions.OfType<ImportDefinition>())) names.TryAdd(import.Name.Name, import.Name);
            // What the plug needs, then the plug, whose types the socket's imports may use, then the rest.
            foreach (ExternItem import in inside.Imports) Import(import.Name, names);
            uint plugInstance = writer.Instantiate(writer.Nest(plug), [.. inside.Imports.Select(Argument)]);
            var given = new Dictionary<string, uint>();
            foreach ((string import, string export) in plugged)
            {
                ComponentExternType type = of.FindImport(import)!, found = inside.FindExport(export)!;
                given[import] = writer.Alias(plugInstance, export, found.Sort);
                if (type.Type is ComponentInstanceType instance && found.Sort == Sort.Instance) writer.Provide([instance], given[import]);
                else if (found.Sort == Sort.Type) writer.Provide(type.Type, given[import]);
            }
            foreach (ExternItem import in of.Imports)
                if (!plugged.ContainsKey(import.Name)) Import(import.Name, names);
            uint socketInstance = writer.Instantiate(
                writer.Nest(socket), [.. of.Imports.Select(i => plugged.TryGetValue(i.Name, out string? export) ? (i.Name, inside.FindExport(export)!.Sort, given[i.Name]) : Argument(i))]);
            foreach ((string import, string export) in plugged)
            {
                // Types that the socket shows and has from the plug need a name outside.
                if (IsShown(of.FindImport(import)!)) writer.Export(new ExternName(export, 0), inside.FindExport(export)!.Sort, given[import]);
            }
            foreach (ExportDefinition export in socket.Definitions.OfType<ExportDefinition>())
            {
                Sort sort = of.FindExport(export.Name.Name)!.Sort;
                writer.Export(export.Name, sort, writer.Alias(socketInstance, export.Name.Name, sort));
            }
            return writer.ToArray();
        }

        private (string Name, Sort Sort, uint Index) Argument(ExternItem import) => (import.Name, import.Type.Sort, imported[import.Name]);

        /// <summary>Imports something, after what has types that it uses.</summary>
        private void Import(string name, Dictionary<string, ExternName> names)
        {
            if (imported.ContainsKey(name)) return;
            if (!open.Add(name)) throw new UnsupportedModuleException($"the import \"{name}\" uses types that are made of it");
            if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw new UnsupportedModuleException("imports that use one another in too long a chain");
            List<ComponentExternType> all = wanted[name];
            foreach (ComponentExternType type in all)
            {
                if (type.Type is null) continue;
                var used = new FreeResources(budget);
                used.Visit(type.Type);
                foreach (ResourceType resource in used.Found)
                    if (makers.TryGetValue(resource.Canonical, out string? maker) && maker != name) Import(maker, names);
            }
            imported[name] = writer.Import(names[name], all);
            open.Remove(name);
        }

        /// <summary>The resource types that begin to be with an import.</summary>
        private static IEnumerable<ResourceType> Made(ComponentExternType type) => type switch
        {
            { Sort: Sort.Type, IsAbstract: true } => [((ResourceType)type.Type).Canonical],
            { Type: ComponentInstanceType instance } => instance.Exports.SelectMany(e => Made(e.Type)),
            _ => [],
        };

        private HashSet<DefinedType>? shown;

        /// <summary>Whether exports of the socket have types in them that it imports by this import.</summary>
        private bool IsShown(ComponentExternType import)
        {
            if (import.Type is not ComponentInstanceType instance) return false;
            shown ??= TypesOf(socket.Spaces.Signature.Exports);
            return instance.Exports.Any(e => e.Type.Sort == Sort.Type && shown.Contains(e.Type.Type!));
        }

        /// <summary>All types in the types of items, and those from which they have their names.</summary>
        private HashSet<DefinedType> TypesOf(IEnumerable<ExternItem> items)
        {
            HashSet<DefinedType> found = new(ReferenceEqualityComparer.Instance);
            var open = new Stack<DefinedType>();
            Push(items);
            while (open.TryPop(out DefinedType? type))
            {
                if (!found.Add(type)) continue;
                budget.Spend(1);
                if (type.Origin is { } origin) open.Push(origin);
                switch (type)
                {
                    case HandleType handle: open.Push(handle.Resource); break;
                    case ComponentValType value:
                        foreach (ComponentValType part in value.Parts) open.Push(part);
                        break;
                    case FunctionType func:
                        foreach (LabelledType parameter in func.Parameters) open.Push(parameter.Type);
                        if (func.Result is not null) open.Push(func.Result);
                        break;
                    case ComponentInstanceType inner: Push(inner.Exports); break;
                }
            }
            return found;

            void Push(IEnumerable<ExternItem> of)
            {
                foreach (ExternItem item in of)
                    if (item.Type.Type is { } type) open.Push(type);
            }
        }
    }
}
