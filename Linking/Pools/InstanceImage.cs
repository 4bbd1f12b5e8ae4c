using WasmJit.Jit.Binary;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>
/// The state of an instance at a time: memories, globals, tables and segments that its module defines. Nothing of it is an object whose contents could
/// have changed since: an instance that has such objects has no image.
/// </summary>
/// <remarks>Unsafe: numbers of globals are copied as the bytes of their storage, which the instance keeps.</remarks>
internal sealed unsafe class InstanceImage
{
    private readonly MemoryImage[] memories;
    private readonly byte[] numbers;
    private readonly (object? Ref, FuncRef? Func)[] references;
    private readonly FuncRef[][] tables;
    private readonly int[] sizes;
    private readonly object?[][] elems;
    private readonly ReadOnlyMemory<byte>[] datas;

    private InstanceImage(Instance instance, InstanceImage? known)
    {
        ModuleInfo info = instance.Module.Info;
        memories = new MemoryImage[instance.Memories.Length - info.ImportedMemories];
        for (int i = 0; i < memories.Length; i++)
            memories[i] = MemoryImage.Of(instance.Memories[info.ImportedMemories + i]).Shared(known?.memories[i]);
        int own = instance.Globals.Length - info.ImportedGlobals;
        numbers = own == 0 ? [] : new ReadOnlySpan<byte>(instance.GlobalData, own * 16).ToArray();
        references = new (object?, FuncRef?)[own];
        for (int i = 0; i < own; i++) references[i] = (instance.Globals[info.ImportedGlobals + i].Ref, instance.Globals[info.ImportedGlobals + i].Func);
        int tableCount = instance.Tables.Length - info.ImportedTables;
        tables = new FuncRef[tableCount][];
        sizes = new int[tableCount];
        for (int i = 0; i < tableCount; i++)
        {
            Table table = instance.Tables[info.ImportedTables + i];
            sizes[i] = table.Size;
            tables[i] = table.Funcs.AsSpan(0, table.IsFunc ? table.Size : 0).ToArray();
        }
        elems = [.. instance.Elems];
        datas = [.. instance.Datas];
        GC.KeepAlive(instance);
    }

    /// <summary>Takes an image.</summary>
    /// <param name="instance">The instance. No call is in it.</param>
    /// <param name="known">The image of another instance of the module, whose equal parts serve both.</param>
    /// <returns>Null if the instance could not be restored from one.</returns>
    internal static InstanceImage? Of(Instance instance, InstanceImage? known) => CanBeRestored(instance) ? new InstanceImage(instance, known) : null;

    private static bool CanBeRestored(Instance instance)
    {
        ModuleInfo info = instance.Module.Info;
        if (info.Initialisers.Count != 0 || instance.Modules.Length != 0 || instance.Instances.Length != 0) return false;
        foreach (ImportInfo import in info.Imports)
        {
            // What it imports and can change belongs to others.
            if (import.Type.Kind is not (ExternKind.Func or ExternKind.Tag) && !(import.Type.Kind == ExternKind.Global && !import.Type.Global.IsMutable)) return false;
        }
        foreach (Memory memory in instance.Memories)
            if (memory.Type.IsShared) return false;
        HashSet<FuncRef>? imported = null;
        foreach (Global global in instance.Globals)
            if (!IsConstant(global.Ref) || !IsItsOwn(instance, global.Func, ref imported)) return false;
        foreach (Table table in instance.Tables)
        {
            if (table.Refs.AsSpan().ContainsAnyExcept((object?)null)) return false;
            foreach (FuncRef func in table.Funcs)
                if (!IsItsOwn(instance, func, ref imported)) return false;
        }
        foreach (object?[] segment in instance.Elems)
            foreach (object? item in segment)
                if (!(item is FuncRef func ? IsItsOwn(instance, func, ref imported) : IsConstant(item))) return false;
        return true;
    }

    /// <summary>
    /// Whether a function has no state beside that of the instance and of what it imports. A function of an instance that the guest has made has the
    /// memory and globals of that, and fuel of the tenant who was there then.
    /// </summary>
    private static bool IsItsOwn(Instance instance, FuncRef? func, ref HashSet<FuncRef>? imported)
    {
        if (func?.Context is not InstanceCore of || ReferenceEquals(of, instance)) return true;
        if (imported is null)
        {
            imported = [];
            foreach (FuncRef? given in instance.Funcs.AsSpan(0, instance.ImportedFuncs)) imported.Add(given!);
            foreach (Global given in instance.Globals.AsSpan(0, instance.Module.Info.ImportedGlobals))
                if (given.Func is not null) imported.Add(given.Func);
        }
        return imported.Contains(func);
    }

    /// <summary>Whether a reference has no contents that could change.</summary>
    private static bool IsConstant(object? reference) => reference is null or Gc.I31 or string;

    /// <summary>Gives the instance the state of then.</summary>
    /// <returns>False if a memory or table has grown, or has been replaced by objects: the instance is of no use then.</returns>
    internal bool TryRestore(Instance instance)
    {
        ModuleInfo info = instance.Module.Info;
        if (instance.IsDisposed) return false;
        for (int i = 0; i < sizes.Length; i++)
            if (instance.Tables[info.ImportedTables + i].Size != sizes[i]) return false;
        for (int i = 0; i < memories.Length; i++)
            if (!memories[i].TryRestore(instance.Memories[info.ImportedMemories + i])) return false;
        numbers.CopyTo(new Span<byte>(instance.GlobalData, numbers.Length));
        for (int i = 0; i < references.Length; i++) (instance.Globals[info.ImportedGlobals + i].Ref, instance.Globals[info.ImportedGlobals + i].Func) = references[i];
        for (int i = 0; i < tables.Length; i++)
        {
            Table table = instance.Tables[info.ImportedTables + i];
            if (table.IsFunc) tables[i].CopyTo(table.Funcs.AsSpan());
            else table.Refs.AsSpan().Clear();
        }
        elems.CopyTo(instance.Elems, 0);
        datas.CopyTo(instance.Datas, 0);
        instance.LastLinkingError = null;
        GC.KeepAlive(instance);
        return true;
    }
}
