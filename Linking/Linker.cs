using System.Diagnostics.Tracing;
using System.Runtime.CompilerServices;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Tiers;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>Instantiation (spec 4.5.4), for hosts and for guests alike.</summary>
internal static unsafe class Linker
{
    /// <summary>
    /// Instance definitions make instances, whose definitions make more. This bounds one instantiation: some thousands of small instances, or a few
    /// very large ones.
    /// </summary>
    private const long MaxWork = 10_000_000;

    internal static long WorkOf(ModuleInfo info)
    {
        long work = 1000 + (4L * info.Imports.Count) + info.Funcs.Count + info.Initialisers.Count;
        // Each is an object, or a table with an array, whatever it contains.
        work += (16L * (info.Globals.Count - info.ImportedGlobals)) + (16L * (info.Tags.Count - info.ImportedTags)) + (64L * (info.Tables.Count - info.ImportedTables));
        work += 1000L * (info.Memories.Count - info.ImportedMemories);
        for (int i = info.ImportedTables; i < info.Tables.Count; i++) work += (long)(Math.Min(info.Tables[i].Type.Minimum, Table.HardMaximum) / 4);
        foreach (ElemInfo elem in info.Elems) work += 1 + elem.Count;
        foreach (DataInfo data in info.Datas) work += 1 + (data.Length / 16);
        return work;
    }

    /// <summary>The price of an instance for the guest that makes it, without start function and initial values.</summary>
    internal static ulong CostOf(ModuleInfo info)
    {
        ulong cost = (ulong)WorkOf(info);
        for (int i = info.ImportedMemories; i < info.Memories.Count; i++) cost += Fuel.OfPages(info.Memories[i].Minimum, info.Memories[i].PageSizeLog2);
        return cost;
    }

    /// <summary>Looks the imports up by name. Functions become FuncRefs.</summary>
    /// <exception cref="LinkException">One is missing, or a delegate has another signature.</exception>
    internal static object[] Resolve(Module module, Imports imports)
    {
        Items<ImportInfo> wanted = module.Info.Imports;
        var values = new object[wanted.Count];
        for (int i = 0; i < values.Length; i++)
        {
            ImportInfo import = wanted[i];
            values[i] = Find(module, imports, import)
                ?? throw new LinkException($"unknown import: {import.Names} {import.Type}");
        }
        return values;
    }

    /// <summary>An import. Values that are given one by one form an instance if one is asked for.</summary>
    private static object? Find(Module module, Imports imports, ImportInfo import)
    {
        object? value = import.Name is null ? imports.Find(import.Module) : imports.Find(import.Module, import.Name);
        if (value is null && import is { Name: null, Type.Kind: ExternKind.Instance })
        {
            InstanceType type = import.Type.Instance;
            return Bundle.Make(module.Engine, type, name => imports.Find(import.Module, name) switch
            {
                Delegate host when type.Find(name) is { Kind: ExternKind.Func } wanted =>
                    ToFunc(module, host, new ImportInfo(import.Module, name, wanted, 0)),
                var other => other,
            });
        }
        return value is Delegate function && import.Type.Kind == ExternKind.Func ? ToFunc(module, function, import) : value;
    }

    private static FuncRef ToFunc(Module module, Delegate host, ImportInfo import)
    {
        if (FuncRef.Behind(host) is { } func && ReferenceEquals(func.Delegate, host)) return func;
        try
        {
            return HostFunctions.Make(host, import.Type.Def, module.SavedCode);
        }
        catch (ArgumentException e)
        {
            throw new LinkException($"incompatible import type: {import.Names}: {e.Message}");
        }
    }

    private static ExternType? TypeOf(object value) => value switch
    {
        FuncRef func => ExternType.OfFunc(func.Type, true),
        Memory memory => ExternType.Of(memory.CurrentType),
        Table table => ExternType.Of(table.CurrentType),
        Global global => ExternType.Of(global.Type),
        Tag tag => ExternType.OfTag(tag.Type),
        Module module => ExternType.OfModule(module.Info.ModuleType),
        Instance instance => ExternType.OfInstance(instance.Module.Info.InstanceType),
        _ => null,
    };

