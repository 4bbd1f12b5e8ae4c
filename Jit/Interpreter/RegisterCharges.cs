using WasmJit.Runtime;

namespace WasmJit.Jit.Interpreter;

/// <summary>The fuel of a function and of its loops: each is charged at its head for what runs until the next charge, as the emitter counts it.</summary>
/// <param name="code">The instructions, among them the charges.</param>
internal sealed class RegisterCharges(RegisterBuffer code)
{
    /// <summary>For the function and each open loop where it is charged, and the units so far.</summary>
    private readonly List<(int At, long Units)> open = new(1);

    /// <summary>The function begins, or a loop.</summary>
    internal void Begin(long units) => open.Add((code.Emit(RegisterOp.Charge), units));

    /// <summary>The innermost loop costs more, or the function.</summary>
    internal void Add(long units) => open[^1] = (open[^1].At, open[^1].Units + units);

    /// <summary>All that the innermost loop, or the function, is charged for is known.</summary>
    internal void End(long more)
    {
        (int at, long units) = open[^1];
        Instruction instruction = code[at];
        instruction.Imm = Math.Min(units + more, int.MaxValue);
        code[at] = instruction;
        open.RemoveAt(open.Count - 1);
    }
}
