using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>
/// Methods that generated code calls for operators on memories, tables, functions and the linking extension. The operands come first, as they lie on
/// the stack, then the arguments that the emitter adds. Addresses and counts of 32-bit memories and tables are uint.
/// </summary>
internal static class CodeHelpers
{
    // ---- memories ----

    internal static int MemorySize32(Memory memory) => (int)memory.PageCount;

    internal static long MemorySize64(Memory memory) => (long)memory.PageCount;

    internal static int MemoryGrow32(uint delta, Memory memory) => (int)memory.Grow(delta);

    internal static long MemoryGrow64(ulong delta, Memory memory) => memory.Grow(delta);

    internal static void MemoryFill32(uint to, int value, uint count, Memory memory) => Memory.Fill(to, value, count, memory);

    internal static void MemoryFill64(ulong to, int value, ulong count, Memory memory) => Memory.Fill(to, value, count, memory);

    internal static void MemoryCopy32(uint to, uint from, uint count, Memory target, Memory source) =>
        Memory.Copy(to, from, count, target, source);

    internal static void MemoryCopy64(ulong to, ulong from, ulong count, Memory target, Memory source) =>
        Memory.Copy(to, from, count, target, source);

    internal static void MemoryCopy32To64(ulong to, uint from, uint count, Memory target, Memory source) =>
        Memory.Copy(to, from, count, target, source);

    internal static void MemoryCopy64To32(uint to, ulong from, uint count, Memory target, Memory source) =>
        Memory.Copy(to, from, count, target, source);

    internal static void MemoryInit32(uint to, uint from, uint count, Memory memory, InstanceCore instance, int segment) =>
        Memory.Init(to, from, count, memory, instance, segment);

    internal static void MemoryInit64(ulong to, uint from, uint count, Memory memory, InstanceCore instance, int segment) =>
        Memory.Init(to, from, count, memory, instance, segment);

    internal static void DataDrop(InstanceCore instance, int segment) => instance.Datas[segment] = default;

    // ---- tables ----

    internal static object? TableGet32(uint index, Table table) => table.Get(index);

    internal static object? TableGet64(ulong index, Table table) => table.Get(index);

    internal static void TableSet32(uint index, object? value, Table table) => table.Set(index, value);

    internal static void TableSet64(ulong index, object? value, Table table) => table.Set(index, value);

    internal static int TableSize32(Table table) => table.Size;

    internal static long TableSize64(Table table) => table.Size;

    internal static int TableGrow32(object? value, uint delta, Table table) => (int)table.GrowCore(delta, value);

    internal static long TableGrow64(object? value, ulong delta, Table table) => table.GrowCore(delta, value);

    internal static void TableFill32(uint index, object? value, uint count, Table table) => table.Fill(index, value, count);

    internal static void TableFill64(ulong index, object? value, ulong count, Table table) => table.Fill(index, value, count);

    internal static void TableCopy32(uint to, uint from, uint count, Table target, Table source) =>
        Table.Copy(target, to, source, from, count);

    internal static void TableCopy64(ulong to, ulong from, ulong count, Table target, Table source) =>
        Table.Copy(target, to, source, from, count);

    internal static void TableCopy32To64(ulong to, uint from, uint count, Table target, Table source) =>
        Table.Copy(target, to, source, from, count);

    internal static void TableCopy64To32(uint to, ulong from, uint count, Table target, Table source) =>
        Table.Copy(target, to, source, from, count);

    internal static void TableInit32(uint to, uint from, uint count, Table table, InstanceCore instance, int segment) =>
        table.Init(to, instance.Elems[segment], from, count);

    internal static void TableInit64(ulong to, uint from, uint count, Table table, InstanceCore instance, int segment) =>
        table.Init(to, instance.Elems[segment], from, count);

    internal static void ElemDrop(InstanceCore instance, int segment) => instance.Elems[segment] = [];

    // ---- functions ----

    /// <summary>The callee of <c>call_indirect</c>; the type as an object is needed only where the numbers differ.</summary>
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

    internal static object? Compile32(uint address, uint length, InstanceCore instance, int memory, int type, bool orNull) =>
        instance.Services.Compile(instance, instance.Memories[memory], address, length, instance.Types[type], orNull);

    internal static object? Compile64(ulong address, ulong length, InstanceCore instance, int memory, int type, bool orNull) =>
        instance.Services.Compile(instance, instance.Memories[memory], address, length, instance.Types[type], orNull);

    /// <summary><c>func.new</c>: the result is null only when <paramref name="orNull"/>.</summary>
    internal static FuncRef? NewFunc32(uint address, uint length, InstanceCore instance, int memory, int type, int scope, bool orNull) =>
        NewFunc64(address, length, instance, memory, type, scope, orNull);

    internal static FuncRef? NewFunc64(ulong address, ulong length, InstanceCore instance, int memory, int type, int scope, bool orNull) =>
        NewNamedFunc64(0, 0, address, length, instance, memory, type, scope, orNull);

    internal static FuncRef? NewNamedFunc32(
        uint name, uint nameLength, uint address, uint length, InstanceCore instance, int memory, int type, int scope, bool orNull) =>
        NewNamedFunc64(name, nameLength, address, length, instance, memory, type, scope, orNull);

    internal static FuncRef? NewNamedFunc64(
        ulong name, ulong nameLength, ulong address, ulong length, InstanceCore instance, int memory, int type, int scope, bool orNull) =>
        instance.Services.NewFunc(instance, new NewFuncRequest(instance.Memories[memory], address, length, name, nameLength, instance.Types[type], scope, orNull));

    internal static void OptimizeFunc(FuncRef? func, InstanceCore instance)
    {
        if (NonNullFunc(func) is { Context: InstanceCore of } own) of.Services.Optimize(of, own.Index, instance.FuelTank);
    }

    internal static int IsOptimizedFunc(FuncRef? func) =>
        NonNullFunc(func) is { Context: InstanceCore of } own && !of.Services.IsOptimized(of, own.Index) ? 0 : 1;

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
        ExportCache.Place?[] places = instance.ExportCache.Places;
        if ((uint)number < (uint)places.Length && places[number] is { } place && ReferenceEquals(place.Type, of.ExportType))
        {
            object?[] values = of.ExportValues;
            if ((uint)place.Index < (uint)values.Length && values[place.Index] is { } value) return value;
        }
        return instance.Services.GetExport(instance, of, number, name);
    }

    internal static object? GetExportNull32(object? target, uint address, uint length, InstanceCore instance, int memory, int type) =>
        instance.Services.GetExport(target, instance.Memories[memory], address, length, instance.Types[type]);

    internal static object? GetExportNull64(object? target, ulong address, ulong length, InstanceCore instance, int memory, int type) =>
        instance.Services.GetExport(target, instance.Memories[memory], address, length, instance.Types[type]);
}
