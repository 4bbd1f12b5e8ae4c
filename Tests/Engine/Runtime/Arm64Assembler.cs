using System.Runtime.InteropServices;

namespace WasmJit.Tests;

/// <summary>Writes the few ARM64 instructions of the library's own machine code, by the encodings of the architecture's manual (A64).</summary>
internal sealed class Arm64Assembler
{
    /// <summary>Conditions of <see cref="BranchIf"/>.</summary>
    internal const uint Equal = 0, Lower = 3, LowerOrSame = 9, LessOrEqual = 13;

    /// <summary>The register that is zero, or the stack pointer where an instruction takes that.</summary>
    internal const uint Zero = 31, Sp = 31;

    private readonly List<uint> words = [];
    private readonly Dictionary<string, int> labels = [];
    private readonly List<(int At, string Label, int Bits)> branches = [];

    internal void Label(string name) => labels.Add(name, words.Count);

    internal void Word(uint word) => words.Add(word);

    internal void Quad(ulong value)
    {
        Word((uint)value);
        Word((uint)(value >> 32));
    }

    private static uint Registers(uint target, uint source) => (source << 5) | target;

    internal void LoadX(uint target, uint at, uint offset) => Word(0xf9400000 | (offset / 8 << 10) | Registers(target, at));

    internal void LoadW(uint target, uint at, uint offset) => Word(0xb9400000 | (offset / 4 << 10) | Registers(target, at));

    internal void LoadXIndexed(uint target, uint at, uint index) => Word(0xf8606800 | (index << 16) | Registers(target, at));

    internal void StoreX(uint source, uint at, uint offset) => Word(0xf9000000 | (offset / 8 << 10) | Registers(source, at));

    /// <summary>A pair at an address that is lowered first: <c>stp a, b, [at, #-bytes]!</c>.</summary>
    internal void PushPair(uint a, uint b, int bytes) =>
        Word(0xa9800000 | ((uint)(-bytes / 8) & 0x7f) << 15 | (b << 10) | Registers(a, Sp));

    internal void CompareW(uint a, uint number) => Word(0x71000000 | (number << 10) | Registers(Zero, a));

    internal void CompareX(uint a, uint b) => Word(0xeb000000 | (b << 16) | Registers(Zero, a));

    internal void MoveX(uint target, uint source) => Word(0xaa0003e0 | (source << 16) | target);

    internal void MoveNumber(uint target, uint number, uint quarter = 0) => Word(0xd2800000 | (quarter << 21) | (number << 5) | target);

    internal void MoveNot(uint target, uint number) => Word(0x92800000 | (number << 5) | target);

    internal void MoveInto(uint target, uint number, uint quarter) => Word(0xf2800000 | (quarter << 21) | (number << 5) | target);

    internal void AddNumber(uint target, uint a, uint number) => Word(0x91000000 | (number << 10) | Registers(target, a));

    internal void SubNumber(uint target, uint a, uint number, bool pages = false) =>
        Word(0xd1000000 | (pages ? 0x400000u : 0) | (number << 10) | Registers(target, a));

    internal void SubFromSp(uint target, uint b) => Word(0xcb2063e0 | (b << 16) | target);

    internal void AddX(uint target, uint a, uint b) => Word(0x8b000000 | (b << 16) | Registers(target, a));

    /// <summary>The lowest bits of a register.</summary>
    internal void AndLowBits(uint target, uint a, uint bits) => Word(0x92400000 | (bits - 1 << 10) | Registers(target, a));

    /// <summary>So many bits from a bit on.</summary>
    internal void Extract(uint target, uint a, uint from, uint bits) =>
        Word(0xd3400000 | (from << 16) | (from + bits - 1 << 10) | Registers(target, a));

    internal void ShiftLeft(uint target, uint a, uint by) => Word(0xd3400000 | (64 - by << 16) | (63 - by << 10) | Registers(target, a));

    internal void ThreadPointer(uint target) => Word(0xd53bd040 | target);

    internal void Jump(uint register) => Word(0xd61f0000 | (register << 5));

    internal void Return() => Word(0xd65f03c0);

    internal void Nothing() => Word(0xd503201f);

    internal void Branch(string label) => To(label, 0x14000000, 26);

    internal void BranchIf(uint condition, string label) => To(label, 0x54000000 | condition, 19);

    internal void BranchIfZero(uint register, string label) => To(label, 0xb4000000 | register, 19);

    internal void LoadXFrom(uint target, string label) => To(label, 0x58000000 | target, 19);

    internal void LoadWFrom(uint target, string label) => To(label, 0x18000000 | target, 19);

    internal void LoadSFrom(uint target, string label) => To(label, 0x1c000000 | target, 19);

    private void To(string label, uint word, int bits)
    {
        branches.Add((words.Count, label, bits));
        Word(word);
    }

    /// <summary>The code. Distances of 19 bits stand at bit 5, those of 26 bits at bit 0.</summary>
    internal byte[] Assemble()
    {
        foreach ((int at, string label, int bits) in branches)
        {
            uint distance = (uint)(labels[label] - at) & ((1u << bits) - 1);
            words[at] |= bits == 19 ? distance << 5 : distance;
        }
        branches.Clear();
        return MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(words)).ToArray();
    }
}
