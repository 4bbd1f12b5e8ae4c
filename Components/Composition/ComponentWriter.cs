namespace WasmJit.Components;

/// <summary>Writes a component that is made of others: imports of given types, nested components, instances of them, exports. Each definition is a section of its own.</summary>
internal sealed class ComponentWriter
{
    private readonly ComponentBytes bytes = new();
    private readonly TypeScope types;
    private uint instances, funcs, components, values, modules;

    internal ComponentWriter()
    {
        bytes.Raw(ComponentHeader.Bytes);
        types = new TypeScope(null, definition => Section(ComponentSectionId.Type, definition));
    }

    internal byte[] ToArray() => bytes.Span.ToArray();

    private void Section(byte id, ComponentBytes one)
    {
        var content = new ComponentBytes();
        bytes.Section(id, content.Count(1).Raw(one.Span));
    }

    internal uint Nest(ComponentDefinition component)
    {
        var content = new ComponentBytes();
        bytes.Section(ComponentSectionId.Component, content.Raw(component.Bytes.Span[component.Begin..component.End]));
        return components++;
    }

    /// <summary>Makes an instance of a nested component.</summary>
    internal uint Instantiate(uint component, IReadOnlyList<(string Name, Sort Sort, uint Index)> arguments)
    {
        var instance = new ComponentBytes();
        instance.Byte(InstanceByte.Instantiate).U32(component).Count(arguments.Count);
        foreach ((string name, Sort sort, uint index) in arguments) instance.Name(name).Item(sort, index);
        Section(ComponentSectionId.Instance, instance);
        return instances++;
    }

    private uint Next(Sort sort) => sort switch
    {
        Sort.Instance => instances++,
        Sort.Func => funcs++,
        Sort.Component => components++,
        Sort.Value => values++,
        Sort.CoreModule => modules++,
        _ => types.Next(),
    };

    /// <summary>An alias of what an instance exports.</summary>
    internal uint Alias(uint instance, string name, Sort sort)
    {
        var alias = new ComponentBytes();
        Section(ComponentSectionId.Alias, alias.SortOf(sort).Byte(ComponentAliasByte.Export).U32(instance).Name(name));
        return Next(sort);
    }

    internal void Export(ExternName name, Sort sort, uint index)
    {
        var export = new ComponentBytes();
        Section(ComponentSectionId.Export, export.ExternName(name).Item(sort, index).Byte(0));
        Next(sort);
    }

    // ---- imports ----

    /// <summary>Imports something that has the types of all that is given, which are for the same name: an instance has the exports of all.</summary>
    /// <exception cref="UnsupportedModuleException">It is of a kind that cannot be passed on.</exception>
    internal uint Import(ExternName name, IReadOnlyList<ComponentExternType> wanted)
    {
        var import = new ComponentBytes();
        ComponentExternType first = wanted[0];
        switch (first.Sort)
        {
            case Sort.Instance:
                ComponentInstanceType[] all = [.. wanted.Select(w => w.Type).OfType<ComponentInstanceType>()];
                uint type = InstanceType(all);
                Section(ComponentSectionId.Import, import.ExternName(name).Item(Sort.Instance, type));
                uint instance = instances++;
                Provide(all, instance);
                return instance;
            case Sort.Func:
                Section(ComponentSectionId.Import, import.ExternName(name).Item(Sort.Func, types.IndexOf(first.Type)));
                return funcs++;
            case Sort.Type:
                WriteBound(import.ExternName(name), types, first);
                Section(ComponentSectionId.Import, import);
                uint made = types.Next();
                foreach (ComponentExternType each in wanted) types.Set(each.Type, made);
                return made;
            default: throw new UnsupportedModuleException($"the import \"{name.Name}\" is a {first.Kind}, which is not passed on");
        }
    }

    /// <summary>The types that an instance exports can be used from now on, by the objects that have them in each of the types.</summary>
    internal void Provide(IEnumerable<ComponentInstanceType> all, uint instance)
    {
        var made = new Dictionary<string, uint>();
        foreach (ExternItem export in all.SelectMany(t => t.Exports))
        {
            if (export.Type.Sort != Sort.Type) continue;
            string name = export.Name;
            types.Promise(export.Type.Type, () => made.TryGetValue(name, out uint known) ? known : made[name] = Alias(instance, name, Sort.Type));
        }
    }

    /// <summary>A type that has an index already can be used by an object that stands for it.</summary>
    internal void Provide(DefinedType type, uint index) => types.Set(type, index);

    private static void WriteBound(ComponentBytes to, TypeScope scope, ComponentExternType type)
    {
        to.Byte(SortByte.Type);
        if (type.IsAbstract) to.Byte(BoundByte.SubResource);
        else to.Byte(BoundByte.Eq).U32(EqualTo(scope, type.Type));
    }

    /// <summary>The type that a named one is equal to: another that has a name, or one that is defined for it.</summary>
    private static uint EqualTo(TypeScope scope, DefinedType type)
    {
        for (DefinedType? origin = type.Origin; origin is not null; origin = origin.Origin)
            if (scope.Find(origin) is { } found) return found;
        return scope.IndexOf(type);
    }

    private uint InstanceType(ComponentInstanceType[] all)
    {
        var declarations = new ComponentBytes();
        int count = 0;
        var scope = new TypeScope(
            types,
            definition => { declarations.Byte(DeclaratorByte.Type).Raw(definition.Span); count++; },
            index => { declarations.Byte(DeclaratorByte.Alias).Byte(SortByte.Type).Byte(ComponentAliasByte.Outer).U32(1).U32(index); count++; });
        var written = new Dictionary<string, uint>();
        foreach (ExternItem export in all.SelectMany(t => t.Exports))
        {
            if (written.TryGetValue(export.Name, out uint known))
            {
                // Another component exports the same name: validation checks that the types are the same.
                if (export.Type.Sort == Sort.Type) scope.Set(export.Type.Type, known);
                continue;
            }
            var declaration = new ComponentBytes();
            declaration.Byte(DeclaratorByte.Export).ExternName(new ExternName(export.Name, 0));
            uint index = 0;
            switch (export.Type.Sort)
            {
                case Sort.Func: declaration.Item(Sort.Func, scope.IndexOf(export.Type.Type)); break;
                case Sort.Type: WriteBound(declaration, scope, export.Type); break;
                default: throw new UnsupportedModuleException($"an imported instance has an export \"{export.Name}\" that is a {export.Type.Kind}, which is not passed on");
            }
            declarations.Raw(declaration.Span);
            count++;
            if (export.Type.Sort == Sort.Type) scope.Set(export.Type.Type, index = scope.Next());
            written[export.Name] = index;
        }
        var type = new ComponentBytes();
        Section(ComponentSectionId.Type, type.Byte(ComponentTypeByte.Instance).Count(count).Raw(declarations.Span));
        return types.Next();
    }
}
