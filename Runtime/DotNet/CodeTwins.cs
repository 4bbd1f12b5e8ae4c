using Iced.Intel;

namespace WasmJit.Runtime;

/// <summary>What an instruction can have to do with a frame.</summary>
internal enum CodeKind : byte
{
    /// <summary>It accesses memory, or does nothing that traps.</summary>
    Other,

    /// <summary>It calls.</summary>
    Call,

    /// <summary>It divides.</summary>
    Divide,
}

/// <summary>Compares two pieces of machine code that were made of the same IL.</summary>
internal static unsafe class CodeTwins
{
    private const int MaxInstructions = 200_000;

    /// <summary>
    /// Finds the instruction of the second piece that stands for one of the first, and all before it. Addresses in the code may differ. Null if the pieces
    /// are not the same up to there.
    /// </summary>
    /// <param name="first">Where the first piece begins.</param>
    /// <param name="second">Where the second one does.</param>
    /// <param name="offset">The offset of the instruction in the first piece if it has faulted; of a call one in it, or that behind it.</param>
    /// <param name="isFault">Whether the instruction may have faulted.</param>
    /// <remarks>Unsafe: reads machine code, which the caller keeps alive. The second piece is read as far as it has been the same.</remarks>
    internal static List<(int Offset, CodeKind Kind)>? Match(nint first, nint second, int offset, bool isFault)
    {
        if (Arm64Prologue.CanRead) return MatchArm64((uint*)first, (uint*)second, offset, isFault);
        if (!Prologue.CanRead) return null;
        Decoder a = Decoder.Create(64, new Prologue.MemoryReader((byte*)first), (ulong)first);
        Decoder b = Decoder.Create(64, new Prologue.MemoryReader((byte*)second), (ulong)second);
        var found = new List<(int, CodeKind)>();
        while (found.Count < MaxInstructions)
        {
            int at = (int)(a.IP - (ulong)first), atSecond = (int)(b.IP - (ulong)second);
            a.Decode(out Iced.Intel.Instruction left);
            b.Decode(out Iced.Intel.Instruction right);
            if (left.IsInvalid || left.Mnemonic != right.Mnemonic || left.OpCount != right.OpCount) return null;
            CodeKind kind = left.Mnemonic is Mnemonic.Call ? CodeKind.Call : left.Mnemonic is Mnemonic.Div or Mnemonic.Idiv ? CodeKind.Divide : CodeKind.Other;
            found.Add((atSecond, kind));
            if (at == offset && isFault) return found;
            if (at < offset && (int)(a.IP - (ulong)first) >= offset && !(isFault && (int)(a.IP - (ulong)first) == offset)) return found;
            if (at > offset) return null;
        }
        return null;
    }

    /// <summary>The same for ARM64, all of whose instructions have four bytes.</summary>
    internal static List<(int Offset, CodeKind Kind)>? MatchArm64(uint* first, uint* second, int offset, bool isFault)
    {
        var found = new List<(int, CodeKind)>();
        for (int i = 0; i < MaxInstructions && i * sizeof(uint) <= offset; i++)
        {
            if (WithoutAddress(first[i]) != WithoutAddress(second[i])) return null;
            int at = i * sizeof(uint);
            found.Add((at, Arm64Kind(first[i])));
            if (isFault ? at == offset : at < offset && at + sizeof(uint) >= offset) return found;
        }
        return null;
    }

    /// <summary>An instruction without the number that may be an address or a part of one.</summary>
    private static uint WithoutAddress(uint word)
    {
        const uint Sixteen = 0xffff << 5, Nineteen = 0x7ffff << 5;
        // movz, movn and movk; ldr of a constant beside the code; adr and adrp; b and bl
        if ((word & 0x1f800000) == 0x12800000) return word & ~Sixteen;
        if ((word & 0x3b000000) == 0x18000000) return word & ~Nineteen;
        if ((word & 0x1f000000) == 0x10000000) return word & 0x9f00001f;
        return (word & 0x7c000000) == 0x14000000 ? word & 0xfc000000 : word;
    }

    private static CodeKind Arm64Kind(uint word) =>
        // bl, blr; udiv, sdiv
        (word & 0xfc000000) == 0x94000000 || (word & 0xfffffc1f) == 0xd63f0000 ? CodeKind.Call
        : (word & 0x7fe0f800) == 0x1ac00800 ? CodeKind.Divide : CodeKind.Other;
}
