using System.Runtime.CompilerServices;
using WasmJit.Jit;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>Instantiation (spec 4.5.4), for hosts and for guests alike.</summary>
internal static unsafe class Linker
{
    /// <summary>Looks the imports up by name. Functions become FuncRefs.</summary>
    /// <exception cref="LinkException">One is missing, or a delegate has another signature.</exception>
    internal static object[] Resolve(Module module, Imports imports)
    {
        List<ImportInfo> wanted = module.Info.Imports;
        var values = new object[wanted.Count];
        for (int i = 0; i < values.Length; i++)
        {
            ImportInfo import = wanted[i];
            object value = imports.Find(import.Module, import.Name)
                ?? throw new LinkException($"unknown import: \"{import.Module}\" \"{import.Name}\" {import.Type}");
            if (value is Delegate host && import.Type.Kind == ExternKind.Func) value = ToFunc(host, import);
            values[i] = value;
        }
        return values;
    }

    private static FuncRef ToFunc(Delegate host, ImportInfo import)
    {
        if (host.Target is FuncRef func && ReferenceEquals(func.Delegate, host)) return func;
        try
        {
            return HostAdapter.MakeFunc(host, import.Type.Def);
        }
        catch (ArgumentException e)
        {
            throw new LinkException($"incompatible import type: \"{import.Module}\" \"{import.Name}\": {e.Message}");
        }
    }

    private static ExternType? TypeOf(object value) => value switch
    {
        FuncRef func => ExternType.OfFunc(func.Type, true),
        Memory memory => ExternType.Of(memory.CurrentType),
        Table table => ExternType.Of(table.CurrentType),
        Global global => ExternType.Of(global.Type),
        Tag tag => ExternType.OfTag(tag.Type),
        _ => null,
    };

    /// <summary>Makes an instance of imports in the module's order.</summary>
    /// <param name="module">The module.</param>
    /// <param name="imports">The imports.</param>
    /// <param name="fuel">What it may execute.</param>
    /// <param name="beforeStart">Sees the instance before its start function runs.</param>
    /// <exception cref="LinkException">An import is of another type.</exception>
    internal static Instance Instantiate(Module module, object[] imports, Fuel? fuel = null, Action<Instance>? beforeStart = null)
    {
        ModuleInfo info = module.Info;
        for (int i = 0; i < imports.Length; i++)
        {
            ImportInfo import = info.Imports[i];
            if (TypeOf(imports[i]) is not { } type || !Subtyping.Matches(type, import.Type))
                throw new LinkException(
                    $"incompatible import type: \"{import.Module}\" \"{import.Name}\" is {TypeOf(imports[i])?.ToString() ?? "something else"}, {import.Type}{(import.Type.IsExact ? " exactly" : "")} is needed");
        }
        var instance = new Instance(module) { Services = module.Services };
        if (module.Engine.Options.CountFuel) instance.FuelTank = fuel ?? new Fuel(long.MaxValue);
        Allocate(instance, info, imports);
        InitialiseGlobals(instance, info);
        InitialiseTables(instance, info);
        RunSegments(instance, info);
        beforeStart?.Invoke(instance);
        if (info.Start is { } start) ((Action)instance.GetFunc((int)start).Delegate)();
        return instance;
    }

    private static void Allocate(Instance instance, ModuleInfo info, object[] imports)
    {
        instance.Types = info.TypeArray;
        instance.Funcs = info.Funcs.Count == 0 ? [] : new FuncRef?[info.Funcs.Count];
        instance.Memories = info.Memories.Count == 0 ? [] : new Memory[info.Memories.Count];
        instance.Tables = info.Tables.Count == 0 ? [] : new Table[info.Tables.Count];
        instance.Globals = info.Globals.Count == 0 ? [] : new Global[info.Globals.Count];
        instance.Tags = info.Tags.Count == 0 ? [] : new Tag[info.Tags.Count];
        int func = 0, memory = 0, table = 0, global = 0, tag = 0;
        foreach (object import in imports)
        {
            switch (import)
            {
                case FuncRef f: instance.Funcs[func++] = f; break;
                case Memory m: instance.Memories[memory++] = m; break;
                case Table t: instance.Tables[table++] = t; break;
                case Global g: instance.Globals[global++] = g; break;
                default: instance.Tags[tag++] = (Tag)import; break;
            }
        }
        try
        {
            for (; memory < info.Memories.Count; memory++) instance.Memories[memory] = new Memory(info.Memories[memory]);
            // Initial values of globals may refer to tables, those of tables to globals: values come later.
            for (; table < info.Tables.Count; table++) instance.Tables[table] = new Table(info.Tables[table].Type, null, default);
        }
        catch (InsufficientMemoryException e)
        {
            throw new LinkException($"out of memory: {e.Message}");
        }
        for (; tag < info.Tags.Count; tag++) instance.Tags[tag] = new Tag(info.Tags[tag]);
        if (instance.Memories.Length > 0)
        {
            instance.Memory0 = instance.Memories[0];
            instance.Memory0Base = instance.Memories[0].Base;
        }
    }

    private static void InitialiseGlobals(Instance instance, ModuleInfo info)
    {
        int own = info.Globals.Count - info.ImportedGlobals;
        if (own == 0) return;
        byte[] storage = GC.AllocateArray<byte>((own * 16) + 15, pinned: true);
        byte* data = (byte*)(((nint)Unsafe.AsPointer(ref storage[0]) + 15) & ~15);
        instance.GlobalData = data;
        instance.GlobalStorage = storage;
        for (int i = 0; i < own; i++)
        {
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
        if (instance.Tables.Length > 0) instance.Table0 = instance.Tables[0];
    }

    private static void RunSegments(Instance instance, ModuleInfo info)
    {
        if (info.Elems.Count > 0)
        {
            instance.Elems = new object?[info.Elems.Count][];
            for (int i = 0; i < info.Elems.Count; i++) instance.Elems[i] = Evaluate(instance, info.Elems[i]);
        }
        if (info.Datas.Count > 0)
        {
            instance.Datas = new ReadOnlyMemory<byte>[info.Datas.Count];
            for (int i = 0; i < info.Datas.Count; i++) instance.Datas[i] = info.Bytes.Slice(info.Datas[i].Start, info.Datas[i].Length);
        }
        for (int i = 0; i < info.Elems.Count; i++)
        {
            ElemInfo elem = info.Elems[i];
            if (elem.Mode == SegmentMode.Active)
            {
                ulong at = ConstEvaluator.Address(ConstEvaluator.Evaluate(instance, elem.Where));
                instance.Tables[(int)elem.Table].Init(at, instance.Elems[i], 0, (ulong)elem.Count);
            }
            if (elem.Mode != SegmentMode.Passive) instance.Elems[i] = [];
        }
        for (int i = 0; i < info.Datas.Count; i++)
        {
            DataInfo data = info.Datas[i];
            if (data.Mode != SegmentMode.Active) continue;
            ulong at = ConstEvaluator.Address(ConstEvaluator.Evaluate(instance, data.Where));
            Memory.Init(at, 0, (uint)data.Length, instance.Memories[(int)data.Memory], instance, i);
            instance.Datas[i] = default;
        }
    }

    private static object?[] Evaluate(Instance instance, ElemInfo elem)
    {
        if (elem.Count == 0) return [];
        var items = new object?[elem.Count];
        for (int i = 0; i < items.Length; i++)
            items[i] = elem.Funcs is { } funcs ? instance.GetFunc((int)funcs[i]) : ConstEvaluator.Evaluate(instance, elem.Exprs[i]);
        return items;
    }
}
