namespace WasmJit.Jit.Operators;

/// <summary>The operators that the validator, the emitter or the text format treat apart: the mnemonic in Pascal case.</summary>
internal enum OpId : ushort
{
    /// <summary>All others: the row says everything.</summary>
    Plain,
    Unreachable, Nop, Block, Loop, If, Else, Try, Catch, Throw, Rethrow, ThrowRef, End, Br, BrIf, BrTable, Return,
    Call, CallIndirect, ReturnCall, ReturnCallIndirect, CallRef, ReturnCallRef, Delegate, CatchAll, Drop, Select,
    SelectT, TryTable, LocalGet, LocalSet, LocalTee, GlobalGet, GlobalSet, TableGet, TableSet, MemorySize, MemoryGrow,
    I32Const, I64Const, F32Const, F64Const, RefNull, RefIsNull, RefFunc, RefEq, RefAsNonNull, BrOnNull, BrOnNonNull,
    MemoryInit, DataDrop, MemoryCopy, MemoryFill, TableInit, ElemDrop, TableCopy, TableGrow, TableSize, TableFill,
    I64Add128, I64Sub128, I64MulWideS, I64MulWideU, StructNew, StructNewDefault, StructGet, StructGetS, StructGetU,
    StructSet, ArrayNew, ArrayNewDefault, ArrayNewFixed, ArrayNewData, ArrayNewElem, ArrayGet, ArrayGetS, ArrayGetU,
    ArraySet, ArrayLen, ArrayFill, ArrayCopy, ArrayInitData, ArrayInitElem, RefTest, RefTestNull, RefCast,
    RefCastNull, BrOnCast, BrOnCastFail, AnyConvertExtern, ExternConvertAny, RefI31, I31GetS, I31GetU, StructNewDesc,
    StructNewDefaultDesc, RefGetDesc, RefCastDescEq, RefCastDescEqNull, BrOnCastDescEq, BrOnCastDescEqFail, RefModule,
    RefInstance, RefMemory, RefTable, RefGlobal, RefTag, Compile, CompileNull, Instantiate, InstantiateNull,
    InstantiateModule, GetExport, GetExportNull, CallExport, ReturnCallExport, MemoryNew, TableNew, GlobalNew,
    FuncNew, FuncNewNull, FuncNewNamed, FuncNewNamedNull, FuncOptimize, FuncIsOptimized, ModuleDrop, FuncDrop, CodeCount, CodeSize,
    MemorySizeRef, MemoryGrowRef, MemoryFillRef, MemoryCopyRef, MemoryInitRef, TableGetRef, TableSetRef, TableSizeRef,
    TableGrowRef, TableFillRef, TableCopyRef, TableInitRef, CallIndirectRef, GlobalGetRef, GlobalSetRef, SliceNew,
    SliceNewRef, SliceSub, SliceReadonly, SliceLen, SliceCopy, SliceFill, V128Const, I8x16Shuffle, MemoryAtomicNotify,
    MemoryAtomicWait32, MemoryAtomicWait64, AtomicFence,
}
