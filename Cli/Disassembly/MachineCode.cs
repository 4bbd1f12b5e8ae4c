using System.Runtime.InteropServices;
using Iced.Intel;

namespace WasmJit.Cli;

/// <summary>
/// Prints the machine code of compiled functions. The only unsafe step copies the bytes of a method whose address and size the
/// runtime has told, while the module that owns the method is alive.
/// </summary>
internal static class MachineCode
{
    /// <summary>The instructions, with labels at jump targets; or a line with the reason why there are none.</summary>
    internal static unsafe List<string> Lines(nint address, int size)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64) return ["(only x64 code can be shown)"];
        if (size <= 0) return ["(the runtime does not tell the size of the code)"];
        byte[] code = new ReadOnlySpan<byte>((void*)address, size).ToArray();
        return Decode(code, (ulong)address);
    }

    internal static List<string> Decode(byte[] code, ulong address)
    {
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(code), address);
        var instructions = new List<Instruction>();
        while (decoder.IP < address + (ulong)code.Length) instructions.Add(decoder.Decode());
        var targets = new SortedSet<ulong>();
        foreach (Instruction instruction in instructions)
        {
            ulong target = instruction.NearBranch64;
            if (instruction.Op0Kind == OpKind.NearBranch64 && target - address < (ulong)code.Length) targets.Add(target);
        }
        Dictionary<ulong, string> labels = targets.Select((t, i) => (t, i)).ToDictionary(p => p.t, p => $"L{p.i}");
        var formatter = new NasmFormatter(new Symbols(labels));
        formatter.Options.FirstOperandCharIndex = 8;
        formatter.Options.SpaceAfterOperandSeparator = true;
        var output = new StringOutput();
        var lines = new List<string>();
        foreach (Instruction instruction in instructions)
        {
            if (labels.TryGetValue(instruction.IP, out string? label)) lines.Add(label + ":");
            formatter.Format(instruction, output);
            lines.Add($"  {instruction.IP - address:x4}  {output.ToStringAndReset()}");
        }
        return lines;
    }

    private sealed class Symbols(Dictionary<ulong, string> labels) : ISymbolResolver
    {
        public bool TryGetSymbol(
            in Instruction instruction, int operand, int instructionOperand, ulong address, int size, out SymbolResult symbol)
        {
            bool found = labels.TryGetValue(address, out string? name);
            symbol = found ? new SymbolResult(address, name!) : default;
            return found;
        }
    }
}
