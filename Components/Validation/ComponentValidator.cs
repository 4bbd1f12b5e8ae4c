using System.Collections.Immutable;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;
using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>
/// Validates a decoded component, and finds out its index spaces and its type. Definitions are gone through in their order, since each refers only to
/// those before it.
/// </summary>
internal sealed class ComponentValidator
{
    private readonly ReadOnlyMemory<byte> bytes;
    private readonly WorkBudget budget;
    private readonly TypeTable table = new();
    private readonly TypeResolver types;

    private ComponentValidator(ReadOnlyMemory<byte> bytes)
    {
        this.bytes = bytes;
        budget = new WorkBudget(bytes.Length);
        Subtyping = new ComponentSubtyping(table, budget);
        types = new TypeResolver(this, table);
    }

    internal ComponentSubtyping Subtyping { get; }

    /// <summary>Validates a component and all nested in it.</summary>
    /// <exception cref="InvalidModuleException">It is invalid.</exception>
    /// <exception cref="UnsupportedModuleException">It is beyond a limit of this version.</exception>
    /// <exception cref="GuestCanceledException">The calling thread's guests are to stop.</exception>
    internal static void Validate(ComponentDefinition component) => DeepStack.Run(() =>
    {
        new ComponentValidator(component.Bytes).Validate(component, null);
        return true;
    });

    private ComponentSignature Validate(ComponentDefinition component, ComponentScope? parent)
    {
        var scope = new ComponentScope(ScopeKind.Component, parent, budget);
        foreach (Definition definition in component.Definitions)
        {
            budget.Spend(1);
            Define(scope, definition);
        }
        int unused = scope.ValueUsed.IndexOf(false);
        if (unused >= 0) throw new InvalidModuleException($"value index {unused} was not used as part of an instantiation, start function, or export", component.End);
        ComponentSignature signature = Sign(scope, component.Definitions);
        TypeResolver.CheckLimits(signature, component.Begin);
        scope.Spaces.Signature = signature;
        component.Spaces = scope.Spaces;
        return signature;
    }

    /// <summary>The type of a component. What its exports show of resource types that are not imported is made anew in each instance.</summary>
    private ComponentSignature Sign(ComponentScope scope, IEnumerable<Definition> definitions)
    {
        ImmutableArray<ExternItem> exports = [.. scope.Exports];
        CheckImports(scope, _ => true, definitions);
        var free = new FreeResources(budget);
        free.Bind(scope.Imported);
        free.Visit(exports);
        return new ComponentSignature([.. scope.Imports], exports, [.. scope.Imported], free.Found);
    }

    /// <summary>A resource type that a component makes is unknown to those that give it imports: an import that equals one cannot be met.</summary>
    private void CheckImports(ComponentScope scope, Func<ResourceType, bool> isMade, IEnumerable<Definition> definitions)
    {
        var free = new FreeResources(budget);
        free.Bind(scope.Imported);
        foreach ((ExternItem item, ImportDefinition import) in scope.Imports.Zip(definitions.OfType<ImportDefinition>()))
        {
            if (item.Type.Type is null) continue;
            free.Visit(item.Type.Type);
            if (free.TakeFound().Any(isMade)) throw new InvalidModuleException("local resource type found in imports", import.Offset);
        }
    }

    private void Define(ComponentScope scope, Definition definition)
    {
        ComponentSpaces spaces = scope.Spaces;
        switch (definition)
        {
            case CoreModuleDefinition module:
                CheckImportNames(module.Module);
                spaces.CoreModules.Add(module.Module.ModuleType);
                break;
            case CoreInstantiation instantiation: spaces.CoreInstances.Add(Instantiate(scope, instantiation)); break;
            case CoreExportsInstance instance: spaces.CoreInstances.Add(Collect(scope, instance)); break;
            case CoreTypeDefinition type: spaces.CoreTypes.AddRange(type.Types); break;
            case NestedDefinition nested: spaces.Components.Add(Validate(nested.Component, scope)); break;
            case Instantiation instantiation: spaces.Instances.Add(Instantiate(scope, instantiation)); break;
            case ExportsInstance instance: spaces.Instances.Add(Collect(scope, instance)); break;
            case AliasDefinition alias: Alias(scope, alias); break;
            case TypeDefinition type: spaces.Types.Add(types.Resolve(scope, type.Type)); break;
            case LiftDefinition lift:
                FunctionType lifted = new CanonValidator(scope).Validate(lift);
                budget.Spend(lifted.Parameters.Length);
                spaces.Funcs.Add(lifted);
                break;
            case LowerDefinition lower:
                spaces.CoreFuncs.Add(new CanonValidator(scope).Validate(lower));
                budget.Spend(spaces.Funcs[(int)lower.Func].Parameters.Length);
                break;
            case BuiltinDefinition builtin: spaces.CoreFuncs.Add(new CanonValidator(scope).Validate(builtin)); break;
            case StartDefinition start: Start(scope, start); break;
            case ImportDefinition import: Import(scope, import); break;
            case ExportDefinition export: Export(scope, export); break;
            case ExportDeclaration export: Export(scope, export); break;
            case ValueDefinition value: Value(scope, value); break;
        }
    }

