using WasmJit.Jit.Binary;

namespace WasmJit.Jit.Validation;

/// <summary>Refuses types, memories and tables of features that the host has switched off; operators are refused where they are validated.</summary>
internal static class FeatureValidator
{
    internal static void Validate(ModuleInfo module)
    {
        if (module.Features == Features.All) return;
        foreach (DefType type in module.Types) Check(module, type);
        foreach (ImportInfo import in module.Imports)
            if (import.Type.IsExact) Need(module, Features.CustomDescriptors, "exact function import", import.Offset);
        foreach (GlobalInfo global in module.Globals) Check(module, global.Type.Type, global.Offset);
        foreach (TableInfo table in module.Tables)
        {
            Check(module, table.Type.Element, table.Offset);
            if (table.Type.Is64) Need(module, Features.Memory64, "64-bit table", table.Offset);
        }
        foreach (MemoryType memory in module.Memories)
        {
            if (memory.Is64) Need(module, Features.Memory64, "64-bit memory", 0);
            if (memory.IsShared) Need(module, Features.Threads, "shared memory", 0);
            if (memory.PageSizeLog2 != 16) Need(module, Features.CustomPageSizes, "custom page size", 0);
        }
        if (module.Memories.Count > 1) Need(module, Features.MultiMemory, "multiple memories", 0);
        if (module.Tables.Count > 1) Need(module, Features.ReferenceTypes, "multiple tables", module.Tables[1].Offset);
        if (module.Tags.Count > 0 && (module.Features & Features.LegacyExceptions) == 0) Need(module, Features.Exceptions, "tag", 0);
    }

    /// <exception cref="InvalidModuleException">The feature is off.</exception>
    internal static void Need(ModuleInfo module, Features feature, string what, int at)
    {
        if ((module.Features & feature) != feature)
            throw new InvalidModuleException($"{what}: needs the feature {feature & ~module.Features}, which is switched off", at);
    }

    private static void Check(ModuleInfo module, DefType type)
    {
        if (type.Descriptor is not null || type.Describes is not null) Need(module, Features.CustomDescriptors, "descriptor", 0);
        if (type.Super is not null || !type.IsFinal || type.Group!.Members.Length > 1) Need(module, Features.Gc, "recursive or sub type", 0);
        switch (type.Composite)
        {
            case FuncType func:
                foreach (ValType p in func.Params) Check(module, p, 0);
                foreach (ValType r in func.Results) Check(module, r, 0);
                break;
            case StructType fields:
                Need(module, Features.Gc, "struct type", 0);
                foreach (FieldType field in fields.Fields) Check(module, field.Type, 0);
                break;
            case ArrayType array:
                Need(module, Features.Gc, "array type", 0);
                Check(module, array.Element.Type, 0);
                break;
        }
    }

    internal static void Check(ModuleInfo module, ValType type, int at)
    {
        if (type.Kind == ValKind.V128) Need(module, Features.Simd, "v128", at);
        if (!type.IsRef) return;
        switch (type.Heap)
        {
            case ExactType: Need(module, Features.CustomDescriptors, "exact type", at); break;
            case DefType: Need(module, Features.FunctionReferences, "typed reference", at); break;
            case AbstractHeapType heap:
                if (ReferenceEquals(heap, HeapType.Extern)) Need(module, Features.ReferenceTypes, "externref", at);
                else if (ReferenceEquals(Subtyping.TopOf(heap), HeapType.Any)) Need(module, Features.Gc, $"{heap} reference", at);
                else if (ReferenceEquals(Subtyping.TopOf(heap), HeapType.Exn)) Need(module, Features.Exceptions, "exnref", at);
                break;
        }
    }
}