    /// <summary>Makes an instance of imports in the module's order.</summary>
    /// <param name="module">The module.</param>
    /// <param name="imports">The imports.</param>
    /// <param name="fuel">Its fuel.</param>
    /// <param name="resources">Its resources; null for those of the engine's options for each guest.</param>
    /// <param name="beforeStart">Sees the instance before its start function runs.</param>
    /// <param name="areValid">Whether validation has compared the imports with their types, as that of components does.</param>
    /// <exception cref="LinkException">An import is of another type.</exception>
    internal static Instance Instantiate(
        Module module, object[] imports, Fuel? fuel = null, GuestResources? resources = null, Action<Instance>? beforeStart = null, bool areValid = false)
    {
        long left = long.MaxValue;
        using TracedWork? work = TracedWork.Begin("wasmjit.instantiate", EventLevel.Verbose);
        if (work is null) return Instantiate(module, imports, fuel, resources, beforeStart, areValid, ref left);
        work.Tag("wasm.module", module.Name);
        long before = fuel?.Remaining ?? long.MaxValue;
        try
        {
            Instance instance = Instantiate(module, imports, fuel, resources, beforeStart, areValid, ref left);
            if (instance.FuelTank is { } tank) work.Tag("wasm.fuel", before - tank.Remaining);
            work.Instantiated(module.Name);
            return instance;
        }
        catch (Exception e) when (work.HasFailed(e))
        {
            // The filter never takes the exception.
            throw;
        }
    }

    private static void CheckImports(ModuleInfo info, object[] imports)
    {
        for (int i = 0; i < imports.Length; i++)
        {
            ImportInfo import = info.Imports[i];
            if (imports[i] is Memory { IsDisposed: true } or Instance { IsDisposed: true })
                throw new LinkException($"{import.Names} has been disposed of");
            if (TypeOf(imports[i]) is not { } type || !Subtyping.Matches(type, import.Type))
                throw new LinkException(
                    $"incompatible import type: {import.Names} is {TypeOf(imports[i])?.ToString() ?? "something else"}, {import.Type}{(import.Type.IsExact ? " exactly" : "")} is needed");
        }
    }

    private static Instance Instantiate(
        Module module, object[] imports, Fuel? fuel, GuestResources? resources, Action<Instance>? beforeStart, bool areValid, ref long left)
    {
        // The outermost module may always be instantiated.
        if (left != long.MaxValue) Fuel.Pay(fuel, CostOf(module.Info));
        left = left == long.MaxValue ? MaxWork : left - WorkOf(module.Info);
        if (left < 0) throw new LinkException("too many instances for one instantiation");
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw Trap.Make(TrapKind.CallStackExhausted);
        ModuleInfo info = module.Info;
        module.Code.Rehearse();
        if (!areValid) CheckImports(info, imports);
        var instance = new Instance(module);
        module.Live?.Add(instance);
        if ((resources ?? module.Engine.NewResources()) is { } limited) Limit(instance, limited);
        if (module.CountsFuel) instance.FuelTank = (fuel ?? new Fuel(long.MaxValue)).For(info.IsForThreads);
        Allocate(instance, module, info, imports, ref left);
        InitialiseGlobals(instance, info);
        InitialiseTables(instance, info);
        RunSegments(instance, info);
        beforeStart?.Invoke(instance);
        if (info.Start is { } start) ((Action)instance.GetFunc((int)start).Delegate)();
        return instance;
    }

    private static void Limit(Instance instance, GuestResources resources)
    {
        try
        {
            instance.Lease = resources.Take(ResourceKind.Instances);
        }
        catch (ResourceLimitException e)
        {
            throw new LinkException(e);
        }
        instance.GuestLimits = resources;
    }

    private static T[] Space<T>(int count) => count == 0 ? [] : new T[count];

    private static void Allocate(Instance instance, Module module, ModuleInfo info, object[] imports, ref long left)
    {
        instance.Types = info.TypeArray;
        instance.Funcs = Space<FuncRef?>(info.Funcs.Count);
        instance.Memories = Space<Memory>(info.Memories.Count);
        instance.Tables = Space<Table>(info.Tables.Count);
        instance.Globals = Space<Global>(info.Globals.Count);
        instance.Tags = Space<Tag>(info.Tags.Count);
        instance.Modules = Space<ILinkable>(info.Modules.Count);
        instance.Instances = Space<InstanceCore>(info.ExplicitInstances == 0 ? 0 : info.Instances.Count);
        var filled = default(Filled);
        if (info.Initialisers.Count == 0)
        {
            foreach (object import in imports) filled.Add(instance, import);
        }
        else
        {
            foreach (Initialiser step in info.Initialisers) filled.Add(instance, Perform(instance, step, imports, ref left));
        }
        if (info.ImportedMemories > 0 && module.Shared.NeedsGuards) CheckGuards(instance, info);
        AllocateOwn(instance, module, info);
        instance.NoteFirst();
    }

