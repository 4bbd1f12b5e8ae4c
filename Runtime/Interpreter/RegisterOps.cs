namespace WasmJit.Runtime;

/// <summary>What operations of register code do, for those who look at code from outside.</summary>
internal static class RegisterOps
{
    /// <summary>How many operations there are: the last one comes here.</summary>
    internal const int Count = (int)RegisterOp.RefCastDescriptor + 1;

    /// <summary>The operation of an instruction, or the first of those that are executed as one, under its own name.</summary>
    /// <param name="op">The operation.</param>
    /// <param name="length">How many instructions it does: this one, and those behind it.</param>
    internal static RegisterOp FirstOf(RegisterOp op, out int length)
    {
        length = op switch
        {
            RegisterOp.I32LoadThenI32AddConstThenI32Store or RegisterOp.I32StoreThenI32LoadThenI32Load or RegisterOp.I32AddConstThenGlobalSet32ThenReturnValue
                or RegisterOp.GlobalGetThenI32SubConstThenGlobalSet32 => 3,
            >= RegisterOp.I32LoadThenI32Load and <= RegisterOp.MoveThenMove => 2,
            _ => 1,
        };
        return op switch
        {
            >= RegisterOp.I32LoadThenI32Load and <= RegisterOp.I32LoadThenCall => RegisterOp.I32Load,
            >= RegisterOp.I32StoreThenI32Load and <= RegisterOp.I32StoreThenBrLoop => RegisterOp.I32Store,
            >= RegisterOp.I32AddThenI32Load and <= RegisterOp.I32AddThenI32AddConst => RegisterOp.I32Add,
            >= RegisterOp.I32AddConstThenI32Load and <= RegisterOp.I32AddConstThenGlobalSet32ThenReturnValue => RegisterOp.I32AddConst,
            RegisterOp.I32SubConstThenGlobalSet32 or RegisterOp.I32SubConstThenI32Store => RegisterOp.I32SubConst,
            RegisterOp.I32ShlConstThenI32Add => RegisterOp.I32ShlConst,
            RegisterOp.I32RotlConstThenI32Xor => RegisterOp.I32RotlConst,
            RegisterOp.I32ShrUConstThenI32Xor => RegisterOp.I32ShrUConst,
            RegisterOp.GlobalGetThenI32SubConst or RegisterOp.GlobalGetThenI32SubConstThenGlobalSet32 => RegisterOp.GlobalGet,
            RegisterOp.GlobalSet32ThenI32Store or RegisterOp.GlobalSet32ThenReturnValue => RegisterOp.GlobalSet32,
            RegisterOp.F64ConstThenI32Store or RegisterOp.F64ConstThenCall => RegisterOp.F64Const,
            RegisterOp.BrIfI32EqzThenI32Load => RegisterOp.BrIfI32Eqz,
            RegisterOp.BrIfI32NeConstThenI32Load => RegisterOp.BrIfI32NeConst,
            RegisterOp.MoveThenMove => RegisterOp.Move,
            _ => op,
        };
    }

    /// <summary>How many bytes a load or store of memory 0 accesses.</summary>
    internal static int AccessSize(RegisterOp op) => op switch
    {
        RegisterOp.I32Load8S or RegisterOp.I32Load8U or RegisterOp.I64Load8S or RegisterOp.I64Load8U or RegisterOp.I32Store8 or RegisterOp.I64Store8 => 1,
        RegisterOp.I32Load16S or RegisterOp.I32Load16U or RegisterOp.I64Load16S or RegisterOp.I64Load16U or RegisterOp.I32Store16 or RegisterOp.I64Store16 => 2,
        RegisterOp.I64Load or RegisterOp.F64Load or RegisterOp.I64Store or RegisterOp.F64Store => 8,
        _ => 4,
    };
}
