namespace WasmJit.Jit.Tiers;

/// <summary>
/// When a function has been interpreted for about as long as compiling it takes. Who compiles then never spends more than about twice of what
/// would have been best, whatever the function does afterwards.
/// </summary>
/// <remarks>Estimates from a function's size, measured on programs in C and the kernels of Perf (RATIONALE.md).</remarks>
internal static class BreakEven
{
    /// <summary>What compiling takes, in nanoseconds: for any function, and for each byte of its body.</summary>
    private const double CompileBase = 250_000, CompilePerByte = 3_000;

    /// <summary>
    /// What a call takes in the interpreter, or an iteration of a loop: something for itself and something for each byte, of
    /// which large functions run few each time.
    /// </summary>
    private const double RunBase = 15, RunPerByte = 0.5;
    private const int MostBytesRun = 300;

    /// <summary>How many calls and iterations of a function are interpreted before it is compiled.</summary>
    /// <param name="bytes">The size of its body.</param>
    internal static int EventsOf(int bytes)
    {
        double compile = CompileBase + (bytes * CompilePerByte), run = RunBase + (Math.Min(bytes, MostBytesRun) * RunPerByte);
        return (int)Math.Min(compile / run, int.MaxValue / 4);
    }
}
