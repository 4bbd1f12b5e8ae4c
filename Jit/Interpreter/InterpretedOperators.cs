using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Interpreter;

/// <summary>The operators that have register code. A function with any other one is compiled at its first call.</summary>
internal static class InterpretedOperators
{
    /// <summary>The codes of the plain operators whose register operations have the same order, from i32.load to i64.extend32_s.</summary>
    private const int FirstCode = 0x28, LastCode = 0xc4;

    /// <summary>How many saturating conversions there are. They have the codes from 0 on behind their prefix.</summary>
    private const int SaturatingCodes = 8;

    /// <summary>Whether an operator has register code. Its types, or the memory that it accesses, may still be reasons to compile.</summary>
    internal static bool Has(Operator op) => op.Group switch
    {
        OpGroup.Plain => PlainOf(op) is not null,
        OpGroup.Control or OpGroup.Calls or OpGroup.Variables or OpGroup.References or OpGroup.Bulk or OpGroup.WideArithmetic => true,
        OpGroup.Constants => op.Id != OpId.V128Const,
        OpGroup.Gc => op.Id == OpId.RefEq,
        OpGroup.Linking or OpGroup.Modules or OpGroup.MemoryReferences or OpGroup.TableReferences or OpGroup.GlobalReferences or OpGroup.Slices => true,
        OpGroup.Shuffle or OpGroup.Exceptions or OpGroup.Casts or OpGroup.Waits => false,
    };

    /// <summary>The same in a process that can make no code, where everything has register code: vectors, atomic operators, exceptions and objects, too.</summary>
    internal static bool HasWithoutCode(Operator op) => Has(op) || op.Group switch
    {
        OpGroup.Plain => op.Prefix is OperatorPrefix.Vector or OperatorPrefix.Atomic,
        OpGroup.Gc or OpGroup.Casts or OpGroup.Constants or OpGroup.Shuffle or OpGroup.Exceptions or OpGroup.Waits => true,
        _ => false,
    };

    /// <summary>The register operation of a plain operator; null if there is none.</summary>
    internal static RegisterOp? PlainOf(Operator op) => op.Prefix switch
    {
        0 when op.Code is >= FirstCode and <= LastCode => (RegisterOp)(op.Code - FirstCode),
        OperatorPrefix.Numeric when op.Code < SaturatingCodes => RegisterOp.I32TruncSatF32S + (ushort)op.Code,
        _ => null,
    };
}
