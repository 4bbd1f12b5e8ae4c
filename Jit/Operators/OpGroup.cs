namespace WasmJit.Jit.Operators;

/// <summary>
/// Operators that are handled together: validator and emitter have a method for each group. Neither has a default case that takes all others.
/// </summary>
internal enum OpGroup : byte
{
    /// <summary>The row says everything.</summary>
    Plain,

    Control,
    Calls,
    Variables,
    Constants,
    Shuffle,
    References,

    /// <summary>Operators on the module's own memories, tables and segments.</summary>
    Bulk,
    WideArithmetic,
    Exceptions,
    Gc,
    Casts,
    Waits,
    Linking,
    Modules,
    MemoryReferences,
    TableReferences,
    GlobalReferences,
    Slices,
}

internal static class OpGroups
{
    /// <summary>The group of an operator. The compiler refuses a switch that leaves one out (CS8509).</summary>
    internal static OpGroup Of(OpId id) => id switch
    {
        OpId.Plain => OpGroup.Plain,
        OpId.Unreachable or OpId.Nop or OpId.Block or OpId.Loop or OpId.If or OpId.Else or OpId.End or OpId.Br or OpId.BrIf or OpId.BrTable
            or OpId.Return or OpId.BrOnNull or OpId.BrOnNonNull or OpId.Drop or OpId.Select or OpId.SelectT => OpGroup.Control,
        OpId.Call or OpId.CallIndirect or OpId.CallRef or OpId.ReturnCall or OpId.ReturnCallIndirect or OpId.ReturnCallRef => OpGroup.Calls,
        OpId.LocalGet or OpId.LocalSet or OpId.LocalTee or OpId.GlobalGet or OpId.GlobalSet => OpGroup.Variables,
        OpId.I32Const or OpId.I64Const or OpId.F32Const or OpId.F64Const or OpId.V128Const => OpGroup.Constants,
        OpId.I8x16Shuffle => OpGroup.Shuffle,
        OpId.RefNull or OpId.RefIsNull or OpId.RefFunc or OpId.RefAsNonNull => OpGroup.References,
        OpId.MemorySize or OpId.MemoryGrow or OpId.MemoryInit or OpId.MemoryCopy or OpId.MemoryFill or OpId.DataDrop or OpId.ElemDrop
            or OpId.TableGet or OpId.TableSet or OpId.TableSize or OpId.TableGrow or OpId.TableFill or OpId.TableCopy
            or OpId.TableInit => OpGroup.Bulk,
        OpId.I64Add128 or OpId.I64Sub128 or OpId.I64MulWideS or OpId.I64MulWideU => OpGroup.WideArithmetic,
        OpId.Try or OpId.TryTable or OpId.Catch or OpId.CatchAll or OpId.Delegate or OpId.Throw or OpId.ThrowRef
            or OpId.Rethrow => OpGroup.Exceptions,
        OpId.StructNew or OpId.StructNewDefault or OpId.StructNewDesc or OpId.StructNewDefaultDesc or OpId.StructGet or OpId.StructGetS
            or OpId.StructGetU or OpId.StructSet or OpId.RefGetDesc or OpId.ArrayNew or OpId.ArrayNewDefault or OpId.ArrayNewFixed
            or OpId.ArrayNewData or OpId.ArrayNewElem or OpId.ArrayGet or OpId.ArrayGetS or OpId.ArrayGetU or OpId.ArraySet or OpId.ArrayLen
            or OpId.ArrayFill or OpId.ArrayCopy or OpId.ArrayInitData or OpId.ArrayInitElem or OpId.RefI31 or OpId.I31GetS or OpId.I31GetU
            or OpId.RefEq or OpId.AnyConvertExtern or OpId.ExternConvertAny => OpGroup.Gc,
        OpId.RefTest or OpId.RefTestNull or OpId.RefCast or OpId.RefCastNull or OpId.BrOnCast or OpId.BrOnCastFail or OpId.RefCastDescEq
            or OpId.RefCastDescEqNull or OpId.BrOnCastDescEq or OpId.BrOnCastDescEqFail => OpGroup.Casts,
        OpId.MemoryAtomicNotify or OpId.MemoryAtomicWait32 or OpId.MemoryAtomicWait64 or OpId.AtomicFence => OpGroup.Waits,
        OpId.RefMemory or OpId.RefTable or OpId.RefGlobal or OpId.RefTag or OpId.Compile or OpId.CompileNull or OpId.Instantiate
            or OpId.InstantiateNull or OpId.GetExport or OpId.GetExportNull or OpId.FuncNew or OpId.FuncNewNull or OpId.FuncNewNamed
            or OpId.FuncNewNamedNull or OpId.FuncOptimize or OpId.FuncIsOptimized or OpId.ModuleDrop or OpId.FuncDrop or OpId.CodeCount
            or OpId.CodeSize => OpGroup.Linking,
        OpId.RefModule or OpId.RefInstance or OpId.InstantiateModule or OpId.CallExport or OpId.ReturnCallExport => OpGroup.Modules,
        OpId.MemoryNew or OpId.MemorySizeRef or OpId.MemoryGrowRef or OpId.MemoryFillRef or OpId.MemoryCopyRef
            or OpId.MemoryInitRef => OpGroup.MemoryReferences,
        OpId.TableNew or OpId.TableGetRef or OpId.TableSetRef or OpId.TableSizeRef or OpId.TableGrowRef or OpId.TableFillRef
            or OpId.TableCopyRef or OpId.TableInitRef or OpId.CallIndirectRef => OpGroup.TableReferences,
        OpId.GlobalNew or OpId.GlobalGetRef or OpId.GlobalSetRef => OpGroup.GlobalReferences,
        OpId.SliceNew or OpId.SliceNewRef or OpId.SliceSub or OpId.SliceReadonly or OpId.SliceLen or OpId.SliceCopy
            or OpId.SliceFill => OpGroup.Slices,
    };
}
