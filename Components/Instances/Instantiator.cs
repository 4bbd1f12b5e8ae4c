using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;
using WasmJit.Linking;
using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>Instantiation of components: definitions in their order, each of which adds to the index spaces.</summary>
internal sealed class Instantiator
{
    /// <summary>
    /// Instances in instances, whose definitions make more: what one instantiation may come to.
    /// </summary>
    private const int MostInstances = 10_000;

    private readonly ComponentTree tree;
    private int instances;

    internal Instantiator(ComponentTree tree) => this.tree = tree;

    /// <summary>Makes an instance.</summary>
    /// <param name="component">The component.</param>
    /// <param name="arguments">What it imports, by name.</param>
    /// <param name="parent">The instance that makes it; null for the host.</param>
    /// <param name="host">Is told of the instance before anything of it runs.</param>
    /// <exception cref="LinkException">A core module cannot be linked, or a limit is reached.</exception>
    /// <exception cref="TrapException">A start function traps.</exception>
    internal RuntimeInstance Instantiate(ComponentClosure component, RuntimeInstance arguments, InstanceState? parent, HostScope? host = null)
    {
        if (++instances > MostInstances) throw new LinkException("too many instances for one instantiation");
        if (!System.Runtime.CompilerServices.RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw Trap.Make(TrapKind.CallStackExhausted);
        CancellationScope.ThrowIfStopped();
        ComponentDefinition definition = component.Definition;
        var state = new InstanceState(tree, parent);
        ComponentPlan plan = component.Code.PlanOf(definition);
        (state.UsesTasks, state.MayBlock) = (plan.UsesTasks, plan.MayBlock);
        tree.Add(state);
        if (host is not null) host.State = state;
        var one = new InstanceMaker(this, component.Code, plan, definition, new ComponentFrame(state, component.Outer, definition.Spaces), arguments);
        one.DefineAll();
        return one.Exports;
    }

    internal ComponentTree Tree => tree;

    /// <summary>Instantiates a core module.</summary>
    internal Instance InstantiateCore(Module module, object[] imports, InstanceState state)
    {
        if (++instances > MostInstances) throw new LinkException("too many instances for one instantiation");
        GuestThread? outer = state.UsesTasks ? tree.Scheduler.BeginPlain(state) : null;
        try
        {
            return Linker.Instantiate(module, imports, tree.Fuel, tree.Resources, tree.Add, areValid: true);
        }
        catch (WasmException)
        {
            // The exception of a start function is a trap at the component's boundary, as that of any other function is.
            throw ComponentTrap.Make(ComponentTrap.UncaughtException);
        }
        finally
        {
            if (state.UsesTasks) tree.Scheduler.EndPlain(outer);
        }
    }
}

/// <summary>One instance that is being made.</summary>
internal sealed class InstanceMaker(
    Instantiator owner, ComponentCode code, ComponentPlan plan, ComponentDefinition component, ComponentFrame frame, RuntimeInstance arguments)
{
    private readonly ComponentSpaces spaces = component.Spaces;
    private readonly object[] exports = new object[plan.Exports.Count];
    private int exported;

    /// <summary>The sides of canonical definitions; most have the same options.</summary>
    private readonly List<GuestSide> sides = [];

    private InstanceState State => frame.State;

    /// <summary>The instance, when all is defined.</summary>
    internal RuntimeInstance Exports => new(plan.Exports, exports);

    internal void DefineAll()
    {
        Items<Definition> definitions = component.Definitions;
        for (int i = 0; i < definitions.Count; i++) Define(definitions[i], i);
    }

    private void Define(Definition definition, int number)
    {
        switch (definition)
        {
            case CoreModuleDefinition module: frame.CoreModules.Add(code.ModuleOf(module.Module)); break;
            case CoreInstantiation instantiation: frame.CoreInstances.Add(InstantiateCore(instantiation, plan.PlacesOf(number))); break;
            case CoreExportsInstance instance:
                var named = new object[instance.Exports.Length];
                for (int i = 0; i < named.Length; i++) named[i] = frame.Get(instance.Exports[i].Item);
                frame.CoreInstances.Add(new RuntimeInstance(plan.PlacesOf(number), named));
                break;
            case CoreTypeDefinition: break;
            case NestedDefinition nested: frame.Components.Add(new ComponentClosure(code, nested.Component, frame)); break;
            case Instantiation instantiation: AddInstance(Instantiate(instantiation, plan.PlacesOf(number))); break;
            case ExportsInstance instance:
                var items = new object[instance.Exports.Length];
                for (int i = 0; i < items.Length; i++) items[i] = frame.Get(instance.Exports[i].Item);
                AddInstance(new RuntimeInstance(plan.PlacesOf(number), items));
                break;
            case ExportAlias alias: Add(alias.Sort, frame.Instances[(int)alias.Instance][alias.Name]); break;
            case CoreExportAlias alias: Add(alias.Sort, Export(frame.CoreInstances[(int)alias.Instance], alias.Name)); break;
            case OuterAlias alias: Outer(alias); break;
            case TypeDefinition: DefineType(); break;
            case LiftDefinition lift: frame.Funcs.Add(Lift(lift)); break;
            case LowerDefinition lower: frame.CoreFuncs.Add(Lower(lower)); break;
            case BuiltinDefinition builtin: frame.CoreFuncs.Add(Builtin(builtin)); break;
            case ImportDefinition import: Add(import.Type.Sort, arguments[import.Name.Name]); break;
            case ExportDefinition export:
                object item = frame.Get(export.Item);
                exports[exported++] = item;
                Add(export.Item.Sort, item);
                break;
            case ValueDefinition value: frame.Values.Add(Read(value)); break;
            case StartDefinition start: Start(start); break;
        }
    }

    private void Add(Sort sort, object item)
    {
        switch (sort)
        {
            case Sort.CoreFunc: frame.CoreFuncs.Add((FuncRef)item); break;
            case Sort.CoreTable: frame.CoreTables.Add((Table)item); break;
            case Sort.CoreMemory: frame.CoreMemories.Add((Memory)item); break;
            case Sort.CoreGlobal: frame.CoreGlobals.Add((Global)item); break;
            case Sort.CoreTag: frame.CoreTags.Add((Tag)item); break;
            case Sort.CoreType: break;
            case Sort.CoreModule: frame.CoreModules.Add((Module)item); break;
            case Sort.CoreInstance: frame.CoreInstances.Add(item); break;
            case Sort.Func: frame.Funcs.Add((ComponentFunc)item); break;
            case Sort.Value: frame.Values.Add((ComponentValue)item); break;
            case Sort.Type:
                ResourceBinding.Bind(State, spaces.Types[frame.Types.Count], item);
                frame.Types.Add(item);
                break;
            case Sort.Component: frame.Components.Add((ComponentClosure)item); break;
            default: AddInstance((RuntimeInstance)item); break;
        }
    }

    private void AddInstance(RuntimeInstance instance)
    {
        ResourceBinding.Bind(State, spaces.Instances[frame.Instances.Count], instance);
        frame.Instances.Add(instance);
    }

    private void Outer(OuterAlias alias)
    {
        if (alias.Sort == Sort.CoreType) return;
        ComponentFrame from = frame;
        for (uint i = 0; i < alias.Count; i++) from = from.Outer!;
        Add(alias.Sort, from.Get(new SortIndex(alias.Sort, alias.Index)));
    }

    private void DefineType()
    {
        DefinedType type = spaces.Types[frame.Types.Count];
        object item = type;
        if (type is ResourceType { Definition: { } definition } resource)
        {
            var made = new RuntimeResource(State, definition.Representation);
            if (definition.Destructor is { } destructor) made.Destructor = frame.CoreFuncs[(int)destructor];
            State.Bind(resource, made);
            item = made;
        }
        frame.Types.Add(item);
    }

    // ---- core ----

    private static object Export(object instance, string name) =>
        instance is Instance made ? made.FindInternal(name)! : ((RuntimeInstance)instance)[name];

    private Instance InstantiateCore(CoreInstantiation instantiation, Dictionary<string, int> places)
    {
        Module module = frame.CoreModules[(int)instantiation.Module];
        Items<ImportInfo> wanted = module.Info.Imports;
        var imports = new object[wanted.Count];
        for (int i = 0; i < imports.Length; i++)
            imports[i] = Export(frame.CoreInstances[(int)instantiation.Arguments[places[wanted[i].Module]].Instance], wanted[i].Name!);
        return owner.InstantiateCore(module, imports, State);
    }

    // ---- components ----

    private RuntimeInstance Instantiate(Instantiation instantiation, Dictionary<string, int> places)
    {
        var given = new object[instantiation.Arguments.Length];
        for (int i = 0; i < given.Length; i++) given[i] = frame.Get(instantiation.Arguments[i].Item);
        return owner.Instantiate(frame.Components[(int)instantiation.Component], new RuntimeInstance(places, given), State);
    }

    // ---- values ----

    private ComponentValue Read(ValueDefinition value)
    {
        // Each byte is a value of its own at most.
        State.Scheduler.Charge((ulong)value.Length * ValueLifter.ValueBytes);
        var reader = new ByteReader(component.Bytes.Span, value.Start, value.Start + value.Length);
        return new ValueReader(true).Read(ref reader, spaces.Values[frame.Values.Count]);
    }

    /// <summary>Calls the start function; what it gives is a value of the component.</summary>
    private void Start(StartDefinition start)
    {
        ComponentValue[] given = [.. start.Arguments.Select(i => frame.Values[(int)i])];
        ComponentValue result;
        switch (frame.Funcs[(int)start.Func])
        {
            case LiftedFunction lifted:
                var call = new HostCaller(lifted, given);
                call.Begin();
                if (!call.IsResolved) State.Scheduler.RunUntil(() => call.IsResolved);
                result = call.Result;
                break;
            case HostFunction { Function: { } function }:
                result = function(given).AsTask().GetAwaiter().GetResult();
                break;
            default: throw new LinkException("a host function that is a component's start function must take and give ComponentValues");
        }
        if (start.Results != 0) frame.Values.Add(result);
    }

    // ---- canonical definitions ----

    private GuestSide Side(CanonOptions options)
    {
        Memory? memory = options.Memory is { } index ? frame.CoreMemories[(int)index] : null;
        StringEncoding encoding = options.Encoding;
        FuncRef? realloc = Func(options.Realloc);
        foreach (GuestSide side in sides)
            if (side.Encoding == encoding && ReferenceEquals(side.Memory, memory) && ReferenceEquals(side.Realloc, realloc)) return side;
        if (sides.Count == MostSides) sides.Clear();
        var made = new GuestSide(State, memory, encoding, realloc);
        sides.Add(made);
        return made;
    }

    /// <summary>So many sides are looked through for one with the same options.</summary>
    private const int MostSides = 8;

    private FuncRef? Func(uint? index) => index is { } i ? frame.CoreFuncs[(int)i] : null;

    private LiftedFunction Lift(LiftDefinition lift) => new(
        (FunctionType)spaces.Types[(int)lift.Type], Side(lift.Options), frame.CoreFuncs[(int)lift.CoreFunc],
        Func(lift.Options.PostReturn), Func(lift.Options.Callback), lift.Options.IsAsync);

    private FuncRef Lower(LowerDefinition lower)
    {
        DefType type = spaces.CoreFuncs[frame.CoreFuncs.Count];
        var lowered = new LoweredFunction(frame.Funcs[(int)lower.Func], Side(lower.Options), lower.Options.IsAsync);
        return CoreCall.Of(type).Import(lowered, type);
    }

    private FuncRef Builtin(BuiltinDefinition builtin)
    {
        CanonBuiltins.TryGet(builtin.Op, out CanonImmediates immediates);
        DefinedType? type = (immediates & CanonImmediates.Type) != 0 ? spaces.Types[(int)builtin.Type] : null;
        ComponentValType? result = builtin.Result is not { } use ? null
            : use.Primitive is { } primitive ? PrimitiveType.Of(primitive) : (ComponentValType)spaces.Types[(int)use.Index];
        GuestSide side = (immediates & CanonImmediates.Memory) != 0
            ? new GuestSide(State, frame.CoreMemories[(int)builtin.Memory], StringEncoding.Utf8, null) : Side(builtin.Options);
        Table? table = (immediates & CanonImmediates.Table) != 0 ? frame.CoreTables[(int)builtin.Table] : null;
        return new CanonBuiltin(State, builtin, side, type, result, table).Make(spaces.CoreFuncs[frame.CoreFuncs.Count]);
    }
}

/// <summary>Says what the resource types of a component's own types are in an instance.</summary>
internal static class ResourceBinding
{
    internal static void Bind(InstanceState state, DefinedType type, object item)
    {
        if (type is ResourceType resource && item is RuntimeResource made) state.Bind(resource, made);
    }

    /// <summary>All types that an instance exports, those of instances in it included.</summary>
    internal static void Bind(InstanceState state, ComponentInstanceType type, RuntimeInstance instance)
    {
        if ((type.Traits & TypeTraits.HasResource) == 0) return;
        foreach (ExternItem export in type.Exports)
        {
            if (export.Type.Sort == Sort.Type) Bind(state, export.Type.Type, instance[export.Name]);
            else if (export.Type.Sort == Sort.Instance) Bind(state, (ComponentInstanceType)export.Type.Type, (RuntimeInstance)instance[export.Name]);
        }
    }
}
