namespace WasmJit.Runtime;

/// <summary>
/// The operations of register code. The first are the plain operators of WebAssembly under their own names and in the order of
/// their codes, from <c>i32.load</c> on, so that the translator finds one by its code; their further forms follow in the same order.
/// </summary>
internal enum RegisterOp : ushort
{
    // A = B op C; loads: A = memory 0 at B + Imm; stores: memory 0 at A + Imm = B; constants: A = Imm.
    I32Load, I64Load, F32Load, F64Load, I32Load8S, I32Load8U, I32Load16S, I32Load16U, I64Load8S, I64Load8U, I64Load16S, I64Load16U, I64Load32S,
    I64Load32U, I32Store, I64Store, F32Store, F64Store, I32Store8, I32Store16, I64Store8, I64Store16, I64Store32, MemorySize, MemoryGrow, I32Const,
    I64Const, F32Const, F64Const, I32Eqz, I32Eq, I32Ne, I32LtS, I32LtU, I32GtS, I32GtU, I32LeS, I32LeU, I32GeS, I32GeU, I64Eqz, I64Eq, I64Ne, I64LtS,
    I64LtU, I64GtS, I64GtU, I64LeS, I64LeU, I64GeS, I64GeU, F32Eq, F32Ne, F32Lt, F32Gt, F32Le, F32Ge, F64Eq, F64Ne, F64Lt, F64Gt, F64Le, F64Ge,
    I32Clz, I32Ctz, I32Popcnt, I32Add, I32Sub, I32Mul, I32DivS, I32DivU, I32RemS, I32RemU, I32And, I32Or, I32Xor, I32Shl, I32ShrS, I32ShrU, I32Rotl,
    I32Rotr, I64Clz, I64Ctz, I64Popcnt, I64Add, I64Sub, I64Mul, I64DivS, I64DivU, I64RemS, I64RemU, I64And, I64Or, I64Xor, I64Shl, I64ShrS, I64ShrU,
    I64Rotl, I64Rotr, F32Abs, F32Neg, F32Ceil, F32Floor, F32Trunc, F32Nearest, F32Sqrt, F32Add, F32Sub, F32Mul, F32Div, F32Min, F32Max, F32Copysign,
    F64Abs, F64Neg, F64Ceil, F64Floor, F64Trunc, F64Nearest, F64Sqrt, F64Add, F64Sub, F64Mul, F64Div, F64Min, F64Max, F64Copysign, I32WrapI64,
    I32TruncF32S, I32TruncF32U, I32TruncF64S, I32TruncF64U, I64ExtendI32S, I64ExtendI32U, I64TruncF32S, I64TruncF32U, I64TruncF64S, I64TruncF64U,
    F32ConvertI32S, F32ConvertI32U, F32ConvertI64S, F32ConvertI64U, F32DemoteF64, F64ConvertI32S, F64ConvertI32U, F64ConvertI64S, F64ConvertI64U,
    F64PromoteF32, I32ReinterpretF32, I64ReinterpretF64, F32ReinterpretI32, F64ReinterpretI64, I32Extend8S, I32Extend16S, I64Extend8S, I64Extend16S,
    I64Extend32S,

    // The second operand is a constant: A = B op Imm.
    I32EqConst, I32NeConst, I32LtSConst, I32LtUConst, I32GtSConst, I32GtUConst, I32LeSConst, I32LeUConst, I32GeSConst, I32GeUConst, I32AddConst,
    I32SubConst, I32MulConst, I32DivSConst, I32DivUConst, I32RemSConst, I32RemUConst, I32AndConst, I32OrConst, I32XorConst, I32ShlConst,
    I32ShrSConst, I32ShrUConst, I32RotlConst, I32RotrConst, I64EqConst, I64NeConst, I64LtSConst, I64LtUConst, I64GtSConst, I64GtUConst, I64LeSConst,
    I64LeUConst, I64GeSConst, I64GeUConst, I64AddConst, I64SubConst, I64MulConst, I64DivSConst, I64DivUConst, I64RemSConst, I64RemUConst,
    I64AndConst, I64OrConst, I64XorConst, I64ShlConst, I64ShrSConst, I64ShrUConst, I64RotlConst, I64RotrConst,

    // Branches if A op B.
    BrIfI32Eqz, BrIfI32Eq, BrIfI32Ne, BrIfI32LtS, BrIfI32LtU, BrIfI32GtS, BrIfI32GtU, BrIfI32LeS, BrIfI32LeU, BrIfI32GeS, BrIfI32GeU, BrIfI64Eqz,
    BrIfI64Eq, BrIfI64Ne, BrIfI64LtS, BrIfI64LtU, BrIfI64GtS, BrIfI64GtU, BrIfI64LeS, BrIfI64LeU, BrIfI64GeS, BrIfI64GeU, BrIfF32Eq, BrIfF32Ne,
    BrIfF32Lt, BrIfF32Gt, BrIfF32Le, BrIfF32Ge, BrIfF64Eq, BrIfF64Ne, BrIfF64Lt, BrIfF64Gt, BrIfF64Le, BrIfF64Ge,

