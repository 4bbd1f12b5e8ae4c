namespace WasmJit.Jit.Format;

// Opcodes by name, for code that works without the operator table: the source generators, which run on .NET Standard, and modules that the library
// writes itself. OperatorTableTests compares them with the table.

/// <summary>Operators without a prefix.</summary>
internal static class Opcode
{
    internal const byte Block = 0x02, End = 0x0b, Return = 0x0f, CallRef = 0x14, Drop = 0x1a, TryTable = 0x1f;

    internal const byte LocalGet = 0x20, LocalSet = 0x21, GlobalGet = 0x23;

    internal const byte I32Const = 0x41, I64Const = 0x42, F32Const = 0x43, F64Const = 0x44;

    internal const byte I32Add = 0x6a, I32Sub = 0x6b, I32Mul = 0x6c, I64Add = 0x7c, I64Sub = 0x7d, I64Mul = 0x7e;

    internal const byte RefNull = 0xd0, RefFunc = 0xd2;
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

    internal const uint AnyConvertExtern = 26, ExternConvertAny = 27, RefI31 = 28;
}

/// <summary>Operators behind <see cref="OperatorPrefix.Vector"/>.</summary>
internal static class VectorOpcode
{
    internal const uint V128Const = 12;
}
