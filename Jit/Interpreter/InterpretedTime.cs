namespace WasmJit.Jit.Interpreter;

/// <summary>What calls and iterations take in the interpreter: estimates in nanoseconds, measured on programs in C and the kernels of Perf (RATIONALE.md).</summary>
internal static class InterpretedTime
{
    /// <summary>Something for itself and something for each byte, of which large functions run few each time.</summary>
    private const double Base = 15, PerByte = 0.5;
    private const int MostBytesRun = 300;

    /// <summary>What an instruction takes.</summary>
    private const double PerInstruction = 1.3;

    /// <summary>What a call takes, or an iteration of a loop, if nothing is known of a function but the size of its body.</summary>
    internal static double OfEvent(int bytes) => Base + (Math.Min(bytes, MostBytesRun) * PerByte);

    /// <summary>As how many such events a call or an iteration counts that runs at least so many instructions.</summary>
    /// <param name="bytes">The size of the function's body.</param>
    /// <param name="instructions">The instructions that run each time: see <see cref="StraightRuns"/>.</param>
    internal static int EventsIn(int bytes, int instructions) => Math.Max(1, (int)((Base + (instructions * PerInstruction)) / OfEvent(bytes)));
}