    // Branches if A op Value.
    BrIfI32EqConst, BrIfI32NeConst, BrIfI32LtSConst, BrIfI32LtUConst, BrIfI32GtSConst, BrIfI32GtUConst, BrIfI32LeSConst, BrIfI32LeUConst,
    BrIfI32GeSConst, BrIfI32GeUConst, BrIfI64EqConst, BrIfI64NeConst, BrIfI64LtSConst, BrIfI64LtUConst, BrIfI64GtSConst, BrIfI64GtUConst,
    BrIfI64LeSConst, BrIfI64LeUConst, BrIfI64GeSConst, BrIfI64GeUConst,

    // Branches unless A op B, which with NaN is not the branch of the opposite comparison.
    BrIfNotF32Eq, BrIfNotF32Ne, BrIfNotF32Lt, BrIfNotF32Gt, BrIfNotF32Le, BrIfNotF32Ge, BrIfNotF64Eq, BrIfNotF64Ne, BrIfNotF64Lt, BrIfNotF64Gt,
    BrIfNotF64Le, BrIfNotF64Ge,

    // Loads and stores at an address of the process, which is in B or A.
    RawI32Load, RawI64Load, RawF32Load, RawF64Load, RawI32Load8S, RawI32Load8U, RawI32Load16S, RawI32Load16U, RawI64Load8S, RawI64Load8U,
    RawI64Load16S, RawI64Load16U, RawI64Load32S, RawI64Load32U, RawI32Store, RawI64Store, RawF32Store, RawF64Store, RawI32Store8, RawI32Store16,
    RawI64Store8, RawI64Store16, RawI64Store32,

    // What this instruction, under its own name, and the one or two behind it do: see RegisterPairs.
    I32LoadThenI32Load, I32LoadThenI32Store, I32LoadThenI32Add, I32LoadThenI32AddConst, I32LoadThenI32AddConstThenI32Store, I32LoadThenBrIfI32Eqz,
    I32LoadThenBrIfI32NeConst, I32LoadThenCall, I32StoreThenI32Load, I32StoreThenI32LoadThenI32Load, I32StoreThenI32Store, I32StoreThenI32AddConst,
    I32StoreThenBr, I32StoreThenBrLoop, I32AddThenI32Load, I32AddThenI32Add, I32AddThenI32AddConst,
    I32AddConstThenI32Load, I32AddConstThenI32Load8U, I32AddConstThenI32Store, I32AddConstThenI32AddConst, I32AddConstThenBrIfI32Ne,
    I32AddConstThenBrIfI32NeConst, I32AddConstThenGlobalSet32, I32AddConstThenGlobalSet32ThenReturnValue, I32SubConstThenGlobalSet32,
    I32SubConstThenI32Store, I32ShlConstThenI32Add, I32RotlConstThenI32Xor, I32ShrUConstThenI32Xor, GlobalGetThenI32SubConst,
    GlobalGetThenI32SubConstThenGlobalSet32, GlobalSet32ThenI32Store, GlobalSet32ThenReturnValue, F64ConstThenI32Store, F64ConstThenCall,
    BrIfI32EqzThenI32Load, BrIfI32NeConstThenI32Load, MoveThenMove,

    /// <summary>Enters the function that the loop was called for.</summary>
    Enter,

    /// <summary>A = B.</summary>
    Move,

    /// <summary>The same for references.</summary>
    MoveRef, NullRef,

    /// <summary>A = B or C, as the number in Target is not zero.</summary>
    Select, SelectRef,

    /// <summary>An own number: its place in the instance's globals is Imm.</summary>
    GlobalGet, GlobalSet32, GlobalSet64,

    /// <summary>Goes to Target.</summary>
    Br,

    /// <summary>Goes to the head of a loop, which is at Target.</summary>
    BrLoop,

    /// <summary>Goes where the words behind say, by A; there are Target of them and one for all other numbers.</summary>
    BrTable,

    /// <summary>The head of a loop: counts it. Target is the loop's offset in the module.</summary>
    Loop,

    /// <summary>Looks whether the guest is to stop.</summary>
    Poll,

    /// <summary>Pays Imm units.</summary>
    Charge,

    /// <summary>Pays for bytes or elements, as many as the number in A says, which has 64 bits if C is not zero.</summary>
    ChargeBytes, ChargeItems, ChargeCode,

    /// <summary>Pays Imm units for something that is made.</summary>
    ChargeUnits,

    /// <summary>Ends the function; results are in place, C of them references.</summary>
    Return,

    /// <summary>Ends the function with the number in A.</summary>
    ReturnValue,

    /// <summary>Calls an own function, Imm. In all calls the arguments and then the results begin at A and B (references).</summary>
    Call,

    /// <summary>Calls an imported function, a function of a table at index C, the function in reference C; Imm is the shape.</summary>
    CallImport, CallIndirect, CallRef,

