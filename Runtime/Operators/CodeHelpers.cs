using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>
/// Methods that generated code calls for operators on memories, tables, functions and the linking extension. The operands come first, as they lie on
/// the stack, then the arguments that the emitter adds. Addresses and counts are ulong, and serve memories and tables of
/// either size: the emitter widens those of 32 bits.
/// </summary>
internal static class CodeHelpers
{
    // ---- memories ----

    internal static long MemorySize(Memory memory) => (long)memory.PageCount;

    internal static long MemoryGrow(ulong delta, Memory memory) => memory.Grow(delta);

    internal static void MemoryFill(ulong to, int value, ulong count, Memory memory) => Memory.Fill(to, value, count, memory);

    internal static void MemoryCopy(ulong to, ulong from, ulong count, Memory target, Memory source) => Memory.Copy(to, from, count, target, source);

    internal static void MemoryInit(ulong to, uint from, uint count, Memory memory, InstanceCore instance, int segment) =>
        Memory.Init(to, from, count, memory, instance, segment);

    internal static void DataDrop(InstanceCore instance, int segment) => instance.Datas[segment] = default;

    // ---- tables ----

    internal static object? TableGet(ulong index, Table table) => table.Get(index);

    internal static void TableSet(ulong index, object? value, Table table) => table.Set(index, value);

    internal static long TableSize(Table table) => table.Size;

    internal static long TableGrow(object? value, ulong delta, Table table) => table.GrowCore(delta, value);

    internal static void TableFill(ulong index, object? value, ulong count, Table table) => table.Fill(index, value, count);

    internal static void TableCopy(ulong to, ulong from, ulong count, Table target, Table source) => Table.Copy(target, to, source, from, count);

    internal static void TableInit(ulong to, uint from, uint count, Table table, InstanceCore instance, int segment) =>
        table.Init(to, instance.Elems[segment], from, count);

    internal static void ElemDrop(InstanceCore instance, int segment) => instance.Elems[segment] = [];

    // ---- functions ----

    /// <summary>
    /// The callee of <c>call_indirect</c>; the type as an object is needed only where the numbers differ. There is one for each size of addresses, because
    /// RyuJIT leaves out the check of the array's bounds only behind a comparison of 32 bits.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static FuncRef Resolve32(uint index, Table table, int typeId, InstanceCore instance, int type)
    {
        FuncRef[] funcs = table.Funcs;
        if (index < (uint)funcs.Length)
        {
            FuncRef func = funcs[index];
            if (func.TypeId == typeId) return func;
        }
        return ResolveSlow(index, table, instance, type);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static FuncRef Resolve64(ulong index, Table table, int typeId, InstanceCore instance, int type)
    {
        FuncRef[] funcs = table.Funcs;
        if (index < (ulong)funcs.Length)
        {
            FuncRef func = funcs[(int)index];
            if (func.TypeId == typeId) return func;
        }
        return ResolveSlow(index, table, instance, type);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static FuncRef ResolveSlow(ulong index, Table table, InstanceCore instance, int type) =>
        Table.ResolveSlow(table, index, instance.Types[type]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static FuncRef NonNullFunc(FuncRef? func)
    {
        if (func is null) Trap.NullFunction();
        return func;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static object NonNull(object? value)
    {
        if (value is null) Trap.Throw(TrapKind.NullReference);
        return value;
    }

    // ---- runtime linking ----

    internal static object? Compile(ulong address, ulong length, InstanceCore instance, int memory, int type, bool orNull) =>
        instance.Services.Compile(instance, instance.Memories[memory], address, length, instance.Types[type], orNull);

    /// <summary><c>func.new</c>: the result is null only when <paramref name="orNull"/>.</summary>
    internal static FuncRef? NewFunc(ulong address, ulong length, InstanceCore instance, int memory, int type, int scope, bool orNull) =>
        NewNamedFunc(0, 0, address, length, instance, memory, type, scope, orNull);

    internal static FuncRef? NewNamedFunc(
        ulong name, ulong nameLength, ulong address, ulong length, InstanceCore instance, int memory, int type, int scope, bool orNull) =>
        instance.Services.NewFunc(instance, new NewFuncRequest(instance.Memories[memory], address, length, name, nameLength, instance.Types[type], scope, orNull));

    internal static void OptimizeFunc(FuncRef? func, InstanceCore instance)
    {
        if (NonNullFunc(func) is { Context: InstanceCore of } own) of.Services.Optimize(of, own.Index, instance.FuelTank);
    }

    internal static int IsOptimizedFunc(FuncRef? func) =>
        NonNullFunc(func) is { Context: InstanceCore of } own && !of.Services.IsOptimized(of, own.Index) ? 0 : 1;

    internal static void DropModule(object? module, InstanceCore instance) => instance.Services.DropModule(instance, module);

    internal static void DropFunc(FuncRef? func, InstanceCore instance) => instance.Services.DropFunc(instance, NonNullFunc(func));

    internal static long CountCode(InstanceCore instance) => instance.Services.OwnCode(instance).Count;

    internal static long SizeOfCode(InstanceCore instance) => instance.Services.OwnCode(instance).Bytes;

    internal static object? Instantiate(object?[] args, object? module, InstanceCore instance, int type, bool orNull) =>
        instance.Services.Instantiate(instance, module, args, instance.Types[type], orNull);

    /// <summary><c>instantiate (module $M)</c>.</summary>
    internal static object InstantiateModule(object?[] args, InstanceCore instance, int module) =>
        instance.Services.InstantiateModule(instance, module, args);

    /// <summary>The instance that two-level imports of one first name form.</summary>
    internal static object ImpliedInstance(InstanceCore instance, int index) => instance.Services.ImpliedInstance(instance, index);

    /// <summary>The null check of a call into an instance.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static object NonNullInstance(object? instance)
    {
        if (instance is null) Trap.Throw(TrapKind.NullInstanceReference);
        return instance;
    }

    /// <summary>
    /// <c>get_export $I "name"</c>: a load from the target's exports if the place is known for instances of its type. Functions are FuncRefs, which
    /// have the same delegate each time.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static object GetExport(object? target, InstanceCore instance, int number, string name)
    {
        if (target is null) Trap.Throw(TrapKind.NullInstanceReference);
        InstanceCore of = Unsafe.As<InstanceCore>(target);
        return FindExport(of, instance, number) ?? instance.Services.GetExport(instance, of, number, name);
    }

    /// <summary>The same for the interpreter, which has the name by its number.</summary>
    internal static object GetExportByNumber(object? target, InstanceCore instance, int number)
    {
        if (target is null) Trap.Throw(TrapKind.NullInstanceReference);
        InstanceCore of = Unsafe.As<InstanceCore>(target);
        return FindExport(of, instance, number) ?? instance.Services.GetExport(instance, of, number);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static object? FindExport(InstanceCore of, InstanceCore instance, int number)
    {
        ExportCache.Place?[] places = instance.ExportCache.Places;
        if ((uint)number >= (uint)places.Length || places[number] is not { } place || !ReferenceEquals(place.Type, of.ExportType)) return null;
        object?[] values = of.ExportValues;
        return (uint)place.Index < (uint)values.Length ? values[place.Index] : null;
    }

    internal static object? GetExportNull(object? target, ulong address, ulong length, InstanceCore instance, int memory, int type) =>
        instance.Services.GetExport(target, instance.Memories[memory], address, length, instance.Types[type]);
}
