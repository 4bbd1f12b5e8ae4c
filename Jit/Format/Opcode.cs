namespace WasmJit.Jit.Format;

// Opcodes by name, for code that works without the operator table: the source generators, which run on .NET Standard, and modules that the library,
// tests and measurements write byte by byte. OperatorTableTests compares them with the table.

/// <summary>Operators without a prefix.</summary>
internal static class Opcode
{
    internal const byte Block = 0x02, Loop = 0x03, If = 0x04, Else = 0x05, End = 0x0b, Br = 0x0c, BrIf = 0x0d, BrTable = 0x0e, Return = 0x0f;

    internal const byte Call = 0x10, CallIndirect = 0x11, ReturnCall = 0x12, CallRef = 0x14, Drop = 0x1a, Select = 0x1b, TryTable = 0x1f;

    internal const byte LocalGet = 0x20, LocalSet = 0x21, LocalTee = 0x22, GlobalGet = 0x23, GlobalSet = 0x24;

    internal const byte I32Load = 0x28, I64Load = 0x29, F32Load = 0x2a, F64Load = 0x2b, I32Load8U = 0x2d, I32Load16U = 0x2f, I64Load32U = 0x35;

    internal const byte I32Store = 0x36, I64Store = 0x37, F32Store = 0x38, F64Store = 0x39, I32Store8 = 0x3a, I32Store16 = 0x3b, MemorySize = 0x3f;

    internal const byte I32Const = 0x41, I64Const = 0x42, F32Const = 0x43, F64Const = 0x44;

    internal const byte I32Eqz = 0x45, I32Eq = 0x46, I32GeU = 0x4f, I64Eqz = 0x50, F64Lt = 0x63;

    internal const byte I32Add = 0x6a, I32Sub = 0x6b, I32Mul = 0x6c, I32And = 0x71, I32Or = 0x72, I32ShrU = 0x76;

    internal const byte I64Add = 0x7c, I64Sub = 0x7d, I64Mul = 0x7e, I64And = 0x83, I64ShrU = 0x88;

    internal const byte F32Add = 0x92, F32Div = 0x95, F64Add = 0xa0, F64Div = 0xa3;

    internal const byte I32WrapI64 = 0xa7, I64ExtendI32S = 0xac, I64ExtendI32U = 0xad, F32ConvertI32S = 0xb2, F32DemoteF64 = 0xb6, F64ConvertI32S = 0xb7,
        F64PromoteF32 = 0xbb;

    internal const byte RefNull = 0xd0, RefIsNull = 0xd1, RefFunc = 0xd2, RefAsNonNull = 0xd4;
}

/// <summary>Operators behind <see cref="OperatorPrefix.Linking"/>.</summary>
internal static class LinkingOpcode
{
    internal const uint CallIndirectRef = 0x2f;

    /// <summary>Those that drop, count and measure code are the numbers from <see cref="FirstOnCode"/> on that agree with it in these bits.</summary>
    internal const byte OnCodeMask = 0x7c, FirstOnCode = 0x40;
}

/// <summary>Operators behind <see cref="OperatorPrefix.Gc"/>.</summary>
internal static class GcOpcode
{
    internal const uint StructNew = 0, StructNewDefault = 1, StructNewDesc = 32, StructNewDefaultDesc = 33;

    internal const uint ArrayNew = 6, ArrayNewDefault = 7, ArrayNewFixed = 8;

    internal const uint RefTest = 20, AnyConvertExtern = 26, ExternConvertAny = 27, RefI31 = 28;
}

/// <summary>Operators behind <see cref="OperatorPrefix.Vector"/>.</summary>
internal static class VectorOpcode
{
    internal const uint V128Const = 12;
}
