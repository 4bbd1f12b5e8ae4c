using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>Methods that generated code calls for operators on a table behind a reference (runtime linking, section 4).</summary>
internal static class TableReferences
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Table Of(object? table)
    {
        if (table is null) Trap.Throw(TrapKind.NullTableReference);
        return Unsafe.As<Table>(table);
    }

    /// <summary><c>table.new</c></summary>
    internal static object NewFunc(FuncRef? value, InstanceCore instance, int type) => New(value, instance, type);

    internal static object New(object? value, InstanceCore instance, int type)
    {
        TableType wanted = ((EntityType)instance.Types[type].Composite).Entity.Table;
        try
        {
            return new Table(wanted, value, default, instance.GuestLimits);
        }
        catch (OutOfMemoryException e)
        {
            throw Trap.Make(TrapKind.OutOfMemory, e.Message);
        }
        catch (ResourceLimitException e)
        {
            throw Trap.Make(TrapKind.QuotaExceeded, e.Message);
        }
    }

    internal static object? Get(object? table, ulong index) => Of(table).Get(index);

    internal static void Set(object? table, ulong index, object? value) => Of(table).Set(index, value);

    internal static long Size(object? table) => Of(table).Size;

    internal static long Grow(object? table, object? value, ulong delta) => Of(table).GrowCore(delta, value);

    internal static void Fill(object? table, ulong index, object? value, ulong count) => Of(table).Fill(index, value, count);

    internal static void Copy(object? target, ulong to, object? source, ulong from, ulong count) => Table.Copy(Of(target), to, Of(source), from, count);

    internal static void Init(object? table, ulong to, uint from, uint count, InstanceCore instance, int segment) =>
        Of(table).Init(to, instance.Elems[segment], from, count);

    /// <summary>The callee of <c>call_indirect</c> through a reference.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static FuncRef Resolve32(object? table, uint index, int typeId, InstanceCore instance, int type) =>
        CodeHelpers.Resolve32(index, Of(table), typeId, instance, type);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static FuncRef Resolve64(object? table, ulong index, int typeId, InstanceCore instance, int type) =>
        CodeHelpers.Resolve64(index, Of(table), typeId, instance, type);
}