    /// <summary>
    /// Makes what the module defines, without initial values: those of globals may refer to tables, and those of tables to globals. Globals are made with
    /// their values, later.
    /// </summary>
    private static void AllocateOwn(Instance instance, Module module, ModuleInfo info)
    {
        try
        {
            for (int i = info.ImportedMemories; i < info.Memories.Count; i++, CancellationScope.ThrowIfStopped())
                instance.Memories[i] = new Memory(info.Memories[i], module.Shared.Placement, instance.Resources);
            for (int i = info.ImportedTables; i < info.Tables.Count; i++, CancellationScope.ThrowIfStopped())
                instance.Tables[i] = new Table(info.Tables[i].Type, null, default, instance.Resources);
        }
        catch (OutOfMemoryException e)
        {
            throw new LinkException($"out of memory: {e.Message}");
        }
        catch (ResourceLimitException e)
        {
            throw new LinkException(e);
        }
        for (int i = info.ImportedTags; i < info.Tags.Count; i++) instance.Tags[i] = new Tag(info.Tags[i]);
    }

    /// <summary>Code without comparisons must not get a memory without guard pages: other data lie behind it.</summary>
    private static void CheckGuards(Instance instance, ModuleInfo info)
    {
        for (int i = 0; i < info.ImportedMemories; i++)
        {
            if (Memory.CanBeGuarded(info.Memories[i]) && !instance.Memories[i].IsGuarded)
                throw new LinkException($"incompatible memory: memory {i} has no guard pages, which the code relies on; it was made for engines with MemoryChecks.Explicit");
        }
    }

    /// <summary>How far each index space of an instance is filled.</summary>
    private struct Filled
    {
        private int funcs, memories, tables, globals, tags, modules, instances;

        internal void Add(Instance instance, object item)
        {
            switch (item)
            {
                case FuncRef f: instance.Funcs[funcs++] = HostFunctions.ForCaller(f, instance); break;
                case Memory m: instance.Memories[memories++] = m; break;
                case Table t: instance.Tables[tables++] = t; break;
                case Global g: instance.Globals[globals++] = g; break;
                case Module m: instance.Modules[modules++] = m; break;
                case Instance i:
                    while (instance.Module.Info.Instances[instances].First is not null) instances++;
                    instance.Instances[instances++] = i;
                    break;
                default: instance.Tags[tags++] = (Tag)item; break;
            }
        }
    }

    // ---- module linking ----

    private static object Perform(Instance instance, Initialiser step, object[] imports, ref long left)
    {
        switch (step.Kind)
        {
            case InitialiserKind.Import: return imports[step.Source];
            case InitialiserKind.Captured: return instance.Module.Captured[step.Source];
            case InitialiserKind.Alias: return instance.InstanceAt(step.Source, imports).FindInternal(step.Name)!;
            case InitialiserKind.Module:
                {
                    ModuleCode nested = instance.Module.Shared.Nested(step.Source);
                    Items<Capture> captures = nested.Info.Captures;
                    var captured = captures.Count == 0 ? [] : new Module[captures.Count];
                    for (int i = 0; i < captured.Length; i++)
                    {
                        captured[i] = captures[i].FromCaptures
                            ? instance.Module.Captured[captures[i].Index] : (Module)instance.Modules[captures[i].Index];
                    }
                    return new Module(nested, captured);
                }
            default:
                {
                    var module = (Module)instance.Modules[step.Source];
                    var given = new Arguments();
                    foreach (InstanceArgument argument in step.Arguments) given.Add(argument.Name, null, Item(instance, argument, imports));
                    Items<ImportInfo> wanted = module.Info.Imports;
                    var values = new object[wanted.Count];
                    for (int i = 0; i < values.Length; i++) values[i] = given.Find(module.Engine, wanted[i]);
                    return instance.Define(Instantiate(module, values, instance.FuelTank, instance.GuestLimits, null, areValid: false, ref left));
                }
        }
    }

    private static object Item(Instance instance, InstanceArgument argument, object[] imports) => argument.Kind switch
    {
        ExternKind.Func => instance.GetFunc(argument.Index),
        ExternKind.Table => instance.Tables[argument.Index],
        ExternKind.Memory => instance.Memories[argument.Index],
        ExternKind.Global => instance.Globals[argument.Index],
        ExternKind.Module => instance.Modules[argument.Index],
        ExternKind.Instance => instance.InstanceAt(argument.Index, imports),
        ExternKind.Tag => instance.Tags[argument.Index],
    };