    // ---- core ----

    private static void CheckImportNames(ModuleInfo module)
    {
        var names = new HashSet<(string, string?)>(module.Imports.Count);
        foreach (ImportInfo import in module.Imports)
            if (!names.Add((import.Module, import.Name))) throw new InvalidModuleException($"duplicate import name `{import.Module}:{import.Name}`", import.Offset);
    }

    private InstanceType Instantiate(ComponentScope scope, CoreInstantiation instantiation)
    {
        int at = instantiation.Offset;
        DefType type = ComponentScope.Get(scope.Spaces.CoreModules, instantiation.Module, "module", at);
        var arguments = new Dictionary<string, InstanceType>(instantiation.Arguments.Length);
        foreach (CoreArgument argument in instantiation.Arguments)
        {
            InstanceType instance = ComponentScope.Get(scope.Spaces.CoreInstances, argument.Instance, "core instance", argument.Offset);
            if (!arguments.TryAdd(argument.Name, instance))
                throw new InvalidModuleException($"duplicate module instantiation argument named `{argument.Name}`", argument.Offset);
        }
        var module = (ModuleType)type.Composite;
        budget.Spend(module.Imports.Length);
        foreach (ImportType import in module.Imports)
        {
            if (!arguments.TryGetValue(import.Module, out InstanceType? instance))
                throw new InvalidModuleException($"missing module instantiation argument named `{import.Module}`", at);
            if (import.Name is null) throw new InvalidModuleException($"import `{import.Module}` has one name: no argument of a component fits", at);
            if (instance.Find(import.Name) is not { } given)
                throw new InvalidModuleException($"module instantiation argument `{import.Module}` does not export an item named `{import.Name}`", at);
            if (CoreMismatch.OfItems(given, import.Type) is { } reason)
                throw new InvalidModuleException($"type mismatch for export `{import.Name}` of module instantiation argument `{import.Module}`: {reason}", at);
        }
        return (InstanceType)module.InstanceType.Composite;
    }

    private static InstanceType Collect(ComponentScope scope, CoreExportsInstance instance)
    {
        var names = new HashSet<string>(instance.Exports.Length);
        var exports = ImmutableArray.CreateBuilder<ExportType>(instance.Exports.Length);
        ComponentSpaces spaces = scope.Spaces;
        foreach (CoreInlineExport export in instance.Exports)
        {
            (Sort sort, uint index) = export.Item;
            int at = export.Offset;
            ExternType type = sort switch
            {
                Sort.CoreFunc => ExternType.OfFunc(ComponentScope.Get(spaces.CoreFuncs, index, "function", at)),
                Sort.CoreTable => ExternType.Of(ComponentScope.Get(spaces.CoreTables, index, "table", at)),
                Sort.CoreMemory => ExternType.Of(ComponentScope.Get(spaces.CoreMemories, index, "memory", at)),
                Sort.CoreGlobal => ExternType.Of(ComponentScope.Get(spaces.CoreGlobals, index, "global", at)),
                Sort.CoreTag => ExternType.OfTag(ComponentScope.Get(spaces.CoreTags, index, "tag", at)),
                _ => throw new InvalidModuleException($"a {sort.Text()} cannot be an export of a core instance", at),
            };
            if (!names.Add(export.Name)) throw new InvalidModuleException($"export name `{export.Name}` already defined", at);
            exports.Add(new ExportType(export.Name, type));
        }
        return new InstanceType(exports.MoveToImmutable());
    }

    // ---- instances ----

    private ComponentInstanceType Instantiate(ComponentScope scope, Instantiation instantiation)
    {
        int at = instantiation.Offset;
        ComponentSignature component = ComponentScope.Get(scope.Spaces.Components, instantiation.Component, "component", at);
        var arguments = new Dictionary<string, ComponentExternType>(instantiation.Arguments.Length);
        foreach (Argument argument in instantiation.Arguments)
        {
            if (!arguments.TryAdd(argument.Name, scope.GetItem(argument.Item, argument.Offset)))
                throw new InvalidModuleException($"instantiation argument `{argument.Name}` conflicts with previous argument `{argument.Name}`", argument.Offset);
        }
        TypeSubstitution resources = Subtyping.NewSubstitution();
        foreach (ExternItem import in component.Imports)
        {
            if (!arguments.TryGetValue(import.Name, out ComponentExternType? given))
                throw new InvalidModuleException($"missing import named `{import.Name}`", at);
            if (Subtyping.Mismatch(given, import.Type, resources) is { } reason)
                throw new InvalidModuleException($"type mismatch for import `{import.Name}`: {reason}", at);
        }
        resources.MapToFresh(component.Made);
        var type = new ComponentInstanceType(resources.Apply(component.Exports), []);
        TypeResolver.CheckLimits(type, at);
        return type;
    }

