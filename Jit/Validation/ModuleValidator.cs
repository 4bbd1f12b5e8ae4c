using WasmJit.Jit.Binary;
using WasmJit.Runtime;

namespace WasmJit.Jit.Validation;

/// <summary>Validates a decoded module (spec 3.4 and 3.5): all of it, before any other code sees it.</summary>
internal static class ModuleValidator
{
    /// <summary>Below this many bytes of code one thread is faster than several.</summary>
    private const int ParallelThreshold = 256 * 1024;

    /// <exception cref="InvalidModuleException">The module is invalid.</exception>
    /// <exception cref="MalformedModuleException">A body is malformed.</exception>
    /// <exception cref="GuestCanceledException">The calling thread's guests are to stop.</exception>
    internal static void Validate(ModuleInfo module) => DeepStack.Run(() =>
    {
        ValidateTree(module);
        return true;
    });

    /// <summary>Validates a function that is made at run time. What its scope has belongs to a valid module.</summary>
    /// <exception cref="ModuleException">The body is malformed or invalid.</exception>
    /// <exception cref="GuestCanceledException">The calling thread's guests are to stop.</exception>
    internal static void ValidateMade(ModuleInfo made) => DeepStack.Run(() =>
    {
        new FunctionValidator(made).ValidateBody(made.ImportedFuncs);
        return true;
    });

    private static void ValidateTree(ModuleInfo module)
    {
        if (!module.Settings.AllowLinking && module.LinkingUse is { } use) throw ModuleInfo.LinkingOff(use.What, use.Offset);
        foreach (ModuleInfo nested in module.Nested) ValidateTree(nested);
        FeatureValidator.Validate(module);
        var validator = new FunctionValidator(module);
        CheckSpaces(module, validator);
        ExportNames.Check(module);
        foreach (ScopeInfo scope in module.Scopes) scope.Check();
        ValidateBodies(module, validator);
        if (module.LinkingUse is null && !module.State.CodeUsesLinking) return;
        var names = new ImportNames();
        foreach (ImportInfo import in module.Imports) names.Add(import.Module, import.Name, import.Offset);
    }

    private static void CheckSpaces(ModuleInfo module, FunctionValidator expressions)
    {
        for (int i = module.ImportedTables; i < module.Tables.Count; i++)
        {
            TableInfo table = module.Tables[i];
            if (table.Init is { } init) expressions.ValidateConst(init, table.Type.Element, module.ImportedGlobals);
            else if (!table.Type.Element.IsNullable) throw new InvalidModuleException("type mismatch: a table of non-null references needs an initial value", table.Offset);
        }
        for (int i = module.ImportedGlobals; i < module.Globals.Count; i++)
            expressions.ValidateConst(module.Globals[i].Init, module.Globals[i].Type.Type, i);
        foreach (ElemInfo elem in module.Elems) CheckElem(module, expressions, elem);
        foreach (DataInfo data in module.Datas)
        {
            if (data.Mode != SegmentMode.Active) continue;
            if (data.Memory >= module.Memories.Count) throw new InvalidModuleException($"unknown memory {data.Memory}", data.Offset);
            expressions.ValidateConst(data.Where, module.Memories[(int)data.Memory].AddressType, module.Globals.Count);
        }
        if (module.Start is { } start)
        {
            if (start >= module.Funcs.Count) throw new InvalidModuleException($"unknown function {start}", module.StartOffset);
            FuncType type = module.Funcs[(int)start].Func;
            if (!type.Params.IsEmpty || !type.Results.IsEmpty) throw new InvalidModuleException("start function must have type [] -> []", module.StartOffset);
        }
    }

    private static void CheckElem(ModuleInfo module, FunctionValidator expressions, ElemInfo elem)
    {
        if (elem.Funcs is { } funcs)
        {
            foreach (uint func in funcs)
                if (func >= module.Funcs.Count) throw new InvalidModuleException($"unknown function {func}", elem.Offset);
        }
        foreach (ConstExpr expr in elem.Exprs) expressions.ValidateConst(expr, elem.Type, module.Globals.Count);
        if (elem.Mode != SegmentMode.Active) return;
        if (elem.Table >= module.Tables.Count) throw new InvalidModuleException($"unknown table {elem.Table}", elem.Offset);
        TableType table = module.Tables[(int)elem.Table].Type;
        if (!Subtyping.IsSubtype(elem.Type, table.Element)) throw new InvalidModuleException("type mismatch: the segment does not fit the table", elem.Offset);
        expressions.ValidateConst(elem.Where, table.AddressType, module.Globals.Count);
    }

    private static void ValidateBodies(ModuleInfo module, FunctionValidator single)
    {
        int first = module.ImportedFuncs, count = module.Funcs.Count;
        if (count == first) return;
        int bytes = module.Funcs[count - 1].BodyEnd - module.Funcs[first].BodyStart;
        if (bytes < ParallelThreshold)
        {
            for (int i = first; i < count; i++) single.ValidateBody(i);
            return;
        }
        ParallelValidation.Run(module, bytes / ParallelThreshold + 1);
    }
}