    private static void InitialiseGlobals(Instance instance, ModuleInfo info)
    {
        int own = info.Globals.Count - info.ImportedGlobals;
        if (own == 0) return;
        var storage = new GlobalStorage(own);
        byte* data = storage.Data;
        instance.GlobalData = data;
        instance.GlobalStorage = storage;
        for (int i = 0; i < own; i++)
        {
            if ((i & 0xff) == 0xff) CancellationScope.ThrowIfStopped();
            GlobalInfo declared = info.Globals[info.ImportedGlobals + i];
            object? value = ConstEvaluator.Evaluate(instance, declared.Init);
            var global = new Global(declared.Type, declared.Type.Type.IsRef ? null : data + (i * 16), storage);
            if (global.IsFunc) global.Func = (FuncRef?)value;
            else if (declared.Type.Type.IsRef) global.Ref = value;
            else global.SetValue(value);
            instance.Globals[info.ImportedGlobals + i] = global;
        }
    }

    private static void InitialiseTables(Instance instance, ModuleInfo info)
    {
        for (int i = info.ImportedTables; i < info.Tables.Count; i++)
            if (info.Tables[i].Init is { } init)
                instance.Tables[i].Fill(0, ConstEvaluator.Evaluate(instance, init), info.Tables[i].Type.Minimum);
    }

    private static void RunSegments(Instance instance, ModuleInfo info)
    {
        // Fuel is paid for each segment's address.
        MappedContent? content = instance.FuelTank is null && info.State.Code is FunctionCode code ? code.Content : null;
        using PageWork? pages = content is null ? ExpectData(instance, info) : null;
        if (info.Elems.Count > 0)
        {
            instance.Elems = new object?[info.Elems.Count][];
            for (int i = 0; i < info.Elems.Count; i++) instance.Elems[i] = Evaluate(instance, info.Elems[i]);
        }
        if (info.Datas.Count > 0) instance.Datas = new ReadOnlyMemory<byte>[info.Datas.Count];
        int copied = 0;
        try
        {
            ReadOnlySpan<byte> bytes = info.Bytes.Span;
            for (int i = 0; i < info.Elems.Count; i++)
            {
                ElemInfo elem = info.Elems[i];
                if (elem.Mode == SegmentMode.Active)
                {
                    ulong at = ConstEvaluator.EvaluateAddress(instance, bytes, elem.Where);
                    instance.Tables[(int)elem.Table].Init(at, instance.Elems[i], 0, (ulong)elem.Count);
                }
                if (elem.Mode != SegmentMode.Passive) instance.Elems[i] = [];
            }
            if (content is not null && content.TryMap(instance.Memories[content.Memory])) copied = info.Datas.Count;
            else CopyDatas(instance, info, bytes, ref copied);
        }
        finally
        {
            // Those that were copied are empty. After a trap the instance has the others: a function of it may be in a table already.
            Items<DataInfo> datas = info.Datas;
            for (int i = 0; i < datas.Count; i++)
                if (i >= copied || datas[i].Mode != SegmentMode.Active) instance.Datas[i] = info.Bytes.Slice(datas[i].Start, datas[i].Length);
        }
    }

    /// <summary>Copies the active data segments.</summary>
    private static void CopyDatas(Instance instance, ModuleInfo info, ReadOnlySpan<byte> bytes, ref int copied)
    {
        Items<DataInfo> datas = info.Datas;
        for (; copied < datas.Count; copied++)
        {
            DataInfo data = datas[copied];
            if (data.Mode != SegmentMode.Active) continue;
            ulong at = ConstEvaluator.EvaluateAddress(instance, bytes, data.Where);
            instance.Memories[(int)data.Memory].CopyIn(at, bytes.Slice(data.Start, data.Length));
        }
    }

    /// <summary>Prepares a memory for the active segments, which mostly lie in a row.</summary>
    private static PageWork? ExpectData(Instance instance, ModuleInfo info)
    {
        long active = 0;
        int first = -1;
        Items<DataInfo> datas = info.Datas;
        for (int i = 0; i < datas.Count; i++)
        {
            if (datas[i].Mode != SegmentMode.Active) continue;
            if (first < 0) first = i;
            active += datas[i].Length;
        }
        return first >= 0 && ConstEvaluator.IsConstant(info.Bytes.Span, datas[first].Where, out int at) ? instance.Memories[(int)datas[first].Memory].ExpectWrites((uint)at, (ulong)active) : null;
    }

    private static object?[] Evaluate(Instance instance, ElemInfo elem)
    {
        if (elem.Count == 0) return [];
        var items = new object?[elem.Count];
        for (int i = 0; i < items.Length; i++)
        {
            if ((i & 0xff) == 0xff) CancellationScope.ThrowIfStopped();
            items[i] = elem.Funcs is { } funcs ? instance.GetFunc((int)funcs[i]) : ConstEvaluator.Evaluate(instance, elem.Exprs[i]);
        }
        return items;
    }
}
