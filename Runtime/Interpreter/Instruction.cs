using System.Runtime.InteropServices;

namespace WasmJit.Runtime;

/// <summary>
/// An instruction of register code. Operands are slots of the function's frame, counted in 8 bytes for numbers and in elements for references. <see
/// cref="RegisterOp"/> says what the other members mean for each operation. Some use the 16 bytes behind as well.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct Instruction
{
    /// <summary>What is done.</summary>
    [FieldOffset(0)]
    internal RegisterOp Op;

    /// <summary>The operation and all slots, to be written at once.</summary>
    [FieldOffset(0)]
    internal ulong Head;

    /// <summary>Mostly the slot of the result, or the first operand of an operation without one.</summary>
    [FieldOffset(2)]
    internal ushort A;

    /// <summary>An operand.</summary>
    [FieldOffset(4)]
    internal ushort B;

    /// <summary>A further operand.</summary>
    [FieldOffset(6)]
    internal ushort C;

    /// <summary>A constant, an offset in memory, or an address.</summary>
    [FieldOffset(8)]
    internal long Imm;

    /// <summary>For branches: how many instructions away the target is. Otherwise an index.</summary>
    [FieldOffset(8)]
    internal int Target;

    /// <summary>For branches that compare with a constant: the constant. Otherwise an index.</summary>
    [FieldOffset(12)]
    internal int Value;
}