    private static ComponentInstanceType Collect(ComponentScope scope, ExportsInstance instance)
    {
        // Its types are those that there are already: resources get no names from it.
        var names = new ExternNames("export", false);
        var exports = ImmutableArray.CreateBuilder<ExternItem>(instance.Exports.Length);
        foreach (InlineExport export in instance.Exports)
        {
            ComponentExternType type = scope.GetItem(export.Item, export.Name.Offset);
            names.Add(export.Name, type);
            exports.Add(new ExternItem(export.Name.Name, type));
        }
        var made = new ComponentInstanceType(exports.MoveToImmutable(), []);
        TypeResolver.CheckLimits(made, instance.Offset);
        return made;
    }

    // ---- aliases ----

    private void Alias(ComponentScope scope, AliasDefinition alias)
    {
        switch (alias)
        {
            case ExportAlias export:
                if (!scope.IsComponent && export.Sort is not (Sort.Type or Sort.Instance)) throw NotInTypes(export);
                ComponentInstanceType instance = ComponentScope.Get(scope.Spaces.Instances, export.Instance, "instance", export.Offset);
                if (instance.Find(export.Name) is not { } type)
                    throw new InvalidModuleException($"instance {export.Instance} has no export named `{export.Name}`", export.Offset);
                if (type.Sort != export.Sort)
                    throw new InvalidModuleException($"export `{export.Name}` for instance {export.Instance} is not a {Word(export.Sort)}", export.Offset);
                scope.Add(type);
                break;
            case CoreExportAlias export:
                if (!scope.IsComponent) throw NotInTypes(export);
                CoreAlias(scope, export);
                break;
            case OuterAlias outer:
                OuterAlias(scope, outer);
                break;
        }
    }

    private static string Word(Sort sort) => sort == Sort.CoreModule ? "module" : sort.Text();

    private static InvalidModuleException NotInTypes(AliasDefinition alias) =>
        new($"aliases in types may only refer to types or instances, not to a {alias.Sort.Text()}", alias.Offset);

    private static void CoreAlias(ComponentScope scope, CoreExportAlias alias)
    {
        ComponentSpaces spaces = scope.Spaces;
        InstanceType instance = ComponentScope.Get(spaces.CoreInstances, alias.Instance, "core instance", alias.Offset);
        if (instance.Find(alias.Name) is not { } type)
            throw new InvalidModuleException($"core instance {alias.Instance} has no export named `{alias.Name}`", alias.Offset);
        switch (alias.Sort, type.Kind)
        {
            case (Sort.CoreFunc, ExternKind.Func): spaces.CoreFuncs.Add(type.Def); break;
            case (Sort.CoreTable, ExternKind.Table): spaces.CoreTables.Add(type.Table); break;
            case (Sort.CoreMemory, ExternKind.Memory): spaces.CoreMemories.Add(type.Memory); break;
            case (Sort.CoreGlobal, ExternKind.Global): spaces.CoreGlobals.Add(type.Global); break;
            case (Sort.CoreTag, ExternKind.Tag): spaces.CoreTags.Add(type.Def); break;
            default:
                throw new InvalidModuleException($"export `{alias.Name}` for core instance {alias.Instance} is not a {alias.Sort.Text()["core ".Length..]}", alias.Offset);
        }
    }

    private void OuterAlias(ComponentScope scope, OuterAlias alias)
    {
        int at = alias.Offset;
        if (!scope.IsComponent && alias.Sort is not (Sort.Type or Sort.CoreType)) throw NotInTypes(alias);
        ComponentScope outer = scope.Outer(alias.Count, out bool crossesComponent)
            ?? throw new InvalidModuleException($"invalid outer alias count of {alias.Count}", at);
        ComponentSpaces from = outer.Spaces, to = scope.Spaces;
        switch (alias.Sort)
        {
            case Sort.CoreModule: to.CoreModules.Add(ComponentScope.Get(from.CoreModules, alias.Index, "module", at)); break;
            case Sort.CoreType: to.CoreTypes.Add(ComponentScope.Get(from.CoreTypes, alias.Index, "type", at)); break;
            case Sort.Component: to.Components.Add(ComponentScope.Get(from.Components, alias.Index, "component", at)); break;
            default:
                DefinedType type = outer.GetType(alias.Index, at);
                if (crossesComponent && FreeResources.HasAny(type, budget))
                    throw new InvalidModuleException("outer type alias transitively refers to resources not defined in the current component", at);
                to.Types.Add(type);
                break;
        }
    }

