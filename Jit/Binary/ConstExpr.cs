using WasmJit.Jit.Format;

namespace WasmJit.Jit.Binary;

/// <summary>A constant expression: a range of the module's bytes, its <c>end</c> included.</summary>
internal readonly record struct ConstExpr(int Start, int End)
{
    /// <summary>
    /// The length of an expression that is one <c>i32.const</c>, and its constant. Programs have thousands, before their data and in globals, and the operator table is not needed for them.
    /// </summary>
    /// <param name="code">What begins with the expression.</param>
    /// <param name="value">The constant.</param>
    /// <returns>The length of the expression; 0 if it is another one, or malformed.</returns>
    internal static int LengthOfConstant(ReadOnlySpan<byte> code, out int value)
    {
        const int MostBytes = 5, Bits = 7, More = 1 << Bits, Sign = More >> 1;
        value = 0;
        if (code.IsEmpty || code[0] != Opcode.I32Const) return 0;
        for (int i = 0; i < MostBytes && i + 2 < code.Length; i++)
        {
            int next = code[i + 1];
            value |= (next & (More - 1)) << (Bits * i);
            if (next >= More) continue;
            // The last byte has bits beyond the 32: they must equal the sign.
            if (i == MostBytes - 1 && next >> 3 is not (0 or (More - 1) >> 3)) return 0;
            if ((next & Sign) != 0 && i < MostBytes - 1) value |= -1 << (Bits * (i + 1));
            return code[i + 2] == Opcode.End ? i + 3 : 0;
        }
        return 0;
    }
}