    /// <summary>
    /// Calls a function of the instance in reference C: the word behind says which (Target: its index, or if A is not zero the number of a name).
    /// </summary>
    CallExport,

    /// <summary>Calls a function of a table behind a reference, which is in B of the word behind.</summary>
    CallIndirectRef,

    /// <summary>Tail calls: the arguments have been moved to the frame's first slots. C of them are references.</summary>
    TailCall, TailCallImport, TailCallIndirect, TailCallRef, TailCallExport,

    /// <summary>Calls the machine code of the function and ends it.</summary>
    Invoke,

    // What follows is done outside of the loop. Target and Value are indices of memories, tables, segments or functions.

    /// <summary>Traps; Target is the kind.</summary>
    Trap,

    /// <summary>The address in the process of an access to memory C; the word behind says its width (A) and if it is checked (B).</summary>
    Address,

    /// <summary>
    /// The same through reference C to a memory, or to a slice; the word behind says the width (A), if addresses have 64 bits (B), if it is a store (C).
    /// </summary>
    AddressThrough, AddressInSlice,

    /// <summary>As many numbers or references as Imm says, from B on, are moved to where A is and behind it.</summary>
    MoveMany, MoveRefs,

    /// <summary>The function keeps operands in a spill area from here on, or does not any more.</summary>
    EnterSpills, LeaveSpills,

    /// <summary>As many numbers or references as Value says, from A on, are written to the spill area at Target and behind it, or read from there.</summary>
    Spill, Unspill, SpillRefs, UnspillRefs,

    MemoryFill, MemoryCopy, MemoryInit, DataDrop,
    TableGet, TableSet, TableSize, TableGrow, TableFill, TableCopy, TableInit, ElemDrop,
    RefFunc, RefIsNull, RefEq, RefAsNonNull, GlobalGetRef, GlobalSetRef, GlobalGetFar, GlobalSetFar,

    /// <summary>Reference A is a memory, table, global, tag, module or instance of the module: Value is its kind.</summary>
    RefEntity,

    // The runtime-linking extension: numbers from A on, references from B on, and a word behind. What is named Of is behind a reference.
    Compile, FuncNew, FuncOptimize, FuncIsOptimized, ModuleDrop, FuncDrop, CodeCount, CodeSize, Instantiate, InstantiateModule, GetExport, GetExportNull,
    MemoryNew, MemorySizeOf, MemoryGrowOf, MemoryFillOf, MemoryCopyOf, MemoryInitOf,
    TableNew, TableGetOf, TableSetOf, TableSizeOf, TableGrowOf, TableFillOf, TableCopyOf, TableInitOf,
    GlobalNewNumber, GlobalNewRef, GlobalGetNumberOf, GlobalGetRefOf, GlobalSetNumberOf, GlobalSetRefOf,
    SliceNew, SliceNewOf, SliceSub, SliceReadonly, SliceLen, SliceCopy, SliceFill,

    /// <summary>Waits and wakes, likewise: in the word behind A says if addresses have 64 bits, B whether reference B is a memory (1) or a slice (2), and Imm the offset.</summary>
    AtomicNotify, AtomicWait32, AtomicWait64,

    I32TruncSatF32S, I32TruncSatF32U, I32TruncSatF64S, I32TruncSatF64U, I64TruncSatF32S, I64TruncSatF32U, I64TruncSatF64S, I64TruncSatF64U,
    I64Add128, I64Sub128, I64MulWideS, I64MulWideU,

    // What follows is in register code of processes that can make no code; elsewhere functions with it are compiled.

    /// <summary>A plain operator on vectors, which <see cref="VectorOp"/> Target names: see <see cref="VectorOperations"/>.</summary>
    Vector,

    /// <summary>The vector from A on = bytes of those from B and C on; the word behind has the lanes.</summary>
    Shuffle,

    /// <summary>A plain atomic operator, which <see cref="AtomicOp"/> Target names: see <see cref="AtomicOperations"/>.</summary>
    Atomic,

    AtomicFence,

    /// <summary>Throws an exception of the tag in Target, with the numbers from A and the references from B on.</summary>
    Throw,

    /// <summary>Throws the exception in reference A.</summary>
    ThrowRef,

    /// <summary>No instruction: an entry of the function's handlers, behind its code. See <see cref="ExceptionTable"/>.</summary>
    Handler,

    /// <summary>Reference A = the number in B as an i31; A = the number of reference B.</summary>
    RefI31, I31GetS, I31GetU,

    /// <summary>Structs, arrays and casts: see <see cref="GcOperations"/>. A word behind says more.</summary>
    StructNew, StructNewDefault, StructGet, StructSet, StructGetDescriptor,
    ArrayNew, ArrayNewDefault, ArrayNewFixed, ArrayNewData, ArrayNewElem, ArrayGet, ArraySet, ArrayLen, ArrayFill, ArrayCopy, ArrayInitData, ArrayInitElem,
    RefTest, RefCast, RefTestDescriptor, RefCastDescriptor,
}