    // ---- types ----

    internal ComponentInstanceType InstanceType(ComponentScope parent, InstanceTypeSyntax syntax)
    {
        ComponentScope scope = Declare(ScopeKind.InstanceType, parent, syntax.Declarations);
        return new ComponentInstanceType([.. scope.Exports], [.. scope.Exported]);
    }

    internal ComponentSignature ComponentType(ComponentScope parent, ComponentTypeSyntax syntax)
    {
        ComponentScope scope = Declare(ScopeKind.ComponentType, parent, syntax.Declarations);
        // Resource types of the enclosing scope do not belong to the component.
        CheckImports(scope, new HashSet<ResourceType>(scope.Exported, ReferenceEqualityComparer.Instance).Contains, syntax.Declarations);
        return new ComponentSignature([.. scope.Imports], [.. scope.Exports], [.. scope.Imported], [.. scope.Exported]);
    }

    private ComponentScope Declare(ScopeKind kind, ComponentScope parent, ImmutableArray<Definition> declarations)
    {
        var scope = new ComponentScope(kind, parent, budget);
        foreach (Definition declaration in declarations)
        {
            budget.Spend(1);
            Define(scope, declaration);
        }
        return scope;
    }

    // ---- imports and exports ----

    private void Import(ComponentScope scope, ImportDefinition import)
    {
        ComponentExternType type = types.Open(scope, import.Type, scope.Imported);
        Name(scope, import.Name, type, true);
        scope.Imports.Add(new ExternItem(import.Name.Name, type));
        scope.Add(type);
    }

    private void Export(ComponentScope scope, ExportDeclaration export)
    {
        ComponentExternType type = types.Open(scope, export.Type, scope.Exported);
        Name(scope, export.Name, type, false);
        scope.Exports.Add(new ExternItem(export.Name.Name, type));
        scope.Add(type, true);
    }

    private void Export(ComponentScope scope, ExportDefinition export)
    {
        ComponentExternType type = scope.GetItem(export.Item, export.Offset);
        if (export.Type is { } ascription)
        {
            ComponentExternType wanted = TypeResolver.Resolve(scope, ascription);
            if (Subtyping.Mismatch(type, wanted, Subtyping.NewSubstitution()) is { } reason)
                throw new InvalidModuleException($"ascribed type of export is not compatible with item's type: {reason}", export.Offset);
            type = types.Open(scope, ascription, scope.Exported);
        }
        else if (type.Sort == Sort.Type)
        {
            type = TypeResolver.Rename(type.Type);
        }
        Name(scope, export.Name, type, false);
        scope.Exports.Add(new ExternItem(export.Name.Name, type));
        scope.Add(type, true);
    }

    /// <summary>The rules of names, and those of what is named.</summary>
    private static void Name(ComponentScope scope, ExternName name, ComponentExternType type, bool isImport)
    {
        (isImport ? scope.ImportNames : scope.ExportNames).Add(name, type);
        if (!isImport && type.Sort == Sort.Value && (type.Traits & TypeTraits.HasBorrow) != 0)
            throw new InvalidModuleException("an exported value cannot contain a `borrow` type", name.Offset);
        // What an instance type may export depends on where it is used.
        if (scope.Kind != ScopeKind.InstanceType && !scope.Named.Add(type, isImport))
            throw new InvalidModuleException($"{type.Kind} not valid to be used as {(isImport ? "import" : "export")}", name.Offset);
    }

    // ---- values ----

    private void Value(ComponentScope scope, ValueDefinition value)
    {
        ComponentValType type = TypeResolver.Use(scope, value.Type);
        var reader = new ByteReader(bytes.Span, value.Start, value.Start + value.Length);
        new ValueReader(false).Read(ref reader, type);
        if (!reader.AtEnd) throw reader.Error("the value is shorter than its length", reader.Position);
        scope.AddValue(type, false);
    }

    private static void Start(ComponentScope scope, StartDefinition start)
    {
        int at = start.Offset;
        FunctionType func = ComponentScope.Get(scope.Spaces.Funcs, start.Func, "function", at);
        if (func.Parameters.Length != start.Arguments.Length)
            throw new InvalidModuleException($"component start function requires {func.Parameters.Length} arguments but was given {start.Arguments.Length}", at);
        for (int i = 0; i < start.Arguments.Length; i++)
        {
            ComponentValType given = scope.UseValue(start.Arguments[i], at);
            if (ValueDifference.Describe(given, func.Parameters[i].Type) is { } reason)
                throw new InvalidModuleException($"value type mismatch for component start function argument {i}: {reason}", at);
        }
        int results = func.Result is null ? 0 : 1;
        if (start.Results != results) throw new InvalidModuleException($"component start function has a result count of {start.Results} but the function type has a result count of {results}", at);
        if (func.Result is { } result) scope.AddValue(result, false);
    }
}
